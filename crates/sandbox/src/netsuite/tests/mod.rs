//! The account, asked over its wire protocol by a client of its own.

mod bills;
mod collections;
mod hostile;
mod login;
mod orders;
mod records;
mod suiteql;

use base64::{Engine as _, engine::general_purpose};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::Vendor;
use crate::seed::Catalogue;

use super::{NetSuite, Options};

const HOST: &str = "127.0.0.1:18082";

/// An account and a client that signs every request by itself, apart from the code under test.
struct Desk {
    account: NetSuite,
    now: Timestamp,
    nonce: u64,
}

struct Reply {
    status: u16,
    headers: http::HeaderMap,
    body: Value,
}

impl Reply {
    /// `o:errorCode` of the first detail.
    fn code(&self) -> &str {
        self.body["o:errorDetails"][0]["o:errorCode"]
            .as_str()
            .unwrap_or_default()
    }

    fn detail(&self) -> &str {
        self.body["o:errorDetails"][0]["detail"]
            .as_str()
            .unwrap_or_default()
    }

    fn path(&self) -> &str {
        self.body["o:errorDetails"][0]["o:errorPath"]
            .as_str()
            .unwrap_or_default()
    }

    /// The id a 204's `Location` ends with.
    fn id(&self) -> String {
        assert_eq!(self.status, 204, "{}", self.body);
        let location = self.headers["location"].to_str().unwrap();
        location.rsplit('/').next().unwrap().to_owned()
    }
}

impl From<Response<Bytes>> for Reply {
    fn from(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }
}

fn encode(text: &str) -> String {
    const SET: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(text, SET).to_string()
}

impl Desk {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let account = NetSuite::new(7, &Catalogue::new(7), options, now).unwrap();
        Self {
            account,
            now,
            nonce: 0,
        }
    }

    fn wait(&mut self, span: SignedDuration) {
        self.now = self.now.checked_add(span).unwrap();
    }

    /// An `Authorization` header for a request, as a client library would make it.
    fn sign(&mut self, method: &str, target: &str) -> String {
        self.nonce += 1;
        let nonce = format!("nonce{:08}", self.nonce);
        let timestamp = self.now.as_second().to_string();
        self.sign_as(method, target, &nonce, &timestamp)
    }

    fn sign_as(&self, method: &str, target: &str, nonce: &str, timestamp: &str) -> String {
        let c = self.account.credentials();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut params: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (encode(&name), encode(&value)))
            .collect();
        let own = [
            ("oauth_consumer_key", c.consumer_key.as_str()),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_timestamp", timestamp),
            ("oauth_token", c.token_id.as_str()),
            ("oauth_version", "1.0"),
        ];
        params.extend(own.iter().map(|(n, v)| (encode(n), encode(v))));
        params.sort();
        let params: Vec<String> = params.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let base = format!(
            "{method}&{}&{}",
            encode(&format!("http://{HOST}{path}")),
            encode(&params.join("&"))
        );
        let key = format!("{}&{}", c.consumer_secret, c.token_secret);
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(base.as_bytes());
        let signature = general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        let mut header = format!("OAuth realm=\"{}\"", c.account_id);
        for (name, value) in own {
            header.push_str(&format!(", {name}=\"{}\"", encode(value)));
        }
        header.push_str(&format!(", oauth_signature=\"{}\"", encode(&signature)));
        header
    }

    /// Sends a signed request to a path under `/services/rest`.
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let target = format!("/services/rest{path}");
        let authorization = self.sign(method, &target);
        self.send_as(&authorization, method, &target, headers, body)
    }

    fn send_as(
        &mut self,
        authorization: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", HOST)
            .header("authorization", authorization)
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::copy_from_slice(body)).unwrap();
        self.account.handle(&request, self.now).into()
    }

    fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    fn delete(&mut self, path: &str) -> Reply {
        self.send("DELETE", path, &[], b"")
    }

    fn post(&mut self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[], body.to_string().as_bytes())
    }

    fn put(&mut self, path: &str, body: &Value) -> Reply {
        self.send("PUT", path, &[], body.to_string().as_bytes())
    }

    fn patch(&mut self, path: &str, body: &Value) -> Reply {
        self.send("PATCH", path, &[], body.to_string().as_bytes())
    }

    fn query(&mut self, q: &str) -> Reply {
        self.query_page(q, "")
    }

    fn query_page(&mut self, q: &str, page: &str) -> Reply {
        let body = json!({"q": q}).to_string();
        let path = format!("/query/v1/suiteql{page}");
        self.send("POST", &path, &[("prefer", "transient")], body.as_bytes())
    }

    /// The rows of a query that must succeed, without their links.
    fn rows(&mut self, q: &str) -> Vec<Value> {
        let reply = self.query(q);
        assert_eq!(reply.status, 200, "{q}: {}", reply.body);
        let mut items = reply.body["items"].as_array().unwrap().clone();
        for item in &mut items {
            item.as_object_mut().unwrap().remove("links");
        }
        items
    }

    /// The internal id of a list record by its name.
    fn id_of(&self, kind: &str, field: &str, name: &str) -> String {
        self.account
            .records(kind)
            .unwrap()
            .iter()
            .find(|record| record[field] == name)
            .unwrap_or_else(|| panic!("no {kind} {name}"))["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn us(&self) -> String {
        self.id_of("subsidiary", "externalId", "US")
    }

    /// Internal ids of stocked items, of every kind.
    fn items(&self) -> Vec<String> {
        ["inventoryItem", "nonInventorySaleItem", "serviceSaleItem"]
            .iter()
            .flat_map(|kind| self.account.records(kind).unwrap())
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A customer of the US subsidiary, by external id.
    fn customer(&mut self, external_id: &str) -> String {
        let us = self.us();
        let body =
            json!({"companyName": format!("Company {external_id}"), "subsidiary": {"id": us}});
        self.put(&format!("/record/v1/customer/eid:{external_id}"), &body)
            .id()
    }
}
