//! Several vendors under one clock, with what goes wrong between them and their callers.

use std::{any::Any, collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use jiff::{Timestamp, fmt::rfc2822};

use crate::{
    misfortune::{Misfortunes, What, garble, milliseconds, refuse_with},
    request_log::RequestLog,
    vendor::{Delivery, Vendor},
};

/// Requests that may wait to take effect.
const LATE_COUNT_MAX: usize = 10_000;

/// Vendors, misfortunes, and a log of what was asked. Time comes in with each call and nothing blocks, so
/// whole days can be run as fast as the machine goes; the same calls in the same order give the same world.
pub struct World {
    places: Vec<Place>,
    misfortunes: Misfortunes,
    /// Requests whose callers have given up, by when they take effect.
    late: BTreeMap<(Timestamp, u64), (usize, Request<Bytes>)>,
    /// Webhooks held back, by when they go.
    held: BTreeMap<(Timestamp, u64), Outgoing>,
    sequence: u64,
}

struct Place {
    vendor: Box<dyn Vendor>,
    log: RequestLog,
}

/// What the caller of a request sees.
#[derive(Debug)]
pub enum Reply {
    /// An answer, this long after the request.
    Answer {
        /// The answer.
        response: Response<Bytes>,
        /// How long it takes.
        delay: Duration,
    },
    /// The connection closes without one, this long after the request.
    Dropped {
        /// How long it stays open.
        delay: Duration,
    },
}

/// A webhook on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Who sends it.
    pub vendor: &'static str,
    /// The request, and the name to report back under.
    pub delivery: Delivery,
}

impl World {
    /// A world without vendors. The seed decides where chance is at work.
    pub fn new(seed: u64) -> Self {
        Self {
            places: Vec::new(),
            misfortunes: Misfortunes::new(seed),
            late: BTreeMap::new(),
            held: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// The same with one more vendor.
    #[must_use]
    pub fn with(mut self, vendor: impl Vendor) -> Self {
        self.places.push(Place {
            vendor: Box::new(vendor),
            log: RequestLog::default(),
        });
        self
    }

    /// The vendors' names.
    pub fn vendors(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.places.iter().map(|place| place.vendor.name())
    }

    /// The vendor of this type.
    pub fn vendor<T: Vendor>(&self) -> Option<&T> {
        self.places.iter().find_map(|place| {
            let vendor: &dyn Any = place.vendor.as_ref();
            vendor.downcast_ref()
        })
    }

    /// The vendor of this type, to act as one of its users. Follow with [`World::due`] to send what that
    /// sets off.
    pub fn vendor_mut<T: Vendor>(&mut self) -> Option<&mut T> {
        self.places.iter_mut().find_map(|place| {
            let vendor: &mut dyn Any = place.vendor.as_mut();
            vendor.downcast_mut()
        })
    }

    /// The vendor of this name.
    pub fn named(&self, name: &str) -> Option<&dyn Vendor> {
        self.index(name)
            .map(|index| self.places[index].vendor.as_ref())
    }

    /// The vendor of this name, to act as one of its users.
    pub fn named_mut(&mut self, name: &str) -> Option<&mut dyn Vendor> {
        self.index(name)
            .map(|index| self.places[index].vendor.as_mut())
    }

    /// What goes wrong.
    pub fn misfortunes(&mut self) -> &mut Misfortunes {
        &mut self.misfortunes
    }

    /// What was asked of a vendor.
    pub fn requests(&self, vendor: &str) -> Option<&RequestLog> {
        self.index(vendor).map(|index| &self.places[index].log)
    }

    /// The same, to change what is kept.
    pub fn requests_mut(&mut self, vendor: &str) -> Option<&mut RequestLog> {
        self.index(vendor).map(|index| &mut self.places[index].log)
    }

    /// Puts a request to a vendor at `now`, which must not run backwards; `None` if there is no such vendor.
    pub fn handle(
        &mut self,
        vendor: &str,
        request: Request<Bytes>,
        now: Timestamp,
    ) -> Option<Reply> {
        let index = self.index(vendor)?;
        self.advance(now);
        let name = self.places[index].vendor.name();
        let what = self
            .misfortunes
            .strike_request(name, request.method(), request.uri());
        Some(self.suffer(index, request, what, now))
    }

    /// Lets everything take effect that was due by `now`.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(entry) = self.late.first_entry() {
            let (due, _) = *entry.key();
            if due > now {
                break;
            }
            let (index, request) = entry.remove();
            let response = self.places[index].vendor.handle(&request, due);
            let size = response.body().len();
            self.places[index]
                .log
                .note(&request, due, Some(response.status()), false, size);
        }
    }

    /// The webhooks to send at `now`. Report each back through [`World::delivered`].
    pub fn due(&mut self, now: Timestamp) -> Vec<Outgoing> {
        self.advance(now);
        let mut outgoing = Vec::new();
        let later = self.held.split_off(&(now, u64::MAX));
        outgoing.extend(std::mem::replace(&mut self.held, later).into_values());
        for index in 0..self.places.len() {
            let vendor = self.places[index].vendor.name();
            for delivery in self.places[index].vendor.due(now) {
                self.dispatch(index, Outgoing { vendor, delivery }, now, &mut outgoing);
            }
        }
        outgoing
    }

    /// When something happens next by itself, if anything does.
    pub fn next_due(&self) -> Option<Timestamp> {
        let late = self.late.keys().next().map(|key| key.0);
        let held = self.held.keys().next().map(|key| key.0);
        let vendors = self
            .places
            .iter()
            .filter_map(|place| place.vendor.next_due());
        vendors.chain(late).chain(held).min()
    }

    /// What came of a webhook: the receiver's answer, or `None` if none arrived.
    pub fn delivered(
        &mut self,
        vendor: &str,
        id: u64,
        answer: Option<&Response<Bytes>>,
        now: Timestamp,
    ) {
        if let Some(index) = self.index(vendor) {
            self.places[index].vendor.delivered(id, answer, now);
        }
    }

    fn index(&self, vendor: &str) -> Option<usize> {
        self.places
            .iter()
            .position(|place| place.vendor.name() == vendor)
    }

    fn suffer(
        &mut self,
        index: usize,
        request: Request<Bytes>,
        what: Option<What>,
        now: Timestamp,
    ) -> Reply {
        let at_once = Duration::ZERO;
        match what {
            Some(What::Refuse(refusal)) => {
                let response = self.places[index].vendor.refusal(refusal);
                self.answer(index, &request, response, at_once, now)
            }
            Some(What::RefuseWith {
                status,
                body,
                content_type,
                retry_after_s,
            }) => {
                let response = refuse_with(status, body, content_type.as_deref(), retry_after_s);
                self.answer(index, &request, response, at_once, now)
            }
            Some(What::DropBefore) => {
                self.places[index].log.note(&request, now, None, false, 0);
                Reply::Dropped { delay: at_once }
            }
            Some(What::CommitThenDrop) => {
                let response = self.places[index].vendor.handle(&request, now);
                let (status, size) = (response.status(), response.body().len());
                self.places[index]
                    .log
                    .note(&request, now, Some(status), false, size);
                Reply::Dropped { delay: at_once }
            }
            Some(What::LateCommit { after_ms, hang_ms }) => {
                let due = now.saturating_add(milliseconds(after_ms)).unwrap_or(now);
                if self.late.len() < LATE_COUNT_MAX {
                    self.sequence += 1;
                    self.late.insert((due, self.sequence), (index, request));
                }
                Reply::Dropped {
                    delay: milliseconds(hang_ms),
                }
            }
            Some(What::Delay { ms }) => {
                let response = self.places[index].vendor.handle(&request, now);
                self.answer(index, &request, response, milliseconds(ms), now)
            }
            Some(What::Garble(how)) => {
                let response = self.places[index].vendor.handle(&request, now);
                self.answer(index, &request, garble(how, response), at_once, now)
            }
            _ => {
                let response = self.places[index].vendor.handle(&request, now);
                self.answer(index, &request, response, at_once, now)
            }
        }
    }

    fn answer(
        &mut self,
        index: usize,
        request: &Request<Bytes>,
        mut response: Response<Bytes>,
        delay: Duration,
        now: Timestamp,
    ) -> Reply {
        // Every vendor says when it answered, by its own clock.
        if let Ok(date) = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now)
            && let Ok(date) = HeaderValue::from_str(&date)
        {
            response.headers_mut().entry(header::DATE).or_insert(date);
        }
        let (status, size) = (response.status(), response.body().len());
        self.places[index]
            .log
            .note(request, now, Some(status), true, size);
        Reply::Answer { response, delay }
    }

    fn dispatch(
        &mut self,
        index: usize,
        item: Outgoing,
        now: Timestamp,
        outgoing: &mut Vec<Outgoing>,
    ) {
        let request = &item.delivery.request;
        match self
            .misfortunes
            .strike_webhook(item.vendor, request.method(), request.uri())
        {
            Some(What::WebhookLose) => self.places[index].vendor.lost(item.delivery.id, now),
            Some(What::WebhookDuplicate { copies }) => {
                outgoing.extend((0..copies.min(100)).map(|_| item.clone()));
                outgoing.push(item);
            }
            Some(What::WebhookDelay { ms }) if ms > 0 => {
                let due = now.saturating_add(milliseconds(ms)).unwrap_or(now);
                self.sequence += 1;
                self.held.insert((due, self.sequence), item);
            }
            _ => outgoing.push(item),
        }
    }
}
