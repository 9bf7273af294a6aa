//! Who calls.

use std::sync::Arc;
use std::time::Duration;

use fault::{Fault, Kind};
use http::{Request, Response};
use tonic::body::Body;

use super::middle::{Inner, Middle};
use super::refuse;
use super::stream::Ending;
use crate::call::Call;
use crate::contracts::Pace;
use crate::identity::Identity;

/// No stream lasts that long.
const LONGEST: Duration = Duration::from_hours(24);

/// Puts the verified caller into the request, or refuses it. What waits by design ends
/// when what proves the caller does. Health and reflection are for everyone: probes and
/// tools have no identity. So are links to files, which say themselves whom they are good for,
/// and webhooks, whose deliveries are signed.
#[derive(Clone)]
pub(crate) struct Identify {
    pub(crate) identity: Arc<Identity>,
}

impl Middle for Identify {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let Some(call) = Call::of(&request) else { return inner.answer(request).await };
        // The handler believes the link or the signature, or does not: it has the key.
        if super::proves_itself(&request) {
            return inner.answer(request).await;
        }
        let (mut parts, body) = request.into_parts();
        match self.identity.caller(&parts).await {
            Ok((caller, holds)) => {
                parts.extensions.insert(caller);
                let answer = inner.answer(Request::from_parts(parts, body));
                until_expired(call.method.pace, holds, answer).await
            }
            Err(fault) => refuse(fault),
        }
    }
}

/// Answers a call; one that waits, for no longer than its caller is proven.
async fn until_expired(
    pace: Pace,
    holds: Duration,
    answer: impl Future<Output = Response<Body>> + Send,
) -> Response<Body> {
    if !pace.waits() || holds == Duration::MAX {
        return answer.await;
    }
    let expires = tokio::time::Instant::now() + holds.min(LONGEST);
    let response = tokio::select! {
        biased;
        response = answer => response,
        () = tokio::time::sleep_until(expires) => return refuse(expired()),
    };
    if pace != Pace::ServerStream {
        return response;
    }
    let end = async move {
        tokio::time::sleep_until(expires).await;
        expired()
    };
    response.map(|body| Body::new(Ending::by(body, end)))
}

fn expired() -> Fault {
    let sentence = "what proved the caller has expired; call again with what holds";
    Fault::new(Kind::Unauthenticated, "TOKEN_EXPIRED", sentence)
}
