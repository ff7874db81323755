use super::*;

#[test]
fn pages_and_cursors() {
    let mut desk = Desk::stocked();
    desk.org.settings_mut().page_row_count_max = 100;
    let all: Vec<Json> = desk
        .org
        .select("SELECT Id FROM Account ORDER BY Id", desk.now)
        .unwrap();
    let (_, first) = desk.query("SELECT Id FROM Account ORDER BY Id");
    assert_eq!(first["totalSize"], json!(all.len()));
    let mut seen = first["records"].as_array().unwrap().clone();
    let mut page = first.clone();
    while page["done"] == json!(false) {
        let next = page["nextRecordsUrl"].as_str().unwrap().to_owned();
        let path = next
            .strip_prefix("/services/data/v66.0")
            .unwrap()
            .to_owned();
        page = desk.get(&path).1;
        seen.extend(page["records"].as_array().unwrap().clone());
        assert_eq!(
            desk.get(&path).1["records"],
            page["records"],
            "a page can be asked for again"
        );
    }
    assert_eq!(seen.len(), all.len());
    assert!(seen.iter().zip(&all).all(|(a, b)| a["Id"] == b["Id"]));

    let next = first["nextRecordsUrl"].as_str().unwrap().to_owned();
    let path = next.strip_prefix("/services/data/v66.0").unwrap();
    desk.wait(49 * 3600);
    desk.log_in();
    assert_eq!(
        desk.refused(Method::GET, path, None).1,
        "INVALID_QUERY_LOCATOR"
    );
}

#[test]
fn one_cursor_too_many_ends_the_oldest() {
    let mut desk = Desk::stocked();
    desk.org.settings_mut().page_row_count_max = 50;
    desk.org.settings_mut().cursor_count_max = 2;
    let mut open = || {
        let url = desk.query("SELECT Id FROM Account").1["nextRecordsUrl"]
            .as_str()
            .unwrap()
            .to_owned();
        url.strip_prefix("/services/data/v66.0").unwrap().to_owned()
    };
    let urls = [open(), open(), open()];
    assert_eq!(desk.get(&urls[2]).0, StatusCode::OK);
    assert_eq!(desk.get(&urls[1]).0, StatusCode::OK);
    assert_eq!(
        desk.refused(Method::GET, &urls[0], None).1,
        "INVALID_QUERY_LOCATOR"
    );
}

#[test]
fn a_long_subquery_has_pages_of_its_own() {
    let mut desk = Desk::new();
    let sale = desk.sale();
    for quantity in 1..=5 {
        desk.make("OpportunityLineItem", sale.line(&quantity.to_string(), "1"));
    }
    desk.org.settings_mut().page_row_count_max = 2;
    let rows = desk.rows(
        "SELECT Id, (SELECT Quantity FROM OpportunityLineItems ORDER BY Quantity) FROM Opportunity",
    );
    let mut page = rows[0]["OpportunityLineItems"].clone();
    assert_eq!(
        (&page["totalSize"], &page["done"]),
        (&json!(5), &json!(false))
    );
    let mut quantities = Vec::new();
    loop {
        for line in page["records"].as_array().unwrap() {
            quantities.push(line["Quantity"].to_string());
        }
        let Some(next) = page["nextRecordsUrl"].as_str() else {
            break;
        };
        let path = next
            .strip_prefix("/services/data/v66.0")
            .unwrap()
            .to_owned();
        page = desk.get(&path).1;
    }
    assert_eq!(quantities, ["1.0", "2.0", "3.0", "4.0", "5.0"]);
}

#[test]
fn batch_size_is_asked_within_bounds() {
    let mut desk = Desk::stocked();
    for (asked, rows) in [
        ("batchSize=200", 200),
        ("batchSize=10", 200),
        ("batchSize=9999", 220),
        ("x", 220),
    ] {
        let request = Request::get("/services/data/v66.0/query?q=SELECT+Id+FROM+Account")
            .header("authorization", format!("Bearer {}", desk.token))
            .header("Sforce-Query-Options", asked)
            .body(Bytes::new())
            .unwrap();
        let (_, body) = read(desk.send(request));
        assert_eq!(body["records"].as_array().unwrap().len(), rows, "{asked}");
    }
}
