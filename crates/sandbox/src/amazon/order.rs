//! Orders as Amazon holds them.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::marketplace::Marketplace;

/// Who sends the parcels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FulfilledBy {
    /// The seller: MFN.
    Merchant,
    /// Amazon: FBA, also AFN.
    Amazon,
}

impl FulfilledBy {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Merchant => "MERCHANT",
            Self::Amazon => "AMAZON",
        }
    }
}

/// Where an order is on its way to the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Unshipped,
    PartiallyShipped,
    Shipped,
    Cancelled,
}

/// Every `FulfillmentStatus` of the published model.
pub(super) const STATUSES: [&str; 7] = [
    "PENDING_AVAILABILITY",
    "PENDING",
    "UNSHIPPED",
    "PARTIALLY_SHIPPED",
    "SHIPPED",
    "CANCELLED",
    "UNFULFILLABLE",
];

impl Status {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Unshipped => "UNSHIPPED",
            Self::PartiallyShipped => "PARTIALLY_SHIPPED",
            Self::Shipped => "SHIPPED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// As notifications and flat files spell it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Unshipped => "Unshipped",
            Self::PartiallyShipped => "PartiallyShipped",
            Self::Shipped => "Shipped",
            Self::Cancelled => "Canceled",
        }
    }
}

/// One order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// Three, seven and seven digits.
    pub(super) id: String,
    /// The seller's own number, if given.
    pub(super) alias: Option<String>,
    pub(super) marketplace: &'static Marketplace,
    pub(super) fulfilled_by: FulfilledBy,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) status: Status,
    pub(super) service_level: &'static str,
    pub(super) is_business: bool,
    pub(super) purchase_order: Option<String>,
    pub(super) buyer: Person,
    pub(super) items: Vec<Item>,
    pub(super) packages: Vec<Package>,
    /// Who cancelled it, and why.
    pub(super) cancelled: Option<(&'static str, String)>,
    /// What the API shows otherwise than it is: a JSON merge patch.
    pub(super) distortion: Option<Json>,
}

/// Whom it goes to.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) name: String,
    /// Amazon's stand-in for the real address.
    pub(super) email: String,
    pub(super) street: String,
    pub(super) city: &'static str,
    pub(super) region: &'static str,
    pub(super) postal_code: &'static str,
    pub(super) phone: String,
}

/// One product of an order.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Fourteen digits.
    pub(super) id: String,
    pub(super) sku: String,
    pub(super) asin: String,
    pub(super) title: String,
    pub(super) quantity: u32,
    pub(super) shipped: u32,
    pub(super) unit_price: i64,
    pub(super) charges: Charges,
    pub(super) promotions: Vec<String>,
    pub(super) gift: Option<Gift>,
    /// The buyer's reason to want it cancelled.
    pub(super) cancel_request: Option<String>,
}

/// How it is wrapped.
#[derive(Clone, Debug)]
pub(super) struct Gift {
    pub(super) level: String,
    pub(super) message: Option<String>,
}

/// What an item brings in, in the smallest unit of its currency. Discounts count as positive here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    /// All units together.
    pub item: i64,
    /// For sending them.
    pub shipping: i64,
    /// For wrapping them.
    pub gift_wrap: i64,
    /// Off the items' price.
    pub item_discount: i64,
    /// Off the shipping.
    pub shipping_discount: i64,
    /// Tax on the items.
    pub item_tax: i64,
    /// Tax on the shipping.
    pub shipping_tax: i64,
    /// Tax on the wrapping.
    pub gift_wrap_tax: i64,
}

impl Charges {
    /// Everything taken off.
    pub fn discount(&self) -> i64 {
        self.item_discount + self.shipping_discount
    }

    /// Everything for the state.
    pub fn tax(&self) -> i64 {
        self.item_tax + self.shipping_tax + self.gift_wrap_tax
    }

    /// What the customer pays.
    pub fn total(&self) -> i64 {
        self.item + self.shipping + self.gift_wrap + self.tax() - self.discount()
    }
}

/// One parcel the seller sent.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) reference: String,
    pub(super) sent: Timestamp,
    pub(super) carrier: String,
    pub(super) tracking_number: String,
    /// Items by id, and how many of each.
    pub(super) contents: Vec<(String, u32)>,
}

impl Order {
    pub(super) fn total(&self) -> i64 {
        self.items.iter().map(|item| item.charges.total()).sum()
    }

    /// What has been sent decides between the statuses of an order that stands.
    pub(super) fn settle(&mut self) {
        if matches!(self.status, Status::Pending | Status::Cancelled) {
            return;
        }
        let ordered: u32 = self.items.iter().map(|item| item.quantity).sum();
        let shipped: u32 = self.items.iter().map(|item| item.shipped).sum();
        self.status = match shipped {
            0 => Status::Unshipped,
            some if some < ordered => Status::PartiallyShipped,
            _ => Status::Shipped,
        };
    }
}

/// An amount as the API writes it: exact, with as many decimals as its currency has.
pub(super) fn money(minor: i64, marketplace: &Marketplace) -> Json {
    json!({"amount": amount(minor, marketplace), "currencyCode": marketplace.currency})
}

pub(super) fn amount(minor: i64, marketplace: &Marketplace) -> String {
    Decimal::new(minor, marketplace.places).to_string()
}
