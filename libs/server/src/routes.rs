//! Which service answers which path. A look-up by name: gRPC's paths are the names of
//! a service and a method, and a router for the web would match patterns, clone the
//! handlers and wrap bodies for every call.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, OnceLock};

use fault::{Fault, Kind};
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::layers::refuse;

/// What a generated server's call comes to.
pub(crate) type Answer = BoxFuture<'static, Result<Response<Body>, Infallible>>;

type Handler = Box<dyn Fn(Request<Body>) -> Answer + Send + Sync>;

/// Handlers of calls, by the full name of their service.
#[derive(Default)]
pub(crate) struct Routes(HashMap<&'static str, Handler>);

impl Routes {
    /// Adds a generated server.
    pub(crate) fn add<S>(&mut self, service: S)
    where
        S: Service<Request<Body>, Error = Infallible, Future = Answer>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        // Always ready: a handler is a task, not a queue.
        self.0.insert(S::NAME, Box::new(move |request| service.clone().call(request)));
    }

    /// Adds a generated server that is made when it is first called, as it takes memory and
    /// milliseconds that most processes never need. What it needs must be at hand: whether it
    /// can be made is not found out before.
    pub(crate) fn add_when_called<S>(&mut self, make: fn() -> Result<S, Fault>)
    where
        S: Service<Request<Body>, Error = Infallible, Future = Answer>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let kept = OnceLock::new();
        let get = move || match kept.get() {
            Some(service) => Ok(S::clone(service)),
            None => crate::blocking::aside(true, make).map(|new| kept.get_or_init(|| new).clone()),
        };
        let answer = move |request| match get() {
            Ok(mut service) => service.call(request),
            Err(fault) => Box::pin(ready(Ok(Status::from(fault).into_http()))) as Answer,
        };
        self.0.insert(S::NAME, Box::new(answer));
    }

    /// Adds all of another's.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// To be called from now on.
    pub(crate) fn finish(self) -> Router {
        Router(Arc::new(self))
    }
}

/// Routes that are complete.
#[derive(Clone)]
pub(crate) struct Router(Arc<Routes>);

impl Router {
    /// Answers a call; one of a service nobody knows is not implemented.
    pub(crate) async fn answer(self, request: Request<Body>) -> Response<Body> {
        match self.0.0.get(service_of(request.uri().path())) {
            Some(handler) => {
                let Ok(response) = handler(request).await;
                response
            }
            None => refuse(Fault::new(
                Kind::Unimplemented,
                "UNKNOWN_SERVICE",
                "this server does not serve such a service; it may be another process that does",
            )),
        }
    }
}

/// The service a path names; empty when it names none.
fn service_of(path: &str) -> &str {
    path.strip_prefix('/').and_then(|path| path.split_once('/')).map_or("", |(service, _)| service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_service() {
        assert_eq!(
            service_of("/redress.intake.v1.IntakeService/SubmitComplaint"),
            "redress.intake.v1.IntakeService"
        );
        for odd in [
            "",
            "/",
            "*",
            "redress.intake.v1.IntakeService/SubmitComplaint",
            "/redress.intake.v1.IntakeService",
        ] {
            assert_eq!(service_of(odd), "", "{odd}");
        }
    }
}
