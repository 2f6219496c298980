//! Many ascending lists of numbers in about two bytes a number.

/// Ascending lists of 32-bit numbers, stored as differences: two bytes if a difference fits into them, else six.
#[derive(Debug, Clone, Default)]
pub(crate) struct PackedLists {
    codes: Vec<u16>,
    ends: Vec<usize>,
}

/// Stands before a difference that takes four bytes.
const WIDE: u16 = u16::MAX;

impl PackedLists {
    /// Adds a list, whose numbers must not fall.
    pub(crate) fn push(&mut self, ascending: impl IntoIterator<Item = u32>) {
        let mut last = 0;
        for number in ascending {
            let difference = number - last;
            last = number;
            match u16::try_from(difference) {
                Ok(code) if code != WIDE => self.codes.push(code),
                _ => {
                    self.codes
                        .extend([WIDE, (difference >> 16) as u16, (difference & 0xffff) as u16]);
                }
            }
        }
        self.ends.push(self.codes.len());
    }

    /// Gives back the memory that was kept for more lists.
    pub(crate) fn shrink(&mut self) {
        self.codes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Puts list `index` into `list`.
    pub(crate) fn read(&self, index: usize, list: &mut Vec<u32>) {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        list.clear();
        let mut last = 0;
        let mut codes = self.codes[start..self.ends[index]].iter();
        while let Some(&code) = codes.next() {
            last += if code == WIDE {
                let mut half = || u32::from(codes.next().copied().unwrap_or_default());
                half() << 16 | half()
            } else {
                u32::from(code)
            };
            list.push(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_went_in_comes_out(mut lists in proptest::collection::vec(proptest::collection::vec(any::<u32>(), 0..20), 0..9)) {
            lists.push(vec![0, 65_534, 131_069, 196_604, 262_140, u32::MAX]);
            let mut packed = PackedLists::default();
            for list in &mut lists {
                list.sort_unstable();
                packed.push(list.iter().copied());
            }
            let mut read = vec![7];
            for (index, list) in lists.iter().enumerate() {
                packed.read(index, &mut read);
                prop_assert_eq!(&read, list);
            }
        }
    }
}
