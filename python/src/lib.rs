//! The native half of the Python module `anomaly_train`: takes what Python holds, and lets the library work on it.
//!
//! What is public to people is in the Python half, which is thin: this half knows models, monitors and columns of samples.

// The command is the same as that of the binary: the wheel holds it once, and a script of Python starts it.
#[path = "../../src/cli/mod.rs"]
mod cli;
mod failure;
mod model;
mod monitor;
mod samples;
mod sequences;
mod sessions;
mod training;

use failure::Failure;
use pyo3::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Once;

/// Sends what the library has to say to the `logging` of Python. Not on import, as the command has a logger of its own.
fn log_to_python() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        // There is one already if the command was run in this process.
        let _ = pyo3_log::try_init();
    });
}

/// Runs the command with these arguments, the first its name, and gives its exit code. For a process that ends with it: the command changes
/// how signals and panics are treated.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| cli::run(arguments))
}

/// Writes a file in one step: whatever happens, the old or the new one stands there.
#[pyfunction]
fn replace(path: PathBuf, bytes: &[u8]) -> Result<(), Failure> {
    anomaly_train::registry::replace(&path, bytes).map_err(|source| Failure::at(&path, source))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    module.add_class::<monitor::Monitor>()?;
    module.add_class::<samples::Samples>()?;
    module.add_class::<sessions::Sessions>()?;
    module.add_function(wrap_pyfunction!(training::train, module)?)?;
    module.add_function(wrap_pyfunction!(training::run, module)?)?;
    module.add_function(wrap_pyfunction!(training::check_options, module)?)?;
    module.add_function(wrap_pyfunction!(samples::generate, module)?)?;
    module.add_function(wrap_pyfunction!(replace, module)?)?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(monitor::seconds, module)?)?;
    Ok(())
}
