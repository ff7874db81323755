//! Messages on their way to receivers, and when each is tried again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header};
use jiff::Timestamp;

use super::{event_bridge, sns};
use crate::vendor::Delivery;

/// SNS tries three times more, this far apart.
const TOPIC_RETRY_COUNT_MAX: u32 = 3;
const TOPIC_RETRY_WAIT: Duration = Duration::from_secs(20);
/// EventBridge tries for a day, and no more than so often.
const EVENT_RETRY_COUNT_MAX: u32 = 185;
const EVENT_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
const EVENT_RETRY_WAIT_MIN: Duration = Duration::from_secs(1);
const EVENT_RETRY_WAIT_MAX: Duration = Duration::from_secs(10 * 60);

/// Who carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    Sns,
    EventBridge,
}

/// Messages under way.
#[derive(Default)]
pub(super) struct Deliveries {
    waiting: BTreeMap<u64, Waiting>,
    schedule: BTreeSet<(Timestamp, u64)>,
    /// Attempts, and the messages they carry.
    in_flight: HashMap<u64, u64>,
    last_number: u64,
}

struct Waiting {
    carrier: Carrier,
    request: Request<Bytes>,
    queued: Timestamp,
    attempt_count: u32,
}

impl Deliveries {
    pub(super) fn queue(&mut self, carrier: Carrier, request: Request<Bytes>, now: Timestamp) {
        self.last_number += 1;
        self.schedule.insert((now, self.last_number));
        let waiting = Waiting {
            carrier,
            request,
            queued: now,
            attempt_count: 0,
        };
        self.waiting.insert(self.last_number, waiting);
    }

    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        let later = self.schedule.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut self.schedule, later);
        let mut deliveries = Vec::new();
        for (_, number) in due {
            if let Some(waiting) = self.waiting.get(&number) {
                self.last_number += 1;
                self.in_flight.insert(self.last_number, number);
                deliveries.push(Delivery {
                    id: self.last_number,
                    request: waiting.request.clone(),
                });
            }
        }
        deliveries
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.schedule.first().map(|&(due, _)| due)
    }

    /// An attempt went nowhere, and nobody will try again.
    pub(super) fn forget(&mut self, delivery: u64) {
        if let Some(number) = self.in_flight.remove(&delivery) {
            self.waiting.remove(&number);
        }
    }

    /// What came of an attempt. A copy's outcome counts no more.
    pub(super) fn settle(
        &mut self,
        delivery: u64,
        answer: Option<&Response<Bytes>>,
        now: Timestamp,
    ) {
        let Some(number) = self.in_flight.remove(&delivery) else {
            return;
        };
        let Some(waiting) = self.waiting.get_mut(&number) else {
            return;
        };
        match waiting.wait(answer, now) {
            Some(wait) => {
                waiting.attempt_count += 1;
                let due = now.saturating_add(wait).unwrap_or(now);
                self.schedule.insert((due, number));
            }
            None => {
                self.waiting.remove(&number);
            }
        }
    }
}

impl Waiting {
    /// How long until the next attempt; none if this was the last.
    fn wait(&self, answer: Option<&Response<Bytes>>, now: Timestamp) -> Option<Duration> {
        match self.carrier {
            Carrier::Sns => {
                let again = sns::is_worth_another_try(answer);
                (again && self.attempt_count < TOPIC_RETRY_COUNT_MAX).then_some(TOPIC_RETRY_WAIT)
            }
            Carrier::EventBridge => {
                let factor = 1_u32
                    .checked_shl(self.attempt_count.min(20))
                    .unwrap_or(u32::MAX);
                let wait = EVENT_RETRY_WAIT_MIN.saturating_mul(factor);
                let wait = wait.min(EVENT_RETRY_WAIT_MAX).max(retry_after(answer));
                let age = now.duration_since(self.queued).unsigned_abs() + wait;
                let again = event_bridge::is_worth_another_try(answer)
                    && self.attempt_count < EVENT_RETRY_COUNT_MAX
                    && age <= EVENT_AGE_MAX;
                again.then_some(wait)
            }
        }
    }
}

/// What the receiver asks for, in seconds.
fn retry_after(answer: Option<&Response<Bytes>>) -> Duration {
    let value = answer.and_then(|answer| answer.headers().get(header::RETRY_AFTER));
    let seconds = value.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}
