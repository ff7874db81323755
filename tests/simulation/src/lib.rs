//! Every flow there is, put to work natively on simulated ground.

mod market;
mod stage;
mod tamper;
mod worker;

use std::collections::BTreeMap;

use bytes::Bytes;
use certify::{Flow, Ground, ports};
use futures_util::future::LocalBoxFuture;
use guest::Service;
use http::Request;

pub use market::Market;
pub use stage::{MORNING, Stage, TICK, days, hours, id, minutes, seconds};
pub use tamper::Tampered;
pub use worker::{Went, Worker, race};

/// A flow as its folder describes it.
#[derive(Clone, Copy)]
pub struct Native(fn() -> guest::Flow);

/// Every flow. A new one is named here, and nothing else is to be done for it.
pub const FLOWS: [Native; 2] = [
    Native(opportunity_to_sales_order::opportunity_to_sales_order),
    Native(amazon_orders::amazon_orders),
];

impl Flow for Native {
    fn name(&self) -> &str {
        (self.0)().name
    }

    fn source(&self) -> &str {
        (self.0)().source.kind().system
    }

    fn work(
        &self,
        ground: Ground,
        worker: usize,
        variables: BTreeMap<String, String>,
        request: Request<Bytes>,
    ) -> LocalBoxFuture<'static, ()> {
        let service = Service::new((self.0)(), None, ports::native(&ground, worker, variables));
        Box::pin(async move {
            let respond = async |response| ground.respond(worker, response);
            service.handle(request, respond).await;
        })
    }
}

/// The flow of this name.
pub fn flow(name: &str) -> Option<&'static Native> {
    FLOWS.iter().find(|flow| flow.name() == name)
}
