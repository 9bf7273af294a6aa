//! Read your own writes, across services: a call that presents a consistency token
//! runs once what the token stands for has been applied here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use events::Consumer;
use fault::{Fault, Kind};
use http::{HeaderValue, Request, Response};
use kernel::{Caller, Lane};
use proto::CONSISTENCY_TOKEN;
use tonic::body::Body;

use super::middle::{Inner, Middle};
use super::refuse;
use crate::call::{BULK, Call};

/// Longest wait when the caller sets no deadline, or a longer one.
const PATIENCE: Duration = Duration::from_secs(5);
/// Part of the caller's time that may go into waiting: the rest is for the answer,
/// and for saying NOT_YET_APPLIED rather than letting the deadline say it.
const SHARE: f64 = 0.8;

/// Waits for the position a token names.
#[derive(Clone)]
pub(crate) struct Consistency {
    pub(crate) consumers: Arc<HashMap<&'static str, Option<Arc<Consumer>>>>,
}

impl Middle for Consistency {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let Some(token) = request.headers().get(CONSISTENCY_TOKEN).cloned() else {
            return inner.answer(request).await;
        };
        let Some((call, caller)) = Call::of(&request).zip(request.extensions().get::<Caller>().cloned())
        else {
            return inner.answer(request).await;
        };
        match self.applied(&token, call, &caller).await {
            Ok(()) => inner.answer(request).await,
            Err(fault) => refuse(fault),
        }
    }
}

impl Consistency {
    async fn applied(&self, token: &HeaderValue, call: Call, caller: &Caller) -> Result<(), Fault> {
        let (source, position, lane) = parse(token)?;
        let addressed = call.method.addressed.as_str();
        // The feed and the inbox address no service; a service sees its own writes.
        let Some(consumer) = self.consumers.get(addressed) else { return Ok(()) };
        if source == addressed {
            return Ok(());
        }
        let consumer = consumer
            .as_ref()
            .filter(|consumer| consumer.follows(source))
            .ok_or_else(|| invalid("this service does not follow the source of the consistency token"))?;
        let patience = call.patience(PATIENCE).mul_f64(SHARE);
        consumer.wait_applied(source, (position, lane), &caller.tenant, patience).await
    }
}

fn parse(token: &HeaderValue) -> Result<(&str, i64, Lane), Fault> {
    let token = token.to_str().ok();
    let (token, lane) = match token.and_then(|token| token.strip_suffix(BULK)) {
        Some(token) => (Some(token), Lane::Bulk),
        None => (token, Lane::Live),
    };
    token
        .and_then(|token| token.split_once(':'))
        .and_then(|(source, position)| Some((source, position.parse().ok()?, lane)))
        .filter(|(source, position, _)| !source.is_empty() && *position >= 0)
        .ok_or_else(|| {
            invalid("a consistency token has the form <source>:<position> or <source>:<position>:bulk")
        })
}

fn invalid(sentence: &'static str) -> Fault {
    Fault::new(Kind::Invalid, "INVALID_CONSISTENCY_TOKEN", sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(token: &'static str) -> Result<(String, i64, Lane), String> {
        let token = HeaderValue::from_static(token);
        parse(&token)
            .map(|(source, position, lane)| (source.to_owned(), position, lane))
            .map_err(|fault| fault.reason().to_owned())
    }

    #[test]
    fn a_token_names_source_and_position() {
        assert_eq!(read("intake:42"), Ok(("intake".to_owned(), 42, Lane::Live)));
        assert_eq!(read("intake:42:bulk"), Ok(("intake".to_owned(), 42, Lane::Bulk)));
        for wrong in [
            "",
            "intake",
            "intake:",
            ":1",
            "intake:-1",
            "intake:x",
            "intake:1:2",
            "intake:bulk",
            "intake:1:live",
            ":bulk",
        ] {
            assert_eq!(read(wrong), Err("INVALID_CONSISTENCY_TOKEN".to_owned()), "{wrong:?}");
        }
    }
}
