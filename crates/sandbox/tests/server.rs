//! The world behind real sockets.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use sandbox::{
    Server, company,
    environment::{self, Login, Secrets},
    salesforce::{OutboundMessage, Salesforce, Settings},
    server::{Options, Running},
};
use serde_json::{Value as Json, json};

type Http = Client<HttpConnector, Full<Bytes>>;

async fn start(options: Options) -> Running {
    let world = company::world(
        1,
        Settings::new(1),
        Default::default(),
        jiff::Timestamp::now(),
    )
    .unwrap();
    Server::start(world, options).await.unwrap()
}

fn client() -> Http {
    Client::builder(TokioExecutor::new()).build(HttpConnector::new())
}

async fn send(
    http: &Http,
    method: Method,
    url: &str,
    token: &str,
    body: Option<Json>,
) -> (StatusCode, Json) {
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", format!("Bearer {token}"))
        .body(Full::new(body.map_or_else(Bytes::new, |body| {
            Bytes::from(body.to_string())
        })))
        .unwrap();
    let response = http.request(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Json::Null))
}

async fn log_in(http: &Http, running: &Running) -> String {
    let credentials = running.handle().with(|world, _| {
        world
            .vendor::<Salesforce>()
            .unwrap()
            .settings()
            .credentials
            .clone()
    });
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        credentials.client_id, credentials.client_secret
    );
    let url = format!(
        "{}/services/oauth2/token",
        running.vendor_urls["salesforce"]
    );
    let request = Request::post(url)
        .body(Full::new(Bytes::from(form)))
        .unwrap();
    let body = http
        .request(request)
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    let body: Json = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        body["instance_url"],
        running.vendor_urls["salesforce"].as_str()
    );
    body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn serves_and_is_administered() {
    let running = start(Options::default()).await;
    let http = client();
    let token = log_in(&http, &running).await;
    let data = format!("{}/services/data/v66.0", running.vendor_urls["salesforce"]);
    let admin = running.admin_url.clone();

    let account = json!({"Name": "Over the wire"});
    let (status, made) = send(
        &http,
        Method::POST,
        &format!("{data}/sobjects/Account"),
        &token,
        Some(account),
    )
    .await;
    assert_eq!(status, StatusCode::CREATED);
    let id = made["id"].as_str().unwrap();
    let (_, shown) = send(
        &http,
        Method::GET,
        &format!("{admin}/salesforce/Account/{id}"),
        "",
        None,
    )
    .await;
    assert_eq!(shown["Name"], "Over the wire");
    let path = format!("{admin}/salesforce/Account/{id}");
    let (status, _) = send(&http, Method::PATCH, &path, "", Some(json!({"Phone": "7"}))).await;
    assert_eq!(status, StatusCode::OK);
    let (_, shown) = send(
        &http,
        Method::GET,
        &format!("{data}/sobjects/Account/{id}"),
        &token,
        None,
    )
    .await;
    assert_eq!(shown["Phone"], "7");
    assert_eq!(
        send(&http, Method::DELETE, &path, "", None).await.0,
        StatusCode::NO_CONTENT
    );

    let (_, sales) = send(
        &http,
        Method::GET,
        &format!("{admin}/salesforce/Opportunity"),
        "",
        None,
    )
    .await;
    assert!(sales.as_array().unwrap().len() >= 150);
    assert!(sales[0]["OpportunityLineItems"]["records"][0]["Quantity"].is_number());
    let (_, items) = send(
        &http,
        Method::GET,
        &format!("{admin}/netsuite/inventoryItem"),
        "",
        None,
    )
    .await;
    assert!(!items.as_array().unwrap().is_empty());
    let (_, requests) = send(
        &http,
        Method::GET,
        &format!("{admin}/salesforce/requests"),
        "",
        None,
    )
    .await;
    assert_eq!(requests[0]["path"], "/services/oauth2/token");
    assert!(!requests.to_string().contains(&token));
    let (_, index) = send(&http, Method::GET, &admin, "", None).await;
    assert!(index["vendors"]["netsuite"]["url"].is_string());

    for (method, path, body, expected) in [
        (Method::GET, "/nobody/Account", None, 404),
        (Method::GET, "/salesforce/Nothing", None, 404),
        (Method::GET, "/salesforce/Account/none", None, 404),
        (
            Method::POST,
            "/salesforce/Account",
            Some(json!({"Phone": "1"})),
            422,
        ),
        (Method::POST, "/faults", Some(json!({"what": "rain"})), 400),
        (Method::PUT, "/faults", Some(json!({})), 405),
        (Method::POST, "/clock", Some(json!({"back_s": 1})), 400),
        (Method::DELETE, "/faults/99", None, 404),
        (Method::PUT, "/salesforce/weather", Some(json!({})), 404),
        (Method::DELETE, "/", None, 404),
    ] {
        let (status, _) = send(&http, method.clone(), &format!("{admin}{path}"), "", body).await;
        assert_eq!(status.as_u16(), expected, "{method} {path}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn faults_are_felt_on_the_wire() {
    let running = start(Options::default()).await;
    let http = client();
    let token = log_in(&http, &running).await;
    let data = format!("{}/services/data/v66.0", running.vendor_urls["salesforce"]);
    let faults = format!("{}/faults", running.admin_url);
    let drop = json!([
        {"vendor": "salesforce", "method": "POST", "path": "*/sobjects/*", "times": 1, "what": "commit_then_drop"},
        {"vendor": "salesforce", "path": "*/limits", "times": 1, "what": {"delay": {"ms": 200}}},
    ]);
    assert_eq!(
        send(&http, Method::POST, &faults, "", Some(drop)).await.0,
        StatusCode::CREATED
    );

    let request = Request::post(format!("{data}/sobjects/Account"))
        .header("authorization", format!("Bearer {token}"))
        .body(Full::new(Bytes::from_static(b"{\"Name\":\"Unheard\"}")))
        .unwrap();
    assert!(
        http.request(request).await.is_err(),
        "the connection closes without an answer"
    );
    let query = format!("{data}/query?q=SELECT+Id+FROM+Account+WHERE+Name='Unheard'");
    let (_, found) = send(&http, Method::GET, &query, &token, None).await;
    assert_eq!(found["totalSize"], json!(1), "but it was handled");

    let before = Instant::now();
    send(&http, Method::GET, &format!("{data}/limits"), &token, None).await;
    assert!(before.elapsed() >= Duration::from_millis(200));
    let (_, list) = send(&http, Method::GET, &faults, "", None).await;
    assert_eq!(
        (&list[0]["struck"], &list[1]["struck"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        send(&http, Method::DELETE, &faults, "", None).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        send(&http, Method::GET, &faults, "", None).await.1,
        json!([])
    );
}

/// A receiver that keeps bodies and answers with whatever is set.
async fn receiver(answer: Arc<Mutex<&'static str>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&bodies);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
                async move {
                    let body = request.into_body().collect().await?.to_bytes();
                    kept.lock()
                        .unwrap()
                        .push(String::from_utf8(body.to_vec()).unwrap());
                    let text = *answer.lock().unwrap();
                    Ok::<_, hyper::Error>(http::Response::new(Full::new(Bytes::from(text))))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, bodies)
}

async fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn webhooks_go_out_and_come_back_when_unacknowledged() {
    let answer = Arc::new(Mutex::new("<Ack>false</Ack>"));
    let (url, bodies) = receiver(Arc::clone(&answer)).await;
    let running = start(Options::default()).await;
    let handle = running.handle().clone();
    let id = handle.with(|world, now| {
        let org = world.vendor_mut::<Salesforce>().unwrap();
        org.set_outbound_messages(vec![OutboundMessage::closed_won(url)])
            .unwrap();
        let sale = org
            .select("SELECT Id FROM Opportunity LIMIT 1", now)
            .unwrap()
            .remove(0);
        let id = sandbox::salesforce::Id::parse(sale["Id"].as_str().unwrap()).unwrap();
        org.user_change("Opportunity", id, json!({"StageName": "Closed Won"}), now)
            .unwrap();
        id
    });
    wait_for("the first attempt", || bodies.lock().unwrap().len() == 1).await;
    assert!(bodies.lock().unwrap()[0].contains(&id.to_string()));
    wait_for("the retry to be planned", || {
        handle.with(|world, _| world.next_due().is_some())
    })
    .await;
    *answer.lock().unwrap() = "<Ack>true</Ack>";
    handle.travel(Duration::from_secs(16));
    wait_for("the second attempt", || bodies.lock().unwrap().len() == 2).await;
    wait_for("the acknowledgement", || {
        handle.with(|world, _| world.vendor::<Salesforce>().unwrap().unacknowledged_count() == 0)
    })
    .await;
}

#[tokio::test]
async fn tls_with_an_authority_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        tls_dir: Some(dir.path().to_owned()),
        ..Options::default()
    };
    let running = start(options).await;
    let url = running.vendor_urls["salesforce"].clone();
    let ca = std::fs::read(running.ca_path.clone().unwrap()).unwrap();
    let address = url.strip_prefix("https://").unwrap().to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(&ca).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "127.0.0.1".try_into().unwrap();
        let mut connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let mut socket = TcpStream::connect(&address).unwrap();
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        stream
            .write_all(b"GET /services/data HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text
    })
    .await
    .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("/services/data/v66.0"));
}

#[tokio::test]
async fn what_cannot_be_started() {
    let running = start(Options::default()).await;
    let taken = running
        .admin_url
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    let world = || {
        company::world(
            1,
            Settings::new(1),
            Default::default(),
            jiff::Timestamp::now(),
        )
        .unwrap()
    };
    let options = Options {
        admin: taken,
        ..Options::default()
    };
    assert!(Server::start(world(), options).await.is_err());
    let mut options = Options::default();
    options
        .vendors
        .insert("sap".to_owned(), "127.0.0.1:0".parse().unwrap());
    let fault = Server::start(world(), options).await.err().unwrap();
    assert_eq!(fault.to_string(), "there is no vendor sap here");
}

#[tokio::test]
async fn variables_for_flows() {
    let running = start(Options::default()).await;
    let variables = running.handle().with(|world, _| {
        environment::variables(world, &running.vendor_urls, &Secrets::new(1), Login::Secret)
    });
    let lines = environment::shell_lines(&environment::spin_variables(&variables));
    assert_eq!(
        lines.lines().count(),
        variables.len(),
        "a line each, keys too"
    );
    for name in [
        "SALESFORCE_URL",
        "SALESFORCE_AUTH",
        "SALESFORCE_CLIENT_ID",
        "SALESFORCE_CLIENT_SECRET",
        "SALESFORCE_USERNAME",
        "SALESFORCE_PRIVATE_KEY",
        "SALESFORCE_ORGANIZATION_ID",
        "NETSUITE_URL",
        "NETSUITE_ACCOUNT",
        "NETSUITE_AUTH",
        "NETSUITE_CONSUMER_KEY",
        "NETSUITE_CONSUMER_SECRET",
        "NETSUITE_TOKEN_ID",
        "NETSUITE_TOKEN_SECRET",
        "NETSUITE_CLIENT_ID",
        "NETSUITE_CERTIFICATE_ID",
        "NETSUITE_PRIVATE_KEY",
        "WEBHOOK_PATH_SECRET",
        "WEBHOOK_HMAC_SECRET",
        "FLOWS_TOKEN",
    ] {
        assert!(
            lines.contains(&format!("export SPIN_VARIABLE_{name}='")),
            "{name}"
        );
    }
}
