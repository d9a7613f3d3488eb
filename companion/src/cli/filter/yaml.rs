//! YAML with line numbers: mappings whose members are taken one by one, so that what is left over is a mistake, and
//! every mistake says where it is.

use std::cell::RefCell;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

/// Node of a YAML document, with its place in the file.
pub(super) type Node = MarkedYaml<'static>;

/// Mistakes of a file, each with its line.
#[derive(Default)]
pub(super) struct Mistakes(RefCell<Vec<(usize, String)>>);

/// Mapping whose members are taken one by one.
pub(super) struct Fields<'n, 'm> {
    /// Path of the mapping, such as `cases[2]`; empty for the whole document.
    path: String,
    line: usize,
    members: Vec<(&'n str, &'n Node)>,
    mistakes: &'m Mistakes,
}

/// Maximum length of a text, in bytes. Chosen: Envoy's configurations are shorter, and this is read in a second or two.
const MAX_BYTES: usize = 4 << 20;

/// Maximum number of spaces and dashes that a line begins with, and so of levels: the reader recurses.
const MAX_INDENT: usize = 1000;

/// Reads all documents of a YAML text.
///
/// # Errors
/// The line of the fault, and the fault.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, (usize, String)> {
    if text.len() > MAX_BYTES {
        return Err((1, format!("has {} bytes, and at most {MAX_BYTES} are read", text.len())));
    }
    let is_deep = |line: &str| line.bytes().take_while(|byte| b" \t-?:".contains(byte)).count() > MAX_INDENT;
    if let Some(at) = text.lines().position(is_deep) {
        return Err((at + 1, format!("is nested too deeply: more than {MAX_INDENT} spaces and dashes")));
    }
    Node::load_from_str(text.strip_prefix('\u{feff}').unwrap_or(text))
        .map_err(|error| (error.marker().line(), format!("is not YAML: {}", error.info())))
}

/// Line of a node, from 1.
pub(super) fn line(node: &Node) -> usize {
    node.span.start.line()
}

/// Members of a mapping whose names are texts; nothing for other nodes.
pub(super) fn members(node: &Node) -> Vec<(&str, &Node)> {
    match &node.data {
        YamlData::Mapping(members) => {
            members.iter().filter_map(|(name, value)| Some((text(name)?, value))).collect()
        }
        YamlData::Tagged(_, inner) => members(inner),
        _ => Vec::new(),
    }
}

/// Member of a mapping by its name.
pub(super) fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    members(node).into_iter().find_map(|(this, value)| (this == name).then_some(value))
}

/// Items of a sequence; nothing for other nodes.
pub(super) fn items(node: &Node) -> Option<&[Node]> {
    match &node.data {
        YamlData::Sequence(items) => Some(items),
        YamlData::Tagged(_, inner) => items(inner),
        _ => None,
    }
}

/// Text of a string.
pub(super) fn text(node: &Node) -> Option<&str> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Some(text),
        YamlData::Tagged(_, inner) => text(inner),
        _ => None,
    }
}

/// Text of a string, or digits of an integer.
pub(super) fn scalar(node: &Node) -> Option<String> {
    match &node.data {
        YamlData::Value(Scalar::Integer(value)) => Some(value.to_string()),
        YamlData::Tagged(_, inner) => scalar(inner),
        _ => text(node).map(str::to_owned),
    }
}

fn is_mapping(node: &Node) -> bool {
    match &node.data {
        YamlData::Tagged(_, inner) => is_mapping(inner),
        data => matches!(data, YamlData::Mapping(_)),
    }
}

impl Mistakes {
    pub(super) fn add(&self, line: usize, what: impl Into<String>) {
        self.0.borrow_mut().push((line, what.into()));
    }

    pub(super) fn into_vec(self) -> Vec<(usize, String)> {
        let mut mistakes = self.0.into_inner();
        mistakes.sort_by_key(|(line, _)| *line);
        mistakes
    }
}

impl<'n, 'm> Fields<'n, 'm> {
    /// Opens a mapping.
    pub(super) fn open(node: &'n Node, path: String, mistakes: &'m Mistakes) -> Option<Self> {
        if !is_mapping(node) {
            let name = if path.is_empty() { "the file" } else { &path };
            mistakes.add(line(node), format!("{name} must be a mapping"));
            return None;
        }
        Some(Self { path, line: line(node), members: members(node), mistakes })
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Takes a member out; what is left at the end is unknown.
    pub(super) fn take(&mut self, name: &str) -> Option<&'n Node> {
        let at = self.members.iter().position(|(this, _)| *this == name)?;
        Some(self.members.remove(at).1)
    }

    /// Takes a member that must be there.
    pub(super) fn required(&mut self, name: &str) -> Option<&'n Node> {
        let found = self.take(name);
        if found.is_none() {
            self.mistakes.add(self.line, format!("{} is required", self.path_of(name)));
        }
        found
    }

    /// Takes a member that is a text or an integer, as a text.
    pub(super) fn scalar(&mut self, name: &str) -> Option<String> {
        let node = self.take(name)?;
        scalar(node).or_else(|| self.reject(name, node, "must be a text"))
    }

    /// Takes a member that is `true` or `false`; absent, it is `false`.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.take(name).map(|node| (node, &node.data)) {
            None => false,
            Some((_, YamlData::Value(Scalar::Boolean(value)))) => *value,
            Some((node, _)) => self.reject(name, node, "must be true or false").unwrap_or(false),
        }
    }

    /// Reports a mistake of a member, which then has no value.
    pub(super) fn reject<T>(&self, name: &str, node: &Node, what: impl std::fmt::Display) -> Option<T> {
        self.mistakes.add(line(node), format!("{} {what}", self.path_of(name)));
        None
    }

    /// Reports the members that were not taken.
    pub(super) fn end(self) {
        for (name, node) in &self.members {
            self.mistakes.add(line(node), format!("{} is not known", self.path_of(name)));
        }
    }
}
