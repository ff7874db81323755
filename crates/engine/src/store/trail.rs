//! What people do, and the trail it leaves.
//!
//! A line of the trail is the action: a trigger does what it says in the same statement. Lines are never
//! changed or deleted; the database refuses it.

use serde_json::{Value, json};
use sluice_core::ports::{Cell, Row};
use sluice_core::{Ports, Result};

use super::{Standing, ms, places};
use crate::edit::Edit;
use crate::seen::Seen;

/// The trail of one flow.
pub struct Trail<'a> {
    pub flow: &'a str,
    pub ports: &'a Ports,
}

/// Who acts, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct By {
    who: Option<String>,
    pub reason: Option<String>,
}

/// Whoever knows the token, where nobody says more.
const ANYBODY: &str = "token";
const NAME_LENGTH_MAX: usize = 64;

/// Which records to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// These, whatever they wait for.
    Ids(Vec<String>),
    /// Dead letters of this fault's code.
    Code(String),
    /// Every dead letter.
    All,
}

impl By {
    /// Whoever has the token. `who` is what they call themselves: cut to a bounded length, and what is not
    /// to be printed taken out.
    pub fn named(who: Option<&str>, reason: Option<String>) -> Self {
        let plain = |text: &str| -> String {
            let letters = text.chars().filter(|letter| !letter.is_control());
            letters.take(NAME_LENGTH_MAX).collect()
        };
        let who = who.map(str::trim).map(plain).filter(|who| !who.is_empty());
        Self { who, reason }
    }

    fn who(&self) -> &str {
        self.who.as_deref().unwrap_or(ANYBODY)
    }
}

const INSERT: &str =
    "INSERT INTO trail (flow, at, who, action, subject, reason, details, version, seen)";

/// A line to be written, if its condition holds at that moment.
#[derive(Default)]
struct Line<'a> {
    action: &'static str,
    subject: &'a str,
    details: Option<Value>,
    seen: Option<&'a Seen>,
    /// SQL over ?1 flow, ?2 now, ?4 subject, ?10 `given`.
    condition: &'static str,
    given: Option<i64>,
}

impl Trail<'_> {
    /// True if the flow was not paused.
    pub async fn pause(&self, by: &By) -> Result<bool> {
        let line = Line {
            action: "pause",
            subject: self.flow,
            condition: "NOT EXISTS (SELECT 1 FROM paused WHERE flow = ?1)",
            ..Line::default()
        };
        self.write(line, by).await
    }

    /// True if the flow was paused.
    pub async fn resume(&self, by: &By) -> Result<bool> {
        let line = Line {
            action: "resume",
            subject: self.flow,
            condition: "EXISTS (SELECT 1 FROM paused WHERE flow = ?1)",
            ..Line::default()
        };
        self.write(line, by).await
    }

    /// Makes the records due now, their attempts forgotten, unless they are in work; returns which.
    pub async fn retry(&self, which: &Which, by: &By) -> Result<Vec<String>> {
        let (condition, given) = match which {
            Which::Ids(ids) => {
                let condition = format!("id IN ({})", places(5, ids.len()));
                (condition, ids.iter().map(|id| id.as_str().into()).collect())
            }
            Which::Code(code) => {
                let condition = "state = 'dead' AND why = ?5".to_owned();
                (condition, vec![Cell::from(code.as_str())])
            }
            Which::All => ("state = 'dead'".to_owned(), Vec::new()),
        };
        let statement = format!(
            "{INSERT} SELECT ?1, ?2, ?3, 'retry', id, ?4, NULL, NULL, NULL FROM queue
             WHERE flow = ?1 AND lease_until <= ?2 AND {condition} ORDER BY due RETURNING subject"
        );
        let mut parameters = vec![
            self.flow.into(),
            ms(self.ports.clock.now()),
            by.who().into(),
            by.reason.as_deref().into(),
        ];
        parameters.extend(given);
        let rows = self.ports.sql.execute(&statement, &parameters).await?;
        rows.iter()
            .map(|row| row.text(0).map(str::to_owned))
            .collect()
    }

    /// Takes a record off the queue. `seen` is the state of the source that is skipped; without it, the one
    /// it died of. False if it is in work, not in the queue, or was announced anew since it stood so.
    pub async fn skip(
        &self,
        id: &str,
        standing: Standing,
        seen: Option<&Seen>,
        by: &By,
    ) -> Result<bool> {
        let line = Line {
            action: "skip",
            subject: id,
            seen,
            condition: "EXISTS (SELECT 1 FROM queue
                WHERE flow = ?1 AND id = ?4 AND lease_until <= ?2 AND hint = ?10)",
            given: Some(standing.hint),
            ..Line::default()
        };
        self.write(line, by).await
    }

    /// Queues a record with an edit of the source's data. False if it is in work.
    pub async fn edit(&self, id: &str, edit: &Edit, by: &By) -> Result<bool> {
        let seen = Seen {
            version: None,
            state: edit.of.clone(),
        };
        let line = Line {
            action: "edit",
            subject: id,
            details: Some(Value::Object(edit.patch.clone())),
            seen: Some(&seen),
            condition: IDLE,
            ..Line::default()
        };
        self.write(line, by).await
    }

    /// Notes that somebody wants a record brought in line now. False if it is in work.
    pub async fn sync(&self, id: &str, by: &By) -> Result<bool> {
        let line = Line {
            action: "sync",
            subject: id,
            condition: IDLE,
            ..Line::default()
        };
        self.write(line, by).await
    }

    /// Notes that a record is about to be linked to a target that was there before. The link is kept elsewhere:
    /// the line comes first. False if the flow works, or the record is in work.
    pub async fn adopt(&self, id: &str, details: Value, by: &By) -> Result<bool> {
        let line = Line {
            action: "adopt",
            subject: id,
            details: Some(details),
            condition: PAUSED_AND_IDLE,
            ..Line::default()
        };
        self.write(line, by).await
    }

    /// Notes where the cursor is about to be set. It is kept elsewhere: the line comes first.
    pub async fn cursor(&self, details: Value, by: &By) -> Result<()> {
        let line = Line {
            action: "cursor",
            subject: self.flow,
            details: Some(details),
            condition: "true",
            ..Line::default()
        };
        self.write(line, by).await.map(|_| ())
    }

    /// Notes that a backfill is about to begin or to be stopped. It is kept elsewhere: the line comes first.
    pub async fn backfill(&self, details: Value, by: &By) -> Result<()> {
        let line = Line {
            action: "backfill",
            subject: self.flow,
            details: Some(details),
            condition: "true",
            ..Line::default()
        };
        self.write(line, by).await.map(|_| ())
    }

    async fn write(&self, line: Line<'_>, by: &By) -> Result<bool> {
        let statement = format!(
            "{INSERT} SELECT ?1, ?2, ?3, ?5, ?4, ?6, ?7, ?8, ?9 WHERE {} RETURNING seq",
            line.condition
        );
        let version = line.seen.and_then(|seen| seen.version);
        let mut parameters = vec![
            self.flow.into(),
            ms(self.ports.clock.now()),
            by.who().into(),
            line.subject.into(),
            line.action.into(),
            by.reason.as_deref().into(),
            line.details.map(|details| details.to_string()).into(),
            version.map(|version| version.0).into(),
            line.seen.map(|seen| seen.state.as_str()).into(),
        ];
        parameters.extend(line.given.map(Cell::Integer));
        let rows = self.ports.sql.execute(&statement, &parameters).await?;
        Ok(!rows.is_empty())
    }

    /// Since when, by whom and why the flow is paused; null if it is not.
    pub async fn paused(&self) -> Result<Value> {
        let statement = "SELECT since, who, reason FROM paused WHERE flow = ?1";
        let rows = self
            .ports
            .sql
            .execute(statement, &[self.flow.into()])
            .await?;
        let Some(row) = rows.first() else {
            return Ok(Value::Null);
        };
        Ok(json!({
            "since": super::time(row, 0)?,
            "who": row.text(1)?,
            "reason": row.optional_text(2)?,
        }))
    }

    /// The last lines before this number, the newest first; those about one record, if it is named.
    pub async fn lines(
        &self,
        subject: Option<&str>,
        before: Option<i64>,
        count: u32,
    ) -> Result<Vec<Value>> {
        let about = match subject {
            Some(_) => "subject = ?4",
            None => "?4 IS NULL",
        };
        let statement = format!(
            "SELECT seq, at, who, action, subject, reason, details FROM trail
             WHERE flow = ?1 AND {about} AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
        );
        let parameters = [
            self.flow.into(),
            Cell::Integer(before.unwrap_or(i64::MAX)),
            Cell::Integer(count.into()),
            subject.into(),
        ];
        let rows = self.ports.sql.execute(&statement, &parameters).await?;
        rows.iter().map(line).collect()
    }
}

const IDLE: &str =
    "NOT EXISTS (SELECT 1 FROM queue WHERE flow = ?1 AND id = ?4 AND lease_until > ?2)";
/// The same, and nobody works: what is linked now is not linked by a run at the same time.
const PAUSED_AND_IDLE: &str = "EXISTS (SELECT 1 FROM paused WHERE flow = ?1)
    AND NOT EXISTS (SELECT 1 FROM queue WHERE flow = ?1 AND id = ?4 AND lease_until > ?2)";

fn line(row: &Row) -> Result<Value> {
    Ok(json!({
        "seq": row.integer(0)?,
        "at": super::time(row, 1)?,
        "who": row.text(2)?,
        "action": row.text(3)?,
        "subject": row.text(4)?,
        "reason": row.optional_text(5)?,
        "details": super::parsed(row.optional_text(6)?),
    }))
}
