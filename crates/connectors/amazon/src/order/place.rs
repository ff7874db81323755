//! Where a search stands: [`Position::id`](sluice_core::Position::id) of a stream of orders.

use jiff::Timestamp;

/// `<upper bound, ms>~<restarts>~<page token>`; an empty text is the beginning. `<restarts>@<ms>` is one that
/// waits for this time.
///
/// The bound is in it because a token is a place in one window, and a walk that is not a cursor's has a new bound
/// with each page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub until: Option<Timestamp>,
    /// How often this window began anew.
    pub restarts: u32,
    /// Not before this time: its tokens were refused too often.
    pub due: Option<Timestamp>,
    pub token: Option<String>,
}

impl Place {
    /// What is none is the beginning: that repeats orders and skips none.
    pub fn of(text: &str) -> Self {
        let read = || {
            let (until, rest) = text.split_once('~')?;
            let (restarts, token) = rest.split_once('~')?;
            let (restarts, due) = match restarts.split_once('@') {
                Some((restarts, due)) => (restarts, Some(time(due)?)),
                None => (restarts, None),
            };
            Some(Self {
                until: Some(time(until)?),
                restarts: restarts.parse().ok()?,
                due,
                token: Some(token.to_owned()).filter(|token| !token.is_empty()),
            })
        };
        read().unwrap_or_default()
    }

    pub fn text(&self) -> String {
        let until = self.until.unwrap_or(Timestamp::UNIX_EPOCH);
        let token = self.token.as_deref().unwrap_or_default();
        let due = self.due.map(|due| format!("@{}", due.as_millisecond()));
        let due = due.unwrap_or_default();
        format!("{}~{}{due}~{token}", until.as_millisecond(), self.restarts)
    }
}

fn time(ms: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_all_else_is_the_beginning() {
        let place = Place {
            until: Some(Timestamp::from_second(1_800_000_000).unwrap()),
            restarts: 2,
            due: None,
            token: Some("a~b@=/+".into()),
        };
        assert_eq!(Place::of(&place.text()), place);
        let place = Place {
            restarts: 4,
            due: place.until,
            token: None,
            ..place
        };
        assert_eq!(Place::of(&place.text()), place);
        for text in ["", "x", "~~", "1~x~t", "1~4@x~", "1", "report:5"] {
            assert_eq!(Place::of(text), Place::default(), "{text}");
        }
    }
}
