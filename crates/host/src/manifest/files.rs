//! The files of a component, copied into a folder of their own, as Spin does at start.
//!
//! A copy means that editing a mounted file takes effect at the next start, and never in the middle of a
//! run.

use std::path::{Path, PathBuf};

use super::Manifest;
use super::component::{Component, Files};
use super::refusal::{Refusal, Refused};

impl Manifest {
    /// Copies the files of a component into a new folder; none if it has no files.
    ///
    /// Refused: a path that does not exist and is no pattern, and whatever can't be copied.
    pub fn copy_files(
        &self,
        component: &Component,
        into: &Path,
    ) -> Result<Option<PathBuf>, Refused> {
        if component.files.is_empty() {
            return Ok(None);
        }
        for files in &component.files {
            let line = match files {
                Files::Pattern(_, line) | Files::Placed { line, .. } => *line,
            };
            self.copy_entry(component, files, into).map_err(|reason| {
                let message = format!("component \"{}\": files: {reason}", component.id);
                Refused::new(&self.file, vec![Refusal { line, message }])
            })?;
        }
        Ok(Some(into.to_path_buf()))
    }

    fn copy_entry(&self, component: &Component, files: &Files, into: &Path) -> Result<(), String> {
        let (source, destination) = match files {
            Files::Pattern(pattern, _) => (pattern.as_str(), pattern.as_str()),
            Files::Placed {
                source,
                destination,
                ..
            } => (source.as_str(), destination.trim_start_matches('/')),
        };
        // Absolute, as paths found by a pattern lose a leading "./".
        let folder = std::path::absolute(&self.folder).map_err(|error| error.to_string())?;
        let path = folder.join(source);
        if path.is_file() {
            return copy(&path, &into.join(destination));
        }
        let from = From {
            folder: &folder,
            excluded: &component.exclude_files,
        };
        if path.is_dir() {
            let pattern = Path::new(&escape(&path)?).join("**/*");
            return from.copy_matching(&pattern, &path, &into.join(destination));
        }
        let is_pattern = source.contains(['*', '?', '[']);
        match files {
            Files::Pattern(..) if is_pattern => {
                let pattern = Path::new(&escape(&folder)?).join(source);
                from.copy_matching(&pattern, &folder, into)
            }
            _ => Err(format!("{source} does not exist")),
        }
    }
}

/// The application's folder, and what in it is not copied.
struct From<'a> {
    folder: &'a Path,
    excluded: &'a [String],
}

impl From<'_> {
    fn copy_matching(&self, pattern: &Path, base: &Path, into: &Path) -> Result<(), String> {
        let pattern = pattern.to_str().ok_or("the path is not UTF-8")?;
        let excluded: Vec<glob::Pattern> = self
            .excluded
            .iter()
            .filter_map(|pattern| glob::Pattern::new(pattern).ok()) // Checked when the manifest was read.
            .collect();
        for path in glob::glob(pattern).map_err(|error| error.to_string())? {
            let path = path.map_err(|error| error.to_string())?;
            let in_application = path
                .strip_prefix(self.folder)
                .map_err(|error| error.to_string())?;
            let is_excluded = excluded
                .iter()
                .any(|pattern| pattern.matches_path(in_application));
            if !path.is_file() || is_excluded {
                continue;
            }
            let relative = path.strip_prefix(base).map_err(|error| error.to_string())?;
            copy(&path, &into.join(relative))?;
        }
        Ok(())
    }
}

/// A folder whose name may hold characters that mean something in a pattern.
fn escape(folder: &Path) -> Result<String, String> {
    Ok(glob::Pattern::escape(
        folder.to_str().ok_or("the path is not UTF-8")?,
    ))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let parent = to.parent().ok_or("the destination has no folder")?;
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::copy(from, to))
        .map(|_| ())
        .map_err(|error| format!("can't copy {} to {}: {error}", from.display(), to.display()))
}
