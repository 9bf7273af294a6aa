//! What the work of each handler came to, with how surely that is known: for recognition and
//! coaching, in no order of rank.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use kernel::Role;
use proto::redress::feedback::v1::quality_service_client::QualityServiceClient;
use proto::redress::feedback::v1::{ListScorecardsRequest, ScoreMean, ScoreShare, Scorecard};
use serde::Deserialize;

use super::ask::{Ask, FiguresQuery};
use super::{sees, tabs, told};
use crate::boards::{Tab, encoded};
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::session::Visitor;

/// Rows of a page.
const ROWS: i32 = 100;

#[derive(Default, Deserialize)]
pub(super) struct Paged {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    page: String,
}

/// A handler's figures: each as it reads, and its interval.
struct Row {
    agent: String,
    few: bool,
    resolved: i64,
    adjusted: String,
    figures: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "figures/scorecards.html")]
struct Page {
    f: Frame,
    tabs: Vec<Tab>,
    ask: Ask,
    rows: Vec<Row>,
    next: Option<String>,
}

impl Page {
    /// Nothing is chosen by channel here.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn no_channels(&self) -> Vec<(String, &'static str)> {
        Vec::new()
    }
}

fn share(of: Option<&ScoreShare>) -> (String, String) {
    let of = of.copied().unwrap_or_default();
    let range = |lower: f64, upper: f64| format!("{}–{}", told::share(lower), told::share(upper));
    (
        of.share.map_or_else(|| told::NOTHING.to_owned(), told::share),
        of.lower.zip(of.upper).map(|(lower, upper)| range(lower, upper)).unwrap_or_default(),
    )
}

fn mean(of: Option<&ScoreMean>) -> (String, String) {
    let of = of.copied().unwrap_or_default();
    (
        of.mean.map_or_else(|| told::NOTHING.to_owned(), |mean| format!("{mean:.1}")),
        of.lower.zip(of.upper).map(|(lower, upper)| format!("{lower:.1}–{upper:.1}")).unwrap_or_default(),
    )
}

fn row(card: Scorecard) -> Row {
    Row {
        figures: vec![
            share(card.on_time.as_ref()),
            share(card.reopened.as_ref()),
            mean(card.satisfaction.as_ref()),
            mean(card.quality.as_ref()),
        ],
        agent: card.agent_id,
        few: card.few,
        resolved: card.resolved_count,
        adjusted: format!("{:.1}", card.adjusted_count),
    }
}

/// Lists scorecards, in the order of who they are of.
pub(super) async fn list(visitor: Visitor, Query(asked): Query<Paged>) -> Result<Response, Problem> {
    sees(&visitor, Role::Supervisor)?;
    let client = visitor.client()?;
    let ask = Ask::of(&visitor, &FiguresQuery { from: asked.from, to: asked.to, ..FiguresQuery::default() })
        .await?;
    let query = ask.query("received");
    let request = ListScorecardsRequest {
        page_size: ROWS,
        page_token: asked.page,
        start_date: query.start_date,
        end_date: query.end_date,
        agent_id: String::new(),
    };
    let answer = QualityServiceClient::new(client.calls()).list_scorecards(request).await?.into_inner();
    let next = (!answer.next_page_token.is_empty()).then(|| {
        let page = encoded(&answer.next_page_token);
        visitor.app.path(&format!("/figures/scorecards?from={}&to={}&page={page}", ask.from, ask.to))
    });
    Ok(html(&Page {
        f: Frame::new(&visitor, visitor.words.scorecards_title(), "figures"),
        tabs: tabs(&visitor, "/figures/scorecards"),
        rows: answer.scorecards.into_iter().map(row).collect(),
        next,
        ask,
    }))
}
