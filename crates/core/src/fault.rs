//! Why a step failed and what the engine must do about it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use serde::Serialize;

use crate::Answer;

/// Why a step failed **and what to do about it**.
///
/// `message` is one line for an operator: it names ids and fields, never a secret and no more personal
/// data than needed. Every code has a page `docs/faults/<CODE>.md`.
///
/// Boxed: every function that may fail returns it, nearly none does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Fault(Box<Details>);

/// What a [`Fault`] says; reached through it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Details {
    pub code: Code,
    pub action: Action,
    pub message: String,
    /// Every bad field of the record, so that one look suffices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<BadField>,
    /// What the vendor answered, where it was the vendor that refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Whether a write may have taken effect all the same.
    pub write: WriteOutcome,
}

/// What the engine must do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Try again; the engine chooses when, backing off with jitter.
    Retry,
    /// Try again, but not before this has passed.
    RetryAfter(#[serde(serialize_with = "as_seconds")] Duration),
    /// Wait, costing no attempts, until what is named here exists: link keys or natural keys.
    WaitFor(Vec<String>),
    /// The credentials were refused after one fresh login.
    RefreshCredentials,
    /// Give the record up until a person decides or a new hint arrives.
    DeadLetter,
    /// Nothing in this flow can work: stop the run, keep everything queued.
    StopFlow,
}

/// Whether the failed step may have changed the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteOutcome {
    /// It was a read, or the vendor said that it refused, or the request never left.
    #[default]
    Nothing,
    /// A write was sent and no whole answer came: it may have happened, or may happen yet.
    Unknown,
}

/// One field that could not be mapped or that the vendor refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadField {
    /// Dotted path with list positions: `item.items[2].quantity`.
    pub path: String,
    pub reason: String,
}

/// The name of a fault: upper case with underscores, stable over releases.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Code(pub &'static str);

/// The codes that are not one connector's. Connectors define theirs as `pub const` of [`Code`].
pub mod code {
    use super::Code;

    pub const VARIABLE_MISSING: Code = Code("VARIABLE_MISSING");
    pub const VARIABLE_INVALID: Code = Code("VARIABLE_INVALID");
    pub const MAPPING_INVALID: Code = Code("MAPPING_INVALID");
    pub const MAPPING_FIELDS: Code = Code("MAPPING_FIELDS");
    pub const TOTAL_DIFFERS: Code = Code("TOTAL_DIFFERS");
    pub const REFERENCE_MISSING: Code = Code("REFERENCE_MISSING");
    pub const REFERENCE_AMBIGUOUS: Code = Code("REFERENCE_AMBIGUOUS");
    pub const PARENT_BUSY: Code = Code("PARENT_BUSY");
    pub const PARENT_CIRCLE: Code = Code("PARENT_CIRCLE");
    pub const PARENT_DEPTH: Code = Code("PARENT_DEPTH");
    pub const SOURCE_STALE: Code = Code("SOURCE_STALE");
    pub const SOURCE_DELETED: Code = Code("SOURCE_DELETED");
    pub const SOURCE_PAGING: Code = Code("SOURCE_PAGING");
    pub const TARGET_DELETED: Code = Code("TARGET_DELETED");
    pub const TARGET_LOCKED: Code = Code("TARGET_LOCKED");
    pub const TARGET_RACE: Code = Code("TARGET_RACE");
    pub const ATTEMPTS_EXHAUSTED: Code = Code("ATTEMPTS_EXHAUSTED");
    pub const WAITED_TOO_LONG: Code = Code("WAITED_TOO_LONG");
    pub const STORE_BUSY: Code = Code("STORE_BUSY");
    pub const STORE_FAILED: Code = Code("STORE_FAILED");
    pub const STORE_CORRUPT: Code = Code("STORE_CORRUPT");
    pub const NOT_SENT: Code = Code("NOT_SENT");
    pub const ANSWER_LOST: Code = Code("ANSWER_LOST");
    pub const ANSWER_TOO_LARGE: Code = Code("ANSWER_TOO_LARGE");
    pub const ANSWER_INVALID: Code = Code("ANSWER_INVALID");
    pub const FIELD_MISSING: Code = Code("FIELD_MISSING");
    pub const FIELD_INVALID: Code = Code("FIELD_INVALID");
}

impl Fault {
    fn new(code: Code, action: Action, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            code,
            action,
            message: message.into(),
            fields: Vec::new(),
            answer: None,
            write: WriteOutcome::Nothing,
        }))
    }

    pub fn retry(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Action::Retry, message)
    }

    pub fn retry_after(wait: Duration, code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Action::RetryAfter(wait), message)
    }

    /// [`Fault::retry_after`] where a wait is known, else [`Fault::retry`].
    pub fn retry_in(wait: Option<Duration>, code: Code, message: impl Into<String>) -> Self {
        Self::new(
            code,
            wait.map_or(Action::Retry, Action::RetryAfter),
            message,
        )
    }

    pub fn wait_for(missing: Vec<String>, code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Action::WaitFor(missing), message)
    }

    pub fn refresh_credentials(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Action::RefreshCredentials, message)
    }

    pub fn dead_letter(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Action::DeadLetter, message)
    }

    pub fn stop_flow(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Action::StopFlow, message)
    }

    /// Whether nothing was sent because a limit that is kept count of says when it may be: nobody refused, and
    /// the record is not to blame.
    pub fn is_held_back(&self) -> bool {
        matches!(self.action, Action::RetryAfter(_))
            && self.answer.is_none()
            && self.write == WriteOutcome::Nothing
    }

    pub fn with_fields(mut self, fields: Vec<BadField>) -> Self {
        self.fields = fields;
        self
    }

    pub fn with_answer(mut self, answer: Answer) -> Self {
        self.answer = Some(answer);
        self
    }

    /// Marks that the write may have taken effect.
    pub fn with_unknown_write(mut self) -> Self {
        self.write = WriteOutcome::Unknown;
        self
    }
}

impl Deref for Fault {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Fault {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        for field in &self.fields {
            write!(f, "; {}: {}", field.path, field.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl BadField {
    pub fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

fn as_seconds<S: serde::Serializer>(wait: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(wait.as_secs())
}
