use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sluice_core::ports::SendError;

use super::*;
use crate::hooks::authority::{Authority, BETWEEN_URL};
use crate::hooks::certificate::Version;
use crate::hooks::tests::{hint, notification};
use crate::script::{self, NOW_S, SELLER, Script, TOPIC, answering, run};

const CERTIFICATE: &str =
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem";
const SUBSCRIBE: &str = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription\
    &TopicArn=arn:aws:sns:us-east-1:123456789012:orders&Token=2336412f37";

fn authority() -> Authority {
    Authority::of("sns.amazonaws.com")
}

/// A message in the form of the vendor's own examples, unsigned.
fn message(kind: &str) -> Value {
    let mut message = json!({
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": notification().to_string(),
        "Timestamp": "2027-01-15T07:59:58.123Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
    });
    if kind == "Notification" {
        message["Subject"] = "Orders\nhave changed".into();
        message["UnsubscribeURL"] =
            "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe".into();
    } else {
        message["SubscribeURL"] = SUBSCRIBE.into();
        message["Token"] = "2336412f37".into();
    }
    message
}

/// Signs as the vendor's page says: these names in this order, those that are there.
fn signed(authority: &Authority, mut message: Value) -> Value {
    let names: &[&str] = match message["Type"].as_str() {
        Some("Notification") => &[
            "Message",
            "MessageId",
            "Subject",
            "Timestamp",
            "TopicArn",
            "Type",
        ],
        _ => &[
            "Message",
            "MessageId",
            "SubscribeURL",
            "Timestamp",
            "Token",
            "TopicArn",
            "Type",
        ],
    };
    let held = names
        .iter()
        .filter_map(|name| Some((name, message[*name].as_str()?)));
    let text: String = held
        .map(|(name, value)| format!("{name}\n{value}\n"))
        .collect();
    let version = match message["SignatureVersion"].as_str() {
        Some("1") => Version::Sha1,
        _ => Version::Sha256,
    };
    message["Signature"] = STANDARD.encode(authority.sign(version, &text)).into();
    message
}

fn script(answers: &[(u16, &str)]) -> Rc<Script> {
    let answers = answers
        .iter()
        .map(|(status, body)| Ok(script::answer(*status, body)));
    answering(answers.collect())
}

fn post(script: &Rc<Script>, root: &str, message: &Value) -> Result<Vec<Hint>, u16> {
    let ports = script.ports_with(&[("amazon_sns_root_ca", root)]);
    Sns.check(&ports).unwrap();
    let body = Bytes::from(message.to_string());
    let request = Request::post("/hooks/f/sns").body(body).unwrap();
    run(Sns.verify(&ports, "", &request)).map_err(|refused| refused.status)
}

#[test]
fn a_signed_message_hints_at_an_order_and_its_certificate_is_fetched_once() {
    let authority = authority();
    let script = script(&[(200, &authority.served(true))]);
    for version in ["1", "2"] {
        let mut message = message("Notification");
        message["SignatureVersion"] = version.into();
        let message = signed(&authority, message);
        assert_eq!(post(&script, &authority.root, &message), Ok(vec![hint()]));
    }
    let mut silent = message("Notification");
    silent.as_object_mut().unwrap().remove("Subject");
    assert_eq!(
        post(&script, &authority.root, &signed(&authority, silent)),
        Ok(vec![hint()])
    );
    assert_eq!(script.lines(), [format!("GET {CERTIFICATE}")]);
    assert_eq!(Sns.acknowledge().status(), 200);
}

#[test]
fn a_certificate_that_is_missing_between_is_fetched_from_the_authority() {
    let authority = authority();
    let message = signed(&authority, message("Notification"));
    let both = script(&[(200, &authority.served(false)), (200, &authority.between)]);
    assert_eq!(post(&both, &authority.root, &message), Ok(vec![hint()]));
    assert_eq!(
        both.lines(),
        [format!("GET {CERTIFICATE}"), format!("GET {BETWEEN_URL}")]
    );
    assert_eq!(post(&both, &authority.root, &message), Ok(vec![hint()]));
    assert_eq!(both.lines().len(), 2, "the chain is kept whole");
}

#[test]
fn a_private_authority_may_have_keys_on_a_curve() {
    let authority = Authority::on_a_curve("sns.amazonaws.com");
    let message = signed(&authority, message("Notification"));
    let script = script(&[(200, &authority.served(true))]);
    assert_eq!(post(&script, &authority.root, &message), Ok(vec![hint()]));
}

#[test]
fn a_chain_that_leads_to_no_root_of_ours_proves_nothing() {
    let authority = authority();
    let message = signed(&authority, message("Notification"));
    let whole = authority.served(true);
    // Amazon's own roots, where none are given.
    let script_ = script(&[(200, &whole)]);
    let ports = script_.ports();
    let request = Request::post("/")
        .body(Bytes::from(message.to_string()))
        .unwrap();
    assert_eq!(run(Sns.verify(&ports, "", &request)), Err(UNSIGNED));
    assert!(
        script_.key_value.0.borrow().is_empty(),
        "what proved nothing is not kept"
    );
    // For another host.
    let other = Authority::of("sqs.amazonaws.com");
    let message = signed(&other, message.clone());
    let script_ = script(&[(200, &other.served(true))]);
    assert_eq!(post(&script_, &other.root, &message), Err(401));
    // The region's own name is as good.
    let region = Authority::of("sns.us-east-1.amazonaws.com");
    let script_ = script(&[(200, &region.served(true))]);
    let message = signed(&region, message.clone());
    assert_eq!(post(&script_, &region.root, &message), Ok(vec![hint()]));
    // Broken roots are nobody's.
    let script_ = script(&[(200, &region.served(true))]);
    assert_eq!(post(&script_, "no certificate", &message), Err(401));
}

#[test]
fn a_forged_message_is_refused() {
    let authority = authority();
    let good = signed(&authority, message("Notification"));
    for (field, value) in [
        (
            "Message",
            notification().to_string().replace("2219830", "2219831"),
        ),
        ("MessageId", "another".to_owned()),
        ("Subject", "another".to_owned()),
        ("Timestamp", "2027-01-15T07:59:59.123Z".to_owned()),
        ("SignatureVersion", "1".to_owned()),
        ("Signature", STANDARD.encode([0; 256])),
        ("Signature", String::new()),
    ] {
        let mut forged = good.clone();
        forged[field] = value.into();
        let script = script(&[(200, &authority.served(true))]);
        assert_eq!(post(&script, &authority.root, &forged), Err(401), "{field}");
    }
}

#[test]
fn nothing_is_fetched_from_elsewhere_nor_for_another_topic() {
    let authority = authority();
    for url in [
        "http://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
        "https://sns.us-east-1.amazonaws.com:8443/x.pem",
        "https://evil@sns.us-east-1.amazonaws.com/x.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com/x.pem?to=evil",
        "https://sns.us-east-1.amazonaws.com/../x.pem",
        "https://sns.us-east-1.amazonaws.com/x.txt",
        "https://169.254.169.254/x.pem",
        "x.pem",
        "",
    ] {
        let mut message = message("Notification");
        message["SigningCertURL"] = url.into();
        let script = script(&[]);
        let message = signed(&authority, message);
        assert_eq!(post(&script, &authority.root, &message), Err(401), "{url}");
    }
    let mut message = message("Notification");
    message["TopicArn"] = "arn:aws:sns:us-east-1:999999999999:orders".into();
    let message = signed(&authority, message);
    assert_eq!(post(&script(&[]), &authority.root, &message), Err(403));
}

#[test]
fn an_authority_elsewhere_is_not_asked() {
    for url in [
        "http://evil.example/x.cer",
        "http://amazontrust.com.evil.example/x",
        "x",
    ] {
        assert!(!is_authority(url), "{url}");
    }
    assert!(is_authority(BETWEEN_URL));
}

#[test]
fn a_replayed_message_is_refused_after_an_hour() {
    let authority = authority();
    for (second, good) in [
        (NOW_S - 3600, true),
        (NOW_S - 3601, false),
        (NOW_S + 300, true),
        (NOW_S + 301, false),
    ] {
        let mut message = message("Notification");
        let time = Timestamp::from_second(second).unwrap();
        message["Timestamp"] = time.to_string().into();
        let message = signed(&authority, message);
        let script = script(&[(200, &authority.served(true))]);
        assert_eq!(
            post(&script, &authority.root, &message).is_ok(),
            good,
            "{second}"
        );
    }
}

#[test]
fn a_certificate_that_can_not_be_had_is_no_verdict() {
    let authority = authority();
    let message = signed(&authority, message("Notification"));
    for answer in [(404, ""), (200, ""), (200, "<html>"), (503, "")] {
        assert_eq!(
            post(&script(&[answer]), &authority.root, &message),
            Err(503)
        );
    }
    let lost = answering(vec![Err(SendError::Lost("x".into()))]);
    assert_eq!(post(&lost, &authority.root, &message), Err(503));
}

#[test]
fn a_subscription_is_confirmed_once() {
    let authority = authority();
    let message = signed(&authority, message("SubscriptionConfirmation"));
    let script = script(&[(200, &authority.served(true)), (500, ""), (200, "<xml/>")]);
    assert_eq!(
        post(&script, &authority.root, &message),
        Err(503),
        "SNS asks again"
    );
    for _ in 0..3 {
        assert_eq!(post(&script, &authority.root, &message), Ok(vec![]));
    }
    let confirm = SUBSCRIBE.replace("%3A", ":");
    let sent = script.sent.borrow();
    let urls: Vec<String> = sent
        .iter()
        .map(|request| request.uri().to_string())
        .collect();
    assert_eq!(urls, [CERTIFICATE, &confirm, &confirm]);
}

#[test]
fn a_subscription_is_confirmed_at_sns_and_for_our_topic_only() {
    let authority = authority();
    for url in [
        SUBSCRIBE.replace("us-east-1.amazonaws", "us-east-1.evil"),
        SUBSCRIBE.replace("https:", "http:"),
        SUBSCRIBE.replace("TopicArn=arn", "TopicArn=brn"),
        SUBSCRIBE.replace("Action=Confirm", "Action=Delete"),
    ] {
        let mut message = message("SubscriptionConfirmation");
        message["SubscribeURL"] = url.clone().into();
        let message = signed(&authority, message);
        let script = script(&[(200, &authority.served(true))]);
        assert_eq!(post(&script, &authority.root, &message), Err(403), "{url}");
    }
}

#[test]
fn the_end_of_a_subscription_is_taken_note_of() {
    let authority = authority();
    let message = signed(&authority, message("UnsubscribeConfirmation"));
    let script = script(&[(200, &authority.served(true))]);
    assert_eq!(post(&script, &authority.root, &message), Ok(vec![]));
    assert_eq!(script.lines().len(), 1, "nobody subscribes anew");
}

#[test]
fn what_is_no_message_is_refused() {
    let authority = authority();
    let good = signed(&authority, message("Notification"));
    let without = |field: &str| {
        let mut message = good.clone();
        message.as_object_mut().unwrap().remove(field);
        post(&script(&[]), &authority.root, &message)
    };
    for field in [
        "Type",
        "MessageId",
        "TopicArn",
        "Message",
        "Timestamp",
        "SignatureVersion",
        "Signature",
        "SigningCertURL",
    ] {
        assert_eq!(without(field), Err(400), "{field}");
    }
    for (field, value) in [
        ("Type", json!("Greeting")),
        ("SignatureVersion", json!("3")),
        ("Timestamp", json!("now")),
        ("Signature", json!("%")),
        ("Message", json!({})),
    ] {
        let mut message = good.clone();
        message[field] = value;
        assert_eq!(
            post(&script(&[]), &authority.root, &message),
            Err(400),
            "{field}"
        );
    }
    // Raw delivery: no signature, and so no proof.
    assert_eq!(
        post(&script(&[]), &authority.root, &notification()),
        Err(400)
    );
    // Signed, and about something else.
    let mut message = message("Notification");
    message["Message"] = "hello".into();
    let fetched = script(&[(200, &authority.served(true))]);
    assert_eq!(
        post(
            &fetched,
            &authority.root,
            &signed(&authority, message.clone())
        ),
        Err(400)
    );
    message["Message"] = notification().to_string().replace(SELLER, "A0OTHER").into();
    assert_eq!(
        post(&fetched, &authority.root, &signed(&authority, message)),
        Err(403)
    );
    let ports = fetched.ports();
    let large = Request::post("/")
        .body(Bytes::from(vec![b' '; 600 << 10]))
        .unwrap();
    assert_eq!(run(Sns.verify(&ports, "", &large)), Err(TOO_LARGE));
    assert_eq!(run(Sns.verify(&ports, "/x", &large)), Err(NOT_FOUND));
}

#[test]
fn a_private_sns_is_where_the_settings_say() {
    let authority = Authority::of("localhost");
    let mut message = message("Notification");
    message["SigningCertURL"] = "http://localhost:9911/cert.pem".into();
    let message = signed(&authority, message);
    let script = script(&[(200, &authority.served(true))]);
    let ports = script.ports_with(&[
        ("amazon_sns_root_ca", authority.root.as_str()),
        ("amazon_sns_url", "http://localhost:9911"),
    ]);
    let request = Request::post("/")
        .body(Bytes::from(message.to_string()))
        .unwrap();
    assert_eq!(run(Sns.verify(&ports, "", &request)), Ok(vec![hint()]));
    assert_eq!(script.lines(), ["GET http://localhost:9911/cert.pem"]);
}
