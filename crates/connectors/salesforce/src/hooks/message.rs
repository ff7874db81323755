//! Reads outbound messages: SOAP 1.1, one `notifications` with up to a hundred `Notification`s.
//!
//! Names are compared with their namespaces. What has no business in such a message is refused, not
//! skipped: document types, entities, processing instructions, control characters, deep nesting. Only the
//! organization, the record ids and their change times leave this file; the session id is never looked at.

use bytes::Bytes;
use jiff::Timestamp;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, NamespaceResolver, QName, ResolveResult};
use quick_xml::reader::NsReader;
use sluice_core::Refused;

use super::{BAD_COUNT, NOT_XML, NOTIFICATION_COUNT_MAX, WRONG_OBJECT};
use crate::id::Id;
use crate::query;

/// What an outbound message says.
#[derive(Debug, PartialEq)]
pub(super) struct Message {
    pub organization: Id,
    /// Each notified record, with its change time if that is among the message's fields.
    pub records: Vec<(Id, Option<Timestamp>)>,
}

/// The answer that makes Salesforce forget the message.
pub(super) const ACK: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">",
    "<soapenv:Body>",
    "<notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>true</Ack></notificationsResponse>",
    "</soapenv:Body></soapenv:Envelope>\n",
);

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const OUTBOUND: &str = "http://soap.sforce.com/2005/09/outbound";
const SOBJECT: &str = "urn:sobject.enterprise.soap.sforce.com";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

const DEPTH_MAX: usize = 12;
const TEXT_BYTES_MAX: usize = 64;

const MALFORMED: Refused = Refused::new(400, "the body is not an outbound message");

/// Where in the message the reader stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Envelope,
    Body,
    Notifications,
    Organization,
    Notification,
    Object,
    ObjectId,
    Modstamp,
    /// Something we do not read.
    Other,
}

/// Reads a message about records of `object`.
pub(super) fn read(body: &Bytes, object: &str) -> Result<Message, Refused> {
    let text = std::str::from_utf8(body).map_err(|_| MALFORMED)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.chars().any(is_forbidden) {
        return Err(MALFORMED);
    }
    let mut reader = NsReader::from_str(text);
    let config = reader.config_mut();
    config.check_comments = true;
    config.expand_empty_elements = true;
    let mut state = State::new(object);
    // Each event takes at least one byte, so this ends; the bound makes sure.
    for _ in 0..=text.len() + 1 {
        let event = reader.read_event().map_err(|_| MALFORMED)?;
        match event {
            Event::Decl(declaration) => state.declared(&declaration)?,
            Event::Start(start) => state.open(&start, reader.resolver())?,
            Event::End(_) => state.close()?,
            Event::Text(part) => state.text(&part)?,
            Event::CData(part) => state.text(&part)?,
            Event::GeneralRef(reference) => state.text(&resolve(&reference)?)?,
            Event::Comment(_) => state.touched = true,
            Event::Eof => return state.finish(),
            Event::Empty(_) | Event::PI(_) | Event::DocType(_) => return Err(MALFORMED),
        }
    }
    Err(MALFORMED)
}

struct State<'a> {
    object: &'a str,
    places: Vec<Place>,
    /// The text of the innermost element, if it is one we read.
    text: String,
    /// Something came before: a declaration would be out of place.
    touched: bool,
    envelope_seen: bool,
    body_seen: bool,
    notifications_seen: bool,
    organization: Option<Id>,
    /// Of the notification being read.
    object_seen: bool,
    id: Option<Id>,
    modstamp: Option<Timestamp>,
    records: Vec<(Id, Option<Timestamp>)>,
}

impl<'a> State<'a> {
    fn new(object: &'a str) -> Self {
        Self {
            object,
            places: Vec::new(),
            text: String::new(),
            touched: false,
            envelope_seen: false,
            body_seen: false,
            notifications_seen: false,
            organization: None,
            object_seen: false,
            id: None,
            modstamp: None,
            records: Vec::new(),
        }
    }

    fn declared(&mut self, declaration: &BytesDecl) -> Result<(), Refused> {
        if self.touched {
            return Err(MALFORMED);
        }
        self.touched = true;
        match declaration.encoding() {
            None => Ok(()),
            Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => Ok(()),
            Some(Ok(_)) => Err(NOT_XML),
            Some(Err(_)) => Err(MALFORMED),
        }
    }

    fn open(&mut self, start: &BytesStart, names: &NamespaceResolver) -> Result<(), Refused> {
        self.touched = true;
        if self.places.len() == DEPTH_MAX {
            return Err(MALFORMED);
        }
        // Also finds attributes that stand twice or are not well formed.
        if start.attributes().any(|attribute| attribute.is_err()) {
            return Err(MALFORMED);
        }
        let (space, local) = names.resolve_element(start.name());
        let place = self.place(namespace(&space)?, local.into_inner())?;
        match place {
            Place::Envelope => once(&mut self.envelope_seen)?,
            Place::Body => once(&mut self.body_seen)?,
            Place::Notifications => once(&mut self.notifications_seen)?,
            Place::Notification if self.records.len() == NOTIFICATION_COUNT_MAX => {
                return Err(BAD_COUNT);
            }
            Place::Object => {
                once(&mut self.object_seen)?;
                self.check_object(start, names)?;
            }
            _ => {}
        }
        self.text.clear();
        self.places.push(place);
        Ok(())
    }

    /// What an element is, by where it stands and what it is called.
    fn place(&self, space: &str, local: &str) -> Result<Place, Refused> {
        let Some(parent) = self.places.last() else {
            return if (space, local) == (SOAP, "Envelope") {
                Ok(Place::Envelope)
            } else {
                Err(MALFORMED)
            };
        };
        match (parent, space, local) {
            (Place::Envelope, SOAP, "Body") => Ok(Place::Body),
            (Place::Envelope, SOAP, "Header") => Ok(Place::Other),
            (Place::Body, OUTBOUND, "notifications") => Ok(Place::Notifications),
            (Place::Notifications, OUTBOUND, "OrganizationId") => Ok(Place::Organization),
            (Place::Notifications, OUTBOUND, "Notification") => Ok(Place::Notification),
            (Place::Notification, OUTBOUND, "sObject") => Ok(Place::Object),
            (Place::Object, SOBJECT, "Id") => Ok(Place::ObjectId),
            (Place::Object, SOBJECT, "SystemModstamp") => Ok(Place::Modstamp),
            (Place::Notifications | Place::Notification | Place::Object | Place::Other, _, _) => {
                Ok(Place::Other)
            }
            _ => Err(MALFORMED),
        }
    }

    /// `xsi:type="sf:Opportunity"`, the prefix resolved like an element's.
    fn check_object(&self, start: &BytesStart, names: &NamespaceResolver) -> Result<(), Refused> {
        for attribute in start.attributes().flatten() {
            let (space, local) = names.resolve_attribute(attribute.key);
            if namespace(&space)? != INSTANCE || local.into_inner() != "type" {
                continue;
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|_| MALFORMED)?;
            let (space, local) = names.resolve_element(QName(value.trim()));
            return if namespace(&space)? == SOBJECT && local.into_inner() == self.object {
                Ok(())
            } else {
                Err(WRONG_OBJECT)
            };
        }
        Err(MALFORMED)
    }

    fn text(&mut self, part: &str) -> Result<(), Refused> {
        let is_space = part.bytes().all(|byte| byte.is_ascii_whitespace());
        match self.places.last() {
            Some(Place::Organization | Place::ObjectId | Place::Modstamp) => {
                if self.text.len() + part.len() > TEXT_BYTES_MAX {
                    return Err(MALFORMED);
                }
                self.text.push_str(part);
                Ok(())
            }
            Some(Place::Other) => Ok(()),
            _ if is_space => {
                self.touched = true;
                Ok(())
            }
            _ => Err(MALFORMED),
        }
    }

    fn close(&mut self) -> Result<(), Refused> {
        let text = self.text.trim();
        match self.places.pop().ok_or(MALFORMED)? {
            Place::Organization => {
                let id = Id::parse(text).ok_or(MALFORMED)?;
                set_once(&mut self.organization, id)?;
            }
            Place::ObjectId => {
                let id = Id::parse(text).ok_or(MALFORMED)?;
                set_once(&mut self.id, id)?;
            }
            Place::Modstamp => {
                let time = query::time(text).ok_or(MALFORMED)?;
                set_once(&mut self.modstamp, time)?;
            }
            Place::Notification => {
                let id = self.id.take().ok_or(MALFORMED)?;
                self.records.push((id, self.modstamp.take()));
                self.object_seen = false;
            }
            _ => {}
        }
        self.text.clear();
        Ok(())
    }

    fn finish(self) -> Result<Message, Refused> {
        if !self.places.is_empty() || !self.notifications_seen {
            return Err(MALFORMED);
        }
        if self.records.is_empty() {
            return Err(BAD_COUNT);
        }
        Ok(Message {
            organization: self.organization.ok_or(MALFORMED)?,
            records: self.records,
        })
    }
}

fn namespace<'n>(resolved: &ResolveResult<'n>) -> Result<&'n str, Refused> {
    match resolved {
        ResolveResult::Bound(Namespace(name)) => Ok(name),
        ResolveResult::Unbound => Ok(""),
        ResolveResult::Unknown(_) => Err(MALFORMED),
    }
}

/// The five entities XML itself knows, and characters by number; no others exist without a document type.
fn resolve(reference: &BytesRef) -> Result<String, Refused> {
    let by_number = reference.resolve_char_ref().map_err(|_| MALFORMED)?;
    let letter = match (by_number, &**reference) {
        (Some(letter), _) => letter,
        (None, "amp") => '&',
        (None, "lt") => '<',
        (None, "gt") => '>',
        (None, "quot") => '"',
        (None, "apos") => '\'',
        _ => return Err(MALFORMED),
    };
    if is_forbidden(letter) {
        return Err(MALFORMED);
    }
    Ok(letter.to_string())
}

/// What XML 1.0 allows nowhere.
fn is_forbidden(letter: char) -> bool {
    let control = letter < ' ' && !matches!(letter, '\t' | '\n' | '\r');
    control || matches!(letter, '\u{fffe}' | '\u{ffff}')
}

fn once(seen: &mut bool) -> Result<(), Refused> {
    if std::mem::replace(seen, true) {
        return Err(MALFORMED);
    }
    Ok(())
}

fn set_once<T>(place: &mut Option<T>, value: T) -> Result<(), Refused> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(MALFORMED),
    }
}

#[cfg(test)]
mod tests;
