//! Nothing a client sends brings the account down, and the same story always ends the same way.

use fastrand::Rng;

use super::*;

const BODIES: &[&str] = &[
    "",
    "bad body",
    "null",
    "[]",
    "[1,2",
    "\"text\"",
    "1e400",
    "{\"entity\":1e999999999}",
    "{\"entity\":{\"id\":-1}}",
    "{\"entity\":{\"id\":{\"id\":1}}}",
    "{\"entity\":{\"externalId\":5}}",
    "{\"item\":{\"items\":{}}}",
    "{\"item\":{\"items\":[null,1,\"x\",[]]}}",
    "{\"item\":{\"items\":[{\"line\":-5},{\"line\":1e50},{\"line\":\"x\"}]}}",
    "{\"item\":{\"items\":[{\"quantity\":0,\"amount\":1}]}}",
    "{\"tranDate\":\"9999-99-99\"}",
    "{\"tranDate\":\"-9999-01-01\"}",
    "{\"billingAddress\":5}",
    "{\"memo\":\"\\u0000\\u202e\\ud83d\\ude00\"}",
    "{\"links\":[],\"id\":\"5\",\"refName\":null}",
];

#[test]
fn bodies_of_every_sort_are_refused_or_ignored() {
    let mut desk = Desk::new();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let wide = format!(
        "{{\"item\":{{\"items\":[{}]}}}}",
        vec!["{}"; 5000].join(",")
    );
    let bodies = BODIES.iter().map(|body| body.as_bytes().to_vec()).chain([
        deep.into_bytes(),
        wide.into_bytes(),
        vec![0xff, 0xfe, 0x00],
        vec![b'{'; 50_000],
    ]);
    for body in bodies {
        for (method, path) in [
            ("POST", "/record/v1/salesOrder"),
            ("PUT", "/record/v1/salesOrder/eid:x?replace=item"),
            ("POST", "/record/v1/customer"),
            ("POST", "/query/v1/suiteql"),
        ] {
            let reply = desk.send(method, path, &[("prefer", "transient")], &body);
            assert_eq!(reply.status, 400, "{method} {path}");
            assert!(!reply.code().is_empty());
        }
    }
    assert!(desk.account.records("salesOrder").unwrap().is_empty());
    assert!(desk.account.records("customer").unwrap().is_empty());
}

#[test]
fn targets_of_every_sort_get_an_answer() {
    let mut desk = Desk::new();
    for path in [
        "/record/v1/customer/%ff%fe",
        "/record/v1/%00",
        "/record/v1/customer/eid:%00",
        "/record/v1/customer/eid:a%2Fb%3Fc",
        "/record/v1/customer/5/addressBook/x/y",
        "/record/v1/customer?q=%27",
        "/record/v1/customer?limit=-1",
        "/record/v1/customer?limit=99999999999999999999999",
        "//record//v1//customer",
        "/",
        "",
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"] {
            let reply = desk.send(method, path, &[], b"{}");
            assert!(
                (200..500).contains(&reply.status),
                "{method} {path}: {}",
                reply.status
            );
        }
    }
    let long = format!("/record/v1/customer/eid:{}", "x".repeat(20_000));
    assert_eq!(desk.get(&long).status, 404);
    let body = json!({"companyName": "Long", "subsidiary": {"externalId": "US"}});
    assert_eq!(desk.put(&long, &body).code(), "USER_ERROR");
    let nested = format!("{}id IS 1{}", "(".repeat(5000), ")".repeat(5000));
    let reply = desk.get(&format!("/record/v1/customer?q={}", encode(&nested)));
    assert_eq!(reply.code(), "INVALID_PARAMETER");
    let nested = format!(
        "SELECT {}1{} FROM customer",
        "(".repeat(30_000),
        ")".repeat(30_000)
    );
    assert_eq!(desk.query(&nested).code(), "INVALID_PARAMETER");
}

#[test]
fn random_statements_never_break_the_index() {
    let words = [
        "SELECT",
        "FROM",
        "customer",
        "transaction",
        "WHERE",
        "id",
        "=",
        "'",
        "\"",
        "(",
        ")",
        ",",
        "BUILTIN",
        ".",
        "DF",
        "ROWNUM",
        "<=",
        "5",
        "FETCH",
        "FIRST",
        "ROWS",
        "ONLY",
        "TOP",
        "TO_CHAR",
        "TO_DATE",
        "trandate",
        "'1/1/2026'",
        "'YYYY'",
        "ORDER BY",
        "--",
        "/*",
        "*/",
        "NVL",
        "é",
        "\u{1}",
        "UNION",
        "*",
        "||",
        "TRUNC",
    ];
    let mut rng = Rng::with_seed(11);
    let mut desk = Desk::new();
    desk.customer("one");
    for round in 0..3000 {
        let mut q = if rng.bool() {
            "SELECT ".to_owned()
        } else {
            String::new()
        };
        for _ in 0..rng.usize(1..14) {
            q.push_str(words[rng.usize(0..words.len())]);
            if rng.u8(0..4) > 0 {
                q.push(' ');
            }
        }
        let status = desk.query(&q).status;
        assert!(matches!(status, 200 | 400), "round {round}: {q}");
    }
    assert_eq!(desk.rows("SELECT id FROM customer").len(), 1);
}

/// Every answer of a small day, as bytes.
fn day(seed: u64) -> Vec<u8> {
    let mut desk = Desk::new();
    desk.account =
        NetSuite::new(seed, &Catalogue::new(seed), Options::default(), desk.now).unwrap();
    let customer = desk.customer("c");
    let items = desk.items();
    let mut log = Vec::new();
    for (n, item) in items.iter().enumerate().take(20) {
        let body = json!({"entity": {"id": customer}, "item": {"items": [
            {"item": {"id": item}, "quantity": n, "rate": "1.05"}]}});
        let reply = desk.put(
            &format!("/record/v1/salesOrder/eid:o{}?replace=item", n % 7),
            &body,
        );
        log.extend(format!("{} {:?}", reply.status, reply.headers).into_bytes());
        desk.wait(SignedDuration::from_secs(1));
    }
    log.extend(
        desk.query("SELECT * FROM transactionline ORDER BY uniquekey")
            .body
            .to_string()
            .into_bytes(),
    );
    for kind in desk.account.kinds() {
        log.extend(format!("{:?}", desk.account.records(&kind)).into_bytes());
    }
    log.extend(desk.account.credentials().private_key_pem.as_bytes());
    log
}

#[test]
fn one_seed_one_story() {
    assert!(day(3) == day(3));
    assert!(day(3) != day(4));
}
