//! The tool calls in a message, as OpenAI (`tool_calls`) and Anthropic (content blocks `tool_use`) write them.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A message, as far as it matters.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default)]
    pub(super) role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<Content<'a>>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    /// What came before `tool_calls`.
    #[serde(borrow, default)]
    function_call: Option<Function<'a>>,
    /// When it was written.
    #[serde(borrow, default, alias = "created_at", alias = "created")]
    pub(super) timestamp: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
    /// That of a tool which is no function.
    #[serde(borrow, default)]
    custom: Option<Function<'a>>,
}

#[derive(Debug, Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// The content of a message: text, or blocks.
#[derive(Debug, Default)]
struct Content<'a>(Vec<Block<'a>>);

#[derive(Debug, Deserialize)]
struct Block<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}

impl Message<'_> {
    /// The name and the id of each tool call, in order.
    pub(super) fn tool_uses(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let blocks = self.content.iter().flat_map(|content| &content.0);
        let blocks = blocks
            .filter(|block| block.kind.as_deref().is_some_and(|kind| kind.ends_with("tool_use")))
            .filter_map(|block| Some((block.name.as_deref()?, block.id.as_deref())));
        let calls = self.tool_calls.iter().flatten().filter_map(|call| {
            let function = call.function.as_ref().or(call.custom.as_ref())?;
            Some((&*function.name, call.id.as_deref()))
        });
        let before = self.function_call.iter().map(|function| (&*function.name, None));
        blocks.chain(calls).chain(before)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;
        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the content of a message: a text or an array of blocks")
            }
            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Content::default())
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Content::default())
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Content::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut blocks = Vec::new();
                // Texts may stand among the blocks.
                while let Some(element) = seq.next_element::<&'de RawValue>()? {
                    if element.get().starts_with('{') {
                        blocks.push(serde_json::from_str(element.get()).map_err(serde::de::Error::custom)?);
                    }
                }
                Ok(Content(blocks))
            }
        }
        deserializer.deserialize_any(ContentVisitor)
    }
}
