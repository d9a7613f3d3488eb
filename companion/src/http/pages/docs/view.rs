//! Parts of an OpenAPI document that the page shows.

use serde_json::Value;

use super::schema::{self, Field, resolve};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Operations with one tag.
pub(super) struct Section<'a> {
    pub(super) name: &'a str,
    pub(super) about: &'a str,
    pub(super) operations: Vec<Operation<'a>>,
}

/// Method of a path.
pub(super) struct Operation<'a> {
    pub(super) id: &'a str,
    pub(super) method: String,
    pub(super) path: &'a str,
    pub(super) summary: &'a str,
    pub(super) about: &'a str,
    pub(super) access: Vec<&'a str>,
    pub(super) parameters: Vec<Parameter<'a>>,
    pub(super) body: Option<Body>,
    pub(super) responses: Vec<Response<'a>>,
}

/// Parameter in the path, the query or a header field.
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    pub(super) place: &'a str,
    pub(super) kind: String,
    pub(super) is_required: bool,
    pub(super) about: &'a str,
}

/// JSON body.
pub(super) struct Body {
    pub(super) fields: Vec<Field>,
    pub(super) example: String,
}

/// Response with one status.
pub(super) struct Response<'a> {
    pub(super) status: &'a str,
    pub(super) is_success: bool,
    pub(super) about: &'a str,
    pub(super) headers: Vec<(&'a str, &'a str)>,
    pub(super) body: Option<Body>,
    /// Codes and messages of errors.
    pub(super) errors: Vec<(&'a str, &'a str)>,
}

/// Way to authenticate.
pub(super) struct Scheme<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) about: &'a str,
}

/// Returns a text member, or an empty text.
pub(super) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn members<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
    let object = value.get(member).and_then(Value::as_object);
    object.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn elements<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}

/// Lists the operations by their tags, in the order of the tags.
pub(super) fn sections(document: &Value) -> Vec<Section<'_>> {
    let sections = elements(document, "tags").map(|tag| Section {
        name: text(tag, "name"),
        about: text(tag, "description"),
        operations: operations(document, text(tag, "name")),
    });
    sections.filter(|section| !section.operations.is_empty()).collect()
}

fn operations<'a>(document: &'a Value, tag: &str) -> Vec<Operation<'a>> {
    let of_path = |(path, item): (&'a str, &'a Value)| {
        let found = METHODS.into_iter().filter_map(move |method| Some((method, item.get(method)?)));
        found.map(move |(method, operation)| (method, path, operation))
    };
    members(document, "paths")
        .flat_map(of_path)
        .filter(|(_, _, operation)| elements(operation, "tags").any(|other| other == tag))
        .map(|(method, path, operation)| view(document, method, path, operation))
        .collect()
}

fn view<'a>(document: &'a Value, method: &str, path: &'a str, operation: &'a Value) -> Operation<'a> {
    let alternatives = elements(operation, "security").filter_map(Value::as_object);
    Operation {
        id: text(operation, "operationId"),
        method: method.to_ascii_uppercase(),
        path,
        summary: text(operation, "summary"),
        about: text(operation, "description"),
        access: alternatives.flat_map(|schemes| schemes.keys().map(String::as_str)).collect(),
        parameters: elements(operation, "parameters").map(|value| parameter(document, value)).collect(),
        body: operation.get("requestBody").and_then(|body| json_body(document, body)),
        responses: members(operation, "responses").map(|pair| response(document, pair)).collect(),
    }
}

fn parameter<'a>(document: &'a Value, value: &'a Value) -> Parameter<'a> {
    let value = resolve(document, value);
    Parameter {
        name: text(value, "name"),
        place: text(value, "in"),
        kind: schema::describe(document, value.get("schema").unwrap_or(&Value::Null)),
        is_required: value.get("required") == Some(&Value::Bool(true)),
        about: text(value, "description"),
    }
}

fn json_body(document: &Value, value: &Value) -> Option<Body> {
    let schema = value.pointer("/content/application~1json/schema")?;
    let example = schema::example(document, schema);
    Some(Body { fields: schema::fields(document, schema), example: format!("{example:#}") })
}

fn response<'a>(document: &'a Value, (status, value): (&'a str, &'a Value)) -> Response<'a> {
    let is_success = status.starts_with('2');
    let headers = members(value, "headers");
    let headers = headers.map(|(name, header)| (name, text(resolve(document, header), "description")));
    let examples = value.pointer("/content/application~1json").map(|content| members(content, "examples"));
    let errors = examples.into_iter().flatten().map(|(code, example)| {
        let example = resolve(document, example);
        (code, example.pointer("/value/errors/0/msg").and_then(Value::as_str).unwrap_or_default())
    });
    Response {
        status,
        is_success,
        about: text(value, "description"),
        headers: headers.collect(),
        body: if is_success { json_body(document, value) } else { None },
        errors: errors.collect(),
    }
}

/// Lists the ways to authenticate.
pub(super) fn schemes(document: &Value) -> Vec<Scheme<'_>> {
    let schemes =
        document.pointer("/components").into_iter().flat_map(|parts| members(parts, "securitySchemes"));
    let scheme = |(id, value)| Scheme {
        id,
        name: if text(value, "in") == "cookie" { text(value, "name") } else { "Authorization" },
        about: text(value, "description"),
    };
    schemes.map(scheme).collect()
}
