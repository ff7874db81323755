//! Who listens: a topic's subscriber over SNS, an API destination over EventBridge.

use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode, Uri, header};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    Amazon,
    authority::SignatureVersion,
    deliveries::Carrier,
    event_bridge::{ApiDestination, Bus},
    marketplace::Region,
    notification::{Metadata, ORDER_CHANGE, camel_case, order_change},
    params::Params,
    sns::{Message, Topic},
    subscriptions::Resource,
    user::Change,
};
use crate::EditError;

/// A receiver subscribed to the seller's topic. What arrives in the application's queue is published there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicReceiver {
    /// Where messages go. Only `http`.
    pub url: String,
    /// 1 or 2; 1 if absent, as a topic has it.
    #[serde(default)]
    pub signature_version: Option<u8>,
    /// Where receivers find SNS, for its certificate and the page that confirms: the sandbox itself if
    /// absent. Real receivers insist on `https://sns.<region>.amazonaws.com`.
    #[serde(default)]
    pub sns_url: Option<String>,
    /// Whether it has confirmed its subscription. If not, it is asked to, and told nothing before.
    #[serde(default)]
    pub confirmed: bool,
}

/// A receiver behind an API destination, with the key of its connection.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventReceiver {
    /// Where events go. Only `http`.
    pub url: String,
    /// The name of the header with the key; `x-api-key` if absent.
    #[serde(default)]
    pub header: Option<String>,
    /// The key; this seed's own if absent.
    #[serde(default)]
    pub key: Option<String>,
}

impl Amazon {
    /// Sends notifications to a topic's subscriber, or to none. The seller is subscribed in every region
    /// where it was not.
    ///
    /// # Errors
    /// If the address is none, or there is no [`Authority`](super::Authority) to sign with.
    pub fn set_topic(
        &mut self,
        receiver: Option<TopicReceiver>,
        now: Timestamp,
    ) -> Result<(), EditError> {
        let Some(receiver) = receiver else {
            self.topic = None;
            return Ok(());
        };
        let Some(authority) = self.settings.authority.clone() else {
            let why = "there is no authority to sign with".to_owned();
            return Err(EditError::Refused(why));
        };
        let signature_version = match receiver.signature_version {
            None | Some(1) => SignatureVersion::One,
            Some(2) => SignatureVersion::Two,
            Some(_) => return Err(EditError::Refused("signature_version is 1 or 2".to_owned())),
        };
        let arn = self.settings.credentials.topic_arn.clone();
        let base_url = self.settings.base_url.clone();
        let topic = Topic {
            url: address(&receiver.url)?,
            subscription_arn: format!("{arn}:{}", self.uuid()),
            signature_version,
            sns_url: receiver.sns_url.unwrap_or(base_url),
            token: hex::encode(self.rng.u128(..).to_be_bytes()),
            is_confirmed: receiver.confirmed,
            arn,
        };
        if !topic.is_confirmed {
            let id = self.uuid();
            let request = topic.request(&authority, &Message::Confirmation, &id, now);
            if let Some(request) = request {
                self.deliveries.queue(Carrier::Sns, request, now);
            }
        }
        self.topic = Some(topic);
        let account = &self.settings.credentials.aws_account;
        let arn = format!("arn:aws:sqs:us-east-1:{account}:orders");
        self.subscribe_all("queue", Resource::Sqs { arn });
        Ok(())
    }

    /// Sends notifications to an API destination, or to none. The seller is subscribed in every region
    /// where it was not.
    ///
    /// # Errors
    /// If the address or the header is none.
    pub fn set_api_destination(
        &mut self,
        receiver: Option<EventReceiver>,
    ) -> Result<(), EditError> {
        let Some(receiver) = receiver else {
            self.api_destination = None;
            return Ok(());
        };
        let header = receiver.header.as_deref().unwrap_or("x-api-key");
        let header: HeaderName = header
            .parse()
            .map_err(|_| EditError::Refused("header is no header's name".to_owned()))?;
        let own = &self.settings.credentials.notification_key;
        self.api_destination = Some(ApiDestination {
            url: address(&receiver.url)?,
            header,
            key: receiver.key.unwrap_or_else(|| own.clone()),
        });
        let account = self.settings.credentials.aws_account.clone();
        let region = "us-east-1".to_owned();
        self.subscribe_all("bus", Resource::EventBridge { region, account });
        Ok(())
    }

    /// Whether the topic has a subscriber that has confirmed.
    pub fn has_confirmed_topic(&self) -> bool {
        self.topic.as_ref().is_some_and(|topic| topic.is_confirmed)
    }

    fn subscribe_all(&mut self, name: &str, resource: Resource) {
        let known = self.destination_of(&resource).map(|known| known.id.clone());
        let id = known.unwrap_or_else(|| self.add_destination(name.to_owned(), resource));
        for region in Region::ALL {
            if self.subscribed(region).is_none() {
                self.subscribe(region, id.clone(), None);
            }
        }
    }

    /// Tells of an order's change: every receiver, if the seller is subscribed in the order's region.
    pub(super) fn announce(&mut self, id: &str, change: Change, now: Timestamp) {
        let Some(order) = self.store.get(id).cloned() else {
            return;
        };
        let region = order.marketplace.region;
        let subscribed = self.subscribed(region);
        let subscribed = subscribed.filter(|subscription| subscription.wants(change.kind()));
        let Some(subscription) = subscribed.map(|subscription| subscription.id.clone()) else {
            return;
        };
        let (number, envelope) = (self.uuid(), self.uuid());
        let credentials = &self.settings.credentials;
        let metadata = Metadata {
            seller: &credentials.seller_id,
            application: &credentials.application_id,
            subscription: &subscription,
            id: &number,
        };
        let mut told = order_change(&order, change, &metadata, now);
        if self.settings.quirks.notifications_camel_case {
            told = camel_case(told);
        }
        if let (Some(topic), Some(authority)) = (&self.topic, &self.settings.authority)
            && topic.is_confirmed
        {
            let text = told.to_string();
            let request = topic.request(authority, &Message::Notification(&text), &envelope, now);
            if let Some(request) = request {
                self.deliveries.queue(Carrier::Sns, request, now);
            }
        }
        if let Some(destination) = &self.api_destination {
            let bus = Bus {
                account: &credentials.aws_account,
                region: region.aws(),
                application: &credentials.application_id,
            };
            let request = destination.request(&bus, ORDER_CHANGE, &told, &envelope, now);
            if let Some(request) = request {
                self.deliveries.queue(Carrier::EventBridge, request, now);
            }
        }
    }

    /// What SNS itself serves: its certificate and the confirmation of a subscription; what its authority
    /// serves, the issuer's certificate; and, as no vendor would, the root to trust.
    pub(super) fn sns_page(&mut self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let path = request.uri().path();
        let authority = self.settings.authority.as_ref();
        let file = authority.map(|authority| format!("/{}", authority.certificate_file()));
        if let Some(authority) = authority {
            if Some(path) == file.as_deref() {
                let alone = self.settings.quirks.certificate_alone;
                return Some(pem(&authority.certificate_pem(alone)));
            }
            let (issuer, der) = authority.issuer();
            if path == issuer {
                return Some(Response::new(Bytes::copy_from_slice(der)));
            }
            if path == "/sandbox/root-ca.pem" {
                return Some(pem(authority.root_pem()));
            }
        }
        if path != "/" {
            return None;
        }
        let params = Params::of(request);
        let value = |name| params.text(name).unwrap_or_default();
        if value("Action") != "ConfirmSubscription" {
            return None;
        }
        let id = self.uuid();
        let topic = self.topic.as_mut()?;
        Some(topic.confirm(value("Token"), value("TopicArn"), &id))
    }

    /// Destinations as the API shows them.
    pub(super) fn list_destinations(&self) -> Vec<Json> {
        let all = self.subscriptions.destinations.values();
        all.map(|destination| self.shown(destination)).collect()
    }

    /// Subscriptions as the API shows them, each with its region.
    pub(super) fn list_subscriptions(&self) -> Vec<Json> {
        let all = self.subscriptions.subscriptions.values();
        let shown = all.map(|subscription| {
            let mut shown = subscription.shown();
            shown["region"] = json!(subscription.region);
            shown
        });
        shown.collect()
    }
}

fn pem(text: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text.to_owned()));
    *response.status_mut() = StatusCode::OK;
    let kind = header::HeaderValue::from_static("application/x-pem-file");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn address(url: &str) -> Result<Uri, EditError> {
    let wrong = || EditError::Refused("the address must be an absolute http URL".to_owned());
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(_)) => Ok(uri),
        _ => Err(wrong()),
    }
}
