//! When a failed record is tried again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sluice_core::time::later;
use sluice_core::{Action, Fault, Ports, WriteOutcome, code};

use crate::store::Item;

/// Counted attempts before a record becomes a dead letter: about five hours of back-off.
pub const ATTEMPT_COUNT_MAX: u32 = 25;
const FIRST_WAIT: Duration = Duration::from_secs(2);
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// How long a record may wait for its parent.
const WAITING_MAX: SignedDuration = SignedDuration::from_hours(24 * 30);
const FIRST_RECHECK: SignedDuration = SignedDuration::from_secs(10);
const RECHECK_MAX: SignedDuration = SignedDuration::from_mins(10);
/// What a flow that can't work at all waits before the record is tried again.
const STOPPED_WAIT: Duration = Duration::from_secs(5 * 60);

/// What becomes of a record after a fault.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Retry {
        due: Timestamp,
        counts: bool,
        confirm_at: Option<Timestamp>,
    },
    Park {
        on: String,
        due: Timestamp,
    },
    /// Give up, for this fault.
    Dead(Fault),
}

/// Decides by the fault's action and the item's history. `settles_within` is how long the target may still
/// be working on a lost write.
pub fn verdict(ports: &Ports, item: &Item, fault: &Fault, settles_within: Duration) -> Verdict {
    let now = ports.clock.now();
    let confirm_at = (fault.write == WriteOutcome::Unknown).then(|| later(now, settles_within));
    let retry = |wait: Duration, counts: bool| Verdict::Retry {
        due: later(now, jitter(ports, wait)),
        counts,
        confirm_at,
    };
    match &fault.action {
        Action::DeadLetter => Verdict::Dead(fault.clone()),
        Action::WaitFor(missing) => {
            let since = item.waiting_since.unwrap_or(now);
            let waited = now.duration_since(since);
            if waited > WAITING_MAX {
                return Verdict::Dead(given_up(fault, code::WAITED_TOO_LONG, "waited for 30 days"));
            }
            let recheck = (waited / 2).clamp(FIRST_RECHECK, RECHECK_MAX);
            Verdict::Park {
                on: missing.first().cloned().unwrap_or_default(),
                due: later(now, recheck.unsigned_abs()),
            }
        }
        // The record is not to blame, and does not die of it.
        Action::StopFlow | Action::RefreshCredentials => retry(STOPPED_WAIT, false),
        // Nor of a system's limit: a backlog may wait for its turn longer than for all attempts together.
        Action::RetryAfter(wait) => retry(*wait, false),
        Action::Retry if item.attempts >= ATTEMPT_COUNT_MAX => {
            let why = format!("tried {} times", item.attempts);
            Verdict::Dead(given_up(fault, code::ATTEMPTS_EXHAUSTED, &why))
        }
        Action::Retry => retry(back_off(item.attempts), true),
    }
}

fn back_off(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    FIRST_WAIT.saturating_mul(1 << doublings).min(WAIT_MAX)
}

/// Between the wait and one and a half times it: never earlier than asked, and not all at once.
fn jitter(ports: &Ports, wait: Duration) -> Duration {
    let half_ms = u64::try_from(wait.as_millis() / 2).unwrap_or(u64::MAX);
    wait + Duration::from_millis(ports.random.number() % half_ms.max(1))
}

fn given_up(fault: &Fault, code: sluice_core::Code, why: &str) -> Fault {
    let message = format!(
        "{why}; the last fault was {}: {}",
        fault.code, fault.message
    );
    let mut given_up = fault.clone();
    given_up.action = Action::DeadLetter;
    given_up.code = code;
    given_up.message = message;
    given_up
}
