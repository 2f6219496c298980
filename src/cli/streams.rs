//! Which of the standard streams were closed when the program started.
//!
//! Before `main` the runtime of Rust opens `/dev/null` in place of those that are, and from then on nothing tells them from
//! what was meant to lead nowhere: Python's `subprocess.DEVNULL` looks the same to the last flag. So they are looked at
//! before that.

use super::failure::Failure;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static STDIN_CLOSED: AtomicBool = AtomicBool::new(false);
static STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
ctor::declarative::ctor! {
    // It needs nothing of the runtime: two system calls, whose results go to two statics.
    #[ctor(unsafe)]
    fn look() {
        use rustix::io::fcntl_getfd;
        use rustix::stdio::{stdin, stdout};
        STDIN_CLOSED.store(fcntl_getfd(stdin()).is_err(), Relaxed);
        STDOUT_CLOSED.store(fcntl_getfd(stdout()).is_err(), Relaxed);
    }
}

/// Refuses to work for a standard output that is closed: all of it would be lost.
pub(crate) fn check_stdout() -> Result<(), Failure> {
    if STDOUT_CLOSED.load(Relaxed) {
        let problem = "standard output is closed, so nothing was done; where nothing is wanted, send it to /dev/null";
        return Err(Failure::Environment(problem.to_owned()));
    }
    Ok(())
}

/// Refuses to take a standard input that is closed for one without data.
pub(crate) fn check_stdin() -> Result<(), Failure> {
    if STDIN_CLOSED.load(Relaxed) {
        return Err(Failure::Environment(
            "-: cannot read: standard input is closed".to_owned(),
        ));
    }
    Ok(())
}
