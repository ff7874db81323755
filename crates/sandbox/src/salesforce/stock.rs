//! The organization's people and books at the start of a day.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde_json::{Map, Value as Json, json};

use super::{
    Id, Salesforce,
    convert::to_the_second,
    error::Error,
    schema::{Kind, audit, object},
    value::Value,
    write::Author,
};
use crate::seed::{Catalogue, Item};

const ACCOUNT_COUNT: usize = 220;
const OPPORTUNITY_COUNT: usize = 180;
/// The last opportunities each sell a late item.
const LATE_OPPORTUNITY_COUNT: usize = 6;
const LINE_COUNT_MAX: usize = 12;
/// Stages of a sale not closed yet.
const OPEN_STAGES: &[&str] = &[
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
];

const FIRST: &[&str] = &[
    "Alder",
    "Birch",
    "Cobalt",
    "Dover",
    "Ember",
    "Falcon",
    "Garnet",
    "Harbor",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lakeside",
    "Meridian",
    "Northgate",
    "Orchard",
    "Pinnacle",
    "Quarry",
    "Riverbend",
    "Summit",
    "Tamarack",
    "Union",
    "Vista",
    "Willow",
    "Yarrow",
    "Zephyr",
];
const SECOND: &[&str] = &[
    "Foods",
    "Logistics",
    "Interiors",
    "Machining",
    "Textiles",
    "Outfitters",
    "Supply",
    "Builders",
    "Labs",
];
/// Names that trip careless quoting and encoding.
const AWKWARD: &[&str] = &[
    "O'Brien & Sons",
    "Müller Söhne",
    "Café Número Uno",
    "\"Quoted\" Goods",
    "A < B > C Trading",
    "北京貿易",
    "100% Wool_Co",
    "Back\\slash Systems",
    "Łódź Metal",
    "Ampersand & Co",
];

/// Where accounts are: country, currency, subsidiary, legal form, towns with state and postal code.
struct Region {
    country: &'static str,
    currency: &'static str,
    subsidiary: &'static str,
    form: &'static str,
    towns: &'static [(&'static str, Option<&'static str>, &'static str)],
}

const REGIONS: &[Region] = &[
    Region {
        country: "United States",
        currency: "USD",
        subsidiary: "US",
        form: "Inc.",
        towns: &[
            ("Portland", Some("OR"), "97201"),
            ("Austin", Some("TX"), "78701"),
            ("Boston", Some("MA"), "02108"),
        ],
    },
    Region {
        country: "Germany",
        currency: "EUR",
        subsidiary: "EU",
        form: "GmbH",
        towns: &[
            ("Hamburg", None, "20095"),
            ("München", None, "80331"),
            ("Leipzig", None, "04109"),
        ],
    },
    Region {
        country: "United Kingdom",
        currency: "GBP",
        subsidiary: "EU",
        form: "Ltd",
        towns: &[("Leeds", None, "LS1 4DY"), ("Bristol", None, "BS1 5TR")],
    },
    Region {
        country: "France",
        currency: "EUR",
        subsidiary: "EU",
        form: "SARL",
        towns: &[("Lyon", None, "69001"), ("Nantes", None, "44000")],
    },
];

/// One account as later steps need it.
struct Customer {
    id: Id,
    currency: &'static str,
}

impl Salesforce {
    /// The organization's own record and its users.
    pub(super) fn found(&mut self) {
        let username = self.settings.credentials.username.clone();
        let users = [
            (self.integration_user, "Integration User", username),
            (
                self.sales_user,
                "Robin Sales",
                "robin@sales.sandbox.test".to_owned(),
            ),
        ];
        for (id, name, username) in users {
            let fields = json!({
                "Name": name, "Username": username, "Email": username, "IsActive": true,
                "TimeZoneSidKey": "GMT", "LanguageLocaleKey": "en_US", "CurrencyIsoCode": "USD",
            });
            self.place("User", id, fields);
        }
        let fields = json!({
            "Name": "Brightwater", "TimeZoneSidKey": "America/Los_Angeles",
            "LanguageLocaleKey": "en_US", "DefaultLocaleSidKey": "en_US",
            "OrganizationType": "Enterprise Edition", "InstanceName": "SBX1", "IsSandbox": true,
        });
        self.place("Organization", self.organization, fields);
        self.store.commit();
    }

    /// Fills the organization as of `now`: products, accounts under accounts, open opportunities with lines.
    /// The last six opportunities each sell one late item. Nothing is announced.
    ///
    /// # Errors
    /// If the catalogue breaks the organization's own rules.
    pub fn stock(&mut self, catalogue: &Catalogue, now: Timestamp) -> Result<(), crate::EditError> {
        let mut rng = self.rng.fork();
        let stocked = self.quietly(|org| org.fill(catalogue, &mut rng, now));
        self.trace.clear();
        self.store.commit();
        stocked.map_err(|error| crate::EditError::Refused(error.message))
    }

    /// Fills the organization with what it sells, and nothing else.
    ///
    /// # Errors
    /// If the catalogue breaks the organization's own rules.
    pub fn stock_products(
        &mut self,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Result<(), crate::EditError> {
        let mut rng = self.rng.fork();
        let stocked = self.quietly(|org| org.fill_products(catalogue, &mut rng, now));
        self.trace.clear();
        self.store.commit();
        let stocked = stocked.map(|_| ());
        stocked.map_err(|error| crate::EditError::Refused(error.message))
    }

    fn fill(&mut self, catalogue: &Catalogue, rng: &mut Rng, now: Timestamp) -> Result<(), Error> {
        let mut products = self.fill_products(catalogue, rng, now)?;
        let late = products.split_off(catalogue.items.len());
        let customers = self.fill_accounts(rng, now)?;
        for index in 0..OPPORTUNITY_COUNT {
            let customer = &customers[rng.usize(0..customers.len())];
            let from_end = OPPORTUNITY_COUNT - 1 - index;
            let late_item = (from_end < LATE_OPPORTUNITY_COUNT && !late.is_empty())
                .then(|| &late[from_end % late.len()]);
            self.fill_opportunity(index, customer, &products, late_item, rng, now)?;
        }
        Ok(())
    }

    fn fill_products(
        &mut self,
        catalogue: &Catalogue,
        rng: &mut Rng,
        now: Timestamp,
    ) -> Result<Vec<(Id, Item)>, Error> {
        let mut products = Vec::new();
        for item in catalogue.all_items() {
            let family = if item.sku.starts_with("SV") {
                "Services"
            } else {
                "Goods"
            };
            let fields = json!({
                "Name": item.name, "ProductCode": item.sku, "IsActive": true, "Family": family,
            });
            let id = self.make("Product2", fields, self.long_ago(rng, now))?;
            products.push((id, item.clone()));
        }
        Ok(products)
    }

    fn fill_accounts(&mut self, rng: &mut Rng, now: Timestamp) -> Result<Vec<Customer>, Error> {
        let mut customers: Vec<Customer> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        // The depth of each account under its topmost parent.
        let mut depths: Vec<usize> = Vec::new();
        for index in 0..ACCOUNT_COUNT {
            let region = &REGIONS[rng.usize(0..REGIONS.len())];
            let parent = (index > 20 && rng.u8(0..4) == 0).then(|| rng.usize(0..index));
            let parent = parent.filter(|&parent| depths[parent] < 4);
            depths.push(parent.map_or(0, |parent| depths[parent] + 1));
            let name = account_name(index, region, rng, &names);
            let fields = account(index, &name, region, parent.map(|p| customers[p].id), rng);
            names.push(name);
            let id = self.make("Account", fields, self.long_ago(rng, now))?;
            customers.push(Customer {
                id,
                currency: region.currency,
            });
        }
        Ok(customers)
    }

    fn fill_opportunity(
        &mut self,
        index: usize,
        customer: &Customer,
        products: &[(Id, Item)],
        late: Option<&(Id, Item)>,
        rng: &mut Rng,
        now: Timestamp,
    ) -> Result<(), Error> {
        let author = self.recently(rng, now);
        let close: Date = now.to_zoned(TimeZone::UTC).date();
        let close = close.saturating_add(rng.i64(-5..40).days());
        let number = (rng.u8(0..3) > 0).then(|| format!("PO-{}", rng.u32(10_000..99_999)));
        let fields = json!({
            "Name": format!("Deal {:03} {}", index + 1, ["renewal", "expansion", "new site"][rng.usize(0..3)]),
            "AccountId": customer.id.to_string(),
            "StageName": OPEN_STAGES[rng.usize(0..OPEN_STAGES.len())],
            "CloseDate": close.to_string(),
            "CurrencyIsoCode": customer.currency,
            "PO_Number__c": number,
            "Description": (rng.u8(0..4) == 0).then_some("Deliver to the back gate.\nCall before \u{2014} \"no surprises\"."),
        });
        let opportunity = self.make("Opportunity", fields, author)?;
        let count = rng.usize(1..=LINE_COUNT_MAX);
        for position in 0..count {
            let (id, item) = match late.filter(|_| position == 0) {
                Some(late) => late,
                None => &products[rng.usize(0..products.len())],
            };
            let line = line(opportunity, *id, item, position, close, rng);
            self.make("OpportunityLineItem", line, author)?;
        }
        Ok(())
    }

    fn make(&mut self, kind: &str, fields: Json, author: Author) -> Result<Id, Error> {
        let kind = object(kind).ok_or_else(Error::not_found)?;
        let fields: Map<String, Json> = match fields {
            Json::Object(fields) => fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect(),
            _ => Map::new(),
        };
        self.insert(kind, &fields, author)
    }

    /// Puts a record of a type the API cannot make.
    fn place(&mut self, kind: &str, id: Id, fields: Json) {
        let Some(kind) = object(kind) else { return };
        let mut values: Vec<Value> = kind
            .fields
            .iter()
            .map(|field| match (&fields[field.name], field.kind) {
                (Json::String(text), _) => Value::Text(text.clone()),
                (Json::Bool(truth), _) => Value::Bool(*truth),
                (_, Kind::Boolean) => Value::Bool(false),
                _ => Value::Null,
            })
            .collect();
        values[audit::ID] = Value::Id(id);
        let at =
            Value::DateTime(Timestamp::from_second(1_704_067_200).unwrap_or(Timestamp::UNIX_EPOCH));
        for field in [
            audit::CREATED_DATE,
            audit::LAST_MODIFIED_DATE,
            audit::SYSTEM_MODSTAMP,
        ] {
            values[field] = at.clone();
        }
        for field in [audit::CREATED_BY, audit::LAST_MODIFIED_BY] {
            values[field] = Value::Id(self.sales_user);
        }
        self.store.insert(kind, values);
    }

    fn long_ago(&self, rng: &mut Rng, now: Timestamp) -> Author {
        self.ago(now, rng.i64(30 * 86_400..400 * 86_400))
    }

    fn recently(&self, rng: &mut Rng, now: Timestamp) -> Author {
        self.ago(now, rng.i64(86_400..25 * 86_400))
    }

    fn ago(&self, now: Timestamp, seconds: i64) -> Author {
        let at = now
            .saturating_sub(SignedDuration::from_secs(seconds))
            .unwrap_or(now);
        Author {
            user: self.sales_user,
            at: to_the_second(at).unwrap_or(at),
        }
    }
}

/// Distinct, and no longer than any system's limit for a company's name.
fn account_name(index: usize, region: &Region, rng: &mut Rng, taken: &[String]) -> String {
    if let Some(name) = AWKWARD.get(index) {
        return (*name).to_owned();
    }
    let first = FIRST[rng.usize(0..FIRST.len())];
    let second = SECOND[rng.usize(0..SECOND.len())];
    let name = format!("{first} {second} {}", region.form);
    if taken.contains(&name) {
        format!("{first} {second} {index} {}", region.form)
    } else {
        name
    }
}

fn account(index: usize, name: &str, region: &Region, parent: Option<Id>, rng: &mut Rng) -> Json {
    let (town, state, code) = region.towns[rng.usize(0..region.towns.len())];
    let terms = (rng.u8(0..15) > 0).then(|| crate::seed::TERMS[rng.usize(0..3)]);
    let phone = (rng.u8(0..5) > 0).then(|| format!("+1 555 01{:02}", rng.u8(0..100)));
    json!({
        "Name": name,
        "AccountNumber": format!("AC-{:05}", 10_000 + index * 3),
        "ParentId": parent.map(|id| id.to_string()),
        "BillingStreet": format!("{} {} Street", rng.u8(1..250), FIRST[rng.usize(0..FIRST.len())]),
        "BillingCity": town,
        "BillingState": state,
        "BillingPostalCode": code,
        "BillingCountry": region.country,
        "Phone": phone,
        "CurrencyIsoCode": region.currency,
        "Payment_Terms__c": terms,
        "Subsidiary__c": region.subsidiary,
    })
}

fn line(
    opportunity: Id,
    product: Id,
    item: &Item,
    position: usize,
    close: Date,
    rng: &mut Rng,
) -> Json {
    // A few lines sell parts of a unit.
    let hundredths = if rng.u8(0..10) == 0 {
        rng.i64(25..900)
    } else {
        rng.i64(1..40) * 100
    };
    let price = item.price_cents * rng.i64(80..=105) / 100;
    json!({
        "OpportunityId": opportunity.to_string(),
        "Product2Id": product.to_string(),
        "Quantity": rust_decimal::Decimal::new(hundredths, 2).to_string(),
        "UnitPrice": rust_decimal::Decimal::new(price.max(1), 2).to_string(),
        "Description": (rng.u8(0..3) == 0).then(|| format!("{}, as quoted", item.name)),
        "ServiceDate": (rng.u8(0..4) == 0).then(|| close.saturating_add(14.days()).to_string()),
        "SortOrder": position + 1,
    })
}
