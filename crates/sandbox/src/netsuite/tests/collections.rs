//! Collections of record ids: pages and filters.

use super::*;

#[test]
fn collections_page_ids_and_links_only() {
    let mut desk = Desk::new();
    for n in 0..5 {
        desk.customer(&format!("c{n}"));
    }
    let mut seen = Vec::new();
    let mut path = "/record/v1/customer?limit=2&offset=0".to_owned();
    for page in 0..3 {
        let reply = desk.get(&path);
        assert_eq!(reply.body["totalResults"], 5);
        assert_eq!(reply.body["offset"], page * 2);
        assert_eq!(reply.body["hasMore"], page < 2);
        for item in reply.body["items"].as_array().unwrap() {
            assert_eq!(item.as_object().unwrap().len(), 2, "id and links");
            seen.push(item["id"].as_str().unwrap().to_owned());
        }
        let next = reply.body["links"]
            .as_array()
            .unwrap()
            .iter()
            .find(|link| link["rel"] == "next");
        let Some(next) = next else { break };
        let href = next["href"].as_str().unwrap();
        path = href.split_once("/services/rest").unwrap().1.to_owned();
    }
    seen.dedup();
    assert_eq!(seen.len(), 5);
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("limit=2&offset=3", "offset"),
    ] {
        let reply = desk.get(&format!("/record/v1/customer?{query}"));
        assert_eq!(
            (reply.status, reply.code()),
            (400, "INVALID_PARAMETER"),
            "{query}"
        );
        assert_eq!(reply.body["o:errorDetails"][0]["o:errorQueryParam"], name);
    }
}

#[test]
fn collections_filter_by_condition() {
    let mut desk = Desk::new();
    let ids: Vec<String> = (0..4).map(|n| desk.customer(&format!("c{n}"))).collect();
    let mut count = |q: &str| {
        let reply = desk.get(&format!("/record/v1/customer?q={}", encode(q)));
        (reply.status == 200).then(|| reply.body["totalResults"].as_u64().unwrap())
    };
    let ids = ids.join(", ");
    for (q, expected) in [
        ("companyName START_WITH \"company\"", Some(4)),
        ("companyName IS \"Company c1\"", Some(1)),
        (
            "companyName CONTAIN 'C2' OR companyName END_WITH c3",
            Some(2),
        ),
        ("companyName CONTAIN company AND NOT_A_FIELD IS 1", None),
        ("externalId IS C1 AND (isInactive IS false)", Some(1)),
        ("email EMPTY", Some(4)),
        ("email EMPTY_NOT", Some(0)),
        ("dateCreated ON_OR_AFTER \"3/2/2026\"", Some(4)),
        ("dateCreated BEFORE \"3/2/2026\"", Some(0)),
        ("companyName IS_NOT \"Company c1\"", Some(3)),
        (&format!("id ANY_OF [{ids}]"), Some(4)),
        (&format!("id ANY_OF_NOT [{ids}]"), Some(0)),
        ("companyName IS", None),
        ("companyName LIKE x", None),
        ("(companyName IS x", None),
        ("companyName IS \"x", None),
        ("companyName IS x y", None),
        ("", None),
    ] {
        assert_eq!(count(q), expected, "{q}");
    }
}
