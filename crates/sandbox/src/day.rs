//! A day of realistic business: what the people of both companies do, and what goes wrong meanwhile.
//!
//! One seed gives one script. [`Day`] is that script on the day's own clock; [`Performance`] plays it to a
//! [`World`](crate::World) as time goes by; [`books`] says what both systems must hold in the end, from the
//! selling side's records alone. Nothing here knows how flows work.
//!
//! ```
//! # let now = jiff::Timestamp::from_second(1_780_000_000).unwrap();
//! let mut world = sandbox::company::world(
//!     7, sandbox::salesforce::Settings::new(7), Default::default(), now).unwrap();
//! let day = sandbox::day::Day::plan(7, &world, now).unwrap();
//! let mut performance = sandbox::day::Performance::new(day);
//! let morning = std::time::Duration::from_secs(2 * 60 * 60);
//! assert!(!performance.step(&mut world, morning, now).unwrap().is_empty());
//! ```

mod announce;
pub mod books;
mod deeds;
mod market;
mod perform;
mod plan;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use announce::{announce, announce_orders};
pub use books::{Books, Difference, Ledger, Sum};
pub use perform::{Happened, Performance};

use crate::{
    amazon::{Deed, NewOrder},
    misfortune::Misfortune,
    seed::Item,
};

/// When business opens, in hours of the day.
pub const OPENS_AT_HOUR: u64 = 9;
/// From the first event to the last.
pub const LENGTH: Duration = Duration::from_secs(8 * 60 * 60 + 30 * 60);

/// What happens, in order of time.
#[derive(Clone, Debug)]
pub struct Day {
    /// Earliest first.
    pub events: Vec<Event>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub struct Event {
    /// On the day's own clock, since business opened.
    pub at: Duration,
    /// What it is.
    pub act: Act,
}

/// What somebody does. Opportunities and lines are named by their ids.
#[derive(Clone, Debug)]
pub enum Act {
    /// A salesperson wins an opportunity.
    Win {
        /// Which one.
        id: String,
        /// Whether the organization tells anybody. If not, only a look from outside finds it.
        announced: bool,
    },
    /// A salesperson enters a won opportunity and forgets its lines.
    WinWithoutLines {
        /// Names it in this script.
        name: String,
        /// The buyer.
        account: String,
        /// The buyer's currency.
        currency: String,
    },
    /// The lines of that opportunity are entered after all.
    AddForgottenLines {
        /// Names it in this script.
        name: String,
        /// What it sells.
        lines: Vec<NewLine>,
    },
    /// A salesperson changes an opportunity that is won.
    Change {
        /// Which one.
        id: String,
        /// What of it.
        change: Change,
        /// Whether the organization tells anybody.
        announced: bool,
    },
    /// A won opportunity is lost again. Waits for its order.
    Lose {
        /// Which one.
        id: String,
    },
    /// An opportunity is won and lost in the same moment.
    WinAndLose {
        /// Which one.
        id: String,
    },
    /// A won opportunity is deleted. Waits for its order.
    Delete {
        /// Which one.
        id: String,
    },
    /// Finance approves the order of an opportunity, once it says what the opportunity says.
    Approve {
        /// Which one.
        id: String,
    },
    /// Somebody enters an item that was missing.
    EnterItem(Item),
    /// Something begins to go wrong.
    Suffer {
        /// For people.
        what: &'static str,
        /// Exactly.
        misfortune: Misfortune,
    },
    /// Every session and token of every vendor ends.
    EndSessions,
    /// A customer places an order at Amazon.
    Order {
        /// Names it in this script.
        name: String,
        /// What is ordered.
        order: Box<NewOrder>,
        /// Whether Amazon tells anybody.
        announced: bool,
    },
    /// Something happens to an order at Amazon.
    Handle {
        /// Names it in this script.
        name: String,
        /// What.
        deed: Deed,
        /// Whether Amazon tells anybody.
        announced: bool,
        /// Whether it waits until the order is booked.
        once_booked: bool,
    },
}

/// What changes of an opportunity.
#[derive(Clone, Debug)]
pub enum Change {
    /// One more line.
    AddLine(NewLine),
    /// Another quantity and price.
    ChangeLine {
        /// The line's id.
        line: String,
        /// Hundredths of a unit.
        quantity_hundredths: i64,
        /// Hundredths of the currency.
        price_cents: i64,
    },
    /// One line less.
    RemoveLine {
        /// The line's id.
        line: String,
    },
    /// The purchase order's number and the closing date.
    Header {
        /// Which number.
        po_number: String,
        /// Days the closing date moves by.
        days: i64,
    },
}

/// A line to enter.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// What is sold.
    pub product: String,
    /// Hundredths of a unit.
    pub quantity_hundredths: i64,
    /// Hundredths of the currency.
    pub price_cents: i64,
    /// Its place among the lines.
    pub position: u32,
}

impl Act {
    /// The opportunity or order it is about, if it is about one: what happens to one keeps its order.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Win { id, .. }
            | Self::Change { id, .. }
            | Self::Lose { id }
            | Self::WinAndLose { id }
            | Self::Delete { id }
            | Self::Approve { id } => Some(id),
            Self::WinWithoutLines { name, .. }
            | Self::AddForgottenLines { name, .. }
            | Self::Order { name, .. }
            | Self::Handle { name, .. } => Some(name),
            Self::EnterItem(_) | Self::Suffer { .. } | Self::EndSessions => None,
        }
    }
}
