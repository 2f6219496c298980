//! AWS CloudTrail: documents with an array `Records`, or a record a line. Who called is the agent, and the service with the
//! call the action; a call that failed is another one.

use super::mapping::TimeUnit;
use super::rules::Usual;
use crate::input::json_records::Envelope;

pub(super) fn envelope() -> Envelope {
    Envelope::new(&[&["Records"]], None)
}

pub(super) const USUAL: Usual = Usual {
    agent: &[
        "userIdentity.arn",
        "userIdentity.principalId",
        "userIdentity.userName",
        "userIdentity.invokedBy",
        "userIdentity.type",
        "sourceIPAddress",
    ],
    session: &[],
    action: &["{eventSource}:{eventName}"],
    time: &[("eventTime", TimeUnit::Auto)],
    label: &["label"],
    risk: &[],
    cohort: &[],
    id: &["eventID"],
    failed: &["errorCode"],
    more: &[],
};
