//! A layer that is one async function around the call.
//!
//! Layers are no tower services of their own: each of those would clone everything
//! below it and put one more future on the heap, for every call. They lie in each
//! other, and [`Served`] makes one service of the whole.

use std::convert::Infallible;
use std::future::Future;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use crate::routes::{Answer, Router};

/// What is below a layer, for one call. It never fails: refusals are answers.
pub(crate) trait Inner: Send + 'static {
    /// Answers the call.
    fn answer(self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send;
}

/// Innermost: the handlers.
impl Inner for Router {
    fn answer(self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send {
        Self::answer(self, request)
    }
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

/// Puts a [`Middle`] around what is below.
#[derive(Clone)]
pub(crate) struct Around<M>(pub(crate) M);

impl<M: Clone, S> Layer<S> for Around<M> {
    type Service = Wrapped<M, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Wrapped { middle: self.0.clone(), inner }
    }
}

/// What is below, with a [`Middle`] around it.
#[derive(Clone)]
pub(crate) struct Wrapped<M, S> {
    middle: M,
    inner: S,
}

impl<M: Middle, S: Inner> Inner for Wrapped<M, S> {
    fn answer(self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send {
        self.middle.handle(request, self.inner)
    }
}

/// Layers and handlers as a service: one clone of them, and one future, a call.
#[derive(Clone)]
pub(crate) struct Served<S>(pub(crate) S);

impl<S: Inner + Clone> Service<Request<Body>> for Served<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.clone().answer(request).map(Ok).boxed()
    }
}
