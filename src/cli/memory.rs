//! Whether data will fit into the memory that this process may have, known before the work and not in the middle of it.

use super::failure::Failure;
use std::fs;
use std::path::PathBuf;

/// What a run needs besides its data, in bytes.
const BASE: u64 = 50_000_000;

/// Refuses files that cannot fit under a limit on the address space (`ulimit -v`), also if their sequences repeat as much as
/// they can: held compactly they take a quarter of their size at least. How much more training needs depends on how many
/// n-grams differ, and is known only afterwards. Where there is no limit, and of what is not a plain file, nothing is
/// known and nothing refused.
pub(crate) fn check<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), Failure> {
    let Some(limit) = address_space() else {
        return Ok(());
    };
    let sizes = paths.into_iter().filter_map(|path| fs::metadata(path).ok());
    let size: u64 = sizes.filter(fs::Metadata::is_file).map(|file| file.len()).sum();
    let need = (size / 4).saturating_add(BASE);
    if need <= limit {
        return Ok(());
    }
    let megabytes = |bytes: u64| bytes / 1_000_000;
    Err(Failure::Environment(format!(
        "the data need at least {} MB of memory, and this process may have {} MB (ulimit -v); raise the limit or use fewer \
         samples (--num-samples)",
        megabytes(need),
        megabytes(limit)
    )))
}

/// The limit on the address space in bytes, if the system tells of one.
fn address_space() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}
