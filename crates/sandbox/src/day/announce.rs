//! Where the selling side's webhooks go.

use crate::{
    EditError,
    salesforce::{Callout, OutboundMessage, Salesforce},
    world::World,
};

/// Lets won opportunities in dollars and pounds be told by outbound messages, those in euros and pounds by
/// signed callouts: one currency each by one, and one by both.
///
/// # Errors
/// If an address is none the organization accepts.
pub fn announce(
    world: &mut World,
    message_url: &str,
    callout_url: &str,
    callout_secret: &str,
) -> Result<(), EditError> {
    let salesforce = world
        .vendor_mut::<Salesforce>()
        .ok_or(EditError::Unsupported)?;
    let won = |currencies: &str| {
        format!("StageName = 'Closed Won' AND CurrencyIsoCode IN ({currencies})")
    };
    let message = OutboundMessage {
        criteria: won("'USD', 'GBP'"),
        ..OutboundMessage::closed_won(message_url)
    };
    let callout = Callout {
        criteria: won("'EUR', 'GBP'"),
        ..Callout::closed_won(callout_url, callout_secret)
    };
    salesforce.set_outbound_messages(vec![message])?;
    salesforce.set_callouts(vec![callout])
}
