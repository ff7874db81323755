//! Marketplaces: where buyers order. Each has an id, a currency, and a region whose API knows its orders.
//! <https://developer-docs.amazon.com/sp-api/docs/marketplace-ids>
//!
//! China is not among them: none of the three regions of the public API lists it
//! (<https://developer-docs.amazon.com/sp-api/docs/sp-api-endpoints>).

/// One of Amazon's shops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marketplace {
    /// As sellers and NetSuite call it; the United Kingdom is `UK`.
    pub country: &'static str,
    pub id: &'static str,
    /// How reports name it.
    pub name: &'static str,
    pub region: Region,
}

/// The API of one part of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    NorthAmerica,
    Europe,
    FarEast,
}

impl Marketplace {
    /// `UK` and `GB` are one; upper and lower case are.
    pub fn of_country(code: &str) -> Option<Self> {
        let code = match code.eq_ignore_ascii_case("GB") {
            true => "UK",
            false => code,
        };
        let mut all = MARKETPLACES.into_iter();
        all.find(|one| one.country.eq_ignore_ascii_case(code))
    }
}

impl Region {
    pub fn origin(self) -> &'static str {
        match self {
            Self::NorthAmerica => "https://sellingpartnerapi-na.amazon.com",
            Self::Europe => "https://sellingpartnerapi-eu.amazon.com",
            Self::FarEast => "https://sellingpartnerapi-fe.amazon.com",
        }
    }
}

/// The marketplaces we sync, all but the one without an API.
pub const MARKETPLACES: [Marketplace; 10] = [
    of("US", "ATVPDKIKX0DER", "Amazon.com", Region::NorthAmerica),
    of("CA", "A2EUQ1WTGCTBG2", "Amazon.ca", Region::NorthAmerica),
    of(
        "MX",
        "A1AM78C64UM0Y8",
        "Amazon.com.mx",
        Region::NorthAmerica,
    ),
    of("UK", "A1F83G8C2ARO7P", "Amazon.co.uk", Region::Europe),
    of("FR", "A13V1IB3VIYZZH", "Amazon.fr", Region::Europe),
    of("IT", "APJ6JRA9NG5V4", "Amazon.it", Region::Europe),
    of("ES", "A1RKKUPIHCS9HS", "Amazon.es", Region::Europe),
    of("DE", "A1PA6795UKMFR9", "Amazon.de", Region::Europe),
    of("JP", "A1VC38T7YXB528", "Amazon.co.jp", Region::FarEast),
    of("AU", "A39IBJ37TRP1C6", "Amazon.com.au", Region::FarEast),
];

const fn of(
    country: &'static str,
    id: &'static str,
    name: &'static str,
    region: Region,
) -> Marketplace {
    Marketplace {
        country,
        id,
        name,
        region,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_found_by_their_usual_names() {
        assert_eq!(Marketplace::of_country("gb").unwrap().id, "A1F83G8C2ARO7P");
        assert_eq!(Marketplace::of_country("UK"), Marketplace::of_country("GB"));
        assert_eq!(Marketplace::of_country("de").unwrap().name, "Amazon.de");
        for other in ["", "CN", "BR", "U"] {
            assert_eq!(Marketplace::of_country(other), None, "{other}");
        }
    }
}
