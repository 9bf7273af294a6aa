//! Who calls.

use std::sync::Arc;

use http::{Request, Response};
use tonic::body::Body;

use super::middle::{Inner, Middle};
use super::refuse;
use crate::call::Call;
use crate::identity::Identity;

/// Puts the verified caller into the request, or refuses it. Health and reflection
/// are for everyone: probes and tools have no identity.
#[derive(Clone)]
pub(crate) struct Identify {
    pub(crate) identity: Arc<Identity>,
}

impl Middle for Identify {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        if Call::of(&request).is_none() {
            return inner.answer(request).await;
        }
        let (mut parts, body) = request.into_parts();
        match self.identity.caller(&parts).await {
            Ok(caller) => {
                parts.extensions.insert(caller);
                inner.answer(Request::from_parts(parts, body)).await
            }
            Err(fault) => refuse(fault),
        }
    }
}
