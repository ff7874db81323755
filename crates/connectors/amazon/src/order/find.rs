//! One order by its id, whichever account has it.

use serde_json::Value;
use sluice_core::{Body, Fault, Gone, Observed, Ports, Record, Result, Selection};

use super::personal::kept;
use super::{KIND, check, version};
use crate::client::{self, Call};
use crate::errors;
use crate::id::Id;
use crate::search;
use crate::settings::{Account, Settings};

/// The order, asked of one account after the other. One of a marketplace that is none of ours is nobody's: it is
/// in no search, and a notification, which is a whole region's, must not bring it in.
///
/// An account that fails is no reason not to ask the others: its limit, or its outage, holds up no order but its
/// own. Its fault is told where no other has the order, for then it may be there.
pub async fn find(
    ports: &Ports,
    settings: &Settings,
    id: &Id,
    select: &Selection,
) -> Result<Observed> {
    let call = search::order_call(id, &search::included(select));
    let mut refused = None;
    let mut failed = None;
    for account in &settings.accounts {
        match ask(ports, settings, account, &call).await {
            Ok(Some(order)) => return observed(id, order, select),
            Ok(None) => {}
            // An id of another region may be no id at all here.
            Err(fault) if client::is_refusal(&fault, 400) => refused = refused.or(Some(fault)),
            Err(fault) => failed = failed.or(Some(fault)),
        }
    }
    match (failed, refused) {
        (None, None) => Ok(Observed::Gone(Gone::Unknown)),
        (Some(fault), _) => Err(fault),
        // About this order, not about the flow: the request has one form.
        (None, Some(fault)) => {
            let refused = Fault::dead_letter(errors::REQUEST, &fault.message);
            Err(match &fault.answer {
                Some(answer) => refused.with_answer(answer.clone()),
                None => refused,
            })
        }
    }
}

/// The order, if this account has it.
async fn ask(
    ports: &Ports,
    settings: &Settings,
    account: &Account,
    call: &Call,
) -> Result<Option<Value>> {
    match client::send(ports, settings, account, call).await {
        Ok(response) => {
            let order = search::read_order(&response)?;
            Ok(is_of(account, &order).then_some(order))
        }
        Err(fault) if client::is_refusal(&fault, 404) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Whether an order is of one of the account's marketplaces. Those that came to Amazon from elsewhere are kept:
/// nobody says which marketplace they bear.
fn is_of(account: &Account, order: &Value) -> bool {
    let text = |path: &str| order.at(path).and_then(Value::as_str);
    let of = |id: &str| account.marketplaces.iter().any(|one| one.id == id);
    text("salesChannel.channelName") != Some("AMAZON")
        || text("salesChannel.marketplaceId").is_none_or(of)
}

fn observed(id: &Id, order: Value, select: &Selection) -> Result<Observed> {
    if order.at("orderId").and_then(Value::as_str) != Some(id.as_str()) {
        return Err(errors::answer_lacks("order of the id asked for"));
    }
    let bad = check::bad_fields(&order);
    match version(&order) {
        Some(version) if bad.is_empty() => Ok(Observed::Present(Record {
            id: KIND.id(id.as_str()),
            version,
            body: kept(order, select),
        })),
        _ => {
            let message = format!("the order {id} is not what an order must be");
            Err(Fault::dead_letter(errors::ORDER_INVALID, message).with_fields(bad))
        }
    }
}

#[cfg(test)]
mod tests;
