//! The record of which models were promoted.

pub(crate) mod history;
