//! Some of the samples of a data set.

use crate::data::counts::Counts;

/// Some of the samples of a [`Dataset`](crate::Dataset): rows, ascending, and how many of the samples of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    rows: Vec<u32>,
    counts: Counts,
    samples: u64,
}

impl Part {
    /// `count` samples of each `row`, for rows in ascending order; those of which there are none are left out.
    pub(crate) fn new(rows: impl IntoIterator<Item = (u32, u64)>) -> Self {
        let mut part = Self::default();
        for (row, count) in rows.into_iter().filter(|&(_, count)| count > 0) {
            part.rows.push(row);
            part.counts.push(count);
            part.samples += count;
        }
        part
    }

    /// Number of samples.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows that have a sample here, ascending.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Each row that has a sample here, ascending, and how many it has.
    pub fn iter(&self) -> impl Iterator<Item = (usize, u64)> {
        self.rows.iter().map(|&row| row as usize).zip(self.counts.iter())
    }
}
