//! The JSON Schema of the model file: what the types of its members do not say of themselves.

use super::normal::NormalBody;
use super::write::{DenseFeature, Header, LabelledBody};
use crate::data::dataset::MAX_ACTION;
use crate::data::label::MAX_SAMPLES;
use crate::model::features::DENSE;
use crate::model::normal::action_counts::CLASSES;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A model with everything that is kept beside it, as one JSON object on one line.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Model file")]
#[serde(untagged)]
// Only its shape is asked for.
#[allow(dead_code)]
enum ModelFile<'a> {
    /// A model that learned from labels.
    Labelled(Box<LabelledFile<'a>>),
    /// A model that learned from normal sequences alone.
    NormalOnly(Box<NormalFile<'a>>),
}

#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct LabelledFile<'a> {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    body: LabelledBody<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NormalFile<'a> {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    body: NormalBody<'a>,
}

/// The JSON Schema of the model file, as `generator` writes schemas.
///
/// Only there with the feature `schema`. Besides the shape it covers the ranges of numbers; that counts, order and digest fit
/// each other is beyond a schema, and [`Artifact::read`](crate::Artifact::read) checks it.
#[must_use]
pub fn model_schema(generator: SchemaGenerator) -> Schema {
    generator.into_root_schema_for::<ModelFile<'_>>()
}

/// All eight figures, and no other.
pub(super) fn dense(generator: &mut SchemaGenerator) -> Schema {
    let figure = generator.subschema_for::<DenseFeature>();
    let properties: Map<String, Value> = DENSE
        .into_iter()
        .map(|name| (name.to_owned(), figure.clone().to_value()))
        .collect();
    json_schema!({
        "type": "object",
        "description": "The weight and range of each of the eight figures that every sequence has.",
        "properties": properties,
        "required": DENSE,
        "additionalProperties": false,
    })
}

/// A list of rows of four: `key`, then weight, normal and anomalous training samples.
fn table(description: &str, key: Value) -> Schema {
    let mut columns = vec![key];
    columns.push(json!({ "description": "Its weight.", "type": "number", "minimum": -1e16, "maximum": 1e16 }));
    for class in ["normal", "anomalous"] {
        columns.push(json!({
            "description": format!("In how many {class} training samples it occurs."),
            "type": "integer",
            "minimum": 0,
            "maximum": u32::MAX,
        }));
    }
    json_schema!({
        "type": "array",
        "description": description,
        "items": {
            "type": "array",
            "prefixItems": columns,
            "items": false,
            "minItems": 4,
            "maxItems": 4,
        },
    })
}

pub(super) fn vocabulary(_: &mut SchemaGenerator) -> Schema {
    table(
        "The actions, sorted by the bytes of their names.",
        // A character has at least one byte, so this is what can be said of a limit in bytes.
        json!({ "description": "The name of the action.", "type": "string", "maxLength": MAX_ACTION }),
    )
}

pub(super) fn ngrams(_: &mut SchemaGenerator) -> Schema {
    table(
        "The n-grams, sorted by length, then by symbols.",
        json!({
            "description": "The symbols: the place of an action in the vocabulary, -1 before the first action and -2 after \
                            the last.",
            "type": "array",
            "items": { "type": "integer", "minimum": -2, "maximum": u32::MAX - 2 },
            "minItems": 2,
            "maxItems": 8,
        }),
    )
}

pub(super) fn pairs(_: &mut SchemaGenerator) -> Schema {
    table(
        "The ordered pairs of actions, sorted by both; the weight is what the presence of a pair adds to the log odds.",
        json!({
            "description": "The places in the vocabulary of an action and of one that stands somewhere behind it.",
            "type": "array",
            "items": { "type": "integer", "minimum": 0, "maximum": u32::MAX - 2 },
            "minItems": 2,
            "maxItems": 2,
        }),
    )
}

/// A number of samples or occurrences.
fn count(description: &str) -> Value {
    json!({ "description": description, "type": "integer", "minimum": 1, "maximum": MAX_SAMPLES })
}

pub(super) fn normal_vocabulary(_: &mut SchemaGenerator) -> Schema {
    let class = json!({ "description": "How often in a sample, in classes.", "type": "integer", "minimum": 1, "maximum": CLASSES - 1 });
    json_schema!({
        "type": "array",
        "description": "The actions, sorted by the bytes of their names.",
        "items": {
            "type": "array",
            "prefixItems": [
                { "description": "The name of the action.", "type": "string", "maxLength": MAX_ACTION },
                count("How often it occurs in all samples together."),
                {
                    "description": "In how many samples it occurs so often, ascending.",
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "array",
                        "prefixItems": [class, count("How many samples.")],
                        "items": false,
                        "minItems": 2,
                        "maxItems": 2,
                    },
                },
            ],
            "items": false,
            "minItems": 3,
            "maxItems": 3,
        },
    })
}

pub(super) fn normal_ngrams(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "description": "The n-grams, sorted by length, then by symbols.",
        "items": {
            "type": "array",
            "prefixItems": [
                {
                    "description": "The symbols: the place of an action in the vocabulary, -1 before the first action and -2 after \
                                    the last.",
                    "type": "array",
                    "items": { "type": "integer", "minimum": -2, "maximum": u32::MAX - 2 },
                    "minItems": 2,
                    "maxItems": 8,
                },
                count("How often they occur in a row."),
            ],
            "items": false,
            "minItems": 2,
            "maxItems": 2,
        },
    })
}
