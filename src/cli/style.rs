//! Colours, where the reader wants them: on a terminal, unless `NO_COLOR` is set, and anywhere if `CLICOLOR_FORCE` is.

use anstream::{AutoStream, ColorChoice, stream::RawStream};
use anstyle::{AnsiColor, Style};
use std::fmt::Display;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const HEADER: Style = Style::new().bold();
pub(crate) const TIP: Style = AnsiColor::Green.on_default();

/// Whether whoever reads this stream wants colours.
pub(crate) fn wanted(stream: &impl RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// `text` in this style, if that is wanted.
pub(crate) fn paint(text: impl Display, style: Style, wanted: bool) -> String {
    if wanted {
        format!("{style}{text}{style:#}")
    } else {
        text.to_string()
    }
}
