//! The native half of the Python module `anomaly_train`: takes what Python holds, and lets the library work on it.
//!
//! What is public to people is in the Python half, which is thin: this half knows models, monitors and columns of samples.

mod failure;
mod model;
mod monitor;
mod samples;
mod sequences;
mod training;

use failure::Failure;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Writes a file in one step: whatever happens, the old or the new one stands there.
#[pyfunction]
fn replace(path: PathBuf, bytes: &[u8]) -> Result<(), Failure> {
    anomaly_train::registry::replace(&path, bytes).map_err(|source| Failure::at(&path, source))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // A second import in the same process finds a logger that is in place already.
    let _ = pyo3_log::try_init();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    module.add_class::<monitor::Monitor>()?;
    module.add_class::<samples::Samples>()?;
    module.add_function(wrap_pyfunction!(training::train, module)?)?;
    module.add_function(wrap_pyfunction!(training::run, module)?)?;
    module.add_function(wrap_pyfunction!(training::check_options, module)?)?;
    module.add_function(wrap_pyfunction!(samples::generate, module)?)?;
    module.add_function(wrap_pyfunction!(replace, module)?)?;
    Ok(())
}
