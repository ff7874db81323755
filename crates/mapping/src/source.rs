//! What a field or a condition reads: one path, or the texts at several.

use std::borrow::Cow;

use serde_json::Value;

use crate::convert::text;
use crate::path::Path;
use crate::scope::Scope;

/// Where a value is read.
#[derive(Clone, Debug)]
pub enum Source {
    Path(Path),
    /// The texts at these paths, one after the other.
    Concat {
        paths: Vec<Path>,
        separator: String,
    },
}

/// What an absent part does to a concatenation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Is wrong, and named.
    Refuse,
    /// The others are the whole.
    Skip,
    /// The whole is absent.
    Absent,
}

impl Source {
    /// The value, if it is there. `Err` names the source path and says what is wrong.
    pub fn find<'a>(&self, scope: &Scope<'a>, gap: Gap) -> Result<Option<Cow<'a, Value>>, String> {
        match self {
            Self::Path(path) => Ok(path.find(scope)?.map(Cow::Borrowed)),
            Self::Concat { paths, separator } => {
                let whole = concat(scope, paths, separator, gap)?;
                Ok(whole.map(|whole| Cow::Owned(Value::String(whole))))
            }
        }
    }

    pub fn paths(&self) -> &[Path] {
        match self {
            Self::Path(path) => std::slice::from_ref(path),
            Self::Concat { paths, .. } => paths,
        }
    }

    /// The full source path, or paths: `A + B`.
    #[cold]
    pub fn place(&self, scope: &Scope) -> String {
        let places = self.paths().iter().map(|path| scope.source(path));
        places.collect::<Vec<_>>().join(" + ")
    }
}

fn concat(
    scope: &Scope,
    paths: &[Path],
    separator: &str,
    gap: Gap,
) -> Result<Option<String>, String> {
    let mut parts = Vec::with_capacity(paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        match path.find(scope) {
            Ok(Some(value)) => match text(value) {
                Ok(part) => parts.push(part),
                Err(reason) => wrong.push(format!("{} {reason}", scope.source(path))),
            },
            Ok(None) if gap == Gap::Refuse => {
                wrong.push(format!("{} is missing", scope.source(path)));
            }
            Ok(None) => {}
            Err(reason) => wrong.push(reason),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join(", "));
    }
    if parts.is_empty() || (gap == Gap::Absent && parts.len() < paths.len()) {
        return Ok(None);
    }
    Ok(Some(parts.join(separator)))
}
