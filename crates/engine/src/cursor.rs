//! Cursors: where a scheduled extraction resumes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sluice_core::time::{self, earlier};
use sluice_core::{Fault, LastWindow, Ports, Position, Result, Window, code};

/// The places of streams of one flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The format of this value.
    v: u8,
    streams: BTreeMap<String, Place>,
    /// Where a flow without any place starts.
    #[serde(skip)]
    start: Timestamp,
}

/// One stream: everything up to `complete` was applied or queued; `open` is a window begun and not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    #[serde(with = "time")]
    complete: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<Open>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Last>,
}

/// A place as it is kept.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// The format of this value.
    v: u8,
    #[serde(flatten)]
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    after: Position,
    #[serde(with = "time")]
    until: Timestamp,
    /// How many pages of it were listed.
    #[serde(default)]
    pages: u32,
}

/// The window that ended at `complete`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Last {
    /// What was complete before it.
    #[serde(with = "time")]
    from: Timestamp,
    pages: u32,
}

const FORMAT: u8 = 1;

impl Cursor {
    /// A cursor for a flow that never ran: nothing before `start` is looked at.
    pub fn starting(start: Timestamp, streams: &[&str]) -> Self {
        let mut places = BTreeMap::new();
        for name in streams {
            let place = Place {
                complete: start,
                open: None,
                last: None,
            };
            places.insert((*name).to_owned(), place);
        }
        Self {
            v: FORMAT,
            streams: places,
            start,
        }
    }

    /// The streams of which changes up to `to` may not be applied or queued yet, each with the time up to
    /// which all are.
    pub fn behind(
        &self,
        to: Timestamp,
        streams: &[&'static str],
    ) -> Vec<(&'static str, Timestamp)> {
        let complete = |name: &&'static str| {
            let place = self.streams.get(*name).map(|place| place.complete);
            (*name, place.unwrap_or_else(|| self.first()))
        };
        streams
            .iter()
            .map(complete)
            .filter(|(_, complete)| *complete < to)
            .collect()
    }

    /// The places of those of these streams that have one.
    ///
    /// Fault: `STORE_CORRUPT` (stop the flow) for a value this release can't read.
    pub async fn load(
        ports: &Ports,
        flow: &str,
        streams: &[&str],
        start: Timestamp,
    ) -> Result<Self> {
        let mut cursor = Self {
            v: FORMAT,
            streams: BTreeMap::new(),
            start,
        };
        for stream in streams {
            let key = key(flow, stream);
            let Some(bytes) = ports.key_value.get(&key).await? else {
                continue;
            };
            let stored = serde_json::from_slice::<Stored>(&bytes).ok();
            let stored = stored.filter(|stored| stored.v == FORMAT).ok_or_else(|| {
                let message = format!("{key} is not in a form this release knows");
                Fault::stop_flow(code::STORE_CORRUPT, message)
            })?;
            cursor.streams.insert((*stream).to_owned(), stored.place);
        }
        Ok(cursor)
    }

    /// Up to when all of a stream is applied or queued; `None` where it has no place.
    pub fn complete(&self, stream: &str) -> Option<Timestamp> {
        self.streams.get(stream).map(|place| place.complete)
    }

    /// Whether a window of a stream is begun and not ended.
    pub fn has_open(&self, stream: &str) -> bool {
        let place = self.streams.get(stream);
        place.is_some_and(|place| place.open.is_some())
    }

    /// The window of a stream that was listed last.
    pub fn last(&self, stream: &str) -> LastWindow {
        let place = self.streams.get(stream);
        let Some((place, last)) = place.and_then(|place| Some((place, place.last.as_ref()?)))
        else {
            return LastWindow::default();
        };
        LastWindow {
            length: place.complete.duration_since(last.from).unsigned_abs(),
            page_count: last.pages,
        }
    }

    /// Whether no stream has a place.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Gives those of these streams a place that have none, and names them.
    pub fn begin<'a>(&mut self, streams: &[&'a str]) -> Vec<&'a str> {
        let complete = self.first();
        let mut begun = Vec::new();
        for stream in streams {
            if !self.streams.contains_key(*stream) {
                let place = Place {
                    complete,
                    open: None,
                    last: None,
                };
                self.streams.insert((*stream).to_owned(), place);
                begun.push(*stream);
            }
        }
        begun
    }

    /// Where a stream starts that has no place yet.
    fn first(&self) -> Timestamp {
        let oldest = self.streams.values().map(|place| place.complete).min();
        oldest.unwrap_or(self.start)
    }

    /// Stores the place of one stream: whoever lists another at the same time keeps its own.
    pub async fn store(&self, ports: &Ports, flow: &str, stream: &str) -> Result<()> {
        let Some(place) = self.streams.get(stream) else {
            return Ok(());
        };
        let stored = Stored {
            v: FORMAT,
            place: place.clone(),
        };
        let bytes = serde_json::to_vec(&stored)
            .map_err(|error| Fault::stop_flow(code::STORE_FAILED, error.to_string()))?;
        ports.key_value.set(&key(flow, stream), &bytes).await
    }

    /// What to list next of a stream: the window left open, else a new one up to `until`, which reaches back
    /// over the one before by `overlap`.
    pub fn window(&self, stream: &str, until: Timestamp, overlap: Duration) -> Window {
        let place = self.streams.get(stream);
        if let Some(open) = place.and_then(|place| place.open.as_ref()) {
            return Window {
                after: open.after.clone(),
                until: open.until,
            };
        }
        let complete = place.map_or_else(|| self.first(), |place| place.complete);
        Window {
            after: Position {
                watermark: earlier(complete, overlap),
                id: String::new(),
            },
            until,
        }
    }

    /// Moves past a page whose every change is applied or durably queued.
    pub fn advance(&mut self, stream: &str, window: &Window, next: Option<Position>) {
        let place = self.streams.get(stream);
        let before = place.map(|place| place.complete);
        let open = place.and_then(|place| place.open.as_ref());
        let listed = open.map_or(0, |open| open.pages).saturating_add(1);
        let place = match next {
            Some(after) => Place {
                complete: before.unwrap_or(window.after.watermark),
                open: Some(Open {
                    after,
                    until: window.until,
                    pages: listed,
                }),
                last: place.and_then(|place| place.last.clone()),
            },
            // A source clock that went back must not take the cursor with it.
            None => Place {
                complete: before.map_or(window.until, |before| before.max(window.until)),
                open: None,
                last: Some(Last {
                    from: before.unwrap_or(window.after.watermark),
                    pages: listed,
                }),
            },
        };
        self.streams.insert(stream.to_owned(), place);
    }
}

fn key(flow: &str, stream: &str) -> String {
    format!("cursor:{flow}:{stream}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERLAP: Duration = Duration::from_secs(300);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_window_left_open_resumes_where_it_stopped_and_the_next_one_overlaps() {
        let mut cursor = Cursor::starting(at(10_000), &["Opportunity"]);
        let first = cursor.window("Opportunity", at(20_000), OVERLAP);
        assert_eq!(first.after.watermark, at(10_000) - OVERLAP);

        let half = Position {
            watermark: at(15_000),
            id: "006B".into(),
        };
        cursor.advance("Opportunity", &first, Some(half.clone()));
        let resumed = cursor.window("Opportunity", at(30_000), OVERLAP);
        assert_eq!((resumed.after.clone(), resumed.until), (half, at(20_000)));

        cursor.advance("Opportunity", &resumed, None);
        let next = cursor.window("Opportunity", at(30_000), OVERLAP);
        assert_eq!(
            (next.after.watermark, next.until),
            (at(20_000) - OVERLAP, at(30_000))
        );
    }

    #[test]
    fn a_source_clock_that_goes_back_does_not_move_the_cursor_back() {
        let mut cursor = Cursor::starting(at(20_000), &["Opportunity"]);
        let window = cursor.window("Opportunity", at(15_000), OVERLAP);
        cursor.advance("Opportunity", &window, None);
        assert_eq!(
            cursor
                .window("Opportunity", at(30_000), OVERLAP)
                .after
                .watermark,
            at(20_000) - OVERLAP
        );
    }
}
