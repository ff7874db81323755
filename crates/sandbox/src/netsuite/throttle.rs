//! How many requests the account serves at once, and in a minute.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::Refusal;

use super::answer::ConcurrencyForm;

/// How many requests are served. Without limits, all are.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests in work at once; each counts as in work for [`Limits::service_time`].
    pub concurrency: Option<usize>,
    /// How long a request counts as in work.
    pub service_time: SignedDuration,
    /// Requests in any sixty seconds.
    pub per_minute: Option<usize>,
    /// How a refusal for concurrency is worded.
    pub form: ConcurrencyForm,
    /// Whether it comes dressed as a failed login instead.
    pub as_login: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: None,
            service_time: SignedDuration::from_millis(250),
            per_minute: None,
            form: ConcurrencyForm::default(),
            as_login: false,
        }
    }
}

/// The requests of the last minute, and those in work.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    served: VecDeque<Timestamp>,
    in_work: VecDeque<Timestamp>,
}

impl Throttle {
    /// Counts a request in, or says why it is refused.
    pub fn admit(&mut self, limits: &Limits, now: Timestamp) -> Result<(), Refusal> {
        let before = |span: SignedDuration| now.saturating_sub(span).unwrap_or(Timestamp::MIN);
        let minute = before(SignedDuration::from_mins(1));
        while self.served.front().is_some_and(|at| *at <= minute) {
            self.served.pop_front();
        }
        let started = before(limits.service_time);
        while self.in_work.front().is_some_and(|at| *at <= started) {
            self.in_work.pop_front();
        }
        if limits
            .per_minute
            .is_some_and(|max| self.served.len() >= max)
        {
            return Err(Refusal::RateLimit);
        }
        if limits
            .concurrency
            .is_some_and(|max| self.in_work.len() >= max)
        {
            return Err(if limits.as_login {
                Refusal::ConcurrencyAsLogin
            } else {
                Refusal::Concurrency
            });
        }
        // Counted only where a limit asks for it: a long run keeps nothing.
        if limits.per_minute.is_some() {
            self.served.push_back(now);
        }
        if limits.concurrency.is_some() {
            self.in_work.push_back(now);
        }
        Ok(())
    }
}
