//! Signals that end the program: what is being saved is saved first.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while files are being put in their places.
static WHOLE: Mutex<()> = Mutex::new(());

/// Puts off the end of the program by a signal until the guard is dropped.
pub(crate) fn defer() -> MutexGuard<'static, ()> {
    WHOLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT end the program with the exit code 128 + their number, but not between
/// [`defer`] and its end; the second of them does at once. Writing beyond a limit on the size of files becomes an error like any
/// other. What was ignored when the program started (`nohup`) stays ignored.
///
/// A system that gives no thread for this leaves the program as it is: a signal ends it at once, and the next run cleans up.
#[cfg(unix)]
pub(crate) fn watch() {
    use log::debug;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
    use signal_hook::flag::{register, register_conditional_shutdown};
    use signal_hook::iterator::Signals;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::thread::Builder;

    let ignored = ignored_at_start();
    let ends: Vec<i32> = [SIGHUP, SIGINT, SIGQUIT, SIGTERM]
        .into_iter()
        .filter(|signal| ignored >> (signal - 1) & 1 == 0)
        .collect();
    let start = || {
        register(SIGXFSZ, Arc::default())?;
        let mut signals = Signals::new(&ends)?;
        Builder::new().name("signals".to_owned()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                let _whole = defer();
                std::process::exit(128 + signal);
            }
        })?;
        let once = Arc::new(AtomicBool::new(false));
        for &signal in &ends {
            register_conditional_shutdown(signal, 128 + signal, Arc::clone(&once))?;
            register(signal, Arc::clone(&once))?;
        }
        Ok::<(), std::io::Error>(())
    };
    if let Err(error) = start() {
        debug!("cannot watch for signals: {error}");
    }
}

#[cfg(not(unix))]
pub(crate) fn watch() {}

/// The signals that were ignored when the program started, the lowest bit standing for signal 1, as far as the system says so.
#[cfg(unix)]
pub(super) fn ignored_at_start() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
