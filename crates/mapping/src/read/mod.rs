//! From the text of a mapping file to a checked plan.

mod adopt;
mod audit;
mod condition;
mod convert;
mod field;
mod keys;
mod list;
mod literal;
mod problem;
mod section;
mod settings;
mod source;
mod total;

use std::sync::Arc;

use serde_json::Value;
use sluice_core::Fault;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::convert::Table;
use crate::file::MappingFile;
use crate::zone::Zone;
use keys::{Keys, in_order};
use problem::Problems;
use settings::Choice;

/// A mapping is a page or two; this is a library of them.
const BYTES_MAX: usize = 1 << 20;
const VERSION: i64 = 1;

/// What the lines of a file need to know of the rest of it.
pub struct Context<'t> {
    pub problems: Problems<'t>,
    pub tables: Vec<Arc<Table>>,
    /// `settings.time_zone`, if said.
    pub zone: Option<Zone>,
    /// `settings.choices`.
    pub choices: Vec<Choice>,
}

pub fn file(origin: &str, text: &str) -> Result<MappingFile, Fault> {
    let mut problems = Problems::new(origin, text);
    if text.len() > BYTES_MAX {
        problems.add(0..0, format!("the file is larger than {BYTES_MAX} bytes"));
        return Err(problems.into_fault());
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        // What the parser says can span lines.
        let words: Vec<&str> = error.message().split_whitespace().collect();
        problems.add(error.span().unwrap_or(0..0), words.join(" "));
    }
    if !problems.is_empty() {
        return Err(problems.into_fault());
    }
    let file = read(origin, &document, problems)?;
    Ok(file)
}

fn read(
    origin: &str,
    document: &Spanned<DeTable>,
    mut problems: Problems,
) -> Result<MappingFile, Fault> {
    let keys = Keys::new(document.get_ref(), document.span(), "the file");
    version(&keys, &mut problems);
    let (settings, zone, choices) = settings::read(&keys, &mut problems);
    let tables = tables(&keys, &mut problems);
    let mut context = Context {
        problems,
        tables,
        zone,
        choices,
    };
    let mut sections = Vec::new();
    for (key, value) in in_order(document.get_ref()) {
        let name: &str = key.get_ref();
        match value.get_ref() {
            _ if matches!(name, "version" | "settings" | "tables") => {}
            DeValue::Table(table) => {
                let what = format!("section `{name}`");
                let keys = Keys::new(table, key.span(), &what);
                sections.push(section::read(name, &keys, &mut context));
            }
            _ => context.problems.unknown_key(
                key.span(),
                name,
                &["version", "settings", "tables"],
                "the file",
            ),
        }
    }
    if sections.is_empty() {
        let reason = "the file maps nothing: it has no record section such as `[order]`";
        context.problems.add(0..0, reason);
    }
    if !context.problems.is_empty() {
        return Err(context.problems.into_fault());
    }
    Ok(MappingFile {
        origin: origin.to_owned(),
        settings,
        sections,
    })
}

fn version(keys: &Keys, problems: &mut Problems) {
    let Some(value) = keys.get("version") else {
        problems.add(0..0, format!("`version = {VERSION}` is missing"));
        return;
    };
    if value.get_ref().as_integer().map(|v| v.as_str()) != Some("1") {
        let reason = format!("this release reads `version = {VERSION}` only");
        problems.add(value.span(), reason);
    }
}

fn tables(keys: &Keys, problems: &mut Problems) -> Vec<Arc<Table>> {
    let mut tables = Vec::new();
    let Some(all) = keys.table("tables", problems) else {
        return tables;
    };
    for (name, value) in in_order(all) {
        let name_text = name.get_ref().to_string();
        let what = format!("the table `{name_text}`");
        let DeValue::Table(entries) = value.get_ref() else {
            let reason = format!("{what} must be a table of texts");
            problems.add(value.span(), reason);
            continue;
        };
        let keys = Keys::new(entries, name.span(), &what);
        let entries = in_order(entries)
            .into_iter()
            .filter_map(|(from, _)| {
                let to = keys.text(from.get_ref(), problems)?;
                Some((from.get_ref().to_string(), Value::from(to)))
            })
            .collect();
        tables.push(Arc::new(Table {
            name: name_text,
            entries,
        }));
    }
    tables
}
