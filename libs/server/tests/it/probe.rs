//! Services that do what a test asks of them, and a server for them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::ready;
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use events::{Delivered, Follow, Reactor};
use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Request as HttpRequest, Response as HttpResponse};
use http_body::Frame;
use http_body_util::StreamBody;
use kernel::{RandomIds, Role, SystemClock};
use pg::Tx;
use prost::{Message as _, Name as _};
use proto::redress::cases::v1::{Case, WatchCaseResponse};
use proto::redress::feedback::v1::feedback_service_server::{FeedbackService, FeedbackServiceServer};
use proto::redress::feedback::v1::{
    CorrectContactRequest, CorrectContactResponse, Feedback, GetContactRequest, GetContactResponse,
    GetFeedbackRequest, GetFeedbackResponse, ListNoticesRequest, ListNoticesResponse, RecordNoticeRequest,
    RecordNoticeResponse, ReportBounceRequest, ReportBounceResponse, ResendNoticeRequest,
    ResendNoticeResponse, RespondToOutcomeRequest, RespondToOutcomeResponse,
};
use proto::redress::intake::v1::ComplaintRegistered;
use server::{Assembly, Kit, Limited, Parts, Running, Secret, Service, Settings};
use sqlx::migrate::Migrator;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

static NO_MIGRATIONS: Migrator = Migrator::DEFAULT;
/// How long a slow handler takes, if nobody stops it.
const SLOW: Duration = Duration::from_secs(30);

/// Answers calls as `case_id` says.
pub(crate) const FEEDBACK: Service =
    Service { name: "feedback", port: 50055, migrations: &NO_MIGRATIONS, open: open_feedback };
/// Streams and waits.
pub(crate) const CASES: Service =
    Service { name: "cases", port: 50052, migrations: &NO_MIGRATIONS, open: open_cases };
/// Has a worker that panics soon.
pub(crate) const DOOMED: Service =
    Service { name: "feedback", port: 50055, migrations: &NO_MIGRATIONS, open: open_doomed };

#[expect(clippy::unnecessary_wraps, reason = "the shape every service has")]
fn open_feedback(_: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    parts.route(FeedbackServiceServer::new(Probe)).react(Follower);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape every service has")]
fn open_cases(_: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    parts.route(Streams).route(Waits);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape every service has")]
fn open_doomed(_: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    parts.worker("doomed", async |_| panic!("as it had to come"));
    Ok(())
}

/// A server without a database: what is tested does not touch it.
pub(crate) async fn serve(settings: Settings, services: &[Service]) -> Running {
    try_serve(settings, services).await.unwrap()
}

pub(crate) async fn try_serve(settings: Settings, services: &[Service]) -> anyhow::Result<Running> {
    let nowhere = Some(Secret::from("postgres://nobody@127.0.0.1:1/nothing".to_owned()));
    server::start(Assembly {
        settings: Settings { database_url: settings.database_url.or(nowhere), ..settings },
        services: services.to_vec(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        listener: Some(TcpListener::bind("127.0.0.1:0")?),
        sources: HashMap::new(),
    })
    .await
}

pub(crate) fn channel(running: &Running) -> Channel {
    Endpoint::from_shared(format!("http://{}", running.address())).unwrap().connect_lazy()
}

/// A request about a case, which tells the probe what to do.
pub(crate) fn about(case_id: impl Into<String>) -> GetFeedbackRequest {
    GetFeedbackRequest { case_id: case_id.into() }
}

/// What became of the handlers that were asked to be slow, by name.
static STAGES: LazyLock<Mutex<HashMap<String, &'static str>>> = LazyLock::new(Mutex::default);

pub(crate) fn stage(name: &str) -> &'static str {
    STAGES.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().unwrap_or("not begun")
}

/// Waits until a slow handler is at a stage.
pub(crate) async fn reaches(name: &str, wanted: &str) {
    testkit::eventually(|| async { stage(name) == wanted }).await;
}

struct Stage(String);

impl Stage {
    fn begin(name: &str) -> Self {
        let stage = Self(name.to_owned());
        stage.is_at("begun");
        stage
    }

    fn is_at(&self, stage: &'static str) {
        STAGES.lock().unwrap_or_else(PoisonError::into_inner).insert(self.0.clone(), stage);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if stage(&self.0) == "begun" {
            self.is_at("dropped");
        }
    }
}

struct Probe;

#[tonic::async_trait]
impl FeedbackService for Probe {
    async fn get_feedback(
        &self,
        request: Request<GetFeedbackRequest>,
    ) -> Result<Response<GetFeedbackResponse>, Status> {
        let caller = server::caller(&request)?;
        let asked = request.into_inner().case_id;
        match asked.split_once(':') {
            Some(("panic", word)) => panic!("{word}"),
            Some(("slow", name)) => wait(name, SLOW).await,
            Some(("long", bytes)) => {
                let case_id = "x".repeat(bytes.parse().expect("a number"));
                let cycles = vec![Feedback { case_id, ..Feedback::default() }];
                return Ok(Response::new(GetFeedbackResponse { cycles }));
            }
            Some(("brief", name)) => wait(name, Duration::from_millis(300)).await,
            _ => {}
        }
        // Answers who called, for lack of a better field.
        let roles: Vec<_> = caller.roles.held().iter().map(Role::name).collect();
        let roles = roles.join(",");
        let case_id = format!("{}/{}/{roles}", caller.tenant, caller.subject);
        Ok(Response::new(GetFeedbackResponse { cycles: vec![Feedback { case_id, ..Feedback::default() }] }))
    }

    async fn respond_to_outcome(
        &self,
        _: Request<RespondToOutcomeRequest>,
    ) -> Result<Response<RespondToOutcomeResponse>, Status> {
        Ok(Response::new(RespondToOutcomeResponse::default()))
    }

    async fn list_notices(
        &self,
        _: Request<ListNoticesRequest>,
    ) -> Result<Response<ListNoticesResponse>, Status> {
        Ok(Response::new(ListNoticesResponse::default()))
    }

    async fn record_notice(
        &self,
        _: Request<RecordNoticeRequest>,
    ) -> Result<Response<RecordNoticeResponse>, Status> {
        Ok(Response::new(RecordNoticeResponse::default()))
    }

    async fn resend_notice(
        &self,
        _: Request<ResendNoticeRequest>,
    ) -> Result<Response<ResendNoticeResponse>, Status> {
        Ok(Response::new(ResendNoticeResponse::default()))
    }

    async fn report_bounce(
        &self,
        _: Request<ReportBounceRequest>,
    ) -> Result<Response<ReportBounceResponse>, Status> {
        Ok(Response::new(ReportBounceResponse::default()))
    }

    async fn get_contact(
        &self,
        _: Request<GetContactRequest>,
    ) -> Result<Response<GetContactResponse>, Status> {
        Ok(Response::new(GetContactResponse::default()))
    }

    async fn correct_contact(
        &self,
        _: Request<CorrectContactRequest>,
    ) -> Result<Response<CorrectContactResponse>, Status> {
        Ok(Response::new(CorrectContactResponse::default()))
    }
}

async fn wait(name: &str, time: Duration) {
    let stage = Stage::begin(name);
    tokio::time::sleep(time).await;
    stage.is_at("done");
}

/// Follows intake, and needs no more than to have heard.
struct Follower;

impl Reactor for Follower {
    fn consumer(&self) -> &'static str {
        "feedback"
    }

    fn follows(&self) -> &'static [Follow] {
        static TYPES: LazyLock<Vec<&'static str>> =
            LazyLock::new(|| vec![ComplaintRegistered::full_name().leak()]);
        static FOLLOWS: LazyLock<Vec<Follow>> =
            LazyLock::new(|| vec![Follow { source: "intake", types: TYPES.as_slice() }]);
        FOLLOWS.as_slice()
    }

    fn react<'a>(&'a self, _: &'a mut Tx, _: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        async { Ok(()) }.boxed()
    }
}

/// A case that changes as the header `script` says: once and then no more, for
/// ever, or not without an accident.
#[derive(Clone)]
struct Streams;

impl NamedService for Streams {
    const NAME: &'static str = "redress.cases.v1.CaseService";
}

impl Limited for Streams {
    fn limited(self, _: usize) -> Self {
        self
    }
}

impl tower::Service<HttpRequest<Body>> for Streams {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<HttpResponse<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        let script = request.headers().get("script").and_then(|script| script.to_str().ok());
        let once = stream::once(async { Ok::<_, Status>(message(0)) });
        let body = match script {
            Some("endless") => stream::repeat_with(|| Ok(message(16 << 10))).boxed(),
            Some("whole") => once.chain(stream::once(async { Ok(Frame::trailers(fine())) })).boxed(),
            Some("panic") => once.chain(stream::once(async { panic!("in the middle") })).boxed(),
            _ => once.chain(stream::pending()).boxed(),
        };
        let response = HttpResponse::builder().header("content-type", "application/grpc");
        ready(Ok(response.body(Body::new(StreamBody::new(body))).unwrap())).boxed()
    }
}

fn fine() -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))])
}

fn message(length: usize) -> Frame<bytes::Bytes> {
    let case = Case { category: "x".repeat(length), ..Case::default() };
    let message = WatchCaseResponse { case: Some(case) }.encode_to_vec();
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    Frame::data(frame.into())
}

/// Waits for tasks that never come.
#[derive(Clone)]
struct Waits;

impl NamedService for Waits {
    const NAME: &'static str = "redress.resolution.v1.ResolutionService";
}

impl Limited for Waits {
    fn limited(self, _: usize) -> Self {
        self
    }
}

impl tower::Service<HttpRequest<Body>> for Waits {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<HttpResponse<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: HttpRequest<Body>) -> Self::Future {
        std::future::pending().boxed()
    }
}
