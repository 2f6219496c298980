//! Where a followed file is gone on with.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How far a file had been read when the state was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Which file, as a number that the system gives it.
    pub file: u64,
    /// Bytes of it that had been taken in.
    pub offset: u64,
    /// Whether the next byte belongs to a line that is too long, the rest of which is passed over.
    pub in_line: bool,
    /// How many bytes before the offset are remembered.
    pub remembered: u32,
    /// The first 8 bytes of their SHA-256.
    pub fingerprint: u64,
}

impl Checkpoint {
    /// Most bytes before the offset that are remembered.
    pub const MOST: usize = 1024;

    /// Marks `offset` in the file with number `file`, where `before` are the last bytes before it.
    #[must_use]
    pub fn new(file: u64, offset: u64, in_line: bool, before: &[u8]) -> Self {
        let before = &before[before.len().saturating_sub(Self::MOST)..];
        Self {
            file,
            offset,
            in_line,
            remembered: before.len() as u32,
            fingerprint: fingerprint_of(before),
        }
    }

    /// Whether `before`, as many as are remembered, are the bytes before the offset.
    #[must_use]
    pub fn fits(&self, before: &[u8]) -> bool {
        before.len() == self.remembered as usize && fingerprint_of(before) == self.fingerprint
    }
}

fn fingerprint_of(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    digest.iter().take(8).fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}
