//! A layer that is one async function around the call.

use std::convert::Infallible;
use std::future::Future;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service, ServiceExt as _};

/// What is below a layer. It is always ready and never fails: refusals are answers.
pub(crate) trait Inner:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Inner for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// One layer.
pub(crate) trait Middle: Clone + Send + Sync + 'static {
    /// Handles a request, usually by passing it on to what is below.
    fn handle<S: Inner>(
        self,
        request: Request<Body>,
        inner: S,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// Passes a request on to what is below.
pub(crate) async fn pass<S: Inner>(inner: S, request: Request<Body>) -> Response<Body> {
    match inner.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Puts a [`Middle`] around a service.
#[derive(Clone)]
pub(crate) struct Around<M>(pub(crate) M);

impl<M: Clone, S> Layer<S> for Around<M> {
    type Service = Wrapped<M, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Wrapped { middle: self.0.clone(), inner }
    }
}

/// A service with a [`Middle`] around it.
#[derive(Clone)]
pub(crate) struct Wrapped<M, S> {
    middle: M,
    inner: S,
}

impl<M: Middle, S: Inner> Service<Request<Body>> for Wrapped<M, S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.middle.clone().handle(request, self.inner.clone()).map(Ok).boxed()
    }
}
