//! Plays a day's script to a world as time goes by.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::deeds::{add_line, alter, deal, known, org, set, text, told};
use super::{Act, Books, Day, Event, Ledger, NewLine, market};
use crate::{
    EditError,
    amazon::{Amazon, Deed, NewOrder},
    netsuite::NetSuite,
    salesforce::Salesforce,
    world::World,
};

/// A day under way.
#[derive(Debug)]
pub struct Performance {
    events: Vec<Event>,
    ledger: Ledger,
    /// What was made on the way: the script's name, and the id it got.
    made: Vec<(String, String)>,
}

/// Something that just happened, for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Happened {
    /// In whose system: `salesforce`, `netsuite`, `amazon`, or both.
    pub system: &'static str,
    /// One word: `won`.
    pub what: &'static str,
    /// To what.
    pub subject: String,
    /// More about it.
    pub detail: String,
}

impl Performance {
    /// Nothing has happened yet.
    pub fn new(day: Day) -> Self {
        let (ledger, made) = (Ledger::default(), Vec::new());
        let events = day.events;
        Self {
            events,
            ledger,
            made,
        }
    }

    /// What happened besides what the records show.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether everything has happened.
    pub fn is_over(&self) -> bool {
        self.events.is_empty()
    }

    /// What has not happened yet.
    pub fn remaining(&self) -> &[Event] {
        &self.events
    }

    /// Lets happen what is due at `elapsed` on the day's own clock. What waits for an order waits on, and
    /// with it what else happens to that opportunity.
    ///
    /// # Errors
    /// If a vendor's rules forbid what the script asks.
    pub fn step(
        &mut self,
        world: &mut World,
        elapsed: Duration,
        now: Timestamp,
    ) -> Result<Vec<Happened>, EditError> {
        let due = self.events.partition_point(|event| event.at <= elapsed);
        let later = self.events.split_off(due);
        let mut happened = Vec::new();
        let mut kept: Vec<Event> = Vec::new();
        let mut waiting = BTreeSet::new();
        // Read once, and only if somebody asks.
        let mut books = None;
        let mut events = std::mem::take(&mut self.events).into_iter();
        let mut outcome = Ok(());
        for event in events.by_ref() {
            let subject = event.act.subject().map(str::to_owned);
            if subject
                .as_ref()
                .is_some_and(|subject| waiting.contains(subject))
            {
                kept.push(event);
                continue;
            }
            match self.perform(&event.act, world, &mut books, now) {
                Ok(Some(done)) => happened.push(done),
                Ok(None) => {
                    waiting.extend(subject);
                    kept.push(event);
                }
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        kept.extend(events);
        kept.extend(later);
        self.events = kept;
        outcome.map(|()| happened)
    }

    /// `None` if its time has not come.
    fn perform(
        &mut self,
        act: &Act,
        world: &mut World,
        books: &mut Option<Books>,
        now: Timestamp,
    ) -> Result<Option<Happened>, EditError> {
        match act {
            Act::Win { id, announced } => self.win(world, id, *announced, now).map(Some),
            Act::WinWithoutLines {
                name,
                account,
                currency,
            } => self
                .win_without_lines(world, name, account, currency, now)
                .map(Some),
            Act::AddForgottenLines { name, lines } => {
                self.add_forgotten(world, name, lines, now).map(Some)
            }
            Act::Change {
                id,
                change,
                announced,
            } => {
                let deal = deal(world, id, now)?;
                let detail = told(*announced, org(world)?, |org| {
                    alter(org, &deal, change, now)
                })?;
                Ok(Some(said("salesforce", "changed", &deal, detail)))
            }
            Act::Lose { id } => self.lose(world, id, now),
            Act::WinAndLose { id } => {
                self.win(world, id, true, now)?;
                set(org(world)?, id, json!({"StageName": "Closed Lost"}), now)?;
                self.ledger.fleeting.insert(id.clone());
                let deal = deal(world, id, now)?;
                Ok(Some(said(
                    "salesforce",
                    "fleeting",
                    &deal,
                    "won, and lost at once".to_owned(),
                )))
            }
            Act::Delete { id } => {
                let deal = deal(world, id, now)?;
                if !is_booked(&deal) {
                    return Ok(None);
                }
                org(world)?.user_delete("Opportunity", known(id)?, now)?;
                self.ledger.left.insert(id.clone());
                Ok(Some(said("salesforce", "deleted", &deal, String::new())))
            }
            Act::Approve { id } => self.approve(world, id, books, now),
            Act::EnterItem(item) => {
                let account = world
                    .vendor_mut::<NetSuite>()
                    .ok_or(EditError::Unsupported)?;
                account.enter_item(item, now)?;
                let detail = item.name.clone();
                Ok(Some(happened("netsuite", "item", item.sku.clone(), detail)))
            }
            Act::Suffer { what, misfortune } => {
                world.misfortunes().add(misfortune.clone());
                let times = misfortune.times.unwrap_or_default();
                let system = match misfortune.vendor.as_deref() {
                    Some("salesforce") => "salesforce",
                    Some("amazon") => "amazon",
                    _ => "netsuite",
                };
                let detail = format!("({times} times)");
                Ok(Some(happened(
                    system,
                    "trouble",
                    (*what).to_owned(),
                    detail,
                )))
            }
            Act::EndSessions => {
                if let Some(org) = world.vendor_mut::<Salesforce>() {
                    org.end_sessions();
                }
                if let Some(account) = world.vendor_mut::<NetSuite>() {
                    account.expire_tokens();
                }
                if let Some(amazon) = world.vendor_mut::<Amazon>() {
                    amazon.expire_tokens();
                }
                let subject = "all sessions and tokens end".to_owned();
                Ok(Some(happened("both", "trouble", subject, String::new())))
            }
            Act::Order {
                name,
                order,
                announced,
            } => self.order(world, name, order, *announced, now).map(Some),
            Act::Handle {
                name,
                deed,
                announced,
                once_booked,
            } => {
                let id = self.id_of(name)?;
                if *once_booked {
                    let account = world.vendor::<NetSuite>();
                    if !account.is_some_and(|account| Books::hold(account, &id)) {
                        return Ok(None);
                    }
                    self.ledger.cancelled_booked.insert(id.clone());
                }
                self.handle(world, &id, deed, *announced, now).map(Some)
            }
        }
    }

    fn win(
        &mut self,
        world: &mut World,
        id: &str,
        announced: bool,
        now: Timestamp,
    ) -> Result<Happened, EditError> {
        told(announced, org(world)?, |org| {
            set(org, id, json!({"StageName": "Closed Won"}), now)
        })?;
        let deal = deal(world, id, now)?;
        self.ledger
            .won
            .insert(id.to_owned(), text(&deal, "AccountId"));
        let count = deal["OpportunityLineItems"]["totalSize"]
            .as_u64()
            .unwrap_or_default();
        let lines = if count == 1 { "line" } else { "lines" };
        let how = match (announced, text(&deal, "CurrencyIsoCode").as_str()) {
            (false, _) => "not announced",
            (true, "USD") => "outbound message",
            (true, "EUR") => "signed callout",
            (true, _) => "announced twice",
        };
        Ok(said(
            "salesforce",
            "won",
            &deal,
            format!("{count} {lines}, {how}"),
        ))
    }

    fn win_without_lines(
        &mut self,
        world: &mut World,
        name: &str,
        account: &str,
        currency: &str,
        now: Timestamp,
    ) -> Result<Happened, EditError> {
        let fields = json!({
            "Name": name, "AccountId": account, "StageName": "Closed Won",
            "CloseDate": now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
            "CurrencyIsoCode": currency,
        });
        let id = org(world)?
            .user_create("Opportunity", fields, now)?
            .to_string();
        self.ledger.won.insert(id.clone(), account.to_owned());
        self.made.push((name.to_owned(), id.clone()));
        let deal = deal(world, &id, now)?;
        Ok(said(
            "salesforce",
            "won",
            &deal,
            "its lines forgotten".to_owned(),
        ))
    }

    fn add_forgotten(
        &mut self,
        world: &mut World,
        name: &str,
        lines: &[NewLine],
        now: Timestamp,
    ) -> Result<Happened, EditError> {
        let id = self.id_of(name)?;
        for line in lines {
            add_line(org(world)?, &id, line, now)?;
        }
        let detail = format!("{} lines entered after all", lines.len());
        Ok(said(
            "salesforce",
            "changed",
            &deal(world, &id, now)?,
            detail,
        ))
    }

    fn order(
        &mut self,
        world: &mut World,
        name: &str,
        order: &NewOrder,
        announced: bool,
        now: Timestamp,
    ) -> Result<Happened, EditError> {
        let amazon = market::amazon(world)?;
        let id = amazon.place(order, announced, now)?;
        let held = amazon.order(&id)?;
        self.made.push((name.to_owned(), id));
        Ok(market::said("ordered", &held, announced))
    }

    fn handle(
        &mut self,
        world: &mut World,
        id: &str,
        deed: &Deed,
        announced: bool,
        now: Timestamp,
    ) -> Result<Happened, EditError> {
        let amazon = market::amazon(world)?;
        let before = amazon.order(id)?;
        amazon.alter(id, deed, announced, now)?;
        let what = match deed {
            Deed::Pay => "paid",
            Deed::Ship { .. } => "sent",
            Deed::RequestCancel => "regretted",
            Deed::Cancel { .. } => "cancelled",
        };
        if matches!(deed, Deed::Cancel { .. }) {
            self.ledger.cancelled(id, &before);
        }
        Ok(market::said(what, &amazon.order(id)?, announced))
    }

    /// What the script calls by this name.
    fn id_of(&self, name: &str) -> Result<String, EditError> {
        let made = self.made.iter().find(|(known, _)| known == name);
        let id = made.map(|(_, id)| id.clone());
        id.ok_or_else(|| EditError::NotFound(format!("there is no {name} yet")))
    }

    fn lose(
        &mut self,
        world: &mut World,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Happened>, EditError> {
        let deal = deal(world, id, now)?;
        if !is_booked(&deal) {
            return Ok(None);
        }
        set(org(world)?, id, json!({"StageName": "Closed Lost"}), now)?;
        let detail = if self.ledger.approved.contains_key(id) {
            self.ledger.undecided.insert(id.to_owned());
            "after its order was approved: a person must decide"
        } else {
            self.ledger.left.insert(id.to_owned());
            ""
        };
        Ok(Some(said("salesforce", "lost", &deal, detail.to_owned())))
    }

    fn approve(
        &mut self,
        world: &mut World,
        id: &str,
        books: &mut Option<Books>,
        now: Timestamp,
    ) -> Result<Option<Happened>, EditError> {
        let deal = deal(world, id, now)?;
        // Nobody signs an order that does not say what was sold, nor one Salesforce does not know of yet.
        if !is_booked(&deal) || !books_of(books, world).agrees(&deal) {
            return Ok(None);
        }
        let number = text(&deal, "NetSuite_Order_Number__c");
        let account = world
            .vendor_mut::<NetSuite>()
            .ok_or(EditError::Unsupported)?;
        account.approve(&text(&deal, "NetSuite_Order_Id__c"), now)?;
        self.ledger.approved.insert(id.to_owned(), deal);
        let detail = "by finance".to_owned();
        Ok(Some(happened("netsuite", "approved", number, detail)))
    }
}

/// Whether the selling side knows of its order.
fn is_booked(deal: &Json) -> bool {
    !text(deal, "NetSuite_Order_Number__c").is_empty()
}

fn books_of<'a>(books: &'a mut Option<Books>, world: &World) -> &'a Books {
    books.get_or_insert_with(|| Books::of(world))
}

fn said(system: &'static str, what: &'static str, deal: &Json, detail: String) -> Happened {
    happened(system, what, text(deal, "Name"), detail)
}

fn happened(system: &'static str, what: &'static str, subject: String, detail: String) -> Happened {
    Happened {
        system,
        what,
        subject,
        detail,
    }
}
