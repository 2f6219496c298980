//! Reading: bytes to samples and events.

pub mod events;
pub(crate) mod line_chunks;
pub(crate) mod samples;
