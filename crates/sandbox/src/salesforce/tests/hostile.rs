use super::*;

/// Bodies no honest client sends.
fn bodies() -> Vec<Vec<u8>> {
    let deep = |open: &str, count: usize| open.repeat(count).into_bytes();
    vec![
        Vec::new(),
        vec![0xff, 0xfe, 0x00],
        b"{\"Name\":\"\xc3\x28\"}".to_vec(),
        b"{\"Name\":\"\\ud800\"}".to_vec(),
        b"{\"Name\":\"a\\u0000b\\u0001\"}".to_vec(),
        b"{\"AnnualRevenue\":1e999999999}".to_vec(),
        b"{\"AnnualRevenue\":123456789012345678901234567890123456789012345678901234567890}"
            .to_vec(),
        b"{\"AnnualRevenue\":-0.0000000000000000000000000000000000000000000001}".to_vec(),
        b"{\"CloseDate\":\"9999999-99-99T99:99:99.999+9999\"}".to_vec(),
        b"{\"NumberOfEmployees\":\"\xf0\x9f\xa6\x80\"}".to_vec(),
        deep("[", 200_000),
        deep("{\"a\":", 200_000),
        format!("{{\"Name\":\"{}\"}}", "x".repeat(3_000_000)).into_bytes(),
        b"{\"records\":[null,1,\"x\",[],{}]}".to_vec(),
        b"{\"records\":{\"a\":1}}".to_vec(),
        b"<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><x>&b;</x>".to_vec(),
        deep("<a>", 100_000),
    ]
}

#[test]
fn bodies_never_break_it() {
    let mut desk = Desk::new();
    let sale = desk.sale();
    let paths = [
        "/services/data/v66.0/sobjects/Account".to_owned(),
        format!("/services/data/v66.0/sobjects/Account/{}", sale.account),
        format!(
            "/services/data/v66.0/sobjects/Opportunity/{}",
            sale.opportunity
        ),
        "/services/data/v66.0/composite/sobjects".to_owned(),
        "/services/data/v66.0/composite/sobjects/Account/External_Id__c".to_owned(),
        "/services/data/v66.0/composite/sobjects/Account".to_owned(),
        "/services/oauth2/token".to_owned(),
        "/services/oauth2/revoke".to_owned(),
        "/services/Soap/u/60.0".to_owned(),
    ];
    for path in &paths {
        for method in [Method::POST, Method::PATCH, Method::DELETE] {
            for body in bodies() {
                if method == Method::DELETE && path.contains("/sobjects/") {
                    continue;
                }
                let request = Request::builder()
                    .method(method.clone())
                    .uri(path)
                    .header("authorization", format!("Bearer {}", desk.token))
                    .body(Bytes::from(body))
                    .unwrap();
                let status = desk.send(request).status();
                assert!(status.as_u16() < 600 && status != StatusCode::BAD_GATEWAY);
            }
        }
    }
    assert_eq!(desk.get("/limits").0, StatusCode::OK, "still there");
}

#[test]
fn addresses_never_break_it() {
    let mut desk = Desk::new();
    for path in [
        "/services/data/v66.0/sobjects/%ff%fe",
        "/services/data/v66.0/sobjects/Account/%00",
        "/services/data/v66.0/sobjects/Account/External_Id__c/%F0%9F%A6%80",
        "/services/data/v66.0/sobjects/Account/..%2f..%2fetc",
        "/services/data/v66.0/query?q=%00%ff",
        "/services/data/v66.0/query/01g000000000000AAA-99999999999999999999",
        "/services/data/v66.0/query/-",
        "/services/data/v99999999999.0/limits",
        "/services/data/v66.0/sobjects/Account/updated?start=9999-12-31T23:59:59Z&end=-1",
        "/services/data//v66.0",
        "/services/Soap/u/999999999999.0",
        "/id/%00/%00",
        "//",
        "*",
    ] {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {}", desk.token))
            .body(Bytes::new())
            .unwrap();
        let status = desk.send(request).status();
        assert!((400..600).contains(&status.as_u16()), "{path}: {status}");
    }
    let long = format!("/services/data/v66.0/query?q={}", "a".repeat(17_000));
    let request = Request::get(long).body(Bytes::new()).unwrap();
    assert_eq!(desk.send(request).status(), StatusCode::URI_TOO_LONG);
}

/// Text made of the language's own parts, in no order.
#[test]
fn queries_never_break_it() {
    const PARTS: &[&str] = &[
        "SELECT",
        "FROM",
        "WHERE",
        "AND",
        "OR",
        "NOT",
        "IN",
        "LIKE",
        "ORDER BY",
        "LIMIT",
        "OFFSET",
        "(",
        ")",
        ",",
        ".",
        "=",
        "!=",
        "<",
        ">=",
        "'a'",
        "'\\",
        "\\u12",
        "'%_\\%'",
        "Id",
        "Name",
        "Account",
        "Opportunity",
        "OpportunityLineItems",
        "Parent",
        "COUNT()",
        "FIELDS(ALL)",
        "NULLS LAST",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "-5",
        "1e9",
        "TODAY",
        "LAST_N_DAYS:",
        "99999999999999999999",
        "null",
        "true",
        "ALL ROWS",
        "é",
        "\u{0}",
        "SystemModstamp",
        "DESC",
        "-",
        "+",
        "0000-00-00",
    ];
    let mut desk = Desk::stocked();
    let mut rng = fastrand::Rng::with_seed(42);
    for _ in 0..20_000 {
        let count = rng.usize(1..12);
        let mut query = String::from(if rng.bool() {
            "SELECT Id FROM Account WHERE "
        } else {
            ""
        });
        for _ in 0..count {
            query.push_str(PARTS[rng.usize(0..PARTS.len())]);
            query.push(' ');
        }
        let (status, _) = desk.query(&query);
        assert!(matches!(status.as_u16(), 200 | 400), "{query}: {status}");
    }
    for deep in ["(", "NOT ", "(SELECT Id FROM Account WHERE Id IN "] {
        let query = format!("SELECT Id FROM Account WHERE {}", deep.repeat(300));
        assert_eq!(desk.query(&query).0, StatusCode::BAD_REQUEST);
    }
}
