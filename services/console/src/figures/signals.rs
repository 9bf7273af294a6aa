//! Signals: more complaints of a kind than its past explains. Each with its days; supervisors
//! say where one means nothing.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use charts::Chart;
use http::StatusCode;
use kernel::Role;
use proto::redress::feedback::v1::signal_service_client::SignalServiceClient;
use proto::redress::feedback::v1::{
    DismissSignalRequest, GetSignalRequest, ListSignalsRequest, Signal, SignalSeries, SignalState,
};
use serde::Deserialize;

use super::{sees, tabs};
use crate::app::App;
use crate::boards::{Failed, Forms, Tab, When, encoded};
use crate::form::Posted;
use crate::page::{Frame, html, html_with};
use crate::problem::Problem;
use crate::routes::{back_to, see_other};
use crate::session::Visitor;
use crate::words::Words;

/// Rows of a page.
const ROWS: i32 = 50;
/// States, as addresses name them.
const STATES: [(&str, SignalState); 4] = [
    ("active", SignalState::Active),
    ("ended", SignalState::Ended),
    ("dismissed", SignalState::Dismissed),
    ("any", SignalState::Unspecified),
];

#[derive(Default, Deserialize)]
pub(super) struct SignalsQuery {
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
    /// What was just done.
    #[serde(default)]
    done: String,
}

/// A signal as a row.
struct Row {
    path: String,
    name: String,
    signal: Signal,
}

#[derive(Template)]
#[template(path = "figures/signals.html")]
struct ListPage {
    f: Frame,
    tabs: Vec<Tab>,
    states: Vec<Tab>,
    rows: Vec<Row>,
    next: Option<String>,
}

/// What a series has in common.
fn named(series: Option<&SignalSeries>, t: Words) -> String {
    let series = series.cloned().unwrap_or_default();
    let parts = [series.category, series.product, series.region];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { t.signal_all().to_owned() } else { parts.join(" · ") }
}

/// Lists signals, newest first.
pub(super) async fn list(visitor: Visitor, Query(asked): Query<SignalsQuery>) -> Result<Response, Problem> {
    sees(&visitor, Role::Reader)?;
    let client = visitor.client()?;
    let (key, state) = STATES.into_iter().find(|(key, _)| *key == asked.state).unwrap_or(STATES[0]);
    let request = ListSignalsRequest { page_size: ROWS, page_token: asked.page, state: state.into() };
    let answer = SignalServiceClient::new(client.calls()).list_signals(request).await?.into_inner();
    let t = visitor.words;
    let path = |key: &str| visitor.app.path(&format!("/figures/signals?state={key}"));
    let states = STATES.into_iter().map(|(one, state)| Tab {
        name: match state {
            SignalState::Unspecified => t.climbed_any().to_owned(),
            state => t.signal_state(i32::from(state)).to_owned(),
        },
        path: path(one),
        is_here: one == key,
        count: String::new(),
    });
    let rows = answer.signals.into_iter().map(|signal| Row {
        path: visitor.app.path(&format!("/figures/signals/{}", encoded(&signal.signal_id))),
        name: named(signal.series.as_ref(), t),
        signal,
    });
    let next = (!answer.next_page_token.is_empty())
        .then(|| format!("{}&page={}", path(key), encoded(&answer.next_page_token)));
    Ok(html(&ListPage {
        f: Frame::new(&visitor, t.signals_title(), "figures"),
        tabs: tabs(&visitor, "/figures/signals"),
        states: states.collect(),
        rows: rows.collect(),
        next,
    }))
}

impl Row {
    fn expected(&self) -> String {
        format!("{:.1}", self.signal.expected_total)
    }
}

#[derive(Template)]
#[template(path = "figures/signal.html")]
struct SignalPage {
    f: Frame,
    tabs: Vec<Tab>,
    signal: Signal,
    raised: Option<When>,
    /// Its days as HTML.
    chart: String,
    days: Vec<(String, i64, String, i64)>,
    forms: Forms,
    can_dismiss: bool,
    done: String,
}

/// The address of a form, as somebody opens it again.
pub(super) async fn back(visitor: Visitor, Path(id): Path<String>) -> Response {
    back_to(&visitor.app, &format!("/figures/signals/{id}"))
}

/// Shows a signal with its days.
pub(super) async fn show(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<SignalsQuery>,
) -> Result<Response, Problem> {
    page(visitor, &id, &asked.done, None).await
}

async fn page(visitor: Visitor, id: &str, done: &str, failed: Option<Failed>) -> Result<Response, Problem> {
    sees(&visitor, Role::Reader)?;
    let client = visitor.client()?;
    let request = GetSignalRequest { signal_id: id.to_owned() };
    let answer = SignalServiceClient::new(client.calls()).get_signal(request).await?.into_inner();
    let signal = answer.signal.ok_or_else(|| Problem::broken("a signal is missing from its answer"))?;
    let t = visitor.words;
    let name = named(signal.series.as_ref(), t);
    let chart = chart(&signal, &name, t);
    let days = signal.days.iter().rev();
    let days = days.map(|day| (day.date.clone(), day.count, format!("{:.1}", day.expected), day.bound));
    let status = failed.as_ref().map_or(StatusCode::OK, |failed| failed.problem.status());
    let f = Frame::new(&visitor, t.signal_title(&name), "figures");
    let forms = Forms::new(&visitor, &f.token, failed);
    let is_open = signal.state() != SignalState::Dismissed;
    let page = SignalPage {
        tabs: tabs(&visitor, "/figures/signals"),
        raised: When::of(signal.raise_time.as_ref(), &visitor),
        can_dismiss: visitor.may_act_as(Role::Supervisor) && (is_open || forms.has_failed("dismiss")),
        done: if done == "dismiss" { t.done_dismiss().to_owned() } else { String::new() },
        days: days.collect(),
        chart,
        signal,
        forms,
        f,
    };
    Ok(html_with(status, &page))
}

#[expect(clippy::cast_precision_loss, reason = "drawn some hundred units wide")]
fn chart(signal: &Signal, name: &str, t: Words) -> String {
    let all = |of: fn(&proto::redress::feedback::v1::SignalDay) -> f64| {
        signal.days.iter().map(|day| Some(of(day))).collect::<Vec<_>>()
    };
    let chart = Chart::Lines {
        labels: signal.days.iter().map(|day| day.date.clone()).collect(),
        series: vec![
            (t.kpi_received().to_owned(), all(|day| day.count as f64)),
            (t.signal_bound().to_owned(), all(|day| day.bound as f64)),
            (t.signal_expected().to_owned(), all(|day| day.expected)),
        ],
    };
    charts::chart(&chart, "days", name, t.signal_lead()) + &charts::legend(&chart)
}

/// Says that a signal means nothing.
pub(super) async fn dismiss(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    sees(&visitor, Role::Supervisor)?;
    let client = visitor.client()?;
    let request = DismissSignalRequest {
        request_id: posted.request_id(),
        signal_id: id.clone(),
        expected_version: posted.version().unwrap_or_default(),
        reason: posted.text("reason").to_owned(),
    };
    match SignalServiceClient::new(client.calls()).dismiss_signal(request).await {
        Ok(_) => Ok(see_other(&app.path(&format!("/figures/signals/{}?done=dismiss", encoded(&id))))),
        Err(status) => {
            let failed = Failed { form: "dismiss".to_owned(), posted, problem: status.into() };
            page(visitor, &id, "", Some(failed)).await
        }
    }
}
