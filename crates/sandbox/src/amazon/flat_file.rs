//! The flat file of orders, one row an item, in its marketplace's character set, compressed.
//! <https://developer-docs.amazon.com/sp-api/docs/order-tracking-reports-attributes>

use encoding_rs::{Encoding, SHIFT_JIS, UTF_8, WINDOWS_1252};
use jiff::Timestamp;
use miniz_oxide::deflate::compress_to_vec;

use super::{
    marketplace::Charset,
    order::{FulfilledBy, Item, Order, Status, amount},
};

const COLUMNS: [&str; 31] = [
    "amazon-order-id",
    "merchant-order-id",
    "purchase-date",
    "last-updated-date",
    "order-status",
    "fulfillment-channel",
    "sales-channel",
    "order-channel",
    "ship-service-level",
    "product-name",
    "sku",
    "asin",
    "item-status",
    "quantity",
    "currency",
    "item-price",
    "item-tax",
    "shipping-price",
    "shipping-tax",
    "gift-wrap-price",
    "gift-wrap-tax",
    "item-promotion-discount",
    "ship-promotion-discount",
    "ship-city",
    "ship-state",
    "ship-postal-code",
    "ship-country",
    "promotion-ids",
    "is-business-order",
    "purchase-order-number",
    "price-designation",
];

/// The level of compression: fast.
const LEVEL: u8 = 1;

/// The whole file as text.
pub(super) fn write<'a>(orders: impl Iterator<Item = &'a Order>) -> String {
    let mut text = COLUMNS.join("\t");
    text.push_str("\r\n");
    for order in orders {
        for item in &order.items {
            text.push_str(&row(order, item).join("\t"));
            text.push_str("\r\n");
        }
    }
    text
}

fn row(order: &Order, item: &Item) -> [String; 31] {
    let place = order.marketplace;
    let charges = &item.charges;
    let is_cancelled = order.status == Status::Cancelled;
    // What was cancelled has no price.
    let money = |minor: i64| match minor {
        0 => String::new(),
        _ if is_cancelled => String::new(),
        minor => amount(minor, place),
    };
    let quantity = if is_cancelled { 0 } else { item.quantity };
    let person = &order.buyer;
    [
        order.id.clone(),
        order.alias.clone().unwrap_or_default(),
        time(order.created),
        time(order.updated),
        status(order.status).to_owned(),
        match order.fulfilled_by {
            FulfilledBy::Merchant => "Merchant".to_owned(),
            FulfilledBy::Amazon => "Amazon".to_owned(),
        },
        place.name.to_owned(),
        String::new(),
        match order.service_level {
            "EXPEDITED" => "Expedited".to_owned(),
            "SECOND_DAY" => "SecondDay".to_owned(),
            _ => "Standard".to_owned(),
        },
        flat(&item.title),
        flat(&item.sku),
        item.asin.clone(),
        item_status(order, item).to_owned(),
        quantity.to_string(),
        place.currency.to_owned(),
        money(charges.item),
        money(charges.item_tax),
        money(charges.shipping),
        money(charges.shipping_tax),
        money(charges.gift_wrap),
        money(charges.gift_wrap_tax),
        money(charges.item_discount),
        money(charges.shipping_discount),
        person.city.to_owned(),
        person.region.to_owned(),
        person.postal_code.to_owned(),
        place.country_code().to_owned(),
        flat(&item.promotions.join(",")),
        order.is_business.to_string(),
        flat(order.purchase_order.as_deref().unwrap_or_default()),
        if order.is_business {
            "Business Price"
        } else {
            ""
        }
        .to_owned(),
    ]
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Cancelled => "Cancelled",
        Status::PartiallyShipped => "Shipping",
        other => other.title(),
    }
}

fn item_status(order: &Order, item: &Item) -> &'static str {
    match order.status {
        Status::Cancelled => "Cancelled",
        _ if item.shipped == item.quantity => "Shipped",
        _ => "Unshipped",
    }
}

/// A field holds neither tab nor line break.
fn flat(text: &str) -> String {
    text.replace(['\t', '\r', '\n'], " ")
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// The bytes in a character set; what it does not hold becomes a question mark.
pub(super) fn encode(text: &str, charset: Charset) -> Vec<u8> {
    let encoding: &'static Encoding = match charset {
        Charset::Utf8 => UTF_8,
        Charset::Cp1252 => WINDOWS_1252,
        Charset::ShiftJis => SHIFT_JIS,
    };
    let (_, _, has_unmappable) = encoding.encode(text);
    if !has_unmappable {
        return encoding.encode(text).0.into_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut letter = [0; 4];
    for character in text.chars() {
        let (encoded, _, is_unmappable) = encoding.encode(character.encode_utf8(&mut letter));
        match is_unmappable {
            true => bytes.push(b'?'),
            false => bytes.extend_from_slice(&encoded),
        }
    }
    bytes
}

impl Charset {
    /// As the document's `Content-Type` spells it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Cp1252 => "Cp1252",
            Self::ShiftJis => "Shift_JIS",
        }
    }
}

/// A GZIP member: RFC 1952.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    member.extend(compress_to_vec(bytes, LEVEL));
    member.extend(crc32(bytes).to_le_bytes());
    let length = u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or(u32::MAX);
    member.extend(length.to_le_bytes());
    member
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| match crc & 1 {
            1 => (crc >> 1) ^ 0xedb8_8320,
            _ => crc >> 1,
        })
    })
}
