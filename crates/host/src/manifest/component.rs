//! `[component.<id>]` and `[variables]`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use super::allowed_hosts::AllowedHost;
use super::refusal::Refusals;
use super::section::Section;
use super::template::{Template, is_kebab, is_variable_name};

/// `[variables.<name>]`: set from outside by `SPIN_VARIABLE_<NAME>`.
#[derive(Clone)]
pub struct Variable {
    /// The value if none is set; none means it must be set.
    pub default: Option<String>,
    /// Its value must not be shown.
    pub secret: bool,
}

impl std::fmt::Debug for Variable {
    // A default may be a secret that somebody should not have put there.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Variable")
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// One component: where its code is, and what it may use.
#[derive(Debug, Clone)]
pub struct Component {
    /// Its id, kebab case.
    pub id: String,
    /// The line of its table.
    pub line: usize,
    /// The `.wasm` file.
    pub source: PathBuf,
    /// The line of `source`.
    pub source_line: usize,
    /// What `variables.get` answers.
    pub variables: BTreeMap<String, Template>,
    /// Environment variables of the component.
    pub environment: BTreeMap<String, String>,
    /// Files it can read.
    pub files: Vec<Files>,
    /// Glob patterns of files it can't.
    pub exclude_files: Vec<String>,
    /// Where it may connect to, with the line of each entry.
    pub allowed_outbound_hosts: Vec<(Template, usize)>,
    /// Labels of key-value stores it may open.
    pub key_value_stores: Vec<String>,
    /// Names of SQLite databases it may open.
    pub sqlite_databases: Vec<String>,
    /// How it is built.
    pub build: Option<Build>,
}

/// An entry of `files`.
#[derive(Debug, Clone)]
pub enum Files {
    /// A file, a folder or a glob pattern under the manifest's folder, seen under the same path.
    Pattern(String, usize),
    /// A file or folder, seen under another path.
    Placed {
        /// Relative to the manifest's folder.
        source: String,
        /// Where the component sees it.
        destination: String,
        /// The line of the entry.
        line: usize,
    },
}

/// `[component.<id>.build]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Shell commands, run in order.
    pub commands: Vec<String>,
    /// Where they run: the manifest's folder, or one below it.
    pub folder: PathBuf,
}

pub(super) fn read_variables(
    root: &mut Section<'_>,
    refusals: &Refusals,
) -> BTreeMap<String, Variable> {
    let mut variables = BTreeMap::new();
    let Some(section) = root.optional_section("variables") else {
        return variables;
    };
    for (name, at, value) in section.entries() {
        if !is_variable_name(name) {
            refusals.add(at, format!("variable \"{name}\" must be lower snake case"));
        }
        let Some(table) = value.get_ref().as_table() else {
            refusals.add(at, format!("variable \"{name}\" must be a table: {{ default = … }} or {{ required = true }}"));
            continue;
        };
        let mut variable = Section::new(format!("variable \"{name}\""), at, table, refusals);
        let required = variable.flag("required");
        let default = variable.optional_text("default").map(|(text, _)| text);
        let secret = variable.flag("secret");
        variable.take("description");
        variable.finish();
        if required == default.is_some() {
            refusals.add(
                at,
                format!("variable \"{name}\" needs either required = true or a default"),
            );
        }
        variables.insert(name.to_owned(), Variable { default, secret });
    }
    variables
}

pub(super) fn read_components(
    root: &mut Section<'_>,
    folder: &Path,
    variables: &BTreeMap<String, Variable>,
    refusals: &Refusals,
) -> BTreeMap<String, Component> {
    let mut components = BTreeMap::new();
    let Some(section) = root.optional_section("component") else {
        return components;
    };
    for (id, at, value) in section.entries() {
        if !is_kebab(id) {
            refusals.add(at, format!("component id \"{id}\" must be kebab case"));
        }
        let Some(table) = value.get_ref().as_table() else {
            refusals.add(at, format!("component \"{id}\" must be a table"));
            continue;
        };
        let section = Section::new(format!("component \"{id}\""), at, table, refusals);
        let reader = Reader {
            folder,
            application_variables: variables,
            refusals,
        };
        components.insert(id.to_owned(), reader.component(id, section));
    }
    components
}

struct Reader<'a> {
    folder: &'a Path,
    application_variables: &'a BTreeMap<String, Variable>,
    refusals: &'a Refusals,
}

impl Reader<'_> {
    fn component(&self, id: &str, mut section: Section<'_>) -> Component {
        for key in ["description", "targets", "tool", "profile"] {
            // For people, other tools, and builds under another profile, which this host never selects.
            section.take(key);
        }
        section.refuse("allowed_http_hosts", "write allowed_outbound_hosts");
        section.refuse("dependencies", "this host runs a component as it was built");
        section.refuse(
            "dependencies_inherit_configuration",
            "component dependencies are not supported",
        );
        if let Some((_, at)) = section.texts("ai_models").first() {
            self.refusals.add(
                *at,
                format!("component \"{id}\": this host offers no AI models"),
            );
        }
        let (source, source_line) = self.source(id, &mut section);
        let component = Component {
            id: id.to_owned(),
            line: self.refusals.line(section.at()),
            source,
            source_line,
            variables: self.variables(&mut section),
            environment: self.environment(&mut section),
            files: self.files(&mut section),
            exclude_files: self.exclude_files(&mut section),
            allowed_outbound_hosts: self.allowed_hosts(&mut section),
            key_value_stores: self.labels(&mut section, "key_value_stores"),
            sqlite_databases: self.labels(&mut section, "sqlite_databases"),
            build: self.build(&mut section),
        };
        section.finish();
        component
    }

    fn source(&self, id: &str, section: &mut Section<'_>) -> (PathBuf, usize) {
        match section.take("source") {
            Some(value) => {
                let line = self.refusals.line(value.span().start);
                if let Some(path) = value.get_ref().as_str() {
                    return (self.folder.join(path), line);
                }
                let reason = "source must be a path: this host downloads no components";
                self.refusals
                    .add(value.span().start, format!("component \"{id}\": {reason}"));
                (PathBuf::new(), line)
            }
            None => {
                self.refusals.add(
                    section.at(),
                    format!("component \"{id}\": \"source\" is missing"),
                );
                (PathBuf::new(), 0)
            }
        }
    }

    fn variables(&self, section: &mut Section<'_>) -> BTreeMap<String, Template> {
        let mut variables = BTreeMap::new();
        for (name, text, at) in section.text_table("variables") {
            if !is_variable_name(&name) {
                self.refusals
                    .add(at, format!("variable \"{name}\" must be lower snake case"));
            }
            if let Some(template) = self.template(&text, at) {
                variables.insert(name, template);
            }
        }
        variables
    }

    /// Reads a template whose every variable the application knows.
    fn template(&self, text: &str, at: usize) -> Option<Template> {
        match Template::parse(text) {
            Ok(template) => {
                for name in template.variables() {
                    if !self.application_variables.contains_key(name) {
                        self.refusals
                            .add(at, format!("no variable \"{name}\" under [variables]"));
                    }
                }
                Some(template)
            }
            Err(reason) => {
                self.refusals
                    .add(at, format!("bad template \"{text}\": {reason}"));
                None
            }
        }
    }

    fn environment(&self, section: &mut Section<'_>) -> BTreeMap<String, String> {
        let entries = section.text_table("environment");
        entries
            .into_iter()
            .map(|(name, value, _)| (name, value))
            .collect()
    }

    fn files(&self, section: &mut Section<'_>) -> Vec<Files> {
        let Some(value) = section.take("files") else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.refusals
                .add(value.span().start, "files must be a list");
            return Vec::new();
        };
        array
            .iter()
            .filter_map(|item| self.files_entry(item))
            .collect()
    }

    fn files_entry(&self, item: &Spanned<DeValue<'_>>) -> Option<Files> {
        let at = item.span().start;
        let line = self.refusals.line(at);
        if let Some(pattern) = item.get_ref().as_str() {
            self.check_inside(pattern, at);
            if let Err(error) = glob::Pattern::new(pattern) {
                self.refusals
                    .add(at, format!("files: bad pattern \"{pattern}\": {error}"));
            }
            return Some(Files::Pattern(pattern.to_owned(), line));
        }
        let Some(table) = item.get_ref().as_table() else {
            self.refusals
                .add(at, "files: an entry is a path, or { source, destination }");
            return None;
        };
        let mut entry = Section::new("files", at, table, self.refusals);
        let source = entry.required_text("source");
        let destination = entry.required_text("destination");
        entry.finish();
        let ((source, source_at), (destination, destination_at)) = (source?, destination?);
        self.check_inside(&source, source_at);
        self.check_inside(destination.trim_start_matches('/'), destination_at);
        Some(Files::Placed {
            source,
            destination,
            line,
        })
    }

    /// Nothing outside the application's folder is ever shown to a component.
    fn check_inside(&self, path: &str, at: usize) {
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            self.refusals.add(
                at,
                format!("files: \"{path}\" leaves the application's folder"),
            );
        }
    }

    fn exclude_files(&self, section: &mut Section<'_>) -> Vec<String> {
        let patterns = section.texts("exclude_files");
        for (pattern, at) in &patterns {
            if let Err(error) = glob::Pattern::new(pattern) {
                self.refusals.add(
                    *at,
                    format!("exclude_files: bad pattern \"{pattern}\": {error}"),
                );
            }
        }
        patterns.into_iter().map(|(pattern, _)| pattern).collect()
    }

    fn allowed_hosts(&self, section: &mut Section<'_>) -> Vec<(Template, usize)> {
        let mut hosts = Vec::new();
        for (text, at) in section.texts("allowed_outbound_hosts") {
            let Some(template) = self.template(&text, at) else {
                continue;
            };
            // What holds a variable is checked when its value is known: at start.
            if template.variables().next().is_none()
                && let Err(error) = AllowedHost::parse(&text)
            {
                self.refusals.add(at, error.to_string());
            }
            hosts.push((template, self.refusals.line(at)));
        }
        hosts
    }

    fn labels(&self, section: &mut Section<'_>, key: &'static str) -> Vec<String> {
        let labels = section.texts(key);
        for (label, at) in &labels {
            if !is_kebab(&label.replace('_', "-")) {
                self.refusals.add(
                    *at,
                    format!("{key}: \"{label}\" must be kebab or snake case"),
                );
            }
        }
        labels.into_iter().map(|(label, _)| label).collect()
    }

    fn build(&self, section: &mut Section<'_>) -> Option<Build> {
        let mut build = section.optional_section("build")?;
        let commands = match build.take("command") {
            Some(value) if value.get_ref().as_str().is_some() => value
                .get_ref()
                .as_str()
                .map(str::to_owned)
                .into_iter()
                .collect(),
            Some(_) => build
                .texts("command")
                .into_iter()
                .map(|(command, _)| command)
                .collect(),
            None => {
                self.refusals
                    .add(build.at(), "[build]: \"command\" is missing");
                Vec::new()
            }
        };
        build.take("watch"); // Patterns for tools that rebuild on change.
        let folder = match build.optional_text("workdir") {
            Some((folder, at)) => {
                self.check_inside(&folder, at);
                self.folder.join(folder)
            }
            None => self.folder.to_path_buf(),
        };
        build.finish();
        Some(Build { commands, folder })
    }
}
