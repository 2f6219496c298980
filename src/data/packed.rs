//! Many lists of numbers in little more than two bytes a number, if most of the numbers are small.

/// Lists of numbers below 2³¹: those below 2¹⁵ take two bytes, others four.
#[derive(Debug, Clone, Default)]
pub(crate) struct PackedLists {
    codes: Vec<u16>,
    ends: Vec<usize>,
}

/// The bit that tells the first half of a large number from a small one.
const WIDE: u16 = 1 << 15;

impl PackedLists {
    /// Number of lists.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds a list.
    pub(crate) fn push(&mut self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            match u16::try_from(number) {
                Ok(code) if code & WIDE == 0 => self.codes.push(code),
                _ => self.codes.extend([(number >> 16) as u16 | WIDE, number as u16]),
            }
        }
        self.ends.push(self.codes.len());
    }

    /// Replaces every number by what `numbers` has in its place.
    pub(crate) fn renumber(&mut self, numbers: &[u32]) {
        if numbers.len() <= usize::from(WIDE) && numbers.iter().all(|&number| number < u32::from(WIDE)) {
            for code in &mut self.codes {
                *code = numbers[usize::from(*code)] as u16;
            }
            return;
        }
        let mut renumbered = Self::default();
        for index in 0..self.ends.len() {
            renumbered.push(self.list(index).map(|number| numbers[number as usize]));
        }
        *self = renumbered;
    }

    /// Adds a list that is stored as `codes`.
    pub(crate) fn push_codes(&mut self, codes: &[u16]) {
        self.codes.extend_from_slice(codes);
        self.ends.push(self.codes.len());
    }

    /// Adds all lists of `other`.
    pub(crate) fn append(&mut self, other: &Self) {
        let before = self.codes.len();
        self.codes.extend_from_slice(&other.codes);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }

    /// Takes the last list away.
    pub(crate) fn pop(&mut self) {
        self.ends.pop();
        self.codes.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Gives back the memory that was kept for more lists.
    pub(crate) fn shrink(&mut self) {
        self.codes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// How list `index` is stored: two lists are equal, or the one comes before the other, if and only if this is so.
    pub(crate) fn codes(&self, index: usize) -> &[u16] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.codes[start..self.ends[index]]
    }

    /// Adds a list that is at hand as a whole: as [`push`](Self::push) does, but without guessing which numbers are large.
    pub(crate) fn push_slice(&mut self, numbers: &[u32]) {
        let mut place = self.codes.len();
        self.codes.resize(place + 2 * numbers.len(), 0);
        for &number in numbers {
            let is_large = number >= u32::from(WIDE);
            let high = (number >> 16) as u16 | WIDE;
            self.codes[place] = if is_large { high } else { number as u16 };
            self.codes[place + 1] = number as u16;
            place += 1 + usize::from(is_large);
        }
        self.codes.truncate(place);
        self.ends.push(place);
    }

    /// Puts the numbers of list `index` into `numbers`, in place of what was there.
    ///
    /// Which codes are halves is random, so nothing here depends on guessing it: each code gives a number, and one that follows a first half
    /// takes its place.
    pub(crate) fn read(&self, index: usize, numbers: &mut Vec<u32>) {
        let codes = self.codes(index);
        numbers.clear();
        numbers.resize(codes.len(), 0);
        let (mut place, mut high, mut is_second) = (0, 0, false);
        for &code in codes {
            numbers[place] = high | u32::from(code);
            let is_first = !is_second & (code & WIDE != 0);
            high = if is_first { u32::from(code & !WIDE) << 16 } else { 0 };
            place += usize::from(!is_first);
            is_second = is_first;
        }
        numbers.truncate(place);
    }

    /// The numbers of list `index`.
    pub(crate) fn list(&self, index: usize) -> impl Iterator<Item = u32> + Clone {
        let mut codes = self.codes(index).iter();
        std::iter::from_fn(move || {
            let &code = codes.next()?;
            Some(if code & WIDE == 0 {
                u32::from(code)
            } else {
                u32::from(code & !WIDE) << 16 | u32::from(codes.next().copied().unwrap_or_default())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_went_in_comes_out(mut lists in proptest::collection::vec(proptest::collection::vec(0..1_u32 << 31, 0..20), 0..9)) {
            lists.push(vec![0, 32_767, 32_768, 65_535, 65_536, 7, (1 << 31) - 1]);
            let mut packed = PackedLists::default();
            for list in &lists {
                packed.push(list.iter().copied());
            }
            let mut sliced = PackedLists::default();
            lists.iter().for_each(|list| sliced.push_slice(list));
            prop_assert_eq!(&sliced.codes, &packed.codes);
            prop_assert_eq!(&sliced.ends, &packed.ends);
            let mut read = vec![7];
            for (index, list) in lists.iter().enumerate() {
                prop_assert_eq!(&packed.list(index).collect::<Vec<_>>(), list);
                packed.read(index, &mut read);
                prop_assert_eq!(&read, list);
            }
        }
    }
}
