//! Signals that ask a long run to end or to look at its files anew.

use crate::cli::failure::Failure;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What signals have asked for since it was installed.
pub(crate) struct Signals {
    /// The signal that asked to end, or 0.
    stop: Arc<AtomicUsize>,
    hang_up: Arc<AtomicBool>,
}

impl Signals {
    /// SIGTERM, SIGINT and SIGQUIT ask to end; the second one ends the program at once. SIGHUP asks to look at the files anew.
    /// What was ignored when the program started (`nohup`) stays ignored.
    #[cfg(unix)]
    pub(crate) fn install() -> Result<Self, Failure> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
        use signal_hook::flag;
        let ignored = crate::cli::signals::ignored_at_start();
        let heard = |signal: &i32| ignored >> (signal - 1) & 1 == 0;
        let signals = Self::none();
        let asked = Arc::new(AtomicBool::new(false));
        let install = || {
            for signal in [SIGTERM, SIGINT, SIGQUIT].into_iter().filter(heard) {
                // In this order: the first signal finds nothing asked yet.
                flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&asked))?;
                flag::register(signal, Arc::clone(&asked))?;
                flag::register_usize(signal, Arc::clone(&signals.stop), signal as usize)?;
            }
            // Writing beyond a limit on the size of files becomes an error like any other.
            flag::register(SIGXFSZ, Arc::default())?;
            if heard(&SIGHUP) {
                flag::register(SIGHUP, Arc::clone(&signals.hang_up))?;
            }
            Ok::<(), std::io::Error>(())
        };
        match install() {
            Ok(()) => Ok(signals),
            Err(error) => Err(Failure::Environment(format!("cannot listen to signals: {error}"))),
        }
    }

    /// Elsewhere there are none.
    #[cfg(not(unix))]
    pub(crate) fn install() -> Result<Self, Failure> {
        Ok(Self::none())
    }

    fn none() -> Self {
        Self {
            stop: Arc::default(),
            hang_up: Arc::default(),
        }
    }

    /// The signal that asked to end, if one did.
    pub(crate) fn stop(&self) -> Option<u8> {
        u8::try_from(self.stop.load(Ordering::Relaxed))
            .ok()
            .filter(|&signal| signal > 0)
    }

    /// Whether SIGHUP came since this was asked last.
    pub(crate) fn take_hang_up(&self) -> bool {
        self.hang_up.swap(false, Ordering::Relaxed)
    }
}
