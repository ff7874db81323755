//! What can befall a step.

use std::fmt;

use sandbox::Refusal;
use sandbox::misfortune::Garble;

use crate::ground::Kind;

/// What befalls one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfortune {
    /// The worker ends before the step.
    CrashBefore,
    /// The worker ends once the step has taken effect.
    CrashAfter,
    /// The worker stands still before the step, for longer than every lease; the world goes on.
    Stall,
    /// The store is locked; nothing happens.
    Busy,
    /// The step takes effect, and its answer is lost.
    AnswerLost,
    /// The request never leaves.
    NotSent,
    /// No answer comes in time; nothing happened.
    TimedOut,
    /// No answer comes in time; minutes later the request takes effect all the same.
    TakesEffectLate,
    /// The vendor refuses, in its own words.
    Refused(Refusal),
    /// The answer is not what it should be.
    Garbled(Garble),
}

const ON_STORES: [Misfortune; 5] = [
    Misfortune::CrashBefore,
    Misfortune::CrashAfter,
    Misfortune::AnswerLost,
    Misfortune::Busy,
    Misfortune::Stall,
];

const ON_REQUESTS: [Misfortune; 15] = [
    Misfortune::CrashBefore,
    Misfortune::CrashAfter,
    Misfortune::AnswerLost,
    Misfortune::TakesEffectLate,
    Misfortune::TimedOut,
    Misfortune::NotSent,
    Misfortune::Stall,
    Misfortune::Refused(Refusal::RateLimit),
    Misfortune::Refused(Refusal::ServerError),
    Misfortune::Refused(Refusal::Unavailable),
    Misfortune::Refused(Refusal::Locked),
    Misfortune::Refused(Refusal::Concurrency),
    Misfortune::Refused(Refusal::ConcurrencyAsLogin),
    Misfortune::Refused(Refusal::TokenExpired),
    Misfortune::Garbled(Garble::Truncate),
];

impl Misfortune {
    /// Everything that can befall a step of this kind.
    pub fn of(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Request => &ON_REQUESTS,
            _ => &ON_STORES,
        }
    }

    /// The nearest thing that can befall a step of this kind: once a run has gone another way, a step may
    /// touch something else than was planned for.
    pub(crate) fn on(self, kind: Kind) -> Self {
        if Self::of(kind).contains(&self) {
            return self;
        }
        match (kind, self) {
            (Kind::Request, _) => Self::NotSent,
            (_, Self::TakesEffectLate | Self::Garbled(_)) => Self::AnswerLost,
            _ => Self::Busy,
        }
    }

    /// The misfortune of this name, as [`fmt::Display`] writes it.
    pub fn named(name: &str) -> Option<Self> {
        let all = ON_REQUESTS.iter().chain(&ON_STORES);
        all.copied().find(|known| known.to_string() == name)
    }
}

impl fmt::Display for Misfortune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CrashBefore => "crash-before",
            Self::CrashAfter => "crash-after",
            Self::Stall => "stall",
            Self::Busy => "busy",
            Self::AnswerLost => "answer-lost",
            Self::NotSent => "not-sent",
            Self::TimedOut => "timed-out",
            Self::TakesEffectLate => "takes-effect-late",
            Self::Refused(Refusal::RateLimit) => "refused-429",
            Self::Refused(Refusal::ServerError) => "refused-500",
            Self::Refused(Refusal::Unavailable) => "refused-503",
            Self::Refused(Refusal::Locked) => "refused-locked",
            Self::Refused(Refusal::Concurrency) => "refused-concurrency",
            Self::Refused(Refusal::ConcurrencyAsLogin) => "refused-concurrency-as-login",
            Self::Refused(Refusal::TokenExpired) => "token-expired",
            Self::Garbled(_) => "garbled",
        })
    }
}
