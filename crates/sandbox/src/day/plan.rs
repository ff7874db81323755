//! Writes a day's script: who wins what when, and what goes wrong.

use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::{Act, Change, Day, Event, LENGTH, NewLine};
use crate::{
    EditError,
    misfortune::{Misfortune, What},
    salesforce::Salesforce,
    seed::Catalogue,
    vendor::Refusal,
    world::World,
};

/// Opportunities of the stock that are won.
const WON_COUNT: usize = 150;
/// Won opportunities somebody enters without lines.
const FORGETFUL_COUNT: usize = 2;

/// What becomes of an opportunity, and of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    Plain,
    Quiet,
    AddLine,
    ChangeLine,
    RemoveLine,
    Header,
    ApproveThenChange,
    Approve,
    Lose,
    ApproveThenLose,
    Delete,
    WinAndLose,
    Burst,
}

const STORIES: &[(Story, usize)] = &[
    (Story::Quiet, 12),
    (Story::AddLine, 10),
    (Story::ChangeLine, 10),
    (Story::RemoveLine, 8),
    (Story::Header, 8),
    (Story::ApproveThenChange, 8),
    (Story::Approve, 10),
    (Story::Lose, 6),
    (Story::ApproveThenLose, 2),
    (Story::Delete, 5),
    (Story::WinAndLose, 2),
    (Story::Burst, 30),
];

/// An open opportunity of the stock.
struct Deal {
    id: String,
    account: String,
    currency: String,
    lines: Vec<String>,
    sells_late: bool,
}

impl Day {
    /// The script of this seed for a world as [`company::world`](crate::company::world) makes it from the
    /// same seed.
    ///
    /// # Errors
    /// If the world holds no Salesforce organization.
    pub fn plan(seed: u64, world: &World, now: Timestamp) -> Result<Self, EditError> {
        let salesforce = world.vendor::<Salesforce>().ok_or(EditError::Unsupported)?;
        let catalogue = Catalogue::new(seed);
        let mut writer = Writer {
            rng: Rng::with_seed(seed ^ 0x000d_a400),
            products: products(salesforce, &catalogue, now)?,
            events: Vec::new(),
        };
        let mut deals = deals(salesforce, &catalogue, now)?;
        writer.rng.shuffle(&mut deals);
        let (late, mut usual): (Vec<Deal>, Vec<Deal>) =
            deals.into_iter().partition(|deal| deal.sells_late);
        usual.truncate(WON_COUNT.saturating_sub(late.len()));
        writer.late(&late, &catalogue);
        for deal in usual.iter().take(FORGETFUL_COUNT) {
            writer.forgetful(deal);
        }
        let told = STORIES
            .iter()
            .flat_map(|&(story, count)| std::iter::repeat_n(story, count));
        let stories = told.chain(std::iter::repeat(Story::Plain));
        for (deal, story) in usual.iter().zip(stories) {
            writer.tell(deal, story);
        }
        writer.misfortunes();
        let mut events = writer.events;
        // Stable: what was written first for one moment comes first.
        events.sort_by_key(|event| event.at);
        Ok(Self { events })
    }
}

struct Writer {
    rng: Rng,
    /// What everybody sells.
    products: Vec<(String, i64)>,
    events: Vec<Event>,
}

impl Writer {
    fn at(&mut self, at: Duration, act: Act) {
        let at = at.min(LENGTH);
        self.events.push(Event { at, act });
    }

    /// A moment between two times of the day, given in minutes since business opened.
    fn between(&mut self, from_min: u64, to_min: u64) -> Duration {
        Duration::from_secs(self.rng.u64(from_min * 60..to_min * 60))
    }

    fn tell(&mut self, deal: &Deal, story: Story) {
        let won_at = match story {
            // Everybody's boss wants it in the books before the end of the month.
            Story::Burst => minutes(400),
            // There has to be time for what follows.
            Story::Plain | Story::Quiet => self.between(10, 450),
            _ => self.between(10, 300),
        };
        let id = deal.id.clone();
        if story == Story::WinAndLose {
            return self.at(won_at, Act::WinAndLose { id });
        }
        let announced = story != Story::Quiet;
        self.at(won_at, Act::Win { id, announced });
        let later = won_at + self.between(60, 120);
        let much_later = later + self.between(40, 80);
        let id = deal.id.clone();
        match story {
            Story::AddLine | Story::ChangeLine | Story::RemoveLine | Story::Header => {
                let act = self.change(deal, story);
                self.at(later, act);
            }
            Story::Approve => self.at(later, Act::Approve { id }),
            Story::ApproveThenChange => {
                self.at(later, Act::Approve { id });
                let which = [Story::AddLine, Story::ChangeLine, Story::Header];
                let story = which[self.rng.usize(0..which.len())];
                let act = self.change(deal, story);
                self.at(much_later, act);
            }
            Story::ApproveThenLose => {
                self.at(later, Act::Approve { id: id.clone() });
                self.at(much_later, Act::Lose { id });
            }
            Story::Lose => self.at(later, Act::Lose { id }),
            Story::Delete => self.at(later, Act::Delete { id }),
            Story::Plain | Story::Quiet | Story::Burst | Story::WinAndLose => {}
        }
    }

    fn change(&mut self, deal: &Deal, story: Story) -> Act {
        let line = deal.lines[self.rng.usize(0..deal.lines.len())].clone();
        let change = match story {
            Story::ChangeLine => Change::ChangeLine {
                line,
                quantity_hundredths: self.rng.i64(1..4000),
                price_cents: self.rng.i64(100..90_000),
            },
            Story::RemoveLine if deal.lines.len() > 1 => Change::RemoveLine { line },
            Story::Header => Change::Header {
                po_number: format!("PO-{}-B", self.rng.u32(10_000..99_999)),
                days: self.rng.i64(1..20),
            },
            _ => Change::AddLine(self.line(deal.lines.len() + 1)),
        };
        // A third of the changes only the schedule finds.
        let announced = self.rng.u8(0..3) > 0;
        let id = deal.id.clone();
        Act::Change {
            id,
            change,
            announced,
        }
    }

    /// Parts of a unit at odd prices, so that lines end between two cents.
    fn line(&mut self, position: usize) -> NewLine {
        let (product, price_cents) = self.products[self.rng.usize(0..self.products.len())].clone();
        NewLine {
            product,
            quantity_hundredths: self.rng.i64(1..2500),
            price_cents,
            position: u32::try_from(position).unwrap_or(u32::MAX),
        }
    }

    /// Orders that wait for items nobody has entered yet.
    fn late(&mut self, deals: &[Deal], catalogue: &Catalogue) {
        for deal in deals {
            let at = self.between(15, 150);
            let id = deal.id.clone();
            let announced = true;
            self.at(at, Act::Win { id, announced });
        }
        for (index, item) in (0u64..).zip(&catalogue.late_items) {
            self.at(minutes(250 + 20 * index), Act::EnterItem(item.clone()));
        }
    }

    fn forgetful(&mut self, deal: &Deal) {
        let number = self.rng.u32(100..1000);
        let name = format!("Walk-in {number} of {}", &deal.id[12..15]);
        let lines = (1..=3).map(|position| self.line(position)).collect();
        let at = self.between(60, 200);
        let act = Act::WinWithoutLines {
            name: name.clone(),
            account: deal.account.clone(),
            currency: deal.currency.clone(),
        };
        self.at(at, act);
        self.at(at + minutes(90), Act::AddForgottenLines { name, lines });
    }

    fn misfortunes(&mut self) {
        const RECORDS: &str = "/services/rest/record/";
        const ORDERS: &str = "/services/rest/record/v1/salesOrder/eid:";
        const CUSTOMERS: &str = "/services/rest/record/v1/customer/eid:";
        const QUERIES: &str = "/services/data/*/query*";
        const WRITE_BACKS: &str = "/services/data/*/sobjects/Opportunity/*";
        let refuse = What::Refuse;
        let drop = || What::CommitThenDrop;
        let copies = What::WebhookDuplicate { copies: 2 };
        let shuffle = What::WebhookReorder { within_ms: 3_000 };
        let slow = What::Delay { ms: 700 };
        let (s, n) = ("salesforce", "netsuite");
        type Row = (
            u64,
            &'static str,
            &'static str,
            &'static str,
            &'static str,
            u64,
            What,
        );
        #[rustfmt::skip]
        let plan: Vec<Row> = vec![
            (20, "Salesforce is asked too much at once", s, "GET", QUERIES, 2, refuse(Refusal::Concurrency)),
            (40, "NetSuite refuses more requests: 429", n, "", RECORDS, 6, refuse(Refusal::RateLimit)),
            (80, "NetSuite saves orders and drops the line", n, "PUT", ORDERS, 2, drop()),
            (95, "NetSuite saves customers and drops the line", n, "PUT", CUSTOMERS, 2, drop()),
            (110, "another writer locks Salesforce records", s, "PATCH", WRITE_BACKS, 3, refuse(Refusal::Locked)),
            (130, "Salesforce sends webhooks three times", s, "POST", "/hooks/", 8, copies),
            (150, "Salesforce sends webhooks out of order", s, "POST", "/hooks/", 12, shuffle),
            (180, "Salesforce loses webhooks", s, "POST", "/hooks/", 3, What::WebhookLose),
            (200, "Salesforce saves and drops the line", s, "PATCH", WRITE_BACKS, 2, drop()),
            (220, "NetSuite is down: 503", n, "", RECORDS, 4, refuse(Refusal::Unavailable)),
            (240, "Salesforce is down: 503", s, "GET", QUERIES, 2, refuse(Refusal::Unavailable)),
            (260, "NetSuite is asked too much at once", n, "", RECORDS, 5, refuse(Refusal::Concurrency)),
            (290, "NetSuite closes connections unasked", n, "GET", RECORDS, 2, What::DropBefore),
            (310, "NetSuite saves orders and drops the line", n, "PUT", ORDERS, 2, drop()),
            (330, "NetSuite is slow", n, "", RECORDS, 10, slow),
        ];
        for (minute, what, vendor, method, path, times, how) in plan {
            let misfortune = Misfortune {
                vendor: Some(vendor.to_owned()),
                method: Some(method.to_owned()).filter(|method| !method.is_empty()),
                path: Some(path.to_owned()),
                times: Some(times),
                ..Misfortune::new(how)
            };
            let jitter = self.between(0, 10);
            self.at(minutes(minute) + jitter, Act::Suffer { what, misfortune });
        }
        let (morning, afternoon) = (self.between(60, 75), self.between(270, 290));
        self.at(morning, Act::EndSessions);
        self.at(afternoon, Act::EndSessions);
    }
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

fn deals(
    salesforce: &Salesforce,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<Vec<Deal>, EditError> {
    let query = "SELECT Id, AccountId, CurrencyIsoCode, \
                 (SELECT Id, ProductCode FROM OpportunityLineItems ORDER BY SortOrder, Id) \
                 FROM Opportunity WHERE IsClosed = false ORDER BY Id";
    let is_late = |sku: &str| catalogue.late_items.iter().any(|item| item.sku == sku);
    let deal = |row: Json| {
        let none = Vec::new();
        let lines = row["OpportunityLineItems"]["records"]
            .as_array()
            .unwrap_or(&none);
        Deal {
            id: text(&row, "Id"),
            account: text(&row, "AccountId"),
            currency: text(&row, "CurrencyIsoCode"),
            sells_late: lines.iter().any(|line| is_late(&text(line, "ProductCode"))),
            lines: lines.iter().map(|line| text(line, "Id")).collect(),
        }
    };
    let rows = salesforce.select(query, now)?;
    let deals = rows.into_iter().map(deal);
    Ok(deals.filter(|deal| !deal.lines.is_empty()).collect())
}

/// Ids and usual prices of what both sides know from the start.
fn products(
    salesforce: &Salesforce,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<Vec<(String, i64)>, EditError> {
    let rows = salesforce.select("SELECT Id, ProductCode FROM Product2 ORDER BY Id", now)?;
    let priced = rows.iter().filter_map(|row| {
        let sku = text(row, "ProductCode");
        let item = catalogue.items.iter().find(|item| item.sku == sku)?;
        Some((text(row, "Id"), item.price_cents))
    });
    Ok(priced.collect())
}

fn text(row: &Json, field: &str) -> String {
    row[field].as_str().unwrap_or_default().to_owned()
}
