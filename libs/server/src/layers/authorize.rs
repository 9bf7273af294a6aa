//! Who may call what.

use http::{Request, Response};
use kernel::Caller;
use tonic::body::Body;

use super::middle::{Inner, Middle};
use super::refuse;
use crate::call::Call;
use crate::permission::authorize;

/// Refuses a caller none of whose roles may call. What passes, passes at the price
/// of comparing two numbers.
#[derive(Clone)]
pub(crate) struct Authorize;

impl Middle for Authorize {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        // Health, reflection and what is not there are for everyone; a link for whoever has it, a
        // webhook for whoever signs.
        if super::proves_itself(&request) {
            return inner.answer(request).await;
        }
        let Some(Call { method, .. }) = Call::of(&request) else { return inner.answer(request).await };
        match authorize(method, request.extensions().get::<Caller>()) {
            Ok(()) => inner.answer(request).await,
            Err(fault) => refuse(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use kernel::{Roles, TenantId};
    use tonic::Code;
    use tower::Layer as _;

    use super::*;
    use crate::layers::code;
    use crate::layers::middle::Around;

    const GET: &str = "/redress.cases.v1.CaseService/GetCase";

    /// Counts what comes through.
    struct Below(Arc<AtomicUsize>);

    impl Inner for Below {
        async fn answer(self, _: Request<Body>) -> Response<Body> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Response::new(Body::empty())
        }
    }

    /// What a call with these roles is answered, and how often it came through.
    async fn call(path: &str, roles: Option<&str>) -> (Option<Code>, usize) {
        let passed = Arc::new(AtomicUsize::new(0));
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().expect("a path");
        let mut request = Call::note(request);
        if let Some(roles) = roles {
            let roles = Roles::read(roles.split_whitespace());
            let caller = Caller { tenant: TenantId::development(), subject: "ann".into(), roles };
            request.extensions_mut().insert(caller);
        }
        let answer = Around(Authorize).layer(Below(passed.clone())).answer(request).await;
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
