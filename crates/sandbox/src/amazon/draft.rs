//! Orders before they are placed: what a customer puts in the basket, and what Amazon makes of it.

use fastrand::Rng;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value as Json;

use super::{
    marketplace::{Marketplace, Tax},
    order::{Charges, FulfilledBy, Gift, Item, Person},
};
use crate::seed::{Catalogue, Item as Product, ItemKind};

const NAMES: &[&str] = &[
    "Ada Quill",
    "Björn Åkesson",
    "Chloé D'Arcy",
    "Dov Ben-Ami",
    "Eun-ji \"EJ\" Han",
    "Fatima & Sons",
    "Grzegorz Łuczak",
    "渡辺 さくら",
    "Ines <Ines>",
    "Joâo, Jr.",
];
const STREETS: &[&str] = &["Mill Lane", "Harbour Road", "Alder Close", "Quarry Hill"];
const PROMOTIONS: &[&str] = &["SPRING-10", "Free Shipping, this week", "BUNDLE-2F1"];

/// Units of one item.
const QUANTITY_MAX: u32 = 100_000;
/// The smallest units of a currency in one amount: sums of these are far from any limit.
const AMOUNT_MAX: i64 = 1_000_000_000;

/// What a customer orders. As JSON, amounts are text in the marketplace's currency: `"12.50"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOrder {
    /// Where: a country as Amazon spells it, or an id.
    #[serde(deserialize_with = "marketplace")]
    pub marketplace: &'static Marketplace,
    /// Who sends it.
    pub fulfilled_by: FulfilledBy,
    /// What.
    pub items: Vec<NewItem>,
    /// Whether a company buys.
    #[serde(default)]
    pub is_business: bool,
    /// The company's own number.
    #[serde(default)]
    pub purchase_order: Option<String>,
    /// The seller's own number.
    #[serde(default)]
    pub seller_order_id: Option<String>,
}

/// One product in the basket. Amounts are for all units together, but for the unit's price.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewItem {
    /// The seller's number of it.
    pub sku: String,
    /// Its name in the shop; the SKU if absent.
    #[serde(default)]
    pub title: Option<String>,
    /// How many.
    pub quantity: u32,
    /// For one.
    #[serde(deserialize_with = "amount")]
    pub unit_price: Decimal,
    /// For sending them.
    #[serde(default, deserialize_with = "amount")]
    pub shipping: Decimal,
    /// For wrapping them; not wrapped if absent.
    #[serde(default, deserialize_with = "some_amount")]
    pub gift_wrap: Option<Decimal>,
    /// What the buyer writes on the card.
    #[serde(default)]
    pub gift_message: Option<String>,
    /// Off the price.
    #[serde(default, deserialize_with = "amount")]
    pub item_discount: Decimal,
    /// Off the shipping.
    #[serde(default, deserialize_with = "amount")]
    pub shipping_discount: Decimal,
    /// Which promotion takes it off.
    #[serde(default)]
    pub promotion_id: Option<String>,
}

fn marketplace<'de, D: Deserializer<'de>>(source: D) -> Result<&'static Marketplace, D::Error> {
    let name = String::deserialize(source)?;
    Marketplace::by_country(&name)
        .or_else(|| Marketplace::by_id(&name))
        .ok_or_else(|| D::Error::custom(format!("{name} is no marketplace")))
}

/// Text or number, exactly as written.
fn amount<'de, D: Deserializer<'de>>(source: D) -> Result<Decimal, D::Error> {
    let text = match Json::deserialize(source)? {
        Json::String(text) => text,
        other => other.to_string(),
    };
    Decimal::from_str_exact(&text).map_err(|_| D::Error::custom(format!("{text} is no amount")))
}

fn some_amount<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Decimal>, D::Error> {
    amount(source).map(Some)
}

impl NewItem {
    /// The item as Amazon holds it, its taxes worked out.
    pub(super) fn enter(&self, place: &Marketplace, rng: &mut Rng) -> Result<Item, String> {
        if !(1..=QUANTITY_MAX).contains(&self.quantity) || self.sku.is_empty() {
            return Err("an item needs a sku and a quantity".to_owned());
        }
        let minor = |name: &str, amount: Decimal| {
            let scaled = amount.checked_mul(Decimal::from(10_i64.pow(place.places)));
            let whole =
                scaled.filter(|amount| amount.fract().is_zero() && !amount.is_sign_negative());
            whole
                .and_then(|amount| i64::try_from(amount.normalize().trunc()).ok())
                .filter(|amount| *amount <= AMOUNT_MAX)
                .ok_or_else(|| format!("{name} is no amount in {}", place.currency))
        };
        let unit_price = minor("unitPrice", self.unit_price)?;
        let mut charges = Charges {
            item: unit_price * i64::from(self.quantity),
            shipping: minor("shipping", self.shipping)?,
            gift_wrap: minor("giftWrap", self.gift_wrap.unwrap_or_default())?,
            item_discount: minor("itemDiscount", self.item_discount)?,
            shipping_discount: minor("shippingDiscount", self.shipping_discount)?,
            ..Charges::default()
        };
        if charges.item_discount > charges.item || charges.shipping_discount > charges.shipping {
            return Err("a discount must not exceed what it is taken off".to_owned());
        }
        if let Tax::Added(per_thousand) = place.tax {
            // Halves go up, as in the shop.
            let tax = |amount: i64| (amount * per_thousand + 500) / 1000;
            charges.item_tax = tax(charges.item - charges.item_discount);
            charges.shipping_tax = tax(charges.shipping - charges.shipping_discount);
            charges.gift_wrap_tax = tax(charges.gift_wrap);
        }
        let message = self.gift_message.clone();
        let gift = self.gift_wrap.map(|_| Gift {
            level: "Classic Gift Wrap".to_owned(),
            message,
        });
        Ok(Item {
            id: digits(rng, 14),
            sku: self.sku.clone(),
            asin: format!("B0{}", letters(rng, 8)),
            title: self.title.clone().unwrap_or_else(|| self.sku.clone()),
            quantity: self.quantity,
            shipped: 0,
            unit_price,
            charges,
            promotions: self.promotion_id.iter().cloned().collect(),
            gift,
            cancel_request: None,
        })
    }
}

impl NewOrder {
    /// A basket such as customers fill, of what the catalogue sells.
    pub fn typical(
        catalogue: &Catalogue,
        marketplace: &'static Marketplace,
        fulfilled_by: FulfilledBy,
        rng: &mut Rng,
    ) -> Self {
        let is_sold = |product: &&Product| product.kind != ItemKind::Service;
        let products: Vec<&Product> = catalogue.items.iter().filter(is_sold).collect();
        let count = [1, 1, 1, 2, 2, 3, 4][rng.usize(0..7)];
        let items = (0..count).map(|_| {
            let product = products[rng.usize(0..products.len())];
            NewItem::typical(product, marketplace, fulfilled_by, rng)
        });
        let items = items.collect();
        let is_business = rng.u8(0..8) == 0;
        Self {
            marketplace,
            fulfilled_by,
            items,
            is_business,
            purchase_order: is_business.then(|| format!("PO-{}", rng.u32(1000..9999))),
            seller_order_id: None,
        }
    }
}

impl NewItem {
    /// Some of one product, as often wrapped or reduced as usual.
    pub fn typical(
        product: &Product,
        marketplace: &Marketplace,
        fulfilled_by: FulfilledBy,
        rng: &mut Rng,
    ) -> Self {
        let places = marketplace.places;
        let local = |cents: i64| match places {
            0 => (cents * marketplace.level / 10_000).max(1),
            _ => (cents * marketplace.level / 100).max(1),
        };
        let quantity = [1, 1, 1, 2, 3, 5][rng.usize(0..6)];
        let unit_price = local(product.price_cents);
        let is_sent_free = fulfilled_by == FulfilledBy::Amazon || rng.u8(0..5) < 2;
        let shipping = if is_sent_free {
            0
        } else {
            local(rng.i64(299..1999))
        };
        let wrapped = (rng.u8(0..10) == 0).then(|| local(rng.i64(199..599)) * i64::from(quantity));
        let promotion = (rng.u8(0..5) == 0).then(|| PROMOTIONS[rng.usize(0..PROMOTIONS.len())]);
        let (item_discount, shipping_discount) = match promotion {
            None => (0, 0),
            Some(name) if name.starts_with("Free") && shipping > 0 => (0, shipping),
            Some(_) => (unit_price * i64::from(quantity) * rng.i64(3..25) / 100, 0),
        };
        let amount = |minor| Decimal::new(minor, places);
        Self {
            sku: product.sku.clone(),
            title: Some(product.name.clone()),
            quantity,
            unit_price: amount(unit_price),
            shipping: amount(shipping),
            gift_wrap: wrapped.map(amount),
            gift_message: wrapped.map(|_| "Many happy returns!\n— all of us".to_owned()),
            item_discount: amount(item_discount),
            shipping_discount: amount(shipping_discount),
            promotion_id: promotion.map(str::to_owned),
        }
    }
}

/// Somebody who lives there.
pub(super) fn person(place: &Marketplace, rng: &mut Rng) -> Person {
    let (city, region, postal_code) = place.towns[rng.usize(0..place.towns.len())];
    let domain = place.name.to_lowercase();
    Person {
        name: NAMES[rng.usize(0..NAMES.len())].to_owned(),
        email: format!("{}@marketplace.{domain}", letters(rng, 14).to_lowercase()),
        street: format!(
            "{} {}",
            rng.u16(1..400),
            STREETS[rng.usize(0..STREETS.len())]
        ),
        city,
        region,
        postal_code,
        phone: format!("+1 555 01{:02}", rng.u8(0..100)),
    }
}

pub(super) fn digits(rng: &mut Rng, count: usize) -> String {
    (0..count)
        .map(|_| char::from(b'0' + rng.u8(0..10)))
        .collect()
}

fn letters(rng: &mut Rng, count: usize) -> String {
    let letters: String = (0..count).map(|_| rng.alphanumeric()).collect();
    letters.to_uppercase()
}
