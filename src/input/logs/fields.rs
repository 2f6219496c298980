//! Picks members out of a JSON record by their paths.
//!
//! A path is dotted. In an object, a member of the whole rest of the path comes first, then one whose name is the beginning of
//! it up to a dot, so that `attributes.gen_ai.tool.name` finds `{"attributes": {"gen_ai.tool.name": ...}}` as well as
//! `{"attributes": {"gen_ai": {"tool": {"name": ...}}}}`; the way with the fewest steps wins. An array of objects with `key` and
//! `value` (or `name` and `value`), as OpenTelemetry and Windows write attributes, is taken for an object.

use crate::input::json::Key;
use crate::text::quote;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A value that was asked for, as it stands in the record.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slot<'d> {
    raw: Option<&'d str>,
    /// How many names led to it.
    steps: u8,
}

/// A scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'d> {
    Text(Cow<'d, str>),
    /// A number as it is written.
    Number(&'d str),
    Bool(bool),
}

impl Scalar<'_> {
    /// As a name: text as it is, numbers and booleans as they are written.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
        }
    }
}

impl<'d> Slot<'d> {
    /// A value that was found elsewhere.
    pub(super) fn of_raw(raw: &'d str) -> Self {
        Self {
            raw: Some(raw),
            steps: 0,
        }
    }

    /// Whether something other than null was found.
    pub(super) fn is_there(&self) -> bool {
        self.raw.is_some_and(|raw| raw != "null")
    }

    /// The scalar that was found, `None` for nothing and for null.
    ///
    /// # Errors
    ///
    /// If it is an object or an array, or its escapes are wrong.
    pub(super) fn scalar(&self, path: &str) -> Result<Option<Scalar<'d>>, String> {
        let Some(raw) = self.raw else {
            return Ok(None);
        };
        match raw.as_bytes().first() {
            None | Some(b'n') => Ok(None),
            Some(b't') => Ok(Some(Scalar::Bool(true))),
            Some(b'f') => Ok(Some(Scalar::Bool(false))),
            Some(b'"') if !raw.contains('\\') => Ok(Some(Scalar::Text(Cow::Borrowed(&raw[1..raw.len() - 1])))),
            Some(b'"') => serde_json::from_str::<String>(raw)
                .map(|text| Some(Scalar::Text(Cow::Owned(text))))
                .map_err(|error| format!("{} is not valid: {error}", quote(path))),
            Some(b'{' | b'[') => Err(format!(
                "{} is an object or an array; expected a string, a number or a boolean",
                quote(path)
            )),
            Some(_) => Ok(Some(Scalar::Number(raw))),
        }
    }
}

/// Finds the values at `paths` in the record `json`.
pub(super) fn find<'d>(json: &'d str, paths: &[String], slots: &mut Vec<Slot<'d>>) -> Result<(), serde_json::Error> {
    slots.clear();
    slots.resize(paths.len(), Slot::default());
    let wanted = paths.iter().enumerate().map(|(at, path)| (at, path.as_str()));
    let mut json = serde_json::Deserializer::from_str(json);
    let walk = Walk {
        wanted: &wanted.collect::<Vec<_>>(),
        steps: 1,
        slots,
    };
    walk.deserialize(&mut json)?;
    json.end()
}

/// Looks for the rests of paths in a value.
struct Walk<'w, 's, 'd> {
    wanted: &'w [(usize, &'w str)],
    steps: u8,
    slots: &'s mut [Slot<'d>],
}

impl<'d> Walk<'_, '_, 'd> {
    /// Looks at the member `name`, whose value `value` reads if somebody wants it.
    fn member<E>(&mut self, name: &str, value: impl FnOnce(bool) -> Result<Option<&'d RawValue>, E>) -> Result<(), E> {
        let mut deeper = Vec::new();
        let mut here = Vec::new();
        let first = name.as_bytes().first();
        for &(at, rest) in self.wanted {
            if rest.as_bytes().first() != first {
                continue;
            }
            match rest.strip_prefix(name) {
                Some("") => here.push(at),
                Some(behind) => deeper.extend(behind.strip_prefix('.').map(|behind| (at, behind))),
                None => {}
            }
        }
        let Some(raw) = value(!here.is_empty() || !deeper.is_empty())? else {
            return Ok(());
        };
        for at in here {
            let slot = &mut self.slots[at];
            if slot.raw.is_none() || slot.steps > self.steps {
                *slot = Slot {
                    raw: Some(attribute_value(raw.get())),
                    steps: self.steps,
                };
            }
        }
        if !deeper.is_empty() {
            let walk = Walk {
                wanted: &deeper,
                steps: self.steps + 1,
                slots: self.slots,
            };
            // It has been read once, so it is valid.
            let _ = walk.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
        }
        Ok(())
    }
}

/// The scalar in an object like `{"stringValue": "a"}`, as OpenTelemetry writes values; any other value as it is.
fn attribute_value(raw: &str) -> &str {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct AnyValue<'a> {
        #[serde(
            borrow,
            alias = "intValue",
            alias = "doubleValue",
            alias = "boolValue",
            alias = "bytesValue"
        )]
        string_value: &'a RawValue,
    }
    if !raw.starts_with('{') {
        return raw;
    }
    serde_json::from_str::<AnyValue<'_>>(raw).map_or(raw, |value| value.string_value.get())
}

impl<'d> DeserializeSeed<'d> for Walk<'_, '_, 'd> {
    type Value = ();

    fn deserialize<D: Deserializer<'d>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for Walk<'_, '_, 'd> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'d>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(name)) = map.next_key()? {
            self.member(&name, |wanted| {
                if wanted {
                    map.next_value().map(Some)
                } else {
                    map.next_value::<IgnoredAny>().map(|_| None)
                }
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'d>>(mut self, mut seq: A) -> Result<(), A::Error> {
        #[derive(Deserialize)]
        struct Pair<'a> {
            #[serde(borrow, alias = "name", alias = "Name", alias = "@Name")]
            key: Cow<'a, str>,
            #[serde(borrow, alias = "#text", alias = "Value")]
            value: &'a RawValue,
        }
        while let Some(element) = seq.next_element::<&RawValue>()? {
            if let Ok(Pair { key, value }) = serde_json::from_str(element.get()) {
                self.member(&key, |_| Ok::<_, A::Error>(Some(value)))?;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str, path: &str) -> Option<String> {
        let paths = [path.to_owned()];
        let mut slots = Vec::new();
        find(json, &paths, &mut slots).unwrap();
        let scalar = slots[0].scalar(path).unwrap()?;
        Some(scalar.name().to_owned())
    }

    #[test]
    fn a_member_of_the_very_name_comes_before_a_path_and_the_shortest_way_wins() {
        for (json, path, expected) in [
            (r#"{"a": 1}"#, "a", Some("1")),
            (r#"{"a": {"b": 2}, "a.b": 1}"#, "a.b", Some("1")),
            (r#"{"a.b": "1", "a": {"b": 2}}"#, "a.b", Some("1")),
            (r#"{"x": {"a": {"b": {"c": true}}}}"#, "x.a.b.c", Some("true")),
            (r#"{"x": {"a.b": {"c": 3}}}"#, "x.a.b.c", Some("3")),
            (r#"{"x": {"a.b": {"c": 3}, "a.b.c": 4}}"#, "x.a.b.c", Some("4")),
            (
                r#"{"x": [{"key": "a.b", "value": {"stringValue": "v"}}]}"#,
                "x.a.b",
                Some("v"),
            ),
            (
                r#"{"x": [{"value": {"intValue": "7"}, "key": "a"}, 5]}"#,
                "x.a",
                Some("7"),
            ),
            (r#"{"x": [{"Name": "a", "Value": {"b": 8}}]}"#, "x.a.b", Some("8")),
            (r#"{"a": null, "b": 1}"#, "a", None),
            (r#"{"ab": 1, "a": "\u0078"}"#, "a", Some("x")),
            (r#"{"a": 1}"#, "a.b", None),
            ("[1]", "a", None),
        ] {
            assert_eq!(found(json, path).as_deref(), expected, "{json} {path}");
        }
    }

    #[test]
    fn what_is_no_scalar_is_said() {
        let mut slots = Vec::new();
        find(r#"{"a": [1]}"#, &["a".to_owned()], &mut slots).unwrap();
        assert!(
            slots[0]
                .scalar("a")
                .unwrap_err()
                .contains("\"a\" is an object or an array")
        );
    }
}
