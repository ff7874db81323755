//! How the application and the seller's accounts are set up: who may log in, limits, quirks.

use std::time::Duration;

use fastrand::Rng;

use super::{authority::Authority, draft::digits, marketplace::Region};

/// How the application and its seller are set up.
#[derive(Clone)]
pub struct Settings {
    /// Where clients find it, without a slash at the end.
    pub base_url: String,
    /// Who may log in.
    pub credentials: Credentials,
    /// Who vouches for SNS's signatures; without it, no topic has subscribers.
    pub authority: Option<Authority>,
    /// Where the seller sells: countries as Amazon spells them.
    pub countries: Vec<&'static str>,
    /// How long an access token lives: an hour at Amazon.
    pub token_life: Duration,
    /// How many times the published rate each operation may be called at, burst included. Amazon raises
    /// rates for busy sellers; `None` lifts every limit.
    pub rate_factor: Option<u32>,
    /// A change shows in `searchOrders` this long after its `lastUpdatedTime`.
    pub search_lag: Duration,
    /// A change shows in `getOrder` this long after its `lastUpdatedTime`: until then the order is as it was,
    /// or not there.
    pub read_lag: Duration,
    /// `searchOrders` reaches no nearer to the present than this: two minutes at Amazon.
    pub search_delay: Duration,
    /// A pagination token lives this long.
    pub page_token_life: Duration,
    /// What users of other tools complain about, switched on one by one.
    pub quirks: Quirks,
    /// How long reports take.
    pub reports: ReportTimes,
}

impl Settings {
    /// A calm application with this seed's credentials, at the published rates.
    pub fn new(seed: u64) -> Self {
        Self {
            base_url: "http://amazon.sandbox".to_owned(),
            credentials: Credentials::new(seed),
            authority: None,
            countries: vec!["US", "CA", "UK", "JP"],
            token_life: Duration::from_secs(60 * 60),
            rate_factor: Some(1),
            search_lag: Duration::ZERO,
            read_lag: Duration::ZERO,
            search_delay: Duration::from_secs(2 * 60),
            page_token_life: Duration::from_secs(24 * 60 * 60),
            quirks: Quirks::default(),
            reports: ReportTimes::default(),
        }
    }
}

impl Settings {
    /// The same for a day played so many times faster than the clock goes: more calls a second, and a
    /// search that reaches nearer to the present.
    #[must_use]
    pub fn sped_up(self, factor: u32) -> Self {
        let factor = factor.max(1);
        Self {
            rate_factor: Some(factor),
            search_delay: self.search_delay / factor,
            ..self
        }
    }
}

/// What the vendor does to people without saying so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// So many percent of the orders of a listing are on none of its pages. Another listing misses others.
    pub orders_missing_percent: u8,
    /// The next so many pages after a first one repeat the page before them.
    pub pages_repeated: u32,
    /// 429 comes without `x-amzn-RateLimit-Limit`.
    pub throttled_without_rate: bool,
    /// Discounts are positive amounts in the breakdowns, instead of negative ones. The published model
    /// leaves the sign open.
    pub discounts_positive: bool,
    /// The next so many reports end as `FATAL`.
    pub reports_fatal: u32,
    /// A report asked for again within this time of one of its type ends as `FATAL`.
    pub report_interval: Option<Duration>,
    /// Member names in notifications start in lower case.
    pub notifications_camel_case: bool,
    /// The file of SNS's certificate does not hold its issuer's, which lies where the certificate says.
    pub certificate_alone: bool,
}

/// How long a report takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportTimes {
    /// Until its processing starts.
    pub queued: Duration,
    /// From there to its end.
    pub in_progress: Duration,
    /// How long the address of its document lives: five minutes at Amazon.
    pub document_url_life: Duration,
}

impl Default for ReportTimes {
    fn default() -> Self {
        Self {
            queued: Duration::from_secs(20),
            in_progress: Duration::from_secs(40),
            document_url_life: Duration::from_secs(5 * 60),
        }
    }
}

/// One application, and the seller who authorized it in every region.
#[derive(Clone)]
pub struct Credentials {
    /// The application's Login with Amazon identifier.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The seller's authorization, by region.
    pub refresh_tokens: [(Region, String); 3],
    /// The seller.
    pub seller_id: String,
    /// The application, as notifications name it.
    pub application_id: String,
    /// The seller's account at AWS.
    pub aws_account: String,
    /// The topic the seller's notifications are published to.
    pub topic_arn: String,
    /// The key of the seller's API destination.
    pub notification_key: String,
}

impl Credentials {
    /// This seed's credentials.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0xa3a2_0000);
        let aws_account = digits(&mut rng, 12);
        let mut letters =
            |count: usize| -> String { (0..count).map(|_| rng.alphanumeric()).collect() };
        Self {
            client_id: format!(
                "amzn1.application-oa2-client.{}",
                letters(32).to_lowercase()
            ),
            client_secret: format!("amzn1.oa2-cs.v1.{}", letters(64).to_lowercase()),
            refresh_tokens: Region::ALL.map(|region| (region, format!("Atzr|{}", letters(240)))),
            seller_id: format!("A{}", letters(13).to_uppercase()),
            application_id: format!("amzn1.sp.solution.{}", letters(36).to_lowercase()),
            topic_arn: format!("arn:aws:sns:us-east-1:{aws_account}:orders"),
            notification_key: letters(40),
            aws_account,
        }
    }

    /// The seller's authorization in a region.
    pub fn refresh_token(&self, region: Region) -> &str {
        let found = self
            .refresh_tokens
            .iter()
            .find(|(known, _)| *known == region);
        found.map_or("", |(_, token)| token)
    }
}
