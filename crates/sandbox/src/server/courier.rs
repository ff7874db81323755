//! Sends webhooks as they fall due and reports back what came of them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{sync::Semaphore, task::JoinSet};

use super::Handle;
use crate::world::Outgoing;

/// Webhooks under way at once.
const UNDER_WAY_MAX: usize = 64;
/// Largest answer read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The longest sleep, lest a jump of the machine's clock goes unseen.
const SLEEP_MAX: Duration = Duration::from_secs(1);

type Sender = Client<HttpConnector, Full<Bytes>>;

/// Runs until stopped; webhooks under way stop with it.
pub(super) async fn run(handle: Handle, timeout: Duration) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Sender = Client::builder(TokioExecutor::new()).build(connector);
    let places = Arc::new(Semaphore::new(UNDER_WAY_MAX));
    let mut under_way = JoinSet::new();
    loop {
        let (due, next) = look(&handle);
        for outgoing in due {
            // The semaphore is never closed.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let (client, handle) = (client.clone(), handle.clone());
            under_way.spawn(async move {
                send(&client, &handle, outgoing, timeout).await;
                drop(place);
            });
        }
        while under_way.try_join_next().is_some() {}
        tokio::select! {
            () = handle.shared.changed.notified() => {}
            () = tokio::time::sleep(next.min(SLEEP_MAX)) => {}
        }
    }
}

/// What is due, and how long until something else is. Does not wake the courier itself.
fn look(handle: &Handle) -> (Vec<Outgoing>, Duration) {
    let mut world = handle
        .shared
        .world
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let now = handle.now();
    let due = world.due(now);
    let next = match world.next_due() {
        Some(next) if next <= now => Duration::from_millis(1),
        Some(next) => next.duration_since(now).unsigned_abs(),
        None => SLEEP_MAX,
    };
    (due, next)
}

async fn send(client: &Sender, handle: &Handle, outgoing: Outgoing, timeout: Duration) {
    let (parts, body) = outgoing.delivery.request.into_parts();
    let request = http::Request::from_parts(parts, Full::new(body));
    let exchange = async {
        let response = client.request(request).await.ok()?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.ok()?;
        Some(Response::from_parts(parts, body.to_bytes()))
    };
    let answer = tokio::time::timeout(timeout, exchange).await.ok().flatten();
    handle.with(|world, now| {
        world.delivered(outgoing.vendor, outgoing.delivery.id, answer.as_ref(), now);
    });
}
