//! Components on a running host: what they may do, how they fail, and what becomes of their work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Bench, send, start_in};
use bytes::Bytes;
use host::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn answers_with_what_the_component_sends() {
    let bench = Bench::start(|_| {}).await;
    let body = "x".repeat(300_000);
    assert_eq!(bench.post("/echo", body.clone()).await, (200, body));
    assert_eq!(bench.get("/nothing").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_the_component_about_the_request() {
    let bench = Bench::start(|_| {}).await;
    assert_eq!(bench.get("/headers?spin-path-info").await.1, "/headers");
    assert_eq!(bench.get("/headers?spin-matched-route").await.1, "/...");
    let forged = [("spin-path-info", "/forged"), ("x-request-id", "order-7")];
    let address = bench.running.address();
    let answer = send(
        address,
        "GET",
        "/headers?spin-path-info",
        &forged,
        Bytes::new(),
    )
    .await;
    assert_eq!(answer.1, "/headers");
    let answer = send(
        address,
        "GET",
        "/headers?x-request-id",
        &forged,
        Bytes::new(),
    )
    .await;
    assert_eq!(answer.1, "order-7");
    let odd = [("x-request-id", "a b")];
    let answer = send(address, "GET", "/headers?x-request-id", &odd, Bytes::new()).await;
    assert_eq!(
        answer.1.len(),
        16,
        "a new id replaces one that could forge log lines"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_variables_and_files() {
    let bench = Bench::start(|options| {
        options
            .variables
            .insert("word".to_owned(), "given".to_owned());
    })
    .await;
    assert_eq!(
        bench.get("/variable?word").await,
        (200, "given word".to_owned())
    );
    assert_eq!(
        bench.get("/variable?secret").await,
        (200, "hush".to_owned())
    );
    assert!(bench.get("/variable?unknown").await.1.contains("Undefined"));
    assert_eq!(
        bench.get("/file?/hello.txt").await,
        (200, "hello".to_owned())
    );
    assert_eq!(
        bench.get("/file?/placed/one.md").await,
        (200, "one".to_owned())
    );
    assert_eq!(bench.get("/file?/hidden.txt").await.0, 404);
    assert_eq!(bench.get("/file?/../spin.toml").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_a_variable_that_is_not_set() {
    let bench = Bench::start(|options| options.variables.clear()).await;
    let (status, text) = bench.get("/variable?secret").await;
    assert_eq!(status, 500);
    assert!(text.contains("SPIN_VARIABLE_SECRET"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_fails_its_own_request_only() {
    let bench = Bench::start(|_| {}).await;
    let (trapped, sent, silent) = tokio::join!(
        bench.get("/trap"),
        bench.post("/echo", "fine"),
        bench.get("/silent")
    );
    assert_eq!(trapped, (500, "the component trapped\n".to_owned()));
    assert_eq!(sent, (200, "fine".to_owned()));
    assert_eq!(silent, (500, "the component sent no response\n".to_owned()));
    assert_eq!(bench.running.stats().failures, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_within_a_response_cuts_it_off() {
    let bench = Bench::start(|_| {}).await;
    let (_, text) = bench.get("/half").await;
    assert!(text.starts_with("cut off"), "{text}");
    assert_eq!(bench.post("/echo", "fine").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_time_waiting_or_busy() {
    let limit = Duration::from_millis(500);
    let bench = Bench::start(|options| options.limits.request_time_max = limit).await;
    let started = Instant::now();
    // More busy loops than threads: the host must stay able to answer others.
    let loops = tokio::join!(
        bench.get("/loop"),
        bench.get("/loop"),
        bench.get("/loop"),
        bench.get("/sleep")
    );
    for answer in [loops.0, loops.1, loops.2, loops.3] {
        assert_eq!(
            answer,
            (
                504,
                "the component ran longer than the limit of 0.5 s\n".to_owned()
            )
        );
    }
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(bench.post("/echo", "fine").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_memory() {
    let bench = Bench::start(|options| options.limits.memory_bytes_max = 64 << 20).await;
    let answer = bench.get("/memory").await;
    assert_eq!(
        answer,
        (
            500,
            "the component needs more memory than the limit of 64 MiB\n".to_owned()
        )
    );
    assert_eq!(bench.post("/echo", "fine").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_request_bodies() {
    let bench = Bench::start(|options| options.limits.request_body_bytes_max = 1000).await;
    assert_eq!(bench.post("/echo", vec![b'x'; 1000]).await.0, 200);
    let announced = bench.post("/echo", vec![b'x'; 1001]).await;
    assert_eq!(
        announced,
        (413, "the body has more than 1000 bytes\n".to_owned())
    );
    // Without a length, the excess shows only on the way.
    let mut stream = tokio::net::TcpStream::connect(bench.running.address())
        .await
        .unwrap();
    let head = b"POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let chunk = format!("7d0\r\n{}\r\n0\r\n\r\n", "x".repeat(2000));
    stream.write_all(chunk.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_after_the_response_and_shutdown_waits_for_it() {
    let bench = Bench::start(|_| {}).await;
    let started = Instant::now();
    assert_eq!(bench.get("/late?order").await, (202, "later".to_owned()));
    assert!(
        started.elapsed() < Duration::from_millis(250),
        "the response waited for the work"
    );
    assert_eq!(bench.get("/get?order").await.0, 404);
    assert!(bench.running.shutdown().await);
    let again = start_in(bench.folder.path(), |_| {}).await;
    let answer = send(again.address(), "GET", "/get?order", &[], Bytes::new()).await;
    assert_eq!(answer, (200, "done".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_are_those_of_the_manifest() {
    let bench = Bench::start(|_| {}).await;
    assert_eq!(bench.get("/set?key").await.0, 200);
    assert_eq!(bench.get("/get?key").await, (200, "value".to_owned()));
    assert_eq!(
        bench.get("/open?other").await,
        (403, "Error::AccessDenied".to_owned())
    );
    // The other component has no stores at all.
    let inner = bench
        .get("/fetch?http://inner.spin.internal/open?default")
        .await;
    assert_eq!(inner, (403, "Error::AccessDenied".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_sql() {
    let bench = Bench::start(|_| {}).await;
    let sql = async |statement: &'static str| bench.post("/sql", statement).await;
    assert_eq!(
        sql("PRAGMA journal_mode = DELETE").await,
        (200, "wal".to_owned())
    );
    assert_eq!(sql("CREATE TABLE t (a INTEGER, b TEXT)").await.0, 200);
    assert_eq!(
        sql("INSERT INTO t VALUES (1, 'x'), (2, NULL) RETURNING a").await,
        (200, "1\n2".to_owned())
    );
    assert_eq!(
        sql("SELECT a, b FROM t ORDER BY a").await,
        (200, "1,x\n2,null".to_owned())
    );
    for (statement, reason) in [
        ("SELECT absent FROM t", "no such column"),
        ("INSERT INTO absent VALUES (1)", "no such table"),
        ("BEGIN", "transaction"),
    ] {
        let (status, text) = sql(statement).await;
        assert!(
            status == 400 && text.contains(reason),
            "{statement}: {text}"
        );
    }
    assert_eq!(sql("ATTACH '/etc/passwd' AS x").await.0, 400);
    assert_eq!(sql("PRAGMA main.synchronous = OFF").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn reaches_allowed_hosts_only() {
    let vendor = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = vendor.local_addr().unwrap().to_string();
    tokio::spawn(answer_all(
        vendor,
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    ));
    let bench = Bench::start(|options| {
        options
            .variables
            .insert("vendor".to_owned(), address.clone());
    })
    .await;
    let fetched = bench.get(&format!("/fetch?http://{address}/x")).await;
    assert_eq!(fetched, (200, "hello".to_owned()));
    let denied = bench.get("/fetch?http://127.0.0.1:9/x").await;
    assert_eq!(denied, (502, "ErrorCode::HttpRequestDenied".to_owned()));
    let denied = bench.get("/fetch?http://guest.spin.internal/echo").await;
    assert_eq!(denied, (502, "ErrorCode::HttpRequestDenied".to_owned()));
    let chained = bench
        .get("/fetch?http://inner.spin.internal/headers?spin-path-info")
        .await;
    assert_eq!(chained, (200, "/headers".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_never_sent_is_told_from_one_that_may_have_been() {
    // Nobody listens there.
    let bench = Bench::start(|_| {}).await;
    assert_eq!(
        bench.get("/fetch?http://127.0.0.1:1/").await.1,
        "ErrorCode::ConnectionRefused"
    );
    let unknown = bench.get("/fetch?https://name.invalid/").await.1;
    assert!(unknown.starts_with("ErrorCode::DnsError"), "{unknown}");

    for (answer, error) in [
        ("", "ErrorCode::HttpResponseTimeout"),
        ("close", "ErrorCode::ConnectionTerminated"),
        ("nonsense\r\n\r\n", "ErrorCode::HttpProtocolError"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello",
            "connection read timeout",
        ),
    ] {
        let vendor = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = vendor.local_addr().unwrap().to_string();
        tokio::spawn(answer_all(vendor, answer));
        let bench = Bench::start(|options| {
            options
                .variables
                .insert("vendor".to_owned(), address.clone());
        })
        .await;
        let (_, told) = bench.get(&format!("/fetch?http://{address}/x")).await;
        assert!(told.contains(error), "{answer:?}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fires_cron_components() {
    let bench = Bench::start(|_| {}).await;
    bench.running.tick("scheduler").await.unwrap();
    assert_eq!(bench.running.stats().ticks, 1);
    assert!(matches!(
        bench.running.tick("guest").await,
        Err(Failure::NoTrigger)
    ));

    let bench = Bench::start(|options| {
        options
            .variables
            .insert("trick".to_owned(), "/trap".to_owned());
    })
    .await;
    let failure = bench.running.tick("scheduler").await.unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("http://inner.spin.internal/trap answered 500"),
        "{failure}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooled_connection_that_was_closed_costs_no_request_and_repeats_none() {
    let vendor = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = vendor.local_addr().unwrap().to_string();
    let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (connections.clone(), requests.clone());
    // Answers two requests a connection, then closes it while it is idle; from the 5th on, closes at once.
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = vendor.accept().await.unwrap();
            counts.0.fetch_add(1, Ordering::SeqCst);
            for _ in 0..2 {
                let mut buffer = [0; 4096];
                if stream.read(&mut buffer).await.unwrap_or(0) == 0 {
                    break;
                }
                if counts.1.fetch_add(1, Ordering::SeqCst) >= 4 {
                    break;
                }
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    let bench = Bench::start(|options| {
        options
            .variables
            .insert("vendor".to_owned(), address.clone());
    })
    .await;
    for _ in 0..4 {
        let fetched = bench.get(&format!("/fetch?http://{address}/x")).await;
        assert_eq!(fetched, (200, "ok".to_owned()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        connections.load(Ordering::SeqCst),
        2,
        "connections are kept"
    );
    let (_, unknown) = bench.get(&format!("/fetch?http://{address}/x")).await;
    assert_eq!(unknown, "ErrorCode::ConnectionTerminated");
    assert_eq!(
        requests.load(Ordering::SeqCst),
        5,
        "a request was sent twice"
    );
}

/// A vendor that gives every request the same answer: nothing and wait, close at once, or a text.
async fn answer_all(vendor: TcpListener, answer: &'static str) {
    loop {
        let (mut stream, _) = vendor.accept().await.unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while stream.read(&mut buffer).await.unwrap_or(0) > 0 {
                match answer {
                    "" => tokio::time::sleep(Duration::from_secs(5)).await,
                    "close" => return,
                    text => stream.write_all(text.as_bytes()).await.unwrap(),
                }
            }
        });
    }
}
