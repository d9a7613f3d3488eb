//! The file of `edgeward filter test`: requests with their expected verdicts.

use std::path::{Path, PathBuf};

use edgeward_wire::authentication::METHODS;

use super::curl;
use super::request_head::RequestHead;
use super::test_user::{self, TestUser};
use super::yaml::{self, Fields, Mistakes, Node};
use crate::domain::account::role::Role;

mod expectation;

pub(super) use expectation::Expectation;
use expectation::InvalidExpectation;

/// File of cases.
#[derive(Debug)]
pub(super) struct Cases {
    /// File of the configuration, from the folder of the cases.
    pub(super) configuration: PathBuf,
    /// Name or line of the plugin, for an Envoy configuration with several.
    pub(super) plugin: Option<String>,
    pub(super) list: Vec<Case>,
}

/// Request with its expected verdict.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) head: RequestHead,
    /// User whose cookies the request has; `None` for the cookies of its headers alone.
    pub(super) user: Option<TestUser>,
    pub(super) expectation: Expectation,
}

/// Reads a file of cases.
///
/// # Errors
/// Every mistake, with its line.
pub(super) fn read(text: &str, folder: &Path) -> Result<Cases, Vec<(usize, String)>> {
    let documents = yaml::documents(text).map_err(|mistake| vec![mistake])?;
    let [document] = documents.as_slice() else {
        return Err(vec![(
            1,
            "must be one YAML document, a mapping with configuration and cases".to_owned(),
        )]);
    };
    let mistakes = Mistakes::default();
    let cases = read_document(document, folder, &mistakes);
    let mistakes = mistakes.into_vec();
    cases.filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

fn read_document(document: &Node, folder: &Path, mistakes: &Mistakes) -> Option<Cases> {
    let mut fields = Fields::open(document, String::new(), mistakes)?;
    let configuration = fields.required("configuration").and_then(|node| match yaml::text(node) {
        Some(path) => Some(folder.join(path)),
        None => fields.reject("configuration", node, "must be the path of a file"),
    });
    let plugin = fields.scalar("plugin");
    let cases = fields.required("cases").and_then(|node| match yaml::items(node) {
        Some(items) if !items.is_empty() => Some(items),
        _ => fields.reject("cases", node, "must be a list of at least one case"),
    });
    fields.end();
    let mut read: Vec<Case> = Vec::new();
    for (at, node) in cases.unwrap_or_default().iter().enumerate() {
        let Some(case) = read_case(node, at, mistakes) else { continue };
        if let Some(earlier) = read.iter().find(|earlier| earlier.name == case.name) {
            mistakes.add(case.line, format!("cases[{at}].name is that of line {}", earlier.line));
        }
        read.push(case);
    }
    Some(Cases { configuration: configuration?, plugin, list: read })
}

fn read_case(node: &Node, at: usize, mistakes: &Mistakes) -> Option<Case> {
    let mut fields = Fields::open(node, format!("cases[{at}]"), mistakes)?;
    let line = fields.line();
    let name = fields.required("name").and_then(|node| {
        yaml::scalar(node)
            .filter(|name| !name.is_empty())
            .or_else(|| fields.reject("name", node, "must be a text"))
    });
    let mut head = read_request(&mut fields, mistakes);
    if let Some(node) = fields.take("headers") {
        read_headers(node, &fields.path_of("headers"), head.as_mut(), mistakes);
    }
    let user = match fields.take("as") {
        None => Some(None),
        Some(node) if yaml::text(node) == Some("nobody") => Some(None),
        Some(node) => read_user(node, &fields.path_of("as"), mistakes).map(Some),
    };
    let expectation = fields.required("expect").and_then(|node| {
        let text = yaml::scalar(node).unwrap_or_default();
        text.parse().map_err(|invalid: InvalidExpectation| fields.reject::<()>("expect", node, invalid)).ok()
    });
    fields.end();
    Some(Case { line, name: name?, head: head?, user: user?, expectation: expectation? })
}

/// Reads `request: METHOD PATH`, or `curl: curl …`.
fn read_request(fields: &mut Fields<'_, '_>, mistakes: &Mistakes) -> Option<RequestHead> {
    match (fields.take("request"), fields.take("curl")) {
        (Some(node), None) => {
            let text = yaml::text(node).unwrap_or_default();
            match text.split_once(' ').map(|(method, target)| (method, target.trim())) {
                Some((method, target)) if !method.is_empty() && !target.is_empty() => {
                    Some(RequestHead::new(method, target))
                }
                _ => fields.reject("request", node, "must be a method and a path, such as GET /orders"),
            }
        }
        (None, Some(node)) => match curl::parse(yaml::text(node).unwrap_or_default()) {
            Ok(head) => Some(head),
            Err(invalid) => fields.reject("curl", node, format_args!("is not understood: {invalid}")),
        },
        (request, _) => {
            let path = fields.path_of("request");
            let what = if request.is_some() { "and curl exclude each other" } else { "or curl is required" };
            mistakes.add(fields.line(), format!("{path} {what}"));
            None
        }
    }
}

/// Reads `headers`: a mapping of names to values, or to lists of values.
fn read_headers(node: &Node, path: &str, mut head: Option<&mut RequestHead>, mistakes: &Mistakes) {
    if Fields::open(node, path.to_owned(), mistakes).is_none() {
        return;
    }
    for (name, value) in yaml::members(node) {
        for value in yaml::items(value).unwrap_or(std::slice::from_ref(value)) {
            match (yaml::scalar(value), head.as_deref_mut()) {
                (Some(value), Some(head)) => head.push(name, &value),
                (None, _) => {
                    mistakes
                        .add(yaml::line(value), format!("{path}.{name} must be a text or a list of texts"));
                }
                (Some(_), None) => {}
            }
        }
    }
}

fn read_user(node: &Node, path: &str, mistakes: &Mistakes) -> Option<TestUser> {
    if yaml::text(node).is_some() {
        mistakes
            .add(yaml::line(node), format!("{path} must be nobody, or a mapping such as {{role: customer}}"));
        return None;
    }
    let mut fields = Fields::open(node, path.to_owned(), mistakes)?;
    let mut user = TestUser {
        is_expired: fields.flag("expired"),
        has_refresh_token: fields.flag("refresh"),
        ..TestUser::default()
    };
    let mut is_good = true;
    if let Some(node) = fields.take("role") {
        let role = Role::parse(&yaml::scalar(node).unwrap_or_default());
        user.role = role
            .map_err(|invalid| fields.reject::<()>("role", node, format_args!("is no role: {invalid}")))
            .ok();
        is_good = user.role.is_some();
    }
    for (name, is_user) in [("user", true), ("session", false)] {
        let Some(node) = fields.take(name) else { continue };
        let text = yaml::scalar(node).unwrap_or_default();
        let read = if is_user {
            text.parse().map(|id| user.user_id = id).ok()
        } else {
            text.parse().map(|id| user.session_id = id).ok()
        };
        is_good &= read.or_else(|| fields.reject(name, node, "must be a positive number")).is_some();
    }
    if let Some(node) = fields.take("auth_age") {
        let age = yaml::scalar(node).and_then(|text| text.parse().ok());
        let age = age.or_else(|| fields.reject("auth_age", node, "must be a number of seconds"));
        is_good &= age.map(|age| user.auth_age_s = age).is_some();
    }
    if let Some(node) = fields.take("amr") {
        let items = yaml::items(node).filter(|items| !items.is_empty());
        let names: Option<Vec<&str>> = items.and_then(|items| items.iter().map(yaml::text).collect());
        let methods = names.and_then(|names| test_user::read_methods(names.into_iter()).ok());
        let shape = format!("must be a list of {}", METHODS.join(", "));
        let methods = methods.or_else(|| fields.reject("amr", node, shape));
        is_good &= methods.map(|methods| user.methods = methods).is_some();
    }
    let line = fields.line();
    fields.end();
    if !is_good {
        return None;
    }
    user.check().map_err(|fault| mistakes.add(line, format!("{path} {fault}"))).ok()
}

#[cfg(test)]
mod tests;
