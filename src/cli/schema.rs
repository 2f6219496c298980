//! The JSON Schemas in `docs/schema`, made from the types that are written, and the test that they are those of these types.

use super::commands::check;
use super::commands::predict::Answer;
use super::summary::RunSummary;
use anomaly_train::registry::MetricsFile;
use anomaly_train::{Entry, model_schema};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};
use std::path::Path;
use std::{env, fs};

/// Schemas of what is written; reading is stricter than any schema.
fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(plain_formats))
        .with_transform(RecursiveTransform(plain_text))
        .into_generator()
}

fn of<T: JsonSchema>() -> Schema {
    generator().into_root_schema_for::<T>()
}

/// Says with the means of the standard what schemars says with formats of its own: the largest value of an integer. And a time
/// is always written in one way, which not every validator checks by its format.
fn plain_formats(schema: &mut Schema) {
    let format = schema.get("format").and_then(Value::as_str).map(str::to_owned);
    let maximum = match format.as_deref() {
        Some("uint8") => u64::from(u8::MAX),
        Some("uint32") => u64::from(u32::MAX),
        Some("uint" | "uint64") => u64::MAX,
        Some("date-time") => {
            let pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$";
            schema.insert("pattern".to_owned(), json!(pattern));
            return;
        }
        Some("double") => {
            schema.remove("format");
            return;
        }
        _ => return,
    };
    schema.remove("format");
    let schema = schema.ensure_object();
    schema.entry("maximum").or_insert(json!(maximum));
}

/// Takes out of descriptions what only rustdoc understands: links, and where lines end in the source.
fn plain_text(schema: &mut Schema) {
    let Some(Value::String(text)) = schema.get_mut("description") else {
        return;
    };
    let mut plain = String::new();
    let mut rest = &text[..];
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((name, after)) = link.split_once("`]") else {
            break;
        };
        plain += &format!("{before}`{name}`");
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    plain += rest;
    // What follows the first paragraph is for readers of the source.
    let first = plain.split("\n\n").next().unwrap_or_default();
    *text = first.replace('\n', " ").replace("`None`", "null");
}

#[test]
fn the_schemas_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    let schemas = [
        ("model.json", model_schema(generator())),
        ("metrics.json", of::<MetricsFile<'_>>()),
        ("summary.json", of::<RunSummary<'_>>()),
        ("check.json", of::<check::Summary<'_>>()),
        ("prediction.json", of::<Answer<'_>>()),
        ("promotions.json", of::<Entry>()),
    ];
    let update = env::var_os("UPDATE_SCHEMAS").is_some();
    for (name, schema) in schemas {
        let path = folder.join(name);
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if update {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "docs/schema/{name} is not the schema of the type; if the change is meant, make it anew with \
             UPDATE_SCHEMAS=1 cargo test --features schema schema"
        );
    }
}
