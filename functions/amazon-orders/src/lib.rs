//! Amazon orders become NetSuite sales orders, invoices or cash sales.
//!
//! Redelivery is safe: they are upserted under the order's id. Which orders are in scope, what each kind of
//! fulfilment becomes, and every field, stands in `mapping.toml`.

use guest::{Close, Flow, Ignore, flow, natural_key, part};
use netsuite::{Closing, UNFULFILLED};

pub fn amazon_orders() -> Flow {
    let sale = netsuite::transaction(&["salesOrder", "invoice", "cashSale"])
        .replacing("item")
        .open_while(UNFULFILLED)
        .closing_by(Closing::Lines("item"));

    flow("amazon-orders", include_str!("../mapping.toml"))
        .sync(amazon::orders(), "order", sale)
        .resolve(
            "customer",
            part(amazon::BUYER, netsuite::record("customer")),
        )
        .resolve("item", natural_key(amazon::PRODUCT, netsuite::items()))
        .on_leave(Close)
        .on_delete(Ignore)
}

guest::export!(amazon_orders);
