//! Notices a field that names what belongs together, and that nobody asked for.

use super::USUAL_COUNT;
use crate::input::line_chunks::{LineChunk, take_line};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The first lines are looked at, this many.
const LOOKED_AT: u64 = 10_000;
/// A group has so many samples on average, at least, and there are so many groups.
const SAMPLES: u64 = 3;
const GROUPS: usize = 5;

/// A field whose values look like names of groups: few values, many samples each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupField {
    /// The name of the field.
    pub name: String,
    /// How many values it has.
    pub values: usize,
    /// In how many lines, the first ones.
    pub lines: u64,
}

/// The fields of the first lines.
#[derive(Debug, Default)]
pub(super) struct FieldValues {
    lines: u64,
    fields: BTreeMap<String, BTreeSet<String>>,
}

impl FieldValues {
    /// Looks at the lines of `chunk` as far as not enough have been seen.
    pub(super) fn look_at(&mut self, chunk: &LineChunk) {
        let mut text = chunk.bytes();
        while self.lines < LOOKED_AT
            && (self.lines == 0 || !self.fields.is_empty())
            && let Some(line) = take_line(&mut text)
        {
            // What is no object is another's business.
            if let Ok(members) = serde_json::from_slice::<BTreeMap<Cow<'_, str>, &RawValue>>(line) {
                self.look_at_members(&members);
            }
        }
    }

    fn look_at_members(&mut self, members: &BTreeMap<Cow<'_, str>, &RawValue>) {
        let name_of = |value: &RawValue| {
            let text = value.get();
            let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
            (is_whole || text.starts_with('"')).then(|| text.to_owned())
        };
        let is_own = |name: &str| !["features", "sequence", "label", USUAL_COUNT].contains(&name);
        let named = members.iter().filter(|(name, _)| is_own(name));
        let mut named: BTreeMap<&str, String> = named
            .filter_map(|(name, value)| Some((&**name, name_of(value)?)))
            .collect();
        if self.lines == 0 {
            self.fields = named.keys().map(|&name| (name.to_owned(), BTreeSet::new())).collect();
        }
        self.lines += 1;
        // What is not in every line is no group, nor what has too many values for that.
        self.fields.retain(|name, values| {
            let value = named.remove(name.as_str());
            let is_there = value.is_some();
            values.extend(value);
            is_there && values.len() as u64 <= LOOKED_AT / SAMPLES
        });
    }

    /// Of the fields that look like one, that with the most groups.
    pub(super) fn group_field(self) -> Option<GroupField> {
        let lines = self.lines;
        let fields = self.fields.into_iter().map(|(name, values)| GroupField {
            name,
            values: values.len(),
            lines,
        });
        fields
            .filter(|field| field.values >= GROUPS && lines >= SAMPLES * field.values as u64)
            .max_by_key(|field| field.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::line_chunks::LineChunks;

    fn noticed(lines: impl Iterator<Item = String>) -> Option<GroupField> {
        let text: String = lines.collect();
        let mut values = FieldValues::default();
        for chunk in LineChunks::new(text.as_bytes()) {
            values.look_at(&chunk.unwrap());
        }
        values.group_field()
    }

    fn line(index: usize, tasks: usize) -> String {
        format!(
            "{{\"id\": \"{index}\", \"task\": {}, \"time\": 1.5, \"ok\": \"{}\", \"label\": 0, \"sequence\": [\"a\"]}}\n",
            index % tasks,
            index % 2
        )
    }

    #[test]
    fn a_field_with_few_values_and_many_samples_each_is_noticed() {
        let found = noticed((0..60).map(|index| line(index, 20))).unwrap();
        assert_eq!((found.name.as_str(), found.values, found.lines), ("task", 20, 60));
    }

    #[test]
    fn too_many_values_too_few_or_a_line_without_it_make_no_group() {
        assert_eq!(noticed((0..60).map(|index| line(index, 21))), None);
        assert_eq!(noticed((0..60).map(|index| line(index, 4))), None);
        let broken = (0..60)
            .map(|index| line(index, 20))
            .chain(["{\"label\": 1}\n".to_owned()]);
        assert_eq!(noticed(broken), None);
    }

    #[test]
    fn only_the_first_lines_are_looked_at() {
        let many = (0..10_000)
            .map(|index| line(index, 50))
            .chain((0..10_000).map(|index| line(index, 10_000)));
        let found = noticed(many).unwrap();
        assert_eq!((found.values, found.lines), (50, 10_000));
    }
}
