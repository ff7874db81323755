//! What the host tells this connector: its variables, checked as a whole.

use sluice_core::ports::Variables;
use sluice_core::variable::{Variable, Wrong, by_mode, required, values};
use sluice_core::{Result, Secret, address};

use crate::marketplace::{Marketplace, Region};

/// Every variable this connector reads. `amazon_marketplaces` decides which refresh tokens are needed
/// ([`Settings::read`]); the last six are the notifications'
/// ([`TopicSettings::read`], [`EventSettings::read`]).
pub const VARIABLES: [Variable; 18] = [
    CLIENT_ID,
    CLIENT_SECRET,
    MARKETPLACES,
    TOKEN_NA,
    TOKEN_EU,
    TOKEN_FE,
    TOKEN_AU,
    URL_NA,
    URL_EU,
    URL_FE,
    LOGIN_URL,
    BACKFILL,
    SELLER_ID,
    SNS_TOPIC,
    SNS_ROOT_CA,
    SNS_URL,
    NOTIFICATION_HEADER,
    NOTIFICATION_KEY,
];

const CLIENT_ID: Variable = required(
    "amazon_client_id",
    "the client id of the application, starting with amzn1.application-oa2-client",
);
const CLIENT_SECRET: Variable = required(
    "amazon_client_secret",
    "the client secret of the application",
);
const MARKETPLACES: Variable = required(
    "amazon_marketplaces",
    "the countries whose orders are synced, such as US, CA, MX, UK, FR, IT, ES, DE, JP, AU",
);
const TOKEN_NA: Variable = by_mode(
    "amazon_refresh_token_na",
    "the seller's refresh token for North America: US, CA, MX",
);
const TOKEN_EU: Variable = by_mode(
    "amazon_refresh_token_eu",
    "the seller's refresh token for Europe: UK, FR, IT, ES, DE",
);
const TOKEN_FE: Variable = by_mode(
    "amazon_refresh_token_fe",
    "the seller's refresh token for the Far East: JP, and AU unless it has its own",
);
const TOKEN_AU: Variable = by_mode(
    "amazon_refresh_token_au",
    "the seller's refresh token for Australia, where it was authorized apart from Japan",
);
const URL_NA: Variable = by_mode(
    "amazon_url_na",
    "the API's address for North America, if not https://sellingpartnerapi-na.amazon.com",
);
const URL_EU: Variable = by_mode(
    "amazon_url_eu",
    "the API's address for Europe, if not https://sellingpartnerapi-eu.amazon.com",
);
const URL_FE: Variable = by_mode(
    "amazon_url_fe",
    "the API's address for the Far East, if not https://sellingpartnerapi-fe.amazon.com",
);
const LOGIN_URL: Variable = by_mode(
    "amazon_lwa_url",
    "the address of Login with Amazon, if not https://api.amazon.com",
);
const BACKFILL: Variable = by_mode(
    "amazon_backfill",
    "the way old orders are listed: orders (assumed; whole orders, some 24,000 a day beside the live flow) or reports (ids of \
     thirty days at once, the orders one by one where a report does not hold what the mapping reads)",
);
const SELLER_ID: Variable = by_mode(
    "amazon_seller_id",
    "the seller's id, or several with commas between them, whose notifications are accepted",
);
const SNS_TOPIC: Variable = by_mode(
    "amazon_sns_topic",
    "the ARN of the SNS topic whose messages are accepted",
);
const SNS_ROOT_CA: Variable = by_mode(
    "amazon_sns_root_ca",
    "the certificates, in PEM, that SNS's own must lead to, if not Amazon's public roots",
);
const SNS_URL: Variable = by_mode(
    "amazon_sns_url",
    "the address of SNS, if not at sns.<region>.amazonaws.com",
);
const NOTIFICATION_HEADER: Variable = by_mode(
    "amazon_notification_header",
    "the name of the header with the API key of the EventBridge connection, if not x-api-key",
);
const NOTIFICATION_KEY: Variable = by_mode(
    "amazon_notification_key",
    "the API key of the EventBridge connection",
);

/// Who we are to Amazon, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    pub client_id: String,
    pub client_secret: Secret,
    /// Where tokens come from: scheme, host and port.
    pub login_origin: String,
    /// The seller's accounts, at least one.
    pub accounts: Vec<Account>,
    pub backfill: Backfill,
}

/// The seller as one refresh token knows them: limits and order ids are an account's own.
#[derive(Clone, Debug)]
pub struct Account {
    /// `NA`, `EU`, `FE`, or `AU` where Australia was authorized by itself.
    pub name: &'static str,
    /// Scheme, host and port of its region's API.
    pub origin: String,
    pub refresh_token: Secret,
    pub marketplaces: Vec<Marketplace>,
}

/// How old orders are listed. See [`past`](sluice_core::Source::past).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backfill {
    /// By `searchOrders`, a hundred whole orders a request.
    Orders,
    /// By a report of the orders of up to thirty days.
    Reports,
}

impl Settings {
    /// Reads the variables that every request needs.
    ///
    /// Faults: `VARIABLE_MISSING`, `VARIABLE_INVALID` (stop the flow), naming every variable that is
    /// missing or wrong and what it is for.
    pub fn read(from: &dyn Variables) -> Result<Self> {
        let [client_id, client_secret, marketplaces, login, backfill] = values(
            from,
            [CLIENT_ID, CLIENT_SECRET, MARKETPLACES, LOGIN_URL, BACKFILL],
        )?;
        let tokens = values(from, [TOKEN_NA, TOKEN_EU, TOKEN_FE, TOKEN_AU])?;
        let urls = values(from, [URL_NA, URL_EU, URL_FE])?;
        let mut wrong = Wrong::default();
        let client_id = wrong.needs(CLIENT_ID, client_id);
        let client_secret = wrong.needs(CLIENT_SECRET, client_secret);
        let login_origin = login.map_or(Some(LOGIN.to_owned()), |text| {
            wrong.valid(LOGIN_URL, address::origin(&text))
        });
        let backfill = wrong.valid(
            BACKFILL,
            match backfill.as_deref() {
                None | Some("orders") => Ok(Backfill::Orders),
                Some("reports") => Ok(Backfill::Reports),
                Some(_) => Err("is neither orders nor reports"),
            },
        );
        let marketplaces = wrong
            .needs(MARKETPLACES, marketplaces)
            .and_then(|text| wrong.valid(MARKETPLACES, marketplace_list(&text)));
        let accounts = marketplaces.map(|all| accounts(all, tokens, urls, &mut wrong));
        let settings = || {
            Some(Self {
                client_id: client_id?,
                client_secret: Secret::new(client_secret?),
                login_origin: login_origin?,
                accounts: accounts??,
                backfill: backfill?,
            })
        };
        let settings = settings();
        wrong.or(settings)
    }

    /// The streams: a marketplace each, by its country.
    pub fn streams(&self) -> Vec<&'static str> {
        let marketplaces = self
            .accounts
            .iter()
            .flat_map(|account| &account.marketplaces);
        marketplaces
            .map(|marketplace| marketplace.country)
            .collect()
    }

    /// The account of a stream, with the stream's marketplace alone.
    pub fn account(&self, stream: &str) -> Option<Account> {
        let account = self.account_with(stream)?;
        let mut marketplaces = account.marketplaces.clone();
        marketplaces.retain(|one| one.country == stream);
        Some(Account {
            marketplaces,
            ..account.clone()
        })
    }

    /// The account of a stream, with all its marketplaces.
    pub fn account_with(&self, stream: &str) -> Option<&Account> {
        let is_of =
            |account: &&Account| account.marketplaces.iter().any(|one| one.country == stream);
        self.accounts.iter().find(is_of)
    }
}

/// The marketplaces, each with the account it is reached through. `None` if something is missing.
fn accounts(
    marketplaces: Vec<Marketplace>,
    tokens: [Option<String>; 4],
    urls: [Option<String>; 3],
    wrong: &mut Wrong,
) -> Option<Vec<Account>> {
    let [na, eu, fe, au] = tokens;
    let australia_apart = au.is_some();
    let [url_na, url_eu, url_fe] = urls;
    let rows = [
        ("NA", Region::NorthAmerica, TOKEN_NA, na, URL_NA, &url_na),
        ("EU", Region::Europe, TOKEN_EU, eu, URL_EU, &url_eu),
        ("FE", Region::FarEast, TOKEN_FE, fe, URL_FE, &url_fe),
        ("AU", Region::FarEast, TOKEN_AU, au, URL_FE, &url_fe),
    ];
    let mut accounts = Some(Vec::new());
    for (name, region, token_variable, token, url_variable, url) in rows {
        let ours = |marketplace: &&Marketplace| {
            let apart = marketplace.country == "AU" && australia_apart;
            marketplace.region == region && apart == (name == "AU")
        };
        let ours: Vec<Marketplace> = marketplaces.iter().filter(ours).copied().collect();
        if ours.is_empty() {
            continue;
        }
        let token = wrong.needs(token_variable, token);
        let origin = match url {
            Some(text) => wrong.valid(url_variable, address::origin(text)),
            None => Some(region.origin().to_owned()),
        };
        let account = token.zip(origin).map(|(token, origin)| Account {
            name,
            origin,
            refresh_token: Secret::new(token),
            marketplaces: ours,
        });
        match (&mut accounts, account) {
            (Some(accounts), Some(account)) => accounts.push(account),
            _ => accounts = None,
        }
    }
    accounts
}

fn marketplace_list(text: &str) -> Result<Vec<Marketplace>, &'static str> {
    let mut marketplaces: Vec<Marketplace> = Vec::new();
    for code in text
        .split(',')
        .map(str::trim)
        .filter(|code| !code.is_empty())
    {
        if code.eq_ignore_ascii_case("CN") {
            return Err("names CN, and the public API has no region with China");
        }
        let marketplace = Marketplace::of_country(code).ok_or("names a country we do not know")?;
        if !marketplaces.contains(&marketplace) {
            marketplaces.push(marketplace);
        }
    }
    match marketplaces.is_empty() {
        true => Err("names no country"),
        false => Ok(marketplaces),
    }
}

/// What proves that a notification is for us: the seller.
#[derive(Clone, Debug)]
pub struct Sellers(Vec<String>);

impl Sellers {
    fn of(text: &str) -> Result<Self, &'static str> {
        let ids = text.split(',').map(str::trim);
        let ids: Vec<String> = ids.filter(|id| !id.is_empty()).map(str::to_owned).collect();
        let plain = |id: &String| id.bytes().all(|letter| letter.is_ascii_alphanumeric());
        match !ids.is_empty() && ids.iter().all(plain) {
            true => Ok(Self(ids)),
            false => Err("is not a list of seller ids"),
        }
    }

    pub fn hold(&self, id: &str) -> bool {
        self.0.iter().any(|known| known == id)
    }
}

/// What proves that an SNS message is our topic's.
#[derive(Clone, Debug)]
pub struct TopicSettings {
    pub sellers: Sellers,
    pub topic: String,
    /// PEM; `None`: Amazon's public roots.
    pub root_ca: Option<String>,
    /// Where SNS is if not at `sns.<region>.amazonaws.com`.
    pub origin: Option<String>,
}

impl TopicSettings {
    /// Faults: as [`Settings::read`].
    pub fn read(from: &dyn Variables) -> Result<Self> {
        let [sellers, topic, root_ca, url] =
            values(from, [SELLER_ID, SNS_TOPIC, SNS_ROOT_CA, SNS_URL])?;
        let mut wrong = Wrong::default();
        let sellers = wrong
            .needs(SELLER_ID, sellers)
            .and_then(|text| wrong.valid(SELLER_ID, Sellers::of(&text)));
        let topic = wrong.needs(SNS_TOPIC, topic).and_then(|text| {
            let is_topic = text.starts_with("arn:") && text.split(':').count() == 6;
            let topic = is_topic.then_some(text).ok_or("is not the ARN of a topic");
            wrong.valid(SNS_TOPIC, topic)
        });
        let origin = match url {
            Some(text) => wrong.valid(SNS_URL, address::origin(&text)).map(Some),
            None => Some(None),
        };
        // Line breaks may be written as `\n`, as environment files do.
        let root_ca = root_ca.map(|pem| pem.trim().replace("\\n", "\n"));
        let settings = sellers.zip(topic).zip(origin);
        wrong.or(settings.map(|((sellers, topic), origin)| Self {
            sellers,
            topic,
            root_ca,
            origin,
        }))
    }
}

/// What proves that an event comes from our EventBridge.
#[derive(Clone, Debug)]
pub struct EventSettings {
    pub sellers: Sellers,
    pub header: http::HeaderName,
    pub key: Secret,
}

impl EventSettings {
    /// Faults: as [`Settings::read`].
    pub fn read(from: &dyn Variables) -> Result<Self> {
        let [sellers, header, key] =
            values(from, [SELLER_ID, NOTIFICATION_HEADER, NOTIFICATION_KEY])?;
        let mut wrong = Wrong::default();
        let sellers = wrong
            .needs(SELLER_ID, sellers)
            .and_then(|text| wrong.valid(SELLER_ID, Sellers::of(&text)));
        let header = header.as_deref().unwrap_or("x-api-key").parse();
        let header = wrong.valid(
            NOTIFICATION_HEADER,
            header.map_err(|_| "is not the name of a header"),
        );
        let key = wrong.needs(NOTIFICATION_KEY, key).map(Secret::new);
        let settings = sellers.zip(header).zip(key);
        wrong.or(settings.map(|((sellers, header), key)| Self {
            sellers,
            header,
            key,
        }))
    }
}

/// Where tokens come from, unless a variable says otherwise.
const LOGIN: &str = "https://api.amazon.com";

#[cfg(test)]
mod tests;
