//! Where models are kept: pairs of a model and its metrics, and the record of which were promoted.

mod decision;
mod disk;
pub(crate) mod history;
mod store;

pub use disk::{check_replaceable, folder, replace};
pub use store::{MetricsFile, Saved, Store, StoreError, history, load_file, load_recorded, metrics_json, record};
