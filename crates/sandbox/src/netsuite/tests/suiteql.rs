//! SuiteQL: its envelope, dialect, and what it refuses.

use super::*;

fn customers(desk: &mut Desk, count: usize) -> Vec<String> {
    (0..count)
        .map(|n| desk.customer(&format!("c{n}")))
        .collect()
}

#[test]
fn the_preference_is_mandatory() {
    let mut desk = Desk::new();
    let body = json!({"q": "SELECT id FROM currency"}).to_string();
    let reply = desk.send("POST", "/query/v1/suiteql", &[], body.as_bytes());
    assert_eq!((reply.status, reply.code()), (400, "INVALID_HEADER"));
    assert_eq!(reply.body["o:errorDetails"][0]["o:errorHeader"], "Prefer");
    assert_eq!(desk.get("/query/v1/suiteql").status, 405);
    let reply = desk.send(
        "POST",
        "/query/v1/suiteql",
        &[("prefer", "transient")],
        b"{}",
    );
    assert_eq!(reply.code(), "INVALID_CONTENT");
}

#[test]
fn rows_are_texts_under_lower_case_names() {
    let mut desk = Desk::new();
    let ids = customers(&mut desk, 1);
    let rows = desk.rows("SELECT ID, companyName, Email, isInactive AS Gone, 1+1 FROM Customer c");
    assert_eq!(
        rows,
        [json!({"id": ids[0], "companyname": "Company c0", "gone": "F", "expr1": "2"})],
        "an empty column is left out"
    );
    let reply = desk.query("SELECT count(*) FROM customer");
    assert_eq!(reply.body["items"][0]["expr1"], "1");
    assert_eq!(reply.body["items"][0]["links"], json!([]));
    assert_eq!(reply.body["totalResults"], 1);
    assert_eq!(reply.body["hasMore"], false);
}

#[test]
fn keyset_paging_sees_every_row_once() {
    let mut desk = Desk::new();
    let mut expected = customers(&mut desk, 7);
    let mut seen = Vec::new();
    let mut last = "0".to_owned();
    for _ in 0..10 {
        let q = format!("SELECT id FROM customer WHERE id > {last} ORDER BY id");
        let reply = desk.query_page(&q, "?limit=3");
        let items = reply.body["items"].as_array().unwrap().clone();
        let Some(item) = items.last() else { break };
        last = item["id"].as_str().unwrap().to_owned();
        seen.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        // A row that comes in between is seen as well.
        if seen.len() == 3 {
            expected.push(desk.customer("between"));
        }
    }
    assert_eq!(seen, expected);
    let reply = desk.query_page("SELECT id FROM customer ORDER BY id", "?limit=3&offset=3");
    assert_eq!(reply.body["count"], 3);
    assert_eq!(reply.body["totalResults"], 8);
    assert_eq!(reply.body["hasMore"], true);
    for page in ["?limit=1001", "?limit=0", "?limit=3&offset=2", "?limit=x"] {
        let reply = desk.query_page("SELECT id FROM customer", page);
        assert_eq!(
            (reply.status, reply.code()),
            (400, "INVALID_PARAMETER"),
            "{page}"
        );
    }
}

#[test]
fn orders_join_their_lines_customers_and_items() {
    let mut desk = Desk::new();
    let customer = desk.customer("buyer");
    let item = desk.items()[0].clone();
    let body = json!({"entity": {"id": customer}, "tranDate": "2026-01-05", "item": {"items": [
        {"item": {"id": item}, "quantity": 3, "rate": 0.1},
        {"item": {"id": item}, "quantity": 1, "rate": 0.2},
    ]}});
    desk.put("/record/v1/salesOrder/eid:o1", &body).id();
    let rows = desk.rows(
        "SELECT t.tranid, t.type, t.status, BUILTIN.DF(t.status) AS shown, t.foreigntotal, t.trandate, \
         t.externalid, c.companyname, BUILTIN.DF(t.entity) AS buyer, BUILTIN.DF(t.memo) AS memo \
         FROM transaction t JOIN customer c ON c.id = t.entity WHERE t.type = 'SalesOrd'",
    );
    assert_eq!(
        rows,
        [
            json!({"tranid": "SO1001", "type": "SalesOrd", "status": "A",
            "shown": "Sales Order : Pending Approval", "foreigntotal": "0.5", "trandate": "1/5/2026",
            "externalid": "o1", "companyname": "Company buyer", "buyer": "Company buyer"})
        ]
    );
    let rows = desk.rows(
        "SELECT tl.transaction, SUM(tl.netamount) AS total, SUM(tl.quantity) AS pieces, i.itemtype \
         FROM transactionline tl INNER JOIN item i ON i.id = tl.item \
         WHERE tl.mainline = 'F' GROUP BY tl.transaction, i.itemtype",
    );
    assert_eq!(
        rows[0]["total"], "-0.5",
        "exact, and negative on a sales line"
    );
    assert_eq!(rows[0]["pieces"], "-4");
    assert_eq!(rows[0]["itemtype"], "InvtPart");
}

#[test]
fn the_dialect_is_oracles() {
    let mut desk = Desk::new();
    customers(&mut desk, 5);
    let mut count = |q: &str| desk.rows(q).len();
    for (q, expected) in [
        (
            "SELECT id FROM customer ORDER BY id FETCH FIRST 2 ROWS ONLY",
            2,
        ),
        (
            "SELECT id FROM customer ORDER BY id OFFSET 4 ROWS FETCH NEXT 2 ROWS ONLY",
            1,
        ),
        ("SELECT TOP 3 id FROM customer ORDER BY id", 3),
        ("SELECT id FROM customer WHERE ROWNUM <= 4", 4),
        (
            "SELECT * FROM (SELECT id FROM customer ORDER BY id) WHERE ROWNUM < 3",
            2,
        ),
        (
            "SELECT id FROM customer WHERE dateCreated >= '01/01/2019' AND dateCreated < '01/01/2027'",
            5,
        ),
        (
            "SELECT id FROM customer WHERE datecreated BETWEEN '3/2/2026' AND '3/3/2026'",
            5,
        ),
        (
            "SELECT id FROM customer WHERE lastmodifieddate >= TO_DATE('2026-03-02 09:00:01','YYYY-MM-DD HH24:MI:SS')",
            0,
        ),
        (
            "SELECT id FROM customer WHERE lastmodifieddate >= TO_DATE('2026-03-02 09:00:00','YYYY-MM-DD HH24:MI:SS')",
            5,
        ),
        (
            "SELECT id FROM customer WHERE datecreated > TO_TIMESTAMP('2026-01-01', 'YYYY-MM-DD')",
            5,
        ),
        (
            "SELECT id FROM customer WHERE lastmodifieddate < SYSDATE",
            0,
        ),
        (
            "SELECT id FROM customer WHERE NVL(email, 'none') = 'none' -- a comment",
            5,
        ),
        (
            "SELECT id FROM customer /* all */ WHERE companyname LIKE 'Company%'",
            5,
        ),
        (
            "SELECT \"id\" FROM \"customer\" WHERE lower(companyname) = 'company c1'",
            1,
        ),
    ] {
        assert_eq!(count(q), expected, "{q}");
    }
    let rows = desk.rows(
        "SELECT TO_CHAR(lastmodifieddate, 'YYYY-MM-DD\"T\"HH24:MI:SS') AS at, lastmodifieddate, \
         MAX(datecreated) AS made, NVL2(email, 'y', 'n') AS mail FROM customer",
    );
    assert_eq!(rows[0]["at"], "2026-03-02T09:00:00");
    assert_eq!(rows[0]["lastmodifieddate"], "3/2/2026");
    assert_eq!(rows[0]["made"], "3/2/2026");
    assert_eq!(rows[0]["mail"], "n");
}

#[test]
fn quotes_are_data() {
    let mut desk = Desk::new();
    let name = "O'Brien & \"Sons\"; DROP TABLE customer --";
    let body = json!({"companyName": name, "subsidiary": {"externalId": "US"}});
    desk.put("/record/v1/customer/eid:obrien", &body).id();
    let quoted = name.replace('\'', "''");
    let rows = desk.rows(&format!(
        "SELECT companyname FROM customer WHERE companyname = '{quoted}'"
    ));
    assert_eq!(rows, [json!({"companyname": name})]);
    let reply = desk.query("SELECT id FROM customer WHERE companyname = 'O'Brien'");
    assert_eq!((reply.status, reply.code()), (400, "INVALID_PARAMETER"));
}

#[test]
fn only_reading_is_possible() {
    let mut desk = Desk::new();
    customers(&mut desk, 2);
    for q in [
        "DELETE FROM customer",
        "UPDATE customer SET email = 'x'",
        "SELECT id FROM customer; DROP TABLE customer",
        "SELECT id FROM customer;",
        "PRAGMA table_info(customer)",
        "ATTACH DATABASE 'x' AS y",
        "SELECT name FROM sqlite_master",
        "SELECT label FROM builtin_labels",
        "SELECT label FROM \"builtin_labels\"",
        "SELECT load_extension('x') FROM customer",
        "SELECT randomblob(1000000000) FROM customer",
        "SELECT hex(zeroblob(1000000)) FROM customer",
        "WITH d AS (DELETE FROM customer RETURNING id) SELECT id FROM d",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r) SELECT n FROM r",
        "SELECT id FROM customer LIMIT 1",
        "SELECT id FROM customer WHERE id = ?",
        "SELECT id FROM customer WHERE id = :id",
        "SELECT id FROM pragma_table_info('customer')",
        "VALUES (1)",
        "EXPLAIN SELECT 1",
        "SELECT",
        "",
        "\0",
        "SELECT 'open",
        "SELECT /* open",
        "SELECT id FROM customer WHERE ROWNUM <= 2 ORDER BY id",
        "SELECT id FROM customer FETCH FIRST many ROWS ONLY",
        "SELECT TO_DATE('2026', 'YYYY-MM-DD') FROM customer",
    ] {
        let reply = desk.query(q);
        assert_eq!(
            (reply.status, reply.code()),
            (400, "INVALID_PARAMETER"),
            "{q}: {}",
            reply.body
        );
        assert_eq!(reply.body["o:errorDetails"][0]["o:errorQueryParam"], "q");
    }
    assert_eq!(desk.rows("SELECT id FROM customer").len(), 2);
}

#[test]
fn unknown_names_are_told() {
    let mut desk = Desk::new();
    let detail = |desk: &mut Desk, q: &str| desk.query(q).detail().to_owned();
    assert_eq!(
        detail(&mut desk, "SELECT absent FROM transaction"),
        "Invalid search query. Detailed unprocessed description follows. Search error occurred: \
         Unknown identifier 'absent'. Available identifiers are: {transaction=transaction}."
    );
    assert!(
        detail(&mut desk, "SELECT id FROM nowhere").ends_with("Record 'nowhere' was not found.")
    );
    assert!(detail(&mut desk, "SELECT \"absent\" FROM customer").contains("'absent'"));
    assert!(detail(&mut desk, "SELECT wild(id) FROM customer").contains("Unknown function"));
}

#[test]
fn a_query_without_end_is_stopped() {
    let mut desk = Desk::new();
    customers(&mut desk, 40);
    let q = "SELECT count(*) FROM customer a, customer b, customer c, customer d, customer e, customer f";
    let reply = desk.query(q);
    assert_eq!(
        (reply.status, reply.code()),
        (400, "SSS_TIME_LIMIT_EXCEEDED")
    );
    assert_eq!(
        desk.rows("SELECT id FROM customer").len(),
        40,
        "and the next one runs"
    );
    let wide = "SELECT a.id FROM customer a, customer b, customer c, customer d";
    let reply = desk.query_page(wide, "?limit=1");
    assert_eq!(reply.body["totalResults"], 100_000, "counted up to the cap");
}

#[test]
fn changes_and_deletions_reach_the_index_late_when_told_so() {
    let mut desk = Desk::new();
    desk.account
        .configure("suiteql_lag_s", json!(30), desk.now)
        .unwrap();
    let id = desk.customer("late");
    let q = "SELECT id, email FROM customer";
    assert!(desk.rows(q).is_empty());
    assert_eq!(desk.get(&format!("/record/v1/customer/{id}")).status, 200);
    desk.wait(SignedDuration::from_secs(20));
    desk.patch(
        &format!("/record/v1/customer/{id}"),
        &json!({"email": "a@b.example"}),
    )
    .id();
    desk.wait(SignedDuration::from_secs(10));
    assert_eq!(desk.rows(q), [json!({"id": id})], "as it was then");
    desk.wait(SignedDuration::from_secs(20));
    assert_eq!(desk.rows(q), [json!({"id": id, "email": "a@b.example"})]);
    assert_eq!(
        desk.delete(&format!("/record/v1/customer/{id}")).status,
        204
    );
    assert_eq!(desk.rows(q).len(), 1);
    desk.wait(SignedDuration::from_secs(30));
    assert!(desk.rows(q).is_empty());
}
