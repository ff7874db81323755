//! A published model (Swagger 2.0), as far as requests need it.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Map, Value};
use sluice_core::{Decimal, Moment};

use crate::script::shared;

pub struct Model(Value);

impl Model {
    pub fn named(name: &str) -> Option<Self> {
        let text = shared(&format!("contracts/amazon-sp-api/models/{name}.json"))?;
        Some(Self(serde_json::from_str(&text).unwrap()))
    }

    /// The operation that this is a request of, if it is one as the model wants it.
    pub fn check(&self, request: &Request<Bytes>) -> Result<String, String> {
        let path = request.uri().path();
        let method = request.method().as_str().to_lowercase();
        let (_, item) = self
            .paths()
            .find(|(template, item)| is_of(path, template) && item.get(&method).is_some())
            .ok_or("there is no such path")?;
        let operation = &item[&method];
        let parameters = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let query = request.uri().query().unwrap_or_default();
        let mut given: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap();
            let is_required = parameter["required"] == true;
            match parameter["in"].as_str().unwrap() {
                "query" => {
                    let at = given.iter().position(|(known, _)| known == name);
                    match at.map(|at| given.remove(at).1) {
                        Some(value) => self.of_type(parameter, &value)?,
                        None if is_required => return Err(format!("{name} is missing")),
                        None => {}
                    }
                }
                "body" => {
                    let body: Value = serde_json::from_slice(request.body())
                        .map_err(|error| error.to_string())?;
                    self.is(&parameter["schema"], &body, "body")?;
                }
                "path" => {}
                other => return Err(format!("{name} is in {other}")),
            }
        }
        let has_body = parameters.iter().any(|parameter| parameter["in"] == "body");
        let is_bare = request.body().is_empty() && request.method() == Method::GET;
        if !has_body && !is_bare {
            return Err("no body is expected".into());
        }
        match given.first() {
            Some((name, _)) => Err(format!("there is no parameter {name}")),
            None => Ok(operation["operationId"].as_str().unwrap().to_owned()),
        }
    }

    /// Whether a value is as a definition says.
    pub fn matches(&self, definition: &str, value: &Value) -> Result<(), String> {
        self.is(&self.0["definitions"][definition], value, definition)
    }

    /// Rate and burst, from the table in an operation's description.
    pub fn limit(&self, operation: &str) -> Option<(Decimal, u32)> {
        let text = self.operation(operation)?["description"].as_str()?;
        let row = text
            .lines()
            .skip_while(|line| !line.starts_with("| ----"))
            .nth(1)?;
        let mut cells = row
            .split('|')
            .map(str::trim)
            .filter(|cell| !cell.is_empty());
        Some((cells.next()?.parse().ok()?, cells.next()?.parse().ok()?))
    }

    /// What a parameter that is a list may hold.
    pub fn values(&self, operation: &str, parameter: &str) -> BTreeSet<String> {
        let operation = self.operation(operation).unwrap();
        let mut all = operation["parameters"].as_array().unwrap().iter();
        let found = all.find(|one| one["name"] == parameter).unwrap();
        let values = found["items"]["enum"].as_array().unwrap().iter();
        values
            .map(|value| value.as_str().unwrap().to_owned())
            .collect()
    }

    pub fn fields(&self, definition: &str) -> BTreeSet<String> {
        let fields = self.0["definitions"][definition]["properties"].as_object();
        fields.unwrap().keys().cloned().collect()
    }

    fn paths(&self) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        paths.filter_map(|(path, item)| Some((path, item.as_object()?)))
    }

    fn operation(&self, id: &str) -> Option<&Value> {
        let mut all = self.paths().flat_map(|(_, item)| item.values());
        all.find(|operation| operation["operationId"] == id)
    }

    /// A parameter's text, by its type; lists have commas between their items.
    fn of_type(&self, schema: &Value, text: &str) -> Result<(), String> {
        match schema["type"].as_str() {
            Some("array") => {
                assert!(matches!(
                    schema["collectionFormat"].as_str(),
                    None | Some("csv")
                ));
                let items: Vec<Value> = text.split(',').map(Value::from).collect();
                self.is(schema, &items.into(), text)
            }
            Some("integer") => match text.parse::<i64>() {
                Ok(number) => self.is(schema, &number.into(), text),
                Err(_) => Err(format!("{text} is no number")),
            },
            _ => self.is(schema, &text.into(), text),
        }
    }

    fn is(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let definition = self.0.pointer(reference.trim_start_matches('#')).unwrap();
            return self.is(definition, value, at);
        }
        if let Some(values) = schema["enum"].as_array()
            && !values.contains(value)
        {
            return Err(format!("{at}: {value} is none of {values:?}"));
        }
        let is_type = match schema["type"].as_str() {
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            _ => true,
        };
        if !is_type {
            return Err(format!("{at}: {value} is no {}", schema["type"]));
        }
        if schema["format"] == "date-time" && value.as_str().and_then(Moment::instant).is_none() {
            return Err(format!("{at}: {value} is no time"));
        }
        let (least, most) = (&schema["minItems"], &schema["maxItems"]);
        if let Value::Array(items) = value {
            let count = items.len() as u64;
            if least.as_u64().is_some_and(|it| count < it)
                || most.as_u64().is_some_and(|it| count > it)
            {
                return Err(format!("{at}: {count} items"));
            }
            for item in items {
                self.is(&schema["items"], item, at)?;
            }
        }
        let Value::Object(fields) = value else {
            return Ok(());
        };
        for name in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                return Err(format!("{at} lacks {name}"));
            }
        }
        for (name, field) in fields {
            match schema["properties"].get(name) {
                Some(schema) => self.is(schema, field, &format!("{at}.{name}"))?,
                None => return Err(format!("{at} has no {name}")),
            }
        }
        Ok(())
    }
}

fn is_of(path: &str, template: &str) -> bool {
    let (path, template) = (path.split('/'), template.split('/'));
    path.clone().count() == template.clone().count()
        && path
            .zip(template)
            .all(|(part, wanted)| part == wanted || wanted.starts_with('{'))
}
