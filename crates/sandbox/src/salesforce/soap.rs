//! The partner SOAP API, cut down to logging in and out, for clients that still do it that way.
//! <https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm>

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use quick_xml::{
    Reader,
    escape::{escape, resolve_predefined_entity},
    events::Event,
};

use super::{Salesforce, error::with_type};

/// The last version whose SOAP API logs in.
const LOGIN_VERSION_MAX: u32 = 64;
/// Elements read of one request.
const EVENT_COUNT_MAX: usize = 1000;

impl Salesforce {
    /// `POST /services/Soap/u/<version>`.
    pub(super) fn soap(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let version = request
            .uri()
            .path()
            .strip_prefix("/services/Soap/u/")
            .and_then(|rest| rest.split(['.', '/']).next())
            .and_then(|major| major.parse::<u32>().ok());
        let Some(version) = version else {
            return fault(
                "UNSUPPORTED_API_VERSION",
                "Invalid Api version specified on URL",
            );
        };
        let Some(call) = read(request.body()) else {
            return fault("UNKNOWN_EXCEPTION", "The request is not well-formed XML");
        };
        match call.operation.as_str() {
            "login" if version > LOGIN_VERSION_MAX => fault(
                "UNSUPPORTED_API_VERSION",
                "login is not available in this API version",
            ),
            "login" => self.soap_login(&call, version, now),
            "logout" => {
                self.sessions.end(&call.session);
                envelope("<logoutResponse/>")
            }
            _ => fault(
                "INVALID_OPERATION",
                "The sandbox's SOAP API only logs in and out",
            ),
        }
    }

    fn soap_login(&mut self, call: &Call, version: u32, now: Timestamp) -> Response<Bytes> {
        if self.check_password(&call.username, &call.password).is_err() {
            let message = "Invalid username, password, security token; or user locked out.";
            return fault("INVALID_LOGIN", message);
        }
        let session = self.open_session(now);
        let base = escape(self.settings.base_url.as_str());
        let url = format!(
            "{base}/services/Soap/u/{version}.0/{}",
            self.organization.short()
        );
        envelope(&format!(
            "<loginResponse><result><metadataServerUrl>{url}</metadataServerUrl>\
             <passwordExpired>false</passwordExpired><sandbox>true</sandbox>\
             <serverUrl>{url}</serverUrl><sessionId>{session}</sessionId><userId>{user}</userId>\
             <userInfo><organizationId>{organization}</organizationId><userName>{name}</userName>\
             </userInfo></result></loginResponse>",
            user = self.integration_user,
            organization = self.organization,
            name = escape(self.settings.credentials.username.as_str()),
        ))
    }
}

#[derive(Default)]
struct Call {
    operation: String,
    username: String,
    password: String,
    session: String,
}

/// The first element of the body, and the texts a login is made of.
fn read(body: &[u8]) -> Option<Call> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut call = Call::default();
    let mut element = String::new();
    let mut in_body = false;
    for _ in 0..EVENT_COUNT_MAX {
        match reader.read_event().ok()? {
            Event::Eof => return (!call.operation.is_empty()).then_some(call),
            Event::DocType(_) => return None,
            Event::Start(start) | Event::Empty(start) => {
                element = start.local_name().as_ref().to_owned();
                if in_body && call.operation.is_empty() {
                    call.operation.clone_from(&element);
                }
                in_body |= element == "Body";
            }
            Event::End(_) => element.clear(),
            Event::Text(text) => append(&mut call, &element, &text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(c) => append(&mut call, &element, c.encode_utf8(&mut [0; 4])),
                None => append(
                    &mut call,
                    &element,
                    resolve_predefined_entity(&reference.xml10_content())?,
                ),
            },
            _ => {}
        }
    }
    None
}

fn append(call: &mut Call, element: &str, text: &str) {
    let place = match element {
        "username" => &mut call.username,
        "password" => &mut call.password,
        "sessionId" => &mut call.session,
        _ => return,
    };
    place.push_str(text);
}

fn envelope(body: &str) -> Response<Bytes> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns=\"urn:partner.soap.sforce.com\"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    );
    with_type(StatusCode::OK, "text/xml;charset=UTF-8", text)
}

fn fault(code: &str, message: &str) -> Response<Bytes> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:sf=\"urn:fault.partner.soap.sforce.com\"><soapenv:Body><soapenv:Fault>\
         <faultcode>sf:{code}</faultcode><faultstring>{code}: {message}</faultstring>\
         </soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    );
    with_type(
        StatusCode::INTERNAL_SERVER_ERROR,
        "text/xml;charset=UTF-8",
        text,
    )
}
