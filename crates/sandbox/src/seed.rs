//! What the simulated companies share before anything flows between them.
//!
//! One seed gives one catalogue; each vendor's module stocks itself from it in its own record shapes.

use fastrand::Rng;

/// The master data both sides of a sync know, under the names people use (never a vendor's ids).
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Sixty things for sale. Every system stocks them.
    pub items: Vec<Item>,
    /// Three more things for sale that only the selling system stocks at first.
    pub late_items: Vec<Item>,
    /// ISO 4217 codes.
    pub currencies: &'static [&'static str],
    /// Payment terms by name.
    pub terms: &'static [&'static str],
    /// The legal entities an order can belong to.
    pub subsidiaries: &'static [Subsidiary],
}

/// One thing for sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The natural key both systems share: `BX-1042`.
    pub sku: String,
    /// What people call it.
    pub name: String,
    /// How it is stocked.
    pub kind: ItemKind,
    /// Usual price of one, in hundredths of the order's currency.
    pub price_cents: i64,
}

/// How a thing for sale is stocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// Counted in a warehouse.
    Inventory,
    /// Bought or made to order; not counted.
    NonInventory,
    /// Work, sold by the hour or the piece.
    Service,
}

/// One legal entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subsidiary {
    /// The short name in both systems' pick lists: `US`.
    pub code: &'static str,
    /// The registered name.
    pub name: &'static str,
    /// Its books' currency.
    pub currency: &'static str,
    /// ISO 3166 alpha-2.
    pub country: &'static str,
}

/// ISO 4217 codes in use.
pub const CURRENCIES: &[&str] = &["USD", "EUR", "GBP"];
/// Payment terms in use.
pub const TERMS: &[&str] = &["Net 30", "Net 60", "Due on receipt"];
/// Legal entities in use.
pub const SUBSIDIARIES: &[Subsidiary] = &[
    Subsidiary {
        code: "US",
        name: "Brightwater Inc.",
        currency: "USD",
        country: "US",
    },
    Subsidiary {
        code: "EU",
        name: "Brightwater Europe GmbH",
        currency: "EUR",
        country: "DE",
    },
];

const ITEM_COUNT: usize = 60;
const LATE_ITEM_COUNT: usize = 3;

const MATERIALS: &[&str] = &[
    "Steel", "Oak", "Copper", "Linen", "Granite", "Glass", "Brass", "Cedar", "Slate", "Wool",
];
const GOODS: &[(&str, &str)] = &[
    ("Valve", "VL"),
    ("Bracket", "BR"),
    ("Pump", "PM"),
    ("Filter", "FL"),
    ("Panel", "PN"),
    ("Fitting", "FT"),
    ("Gauge", "GG"),
];
const SERVICES: &[&str] = &[
    "Installation",
    "Calibration",
    "Training day",
    "On-site repair",
    "Yearly inspection",
    "Remote support",
];

impl Catalogue {
    /// The catalogue of this seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0xca7a_1094e);
        let mut items: Vec<Item> = (0..ITEM_COUNT + LATE_ITEM_COUNT)
            .map(|index| item(index, &mut rng))
            .collect();
        let late_items = items.split_off(ITEM_COUNT);
        Self {
            items,
            late_items,
            currencies: CURRENCIES,
            terms: TERMS,
            subsidiaries: SUBSIDIARIES,
        }
    }

    /// Everything for sale, late items included.
    pub fn all_items(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().chain(&self.late_items)
    }
}

/// The number in a SKU grows with the index, so no two are alike.
fn item(index: usize, rng: &mut Rng) -> Item {
    let number = 1000 + index * 7 + rng.usize(0..7);
    if index % 10 == 9 {
        let service = SERVICES[(index / 10) % SERVICES.len()];
        return Item {
            sku: format!("SV-{number}"),
            name: service.to_owned(),
            kind: ItemKind::Service,
            price_cents: rng.i64(40..200) * 100,
        };
    }
    let material = MATERIALS[rng.usize(0..MATERIALS.len())];
    let (good, prefix) = GOODS[rng.usize(0..GOODS.len())];
    let kind = if index % 4 == 3 {
        ItemKind::NonInventory
    } else {
        ItemKind::Inventory
    };
    Item {
        sku: format!("{prefix}-{number}"),
        name: format!("{material} {good} {number}"),
        kind,
        price_cents: rng.i64(199..250_000),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_seed_one_catalogue() {
        assert_eq!(Catalogue::new(7).items, Catalogue::new(7).items);
        assert_ne!(Catalogue::new(7).items, Catalogue::new(8).items);
    }

    #[test]
    fn skus_are_distinct() {
        for seed in 0..20 {
            let catalogue = Catalogue::new(seed);
            let skus: BTreeSet<_> = catalogue.all_items().map(|item| &item.sku).collect();
            assert_eq!(skus.len(), ITEM_COUNT + LATE_ITEM_COUNT, "seed {seed}");
        }
    }
}
