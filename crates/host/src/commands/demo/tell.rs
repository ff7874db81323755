//! Tells what people do, as it happens. Amazon's customers do too much for a line each: the usual is told
//! together, every half hour.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::day::Happened;

use super::clock::Moment;
use super::screen::{Colour, Line};

/// On the day's own clock.
const TOGETHER: Duration = Duration::from_secs(30 * 60);
/// What is no news of an order at Amazon.
const USUAL: [&str; 3] = ["ordered", "paid", "sent"];

/// What waits to be told together.
#[derive(Default)]
pub(super) struct Teller {
    counts: BTreeMap<&'static str, usize>,
    /// On the day's own clock.
    told_at: Duration,
}

impl Teller {
    /// Lines for what just happened.
    pub(super) fn tell(&mut self, happened: &[Happened], now: Moment) -> Vec<Line> {
        let mut lines = Vec::new();
        for one in happened {
            match one.system {
                "amazon" if USUAL.contains(&one.what) => {
                    *self.counts.entry(one.what).or_default() += 1;
                }
                _ => lines.push(line(one)),
            }
        }
        let elapsed = now.of_day();
        if elapsed.saturating_sub(self.told_at) >= TOGETHER {
            self.told_at = elapsed;
            lines.extend(self.together());
        }
        lines
    }

    fn together(&mut self) -> Option<Line> {
        let counts = std::mem::take(&mut self.counts);
        let part = |what: &&str| Some(format!("{} {what}", counts.get(what)?));
        let parts: Vec<String> = USUAL.iter().filter_map(part).collect();
        (!parts.is_empty()).then(|| Line {
            what: "at Amazon",
            subject: parts.join(", "),
            detail: String::new(),
            colour: Colour::Source,
        })
    }
}

fn line(happened: &Happened) -> Line {
    let colour = match (happened.what, happened.system) {
        ("trouble", _) => Colour::Attention,
        (_, "netsuite") => Colour::Target,
        _ => Colour::Source,
    };
    let (subject, detail) = match happened.what {
        // A sentence, not a thing.
        "trouble" => (
            format!("{} {}", happened.subject, happened.detail),
            String::new(),
        ),
        _ => (happened.subject.clone(), happened.detail.clone()),
    };
    Line {
        what: happened.what,
        subject,
        detail,
        colour,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::demo::clock::Clock;

    #[test]
    fn the_usual_is_told_together_and_the_rest_at_once() {
        let happened = |what: &'static str| Happened {
            system: "amazon",
            what,
            subject: "113-0000000-0000001".to_owned(),
            detail: "Amazon.com".to_owned(),
        };
        let day = ["paid", "ordered", "cancelled", "ordered"].map(happened);
        let now = Clock::start().now();
        let mut teller = Teller::default();
        let lines = teller.tell(&day, now);
        let shown: Vec<_> = lines.iter().map(|line| line.what).collect();
        assert_eq!(shown, ["cancelled"]);
        let line = teller.together().unwrap();
        assert_eq!(line.subject, "2 ordered, 1 paid");
        assert!(teller.together().is_none());
    }
}
