//! One line of JSON, read strictly. Samples and events only say which members they want of it.
//!
//! serde's derived readers let the last of two equal keys win, take arrays for objects and so on; these visitors do not.

use crate::bounds::Multiplicity;
use crate::data::label::Label;
use crate::input::lines::Problem;
use crate::text::{one_line, quote};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// Most arrays and objects that may stand in each other, the outermost counted: what serde_json reads.
const MAX_DEPTH: usize = 127;

/// What is wanted of a JSON object.
pub(crate) trait Members<'de>: Sized {
    /// The names of the usual members, at most 32, whose repetition is noticed without an allocation.
    const USUAL: &'static [&'static str];

    /// What the object should be, as the end of a sentence that starts with "expected".
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Takes the value of the member `key`. No key comes twice.
    fn member<A: MapAccess<'de>>(&mut self, key: &str, value: Value<'_, A>) -> Result<(), A::Error>;

    /// Checks that nothing is missing once the whole object has been read.
    fn finish<E: de::Error>(self, keys: &Keys<'de>) -> Result<(), E>;

    /// Takes an array that stands in place of the object; refused unless a reader has a use for it.
    fn array<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(de::Error::invalid_type(Unexpected::Seq, &Object(self)))
    }
}

/// Reads `line`, which has to hold one JSON value and nothing else.
pub(crate) fn read<'a>(line: &'a str, members: impl Members<'a>) -> Result<(), Problem> {
    let mut json = serde_json::Deserializer::from_str(line);
    Object(members)
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| explain(&error, line))
}

/// Puts an error of the JSON parser into words for somebody who looks at the line.
pub(crate) fn explain(error: &serde_json::Error, line: &str) -> Problem {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let hint = if message.starts_with("recursion limit") {
        return (
            Some(error.column()),
            format!("JSON nested too deeply; at most {MAX_DEPTH} levels are read"),
        );
    } else if line.trim_start().starts_with("[{") {
        "; expected one JSON object a line, not an array"
    } else if message == "trailing characters" {
        "; expected exactly one JSON object a line"
    } else if error.is_eof() {
        "; the line is cut off"
    } else if error.is_syntax() && line.contains('\'') {
        "; JSON needs double quotes"
    } else {
        ""
    };
    let problem = if error.is_data() {
        format!("{message}{hint}")
    } else {
        format!("not valid JSON: {message}{hint}")
    };
    (Some(error.column()).filter(|&column| column > 0), one_line(&problem))
}

/// The error for a string where something else is expected, with no more of it than fits a message.
pub(crate) fn unexpected_text<'de, E: de::Error>(text: &str, expected: &impl Visitor<'de>) -> E {
    struct Expected<'a, V>(&'a V);
    impl<'de, V: Visitor<'de>> fmt::Display for Expected<'_, V> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.expecting(f)
        }
    }
    E::custom(format_args!(
        "found the string {}, expected {}",
        quote(text),
        Expected(expected)
    ))
}

/// Reads an object with these members.
struct Object<M>(M);

impl<'de, M: Members<'de>> DeserializeSeed<'de> for Object<M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for Object<M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        Err(unexpected_text(text, &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        self.0.array(seq)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut keys = Keys {
            usual: M::USUAL,
            seen: 0,
            others: BTreeSet::new(),
        };
        while let Some(Key(key)) = map.next_key()? {
            if !keys.insert(key.clone()) {
                return Err(de::Error::custom(format_args!("duplicate key {}", quote(&key))));
            }
            self.0.member(&key, Value(&mut map))?;
        }
        self.0.finish(&keys)
    }
}

/// The keys of an object so far.
pub(crate) struct Keys<'de> {
    usual: &'static [&'static str],
    /// By place in `usual`, a bit each.
    seen: u32,
    others: BTreeSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    /// Whether `key` was not there before.
    fn insert(&mut self, key: Cow<'de, str>) -> bool {
        let Some(place) = self.usual.iter().position(|usual| *usual == key) else {
            return self.others.insert(key);
        };
        let new = self.seen & (1 << place) == 0;
        self.seen |= 1 << place;
        new
    }

    /// Whether the object has a member of this name.
    pub(crate) fn has(&self, key: &str) -> bool {
        match self.usual.iter().position(|usual| *usual == key) {
            Some(place) => self.seen & (1 << place) != 0,
            None => self.others.contains(key),
        }
    }
}

/// A key, borrowed from the line unless it has escapes.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> de::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// The value of a member, which has not been read yet.
pub(crate) struct Value<'m, A>(&'m mut A);

impl<'de, A: MapAccess<'de>> Value<'_, A> {
    /// Reads the value by `seed`.
    pub(crate) fn read<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(seed)
    }

    /// Reads the value, of whatever type it is, by `visitor`.
    pub(crate) fn any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        self.read(Any(visitor))
    }

    /// Passes over the value, which has to be as strict JSON as any other.
    pub(crate) fn skip(self) -> Result<(), A::Error> {
        self.any(Skipped)
    }

    /// An object with these members.
    pub(crate) fn object(self, members: impl Members<'de>) -> Result<(), A::Error> {
        self.read(Object(members))
    }

    /// The label: the number 0 or 1 and nothing that could be taken for it.
    pub(crate) fn label(self) -> Result<Label, A::Error> {
        self.any(LabelVisitor)
    }

    /// Appends a string of at most `most` bytes to `text`; nothing for null. `field` is the name of the member.
    pub(crate) fn text(self, field: &'static str, most: usize, text: &mut String) -> Result<(), A::Error> {
        self.any(Text { field, most, text })
    }

    /// A finite number, or `None` for null. `field` is the name of the member.
    pub(crate) fn number(self, field: &'static str) -> Result<Option<f64>, A::Error> {
        self.any(Number(field))
    }

    /// A string, number or boolean as it stands in the line, or `None` for null. `field` is the name of the member.
    pub(crate) fn scalar(self, field: &str) -> Result<Option<&'de RawValue>, A::Error> {
        let value: &RawValue = self.0.next_value()?;
        match value.get().as_bytes().first() {
            Some(b'{' | b'[') | None => Err(de::Error::custom(format_args!(
                "{} must be a string or a number",
                quote(field)
            ))),
            Some(b'n') => Ok(None),
            // Raw text has been skipped over, not read: reading it finds lone surrogates and numbers that are too large.
            Some(_) => match serde_json::from_str::<serde_json::Value>(value.get()) {
                Ok(_) => Ok(Some(value)),
                Err(error) => Err(de::Error::custom(format_args!(
                    "{} is not valid: {error}",
                    quote(field)
                ))),
            },
        }
    }

    /// The same as a name for a group, `None` for null: see [`group`] for strings. Numbers and booleans are as they stand.
    pub(crate) fn group(self, field: &str) -> Result<Option<String>, A::Error> {
        Ok(self.scalar(field)?.map(group_of))
    }
}

/// How many samples a line stands for: a whole number that is written as one. `field` is the name of the member.
pub(crate) fn count_of<E: de::Error>(json: Option<&RawValue>, field: &str) -> Result<Multiplicity, E> {
    let text = json.map_or("null", RawValue::get);
    text.parse()
        .map_err(|error| E::custom(format_args!("{}: {error}", quote(field))))
}

/// The name for the group of a string: with a quote before it, so that the string "5" and the number 5 are two groups.
pub(crate) fn group(text: &str) -> String {
    format!("\"{text}")
}

/// The name of a group for people: without the quote that [`group`] puts before a string.
pub(crate) fn group_name(group: &str) -> &str {
    group.strip_prefix('"').unwrap_or(group)
}

/// The name for the group of a scalar, with the escapes of a string resolved, so that one group has one spelling.
pub(crate) fn group_of(json: &RawValue) -> String {
    match serde_json::from_str::<String>(json.get()) {
        Ok(text) => group(&text),
        Err(_) => json.get().to_owned(),
    }
}

/// Lets a visitor see a value of any type, so that it can say what it expected instead.
struct Any<V>(V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Any<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_any(self.0)
    }
}

/// A value that nobody asked for. `IgnoredAny` would do, but lets pass keys that come twice, nesting without end, numbers
/// that are too large and lone surrogates.
struct Skipped;

impl<'de> Visitor<'de> for Skipped {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Any(Skipped))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        Object(SkippedMembers).visit_map(map)
    }
}

/// The object that such a value may be.
struct SkippedMembers;

impl<'de> Members<'de> for SkippedMembers {
    const USUAL: &'static [&'static str] = &[];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn member<A: MapAccess<'de>>(&mut self, _: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        value.skip()
    }

    fn finish<E>(self, _: &Keys<'de>) -> Result<(), E> {
        Ok(())
    }
}

struct LabelVisitor;

impl Visitor<'_> for LabelVisitor {
    type Value = Label;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"label\" to be the number 0 (normal) or 1 (anomalous)")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Label, E> {
        match value {
            0 => Ok(Label::Normal),
            1 => Ok(Label::Anomalous),
            _ => Err(E::invalid_value(Unexpected::Unsigned(value), &self)),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Label, E> {
        Err(unexpected_text(text, &self))
    }
}

struct Text<'t> {
    field: &'static str,
    most: usize,
    text: &'t mut String,
}

impl Visitor<'_> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" to be a string", self.field)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if text.len() > self.most {
            return Err(E::custom(format_args!(
                "\"{}\" has {} bytes; at most {} are allowed",
                self.field,
                text.len(),
                self.most
            )));
        }
        self.text.push_str(text);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

struct Number(&'static str);

impl Visitor<'_> for Number {
    type Value = Option<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" to be a number", self.0)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Option<f64>, E> {
        Ok(Some(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Option<f64>, E> {
        Ok(Some(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Option<f64>, E> {
        Ok(Some(value as f64))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<f64>, E> {
        Err(unexpected_text(text, &self))
    }

    fn visit_unit<E>(self) -> Result<Option<f64>, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What may stand in a line, as text, and whether a key comes twice in one of its objects.
    fn json() -> impl Strategy<Value = (String, bool)> {
        let leaf = prop::sample::select(vec![
            "null",
            "true",
            "0",
            "-1",
            "1.5e3",
            "\"a\"",
            "\"\\ud83d\\ude00\"",
            "[]",
            "{}",
        ]);
        let leaf = leaf.prop_map(|text| (text.to_owned(), false));
        leaf.prop_recursive(6, 24, 4, |inner| {
            let key = prop::sample::select(vec![
                ("a", "a"),
                ("a", "\\u0061"),
                ("b", "b"),
                ("c", "c"),
                ("", ""),
                ("label", "label"),
            ]);
            let array = prop::collection::vec(inner.clone(), 0..4).prop_map(|values| {
                let (texts, twice): (Vec<_>, Vec<_>) = values.into_iter().unzip();
                (format!("[{}]", texts.join(",")), twice.contains(&true))
            });
            let object = prop::collection::vec((key, inner), 0..4).prop_map(|members| {
                let keys: BTreeSet<&str> = members.iter().map(|((key, _), _)| *key).collect();
                let twice = keys.len() < members.len() || members.iter().any(|(_, (_, twice))| *twice);
                let texts = members
                    .iter()
                    .map(|((_, key), (value, _))| format!("\"{key}\": {value}"));
                (format!("{{{}}}", texts.collect::<Vec<_>>().join(", ")), twice)
            });
            prop_oneof![array, object]
        })
    }

    fn refusal(line: &str) -> Option<String> {
        read(line, SkippedMembers).err().map(|(_, problem)| problem)
    }

    proptest! {
        #[test]
        fn no_key_comes_twice_in_any_object_of_a_line((value, twice) in json()) {
            let problem = refusal(&format!("{{\"x\": {value}}}"));
            prop_assert_eq!(problem.is_some(), twice, "{}: {:?}", value, problem);
            prop_assert!(problem.is_none_or(|problem| problem.starts_with("duplicate key")));
        }

        #[test]
        fn what_is_passed_over_is_read_like_any_other_value(
            (value, _) in json(),
            place in any::<prop::sample::Index>(),
            put in prop::sample::select(vec!["\"", "{", "}", "[", "]", ",", ":", "1", "\\", "\\ud800", "1e999", "\t", "NaN", ""]),
        ) {
            let places: Vec<(usize, char)> = value.char_indices().collect();
            let (start, old) = places[place.index(places.len())];
            let mut damaged = value.clone();
            damaged.replace_range(start..start + old.len_utf8(), put);
            let line = format!("{{\"x\": {damaged}}}");
            let valid = serde_json::from_str::<serde_json::Value>(&line).is_ok();
            match refusal(&line) {
                Some(problem) if valid => prop_assert!(problem.starts_with("duplicate key"), "{}: {}", line, problem),
                found => prop_assert_eq!(found.is_none(), valid, "{}", line),
            }
        }
    }

    #[test]
    fn nesting_ends_at_the_same_depth_wherever_it_is() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for (depth, accepted) in [(1, true), (MAX_DEPTH - 1, true), (MAX_DEPTH, false), (100_000, false)] {
                let line = format!("{{\"x\": {}0{}}}", open.repeat(depth), close.repeat(depth));
                let problem = refusal(&line);
                assert_eq!(problem.is_none(), accepted, "{open} {depth}");
                assert!(problem.is_none_or(|problem| problem.contains("at most 127 levels")));
            }
        }
    }
}
