//! `spin.toml`: read in full, or refused with every offending line.
//!
//! Manifest version 2, as <https://spinframework.dev/v3/manifest-reference> describes it. Whatever this
//! host cannot honour (another trigger type, a component from a registry, a component dependency) is
//! refused here, so that an application never runs by half. The names of the keys are Spin's.

mod allowed_hosts;
mod component;
mod files;
mod refusal;
mod route;
mod section;
mod template;
mod trigger;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use allowed_hosts::INTERNAL_SUFFIX;
pub use allowed_hosts::{AllowedHost, AllowedHosts, BadHost};
pub use component::{Build, Component, Files, Variable};
pub use refusal::{Refusal, Refused};
pub use route::{Route, RouteMatch};
pub use template::Template;
pub use trigger::{CronTrigger, Endpoint, HttpTrigger};

use refusal::Refusals;
use section::Section;

/// An application: its triggers, its components, its variables.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file it was read from; refusals name it.
    pub file: PathBuf,
    /// The folder of that file; every relative path in the manifest starts here.
    pub folder: PathBuf,
    /// `[application] name`.
    pub name: String,
    /// `[variables]` by name.
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]` in the order of the file.
    pub http: Vec<HttpTrigger>,
    /// `[[trigger.cron]]` in the order of the file.
    pub cron: Vec<CronTrigger>,
    /// `[component.<id>]` by id.
    pub components: BTreeMap<String, Component>,
}

impl Manifest {
    /// Reads and checks a manifest file. Reads nothing else: sources may not be built yet.
    pub fn read(file: &Path) -> Result<Self, Refused> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Refused::one(file, 0, format!("can't read the manifest: {error}")))?;
        Self::parse(&text, file)
    }

    /// Checks the text of a manifest. `file` says where relative paths start and is named in refusals.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Refused> {
        let refusals = Refusals::new(text);
        let folder = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let manifest = match toml::de::DeTable::parse(text) {
            Ok(document) => Some(read_document(&document, file, folder, &refusals)),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                refusals.add(at, error.message().to_owned());
                None
            }
        };
        match (manifest, refusals.into_list()) {
            (Some(manifest), list) if list.is_empty() => Ok(manifest),
            (_, list) => Err(Refused::new(file, list)),
        }
    }

    /// Refuses components whose `source` is not on the disk: they were not built.
    pub fn check_sources(&self) -> Result<(), Refused> {
        let missing: Vec<Refusal> = self
            .components
            .values()
            .filter(|component| !component.source.is_file())
            .map(|component| Refusal {
                line: component.source_line,
                message: format!(
                    "component \"{}\": source {} does not exist; build it first (sluice build)",
                    component.id,
                    component.source.display()
                ),
            })
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Refused::new(&self.file, missing))
        }
    }
}

fn read_document(
    document: &toml::Spanned<toml::de::DeTable<'_>>,
    file: &Path,
    folder: PathBuf,
    refusals: &Refusals,
) -> Manifest {
    let mut root = Section::new("the manifest", 0, document.get_ref(), refusals);
    match root.take("spin_manifest_version") {
        Some(value)
            if value
                .get_ref()
                .as_integer()
                .is_some_and(|v| v.as_str() == "2") => {}
        Some(value) => refusals.add(value.span().start, "spin_manifest_version must be 2"),
        None => refusals.add(0, "spin_manifest_version = 2 is missing"),
    }
    let name = read_application(&mut root, refusals);
    let variables = component::read_variables(&mut root, refusals);
    let components = component::read_components(&mut root, &folder, &variables, refusals);
    let (http, cron) = trigger::read_triggers(&mut root, &components, refusals);
    root.finish();
    Manifest {
        file: file.to_path_buf(),
        folder,
        name,
        variables,
        http,
        cron,
        components,
    }
}

fn read_application(root: &mut Section<'_>, refusals: &Refusals) -> String {
    let Some(mut application) = root.required_section("application") else {
        return String::new();
    };
    // Facts for people and other tools; they change nothing about how the application runs.
    for key in ["version", "description", "authors", "targets", "tool"] {
        application.take(key);
    }
    if let Some(settings) = application.optional_section("trigger") {
        for (key, at) in settings.keys() {
            refusals.add(
                at,
                format!("[application.trigger.{key}] is not supported by this host"),
            );
        }
    }
    let name = application
        .required_text("name")
        .map(|(name, _)| name)
        .unwrap_or_default();
    application.finish();
    name
}
