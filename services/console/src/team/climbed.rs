//! The open cases that are looked at: overdue, escalated, reopened, disputed.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use client::Client;
use futures::StreamExt as _;
use futures::stream;
use proto::redress::cases::v1::GetCaseRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::feedback::v1::case_supervision_service_client::CaseSupervisionServiceClient;
use proto::redress::feedback::v1::{
    GetSupervisionOverviewRequest, ListSupervisedCasesRequest, SupervisedCase, SupervisionCounts,
    SupervisionReason,
};
use serde::Deserialize;

use super::{supervises, tabs};
use crate::boards::{AT_ONCE, Tab, When, encoded, freshness};
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::session::Visitor;

/// Rows of a page.
const ROWS: i32 = 25;
/// Reasons, as addresses name them.
const REASONS: [(&str, SupervisionReason); 5] = [
    ("any", SupervisionReason::Unspecified),
    ("overdue", SupervisionReason::Overdue),
    ("escalated", SupervisionReason::Escalated),
    ("reworked", SupervisionReason::Reworked),
    ("disputed", SupervisionReason::Disputed),
];

#[derive(Default, Deserialize)]
pub(super) struct EscalationsQuery {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    page: String,
}

/// A case as a row.
struct Row {
    path: String,
    subject: String,
    case: SupervisedCase,
    received: Option<When>,
    breached: Option<When>,
}

#[derive(Template)]
#[template(path = "team/climbed.html")]
struct Page {
    f: Frame,
    tabs: Vec<Tab>,
    reasons: Vec<Tab>,
    rows: Vec<Row>,
    next: Option<String>,
    fresh: Vec<(String, bool)>,
}

/// Lists them, the oldest first.
pub(super) async fn list(
    visitor: Visitor,
    Query(asked): Query<EscalationsQuery>,
) -> Result<Response, Problem> {
    supervises(&visitor)?;
    let client = visitor.client()?;
    let (key, reason) = REASONS.into_iter().find(|(key, _)| *key == asked.reason).unwrap_or(REASONS[0]);
    let reasons = if reason == SupervisionReason::Unspecified { Vec::new() } else { vec![reason.into()] };
    let request = ListSupervisedCasesRequest {
        page_size: ROWS,
        page_token: asked.page,
        reasons,
        ..ListSupervisedCasesRequest::default()
    };
    let mut service = CaseSupervisionServiceClient::new(client.calls());
    let (listed, counts) = tokio::join!(service.list_supervised_cases(request), counts(&client));
    let listed = listed?.into_inner();
    let subjects = subjects(&client, &listed.cases).await;
    let t = visitor.words;
    let path = |key: &str| visitor.app.path(&format!("/team/escalations?reason={key}"));
    let reasons = REASONS.into_iter().map(|(one, reason)| Tab {
        name: match reason {
            SupervisionReason::Unspecified => t.climbed_any().to_owned(),
            reason => t.supervision_reason(i32::from(reason)).to_owned(),
        },
        path: path(one),
        is_here: one == key,
        count: counts.as_ref().map(|counts| of(counts, reason).to_string()).unwrap_or_default(),
    });
    let rows = listed.cases.into_iter().zip(subjects).map(|(case, subject)| Row {
        path: visitor.app.path(&format!("/cases/{}", encoded(&case.case_id))),
        subject: if subject.is_empty() { case.case_id.clone() } else { subject },
        received: When::of(case.receive_time.as_ref(), &visitor),
        breached: When::of(case.breach_time.as_ref(), &visitor),
        case,
    });
    let next = (!listed.next_page_token.is_empty())
        .then(|| format!("{}&page={}", path(key), encoded(&listed.next_page_token)));
    Ok(html(&Page {
        f: Frame::new(&visitor, t.team_climbed(), "team"),
        tabs: tabs(&visitor, "/team/escalations"),
        reasons: reasons.collect(),
        rows: rows.collect(),
        next,
        fresh: freshness(listed.state.as_ref(), &visitor),
    }))
}

fn of(counts: &SupervisionCounts, reason: SupervisionReason) -> i64 {
    match reason {
        SupervisionReason::Overdue => counts.overdue_count,
        SupervisionReason::Escalated => counts.escalated_count,
        SupervisionReason::Reworked => counts.reworked_count,
        SupervisionReason::Disputed => counts.disputed_count,
        SupervisionReason::Unspecified | SupervisionReason::MoneyOverLimit => counts.supervised_count,
    }
}

async fn counts(client: &Client) -> Option<SupervisionCounts> {
    let request =
        GetSupervisionOverviewRequest { max_holders: 1, ..GetSupervisionOverviewRequest::default() };
    let answer = CaseSupervisionServiceClient::new(client.calls()).get_supervision_overview(request).await;
    answer.ok()?.into_inner().totals
}

/// What each case is called: figures do not keep it.
async fn subjects(client: &Client, cases: &[SupervisedCase]) -> Vec<String> {
    let read = |case_id: String| async move {
        let answer = CaseServiceClient::new(client.calls()).get_case(GetCaseRequest { case_id }).await;
        answer.ok().and_then(|answer| answer.into_inner().case).map(|case| case.subject).unwrap_or_default()
    };
    let ids: Vec<String> = cases.iter().map(|case| case.case_id.clone()).collect();
    stream::iter(ids.into_iter().map(read)).buffered(AT_ONCE).collect().await
}
