//! The admin port's side of it: orders as they are held, deeds as JSON, settings by name.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value as Json;

use super::{Amazon, Deed, NewOrder};
use crate::EditError;

/// An order, and what the API shows of it instead.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Distortion {
    order_id: String,
    shown: Json,
}

/// Types of records that can be listed.
pub(super) const KINDS: [&str; 4] = ["Order", "Report", "Destination", "Subscription"];

impl Amazon {
    pub(super) fn list(&self, kind: &str) -> Option<Vec<Json>> {
        let view = self.whole();
        match kind {
            "Order" => Some(self.store.all().map(|order| view.order(order)).collect()),
            "Report" => Some(self.list_reports(self.asked)),
            "Destination" => Some(self.list_destinations()),
            "Subscription" => Some(self.list_subscriptions()),
            _ => None,
        }
    }

    /// Places an order: a [`NewOrder`], with `"paid": true` to have it paid for at once, and
    /// `"announced": false` to have nobody told.
    pub(super) fn user_create(
        &mut self,
        kind: &str,
        mut fields: Json,
        now: Timestamp,
    ) -> Result<Json, EditError> {
        is_order(kind)?;
        let paid = flag(&mut fields, "paid", false)?;
        let announced = flag(&mut fields, "announced", true)?;
        let order: NewOrder = read(fields)?;
        let id = self.place(&order, announced, now)?;
        if paid {
            self.alter(&id, &Deed::Pay, announced, now)?;
        }
        self.order(&id)
    }

    /// Does something to an order: a [`Deed`], with `"announced": false` to have nobody told.
    pub(super) fn user_edit(
        &mut self,
        kind: &str,
        id: &str,
        mut fields: Json,
        now: Timestamp,
    ) -> Result<Json, EditError> {
        is_order(kind)?;
        let announced = flag(&mut fields, "announced", true)?;
        let deed: Deed = read(fields)?;
        self.alter(id, &deed, announced, now)?;
        self.order(id)
    }

    /// Settings by name: `token_life_s`, `expire_tokens`, `rate_factor` (null lifts every limit),
    /// `search_lag_s`, `read_lag_s`, `search_delay_s`, `page_token_life_s`, `orders_missing_percent`, `pages_repeated`,
    /// `throttled_without_rate`, `reports_fatal`, `report_interval_s` (null for none), `report_queued_s`,
    /// `report_in_progress_s`, `document_url_life_s`, `discounts_positive`, `notifications_camel_case`,
    /// `certificate_alone`; `topic` and `api_destination` take a [`TopicReceiver`](super::TopicReceiver) and an
    /// [`EventReceiver`](super::EventReceiver), or null; `distort` takes `{"orderId", "shown"}`, a JSON merge
    /// patch over what the API shows of that order, or null.
    pub(super) fn change_setting(
        &mut self,
        setting: &str,
        value: Json,
        now: Timestamp,
    ) -> Result<(), EditError> {
        match setting {
            "topic" => return self.set_topic(read(value)?, now),
            "api_destination" => return self.set_api_destination(read(value)?),
            "distort" => {
                let Distortion { order_id, shown } = read(value)?;
                return self.distort(&order_id, shown, now);
            }
            _ => {}
        }
        let wrong = || EditError::Refused(format!("not a value for {setting}"));
        let number = || value.as_u64().ok_or_else(wrong);
        let small = || u32::try_from(number()?).map_err(|_| wrong());
        let seconds = || Ok::<_, EditError>(Duration::from_secs(number()?));
        let truth = || value.as_bool().ok_or_else(wrong);
        let settings = &mut self.settings;
        match setting {
            "token_life_s" => settings.token_life = seconds()?,
            "expire_tokens" => self.access.end_all(),
            "rate_factor" => settings.rate_factor = (!value.is_null()).then(small).transpose()?,
            "search_lag_s" => settings.search_lag = seconds()?,
            "read_lag_s" => settings.read_lag = seconds()?,
            "search_delay_s" => settings.search_delay = seconds()?,
            "page_token_life_s" => settings.page_token_life = seconds()?,
            "orders_missing_percent" => {
                let percent = u8::try_from(number()?)
                    .ok()
                    .filter(|percent| *percent <= 100);
                settings.quirks.orders_missing_percent = percent.ok_or_else(wrong)?;
            }
            "pages_repeated" => settings.quirks.pages_repeated = small()?,
            "reports_fatal" => settings.quirks.reports_fatal = small()?,
            "report_interval_s" => {
                settings.quirks.report_interval = (!value.is_null()).then(seconds).transpose()?;
            }
            "report_queued_s" => settings.reports.queued = seconds()?,
            "report_in_progress_s" => settings.reports.in_progress = seconds()?,
            "document_url_life_s" => settings.reports.document_url_life = seconds()?,
            "throttled_without_rate" => settings.quirks.throttled_without_rate = truth()?,
            "notifications_camel_case" => settings.quirks.notifications_camel_case = truth()?,
            "certificate_alone" => settings.quirks.certificate_alone = truth()?,
            "discounts_positive" => settings.quirks.discounts_positive = truth()?,
            _ => return Err(EditError::NotFound(format!("no setting {setting}"))),
        }
        Ok(())
    }
}

fn is_order(kind: &str) -> Result<(), EditError> {
    match kind {
        "Order" => Ok(()),
        _ => Err(EditError::NotFound(format!("no type {kind} to change"))),
    }
}

fn flag(fields: &mut Json, name: &str, otherwise: bool) -> Result<bool, EditError> {
    let taken = fields
        .as_object_mut()
        .and_then(|fields| fields.remove(name));
    match taken {
        None => Ok(otherwise),
        Some(Json::Bool(truth)) => Ok(truth),
        Some(_) => Err(EditError::Refused(format!("{name} is true or false"))),
    }
}

fn read<T: DeserializeOwned>(fields: Json) -> Result<T, EditError> {
    serde_json::from_value(fields).map_err(|error| EditError::Refused(error.to_string()))
}
