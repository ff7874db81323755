//! Notifications v1: destinations, and who is told what there.
//! <https://developer-docs.amazon.com/sp-api/docs/notifications-api-v1-use-case-guide>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    Amazon,
    error::{Error, answer},
    event_bridge,
    marketplace::Region,
    notification::{CHANGE_KINDS, ORDER_CHANGE},
    params::Params,
};

const NAME_LENGTH_MAX: usize = 256;
const PAYLOAD_VERSION: &str = "1.0";

/// Destinations and subscriptions by id.
#[derive(Default)]
pub(super) struct Subscriptions {
    pub(super) destinations: BTreeMap<String, Destination>,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
}

/// Where notifications go.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) resource: Resource,
}

/// What stands behind a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// A queue. Its owner passes on to a topic what arrives.
    Sqs { arn: String },
    /// A bus. Its owner passes on to an API destination what arrives.
    EventBridge { region: String, account: String },
}

/// Who is told.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) region: Region,
    pub(super) destination: String,
    /// As given, and given back.
    directive: Option<Json>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewDestination {
    name: String,
    resource_specification: Specification,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Specification {
    sqs: Option<Sqs>,
    event_bridge: Option<EventBridge>,
}

#[derive(Deserialize)]
struct Sqs {
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventBridge {
    region: String,
    account_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewSubscription {
    payload_version: String,
    destination_id: String,
    #[serde(default)]
    processing_directive: Option<Json>,
}

type Outcome = Result<Response<Bytes>, Error>;

impl Amazon {
    /// `POST /notifications/v1/destinations`.
    pub(super) fn create_destination(&mut self, request: &Request<Bytes>) -> Outcome {
        let new: NewDestination = body(request)?;
        if new.name.is_empty() || new.name.len() > NAME_LENGTH_MAX {
            return Err(Error::invalid_input("name must have 1 to 256 characters."));
        }
        let resource = match (
            new.resource_specification.sqs,
            new.resource_specification.event_bridge,
        ) {
            (Some(Sqs { arn }), None) if is_queue(&arn) => Resource::Sqs { arn },
            (Some(_), None) => {
                return Err(Error::invalid_input("sqs.arn is not the ARN of a queue."));
            }
            (None, Some(bridge)) => Resource::EventBridge {
                region: bridge.region,
                account: bridge.account_id,
            },
            _ => {
                return Err(Error::invalid_input(
                    "resourceSpecification takes either sqs or eventBridge.",
                ));
            }
        };
        if self.destination_of(&resource).is_some() {
            return Err(conflict("There is a destination for this resource."));
        }
        let id = self.add_destination(new.name, resource);
        self.get_destination(&id)
    }

    /// `GET /notifications/v1/destinations`.
    pub(super) fn get_destinations(&self) -> Outcome {
        let all = self.subscriptions.destinations.values();
        payload(&all.map(|destination| self.shown(destination)).collect())
    }

    /// `GET /notifications/v1/destinations/{destinationId}`.
    pub(super) fn get_destination(&self, id: &str) -> Outcome {
        let found = self.subscriptions.destinations.get(id);
        payload(&self.shown(found.ok_or_else(|| missing("destination", id))?))
    }

    /// `DELETE /notifications/v1/destinations/{destinationId}`.
    pub(super) fn delete_destination(&mut self, id: &str) -> Outcome {
        let mut users = self.subscriptions.subscriptions.values();
        if users.any(|subscription| subscription.destination == id) {
            return Err(conflict("The destination has subscriptions."));
        }
        let removed = self.subscriptions.destinations.remove(id);
        removed.ok_or_else(|| missing("destination", id))?;
        Ok(answer(StatusCode::OK, &json!({})))
    }

    /// `POST /notifications/v1/subscriptions/{notificationType}`.
    pub(super) fn create_subscription(
        &mut self,
        request: &Request<Bytes>,
        kind: &str,
        region: Region,
    ) -> Outcome {
        is_offered(kind)?;
        let new: NewSubscription = body(request)?;
        if new.payload_version != PAYLOAD_VERSION {
            return Err(Error::invalid_input("payloadVersion must be 1.0."));
        }
        if !self
            .subscriptions
            .destinations
            .contains_key(&new.destination_id)
        {
            return Err(Error::invalid_input("destinationId is not known."));
        }
        if let Some(directive) = &new.processing_directive {
            check_directive(directive)?;
        }
        if self.subscribed(region).is_some() {
            return Err(conflict(
                "There is a subscription for this type and version.",
            ));
        }
        let id = self.subscribe(region, new.destination_id, new.processing_directive);
        self.get_subscription_by_id(kind, &id)
    }

    /// `GET /notifications/v1/subscriptions/{notificationType}`.
    pub(super) fn get_subscription(&self, kind: &str, region: Region) -> Outcome {
        is_offered(kind)?;
        let found = self.subscribed(region);
        payload(
            &found
                .ok_or_else(|| missing("subscription for", kind))?
                .shown(),
        )
    }

    /// `GET /notifications/v1/subscriptions`.
    pub(super) fn get_subscriptions(&self, request: &Request<Bytes>, region: Region) -> Outcome {
        let params = Params::of(request);
        let kinds = params.list("notificationTypes", 1)?;
        let [kind] = kinds.as_slice() else {
            return Err(Error::invalid_input("notificationTypes takes one type."));
        };
        is_offered(kind)?;
        params.count("pageSize", 30, 100)?;
        let all = self.subscriptions.subscriptions.values();
        let own = all.filter(|subscription| subscription.region == region);
        payload(&json!({"subscriptions": own.map(Subscription::shown).collect::<Vec<_>>()}))
    }

    /// `GET /notifications/v1/subscriptions/{notificationType}/{subscriptionId}`.
    pub(super) fn get_subscription_by_id(&self, kind: &str, id: &str) -> Outcome {
        is_offered(kind)?;
        let found = self.subscriptions.subscriptions.get(id);
        payload(&found.ok_or_else(|| missing("subscription", id))?.shown())
    }

    /// `DELETE /notifications/v1/subscriptions/{notificationType}/{subscriptionId}`.
    pub(super) fn delete_subscription(&mut self, kind: &str, id: &str) -> Outcome {
        is_offered(kind)?;
        let removed = self.subscriptions.subscriptions.remove(id);
        removed.ok_or_else(|| missing("subscription", id))?;
        Ok(answer(StatusCode::OK, &json!({})))
    }

    pub(super) fn destination_of(&self, resource: &Resource) -> Option<&Destination> {
        let mut all = self.subscriptions.destinations.values();
        all.find(|destination| destination.resource == *resource)
    }

    pub(super) fn add_destination(&mut self, name: String, resource: Resource) -> String {
        let id = self.uuid();
        let destination = Destination {
            id: id.clone(),
            name,
            resource,
        };
        self.subscriptions
            .destinations
            .insert(id.clone(), destination);
        id
    }

    /// The seller's subscription in a region: one a type and version of the payload.
    pub(super) fn subscribed(&self, region: Region) -> Option<&Subscription> {
        let mut all = self.subscriptions.subscriptions.values();
        all.find(|subscription| subscription.region == region)
    }

    pub(super) fn subscribe(
        &mut self,
        region: Region,
        destination: String,
        directive: Option<Json>,
    ) -> String {
        let id = self.uuid();
        let subscription = Subscription {
            id: id.clone(),
            region,
            destination,
            directive,
        };
        self.subscriptions
            .subscriptions
            .insert(id.clone(), subscription);
        id
    }

    pub(super) fn shown(&self, destination: &Destination) -> Json {
        let resource = match &destination.resource {
            Resource::Sqs { arn } => json!({"sqs": {"arn": arn}}),
            Resource::EventBridge { region, account } => {
                let application = &self.settings.credentials.application_id;
                let name = event_bridge::source(account, application);
                json!({"eventBridge": {"name": name, "region": region, "accountId": account}})
            }
        };
        json!({"destinationId": destination.id, "name": destination.name, "resource": resource})
    }
}

impl Subscription {
    pub(super) fn shown(&self) -> Json {
        let mut shown = json!({
            "subscriptionId": self.id,
            "payloadVersion": PAYLOAD_VERSION,
            "destinationId": self.destination,
        });
        if let Some(directive) = &self.directive {
            shown["processingDirective"] = directive.clone();
        }
        shown
    }

    /// Whether its filter lets a kind of change through.
    pub(super) fn wants(&self, kind: &str) -> bool {
        let filter = self.directive.as_ref().map(|all| &all["eventFilter"]);
        let kinds = filter.and_then(|filter| filter["orderChangeTypes"].as_array());
        kinds.is_none_or(|kinds| kinds.is_empty() || kinds.iter().any(|known| known == kind))
    }
}

/// Of all types, this sandbox sends one.
fn is_offered(kind: &str) -> Result<(), Error> {
    match kind {
        ORDER_CHANGE => Ok(()),
        _ => Err(Error::invalid_input(format!(
            "{kind} is not a notification type of this sandbox."
        ))),
    }
}

/// Only the filter by kind of change is understood; another must not be taken for it.
fn check_directive(directive: &Json) -> Result<(), Error> {
    let wrong = || Error::invalid_input("processingDirective takes a filter of orderChangeTypes.");
    let filter = directive["eventFilter"].as_object().ok_or_else(wrong)?;
    if filter.get("eventFilterType").and_then(Json::as_str) != Some(ORDER_CHANGE) {
        return Err(wrong());
    }
    let kinds = match filter.get("orderChangeTypes") {
        None => return Ok(()),
        Some(kinds) => kinds.as_array().ok_or_else(wrong)?,
    };
    let is_kind = |kind: &Json| {
        kind.as_str()
            .is_some_and(|kind| CHANGE_KINDS.contains(&kind))
    };
    kinds.iter().all(is_kind).then_some(()).ok_or_else(wrong)
}

fn is_queue(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    arn.starts_with("arn:aws:sqs:") && parts.len() == 6 && parts.iter().all(|part| !part.is_empty())
}

fn body<T: serde::de::DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Error> {
    serde_json::from_slice(request.body())
        .map_err(|fault| Error::invalid_input(format!("The body is not valid: {fault}.")))
}

fn payload(payload: &Json) -> Outcome {
    Ok(answer(StatusCode::OK, &json!({"payload": payload})))
}

fn missing(what: &str, id: &str) -> Error {
    Error::not_found(format!("There is no {what} {id}."))
}

fn conflict(details: &str) -> Error {
    let message = "The request conflicts with what is there.";
    Error::new(StatusCode::CONFLICT, "Conflict", message).with_details(details)
}
