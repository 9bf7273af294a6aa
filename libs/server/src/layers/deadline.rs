//! Nothing is worked on for ever: not for a caller who no longer waits, not for one who
//! sends a request without an end.

use std::time::Duration;

use http::{Request, Response};
use tonic::body::Body;

use super::middle::{Inner, Middle};
use super::refuse;
use super::stream::Ending;
use crate::call::{Call, Deadline};
use crate::connections::Connection;
use crate::contracts::Pace;
use crate::limits::SERVER_STREAM_TIME_LIMIT;
use crate::service::Stop;

/// Drops the handler when the call's time is over, and ends what waits by design when
/// the server is about to stop. A handler reads its request: one whose request does not
/// end is dropped with it.
#[derive(Clone)]
pub(crate) struct Deadlines {
    pub(crate) closing: Stop,
    /// The time limit of what is no rpc of ours.
    pub(crate) tools: Duration,
}

impl Middle for Deadlines {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let connection = Connection::of(&request);
        let Some(call) = Call::of(&request) else {
            let response = until(Deadline::new(self.tools, None), inner.answer(request)).await;
            // Health and reflection may stream too.
            let end = Deadline::new(SERVER_STREAM_TIME_LIMIT, None).of_stream(connection.as_ref());
            return response.map(|body| Body::new(Ending::new(body, end, self.closing)));
        };
        let pace = call.method.pace;
        let deadline = match pace {
            Pace::ServerStream => call.deadline.of_stream(connection.as_ref()),
            _ => call.deadline,
        };
        if deadline.is_over() {
            return refuse(deadline.refusal());
        }
        let answer = inner.answer(request);
        let response = if pace.waits() {
            tokio::select! {
                biased;
                response = answer => response,
                () = deadline.passing() => refuse(deadline.refusal()),
                () = self.closing.cancelled() => refuse(fault::Fault::stopping()),
            }
        } else {
            until(deadline, answer).await
        };
        if pace == Pace::ServerStream {
            return response.map(|body| Body::new(Ending::new(body, deadline, self.closing)));
        }
        response
    }
}

async fn until(deadline: Deadline, answer: impl Future<Output = Response<Body>> + Send) -> Response<Body> {
    tokio::select! {
        biased;
        response = answer => response,
        () = deadline.passing() => refuse(deadline.refusal()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::stream;
    use http_body::Frame;
    use http_body_util::{BodyExt as _, StreamBody};
    use tonic::Status;
    use tower::Layer as _;

    use super::*;
    use crate::layers::middle::Around;
    use crate::limits::TOOL_TIME_LIMIT;

    /// Reads the request to its end, as handlers do, and then answers.
    #[derive(Clone)]
    struct Reads;

    impl Inner for Reads {
        async fn answer(self, request: Request<Body>) -> Response<Body> {
            let _ = request.into_body().collect().await;
            Response::new(Body::empty())
        }
    }

    /// A request that begins and never ends.
    fn endless(path: &str) -> Request<Body> {
        let part = stream::iter([Ok::<_, Status>(Frame::data(Bytes::from_static(b"\0\0")))]);
        let body = futures::StreamExt::chain(part, stream::pending());
        let mut request = Request::new(Body::new(StreamBody::new(body)));
        *request.uri_mut() = path.parse().unwrap();
        request
    }

    /// When the call of a request is over, in seconds from now, and for which reason.
    fn end(path: &str, timeout: Option<&str>) -> (u64, &'static str) {
        let mut request = endless(path);
        if let Some(timeout) = timeout {
            request.headers_mut().insert("grpc-timeout", timeout.parse().unwrap());
        }
        let call = Call::of(&Call::note(request)).expect("a call of ours");
        let left = call.patience(Duration::MAX).as_secs_f64().round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds")]
        (left as u64, call.deadline.refusal().reason())
    }

    #[test]
    fn every_kind_of_call_has_a_time_limit_whatever_its_caller_says() {
        for (rpc, limit) in [
            ("cases.v1.CaseService/GetCase", 60),
            ("cases.v1.CaseService/AddNote", 120),
            ("intake.v1.IntakeService/SubmitComplaints", 600),
            ("resolution.v1.ResolutionService/PollTasks", 90),
            ("cases.v1.CaseService/WatchCase", 1800),
        ] {
            let path = format!("/redress.{rpc}");
            assert_eq!(end(&path, None), (limit, "TIME_LIMIT_EXCEEDED"), "{rpc}");
            assert_eq!(end(&path, Some("9H")), (limit, "TIME_LIMIT_EXCEEDED"), "{rpc}");
            assert_eq!(end(&path, Some("7S")), (7, "DEADLINE_EXCEEDED"), "{rpc}");
        }
    }

    #[tokio::test]
    async fn a_request_without_an_end_is_refused_when_its_time_is_over() {
        let short = Deadline::new(Duration::from_millis(50), None);
        for (rpc, reason) in [
            ("cases.v1.CaseService/GetCase", "TIME_LIMIT_EXCEEDED"),
            ("cases.v1.CaseService/AddNote", "TIME_LIMIT_EXCEEDED"),
            ("intake.v1.IntakeService/SubmitComplaints", "TIME_LIMIT_EXCEEDED"),
            ("resolution.v1.ResolutionService/PollTasks", "TIME_LIMIT_EXCEEDED"),
            ("cases.v1.CaseService/WatchCase", "STREAM_EXPIRED"),
        ] {
            let mut request = Call::note(endless(&format!("/redress.{rpc}")));
            let call = Call::of(&request).expect("a call of ours");
            request.extensions_mut().insert(Call { deadline: short, ..call });
            assert_eq!(refusal(request, TOOL_TIME_LIMIT).await, reason, "{rpc}");
        }
        for path in ["/grpc.health.v1.Health/Check", "/nobodys.Service/Nothing"] {
            let request = Call::note(endless(path));
            assert_eq!(refusal(request, Duration::from_millis(50)).await, "TIME_LIMIT_EXCEEDED", "{path}");
        }
    }

    async fn refusal(request: Request<Body>, tools: Duration) -> String {
        let layer = Around(Deadlines { closing: Stop::new(), tools });
        let answer = layer.layer(Reads).answer(request).await;
        testkit::reason(&Status::from_header_map(answer.headers()).expect("a refusal"))
    }

    #[test]
    fn no_call_outlasts_the_grace_of_its_connection() {
        for pace in [Pace::Read, Pace::Mutation, Pace::ClientStream, Pace::LongPoll] {
            assert!(pace.time_limit() <= crate::limits::CONNECTION_AGE_GRACE, "{pace:?}");
        }
    }
}
