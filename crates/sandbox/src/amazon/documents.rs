//! Where reports are fetched: addresses that need no login, sign themselves, and end soon.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::json;
use sha2::Sha256;

use super::{
    Amazon,
    error::{Error, answer},
    marketplace::Region,
    params::Params,
};

const PATH: &str = "/documents/";
/// Headers of the vendor's storage that a signature would have to cover.
const SIGNED_PREFIX: &str = "x-amz-";

impl Amazon {
    /// `GET /reports/2021-06-30/documents/{reportDocumentId}`.
    pub(super) fn get_report_document(
        &self,
        request: &Request<Bytes>,
        id: &str,
        region: Region,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Error> {
        let document = self.document(id, Some(region));
        let document =
            document.ok_or_else(|| Error::not_found(format!("There is no document {id}.")))?;
        let encodes = Params::of(request).text("enableContentEncodingUrlHeader") == Some("true");
        let life = self.settings.reports.document_url_life.as_secs();
        let mut query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={}&X-Amz-SignedHeaders=host\
             &X-Amz-Expires={life}",
            now.strftime("%Y%m%dT%H%M%SZ")
        );
        if encodes {
            query.push_str("&response-content-encoding=gzip");
        }
        let path = format!("{PATH}{}", document.id);
        let signature = self.seal(&path, &query);
        let url = format!(
            "{}{path}?{query}&X-Amz-Signature={signature}",
            self.settings.base_url
        );
        let body = json!({
            "reportDocumentId": document.id, "url": url, "compressionAlgorithm": "GZIP",
        });
        Ok(answer(StatusCode::OK, &body))
    }

    /// A document behind its address; nothing if the path is another's.
    pub(super) fn fetch(
        &self,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Option<Response<Bytes>> {
        let path = request.uri().path();
        let id = path.strip_prefix(PATH)?;
        if request.method() != Method::GET {
            return Some(refused(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "",
            ));
        }
        let refusal = self.refusal_of(request, now);
        if refusal.is_some() {
            return refusal;
        }
        let Some(document) = self.document(id, None) else {
            return Some(refused(StatusCode::NOT_FOUND, "NoSuchKey", ""));
        };
        let mut response = Response::new(document.bytes.clone());
        let kind = format!("text/plain; charset={}", document.charset.label());
        if let Ok(kind) = HeaderValue::from_str(&kind) {
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        let encoding = Params::of(request)
            .text("response-content-encoding")
            .map(str::to_owned);
        if let Some(Ok(encoding)) = encoding.map(|encoding| HeaderValue::from_str(&encoding)) {
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, encoding);
        }
        Some(response)
    }

    /// Why an address does not open: it must be the one way to authenticate, of this account, and in time.
    fn refusal_of(&self, request: &Request<Bytes>, now: Timestamp) -> Option<Response<Bytes>> {
        if request.headers().contains_key(header::AUTHORIZATION) {
            let message = "Only one auth mechanism allowed.";
            return Some(refused(StatusCode::BAD_REQUEST, "InvalidArgument", message));
        }
        if let Some(name) = unsigned(request.headers()) {
            let message = format!("The header {name} is not signed.");
            return Some(refused(StatusCode::FORBIDDEN, "AccessDenied", &message));
        }
        let query = request.uri().query().unwrap_or_default();
        let signed = query.split_once("&X-Amz-Signature=");
        let is_ours = signed
            .is_some_and(|(query, signature)| self.seal(request.uri().path(), query) == signature);
        if !is_ours {
            return Some(refused(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", ""));
        }
        let params = Params::of(request);
        let made = params.text("X-Amz-Date").and_then(moment);
        let life = params
            .text("X-Amz-Expires")
            .and_then(|life| life.parse::<u64>().ok());
        let is_live = made
            .zip(life)
            .is_some_and(|(made, life)| now.duration_since(made).unsigned_abs().as_secs() < life);
        if !is_live {
            let message = "Request has expired";
            return Some(refused(StatusCode::FORBIDDEN, "AccessDenied", message));
        }
        None
    }

    /// Ours, as the vendor's own is nobody's to know.
    fn seal(&self, path: &str, query: &str) -> String {
        let secret = self.settings.credentials.client_secret.as_bytes();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
            return String::new();
        };
        mac.update(path.as_bytes());
        mac.update(query.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

fn unsigned(headers: &HeaderMap) -> Option<&str> {
    let mut names = headers.keys().map(header::HeaderName::as_str);
    names.find(|name| name.starts_with(SIGNED_PREFIX))
}

fn moment(text: &str) -> Option<Timestamp> {
    let at = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}\
         </Message></Error>"
    );
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let xml = HeaderValue::from_static("application/xml");
    response.headers_mut().insert(header::CONTENT_TYPE, xml);
    response
}
