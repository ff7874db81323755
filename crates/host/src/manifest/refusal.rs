//! Why a manifest was not accepted, and where.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

/// One thing wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line, counted from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// What is wrong, in one line, with what to do about it where that is known.
    pub message: String,
}

/// A manifest that was not accepted: everything wrong with it, by line.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Refused {
    /// The file.
    pub file: PathBuf,
    /// At least one, in the order of the lines.
    pub refusals: Vec<Refusal>,
}

impl Refused {
    pub(crate) fn new(file: &Path, mut refusals: Vec<Refusal>) -> Self {
        refusals.sort_by_key(|refusal| refusal.line);
        Self {
            file: file.to_path_buf(),
            refusals,
        }
    }

    pub(crate) fn one(file: &Path, line: usize, message: String) -> Self {
        Self::new(file, vec![Refusal { line, message }])
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, refusal) in self.refusals.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match refusal.line {
                0 => write!(f, "{}: {}", self.file.display(), refusal.message)?,
                line => write!(f, "{}:{line}: {}", self.file.display(), refusal.message)?,
            }
        }
        Ok(())
    }
}

/// Collects refusals while a document is read, turning byte offsets into lines.
pub(super) struct Refusals {
    line_starts: Vec<usize>,
    list: RefCell<Vec<Refusal>>,
}

impl Refusals {
    pub(super) fn new(text: &str) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            line_starts,
            list: RefCell::default(),
        }
    }

    /// The line of a byte offset, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    pub(super) fn add(&self, at: usize, message: impl Into<String>) {
        self.add_at_line(self.line(at), message);
    }

    pub(super) fn add_at_line(&self, line: usize, message: impl Into<String>) {
        self.list.borrow_mut().push(Refusal {
            line,
            message: message.into(),
        });
    }

    pub(super) fn into_list(self) -> Vec<Refusal> {
        self.list.into_inner()
    }
}
