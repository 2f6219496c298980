//! Progress of long work, shown on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Read};

/// Shows progress, or nothing if standard error is not a terminal or less was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    pub(crate) fn new(verbosity: i8) -> Self {
        Self {
            shown: verbosity >= 0 && std::io::stderr().is_terminal(),
        }
    }

    /// A bar for `total` steps.
    pub(crate) fn steps(self, what: &'static str, total: u64) -> ProgressBar {
        self.bar(what, Some(total), "{msg} {wide_bar} {pos}/{len} {eta}")
    }

    /// `reader`, with a bar for the bytes that were read of `total`, if that is known.
    pub(crate) fn bytes<R: Read>(self, what: &'static str, total: Option<u64>, reader: R) -> impl Read + use<R> {
        let template = if total.is_some() {
            "{msg} {wide_bar} {bytes}/{total_bytes} {eta}"
        } else {
            "{msg} {spinner} {bytes}"
        };
        self.bar(what, total, template).wrap_read(reader)
    }

    fn bar(self, what: &'static str, total: Option<u64>, template: &str) -> ProgressBar {
        let target = if self.shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(total, target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.with_message(what).with_finish(indicatif::ProgressFinish::AndClear)
    }
}
