//! Orders as a source: fetched, listed by change and by creation.

pub(crate) mod check;
mod find;
mod personal;
mod place;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use sluice_core::time::{earlier, later};
use sluice_core::{
    Answer, Body, Change, Fault, Found, Gone, Hook, Kind, LastWindow, Moment, Observed, Page,
    Ports, Position, Record, Result, Selection, Source, Version, Window, answer, async_trait, code,
};

use crate::auth::Grant;
use crate::client;
use crate::errors;
use crate::hooks::{EventBridge, Sns};
use crate::id::Id;
use crate::limits::{self, SEARCH_ORDERS};
use crate::report;
use crate::search::{self, By, EASY_SLOTS, PAGE_ORDERS_MAX, Search};
use crate::settings::{Account, Backfill, Settings};
use find::find;
use personal::kept;
use place::Place;

/// Orders of every marketplace in `amazon_marketplaces`.
pub fn orders() -> Orders {
    Orders
}

/// A source. See [`orders`].
#[derive(Clone, Copy, Debug)]
pub struct Orders;

pub(crate) const KIND: Kind = Kind::new("amazon", "Order");

/// Whoever bought: no record of its own, but a part of an order. Known by `buyer.id`.
pub const BUYER: Kind = Kind::new("amazon", "Buyer");
/// What is sold, known by the seller's SKU.
pub const PRODUCT: Kind = Kind::new("amazon", "Product");

/// An order is searchable some time after its update; Amazon refuses a bound younger than this.
const SETTLED: Duration = Duration::from_secs(2 * 60);
/// Five times what Amazon itself allows for: an update that shows later than that is found by its notification.
/// More would cost: a page of searchOrders comes back every three minutes, and overlaps are read again.
const OVERLAP: Duration = Duration::from_secs(10 * 60);
/// Pages of a window beyond which it is not listed a second time.
const TWICE_PAGE_COUNT_MAX: u32 = 4;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often a window may begin anew at once. After that somebody should look, and it waits: this long at first,
/// twice as long with each time.
const RESTART_COUNT_MAX: u32 = 3;
const RESTART_WAIT: Duration = Duration::from_secs(15 * 60);
const RESTART_WAIT_MAX: Duration = Duration::from_secs(6 * 60 * 60);

impl Orders {
    /// One page of a search. A page token that Amazon refuses (it lives 24 hours) costs the window's beginning:
    /// that repeats orders and skips none.
    ///
    /// Where that happens too often the place is one without a token, which waits: a fault keeps no place, so
    /// with one alone the dead token would be asked for again for ever. Whoever goes on from there gets
    /// `SOURCE_PAGING` (retry after) until then.
    async fn searched(
        &self,
        ports: &Ports,
        by: By,
        account: &Account,
        window: &Window,
        limit: usize,
        select: &Selection,
    ) -> Result<Page> {
        let settings = Settings::read(&*ports.variables)?;
        // A bound before its window's start was never ours.
        let place = Place::of(&window.after.id);
        let place = match place.until {
            Some(until) if until < window.after.watermark => Place::default(),
            _ => place,
        };
        let now = ports.clock.now();
        if let Some(due) = place.due.filter(|due| *due > now) {
            return Err(tokens_refused(place.restarts, due.duration_since(now)));
        }
        let until = place.until.unwrap_or(window.until);
        let at = |place: Place| Position {
            watermark: window.after.watermark,
            id: place.text(),
        };
        let include = search::included(select);
        let mut search = Search {
            account,
            by,
            after: window.after.watermark,
            until,
            include: &include,
            order_count_max: limit,
            token: place.token.as_deref(),
        };
        if search.is_empty() {
            return Ok(Page {
                changes: Vec::new(),
                next: None,
            });
        }
        let mut restarts = place.restarts;
        let mut sent = client::send(ports, &settings, account, &search.call()).await;
        if search.token.is_some()
            && let Err(fault) = &sent
            && client::is_refusal(fault, 400)
        {
            restarts += 1;
            if restarts > RESTART_COUNT_MAX {
                let waits = Place {
                    until: Some(until),
                    restarts,
                    due: Some(later(now, restart_wait(restarts))),
                    token: None,
                };
                return Ok(Page {
                    changes: Vec::new(),
                    next: Some(at(waits)),
                });
            }
            search.token = None;
            sent = client::send(ports, &settings, account, &search.call()).await;
        }
        let page = search::read_page(&sent?)?;
        if page.orders.len() > limit {
            return Err(errors::paging("a page holds more orders than asked for"));
        }
        if page.next.is_some() && page.next.as_deref() == search.token {
            return Err(errors::paging("a page is followed by itself"));
        }
        let changes = page.orders.into_iter().map(|order| change(order, select));
        let next = page.next.map(|token| {
            at(Place {
                until: Some(until),
                restarts,
                due: None,
                token: Some(token),
            })
        });
        Ok(Page {
            changes: changes.collect::<Result<_>>()?,
            next,
        })
    }
}

#[async_trait(?Send)]
impl Source for Orders {
    fn kind(&self) -> Kind {
        KIND
    }

    fn check(&self, ports: &Ports) -> Result<()> {
        Settings::read(&*ports.variables).map(drop)
    }

    fn hooks(&self) -> Vec<Box<dyn Hook>> {
        vec![Box::new(EventBridge), Box::new(Sns)]
    }

    /// Amazon deletes no order; after two years it does not know them any more.
    ///
    /// Faults: `AMAZON_ID_INVALID`, `AMAZON_ORDER_INVALID` (dead letter), those of [`client::send`].
    async fn fetch(&self, ports: &Ports, id: &str, select: &Selection) -> Result<Observed> {
        let settings = Settings::read(&*ports.variables)?;
        let id = Id::required(id)?;
        find(ports, &settings, &id, select).await
    }

    /// One request an order: there is no other way.
    ///
    /// Faults: as of [`Source::fetch`].
    async fn fetch_all(
        &self,
        ports: &Ports,
        ids: &[String],
        select: &Selection,
    ) -> Result<BTreeMap<String, Observed>> {
        let settings = Settings::read(&*ports.variables)?;
        let mut observed = BTreeMap::new();
        for id in ids {
            let found = match Id::parse(id) {
                Some(parsed) => find(ports, &settings, &parsed, select).await?,
                // Nobody has an order of an id that can be none.
                None => Observed::Gone(Gone::Unknown),
            };
            observed.insert(id.clone(), found);
        }
        Ok(observed)
    }

    /// By `orderId` only: Amazon searches by nothing else that names one order.
    ///
    /// Faults: `AMAZON_REQUEST` (stop the flow) for another field, those of [`Source::fetch_all`].
    async fn find_all(
        &self,
        ports: &Ports,
        field: &str,
        keys: &[String],
    ) -> Result<BTreeMap<String, Found>> {
        if field != "orderId" {
            let message = format!("Amazon finds orders by their ids, not by {field}");
            return Err(Fault::stop_flow(errors::REQUEST, message));
        }
        let observed = self.fetch_all(ports, keys, &Selection::default()).await?;
        let found = observed.into_iter().filter_map(|(id, seen)| match seen {
            Observed::Present(_) => Some((id.clone(), Found::One(id))),
            Observed::Gone(_) => None,
        });
        Ok(found.collect())
    }

    /// The `Date` of an answer of the first region that gives one, less the two minutes that Amazon wants to lie
    /// between an update and the bound of a search. Whole seconds, rounded down by it.
    ///
    /// Faults: those of [`client::greet`], `ANSWER_INVALID` (retry).
    async fn now(&self, ports: &Ports) -> Result<Timestamp> {
        let settings = Settings::read(&*ports.variables)?;
        let mut silent = None;
        // One region that is down must not stop the clock of the others.
        for account in &settings.accounts {
            match client::greet(ports, account).await {
                Ok(response) => {
                    return answer::date(&response)
                        .map(|date| earlier(date, SETTLED))
                        .ok_or_else(|| errors::answer_lacks("Date header"));
                }
                Err(fault) => silent = silent.or(Some(fault)),
            }
        }
        Err(silent.unwrap_or_else(|| errors::answer_lacks("account")))
    }

    /// One a marketplace, by its country, so that each can have a schedule of its own. Those of one account
    /// share its limits.
    fn streams(&self, ports: &Ports) -> Result<Vec<&'static str>> {
        Ok(Settings::read(&*ports.variables)?.streams())
    }

    /// All of them: an order is in one marketplace only.
    fn own_streams(&self, ports: &Ports) -> Result<Vec<&'static str>> {
        self.streams(ports)
    }

    /// The whole window before, so that every moment is listed twice: pages leave orders out, and repeat others,
    /// as orders change while they are read. Where that would cost too many requests, less.
    fn overlap(&self, last: &LastWindow) -> Duration {
        match last.page_count {
            0..=TWICE_PAGE_COUNT_MAX => OVERLAP.max(last.length),
            _ => OVERLAP,
        }
    }

    /// A report is of thirty days at most. A search could be of any, but smaller steps tell how far it is; each
    /// costs a request, of which there are few.
    fn slice(&self, ports: &Ports, range: Duration) -> Result<Duration> {
        Ok(match Settings::read(&*ports.variables)?.backfill {
            Backfill::Orders => (range / 5).clamp(DAY, 30 * DAY),
            Backfill::Reports => 30 * DAY,
        })
    }

    /// The streams of an account share the slots of one operation. While many are free a stream is listed
    /// whenever somebody asks; after that each in its turn, as slots come back, with a turn for a backfill that
    /// searches, too. A window's further pages are taken from the slots that are left.
    async fn pace(&self, ports: &Ports, stream: &str, beside_backfill: bool) -> Result<Duration> {
        let settings = Settings::read(&*ports.variables)?;
        let account = settings.account_with(stream);
        let account = account.ok_or_else(|| strange(stream))?;
        let turns = account.marketplaces.len();
        let others = usize::from(beside_backfill && settings.backfill == Backfill::Orders);
        let turns = u32::try_from(turns + others).unwrap_or(u32::MAX);
        let level = limits::level(ports, &settings, Grant::Seller(account), SEARCH_ORDERS).await?;
        Ok(match level {
            Some(level) if level.free < EASY_SLOTS => level.interval.saturating_mul(turns),
            _ => Duration::ZERO,
        })
    }

    /// Amazon promises no order within a window: places are page tokens.
    async fn changed(
        &self,
        ports: &Ports,
        stream: &str,
        window: &Window,
        record_count_max: usize,
        select: &Selection,
    ) -> Result<Page> {
        let settings = Settings::read(&*ports.variables)?;
        let account = &account(&settings, stream)?;
        let limit = record_count_max.clamp(1, PAGE_ORDERS_MAX);
        self.searched(ports, By::Updated, account, window, limit, select)
            .await
    }

    /// As `amazon_backfill` says: by a search, or by a report.
    ///
    /// Faults: as of [`Source::changed`]; those of [`report::past`].
    async fn past(
        &self,
        ports: &Ports,
        stream: &str,
        window: &Window,
        record_count_max: usize,
        select: &Selection,
    ) -> Result<Page> {
        let settings = Settings::read(&*ports.variables)?;
        let account = &account(&settings, stream)?;
        let limit = record_count_max.clamp(1, PAGE_ORDERS_MAX);
        match settings.backfill {
            Backfill::Orders => {
                self.searched(ports, By::Created, account, window, limit, select)
                    .await
            }
            Backfill::Reports => {
                let limit = record_count_max.max(1);
                report::past(ports, &settings, account, window, limit).await
            }
        }
    }

    /// Fault: `AMAZON_READ_ONLY` (stop the flow), unless there is nothing to write.
    async fn write_back(&self, _: &Ports, _: &str, fields: &Map<String, Value>) -> Result<()> {
        if fields.is_empty() {
            return Ok(());
        }
        let message = "an Amazon order has no field for us; take [write_back] out of the mapping";
        Err(Fault::stop_flow(errors::READ_ONLY, message))
    }
}

fn account(settings: &Settings, stream: &str) -> Result<Account> {
    settings.account(stream).ok_or_else(|| strange(stream))
}

fn strange(stream: &str) -> Fault {
    let message = format!("the stream {stream} is no marketplace of amazon_marketplaces");
    Fault::stop_flow(errors::REQUEST, message)
}

/// With each time beyond the limit twice as long.
fn restart_wait(restarts: u32) -> Duration {
    let beyond = restarts.saturating_sub(RESTART_COUNT_MAX + 1);
    let factor = 2_u32.saturating_pow(beyond);
    RESTART_WAIT.saturating_mul(factor).min(RESTART_WAIT_MAX)
}

/// With the refusal, for it is one: a wait without would pass for a limit that is kept.
fn tokens_refused(count: u32, wait: SignedDuration) -> Fault {
    let wait = Duration::try_from(wait).unwrap_or(RESTART_WAIT);
    let message = format!(
        "Amazon pages wrongly: its page tokens were refused {count} times in one window, which begins anew then"
    );
    Fault::retry_after(wait, code::SOURCE_PAGING, message).with_answer(Answer {
        status: 400,
        code: None,
        message: String::new(),
    })
}

/// An order of a page. One that is not as it must be is announced without its body: it is then fetched by
/// itself, and becomes a dead letter by itself.
///
/// Fault: `ANSWER_INVALID` (retry) for one that can't even be named.
fn change(order: Value, select: &Selection) -> Result<Change> {
    let id = order.at("orderId").and_then(Value::as_str);
    let id = id
        .filter(|id| (1..=64).contains(&id.len()) && id.bytes().all(|it| it.is_ascii_graphic()))
        .ok_or_else(|| errors::answer_lacks("orders[].orderId"))?;
    let id = KIND.id(id);
    let version = version(&order);
    let is_good = Id::parse(&id.id).is_some() && check::bad_fields(&order).is_empty();
    Ok(Change {
        version,
        record: version.filter(|_| is_good).map(|version| Record {
            id: id.clone(),
            version,
            body: kept(order, select),
        }),
        id,
    })
}

pub(crate) fn version(order: &Value) -> Option<Version> {
    let time = order.at("lastUpdatedTime").and_then(Value::as_str)?;
    Moment::instant(time).map(|time| Version(time.as_millisecond()))
}

#[cfg(test)]
mod tests;
