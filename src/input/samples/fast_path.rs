//! A fast path for lines of the usual form.
//!
//! Nearly all lines hold nothing but names without escapes, fields with one value each and little white space. They are read here
//! about twice as fast as by [`json`](super::json). Any other line, and above all any line that may be wrong, is left to
//! that module, which alone decides what is refused and why.

use super::{Fields, USUAL_COUNT, UnlabelledSample};
use crate::data::dataset::{MAX_ACTION, MAX_ACTIONS};
use crate::data::label::Label;
use crate::input::json::group;
use std::borrow::Cow;

/// Reads `line` into `sample` if it is of the usual form, and returns the label if there is one. If it is of another form,
/// `None`, and `sample` holds some of it.
pub(super) fn parse<'a>(line: &'a str, fields: Fields<'_>, sample: &mut UnlabelledSample<'a>) -> Option<Option<Label>> {
    // Without these, quotes end strings and nothing else, and strings are what they look like. A tab may stand between them.
    let (has_special, has_tab) = line.bytes().fold((false, false), |(special, tab), byte| {
        let is_tab = byte == b'\t';
        (special | ((byte < b' ') & !is_tab) | (byte == b'\\'), tab | is_tab)
    });
    if has_special {
        return None;
    }
    sample.clear();
    let mut label = None;
    let mut rest = Rest { text: line, has_tab };
    let mut seen = [false; KEYS.len()];
    let mut others = Others::default();
    rest.expect('{')?;
    loop {
        let key = rest.string()?;
        if let Some(index) = KEYS.iter().position(|known| *known == key) {
            if std::mem::replace(&mut seen[index], true) {
                return None;
            }
        } else {
            others.add(key)?;
        }
        rest.expect(':')?;
        match key {
            "features" => {
                rest.expect('{')?;
                let mut members = Others::default();
                let mut has_sequence = false;
                loop {
                    let key = rest.string()?;
                    members.add(key)?;
                    rest.expect(':')?;
                    if key == "sequence" {
                        has_sequence = true;
                        rest.sequence(&mut sample.actions)?;
                    } else {
                        rest.value()?;
                    }
                    if rest.expect(',').is_none() {
                        break;
                    }
                }
                rest.expect('}').filter(|()| has_sequence)?;
            }
            "sequence" => rest.sequence(&mut sample.actions)?,
            "label" => {
                label = Some(match rest.number()? {
                    "0" => Label::Normal,
                    "1" => Label::Anomalous,
                    _ => return None,
                });
            }
            _ => {
                let is_wanted = key == "id" || fields.count == Some(key) || fields.group == Some(key);
                if !is_wanted {
                    rest.value()?;
                    sample.unused_count |= key == USUAL_COUNT;
                } else {
                    let start = rest.text;
                    let name = rest.string();
                    if name.is_none() {
                        rest.text = start;
                        rest.number()?;
                    }
                    let value = &start[..start.len() - rest.text.len()];
                    if key == "id" && fields.count != Some(key) {
                        sample.id = Some(serde_json::from_str(value).ok()?);
                    }
                    if fields.count == Some(key) {
                        sample.count = Some(value.trim().parse().ok()?);
                    }
                    if fields.group == Some(key) {
                        sample.group = Some(name.map_or_else(|| value.trim().to_owned(), group));
                    }
                }
            }
        }
        if rest.expect(',').is_none() {
            break;
        }
    }
    rest.expect('}')?;
    let [features, sequence, ..] = seen;
    let whole = features != sequence && rest.after_blanks().is_empty();
    let grouped = fields.group.is_none() || sample.group.is_some();
    let counted = fields.count.is_none() || sample.count.is_some();
    (whole && grouped && counted).then_some(label)
}

/// The fields that lines usually have.
const KEYS: [&str; 6] = ["features", "sequence", "label", "id", "group", USUAL_COUNT];

/// The keys of an object so far, as none may come twice.
#[derive(Default)]
struct Others<'a> {
    keys: [&'a str; 16],
    count: usize,
}

impl<'a> Others<'a> {
    /// Adds a key, if it is another one and there is room.
    fn add(&mut self, key: &'a str) -> Option<()> {
        let is_new = !self.keys[..self.count].contains(&key);
        *self.keys.get_mut(self.count).filter(|_| is_new)? = key;
        self.count += 1;
        Some(())
    }
}

/// What is left of a line.
struct Rest<'a> {
    text: &'a str,
    /// Whether there is a tab somewhere in the line, which may not be within a string.
    has_tab: bool,
}

impl<'a> Rest<'a> {
    /// What comes after blanks.
    #[inline]
    fn after_blanks(&self) -> &'a str {
        let mut text = self.text;
        while let Some(rest) = text.strip_prefix([' ', '\t']) {
            text = rest;
        }
        text
    }

    /// Passes over blanks and then `wanted`, if that comes next.
    #[inline]
    fn expect(&mut self, wanted: char) -> Option<()> {
        self.text = self.after_blanks().strip_prefix(wanted)?;
        Some(())
    }

    /// A string, without its quotes.
    #[inline]
    fn string(&mut self) -> Option<&'a str> {
        self.expect('"')?;
        let (string, rest) = self.text.split_at(quote(self.text.as_bytes())?);
        self.text = &rest[1..];
        (!self.has_tab || !string.contains('\t')).then_some(string)
    }

    /// Passes over a value that is no list and no object.
    fn value(&mut self) -> Option<()> {
        let text = self.after_blanks();
        if text.starts_with('"') {
            return self.string().map(drop);
        }
        let end = text.find([',', '}', ' ', '\t'])?;
        let (value, rest) = text.split_at(end);
        self.text = rest;
        (matches!(value, "true" | "false" | "null") || is_number(value)).then_some(())
    }

    /// The digits of a number that has nothing else, of at most 18 of them.
    fn number(&mut self) -> Option<&'a str> {
        let text = self.after_blanks();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at(digits);
        let is_plain = (1..=18).contains(&digits) && (digits == 1 || !number.starts_with('0'));
        let ends = matches!(rest.as_bytes().first(), Some(b',' | b'}' | b' ' | b'\t'));
        self.text = rest;
        (is_plain && ends).then_some(number)
    }

    /// An array of actions.
    fn sequence(&mut self, actions: &mut Vec<Cow<'a, str>>) -> Option<()> {
        self.expect('[')?;
        if self.expect(']').is_some() {
            return Some(());
        }
        loop {
            let action = self.string()?;
            if action.len() > MAX_ACTION || actions.len() == MAX_ACTIONS {
                return None;
            }
            actions.push(Cow::Borrowed(action));
            if self.expect(',').is_none() {
                return self.expect(']');
            }
        }
    }
}

/// Whether this is a number as JSON spells it, so short that it is one that can be read.
fn is_number(text: &str) -> bool {
    let digits = |text: &mut &str| {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let count = text.len() - rest.len();
        *text = rest;
        count
    };
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    let starts_with_zero = rest.starts_with('0');
    let whole = digits(&mut rest);
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction;
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    // Exponents are left to the other reader, as they may be too large.
    rest.is_empty() && text.len() <= 40 && (whole == 1 || whole > 1 && !starts_with_zero)
}

/// Where the first quote stands, looked for in eight bytes at once: names are short, and most searches would spend longer on beginning.
#[inline]
fn quote(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    const QUOTES: u64 = ONES * b'"' as u64;
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk() {
        // Zero where there is a quote; the lowest of the high bits that are set below belongs to the first zero.
        let differs = u64::from_le_bytes(*word) ^ QUOTES;
        let found = differs.wrapping_sub(ONES) & !differs & HIGHS;
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += word.len();
    }
    let rest = bytes[at..].iter().position(|&byte| byte == b'"');
    rest.map(|place| at + place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::samples::json;
    use proptest::prelude::*;

    fn fast(line: &str, group: Option<&str>, count: Option<&str>) -> Option<String> {
        let mut sample = UnlabelledSample::default();
        parse(line, Fields { group, count }, &mut sample).map(|label| format!("{label:?} {sample:?}"))
    }

    fn strict(line: &str, group: Option<&str>, count: Option<&str>) -> Option<String> {
        let mut sample = UnlabelledSample::default();
        let read = json::parse(line, Fields { group, count }, &mut sample);
        read.ok().map(|label| format!("{label:?} {sample:?}"))
    }

    #[test]
    fn usual_lines_are_read() {
        for line in [
            r#"{"features": {"sequence": ["read", "écrire"]}, "label": 1}"#,
            r#"{"id":"a-1","group":"g","features":{"sequence":["a"]},"label":0}"#,
            r#" { "label" : 0 , "id" : 907 , "sequence" : [ ] , "group" : 0 } "#,
            r#"{"sequence": ["", "b"]}"#,
            r#"{"features": {"length": 3, "sequence": ["a"], "host": "h"}, "host": "h", "label": 0}"#,
            "{\"sequence\":\t[\"a\",\t\"b\"],\t\"label\":\t0\t}",
            r#"{"at": 1700000000.25, "ok": true, "by": "me", "sequence": ["a"], "label": 0, "d": -0.5, "e": null}"#,
        ] {
            assert!(fast(line, None, None).is_some(), "{line}");
            assert_eq!(fast(line, None, None), strict(line, None, None));
        }
        let line = r#"{"group": "g", "id": 12, "sequence": ["a"]}"#;
        // One field may be both the group and the count.
        let both = fast(line, Some("id"), Some("id"));
        assert!(both.is_some() && both == strict(line, Some("id"), Some("id")));
        for field in ["group", "id"] {
            assert_eq!(fast(line, Some(field), None), strict(line, Some(field), None));
            assert!(fast(line, Some(field), None).unwrap().contains("group: Some"));
        }
    }

    #[test]
    fn what_may_be_wrong_is_left_to_the_other_reader() {
        let long = format!(r#"{{"sequence": ["{}"]}}"#, "x".repeat(MAX_ACTION + 1));
        let many = format!(r#"{{"sequence": [{}"a"]}}"#, r#""a","#.repeat(MAX_ACTIONS));
        for line in [
            &long,
            &many,
            r#"{"sequence": ["a"], "label": 2}"#,
            r#"{"sequence": ["a"], "label": 01}"#,
            r#"{"sequence": ["a"], "label": 1.0}"#,
            r#"{"sequence": ["a"], "label": 1e0}"#,
            r#"{"sequence": ["a"], "label": 1"#,
            r#"{"sequence": ["a"], "label": 1}}"#,
            r#"{"sequence": ["a"], "label": 1, "label": 1}"#,
            r#"{"sequence": ["a"], "features": {"sequence": ["a"]}}"#,
            r#"{"label": 1}"#,
            r#"{"sequence": ["a",]}"#,
            r#"{"sequence": ["a" "b"]}"#,
            r#"{"sequence": ["a\n"]}"#,
            "{\"sequence\": [\"a\tb\"]}",
            r#"{"sequence": ["a"], "label": 1,}"#,
            r#"{"sequence": ["a"], "id": 1 2}"#,
            r#"{"sequence": ["a"], "at": 1, "at": 1}"#,
            r#"{"features": {"sequence": ["a"], "sequence": ["a"]}}"#,
            r#"{"features": {"at": 1, "at": 1, "sequence": ["a"]}}"#,
            r#"{"features": {"at": 1}}"#,
            r#"{"features": {}}"#,
            r#"{"sequence": ["a"], "at": 01}"#,
            r#"{"sequence": ["a"], "at": 1.}"#,
            r#"{"sequence": ["a"], "at": .5}"#,
            r#"{"sequence": ["a"], "at": -}"#,
            r#"{"sequence": ["a"], "at": 1e999}"#,
            r#"{"sequence": ["a"], "at": [1]}"#,
            r#"{"sequence": ["a"], "at": }"#,
            r#"{"sequence": ["a"], "at": True}"#,
            r#"{}"#,
            "",
        ] {
            assert_eq!(fast(line, None, None), None, "{line}");
        }
        assert_eq!(fast(r#"{"sequence": ["a"]}"#, Some("group"), None), None);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_the_other_reader_finds(
            fields in proptest::collection::vec(prop::sample::select(vec![
                r#""label": 0"#, r#""label":1"#, r#""label": 10"#, r#""id": "x""#, r#""id" : 7 "#, r#""id": 07"#,
                r#""group": "g""#, r#""group": -1"#, r#""group": 3"#, r#""sequence": ["a", "b"]"#, r#""sequence": []"#,
                r#""sequence": ["é",""]"#, r#""features": {"sequence": ["a" , "b" ]}"#,
                r#""features": {"sequence": ["c"], "z": 1}"#, r#""z": 1"#, r#""count": 2"#, r#""count": 0"#,
                r#""y": -0.25"#, r#""y":	null "#, r#""y": "t	t""#, r#""x": 00.5"#, r#""w": false"#, r#""z": 1.5"#,
            ]), 0..5),
            group_by in prop::sample::select(vec![None, Some("group"), Some("id"), Some("z")]),
            count in prop::sample::select(vec![None, Some("count"), Some("id")]),
            damage in proptest::option::of((any::<prop::sample::Index>(), prop::sample::select(
                vec!["\"", "{", "}", "[", "]", ",", ":", " ", "0", "1", "-", ".", "\\", "\t", "é", ""]))),
        ) {
            let mut line = format!("{{{}}}", fields.join(", "));
            if let Some((place, put)) = damage {
                let places: Vec<(usize, char)> = line.char_indices().collect();
                let (start, old) = places[place.index(places.len())];
                line.replace_range(start..start + old.len_utf8(), put);
            }
            if let Some(found) = fast(&line, group_by, count) {
                prop_assert_eq!(Some(found), strict(&line, group_by, count), "{}", line);
            }
        }
    }
}
