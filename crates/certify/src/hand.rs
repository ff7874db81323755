//! What whoever plays a scene by hand does on the ground: look, act, wait, and say what befalls whom.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sandbox::World;

use crate::ground::{Ground, Kind, Rows, State, StoreError};
use crate::misfortune::Misfortune;

/// What befalls a worker's next step of a kind, by what it touches.
pub(crate) struct Fated {
    worker: usize,
    kind: Kind,
    label: String,
    /// So many such steps are spared first.
    spared: usize,
    misfortune: Misfortune,
}

impl Ground {
    /// Acts in both systems as their people do.
    pub fn world<T>(&self, act: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let mut state = self.state();
        let now = state.now;
        state.world.advance(now);
        act(&mut state.world, now)
    }

    /// Looks into the database; counts as nobody's step.
    ///
    /// # Errors
    /// The database's own word.
    pub fn look(&self, statement: &str) -> Result<Rows, StoreError> {
        self.state().query(statement, Vec::new())
    }

    /// What stands under a key.
    pub fn key(&self, key: &str) -> Option<Vec<u8>> {
        self.state().key_value.get(key).cloned()
    }

    /// Takes a key away, as an operator can.
    pub fn forget(&self, key: &str) {
        self.state().key_value.remove(key);
    }

    /// Time goes by.
    pub fn wait(&self, time: Duration) {
        let mut state = self.state();
        state.now += SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    }

    /// The time by a worker's own clock.
    pub fn clock(&self, worker: usize) -> Timestamp {
        let state = self.state();
        state.now + state.workers[worker].drift
    }

    /// Sets a worker's clock this far ahead, or behind.
    pub fn drift(&self, worker: usize, drift: SignedDuration) {
        self.state().workers[worker].drift = drift;
    }

    /// Says what befalls a worker's step of this kind whose label holds this text, the first `spared` such
    /// steps left out. A stalled worker stands still until [`Ground::resume`].
    pub fn befall(
        &self,
        worker: usize,
        kind: Kind,
        label: &str,
        spared: usize,
        misfortune: Misfortune,
    ) {
        self.state().fated.push(Fated {
            worker,
            kind,
            label: label.to_owned(),
            spared,
            misfortune,
        });
    }
}

impl State {
    /// What befalls the latest step, if anything is to: once.
    pub(crate) fn befallen(
        &mut self,
        worker: usize,
        kind: Kind,
        label: &str,
    ) -> Option<Misfortune> {
        let is_meant = |fated: &Fated| {
            fated.worker == worker && fated.kind == kind && label.contains(&fated.label)
        };
        let at = self.fated.iter().position(is_meant)?;
        if self.fated[at].spared > 0 {
            self.fated[at].spared -= 1;
            return None;
        }
        Some(self.fated.remove(at).misfortune)
    }
}
