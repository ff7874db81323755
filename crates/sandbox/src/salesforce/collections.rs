//! Up to 200 records in one call: `/composite/sobjects`.
//! <https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm>

use http::{Method, StatusCode};
use serde_json::{Map, Value as Json, json};

use super::{
    Salesforce,
    error::{Error, json_answer},
    id::Id,
    rest::{Call, Outcome},
    schema::{OBJECTS, Object, object},
    sobjects::{check_writable, key_field, named_fields, object_of},
    write::Author,
};

/// Most records in one call.
const RECORD_COUNT_MAX: usize = 200;
/// Most records one read may name in its body.
const READ_COUNT_MAX: usize = 2000;

/// What became of one record.
struct Saved {
    id: Id,
    created: Option<bool>,
}

impl Salesforce {
    /// `POST`, `PATCH`, `DELETE /composite/sobjects`.
    pub(super) fn collection(&mut self, call: &Call<'_>) -> Outcome {
        let author = self.by_api(call.now);
        match *call.method {
            Method::POST => {
                let (records, all_or_none) = records(call)?;
                Ok(self.each(&records, all_or_none, |org, record| {
                    let fields = object_of(record)?;
                    let object = typed(fields)?;
                    let id = org.insert(object, fields, author)?;
                    Ok(Saved { id, created: None })
                }))
            }
            Method::PATCH => {
                let (records, all_or_none) = records(call)?;
                Ok(self.each(&records, all_or_none, |org, record| {
                    let mut fields = object_of(record)?.clone();
                    let object = typed(&fields)?;
                    let id = take_id(&mut fields, object)?;
                    org.change(object, id, &fields, author)?;
                    Ok(Saved { id, created: None })
                }))
            }
            Method::DELETE => {
                let names = call.parameter("ids").unwrap_or_default();
                let ids: Vec<Json> = names.split(',').map(|id| Json::from(id.trim())).collect();
                check_count(ids.len(), RECORD_COUNT_MAX)?;
                let all_or_none = call.parameter("allOrNone") == Some("true");
                Ok(self.each(&ids, all_or_none, |org, name| {
                    let id = name.as_str().and_then(Id::parse).ok_or_else(malformed_id)?;
                    let object = by_prefix(id)?;
                    check_writable(object)?;
                    org.delete(object, id, author)?;
                    Ok(Saved { id, created: None })
                }))
            }
            _ => call.refuse_method("DELETE,PATCH,POST"),
        }
    }

    /// `PATCH /composite/sobjects/<type>/<external id field>`.
    pub(super) fn collection_upsert(
        &mut self,
        call: &Call<'_>,
        object: &'static Object,
        field: &str,
    ) -> Outcome {
        if call.method != Method::PATCH {
            return call.refuse_method("PATCH");
        }
        check_writable(object)?;
        let by_id = field.eq_ignore_ascii_case("Id");
        let index = if by_id { 0 } else { key_field(object, field)? };
        let (records, all_or_none) = records(call)?;
        let author = self.by_api(call.now);
        Ok(self.each(&records, all_or_none, |org, record| {
            let mut fields = object_of(record)?.clone();
            if by_id {
                let id = take_id(&mut fields, object)?;
                org.change(object, id, &fields, author)?;
                return Ok(Saved {
                    id,
                    created: Some(false),
                });
            }
            org.upsert_among(object, index, &mut fields, author)
        }))
    }

    /// `GET /composite/sobjects/<type>?ids=&fields=`, and the same with a POST for longer lists.
    pub(super) fn collection_read(&mut self, call: &Call<'_>, object: &'static Object) -> Outcome {
        let list = |json: Option<&Json>| -> Vec<String> {
            let items = json.and_then(Json::as_array).cloned().unwrap_or_default();
            items
                .iter()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect()
        };
        let (ids, names) = match *call.method {
            Method::GET => {
                let ids = call.parameter("ids").unwrap_or_default();
                let fields = call.parameter("fields").unwrap_or_default();
                (
                    ids.split(',').map(|id| id.trim().to_owned()).collect(),
                    fields.to_owned(),
                )
            }
            Method::POST => {
                let body = call.body()?;
                (list(body.get("ids")), list(body.get("fields")).join(","))
            }
            _ => return call.refuse_method("GET,POST"),
        };
        check_count(ids.len(), READ_COUNT_MAX)?;
        let fields = named_fields(object, &names)?;
        let mut out = String::from("[");
        for (index, id) in ids.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            let id = Id::parse(id).ok_or_else(malformed_id)?;
            match self.live_row(object, id) {
                Ok(row) => out.push_str(&self.record_json(&call.version, object, row, &fields)),
                Err(_) => out.push_str("null"),
            }
        }
        out.push(']');
        Ok(json_answer(StatusCode::OK, out))
    }

    fn upsert_among(
        &mut self,
        object: &'static Object,
        index: usize,
        fields: &mut Map<String, Json>,
        author: Author,
    ) -> Result<Saved, Error> {
        let name = object.fields[index].name;
        let key = fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        let key = match key.map(|(_, value)| value) {
            Some(Json::String(key)) if !key.trim().is_empty() => key.trim().to_owned(),
            Some(Json::Number(key)) => key.to_string(),
            _ => {
                let message = format!("{name} not specified");
                return Err(Error::write(
                    "MISSING_ARGUMENT",
                    message,
                    Vec::<String>::new(),
                ));
            }
        };
        match self.keyed_ids(object, index, &key).as_slice() {
            [] => {
                let id = self.insert(object, fields, author)?;
                Ok(Saved {
                    id,
                    created: Some(true),
                })
            }
            [id] => {
                fields.retain(|known, _| !known.eq_ignore_ascii_case(name));
                self.change(object, *id, fields, author)?;
                Ok(Saved {
                    id: *id,
                    created: Some(false),
                })
            }
            several => {
                let message = format!(
                    "{name}: more than one record found for external id field: {several:?}"
                );
                Err(Error::write(
                    "DUPLICATE_EXTERNAL_ID",
                    message,
                    Vec::<String>::new(),
                ))
            }
        }
    }

    /// Runs one step a record; with `all_or_none`, one refusal takes back all.
    fn each(
        &mut self,
        records: &[Json],
        all_or_none: bool,
        mut step: impl FnMut(&mut Self, &Json) -> Result<Saved, Error>,
    ) -> http::Response<bytes::Bytes> {
        let (mark, trace) = (self.store.mark(), self.trace.len());
        let mut outcomes: Vec<Result<Saved, Error>> = records
            .iter()
            .map(|record| self.attempt(|org| step(org, record)))
            .collect();
        if all_or_none && outcomes.iter().any(Result::is_err) {
            self.store.roll_back(mark);
            self.trace.truncate(trace);
            for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
                *outcome = Err(Error::write(
                    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                    "Record rolled back because not all records were valid and the request was using \
                     AllOrNone header",
                    Vec::<String>::new(),
                ));
            }
        }
        let body: Vec<Json> = outcomes.iter().map(save_result).collect();
        json_answer(StatusCode::OK, Json::from(body).to_string())
    }
}

fn save_result(outcome: &Result<Saved, Error>) -> Json {
    match outcome {
        Ok(Saved {
            id,
            created: Some(created),
        }) => {
            json!({"id": id.to_string(), "success": true, "errors": [], "created": created})
        }
        Ok(Saved { id, created: None }) => {
            json!({"id": id.to_string(), "success": true, "errors": []})
        }
        Err(error) => json!({"success": false, "errors": [error.save_result()]}),
    }
}

fn records(call: &Call<'_>) -> Result<(Vec<Json>, bool), Error> {
    let mut body = call.body()?;
    let Some(Json::Array(records)) = body.remove("records") else {
        return Err(Error::bad(
            "INVALID_INPUT",
            "the request body must hold a list of records",
        ));
    };
    check_count(records.len(), RECORD_COUNT_MAX)?;
    Ok((records, body.get("allOrNone") == Some(&Json::Bool(true))))
}

fn check_count(count: usize, max: usize) -> Result<(), Error> {
    if count <= max {
        return Ok(());
    }
    let message =
        format!("record limit reached. cannot submit more than {max} records in this call");
    Err(Error::bad("EXCEEDED_ID_LIMIT", message))
}

fn typed(fields: &Map<String, Json>) -> Result<&'static Object, Error> {
    let name = fields
        .get("attributes")
        .and_then(|a| a.get("type"))
        .and_then(Json::as_str);
    let Some(name) = name else {
        let message = "Cannot determine the type of the record: attributes.type is missing";
        return Err(Error::write("INVALID_TYPE", message, Vec::<String>::new()));
    };
    let object = object(name).ok_or_else(|| {
        let message = format!(
            "sObject type '{}' is not supported.",
            name.chars().take(80).collect::<String>()
        );
        Error::write("INVALID_TYPE", message, Vec::<String>::new())
    })?;
    check_writable(object)?;
    Ok(object)
}

fn take_id(fields: &mut Map<String, Json>, object: &Object) -> Result<Id, Error> {
    let key = fields
        .keys()
        .find(|name| name.eq_ignore_ascii_case("Id"))
        .cloned();
    let Some(value) = key.and_then(|key| fields.remove(&key)) else {
        let message = "Id not specified in an update call";
        return Err(Error::write(
            "MISSING_ARGUMENT",
            message,
            Vec::<String>::new(),
        ));
    };
    value
        .as_str()
        .and_then(Id::parse)
        .filter(|id| id.prefix() == object.prefix)
        .ok_or_else(malformed_id)
}

fn by_prefix(id: Id) -> Result<&'static Object, Error> {
    OBJECTS
        .iter()
        .find(|object| object.prefix == id.prefix())
        .ok_or_else(malformed_id)
}

fn malformed_id() -> Error {
    Error::write("MALFORMED_ID", "malformed id", Vec::<String>::new())
}
