//! HTTP for a worker that holds a lease: nothing is sent that could outlast it.

use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use sluice_core::Ports;
use sluice_core::ports::{Clock, Http, Limit, SendError};
use sluice_core::time::later;

struct Leased {
    inner: Rc<dyn Http>,
    clock: Rc<dyn Clock>,
    until: Timestamp,
}

/// The same ports, with HTTP bound to a lease that ends at `until`.
pub fn leased(ports: &Ports, until: Timestamp) -> Ports {
    let http = Leased {
        inner: ports.http.clone(),
        clock: ports.clock.clone(),
        until,
    };
    Ports {
        http: Rc::new(http),
        ..ports.clone()
    }
}

#[async_trait(?Send)]
impl Http for Leased {
    async fn send(
        &self,
        request: Request<Bytes>,
        limit: Limit,
    ) -> Result<Response<Bytes>, SendError> {
        if later(self.clock.now(), limit.timeout) > self.until {
            // Another worker may hold the record by the time this request takes effect.
            return Err(SendError::NotSent(
                "the lease would end before the request".into(),
            ));
        }
        self.inner.send(request, limit).await
    }
}
