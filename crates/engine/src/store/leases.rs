//! Leases on anything named: a flow's extraction, a parent record.

use std::time::Duration;

use jiff::Timestamp;
use sluice_core::ports::Cell;
use sluice_core::time::later;
use sluice_core::{Ports, Result};

use super::{WAIT_MAX, ms};

/// The right to work on something until a time. Not released by itself: it ends when the time has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    name: String,
    token: i64,
    pub until: Timestamp,
}

impl Lease {
    /// Takes the lease if it is free or has run out, or was taken by a clock that ran fast; `None` if
    /// somebody else holds it.
    pub async fn take(ports: &Ports, name: String, length: Duration) -> Result<Option<Self>> {
        let now = ports.clock.now();
        let until = later(now, length);
        let token = token(ports);
        let statement = "INSERT INTO lease (name, token, until) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET token = excluded.token, until = excluded.until
             WHERE lease.until <= ?4 OR lease.until > ?5 RETURNING token";
        let parameters = [
            name.as_str().into(),
            Cell::Integer(token),
            ms(until),
            ms(now),
            ms(later(now, WAIT_MAX)),
        ];
        let rows = ports.sql.execute(statement, &parameters).await?;
        Ok((!rows.is_empty()).then_some(Self { name, token, until }))
    }

    /// Gives the lease back. If it had run out and was taken over, nothing happens.
    pub async fn release(self, ports: &Ports) -> Result<()> {
        let statement = "DELETE FROM lease WHERE name = ?1 AND token = ?2";
        let parameters = [self.name.into(), Cell::Integer(self.token)];
        ports.sql.execute(statement, &parameters).await?;
        Ok(())
    }
}

/// A number nobody else has drawn: 63 random bits.
pub(super) fn token(ports: &Ports) -> i64 {
    (ports.random.number() >> 1) as i64
}
