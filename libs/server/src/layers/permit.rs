//! Who may call what.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use futures::future::Either;
use http::{Request, Response};
use kernel::Caller;
use tonic::body::Body;
use tower::{Layer, Service};

use super::refuse;
use crate::call::Call;
use crate::permission::permit;

/// Refuses a caller none of whose roles may call. What passes, passes at the price
/// of comparing two numbers: nothing is boxed on the way.
#[derive(Clone)]
pub(crate) struct Permit;

impl<S> Layer<S> for Permit {
    type Service = Permitted<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Permitted(inner)
    }
}

/// A service behind a [`Permit`].
#[derive(Clone)]
pub(crate) struct Permitted<S>(S);

impl<S> Service<Request<Body>> for Permitted<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Health, reflection and what is not there are for everyone.
        let Some(Call { method, .. }) = Call::of(&request) else {
            return Either::Left(self.0.call(request));
        };
        match permit(method, request.extensions().get::<Caller>()) {
            Ok(()) => Either::Left(self.0.call(request)),
            Err(fault) => Either::Right(ready(Ok(refuse(fault)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use kernel::{Roles, TenantId};
    use tonic::Code;
    use tower::{ServiceExt as _, service_fn};

    use super::*;
    use crate::layers::code;

    const GET: &str = "/redress.cases.v1.CaseService/GetCase";

    /// What a call with these roles is answered, and how often it came through.
    async fn call(path: &str, roles: Option<&str>) -> (Option<Code>, usize) {
        let passed = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&passed);
        let below = service_fn(move |_: Request<Body>| {
            counted.fetch_add(1, Ordering::SeqCst);
            ready(Ok::<_, Infallible>(Response::new(Body::empty())))
        });
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().expect("a path");
        let mut request = Call::note(request);
        if let Some(roles) = roles {
            let roles = Roles::read(roles.split_whitespace());
            let caller = Caller { tenant: TenantId::development(), subject: "ann".into(), roles };
            request.extensions_mut().insert(caller);
        }
        let Ok(answer) = Permit.layer(below).oneshot(request).await;
        (code(answer.headers()), passed.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn only_what_a_role_may_comes_through() {
        assert_eq!(call(GET, Some("reader")).await, (None, 1));
        assert_eq!(call(GET, Some("admin supervisor")).await, (None, 1));
        for roles in [Some("channel"), Some("admin"), Some("department-worker:finance"), Some(""), None] {
            assert_eq!(call(GET, roles).await, (Some(Code::PermissionDenied), 0), "{roles:?}");
        }
    }

    #[tokio::test]
    async fn tools_need_no_role() {
        assert_eq!(call("/grpc.health.v1.Health/Check", None).await, (None, 1));
        assert_eq!(call("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", None).await, (None, 1));
    }
}
