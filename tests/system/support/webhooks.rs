//! Webhooks as Salesforce would send them, written here anew: the flow must not be tested with its own code.

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::Request;
use jiff::Timestamp;
use sha2::Sha256;

/// `X-Sluice-Signature` of a body signed at this time.
pub fn signature(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// A JSON webhook, signed at this time.
pub fn signed(url: &str, secret: &str, at: Timestamp, body: impl Into<Bytes>) -> Request<Bytes> {
    let body = body.into();
    let timestamp = at.as_second().to_string();
    Request::post(url)
        .header("content-type", "application/json")
        .header("x-sluice-signature", signature(secret, &timestamp, &body))
        .header("x-sluice-timestamp", timestamp)
        .body(body)
        .unwrap()
}

/// The body of a JSON webhook that names these opportunities.
pub fn json_body(ids: &[&str]) -> String {
    serde_json::json!({ "object": "Opportunity", "ids": ids }).to_string()
}

/// An outbound message with these notifications inside.
pub fn envelope(organization: &str, notifications: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>{organization}</OrganizationId>
   <ActionId>04k5g0000000001AAA</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>https://example.my.salesforce.com/services/Soap/c/66.0/00D</EnterpriseUrl>
   <PartnerUrl>https://example.my.salesforce.com/services/Soap/u/66.0/00D</PartnerUrl>
{notifications}
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"#
    )
}

/// One notification of an opportunity.
pub fn notification(id: &str) -> String {
    format!(
        r#"   <Notification>
    <Id>04l5g0000000001AAA</Id>
    <sObject xsi:type="sf:Opportunity" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>{id}</sf:Id>
    </sObject>
   </Notification>"#
    )
}

/// An outbound message's request.
pub fn message(url: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post(url)
        .header("content-type", "text/xml; charset=utf-8")
        .header("soapaction", "\"\"")
        .body(body.into())
        .unwrap()
}
