//! The states of the source in which records died or were skipped.

use std::collections::BTreeMap;

use sluice_core::ports::Cell;
use sluice_core::{Result, Version};

use super::Queue;
use crate::seen::Seen;

/// What a person has yet to decide, or decided, about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    pub seen: Seen,
    /// Its state in the queue; `None` where it is no longer there: it was skipped.
    pub state: Option<String>,
}

impl Queue<'_> {
    /// Those of the records that were given up, in which state of the source.
    pub async fn given_up(&self, ids: &[&str]) -> Result<BTreeMap<String, GivenUp>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let places = super::places(2, ids.len());
        let statement = format!(
            "SELECT g.id, g.version, g.seen, q.state FROM given_up AS g
             LEFT JOIN queue AS q ON q.flow = g.flow AND q.id = g.id
             WHERE g.flow = ?1 AND g.id IN ({places})"
        );
        let mut parameters: Vec<Cell> = vec![self.flow.into()];
        parameters.extend(ids.iter().map(|id| Cell::from(*id)));
        let rows = self.ports.sql.execute(&statement, &parameters).await?;
        let mut given_up = BTreeMap::new();
        for row in rows {
            let seen = Seen {
                version: row.optional_integer(1)?.map(Version),
                state: row.text(2)?.to_owned(),
            };
            let state = row.optional_text(3)?.map(str::to_owned);
            given_up.insert(row.text(0)?.to_owned(), GivenUp { seen, state });
        }
        Ok(given_up)
    }
}
