//! Single records: `/sobjects/<type>`, `/sobjects/<type>/<id>`, `/sobjects/<type>/<external id field>/<value>`.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Map, Value as Json, json};

use super::{
    Salesforce,
    error::{Error, json_answer, no_content},
    id::Id,
    rest::{Call, Outcome, get},
    schema::{Object, audit},
    value::write_json_text,
};

impl Salesforce {
    /// `/sobjects/<type>`.
    pub(super) fn object_resource(&mut self, call: &Call<'_>, object: &'static Object) -> Outcome {
        match *call.method {
            Method::GET => get(call, |call| {
                json!({
                    "objectDescribe": super::describe::summary(object, &call.version),
                    "recentItems": [],
                })
            }),
            Method::POST => {
                let fields = call.body()?;
                let author = self.by_api(call.now);
                check_writable(object)?;
                let id = self.attempt(|org| org.insert(object, &fields, author))?;
                let body = json!({"id": id.to_string(), "success": true, "errors": []});
                Ok(created(&call.version, object, id, body))
            }
            _ => call.refuse_method("HEAD,GET,POST"),
        }
    }

    /// `/sobjects/<type>/<id>`.
    pub(super) fn record_resource(
        &mut self,
        call: &Call<'_>,
        object: &'static Object,
        key: &str,
    ) -> Outcome {
        let id = Id::parse(key)
            .filter(|id| id.prefix() == object.prefix)
            .ok_or_else(|| Error::no_such_key(key))?;
        match *call.method {
            Method::GET => self.show(call, object, id),
            Method::PATCH => {
                let fields = call.body()?;
                let author = self.by_api(call.now);
                check_writable(object)?;
                self.attempt(|org| org.change(object, id, &fields, author))?;
                Ok(no_content())
            }
            Method::DELETE => {
                let author = self.by_api(call.now);
                check_writable(object)?;
                self.attempt(|org| org.delete(object, id, author))?;
                Ok(no_content())
            }
            _ => call.refuse_method("GET,HEAD,PATCH,DELETE"),
        }
    }

    /// `/sobjects/<type>/<field>/<value>`: the field is an external id, or `Id`.
    pub(super) fn keyed_resource(
        &mut self,
        call: &Call<'_>,
        object: &'static Object,
        field: &str,
        key: &str,
    ) -> Outcome {
        if field.eq_ignore_ascii_case("Id") {
            return self.record_resource(call, object, key);
        }
        let index = key_field(object, field)?;
        let found = self.keyed_ids(object, index, key);
        if found.len() > 1 {
            return Ok(choices(&call.version, object, &found));
        }
        match *call.method {
            Method::GET => match found.first() {
                Some(&id) => self.show(call, object, id),
                None => Err(Error::not_found()),
            },
            Method::DELETE => match found.first() {
                Some(id) => self.record_resource(call, object, &id.to_string()),
                None => Err(Error::not_found()),
            },
            Method::PATCH => self.upsert_one(call, object, index, key, found.first().copied()),
            _ => call.refuse_method("GET,HEAD,PATCH,DELETE"),
        }
    }

    /// The live records with this external id.
    pub(super) fn keyed_ids(&self, object: &Object, field: usize, key: &str) -> Vec<Id> {
        let table = self.store.table(object);
        table
            .keyed(field, key)
            .filter(|&row| !table.is_deleted(row))
            .filter_map(|row| table.id(row))
            .collect()
    }

    fn upsert_one(
        &mut self,
        call: &Call<'_>,
        object: &'static Object,
        field: usize,
        key: &str,
        found: Option<Id>,
    ) -> Outcome {
        let mut fields = call.body()?;
        check_writable(object)?;
        let name = object.fields[field].name;
        let is_named =
            |known: &String| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case("Id");
        if let Some(named) = fields.keys().find(|known| is_named(known)) {
            let message = format!("The {named} field should not be specified in the sobject data.");
            return Err(Error::bad("INVALID_FIELD", message));
        }
        let author = self.by_api(call.now);
        let Some(id) = found else {
            if call.parameter("updateOnly") == Some("true") {
                return Err(Error::not_found());
            }
            fields.insert(name.to_owned(), Json::from(key));
            let id = self.attempt(|org| org.insert(object, &fields, author))?;
            let body =
                json!({"id": id.to_string(), "success": true, "errors": [], "created": true});
            return Ok(created(&call.version, object, id, body));
        };
        self.attempt(|org| org.change(object, id, &fields, author))?;
        if call.version_number < 46 {
            return Ok(no_content());
        }
        let body = json!({"id": id.to_string(), "success": true, "errors": [], "created": false});
        Ok(json_answer(StatusCode::OK, body.to_string()))
    }

    fn show(&self, call: &Call<'_>, object: &'static Object, id: Id) -> Outcome {
        let row = self.live_row(object, id)?;
        let fields = match call.parameter("fields") {
            Some(names) => named_fields(object, names)?,
            None => (0..object.fields.len()).collect(),
        };
        Ok(json_answer(
            StatusCode::OK,
            self.record_json(&call.version, object, row, &fields),
        ))
    }

    /// A record with these fields.
    pub(super) fn record_json(
        &self,
        version: &str,
        object: &Object,
        row: usize,
        fields: &[usize],
    ) -> String {
        let table = self.store.table(object);
        let id = table.get(row, audit::ID).plain();
        let mut out = String::with_capacity(1024);
        out.push_str("{\"attributes\":{\"type\":\"");
        out.push_str(object.name);
        out.push_str("\",\"url\":");
        write_json_text(
            &format!("/services/data/{version}/sobjects/{}/{id}", object.name),
            &mut out,
        );
        out.push('}');
        for &field in fields {
            out.push(',');
            write_json_text(object.fields[field].name, &mut out);
            out.push(':');
            table.get(row, field).write_json(&mut out);
        }
        out.push('}');
        out
    }
}

/// The fields of a comma-separated list, the id among them whether named or not.
pub(super) fn named_fields(object: &Object, names: &str) -> Result<Vec<usize>, Error> {
    let mut fields = Vec::new();
    for name in names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        let index = object.field(name).ok_or_else(|| {
            Error::no_such_column(&name.chars().take(80).collect::<String>(), object.name)
        })?;
        if !fields.contains(&index) {
            fields.push(index);
        }
    }
    if !fields.contains(&audit::ID) {
        fields.push(audit::ID);
    }
    Ok(fields)
}

/// The place of an external id field.
pub(super) fn key_field(object: &Object, name: &str) -> Result<usize, Error> {
    object
        .field(name)
        .filter(|&index| object.fields[index].external_id)
        .ok_or_else(|| Error::no_such_key(&name.chars().take(80).collect::<String>()))
}

/// Refuses types the API may only read.
pub(super) fn check_writable(object: &Object) -> Result<(), Error> {
    if object.writable {
        return Ok(());
    }
    let message = format!(
        "entity type {} does not support this operation",
        object.name
    );
    Err(Error::bad("INVALID_TYPE_FOR_OPERATION", message))
}

/// The object of a JSON value, or the complaint that it is none.
pub(super) fn object_of(json: &Json) -> Result<&Map<String, Json>, Error> {
    json.as_object().ok_or_else(|| {
        Error::bad(
            "JSON_PARSER_ERROR",
            "a record must be a JSON object at [line:1, column:1]",
        )
    })
}

fn created(version: &str, object: &Object, id: Id, body: Json) -> Response<Bytes> {
    let mut response = json_answer(StatusCode::CREATED, body.to_string());
    let location = format!("/services/data/{version}/sobjects/{}/{id}", object.name);
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// 300: several records have that external id.
fn choices(version: &str, object: &Object, found: &[Id]) -> Response<Bytes> {
    let urls: Vec<String> = found
        .iter()
        .map(|id| format!("/services/data/{version}/sobjects/{}/{id}", object.name))
        .collect();
    json_answer(StatusCode::MULTIPLE_CHOICES, Json::from(urls).to_string())
}
