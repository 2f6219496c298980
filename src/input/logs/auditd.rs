//! Records of the Linux audit daemon: `type=SYSCALL msg=audit(1795345481.747:1395): arch=c000003e syscall=59 ...`.
//!
//! An event is several records with one serial number, of which the one of the system call says who did what; the others add
//! what it was done to, and are passed over.

use super::mapping::TimeUnit;
use super::rules::Usual;
use super::syscalls;
use crate::input::lines::Problem;
use serde_json::{Map, Value};

pub(super) const USUAL: Usual = Usual {
    agent: &["AUID", "auid", "UID", "uid"],
    session: &["{node}/{ses}", "ses", "{node}/pid {pid}", "pid {pid}"],
    action: &["action"],
    time: &[("time", TimeUnit::S)],
    label: &["label"],
    risk: &[],
    cohort: &[],
    id: &["{node}:{id}", "id"],
    failed: &["failed"],
    more: &[],
};

/// What stands for "not set" in `auid` and `ses`.
const UNSET: [&str; 3] = ["4294967295", "-1", "unset"];

/// A record as the object that the rules look at, or its type if it is of no system call.
pub(super) fn record(line: &str) -> Result<Result<String, &str>, Problem> {
    let wrong = |at: &str, problem: &str| {
        let column = line.len() - at.len() + 1;
        let problem =
            format!("{problem}; expected a record like type=SYSCALL msg=audit(1795345481.747:1395): syscall=59");
        Err((Some(column), problem))
    };
    // What `ausearch` puts between events.
    if line == "----" || line.starts_with("time->") {
        return Ok(Err("line of ausearch"));
    }
    let mut members = Map::new();
    let mut rest = line;
    if let Some(behind) = rest.strip_prefix("node=") {
        let (node, behind) = behind.split_once(' ').unwrap_or((behind, ""));
        members.insert("node".to_owned(), node.into());
        rest = behind;
    }
    let Some((kind, behind)) = rest.strip_prefix("type=").and_then(|rest| rest.split_once(' ')) else {
        return wrong(rest, "no record of auditd");
    };
    let Some((stamp, behind)) = behind.strip_prefix("msg=audit(").and_then(|rest| rest.split_once(')')) else {
        return wrong(behind, "a record without its time");
    };
    if kind != "SYSCALL" {
        return Ok(Err(kind));
    }
    let Some((time, serial)) = stamp.split_once(':') else {
        return wrong(behind, "a record without its serial number");
    };
    members.insert("time".to_owned(), time.into());
    members.insert("id".to_owned(), stamp.into());
    debug_assert!(!serial.is_empty() || stamp.ends_with(':'));
    let mut rest = behind.trim_start_matches(':');
    loop {
        rest = rest.trim_start_matches([' ', '\u{1d}']);
        if rest.is_empty() {
            break;
        }
        let Some((name, behind)) = rest.split_once('=') else {
            return wrong(rest, "a name without a value");
        };
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => match quoted.split_once('"') {
                Some(found) => found,
                None => return wrong(behind, "a string is cut off"),
            },
            None => behind.split_at(behind.find([' ', '\u{1d}']).unwrap_or(behind.len())),
        };
        if !(UNSET.contains(&value) && ["auid", "AUID", "ses"].contains(&name)) {
            members.entry(name).or_insert_with(|| value.into());
        }
        rest = behind;
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let Some(number) = text("syscall") else {
        return wrong("", "a record of a system call that does not say which");
    };
    let by_table = || syscalls::name(text("arch")?, number.parse().ok()?);
    let action = text("SYSCALL").or_else(by_table).unwrap_or(number).to_owned();
    if text("success") == Some("no") {
        members.insert("failed".to_owned(), "no".into());
    }
    members.insert("action".to_owned(), action.into());
    Ok(Ok(Value::Object(members).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_has_its_enriched_name_or_that_of_its_table_or_its_number() {
        let action = |rest: &str| {
            let line = format!("type=SYSCALL msg=audit(1.5:7): {rest}");
            let object: Value = serde_json::from_str(&record(&line).unwrap().unwrap()).unwrap();
            (
                object["action"].as_str().unwrap().to_owned(),
                object["failed"].is_string(),
                object["ses"].is_string(),
            )
        };
        assert_eq!(
            action("arch=c000003e syscall=59 success=yes ses=5 \u{1d}SYSCALL=execve2"),
            ("execve2".into(), false, true)
        );
        assert_eq!(
            action("arch=c000003e syscall=59 success=no ses=4294967295"),
            ("execve".into(), true, false)
        );
        assert_eq!(
            action("arch=c0000015 syscall=59 comm=\"a b=c\" success=yes"),
            ("59".into(), false, false)
        );
        assert_eq!(record("----"), Ok(Err("line of ausearch")));
        assert_eq!(record("node=h type=CWD msg=audit(1.5:7): cwd=\"/\""), Ok(Err("CWD")));
    }

    #[test]
    fn what_is_no_record_is_refused_at_its_column() {
        for (line, column) in [
            ("hello", 1),
            ("type=SYSCALL hello", 14),
            ("type=SYSCALL msg=audit(1.5:7): syscall=1 comm=\"x", 47),
            ("type=SYSCALL msg=audit(1.5:7): syscall", 32),
            ("type=SYSCALL msg=audit(1.5:7): arch=1", 38),
            ("type=SYSCALL msg=audit(15): syscall=1", 27),
        ] {
            assert_eq!(record(line).unwrap_err().0, Some(column), "{line}");
        }
    }
}
