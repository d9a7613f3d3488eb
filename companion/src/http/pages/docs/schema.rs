//! JSON schemas as rows of a table, and as an example.

use serde_json::{Map, Value};

use super::view::text;

/// Maximum depth of nested schemas. Chosen: more than ours have; a schema that contains itself ends there.
const MAX_DEPTH: usize = 6;

/// Row of a table of fields.
pub(super) struct Field {
    /// Path in the body, such as `errors[].code`.
    pub(super) name: String,
    /// Type and limits.
    pub(super) kind: String,
    /// `true` if the field is always there.
    pub(super) is_required: bool,
    /// Description of the field.
    pub(super) about: String,
}

/// Follows a reference within the document.
pub(super) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    target.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

/// Lists the fields of a schema, nested ones too.
pub(super) fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let mut rows = Vec::new();
    collect(document, schema, "", 0, &mut rows);
    rows
}

fn collect(document: &Value, schema: &Value, prefix: &str, depth: usize, rows: &mut Vec<Field>) {
    let schema = resolve(document, schema);
    for part in parts(schema).filter(|_| depth < MAX_DEPTH) {
        collect(document, part, prefix, depth + 1, rows);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|_| depth < MAX_DEPTH)
    else {
        return;
    };
    let required = schema.get("required").and_then(Value::as_array);
    for (name, property) in in_order(properties, required) {
        let resolved = resolve(document, property);
        let (path, inner) = match resolved.get("items") {
            Some(items) => (format!("{prefix}{name}[]"), items),
            None => (format!("{prefix}{name}"), resolved),
        };
        rows.push(Field {
            kind: describe(document, resolved),
            is_required: required.is_some_and(|required| required.iter().any(|other| other == name)),
            about: text(resolved, "description").to_owned(),
            name: path.clone(),
        });
        collect(document, inner, &format!("{path}."), depth + 1, rows);
    }
}

/// Returns the schemas of which an object fulfils every one.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    schema.get("allOf").and_then(Value::as_array).into_iter().flatten()
}

/// Orders members as the schema lists the required ones; the others follow.
fn in_order<'a>(
    properties: &'a Map<String, Value>,
    required: Option<&Vec<Value>>,
) -> Vec<(&'a String, &'a Value)> {
    let place = |name: &str| required.and_then(|required| required.iter().position(|other| other == name));
    let mut members: Vec<_> = properties.iter().collect();
    members.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
    members
}

/// Describes the type of a schema and its limits in one line.
pub(super) fn describe(document: &Value, schema: &Value) -> String {
    let schema = resolve(document, schema);
    let mut kind = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        Some(Value::String(kind)) => kind.clone(),
        _ if parts(schema).next().is_some() => "object".to_owned(),
        _ => "any".to_owned(),
    };
    if let Some(format) = schema.get("format").and_then(Value::as_str) {
        kind = format!("{kind} ({format})");
    }
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        kind = format!("one of {}", names.join(", "));
    }
    let limit = |member: &str| schema.get(member).and_then(Value::as_u64);
    let range = |min, max, unit: &str| match (limit(min), limit(max)) {
        (Some(min), Some(max)) => format!(", {min} to {max}{unit}"),
        (None, Some(max)) => format!(", at most {max}{unit}"),
        (Some(1), None) => format!(", at least 1{}", unit.trim_end_matches('s')),
        (Some(min), None) => format!(", at least {min}{unit}"),
        (None, None) => String::new(),
    };
    let limits = range("minLength", "maxLength", " characters") + &range("minimum", "maximum", "");
    format!("{kind}{limits}")
}

/// Makes an example of a schema from the examples of its parts.
pub(super) fn example(document: &Value, schema: &Value) -> Value {
    nested_example(document, schema, 0)
}

fn nested_example(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolve(document, schema);
    let given = schema.get("example").or_else(|| schema.pointer("/examples/0"));
    if let Some(given) = given {
        return given.clone();
    }
    if depth >= MAX_DEPTH {
        return Value::Null;
    }
    if let Some(items) = schema.get("items") {
        return Value::Array(vec![nested_example(document, items, depth + 1)]);
    }
    if let Some(first) = schema.pointer("/enum/0") {
        return first.clone();
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let member =
            |(name, schema): (&String, &Value)| (name.clone(), nested_example(document, schema, depth + 1));
        return Value::Object(properties.iter().map(member).collect());
    }
    let of_parts: Map<String, Value> = parts(schema)
        .map(|part| nested_example(document, part, depth + 1))
        .filter_map(|example| if let Value::Object(members) = example { Some(members) } else { None })
        .flatten()
        .collect();
    if !of_parts.is_empty() {
        return Value::Object(of_parts);
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer" | "number") => 1.into(),
        Some("boolean") => true.into(),
        Some("object") => Map::new().into(),
        _ => "…".into(),
    }
}
