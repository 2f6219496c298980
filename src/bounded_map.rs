//! Reading maps in which no key comes twice, and that are small if they are so by their nature.

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// Most members of such a map.
const MOST: usize = 32;

/// Reads a map of at most 32 members, none of them twice.
pub(crate) fn bounded_map<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, V>, D::Error> {
    deserializer.deserialize_map(Members(MOST, PhantomData))
}

/// Reads a map of any size, with no member twice.
pub(crate) fn distinct_map<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, V>, D::Error> {
    deserializer.deserialize_map(Members(usize::MAX, PhantomData))
}

/// Reads at most so many members.
struct Members<V>(usize, PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Members<V> {
    type Value = BTreeMap<String, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((name, value)) = members.next_entry::<String, V>()? {
            if map.len() == self.0 {
                return Err(A::Error::custom("an object has more members than it can have"));
            }
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate field in an object"));
            }
        }
        Ok(map)
    }
}
