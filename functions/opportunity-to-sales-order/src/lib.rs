//! Closed-won Salesforce opportunities become NetSuite sales orders.
//!
//! Redelivery is safe: orders are upserted under the opportunity's id. Which opportunities are in scope,
//! and every field, stands in `mapping.toml`.

use guest::{Close, Flow, Kind, flow, natural_key, parent};
use netsuite::{Closing, PENDING_APPROVAL};

pub fn opportunity_to_sales_order() -> Flow {
    let opportunity = salesforce::object("Opportunity").lines(
        "OpportunityLineItems",
        "OpportunityLineItem",
        "OpportunityId",
    );
    let order = netsuite::record("salesOrder")
        .replacing("item")
        .open_while(PENDING_APPROVAL)
        .closing_by(Closing::Lines("item"));

    flow(
        "opportunity-to-sales-order",
        include_str!("../mapping.toml"),
    )
    .sync(opportunity, "order", order)
    .resolve(
        "customer",
        parent(salesforce::object("Account"), netsuite::record("customer")),
    )
    .resolve(
        "item",
        natural_key(Kind::new("salesforce", "Product2"), netsuite::items()),
    )
    .on_leave(Close)
    .on_delete(Close)
    .write_back()
}

guest::export!(opportunity_to_sales_order);
