//! Invoices and cash sales: the same rules as for orders, and their own numbers, dates and statuses.

use super::*;

const INVOICE: &str = "/record/v1/invoice/eid:amazon:Order:111-1:invoice";
const SALE: &str = "/record/v1/cashSale/eid:amazon:Order:111-1:cashSale";

fn bill(desk: &mut Desk) -> Value {
    let customer = desk.customer("buyer");
    let items = desk.items();
    json!({
        "entity": {"id": customer},
        "tranDate": "2026-02-20",
        "otherRefNum": "111-1",
        "item": {"items": [
            {"item": {"id": items[0]}, "quantity": 2, "rate": 12.5},
            {"item": {"id": items[1]}, "quantity": 1, "rate": -2.51, "description": "SPRING"},
        ]},
    })
}

#[test]
fn an_invoice_is_numbered_summed_and_due() {
    let mut desk = Desk::new();
    let body = bill(&mut desk);
    let terms = desk.account.records("term").unwrap();
    let terms = terms
        .iter()
        .find(|terms| terms["name"] == "Net 30")
        .unwrap();
    let mut with_terms = body.clone();
    with_terms["terms"] = json!({"id": terms["id"]});
    let id = desk.put(INVOICE, &with_terms).id();
    let invoice = desk.get(&format!("/record/v1/invoice/{id}")).body;
    assert_eq!(
        (&invoice["tranId"], &invoice["refName"]),
        (&json!("INV1001"), &json!("Invoice #INV1001"))
    );
    assert_eq!(invoice["total"].to_string(), "22.49");
    assert_eq!(invoice["amountRemaining"].to_string(), "22.49");
    assert_eq!(invoice["status"], json!({"id": "A", "refName": "Open"}));
    assert_eq!(invoice["dueDate"], "2026-03-22");
    // Once more is no second one; another body replaces what it says.
    with_terms["memo"] = json!("again");
    assert_eq!(
        desk.put(&format!("{INVOICE}?replace=item"), &with_terms)
            .id(),
        id
    );
    assert_eq!(desk.account.records("invoice").unwrap().len(), 1);
    // Without terms it is due at once, and the number goes on.
    let other = INVOICE.replace("111-1", "111-2");
    let id = desk.put(&other, &body).id();
    let invoice = desk.get(&format!("/record/v1/invoice/{id}")).body;
    assert_eq!(
        (&invoice["tranId"], &invoice["dueDate"]),
        (&json!("INV1002"), &json!("2026-02-20"))
    );
}

#[test]
fn a_cash_sale_waits_to_be_deposited() {
    let mut desk = Desk::new();
    let body = bill(&mut desk);
    let id = desk.put(SALE, &body).id();
    let sale = desk.get(&format!("/record/v1/cashSale/{id}")).body;
    assert_eq!(
        (&sale["tranId"], &sale["status"]["refName"]),
        (&json!("CS1001"), &json!("Not Deposited"))
    );
    assert_eq!(sale["total"].to_string(), "22.49");
    assert_eq!(sale.get("dueDate"), None);
    let mut deposited = body;
    deposited["undepFunds"] = json!(false);
    desk.put(&format!("{SALE}?replace=item"), &deposited);
    let sale = desk.get(&format!("/record/v1/cashSale/{id}")).body;
    assert_eq!(sale["status"]["refName"], "Deposited");
}

#[test]
fn bills_are_refused_as_orders_are() {
    let mut desk = Desk::new();
    let body = bill(&mut desk);
    for path in [INVOICE, SALE] {
        for (field, value) in [
            ("entity", json!({"id": "999999"})),
            ("entity", Value::Null),
            ("item", json!({"items": []})),
            ("item", json!({"items": [{"quantity": 1, "rate": 1}]})),
            ("currency", json!({"id": "999"})),
            ("subsidiary", json!({"id": "999"})),
        ] {
            let mut wrong = body.clone();
            wrong[field] = value;
            let reply = desk.put(path, &wrong);
            assert_eq!(reply.status, 400, "{path} {field}: {}", reply.body);
        }
    }
    // External ids are one family's: an order of that id is in the way.
    let shared = "/record/v1/salesOrder/eid:amazon:Order:111-1:invoice";
    assert_eq!(desk.put(shared, &body).status, 204);
    assert_eq!(desk.put(INVOICE, &body).status, 400);
}

#[test]
fn searches_tell_bills_from_orders() {
    let mut desk = Desk::new();
    let body = bill(&mut desk);
    desk.put(INVOICE, &body);
    desk.put(SALE, &body);
    desk.put("/record/v1/salesOrder/eid:order", &body);
    let rows =
        desk.rows("SELECT type, recordtype, posting, foreigntotal FROM transaction ORDER BY id");
    let types: Vec<&str> = rows
        .iter()
        .map(|row| row["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["CustInvc", "CashSale", "SalesOrd"]);
    let due = desk.rows("SELECT tranid FROM transaction WHERE duedate = '2/20/2026'");
    assert_eq!(due, [json!({"tranid": "INV1001"})]);
}
