//! Which state of a source record was looked at, and whether a listed change is news after that.

use mapping::fingerprint;
use sluice_core::{Change, Observed, Version};

/// A state of a source record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub version: Option<Version>,
    /// The body's fingerprint, or that there was none: states within one tick of the source's clock bear the
    /// same version.
    pub state: String,
}

/// What a listed change says to somebody who knows a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is that state, or an older one.
    Old,
    New,
    /// Only a look at the record can tell.
    Unsure,
}

const GONE: &str = "gone";

impl Seen {
    /// `hinted` is the version that was announced: a record that is gone bears none.
    pub fn of(observed: &Observed, hinted: Option<Version>) -> Self {
        match observed {
            Observed::Present(record) => Self {
                version: Some(record.version),
                state: fingerprint(&record.body),
            },
            Observed::Gone(_) => Self {
                version: hinted,
                state: GONE.to_owned(),
            },
        }
    }

    /// A related record's change has no version, and nothing of it is known here: that is always news.
    pub fn news(&self, change: &Change) -> News {
        let (Some(listed), gone) = (change.version, self.state == GONE) else {
            return News::New;
        };
        match (self.version, &change.record) {
            (Some(version), _) if listed < version => News::Old,
            (Some(version), _) if listed > version => News::New,
            (_, None) => News::Unsure,
            (None, Some(_)) => News::New,
            (Some(_), Some(record)) if !gone && fingerprint(&record.body) == self.state => {
                News::Old
            }
            (Some(_), Some(_)) => News::New,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_core::{Gone, Kind, Record};

    use super::*;

    const DEAL: Kind = Kind::new("shop", "Deal");

    fn record(version: i64, total: i64) -> Record {
        Record {
            id: DEAL.id("D1"),
            version: Version(version),
            body: json!({ "total": total }),
        }
    }

    fn check(seen: &Seen, version: Option<i64>, record: Option<Record>, want: News) {
        let change = Change {
            id: DEAL.id("D1"),
            version: version.map(Version),
            record,
        };
        assert_eq!(seen.news(&change), want, "{seen:?} {change:?}");
    }

    #[test]
    fn what_is_news_after_a_state_was_seen() {
        let seen = Seen::of(&Observed::Present(record(5, 1)), None);
        check(&seen, Some(4), Some(record(4, 9)), News::Old);
        check(&seen, Some(5), Some(record(5, 1)), News::Old);
        // A second change within one tick of the source's clock.
        check(&seen, Some(5), Some(record(5, 2)), News::New);
        check(&seen, Some(6), Some(record(6, 1)), News::New);
        // Deleted, or not whole on the page.
        check(&seen, Some(5), None, News::Unsure);
        check(&seen, Some(6), None, News::New);
        // A line of it changed: when, in the record's own order, nobody says.
        check(&seen, None, None, News::New);
        check(&seen, None, Some(record(5, 1)), News::New);

        let gone = Seen::of(&Observed::Gone(Gone::Deleted), Some(Version(5)));
        check(&gone, Some(4), None, News::Old);
        check(&gone, Some(5), None, News::Unsure);
        check(&gone, Some(5), Some(record(5, 1)), News::New);
        let unhinted = Seen::of(&Observed::Gone(Gone::Deleted), None);
        check(&unhinted, Some(5), None, News::Unsure);
        check(&unhinted, Some(5), Some(record(5, 1)), News::New);
    }
}
