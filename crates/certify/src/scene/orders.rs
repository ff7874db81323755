//! Business of a marketplace: orders are placed, paid for, sent and cancelled.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use sandbox::amazon::{
    Amazon, Authority, Deed, EventReceiver, FulfilledBy, Marketplace, NewItem, NewOrder, Settings,
    TopicReceiver,
};
use sandbox::company::with_amazon;
use sandbox::day::{Act, Day, Event};
use sandbox::environment::Secrets;
use sandbox::netsuite::{self, NetSuite};
use sandbox::seed::{Catalogue, ItemKind};
use sandbox::{EditError, World};

use super::{NETSUITE, Scene, Stage};

const AMAZON: &str = "https://amazon.sandbox";

/// A window reaches back ten minutes, and ends two minutes before the present.
const TICK: Duration = Duration::from_secs(20 * 60);

/// One for all runs: making its keys takes longer than a run.
static AUTHORITY: OnceLock<Option<Authority>> = OnceLock::new();

pub(super) fn set(scene: Scene, flow: &str, seed: u64, now: Timestamp) -> Result<Stage, String> {
    let said = |error: EditError| error.to_string();
    let mut catalogue = Catalogue::new(seed);
    catalogue
        .items
        .retain(|item| item.kind != ItemKind::Service);
    catalogue.items.truncate(4);
    catalogue.late_items.truncate(1);
    let long_ago = now - Duration::from_secs(30 * 24 * 3600);
    let options = netsuite::Options {
        https: true,
        ..Default::default()
    };
    let netsuite =
        NetSuite::new(seed, &catalogue, options, long_ago).map_err(|error| error.to_string())?;
    let mut settings = Settings::new(seed);
    settings.base_url = AMAZON.to_owned();
    settings.countries = vec!["US", "CA", "JP"];
    settings.authority = AUTHORITY
        .get_or_init(|| Authority::generate(seed, long_ago).ok())
        .clone();
    let world = World::new(seed).with(netsuite);
    let mut world =
        with_amazon(world, seed, settings, long_ago).map_err(|error| error.to_string())?;
    let amazon = world.vendor_mut::<Amazon>().ok_or("Amazon is not there")?;
    if scene == Scene::Webhooks {
        // Both ways: whoever gets both has every change twice.
        let hook = |name: &str| format!("http://flow.sandbox/hooks/{flow}/{name}");
        let topic = TopicReceiver {
            url: hook("sns"),
            signature_version: Some(2),
            sns_url: None,
            confirmed: false,
        };
        amazon.set_topic(Some(topic), now).map_err(said)?;
        let events = EventReceiver {
            url: hook("eventbridge"),
            header: None,
            key: None,
        };
        amazon.set_api_destination(Some(events)).map_err(said)?;
    }
    let day = script(scene, &catalogue)?;
    let vendors = [("amazon", AMAZON), ("netsuite", NETSUITE)];
    Ok(Stage::new(world, day, TICK, &vendors, &Secrets::new(seed)))
}

fn script(scene: Scene, catalogue: &Catalogue) -> Result<Day, String> {
    let announced = scene == Scene::Webhooks;
    let order = |name: &str, country: &str, by: FulfilledBy, items: Vec<NewItem>| {
        let marketplace = Marketplace::by_country(country).ok_or("no such marketplace")?;
        Ok::<_, String>(Act::Order {
            name: name.to_owned(),
            order: Box::new(NewOrder {
                marketplace,
                fulfilled_by: by,
                items,
                is_business: false,
                purchase_order: None,
                seller_order_id: None,
            }),
            announced,
        })
    };
    let handle = |name: &str, deed: Deed, once_booked: bool| Act::Handle {
        name: name.to_owned(),
        deed,
        announced,
        once_booked,
    };
    let sku = |at: usize| catalogue.items[at].sku.as_str();
    let late = &catalogue.late_items[0];
    let (mine, theirs) = (FulfilledBy::Merchant, FulfilledBy::Amazon);
    let cancel = || Deed::Cancel { by: None };
    let dressed = NewItem {
        shipping: Decimal::new(599, 2),
        gift_wrap: Some(Decimal::new(250, 2)),
        item_discount: Decimal::new(333, 2),
        shipping_discount: Decimal::new(599, 2),
        ..item(sku(0), 3, Decimal::new(1_999, 2))
    };
    let plain = |at: usize| item(sku(at), 2, Decimal::new(4_505, 2));
    let yen = |at: usize| item(sku(at), 2, Decimal::from(1_480));
    let acts = vec![
        // All kinds of charges; what Amazon sends counts once it is sent; an item nobody knows yet.
        (1, order("dressed", "US", mine, vec![dressed, plain(1)])?),
        (1, order("theirs", "JP", theirs, vec![yen(2)])?),
        (
            1,
            order(
                "unknown",
                "US",
                mine,
                vec![item(&late.sku, 1, Decimal::TEN)],
            )?,
        ),
        (2, order("regretted", "US", mine, vec![plain(0)])?),
        (2, order("never paid", "US", mine, vec![plain(1)])?),
        (2, order("in two", "JP", mine, vec![yen(0), yen(3)])?),
        (3, handle("dressed", Deed::Pay, false)),
        (3, handle("theirs", Deed::Pay, false)),
        (3, handle("unknown", Deed::Pay, false)),
        (3, handle("regretted", Deed::Pay, false)),
        (4, handle("never paid", cancel(), false)),
        (4, handle("in two", Deed::Pay, false)),
        (22, handle("theirs", Deed::shipped(), false)),
        (22, handle("in two", Deed::ship_one(), false)),
        (42, handle("regretted", cancel(), true)),
        (42, handle("in two", Deed::shipped(), false)),
        (43, Act::EnterItem(late.clone())),
        (62, order("last", "US", mine, vec![plain(3)])?),
        (62, Act::EndSessions),
        (63, handle("last", Deed::Pay, false)),
    ];
    // Nobody books anything before all is over.
    let waits = |act: &Act| {
        let Act::Handle { once_booked, .. } = act else {
            return false;
        };
        *once_booked
    };
    let acts = acts.into_iter();
    let acts = acts.filter(|(_, act)| scene != Scene::Backfill || !waits(act));
    let events = acts.map(|(minute, act)| Event {
        at: Duration::from_secs(minute * 60),
        act,
    });
    Ok(Day {
        events: events.collect(),
    })
}

fn item(sku: &str, quantity: u32, unit_price: Decimal) -> NewItem {
    NewItem {
        sku: sku.to_owned(),
        quantity,
        unit_price,
        ..NewItem::default()
    }
}

/// The order that a notification announces, in either case of its keys and however often it is quoted.
pub(super) fn promised(body: &str) -> Vec<String> {
    let key = "amazonorderid";
    let at = body.to_ascii_lowercase().find(key);
    let rest = at.map_or("", |at| &body[at + key.len()..]);
    let rest = rest.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let id: String = rest
        .chars()
        .take_while(|letter| letter.is_ascii_digit() || *letter == '-')
        .collect();
    (!id.is_empty()).then_some(id).into_iter().collect()
}
