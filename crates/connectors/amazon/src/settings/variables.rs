//! The variables by name, and what each is for.

use sluice_core::variable::{Variable, by_mode, required};

/// Every variable this connector reads. `amazon_marketplaces` decides which refresh tokens are needed
/// ([`Settings::read`](super::Settings::read)); the last six are the notifications'
/// ([`TopicSettings::read`](super::TopicSettings::read), [`EventSettings::read`](super::EventSettings::read)).
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

pub(super) const CLIENT_ID: Variable = required(
    "amazon_client_id",
    "the client id of the application, starting with amzn1.application-oa2-client",
);
pub(super) const CLIENT_SECRET: Variable = required(
    "amazon_client_secret",
    "the client secret of the application",
);
pub(super) const MARKETPLACES: Variable = required(
    "amazon_marketplaces",
    "the countries whose orders are synced, such as US, CA, MX, UK, FR, IT, ES, DE, JP, AU",
);
pub(super) const TOKEN_NA: Variable = by_mode(
    "amazon_refresh_token_na",
    "the seller's refresh token for North America: US, CA, MX",
);
pub(super) const TOKEN_EU: Variable = by_mode(
    "amazon_refresh_token_eu",
    "the seller's refresh token for Europe: UK, FR, IT, ES, DE",
);
pub(super) const TOKEN_FE: Variable = by_mode(
    "amazon_refresh_token_fe",
    "the seller's refresh token for the Far East: JP, and AU unless it has its own",
);
pub(super) const TOKEN_AU: Variable = by_mode(
    "amazon_refresh_token_au",
    "the seller's refresh token for Australia, where it was authorized apart from Japan",
);
pub(super) const URL_NA: Variable = by_mode(
    "amazon_url_na",
    "the API's address for North America, if not https://sellingpartnerapi-na.amazon.com",
);
pub(super) const URL_EU: Variable = by_mode(
    "amazon_url_eu",
    "the API's address for Europe, if not https://sellingpartnerapi-eu.amazon.com",
);
pub(super) const URL_FE: Variable = by_mode(
    "amazon_url_fe",
    "the API's address for the Far East, if not https://sellingpartnerapi-fe.amazon.com",
);
pub(super) const LOGIN_URL: Variable = by_mode(
    "amazon_lwa_url",
    "the address of Login with Amazon, if not https://api.amazon.com",
);
pub(super) const BACKFILL: Variable = by_mode(
    "amazon_backfill",
    "the way old orders are listed: orders (assumed; whole orders, 48,000 a day) or reports (ids of \
     thirty days at once, the orders one by one where a report does not hold what the mapping reads)",
);
pub(super) const SELLER_ID: Variable = by_mode(
    "amazon_seller_id",
    "the seller's id, or several with commas between them, whose notifications are accepted",
);
pub(super) const SNS_TOPIC: Variable = by_mode(
    "amazon_sns_topic",
    "the ARN of the SNS topic whose messages are accepted",
);
pub(super) const SNS_ROOT_CA: Variable = by_mode(
    "amazon_sns_root_ca",
    "the certificates, in PEM, that SNS's own must lead to, if not Amazon's public roots",
);
pub(super) const SNS_URL: Variable = by_mode(
    "amazon_sns_url",
    "the address of SNS, if not at sns.<region>.amazonaws.com",
);
pub(super) const NOTIFICATION_HEADER: Variable = by_mode(
    "amazon_notification_header",
    "the name of the header with the API key of the EventBridge connection, if not x-api-key",
);
pub(super) const NOTIFICATION_KEY: Variable = by_mode(
    "amazon_notification_key",
    "the API key of the EventBridge connection",
);
