//! Vendors whose answers are not what they should be, in ways a scene chooses.

use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use sluice_core::ports::{Http, Limit, SendError};

/// What is made of an answer.
pub type Tamper = Rc<dyn Fn(&Request<Bytes>, Response<Bytes>) -> Response<Bytes>>;

/// HTTP whose answers pass through somebody's hands.
pub struct Tampered {
    pub inner: Rc<dyn Http>,
    pub tamper: Tamper,
}

#[async_trait(?Send)]
impl Http for Tampered {
    async fn send(
        &self,
        request: Request<Bytes>,
        limit: Limit,
    ) -> Result<Response<Bytes>, SendError> {
        let asked = request.clone();
        let response = self.inner.send(request, limit).await?;
        Ok((self.tamper)(&asked, response))
    }
}
