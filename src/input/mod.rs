//! Reading: bytes to samples and events. [`line_chunks`] cuts a stream into lines, [`lines`] hands them out and says what is
//! wrong with one, [`json`] reads one of JSON; [`samples`] and [`events`] say what they want of it.

pub mod events;
pub(crate) mod json;
pub(crate) mod json_records;
pub(crate) mod line_chunks;
pub(crate) mod lines;
pub mod logs;
pub(crate) mod placeholders;
pub(crate) mod samples;
