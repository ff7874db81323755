//! Business of salespeople: opportunities are won, changed, lost and deleted.

use std::time::Duration;

use jiff::Timestamp;
use sandbox::day::{Act, Change, Day, Event, NewLine};
use sandbox::environment::Secrets;
use sandbox::netsuite::{self, NetSuite};
use sandbox::salesforce::{Id, OutboundMessage, Salesforce, Settings};
use sandbox::seed::Catalogue;
use sandbox::{EditError, World};
use serde_json::{Value, json};

use super::{NETSUITE, Scene, Stage};

/// A window reaches back five minutes.
const TICK: Duration = Duration::from_secs(10 * 60);
const SALESFORCE: &str = "https://sandbox.my.salesforce.com";

pub(super) fn set(scene: Scene, flow: &str, seed: u64, now: Timestamp) -> Result<Stage, String> {
    let said = |error: EditError| error.to_string();
    let mut catalogue = Catalogue::new(seed);
    catalogue.items.truncate(4);
    catalogue.late_items.truncate(1);
    let mut settings = Settings::new(seed);
    settings.base_url = SALESFORCE.to_owned();
    let long_ago = now - Duration::from_secs(30 * 24 * 3600);
    let mut org = Salesforce::new(seed, settings);
    org.stock_products(&catalogue, long_ago).map_err(said)?;
    let deals = org
        .quietly(|org| deals(org, &catalogue, long_ago))
        .map_err(said)?;
    let secrets = Secrets::new(seed);
    if scene == Scene::Webhooks {
        let secret = &secrets.webhook_path_secret;
        let message = OutboundMessage {
            criteria: "StageName IN ('Closed Won', 'Closed Lost')".to_owned(),
            ..OutboundMessage::closed_won(format!(
                "http://flow.sandbox/hooks/{flow}/outbound-message/{secret}"
            ))
        };
        org.set_outbound_messages(vec![message]).map_err(said)?;
    }
    let options = netsuite::Options {
        https: true,
        ..Default::default()
    };
    let netsuite =
        NetSuite::new(seed, &catalogue, options, long_ago).map_err(|error| error.to_string())?;
    let world = World::new(seed).with(org).with(netsuite);
    let day = script(scene, &deals, &catalogue);
    let vendors = [("salesforce", SALESFORCE), ("netsuite", NETSUITE)];
    Ok(Stage::new(world, day, TICK, &vendors, &secrets))
}

fn script(scene: Scene, deals: &Deals, catalogue: &Catalogue) -> Day {
    let announced = scene == Scene::Webhooks;
    let id = |at: usize| deals.ids[at].clone();
    let win = |at: usize| Act::Win {
        id: id(at),
        announced,
    };
    let change = |at: usize, change: Change| Act::Change {
        id: id(at),
        change,
        announced,
    };
    let line = |position: u32| NewLine {
        product: deals.product.clone(),
        quantity_hundredths: 250,
        price_cents: 1_999,
        position,
    };
    let forgotten = "forgotten lines";
    let mut acts = vec![
        // Parents, a currency of its own, an item nobody knows yet, no lines.
        (1, win(0)),
        (1, win(1)),
        (2, win(2)),
        (
            2,
            Act::WinWithoutLines {
                name: forgotten.to_owned(),
                account: deals.account.clone(),
                currency: "USD".to_owned(),
            },
        ),
        // Changed after winning.
        (21, change(0, Change::AddLine(line(3)))),
        (
            21,
            change(
                1,
                Change::Header {
                    po_number: "PO-2".to_owned(),
                    days: 3,
                },
            ),
        ),
        (21, win(3)),
        (21, win(4)),
        (21, win(5)),
        (
            22,
            Act::AddForgottenLines {
                name: forgotten.to_owned(),
                lines: vec![line(1)],
            },
        ),
        // What leaves the scope, what is approved, what was missing.
        (41, Act::Lose { id: id(3) }),
        (41, Act::Approve { id: id(5) }),
        (
            41,
            change(
                0,
                Change::RemoveLine {
                    line: deals.lines[0].clone(),
                },
            ),
        ),
        (42, Act::EnterItem(catalogue.late_items[0].clone())),
        // Too late for the approved one; and every session ends.
        (61, change(5, Change::AddLine(line(2)))),
        (
            61,
            change(
                1,
                Change::ChangeLine {
                    line: deals.lines[1].clone(),
                    quantity_hundredths: 700,
                    price_cents: 12_345,
                },
            ),
        ),
        (61, Act::EndSessions),
    ];
    if scene == Scene::Schedule {
        // A deletion is nothing that an outbound message tells of.
        acts.push((43, Act::Delete { id: id(4) }));
    }
    if scene == Scene::Backfill {
        // Nobody books anything before all is over.
        acts.retain(|(_, act)| !matches!(act, Act::Approve { .. } | Act::Lose { .. }));
    }
    let events = acts.into_iter().map(|(minute, act)| Event {
        at: Duration::from_secs(minute * 60),
        act,
    });
    let mut events: Vec<Event> = events.collect();
    events.sort_by_key(|event| event.at);
    Day { events }
}

/// What the script names.
struct Deals {
    ids: Vec<String>,
    account: String,
    product: String,
    /// The first line of the first two.
    lines: Vec<String>,
}

/// Three accounts, one under another, and six open opportunities.
fn deals(org: &mut Salesforce, catalogue: &Catalogue, now: Timestamp) -> Result<Deals, EditError> {
    let account = |name: &str, parent: Option<Id>, currency: &str, subsidiary: &str| {
        let mut fields = json!({
            "Name": name, "AccountNumber": format!("AC-{name}"), "CurrencyIsoCode": currency,
            "Subsidiary__c": subsidiary, "Payment_Terms__c": "Net 30", "Phone": "+1 555 0100",
        });
        if let Some(parent) = parent {
            fields["ParentId"] = parent.to_string().into();
        }
        fields
    };
    let fields = account("Alder & Sons", None, "USD", "US");
    let parent = org.user_create("Account", fields, now)?;
    let fields = account("Alder West", Some(parent), "USD", "US");
    let child = org.user_create("Account", fields, now)?;
    let fields = account("Müller Söhne", None, "EUR", "EU");
    let german = org.user_create("Account", fields, now)?;
    let products = products(org, catalogue, now)?;
    let (late, usual) = (&products[catalogue.items.len()..], &products);
    let mut ids = Vec::new();
    let mut lines = Vec::new();
    for (at, (buyer, currency, sold)) in [
        (child, "USD", vec![&usual[0], &usual[1]]),
        (german, "EUR", vec![&usual[2]]),
        (child, "USD", vec![&usual[1], &late[0]]),
        (parent, "USD", vec![&usual[3]]),
        (german, "EUR", vec![&usual[0]]),
        (parent, "USD", vec![&usual[2]]),
    ]
    .into_iter()
    .enumerate()
    {
        let sold = sold.iter().enumerate().map(|(position, product)| {
            json!({
                "Product2Id": product, "Quantity": "3", "UnitPrice": "1999.95",
                "SortOrder": position + 1,
            })
        });
        let fields = json!({
            "Name": format!("Deal {}", at + 1), "AccountId": buyer.to_string(),
            "CurrencyIsoCode": currency, "StageName": "Prospecting",
            "CloseDate": "2026-06-30", "PO_Number__c": format!("PO-{at}"),
            "OpportunityLineItems": sold.collect::<Vec<Value>>(),
        });
        let id = org.user_create("Opportunity", fields, now)?.to_string();
        let query = format!(
            "SELECT Id FROM OpportunityLineItem WHERE OpportunityId = '{id}' ORDER BY SortOrder"
        );
        lines.extend(
            org.select(&query, now)?
                .first()
                .map(|line| text(line, "Id")),
        );
        ids.push(id);
    }
    Ok(Deals {
        ids,
        account: child.to_string(),
        product: products[1].clone(),
        lines,
    })
}

/// Their ids, in the catalogue's order.
fn products(
    org: &Salesforce,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<Vec<String>, EditError> {
    let rows = org.select("SELECT Id, ProductCode FROM Product2", now)?;
    let of = |sku: &str| {
        let row = rows.iter().find(|row| text(row, "ProductCode") == sku);
        row.map(|row| text(row, "Id"))
            .ok_or_else(|| EditError::NotFound(format!("{sku} is not for sale")))
    };
    catalogue.all_items().map(|item| of(&item.sku)).collect()
}

fn text(record: &Value, field: &str) -> String {
    record[field].as_str().unwrap_or_default().to_owned()
}

/// The ids that an outbound message announces.
pub(super) fn promised(body: &str) -> Vec<String> {
    let ids = body.split("<sf:Id>").skip(1);
    ids.filter_map(|rest| rest.split_once("</sf:Id>"))
        .map(|(id, _)| id.to_owned())
        .collect()
}
