//! A whole mapping file, parsed and checked.

use sluice_core::{Fault, code};

use crate::adopt::Adopt;
use crate::path::shown;
use crate::read;
use crate::section::Section;
use crate::settings::Settings;

/// A checked `mapping.toml`: what holds a value of this type has no problem left in it.
#[derive(Clone, Debug)]
pub struct MappingFile {
    pub(crate) origin: String,
    pub(crate) settings: Settings,
    pub(crate) sections: Vec<Section>,
}

impl MappingFile {
    /// Parses and checks. `origin` is the name people know the file by.
    ///
    /// Faults: `MAPPING_INVALID` (stop flow). Its message is the first problem, `mapping.toml:12:5: unknown
    /// key `form`, did you mean `from`?`, line and column counted from 1, columns in characters; its fields
    /// are the others, each under its place.
    pub fn parse(origin: &str, text: &str) -> Result<Self, Fault> {
        read::file(origin, text)
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The sections in the order of the file.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// How records of the section that were in the target before us are found.
    ///
    /// Faults: `MAPPING_INVALID` (stop flow), with the section's place, where it does not say; those of
    /// [`MappingFile::section`].
    pub fn adopt(&self, name: &str) -> Result<&Adopt, Fault> {
        let section = self.section(name)?;
        section.adopt.as_ref().ok_or_else(|| {
            let message = format!(
                "{}: the section `{name}` does not say by which key its records are found in the target: \
                 write [{name}.adopt] with key = {{ target = \"…\", from = \"…\" }}",
                section.place
            );
            Fault::stop_flow(code::MAPPING_INVALID, message)
        })
    }

    /// Records of the section `name` are made of the same body as the section `part`, if that links to it: what
    /// the part reads is asked for with them.
    ///
    /// Faults: those of [`MappingFile::section`].
    pub fn holds_part(&mut self, name: &str, part: &str) -> Result<(), Fault> {
        let wanted = self.section(part)?.selection();
        self.section(name)?;
        let holds = |section: &&mut Section| {
            section.name == name && section.links.iter().any(|link| link == part)
        };
        if let Some(section) = self.sections.iter_mut().find(holds) {
            section.inputs.merge(wanted.clone());
            section.selection.merge(wanted);
        }
        Ok(())
    }

    /// The section of this name.
    ///
    /// Faults: `MAPPING_INVALID` (stop flow), naming the sections there are.
    pub fn section(&self, name: &str) -> Result<&Section, Fault> {
        if let Some(section) = self.sections.iter().find(|section| section.name == name) {
            return Ok(section);
        }
        let names: Vec<String> = self
            .sections
            .iter()
            .map(|section| format!("`{}`", section.name))
            .collect();
        let there = if names.is_empty() {
            "there are none".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        let message = format!("{}: no section `{}`; {there}", self.origin, shown(name));
        Err(Fault::stop_flow(code::MAPPING_INVALID, message))
    }
}
