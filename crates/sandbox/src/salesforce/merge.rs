//! Merging accounts, as users do who find one company entered twice.
//! <https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_merge.htm>

use jiff::Timestamp;

use super::{
    Id, Salesforce,
    error::Error,
    schema::{Object, audit, object},
    user::{known, refused},
    value::Value,
    write::Author,
};
use crate::vendor::EditError;

impl Salesforce {
    /// Merges an account into another one: what refers to it refers to the other, and it goes to the recycle
    /// bin with the other's id in `MasterRecordId`.
    ///
    /// # Errors
    /// [`EditError::NotFound`], or [`EditError::Refused`] with the organization's reason.
    pub fn user_merge(&mut self, master: Id, losing: Id, now: Timestamp) -> Result<(), EditError> {
        let kind = known("Account")?;
        let author = self.salesperson(now);
        let merged = self.attempt(|org| org.merge(kind, master, losing, author));
        self.finish(now);
        merged.map_err(refused)
    }

    fn merge(
        &mut self,
        kind: &'static Object,
        master: Id,
        losing: Id,
        author: Author,
    ) -> Result<(), Error> {
        let master_row = self.live_row(kind, master)?;
        let losing_row = self.live_row(kind, losing)?;
        if master == losing {
            let message = "A record cannot be merged with itself.";
            return Err(Error::bad("MERGE_FAILED", message));
        }
        for child in kind.children {
            let Some(children) = object(child.object) else {
                continue;
            };
            let Some(field) = children.field(child.field) else {
                continue;
            };
            let table = self.store.table(children);
            let rows: Vec<usize> = table
                .referring(field, losing)
                .filter(|&row| !table.is_deleted(row))
                .collect();
            for row in rows {
                self.store.set(children, row, field, Value::Id(master));
                self.touch(children, row, author);
            }
        }
        if let Some(field) = kind.field("MasterRecordId") {
            self.store.set(kind, losing_row, field, Value::Id(master));
        }
        self.store
            .set(kind, losing_row, audit::IS_DELETED, Value::Bool(true));
        self.touch(kind, losing_row, author);
        self.touch(kind, master_row, author);
        Ok(())
    }
}
