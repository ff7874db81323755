//! Where a backfill by reports stands: [`Position::id`](sluice_core::Position::id).

use jiff::Timestamp;

/// A part of the window that one report covers. It begins at the position's watermark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    pub end: Timestamp,
    /// Reports of it that failed.
    pub tries: u32,
    /// Whether the report before was cancelled: by somebody, or because there is no data.
    pub cancelled: bool,
}

impl Slice {
    pub fn until(end: Timestamp) -> Self {
        Self {
            end,
            tries: 0,
            cancelled: false,
        }
    }
}

/// Beside the number of tries.
const CANCELLED: &str = "c";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Beginning,
    Report {
        slice: Slice,
        id: String,
    },
    Document {
        slice: Slice,
        id: String,
        /// Lines of it that were listed, the header aside.
        listed: usize,
    },
    Again {
        slice: Slice,
        due: Timestamp,
    },
}

impl Place {
    /// What is none is the beginning: that repeats orders and skips none.
    pub fn of(text: &str) -> Self {
        read(text).unwrap_or(Self::Beginning)
    }

    /// `<stage>:<end of the slice, ms>:<tries>[c]:<number>:<id>`.
    pub fn text(&self) -> String {
        let (stage, slice, number, id) = match self {
            Self::Beginning => return String::new(),
            Self::Report { slice, id } => ("report", slice, 0, id.as_str()),
            Self::Document { slice, id, listed } => {
                ("document", slice, *listed as i64, id.as_str())
            }
            Self::Again { slice, due } => ("again", slice, due.as_millisecond(), ""),
        };
        let (end, tries) = (slice.end.as_millisecond(), slice.tries);
        let cancelled = if slice.cancelled { CANCELLED } else { "" };
        format!("{stage}:{end}:{tries}{cancelled}:{number}:{id}")
    }
}

fn read(text: &str) -> Option<Place> {
    let mut parts = text.splitn(5, ':');
    let stage = parts.next()?;
    let time = |ms: &str| Timestamp::from_millisecond(ms.parse().ok()?).ok();
    let end = time(parts.next()?)?;
    let tries = parts.next()?;
    let slice = Slice {
        end,
        tries: tries
            .strip_suffix(CANCELLED)
            .unwrap_or(tries)
            .parse()
            .ok()?,
        cancelled: tries.ends_with(CANCELLED),
    };
    let number = parts.next()?;
    let id = parts.next()?.to_owned();
    match stage {
        "report" if is_id(&id) => Some(Place::Report { slice, id }),
        "document" if is_id(&id) => Some(Place::Document {
            slice,
            id,
            listed: number.parse().ok()?,
        }),
        "again" => Some(Place::Again {
            slice,
            due: time(number)?,
        }),
        _ => None,
    }
}

/// Whether this may be the id of a report or a document.
pub fn is_id(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_all_else_is_the_beginning() {
        let slice = Slice {
            end: Timestamp::from_second(1_800_000_000).unwrap(),
            tries: 2,
            cancelled: false,
        };
        let cancelled = Slice {
            cancelled: true,
            ..slice.clone()
        };
        for place in [
            Place::Beginning,
            Place::Report {
                slice: slice.clone(),
                id: "ID323".into(),
            },
            Place::Document {
                slice: slice.clone(),
                id: "amzn1.spdoc.1:4~x".into(),
                listed: 700,
            },
            Place::Report {
                slice: cancelled.clone(),
                id: "ID324".into(),
            },
            Place::Again {
                due: slice.end,
                slice: cancelled,
            },
            Place::Again {
                due: slice.end,
                slice,
            },
        ] {
            assert_eq!(Place::of(&place.text()), place);
        }
        for text in [
            "",
            "report",
            "report:1:0:0:",
            "report:x:0:0:i",
            "page:1:0:0:i",
            "1~0~t",
        ] {
            assert_eq!(Place::of(text), Place::Beginning, "{text}");
        }
    }
}
