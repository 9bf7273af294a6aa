//! Tells a page of a case that it has changed, as a stream of events that browsers know
//! (`text/event-stream`): `change` with what the page is then, `over` once nothing follows.
//!
//! The case itself tells when it changes. What departments do with its tasks is looked at from
//! time to time, as no service tells that of one case.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use bytes::Bytes;
use client::Client;
use futures::stream::unfold;
use http::{HeaderValue, header};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{WatchCaseRequest, WatchCaseResponse};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{ListPlansRequest, ListTasksRequest};
use server::Stop;
use tokio::time::Instant;
use tonic::Streaming;

use crate::problem::Problem;
use crate::session::Visitor;

/// How often plans and tasks are looked at. Something is said each time, so that what lies
/// between does not take the connection for dead.
const LOOK: Duration = Duration::from_secs(10);
/// Longest that a browser is told of changes before it asks again, with the tokens it has then.
const LONGEST: Duration = Duration::from_mins(10);
/// Most plans and tasks that are looked at.
const ROWS: i32 = 100;

/// Where a stream stands.
struct Watch {
    client: Client,
    case_id: String,
    cases: Streaming<WatchCaseResponse>,
    version: i64,
    /// What plans and tasks came to when they were last looked at; none before.
    work: Option<u64>,
    look: Instant,
    stop: Stop,
    ends: Instant,
    is_over: bool,
}

/// Streams the changes of a case.
pub(super) async fn events(
    visitor: Visitor,
    Path(case_id): Path<String>,
    Extension(stop): Extension<Stop>,
) -> Result<Response, Problem> {
    let client = visitor.client()?;
    let request = WatchCaseRequest { case_id: case_id.clone() };
    let cases = CaseServiceClient::new(client.calls()).watch_case(request).await?.into_inner();
    let now = Instant::now();
    let (work, look, ends) = (None, now, now + LONGEST);
    let watch = Watch { client, case_id, cases, version: 0, work, look, stop, ends, is_over: false };
    let events = unfold(watch, |mut watch| async move {
        if watch.is_over {
            return None;
        }
        let said = watch.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(said)), watch))
    });
    let mut answer = Response::new(Body::from_stream(events));
    let kind = HeaderValue::from_static("text/event-stream");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    // A proxy that collects answers would keep the page from them.
    answer.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(answer)
}

impl Watch {
    /// What to say next; nothing once the browser is to ask again.
    async fn next(&mut self) -> Option<String> {
        tokio::select! {
            () = self.stop.cancelled() => None,
            () = tokio::time::sleep_until(self.ends) => None,
            told = self.cases.message() => match told {
                Ok(Some(told)) => {
                    self.version = told.case.map(|case| case.version).unwrap_or_default();
                    Some(format!("event: change\ndata: {}\n\n", self.version))
                }
                Ok(None) => {
                    self.is_over = true;
                    Some("event: over\ndata: \n\n".to_owned())
                }
                Err(status) => {
                    tracing::debug!(code = ?status.code(), "a case is not watched any more");
                    None
                }
            },
            () = tokio::time::sleep_until(self.look) => Some(self.look_at_work().await),
        }
    }

    /// Looks whether plans or tasks changed.
    async fn look_at_work(&mut self) -> String {
        self.look = Instant::now() + LOOK;
        let Some(work) = work(&self.client, &self.case_id).await else { return ": away\n\n".to_owned() };
        let before = self.work.replace(work);
        if before.is_none_or(|before| before == work) {
            return ": nothing new\n\n".to_owned();
        }
        format!("event: change\ndata: {}.{work}\n\n", self.version)
    }
}

/// What plans and tasks of a case come to: another number when one of them changed.
async fn work(client: &Client, case: &str) -> Option<u64> {
    let mut plans = ResolutionServiceClient::new(client.calls());
    let mut tasks = ResolutionServiceClient::new(client.calls());
    let of_plans = ListPlansRequest { case_id: case.to_owned(), page_size: ROWS, page_token: String::new() };
    let of_tasks =
        ListTasksRequest { case_id: case.to_owned(), page_size: ROWS, ..ListTasksRequest::default() };
    let (plans, tasks) = tokio::join!(plans.list_plans(of_plans), tasks.list_tasks(of_tasks));
    let (plans, tasks) = (plans.ok()?.into_inner().plans, tasks.ok()?.into_inner().tasks);
    let mut hasher = DefaultHasher::new();
    for plan in &plans {
        (&plan.plan_id, plan.version).hash(&mut hasher);
    }
    for task in &tasks {
        (&task.task_id, task.version).hash(&mut hasher);
    }
    Some(hasher.finish())
}
