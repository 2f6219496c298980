//! Names of actions that a person would take for one another.

use crate::data::dataset::Dataset;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization;

/// The names in `data` that differ from an earlier one only in case, in blanks at their ends or in Unicode normalisation, each
/// after that earlier one. They are different actions to the model, which is seldom what was meant.
#[must_use]
pub fn confusables(data: &Dataset) -> Vec<[&str; 2]> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let names = (0..data.action_count() as u32).map(|action| data.action_name(action));
    names
        .filter_map(|name| {
            let plain: String = name.trim().nfc().flat_map(char::to_lowercase).collect();
            let first = *seen.entry(plain).or_insert(name);
            (first != name).then_some([first, name])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::DatasetBuilder;
    use crate::data::label::Label;

    #[test]
    fn case_blanks_and_normalisation_make_lookalikes_and_nothing_else_does() {
        let mut data = DatasetBuilder::new();
        let names = [
            "caf\u{e9}",
            "read",
            "cafe\u{301}",
            "Read",
            "read ",
            "reads",
            "re ad",
            "cafe",
        ];
        data.push(names, Label::Normal, None).unwrap();
        assert_eq!(
            confusables(&data.build()),
            [["cafe\u{301}", "caf\u{e9}"], ["Read", "read"], ["Read", "read "]]
        );
    }
}
