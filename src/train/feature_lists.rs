//! The numbers of the features of many rows, in little more than two bytes each.

/// Lists of numbers. Those below 2¹⁶, which frequent features have, stand apart from the others, so that a list is read without a look
/// at each number: first come its small numbers, then the large ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct FeatureLists {
    small: Vec<u16>,
    large: Vec<u32>,
    /// Where each list ends in both.
    ends: Vec<(u32, u32)>,
}

impl FeatureLists {
    /// Number of lists.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds a list.
    pub(crate) fn push(&mut self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            match u16::try_from(number) {
                Ok(number) => self.small.push(number),
                Err(_) => self.large.push(number),
            }
        }
        self.ends.push((self.small.len() as u32, self.large.len() as u32));
    }

    /// Puts list `index` into `numbers`, in place of what was there.
    pub(crate) fn read(&self, index: usize, numbers: &mut Vec<u32>) {
        let start = index.checked_sub(1).map_or((0, 0), |before| self.ends[before]);
        let end = self.ends[index];
        numbers.clear();
        let small = &self.small[start.0 as usize..end.0 as usize];
        numbers.extend(small.iter().map(|&number| u32::from(number)));
        numbers.extend_from_slice(&self.large[start.1 as usize..end.1 as usize]);
    }

    /// Gives back the memory that was kept for more lists.
    pub(crate) fn shrink(&mut self) {
        self.small.shrink_to_fit();
        self.large.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_went_in_comes_out_small_numbers_first(
            lists in proptest::collection::vec(proptest::collection::vec(prop_oneof![0..9_u32, 65_530..65_540_u32, any::<u32>()], 0..20), 1..9),
        ) {
            let mut all = FeatureLists::default();
            for list in &lists {
                all.push(list.iter().copied());
            }
            all.shrink();
            let mut read = vec![7];
            for (index, list) in lists.iter().enumerate() {
                all.read(index, &mut read);
                let (small, large): (Vec<u32>, Vec<u32>) = list.iter().partition(|&&number| number < 1 << 16);
                prop_assert_eq!(&read, &[small, large].concat());
            }
            prop_assert_eq!(all.len(), lists.len());
        }
    }
}
