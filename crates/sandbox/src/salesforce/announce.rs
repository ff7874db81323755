//! What the organization tells the world of its saves, and when it tries again.
//! <https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_notifications.htm>

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Response, Uri};
use jiff::Timestamp;

use super::{
    Callout, OutboundMessage, Salesforce, Trace, Trigger,
    error::Error,
    id::Id,
    notification,
    schema::{Object, object},
    soql::{self, Filter, Scope},
};
use crate::vendor::Delivery;

/// Most notifications in one outbound message.
const NOTIFICATION_COUNT_MAX: usize = 100;
/// Most records one transaction saves, and so one callout names.
const CALLOUT_RECORD_COUNT_MAX: usize = 200;
/// Rules at once: their matches fit a word of bits.
const RULE_COUNT_MAX: usize = 32;
/// The wait before the second attempt; each further one is twice as long.
const RETRY_WAIT_MIN: Duration = Duration::from_secs(15);
/// No wait is longer.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(2 * 60 * 60);
/// A notification not acknowledged by this age is dropped.
const AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Rules, and the notifications they have queued.
#[derive(Default)]
pub(super) struct Announcements {
    rules: Vec<Arc<Rule>>,
    waiting: BTreeMap<u64, Notification>,
    schedule: BTreeSet<(Timestamp, u64)>,
    in_flight: HashMap<u64, Vec<u64>>,
    last_number: u64,
    last_transaction: u64,
    /// Automation is off, as during a data load.
    pub(super) quiet: bool,
}

/// What to watch, and whom to tell.
pub(super) struct Rule {
    pub(super) id: Id,
    pub(super) object: &'static Object,
    filter: Filter,
    trigger: Trigger,
    pub(super) target: Target,
}

/// How a rule tells.
pub(super) enum Target {
    /// Acknowledged or tried again.
    Message {
        url: Uri,
        fields: Vec<usize>,
        send_session_id: bool,
    },
    /// Tried once.
    Callout {
        url: Uri,
        secret: String,
        with_changes: bool,
    },
}

/// One record to tell one receiver about.
pub(super) struct Notification {
    pub(super) id: Id,
    pub(super) record: Id,
    rule: Arc<Rule>,
    transaction: u64,
    queued: Timestamp,
    attempt_count: u32,
}

impl Salesforce {
    /// Replaces every workflow rule that sends an outbound message.
    ///
    /// # Errors
    /// If a rule names a type, field or condition that does not exist, or an address that is none.
    pub fn set_outbound_messages(
        &mut self,
        messages: Vec<OutboundMessage>,
    ) -> Result<(), crate::EditError> {
        let rules: Result<Vec<Rule>, Error> = messages
            .into_iter()
            .map(|message| {
                let kind = known(&message.object)?;
                let fields: Result<Vec<usize>, Error> = message
                    .fields
                    .iter()
                    .map(|name| {
                        kind.field(name)
                            .ok_or_else(|| Error::no_such_column(name, kind.name))
                    })
                    .collect();
                let url = address(&message.url)?;
                let target = Target::Message {
                    url,
                    fields: fields?,
                    send_session_id: message.send_session_id,
                };
                self.rule(kind, &message.criteria, message.trigger, target)
            })
            .collect();
        self.replace_rules(rules, |target| matches!(target, Target::Message { .. }))
    }

    /// Replaces every signed callout.
    ///
    /// # Errors
    /// If one names a type or condition that does not exist, or an address that is none.
    pub fn set_callouts(&mut self, callouts: Vec<Callout>) -> Result<(), crate::EditError> {
        let rules: Result<Vec<Rule>, Error> = callouts
            .into_iter()
            .map(|callout| {
                let kind = known(&callout.object)?;
                let url = address(&callout.url)?;
                let target = Target::Callout {
                    url,
                    secret: callout.secret,
                    with_changes: callout.with_changes,
                };
                self.rule(kind, &callout.criteria, callout.trigger, target)
            })
            .collect();
        self.replace_rules(rules, |target| matches!(target, Target::Callout { .. }))
    }

    fn rule(
        &mut self,
        object: &'static Object,
        criteria: &str,
        trigger: Trigger,
        target: Target,
    ) -> Result<Rule, Error> {
        let filter = soql::condition(object, criteria)?;
        Ok(Rule {
            id: self.numbers.next("04k"),
            object,
            filter,
            trigger,
            target,
        })
    }

    fn replace_rules(
        &mut self,
        rules: Result<Vec<Rule>, Error>,
        is_replaced: impl Fn(&Target) -> bool,
    ) -> Result<(), crate::EditError> {
        let rules = rules.map_err(|error| crate::EditError::Refused(error.message))?;
        let kept = &mut self.announcements.rules;
        kept.retain(|rule| !is_replaced(&rule.target));
        kept.extend(rules.into_iter().map(Arc::new));
        if kept.len() > RULE_COUNT_MAX {
            kept.truncate(RULE_COUNT_MAX);
            return Err(crate::EditError::Refused("too many rules".to_owned()));
        }
        Ok(())
    }

    /// Which rules a record meets as it is, bit by bit; only where a rule cares for the past.
    pub(super) fn matched_rules(&self, object: &'static Object, row: usize, now: Timestamp) -> u32 {
        let scope = Scope {
            store: &self.store,
            all_rows: true,
            now,
        };
        let rules = self.announcements.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| rule.trigger == Trigger::StartsToMatch)
            .filter(|(_, rule)| rule.object.name == object.name)
            .filter(|(_, rule)| soql::matches(&rule.filter, &scope, self.store.table(object), row))
            .fold(0, |bits, (index, _)| bits | 1 << index)
    }

    /// Queues what the ended request has saved: one notification a rule and record.
    pub(super) fn announce(&mut self, now: Timestamp) {
        let trace = std::mem::take(&mut self.trace);
        if trace.is_empty() || self.announcements.quiet {
            return;
        }
        self.announcements.last_transaction += 1;
        let mut seen = BTreeSet::new();
        for save in trace.into_iter().filter(|save| seen.insert(save.id)) {
            for index in 0..self.announcements.rules.len() {
                let rule = Arc::clone(&self.announcements.rules[index]);
                if self.fires(&rule, index, &save, now) {
                    let id = self.numbers.next("04l");
                    self.announcements.queue(id, save.id, rule, now);
                }
            }
        }
    }

    fn fires(&self, rule: &Rule, index: usize, save: &Trace, now: Timestamp) -> bool {
        let table = self.store.table(save.object);
        let scope = Scope {
            store: &self.store,
            all_rows: true,
            now,
        };
        let matched_before = !save.created && save.matched & (1 << index) != 0;
        rule.object.name == save.object.name
            && (rule.trigger == Trigger::EveryEdit || !matched_before)
            && table.row(save.id).is_some_and(|row| {
                !table.is_deleted(row) && soql::matches(&rule.filter, &scope, table, row)
            })
    }

    /// Everything due, in messages of as many notifications as one may hold, with data as it is now.
    pub(super) fn deliveries(&mut self, now: Timestamp) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        for numbers in self.announcements.take_due(now) {
            let rule = match numbers
                .first()
                .and_then(|n| self.announcements.waiting.get(n))
            {
                Some(first) => Arc::clone(&first.rule),
                None => continue,
            };
            let table = self.store.table(rule.object);
            let is_there = |id: Id| table.row(id).is_some_and(|row| !table.is_deleted(row));
            let (live, gone): (Vec<u64>, Vec<u64>) = numbers.into_iter().partition(|number| {
                self.announcements
                    .waiting
                    .get(number)
                    .is_some_and(|n| is_there(n.record))
            });
            for number in gone {
                self.announcements.waiting.remove(&number);
            }
            if live.is_empty() {
                continue;
            }
            let session = match rule.target {
                Target::Message {
                    send_session_id: true,
                    ..
                } => Some(self.open_session(now)),
                _ => None,
            };
            let announcements = &mut self.announcements;
            announcements.last_number += 1;
            let id = announcements.last_number;
            let items = live
                .iter()
                .filter_map(|number| announcements.waiting.get(number));
            let items: Vec<&Notification> = items.collect();
            let frame = notification::Frame {
                organization: self.organization,
                base_url: &self.settings.base_url,
                session: session.as_deref(),
                store: &self.store,
                now,
            };
            if let Some(request) = notification::request(&frame, &rule, &items) {
                deliveries.push(Delivery { id, request });
            }
            announcements.in_flight.insert(id, live);
        }
        deliveries
    }
}

impl Announcements {
    pub(super) fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.schedule.first().map(|&(due, _)| due)
    }

    /// A delivery went nowhere and nobody will try again.
    pub(super) fn forget(&mut self, delivery: u64) {
        for number in self.in_flight.remove(&delivery).unwrap_or_default() {
            self.waiting.remove(&number);
        }
    }

    /// Acknowledged notifications are done; others wait longer each time, until they are too old.
    pub(super) fn settle(
        &mut self,
        delivery: u64,
        answer: Option<&Response<Bytes>>,
        now: Timestamp,
    ) {
        let acknowledged = answer.is_some_and(notification::is_acknowledged);
        for number in self.in_flight.remove(&delivery).unwrap_or_default() {
            let Some(waiting) = self.waiting.get_mut(&number) else {
                continue;
            };
            let once = matches!(waiting.rule.target, Target::Callout { .. });
            let wait = retry_wait(waiting.attempt_count);
            waiting.attempt_count += 1;
            let due = now.saturating_add(wait).unwrap_or(now);
            let age = due.duration_since(waiting.queued).unsigned_abs();
            if acknowledged || once || age > AGE_MAX {
                self.waiting.remove(&number);
            } else {
                self.schedule.insert((due, number));
            }
        }
    }

    fn queue(&mut self, id: Id, record: Id, rule: Arc<Rule>, now: Timestamp) {
        self.last_number += 1;
        let transaction = self.last_transaction;
        let waiting = Notification {
            id,
            record,
            rule,
            transaction,
            queued: now,
            attempt_count: 0,
        };
        self.waiting.insert(self.last_number, waiting);
        self.schedule.insert((now, self.last_number));
    }

    /// Takes what is due off the schedule, in groups that go out together.
    fn take_due(&mut self, now: Timestamp) -> Vec<Vec<u64>> {
        let later = self.schedule.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut self.schedule, later);
        let mut groups: BTreeMap<(Id, u64), Vec<u64>> = BTreeMap::new();
        for (_, number) in due {
            if let Some(waiting) = self.waiting.get(&number) {
                let transaction = match waiting.rule.target {
                    Target::Message { .. } => 0,
                    Target::Callout { .. } => waiting.transaction,
                };
                groups
                    .entry((waiting.rule.id, transaction))
                    .or_default()
                    .push(number);
            }
        }
        let size = |numbers: &Vec<u64>| match numbers.first().and_then(|n| self.waiting.get(n)) {
            Some(Notification { rule, .. }) if matches!(rule.target, Target::Callout { .. }) => {
                CALLOUT_RECORD_COUNT_MAX
            }
            _ => NOTIFICATION_COUNT_MAX,
        };
        groups
            .into_values()
            .flat_map(|numbers| {
                let size = size(&numbers);
                numbers
                    .chunks(size)
                    .map(<[u64]>::to_vec)
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

fn retry_wait(attempt_count: u32) -> Duration {
    let factor = 1u32.checked_shl(attempt_count.min(20)).unwrap_or(u32::MAX);
    RETRY_WAIT_MIN.saturating_mul(factor).min(RETRY_WAIT_MAX)
}

fn known(name: &str) -> Result<&'static Object, Error> {
    object(name).ok_or_else(Error::not_found)
}

fn address(url: &str) -> Result<Uri, Error> {
    let bad = || Error::bad("INVALID_URL", "the address must be an absolute http URL");
    let uri: Uri = url.parse().map_err(|_| bad())?;
    if uri.scheme_str() == Some("http") && uri.host().is_some() {
        Ok(uri)
    } else {
        Err(bad())
    }
}
