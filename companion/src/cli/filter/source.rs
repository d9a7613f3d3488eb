//! Plugin configurations in a file: the JSON by itself, or inside an Envoy configuration.

use std::fmt::{self, Display};
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward_filter::config::{self, Configuration};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::yaml::{self, Node};

/// Plugin configuration, and its place.
pub(super) struct Source {
    /// Place of the configuration.
    pub(super) place: Place,
    /// The JSON, or a reason that the plugin would not find any.
    text: Result<Vec<u8>, &'static str>,
}

/// Place of a plugin configuration.
#[derive(Clone)]
pub(super) struct Place {
    file: String,
    /// Name of the plugin, and line of its configuration; `None` if the file is the configuration.
    plugin: Option<(String, usize)>,
}

/// Reads all plugin configurations of a file; `-` is standard input.
///
/// # Errors
/// The file cannot be read, or is an Envoy configuration without this plugin.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Source>> {
    let (file, text) = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
        ("standard input".to_owned(), text)
    } else {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).with_context(|| format!("{file} cannot be read"))?;
        (file, text)
    };
    find(&file, text)
}

/// Reads the one plugin configuration of a file, or the one of the plugin that has this name or line.
///
/// # Errors
/// There is none, or there are several.
pub(super) fn read_one(path: &Path, plugin: Option<&str>) -> anyhow::Result<Source> {
    let mut sources = read(path)?;
    if let Some(wanted) = plugin {
        sources.retain(|source| source.place.is_named(wanted));
    }
    let places: Vec<String> = sources.iter().map(|source| source.place.to_string()).collect();
    match (sources.pop(), places.len()) {
        (Some(only), 1) => Ok(only),
        (None, _) => bail!("{} has no such plugin; `edgeward filter check` lists them", path.display()),
        _ => bail!("there are several, so choose a plugin by its name or line: {}", places.join("; ")),
    }
}

fn find(file: &str, text: String) -> anyhow::Result<Vec<Source>> {
    let is_json = text.trim_start().starts_with(['{', '[']) || text.trim().is_empty();
    let mut found = Vec::new();
    let mut names_envoy = false;
    match yaml::documents(&text) {
        Ok(documents) => {
            for document in &documents {
                collect(document, None, file, &mut found);
                names_envoy |= ["static_resources", "staticResources", "resources", "admin"]
                    .iter()
                    .any(|name| yaml::member(document, name).is_some());
            }
        }
        Err((line, fault)) if !is_json => bail!("{file}:{line}: {fault}"),
        Err(_) => {}
    }
    if found.is_empty() && is_json && !names_envoy {
        found.push(Source {
            place: Place { file: file.to_owned(), plugin: None },
            text: Ok(text.into_bytes()),
        });
    }
    if found.is_empty() {
        bail!(
            "{file} has no configuration of Edgeward's plugin: neither JSON with it, nor a wasm filter with edgeward in its name, root_id, vm_id or file name, nor a dynamic module with it in its name or filter_name"
        );
    }
    Ok(found)
}

/// Message that configures the filter. Each member has its name in YAML and in JSON.
struct Message {
    /// Member by which the message is recognised: what Envoy loads.
    program: [&'static str; 2],
    /// Name of the filter in the program.
    name: [&'static str; 2],
    configuration: [&'static str; 2],
    /// Mistake of a message without a configuration.
    missing: &'static str,
}

const MESSAGES: [Message; 2] = [
    // `envoy.extensions.wasm.v3.PluginConfig`
    Message {
        program: ["vm_config", "vmConfig"],
        name: ["root_id", "rootId"],
        configuration: ["configuration", "configuration"],
        missing: "there is no `configuration` beside `vm_config`; is it indented too little?",
    },
    // `envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter`
    Message {
        program: ["dynamic_module_config", "dynamicModuleConfig"],
        name: ["filter_name", "filterName"],
        configuration: ["filter_config", "filterConfig"],
        missing: "there is no `filter_config` beside `dynamic_module_config`; is it indented too little?",
    },
];

/// Collects the configurations of the filter below a node.
fn collect(node: &Node, filter: Option<&str>, file: &str, found: &mut Vec<Source>) {
    let filter = yaml::member(node, "name").and_then(yaml::text).or(filter);
    for message in &MESSAGES {
        let Some(program) = either(node, message.program) else { continue };
        let is_ours = |text: &str| text.to_ascii_lowercase().contains("edgeward");
        let name = either(node, message.name).and_then(yaml::text);
        if filter.is_some_and(is_ours) || name.is_some_and(is_ours) || mentions(program, &is_ours) {
            let configuration = either(node, message.configuration);
            let name = filter.unwrap_or("without a name").to_owned();
            let line = yaml::line(configuration.unwrap_or(node));
            let place = Place { file: file.to_owned(), plugin: Some((name, line)) };
            found.push(Source { place, text: configuration.map_or(Err(message.missing), read_message) });
            return;
        }
    }
    for (_, value) in yaml::members(node) {
        collect(value, filter, file, found);
    }
    for item in yaml::items(node).unwrap_or_default() {
        collect(item, filter, file, found);
    }
}

fn either<'n>(node: &'n Node, names: [&str; 2]) -> Option<&'n Node> {
    names.into_iter().find_map(|name| yaml::member(node, name))
}

fn mentions(node: &Node, is_ours: &impl Fn(&str) -> bool) -> bool {
    yaml::text(node).is_some_and(is_ours)
        || yaml::members(node).into_iter().any(|(_, value)| mentions(value, is_ours))
}

/// Returns the text of a `google.protobuf.StringValue` or `BytesValue`. Envoy 1.40 passes the plugin any other message as its
/// binary encoding, a `Struct` too, whatever `PluginConfig`'s documentation says.
fn read_message(node: &Node) -> Result<Vec<u8>, &'static str> {
    let name = yaml::member(node, "@type").and_then(yaml::text).unwrap_or_default();
    let value = yaml::member(node, "value").and_then(yaml::text);
    let text = match name.strip_prefix("type.googleapis.com/google.protobuf.") {
        Some("StringValue") => value.map(|value| value.as_bytes().to_vec()),
        Some("BytesValue") => value.and_then(|value| STANDARD.decode(value).ok()),
        _ => None,
    };
    text.ok_or(
        "configuration must be {\"@type\": type.googleapis.com/google.protobuf.StringValue, value: …} with the JSON as a text",
    )
}

impl Source {
    /// Compiles the configuration as the plugin does.
    ///
    /// # Errors
    /// Every mistake, as the plugin logs it.
    pub(super) fn compile(&self) -> Result<Configuration, Vec<String>> {
        let text = self.text.as_ref().map_err(|what| vec![(*what).to_owned()])?;
        config::compile(text).map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
    }

    /// Compiles the configuration for a command that needs a good one.
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub(super) fn compile_or_explain(&self) -> anyhow::Result<Configuration> {
        self.compile().map_err(|mistakes| {
            let lines: Vec<String> =
                mistakes.iter().map(|mistake| format!("\n  {}: {mistake}", self.place)).collect();
            anyhow::anyhow!("the configuration does not load:{}", lines.concat())
        })
    }

    /// The rules as they are written, each on one line.
    pub(super) fn rules(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Outline<'a> {
            #[serde(borrow, default)]
            rules: Vec<&'a RawValue>,
        }
        let text = self.text.as_deref().unwrap_or_default();
        let outline: Option<Outline<'_>> = serde_json::from_slice(text).ok();
        let on_one_line = |rule: &&RawValue| {
            rule.get().lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
        };
        outline.map(|outline| outline.rules.iter().map(on_one_line).collect()).unwrap_or_default()
    }
}

impl Place {
    fn is_named(&self, wanted: &str) -> bool {
        self.plugin.as_ref().is_some_and(|(name, line)| name == wanted || line.to_string() == wanted)
    }
}

impl Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.plugin {
            Some((name, line)) => write!(formatter, "{}:{line}: plugin \"{name}\"", self.file),
            None => formatter.write_str(&self.file),
        }
    }
}
