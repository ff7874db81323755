//! Webhook bodies: the outbound message's SOAP and the callout's signed JSON, and how one is acknowledged.

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use jiff::Timestamp;
use quick_xml::{Reader, escape::escape, events::Event};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use super::{
    API_VERSION,
    announce::{Notification, Rule, Target},
    id::Id,
    schema::audit,
    store::Store,
    value::Value,
};

/// Elements read of an answer before giving up on it.
const EVENT_COUNT_MAX: usize = 100;

/// What every message of the organization holds.
pub(super) struct Frame<'a> {
    pub(super) organization: Id,
    pub(super) base_url: &'a str,
    pub(super) session: Option<&'a str>,
    pub(super) store: &'a Store,
    pub(super) now: Timestamp,
}

/// The request that tells of these records.
pub(super) fn request(
    frame: &Frame<'_>,
    rule: &Rule,
    items: &[&Notification],
) -> Option<Request<Bytes>> {
    match &rule.target {
        Target::Message { url, fields, .. } => {
            let body = message(frame, rule, fields, items);
            let mut request = post(url, "text/xml; charset=utf-8", body)?;
            request
                .headers_mut()
                .insert("SOAPAction", HeaderValue::from_static("\"\""));
            Some(request)
        }
        Target::Callout {
            url,
            secret,
            with_changes,
        } => {
            let body = changes(frame, rule, items, *with_changes).to_string();
            let timestamp = frame.now.as_second().to_string();
            let signature = sign(secret, &timestamp, &body)?;
            let mut request = post(url, "application/json", body)?;
            let headers = request.headers_mut();
            headers.insert("X-Sluice-Timestamp", timestamp.parse().ok()?);
            headers.insert("X-Sluice-Signature", signature.parse().ok()?);
            Some(request)
        }
    }
}

/// Whether a receiver has said it keeps the message: a 200 whose body says `<Ack>true</Ack>`.
pub(super) fn is_acknowledged(answer: &Response<Bytes>) -> bool {
    answer.status() == StatusCode::OK && acknowledgement(answer.body()).unwrap_or(false)
}

fn acknowledgement(body: &[u8]) -> Option<bool> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut in_ack = false;
    for _ in 0..EVENT_COUNT_MAX {
        match reader.read_event().ok()? {
            Event::Start(start) => in_ack = start.local_name().as_ref() == "Ack",
            Event::Text(text) if in_ack => {
                return Some(matches!(text.xml10_content().trim(), "true" | "1"));
            }
            Event::Eof | Event::DocType(_) => return None,
            _ => {}
        }
    }
    None
}

fn message(frame: &Frame<'_>, rule: &Rule, fields: &[usize], items: &[&Notification]) -> String {
    let session = match frame.session {
        Some(session) => format!("<SessionId>{}</SessionId>", escape(session)),
        None => "<SessionId xsi:nil=\"true\"/>".to_owned(),
    };
    let soap = |kind: char| {
        let base = escape(frame.base_url);
        format!(
            "{base}/services/Soap/{kind}/{API_VERSION}.0/{}",
            frame.organization.short()
        )
    };
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n \
         <soapenv:Body>\n  <notifications xmlns=\"http://soap.sforce.com/2005/09/outbound\">\n   \
         <OrganizationId>{organization}</OrganizationId>\n   <ActionId>{action}</ActionId>\n   \
         {session}\n   <EnterpriseUrl>{enterprise}</EnterpriseUrl>\n   \
         <PartnerUrl>{partner}</PartnerUrl>\n",
        organization = frame.organization,
        action = rule.id,
        enterprise = soap('c'),
        partner = soap('u'),
    );
    for item in items {
        notification(frame, rule, fields, item, &mut out);
    }
    out.push_str("  </notifications>\n </soapenv:Body>\n</soapenv:Envelope>\n");
    out
}

/// One record; a field without a value is left out.
fn notification(
    frame: &Frame<'_>,
    rule: &Rule,
    fields: &[usize],
    item: &Notification,
    out: &mut String,
) {
    let name = rule.object.name;
    out.push_str(&format!(
        "   <Notification>\n    <Id>{}</Id>\n    <sObject xsi:type=\"sf:{name}\" \
         xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\">\n     <sf:Id>{}</sf:Id>\n",
        item.id, item.record
    ));
    let table = frame.store.table(rule.object);
    let row = table.row(item.record);
    let mut named: Vec<(&str, &Value)> = fields
        .iter()
        .filter(|&&field| field != audit::ID)
        .filter_map(|&field| Some((rule.object.fields[field].name, table.get(row?, field))))
        .filter(|(_, value)| !value.is_null())
        .collect();
    named.sort_unstable_by_key(|(name, _)| *name);
    for (field, value) in named {
        let text: String = value.xml().chars().filter(|&c| is_xml(c)).collect();
        out.push_str(&format!(
            "     <sf:{field}>{}</sf:{field}>\n",
            escape(text.as_str())
        ));
    }
    out.push_str("    </sObject>\n   </Notification>\n");
}

/// Characters XML 1.0 can hold.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn changes(frame: &Frame<'_>, rule: &Rule, items: &[&Notification], with_changes: bool) -> Json {
    let ids: Vec<String> = items.iter().map(|item| item.record.to_string()).collect();
    let mut body = json!({"object": rule.object.name, "ids": ids});
    if with_changes {
        let table = frame.store.table(rule.object);
        let changes: Vec<Json> = items
            .iter()
            .filter_map(|item| {
                let modstamp = table
                    .get(table.row(item.record)?, audit::SYSTEM_MODSTAMP)
                    .plain();
                Some(json!({"id": item.record.to_string(), "systemModstamp": modstamp}))
            })
            .collect();
        body["changes"] = Json::from(changes);
    }
    body
}

fn sign(secret: &str, timestamp: &str, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    Some(format!(
        "sha256={}",
        hex::encode(mac.finalize().into_bytes())
    ))
}

fn post(url: &Uri, content_type: &'static str, body: String) -> Option<Request<Bytes>> {
    Request::post(url.clone())
        .header(header::CONTENT_TYPE, content_type)
        .header(header::CONTENT_LENGTH, body.len())
        .body(Bytes::from(body))
        .ok()
}
