//! Where the selling sides' webhooks go.

use jiff::Timestamp;

use crate::{
    EditError,
    amazon::{Amazon, EventReceiver, TopicReceiver},
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

/// Lets Amazon tell of orders in both ways it has: by a topic, whose subscriber confirms first, and by an API
/// destination. Each notification comes twice.
///
/// # Errors
/// If an address is none, or nobody vouches for the topic's signatures.
pub fn announce_orders(
    world: &mut World,
    topic_url: &str,
    event_url: &str,
    now: Timestamp,
) -> Result<(), EditError> {
    let amazon = world.vendor_mut::<Amazon>().ok_or(EditError::Unsupported)?;
    let topic = TopicReceiver {
        url: topic_url.to_owned(),
        signature_version: Some(2),
        sns_url: None,
        confirmed: false,
    };
    amazon.set_topic(Some(topic), now)?;
    amazon.set_api_destination(Some(EventReceiver {
        url: event_url.to_owned(),
        header: None,
        key: None,
    }))
}
