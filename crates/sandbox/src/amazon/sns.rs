//! Messages as SNS posts them: envelope, signature, and the confirmation of a subscription.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::authority::{Authority, SignatureVersion};

const AGENT: &str = "Amazon Simple Notification Service Agent";

/// A topic with one subscriber.
#[derive(Clone, Debug)]
pub(super) struct Topic {
    pub(super) url: Uri,
    pub(super) arn: String,
    pub(super) subscription_arn: String,
    pub(super) signature_version: SignatureVersion,
    /// Where receivers find SNS: its certificate, and the page that confirms.
    pub(super) sns_url: String,
    /// What confirms the subscription.
    pub(super) token: String,
    pub(super) is_confirmed: bool,
}

/// What a message is about.
pub(super) enum Message<'a> {
    /// The subscriber is to confirm.
    Confirmation,
    /// This text was published.
    Notification(&'a str),
}

impl Topic {
    /// The whole request; nothing if it can't be signed.
    pub(super) fn request(
        &self,
        authority: &Authority,
        message: &Message,
        id: &str,
        now: Timestamp,
    ) -> Option<Request<Bytes>> {
        let kind = match message {
            Message::Confirmation => "SubscriptionConfirmation",
            Message::Notification(_) => "Notification",
        };
        let body = self.envelope(authority, message, kind, id, now)?;
        let mut request = Request::post(self.url.clone())
            .header("x-amz-sns-message-type", kind)
            .header("x-amz-sns-message-id", id)
            .header("x-amz-sns-topic-arn", &self.arn)
            .header(header::CONTENT_TYPE, "text/plain; charset=UTF-8")
            .header(header::USER_AGENT, AGENT);
        if matches!(message, Message::Notification(_)) {
            request = request.header("x-amz-sns-subscription-arn", &self.subscription_arn);
        }
        request.body(Bytes::from(body.to_string())).ok()
    }

    fn envelope(
        &self,
        authority: &Authority,
        message: &Message,
        kind: &str,
        id: &str,
        now: Timestamp,
    ) -> Option<Json> {
        let version = match self.signature_version {
            SignatureVersion::One => "1",
            SignatureVersion::Two => "2",
        };
        let certificate = format!("{}/{}", self.sns_url, authority.certificate_file());
        let mut body = json!({
            "Type": kind,
            "MessageId": id,
            "TopicArn": self.arn,
            "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "SignatureVersion": version,
            "SigningCertURL": certificate,
        });
        let signed: &[&str] = match message {
            Message::Confirmation => {
                body["Message"] = "Open the SubscribeURL to confirm the subscription.".into();
                body["Token"] = self.token.clone().into();
                body["SubscribeURL"] = format!(
                    "{}/?Action=ConfirmSubscription&TopicArn={}&Token={}",
                    self.sns_url, self.arn, self.token
                )
                .into();
                &[
                    "Message",
                    "MessageId",
                    "SubscribeURL",
                    "Timestamp",
                    "Token",
                    "TopicArn",
                    "Type",
                ]
            }
            Message::Notification(text) => {
                body["Message"] = (*text).into();
                body["UnsubscribeURL"] = format!(
                    "{}/?Action=Unsubscribe&SubscriptionArn={}",
                    self.sns_url, self.subscription_arn
                )
                .into();
                &["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
            }
        };
        let text = canonical(&body, signed);
        let signature = authority.sign(self.signature_version, &text)?;
        body["Signature"] = STANDARD.encode(signature).into();
        Some(body)
    }

    /// What SNS shows to whoever opens the address in a confirmation.
    pub(super) fn confirm(&mut self, token: &str, arn: &str, request_id: &str) -> Response<Bytes> {
        if token != self.token || arn != self.arn {
            let body = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code>\
                        <Message>Invalid token</Message></Error></ErrorResponse>";
            return xml(StatusCode::BAD_REQUEST, body.to_owned());
        }
        self.is_confirmed = true;
        xml(
            StatusCode::OK,
            format!(
                "<ConfirmSubscriptionResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
                 <ConfirmSubscriptionResult><SubscriptionArn>{}</SubscriptionArn>\
                 </ConfirmSubscriptionResult><ResponseMetadata><RequestId>{request_id}</RequestId>\
                 </ResponseMetadata></ConfirmSubscriptionResponse>",
                self.subscription_arn
            ),
        )
    }
}

/// Names and values of the signed members, a line each, in the order of their names.
pub(super) fn canonical(body: &Json, members: &[&str]) -> String {
    let lines = members.iter().filter_map(|name| {
        let value = body[*name].as_str()?;
        Some(format!("{name}\n{value}\n"))
    });
    lines.collect()
}

fn xml(status: StatusCode, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("text/xml");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Whether an answer keeps the message, and whether it is to be sent again.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html>
pub(super) fn is_worth_another_try(answer: Option<&Response<Bytes>>) -> bool {
    answer.is_none_or(|answer| {
        answer.status().is_server_error() || answer.status() == StatusCode::TOO_MANY_REQUESTS
    })
}
