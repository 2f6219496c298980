//! The commands: each a file with its arguments and what it does.

pub(crate) mod check;
pub(crate) mod evaluate;
pub(crate) mod generate;
pub(crate) mod history;
pub(crate) mod inspect;
pub(crate) mod monitor;
pub(crate) mod predict;
pub(crate) mod promote;
pub(crate) mod rollback;
pub(crate) mod sessions;
pub(crate) mod train;
pub(crate) mod verify;
