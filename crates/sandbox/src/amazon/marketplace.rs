//! Where Amazon sells: marketplaces, their currencies, and the regions they belong to.
//! <https://developer-docs.amazon.com/sp-api/docs/marketplace-ids>

use serde::{Deserialize, Serialize};

/// A selling region: one account, one endpoint.
/// <https://developer-docs.amazon.com/sp-api/docs/sp-api-endpoints>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// North America.
    Na,
    /// Europe.
    Eu,
    /// The Far East.
    Fe,
}

impl Region {
    /// Every region.
    pub const ALL: [Self; 3] = [Self::Na, Self::Eu, Self::Fe];

    /// As host names and variables spell it: `na`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Na => "na",
            Self::Eu => "eu",
            Self::Fe => "fe",
        }
    }

    /// The AWS region of its endpoint.
    pub fn aws(self) -> &'static str {
        match self {
            Self::Na => "us-east-1",
            Self::Eu => "eu-west-1",
            Self::Fe => "us-west-2",
        }
    }
}

/// Whether the prices customers see hold the tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tax {
    /// Charged on top, in parts per thousand.
    Added(i64),
    /// In the price.
    Included,
}

/// One of Amazon's shops.
#[derive(Debug, PartialEq, Eq)]
pub struct Marketplace {
    /// As the API names it.
    pub id: &'static str,
    /// As Amazon's own list has it: `UK`, not `GB`.
    pub country: &'static str,
    /// The shop's name: `Amazon.co.uk`.
    pub name: &'static str,
    /// ISO 4217.
    pub currency: &'static str,
    /// Decimal places of an amount.
    pub places: u32,
    /// The account it belongs to.
    pub region: Region,
    /// What prices hold.
    pub tax: Tax,
    /// A price in US dollars times this, over a hundred, is a usual price here, in whole units.
    pub(super) level: i64,
    /// The character set of its flat files.
    pub(super) charset: Charset,
    /// Towns with region and postal code.
    pub(super) towns: &'static [(&'static str, &'static str, &'static str)],
}

/// The character set of a flat file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Charset {
    Utf8,
    Cp1252,
    ShiftJis,
}

impl Marketplace {
    /// The marketplace of this id.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        MARKETPLACES.iter().find(|known| known.id == id)
    }

    /// The marketplace of this country, as Amazon's list spells it.
    pub fn by_country(country: &str) -> Option<&'static Self> {
        MARKETPLACES.iter().find(|known| known.country == country)
    }

    /// ISO 3166 alpha-2, as addresses have it.
    pub fn country_code(&self) -> &'static str {
        match self.country {
            "UK" => "GB",
            other => other,
        }
    }
}

/// Every marketplace with orders here. The public list knows none for China.
pub static MARKETPLACES: [Marketplace; 10] = [
    Marketplace {
        id: "ATVPDKIKX0DER",
        country: "US",
        name: "Amazon.com",
        currency: "USD",
        places: 2,
        region: Region::Na,
        tax: Tax::Added(82),
        level: 100,
        charset: Charset::Utf8,
        towns: &[("Tacoma", "WA", "98402"), ("Boise", "ID", "83702")],
    },
    Marketplace {
        id: "A2EUQ1WTGCTBG2",
        country: "CA",
        name: "Amazon.ca",
        currency: "CAD",
        places: 2,
        region: Region::Na,
        tax: Tax::Added(130),
        level: 136,
        charset: Charset::Utf8,
        towns: &[("Halifax", "NS", "B3J 1S9"), ("Québec", "QC", "G1R 4S9")],
    },
    Marketplace {
        id: "A1AM78C64UM0Y8",
        country: "MX",
        name: "Amazon.com.mx",
        currency: "MXN",
        places: 2,
        region: Region::Na,
        tax: Tax::Included,
        level: 1800,
        charset: Charset::Utf8,
        towns: &[("Mérida", "Yucatán", "97000")],
    },
    Marketplace {
        id: "A1F83G8C2ARO7P",
        country: "UK",
        name: "Amazon.co.uk",
        currency: "GBP",
        places: 2,
        region: Region::Eu,
        tax: Tax::Included,
        level: 82,
        charset: Charset::Cp1252,
        towns: &[("Leeds", "West Yorkshire", "LS1 4DY")],
    },
    Marketplace {
        id: "A13V1IB3VIYZZH",
        country: "FR",
        name: "Amazon.fr",
        currency: "EUR",
        places: 2,
        region: Region::Eu,
        tax: Tax::Included,
        level: 94,
        charset: Charset::Cp1252,
        towns: &[("Besançon", "", "25000")],
    },
    Marketplace {
        id: "APJ6JRA9NG5V4",
        country: "IT",
        name: "Amazon.it",
        currency: "EUR",
        places: 2,
        region: Region::Eu,
        tax: Tax::Included,
        level: 94,
        charset: Charset::Cp1252,
        towns: &[("Forlì", "FC", "47121")],
    },
    Marketplace {
        id: "A1RKKUPIHCS9HS",
        country: "ES",
        name: "Amazon.es",
        currency: "EUR",
        places: 2,
        region: Region::Eu,
        tax: Tax::Included,
        level: 94,
        charset: Charset::Cp1252,
        towns: &[("Logroño", "La Rioja", "26001")],
    },
    Marketplace {
        id: "A1PA6795UKMFR9",
        country: "DE",
        name: "Amazon.de",
        currency: "EUR",
        places: 2,
        region: Region::Eu,
        tax: Tax::Included,
        level: 94,
        charset: Charset::Cp1252,
        towns: &[("Göttingen", "", "37073"), ("Jena", "", "07743")],
    },
    Marketplace {
        id: "A1VC38T7YXB528",
        country: "JP",
        name: "Amazon.co.jp",
        currency: "JPY",
        places: 0,
        region: Region::Fe,
        tax: Tax::Included,
        level: 15_000,
        charset: Charset::ShiftJis,
        towns: &[
            ("札幌市中央区", "北海道", "060-0001"),
            ("松本市", "長野県", "390-0811"),
        ],
    },
    Marketplace {
        id: "A39IBJ37TRP1C6",
        country: "AU",
        name: "Amazon.com.au",
        currency: "AUD",
        places: 2,
        region: Region::Fe,
        tax: Tax::Included,
        level: 152,
        charset: Charset::Utf8,
        towns: &[("Hobart", "TAS", "7000")],
    },
];
