use http::Request;
use http::header::CONTENT_TYPE;
use sluice_core::{Hint, Hook, Kind, Version};

use super::*;
use crate::hooks::tests::{ID, OPPORTUNITY, announced, status};
use crate::hooks::{FORBIDDEN, NOT_CONFIGURED, NOT_FOUND, OutboundMessage, TOO_LARGE};
use crate::script::{ORGANIZATION, answering, run, shared};

fn message(body: &str) -> Result<Vec<Hint>, Refused> {
    message_bytes(body.as_bytes())
}

fn message_bytes(body: &[u8]) -> Result<Vec<Hint>, Refused> {
    let hook = OutboundMessage { kind: OPPORTUNITY };
    announced(
        &hook,
        "a-path-secret",
        &[("content-type", "text/xml; charset=utf-8")],
        body,
    )
}

fn envelope(notifications: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">
<OrganizationId>{ORGANIZATION}</OrganizationId><ActionId>04ke0000000Cb2DAAS</ActionId><SessionId>00D!secret</SessionId>
{notifications}</notifications></soapenv:Body></soapenv:Envelope>"#
    )
}

fn notification(fields: &str) -> String {
    format!(
        r#"<Notification><Id>04le0000004lnFFAAY</Id>
<sObject xsi:type="sf:Opportunity" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{fields}</sObject></Notification>"#
    )
}

fn one() -> String {
    envelope(&notification(&format!("<sf:Id>{ID}</sf:Id>")))
}

#[test]
fn a_message_becomes_hints() {
    let body = envelope(&format!(
        "{}{}",
        notification(
            "<sf:Id>006e0000004lnFF</sf:Id><sf:Name>A &amp; B &#233; <![CDATA[<x>]]></sf:Name>"
        ),
        notification(
            "<sf:Id>006e0000004lnFG</sf:Id><sf:SystemModstamp>2026-11-22T19:53:21.123Z</sf:SystemModstamp><sf:Empty/>"
        ),
    ));
    let hints = message(&body).unwrap();
    assert_eq!(
        hints[0],
        Hint {
            id: OPPORTUNITY.id(ID),
            version: None
        }
    );
    assert_eq!(
        hints[1].id.id,
        Id::parse("006e0000004lnFG").unwrap().as_str()
    );
    assert_eq!(hints[1].version, Some(Version(1_795_377_201_123)));
    assert_eq!(message(&format!("\u{feff}{body}")).unwrap(), hints);
    let other_prefixes = body
        .replace("soapenv", "S")
        .replace("sf:", "e:")
        .replace(":sf", ":e");
    assert_eq!(message(&other_prefixes).unwrap(), hints);
    let short = body.replace(ORGANIZATION, &ORGANIZATION[..15]);
    assert_eq!(message(&short).unwrap(), hints);
}

#[test]
fn a_hundred_notifications_are_one_message_and_more_are_none() {
    let many = |count: usize| {
        let one = notification(&format!("<sf:Id>{ID}</sf:Id>"));
        message(&envelope(&one.repeat(count)))
    };
    assert_eq!(many(100).unwrap().len(), 100);
    assert_eq!(many(101), Err(BAD_COUNT));
    assert_eq!(many(0), Err(BAD_COUNT));
}

#[test]
fn a_real_message_is_read_and_its_session_forgotten() {
    let Some(body) = shared("samples/salesforce/outbound-message-custom-object.perl-test.xml")
    else {
        return;
    };
    let kind = Kind::new("salesforce", "State_Province__c");
    let hook = OutboundMessage { kind };
    let headers = [("content-type", "text/xml")];
    let hints = announced(&hook, "/a-path-secret", &headers, body.as_bytes()).unwrap();
    let ids: Vec<&str> = hints.iter().map(|hint| &*hint.id.id).collect();
    let second = Id::parse("a29e0000000Jz3m").unwrap();
    assert_eq!(ids, ["a29e0000000K4P0AAK", second.as_str()]);
    assert!(!format!("{hints:?}").contains("AQsAQJ6"));
    assert_eq!(message(&body), Err(WRONG_OBJECT));
}

#[test]
fn senders_must_know_the_secret_and_be_the_organization() {
    let hook = OutboundMessage { kind: OPPORTUNITY };
    let xml = [("content-type", "text/xml")];
    for rest in [
        "",
        "/",
        "a-path-secre",
        "a-path-secrets",
        "A-path-secret",
        "a-path-secret/x",
    ] {
        let got = announced(&hook, rest, &xml, b"<not looked at");
        assert_eq!(got, Err(NOT_FOUND), "{rest}");
    }
    let other = one().replace(ORGANIZATION, "00De0000000pmu2EAA");
    assert_eq!(message(&other), Err(FORBIDDEN));
    let script = answering(vec![]);
    let ports = script.ports_with(&[("webhook_path_secret", "")]);
    let request = Request::new(Bytes::new());
    assert_eq!(run(hook.verify(&ports, "", &request)), Err(NOT_CONFIGURED));
    assert!(hook.check(&ports).is_err());
    assert!(hook.check(&script.ports()).is_ok());
}

#[test]
fn wrong_types_and_sizes_of_messages_are_refused() {
    let hook = OutboundMessage { kind: OPPORTUNITY };
    for (value, wanted) in [
        ("text/xml", 200),
        ("TEXT/XML; Charset=\"UTF-8\"", 200),
        ("application/xml", 200),
        ("application/json", 415),
        ("text/xml; charset=utf-16", 415),
        ("text/xml; charset=iso-8859-1", 415),
        ("", 415),
    ] {
        let got = announced(
            &hook,
            "a-path-secret",
            &[("content-type", value)],
            one().as_bytes(),
        );
        assert_eq!(status(got), wanted, "{value}");
    }
    let got = announced(&hook, "a-path-secret", &[], one().as_bytes());
    assert_eq!(status(got), 415);
    let large = " ".repeat(hook.body_bytes_max() + 1);
    assert_eq!(message(&large), Err(TOO_LARGE));
}

#[test]
fn hostile_messages_are_refused() {
    let good = one();
    assert_eq!(status(message(&good)), 200);
    let declaration = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
    let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>"#;
    let named = |text: &str| good.replace("<ActionId>", &format!("<Junk>{text}</Junk><ActionId>"));
    let deep = format!("{}{}", "<d>".repeat(100_000), "</d>".repeat(100_000));
    for (name, body) in [
        (
            "document type",
            good.replace(declaration, &format!("{declaration}{bomb}")),
        ),
        (
            "external entity",
            good.replace(declaration, r#"<!DOCTYPE x SYSTEM "file:///etc/passwd">"#),
        ),
        ("unknown entity", named("&b;")),
        (
            "unknown entity in an attribute",
            good.replace("\"sf:Opp", "\"&b;sf:Opp"),
        ),
        ("deep nesting", named(&deep)),
        ("control character", named("\u{1}")),
        ("null", named("\u{0}")),
        ("control character by number", named("&#1;")),
        ("no character by number", named("&#xFFFFFFFFFF;")),
        ("half a character by number", named("&#xD800;")),
        ("processing instruction", named("<?php x?>")),
        ("declaration twice", format!("{declaration}{good}")),
        ("declaration inside", named(declaration)),
        ("text outside", format!("{good}x")),
        (
            "second root",
            format!("{good}{}", good.replace(declaration, "")),
        ),
        ("not closed", good.replace("</soapenv:Envelope>", "")),
        (
            "wrongly closed",
            good.replace("</soapenv:Body>", "</soapenv:Bodi>"),
        ),
        (
            "attribute twice",
            good.replace("xsi:type", "xsi:type=\"sf:Opportunity\" xsi:type"),
        ),
        ("unbound prefix", good.replace("xmlns:sf", "xmlns:other")),
        (
            "huge number for an id",
            good.replace(ID, &"9".repeat(1_000_000)),
        ),
        ("empty", String::new()),
        ("json", "{}".to_owned()),
        (
            "long id in pieces",
            good.replace(ID, &"<![CDATA[006]]>".repeat(10_000)),
        ),
        (
            "element in an id",
            good.replace(ID, "<b>006e0000004lnFFAAY</b>"),
        ),
    ] {
        let got = message(&body);
        assert_eq!(status(got), 400, "{name}");
    }
    for cut in (0..good.len()).step_by(7) {
        assert_ne!(status(message(&good[..cut])), 200, "cut at {cut}");
    }
}

#[test]
fn messages_of_another_form_are_refused() {
    let good = one();
    let twice = |part: &str| good.replace(part, &part.repeat(2));
    for (name, body, wanted) in [
        (
            "other object",
            good.replace("sf:Opportunity", "sf:Account"),
            400,
        ),
        (
            "object of another namespace",
            good.replace("\"sf:Opp", "\"soapenv:Opp"),
            400,
        ),
        (
            "no type",
            good.replace("xsi:type=\"sf:Opportunity\"", ""),
            400,
        ),
        (
            "type without its namespace",
            good.replace("xsi:type", "type"),
            400,
        ),
        (
            "other soap",
            good.replace("schemas.xmlsoap.org", "example.com"),
            400,
        ),
        (
            "other vendor",
            good.replace("soap.sforce.com/2005", "example.com/2005"),
            400,
        ),
        (
            "other fields",
            good.replace("sobject.enterprise", "sobject.other"),
            400,
        ),
        (
            "no id",
            good.replace(&format!("<sf:Id>{ID}</sf:Id>"), ""),
            400,
        ),
        (
            "no organization",
            good.replace("OrganizationId", "Organisation"),
            400,
        ),
        (
            "organization twice",
            twice(&format!("<OrganizationId>{ORGANIZATION}</OrganizationId>")),
            400,
        ),
        ("id twice", twice(&format!("<sf:Id>{ID}</sf:Id>")), 400),
        ("bad id", good.replace(ID, "006'; DROP"), 400),
        ("bad organization", good.replace(ORGANIZATION, "x"), 400),
        (
            "bad time",
            good.replace(
                "</sf:Id>",
                "</sf:Id><sf:SystemModstamp>now</sf:SystemModstamp>",
            ),
            400,
        ),
        (
            "other encoding said",
            good.replace("UTF-8", "ISO-8859-1"),
            415,
        ),
    ] {
        assert_eq!(status(message(&body)), wanted, "{name}");
    }
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(status(message_bytes(&utf16)), 400);
    let latin1 = good
        .replace("<ActionId>", "<x>\u{7f}</x><ActionId>")
        .into_bytes();
    let latin1: Vec<u8> = latin1
        .into_iter()
        .map(|byte| if byte == 0x7f { 0xe9 } else { byte })
        .collect();
    assert_eq!(status(message_bytes(&latin1)), 400);
}

#[test]
fn noise_never_panics_and_is_never_accepted() {
    let good = one().into_bytes();
    let mut state = 7u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize
    };
    for _ in 0..2000 {
        let mut body = good.clone();
        for _ in 0..=next() % 4 {
            let place = next() % body.len();
            body[place] = next() as u8;
        }
        if let Ok(hints) = message_bytes(&body) {
            assert!(hints.iter().all(|hint| Id::parse(&hint.id.id).is_some()));
        }
        body.reverse();
        assert_ne!(status(message_bytes(&body)), 200);
    }
}

#[test]
fn the_acknowledgement_is_what_salesforce_waits_for() {
    let hook = OutboundMessage { kind: OPPORTUNITY };
    let response = hook.acknowledge();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[CONTENT_TYPE], "text/xml; charset=utf-8");
    let Some(wanted) = shared("samples/salesforce/outbound-message-ack.xml") else {
        return;
    };
    let names = |text: &str| {
        let mut reader = quick_xml::reader::NsReader::from_str(text);
        let mut names = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(start) => {
                    let (space, local) = reader.resolver().resolve_element(start.name());
                    names.push(format!("{space:?} {local:?}"));
                }
                quick_xml::events::Event::Text(text) => names.push(text.trim().to_owned()),
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        names.retain(|name| !name.is_empty());
        names
    };
    let sent = std::str::from_utf8(response.body()).unwrap();
    assert_eq!(names(sent), names(&wanted));
}
