//! A department's own statement, held against the ledger: taken in as a stream, so that none of
//! it lies anywhere, and what became of each row.

mod reading;

use askama::Template;
use axum::extract::{FromRequest as _, Multipart, Path, Query, Request, State};
use axum::response::Response;
use jiff::ToSpan as _;
use kernel::Role;
use proto::redress::resolution::v1::ledger_service_client::LedgerServiceClient;
use proto::redress::resolution::v1::{
    ListReconciledRowsRequest, ReconciledRow, Reconciliation, StatementVerdict,
};
use serde::{Deserialize, Serialize};

use super::{BRING, Place};
use crate::app::App;
use crate::boards::{Failed, Forms, Tab, encoded};
use crate::form::{Posted, TOKEN};
use crate::money;
use crate::page::{Frame, html, html_with};
use crate::problem::Problem;
use crate::routes::see_other;
use crate::session::Visitor;
use crate::words::Words;

/// Most bytes of a statement.
pub(super) const BYTES_MAX: usize = 256 << 20;
/// Most fields beside it, and bytes of them.
const FIELDS_MAX: usize = 20;
const FIELDS_BYTES_MAX: usize = 64 << 10;
/// Rows of a page.
const ROWS: i32 = 100;
/// What counts of a statement are sealed for, on their way to the page that shows them.
const SEAL: &str = "reconciliation";
/// Verdicts, as addresses name them.
const VERDICTS: [(&str, StatementVerdict); 6] = [
    ("missing", StatementVerdict::Missing),
    ("different", StatementVerdict::DifferentAmount),
    ("doubled", StatementVerdict::Doubled),
    ("unknown", StatementVerdict::Unknown),
    ("unreadable", StatementVerdict::Unreadable),
    ("matched", StatementVerdict::Matched),
];

/// How many rows there are of each kind, as the answer to a statement told it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counts {
    id: String,
    department: String,
    start: String,
    end: String,
    rows: i64,
    /// In the order of `VERDICTS`.
    verdicts: [i64; 6],
}

impl Counts {
    fn of(done: &Reconciliation) -> Self {
        Self {
            id: done.reconciliation_id.clone(),
            department: done.department_id.clone(),
            start: done.start_day.clone(),
            end: done.end_day.clone(),
            rows: done.row_count,
            verdicts: [
                done.missing_count,
                done.different_amount_count,
                done.doubled_count,
                done.unknown_count,
                done.unreadable_count,
                done.matched_count,
            ],
        }
    }

    fn sealed(&self, app: &App) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        app.seals.seal(SEAL, &text).unwrap_or_default()
    }

    /// Those of this statement; none where an address has been tampered with.
    fn opened(app: &App, sealed: &str, id: &str) -> Option<Self> {
        let counts: Self = serde_json::from_slice(&app.seals.open(SEAL, sealed)?).ok()?;
        (counts.id == id).then_some(counts)
    }
}

#[derive(Default, Deserialize)]
pub(super) struct StatementsQuery {
    #[serde(default)]
    department: String,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    counts: String,
    #[serde(default)]
    page: String,
}

#[derive(Template)]
#[template(path = "department/statement.html")]
struct FormPage {
    f: Frame,
    place: Place,
    forms: Forms,
    /// The month that ended last, for most statements are of it.
    start: String,
    end: String,
    limit: String,
}

/// The form to bring a statement by.
pub(super) async fn form(
    visitor: Visitor,
    Query(asked): Query<StatementsQuery>,
) -> Result<Response, Problem> {
    let place = Place::of(&visitor, &asked.department, &BRING).await?;
    Ok(html(&form_page(&visitor, place, None)))
}

fn form_page(visitor: &Visitor, place: Place, failed: Option<Failed>) -> FormPage {
    let today = visitor.app.clock.now().to_zoned(visitor.zone.clone()).date();
    let first = today.first_of_month();
    let (start, end) = (first.checked_sub(1.month()), first.checked_sub(1.day()));
    let f = Frame::new(visitor, visitor.words.statement_title(), "department");
    let forms = Forms::new(visitor, &f.token, failed);
    let day = |day: Result<jiff::civil::Date, _>| day.unwrap_or(today).to_string();
    let limit = crate::papers::size(i64::try_from(BYTES_MAX).unwrap_or(i64::MAX));
    FormPage { f, place, forms, start: day(start), end: day(end), limit }
}

/// Holds a statement against the ledger while it is taken in.
pub(super) async fn reconcile(
    State(app): State<App>,
    visitor: Visitor,
    request: Request,
) -> Result<Response, Problem> {
    visitor.person()?;
    if !BRING.iter().any(|role| visitor.may_act_as(*role)) {
        return Err(Problem::own(tonic::Code::PermissionDenied, "ROLE_REQUIRED"));
    }
    let multipart = Multipart::from_request(request, &app).await;
    let mut multipart = multipart.map_err(|refused| Problem::unreadable(&refused.body_text()))?;
    let (mut fields, mut bytes) = (Vec::new(), 0);
    let posted = loop {
        let next = multipart.next_field().await;
        let Some(field) = next.map_err(|refused| Problem::unreadable(&refused.body_text()))? else {
            return Err(Problem::unreadable("no statement came with it"));
        };
        if field.file_name().is_some() {
            let posted = Posted::of(std::mem::take(&mut fields));
            // Nothing is read before the token is, which stands first.
            if !crate::form_token::is_of(&app.seals, &visitor.session.id, posted.text(TOKEN)) {
                return Err(Problem::form_expired());
            }
            match Box::pin(reading::send(&visitor, &posted, field)).await {
                Ok(done) => {
                    let counts = Counts::of(&done);
                    let path = format!(
                        "/department/statements/{}?counts={}",
                        encoded(&done.reconciliation_id),
                        counts.sealed(&app)
                    );
                    return Ok(see_other(&app.path(&path)));
                }
                Err(problem) => break (posted, problem),
            }
        }
        let name = field.name().unwrap_or_default().to_owned();
        let value = field.text().await.map_err(|refused| Problem::unreadable(&refused.body_text()))?;
        bytes += name.len() + value.len();
        if bytes > FIELDS_BYTES_MAX || fields.len() >= FIELDS_MAX {
            return Err(Problem::unreadable("too many fields, or too long ones"));
        }
        fields.push((name, value));
    };
    let (posted, problem) = posted;
    let place = Place::of(&visitor, posted.text("department"), &BRING).await?;
    let status = problem.status();
    let failed = Failed { form: "statement".to_owned(), posted, problem };
    Ok(html_with(status, &form_page(&visitor, place, Some(failed))))
}

/// A row and what became of it.
struct Row {
    number: String,
    reference: String,
    direction: &'static str,
    sum: String,
    day: String,
    /// The sum that the ledger has.
    booked: String,
    case: Option<(String, String)>,
    reason: String,
}

#[derive(Template)]
#[template(path = "department/statement_rows.html")]
struct RowsPage {
    f: Frame,
    counts: Option<Counts>,
    is_clean: bool,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    next: Option<String>,
    again: String,
}

/// What became of the rows of a statement, kind by kind.
pub(super) async fn rows(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<StatementsQuery>,
) -> Result<Response, Problem> {
    let client = visitor.client()?;
    let counts = Counts::opened(&app, &asked.counts, &id);
    let (key, verdict) =
        VERDICTS.into_iter().find(|(key, _)| *key == asked.verdict).unwrap_or_else(|| first(counts.as_ref()));
    let request = ListReconciledRowsRequest {
        reconciliation_id: id.clone(),
        verdict: verdict.into(),
        page_size: ROWS,
        page_token: asked.page.clone(),
    };
    let answer = LedgerServiceClient::new(client.calls()).list_reconciled_rows(request).await?.into_inner();
    let t = visitor.words;
    let path = |key: &str, rest: &str| {
        let counts = encoded(&asked.counts);
        app.path(&format!("/department/statements/{}?verdict={key}&counts={counts}{rest}", encoded(&id)))
    };
    let tabs = VERDICTS.into_iter().enumerate().map(|(number, (one, verdict))| Tab {
        name: t.verdict(i32::from(verdict)).to_owned(),
        path: path(one, ""),
        is_here: one == key,
        count: counts
            .as_ref()
            .and_then(|counts| counts.verdicts.get(number))
            .map(ToString::to_string)
            .unwrap_or_default(),
    });
    let next = (!answer.next_page_token.is_empty())
        .then(|| path(key, &format!("&page={}", encoded(&answer.next_page_token))));
    let department = counts.as_ref().map(|counts| encoded(&counts.department)).unwrap_or_default();
    Ok(html(&RowsPage {
        f: Frame::new(&visitor, t.statement_result(), "department"),
        tabs: tabs.collect(),
        rows: answer.rows.into_iter().map(|one| row(one, &visitor, t)).collect(),
        is_clean: counts.as_ref().is_some_and(|counts| counts.verdicts[..5].iter().all(|count| *count == 0)),
        counts,
        next,
        again: app.path(&format!("/department/statements?department={department}")),
    }))
}

/// What is shown first: the first kind that there is any of.
fn first(counts: Option<&Counts>) -> (&'static str, StatementVerdict) {
    let is_there = |number: &usize| counts.is_some_and(|counts| counts.verdicts.get(*number) > Some(&0));
    let number = (0..VERDICTS.len()).find(is_there).unwrap_or_default();
    VERDICTS.get(number).copied().unwrap_or(("missing", StatementVerdict::Missing))
}

fn row(one: ReconciledRow, visitor: &Visitor, t: Words) -> Row {
    let entry = one.entry.unwrap_or_default();
    let row = one.row.unwrap_or_default();
    let direction = if row.direction == 0 { "" } else { t.direction(row.direction) };
    let reference = if row.reference.is_empty() { entry.reference.clone() } else { row.reference };
    let case = (!entry.case_id.is_empty() && visitor.may_act_as(Role::Reader))
        .then(|| (visitor.app.path(&format!("/cases/{}", encoded(&entry.case_id))), entry.case_id.clone()));
    Row {
        number: if row.number == 0 { String::new() } else { row.number.to_string() },
        reference,
        direction,
        sum: money::text(row.amount.as_ref()),
        day: row.day,
        booked: money::text(entry.amount.as_ref()),
        case,
        reason: if row.fault.is_empty() { one.reason } else { row.fault },
    }
}

impl FormPage {
    /// What was written into a field, else what it begins with.
    fn written<'a>(&'a self, field: &str, begins: &'a str) -> &'a str {
        self.forms.written("statement", field, begins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_match_is_shown_first() {
        let of = |verdicts: [i64; 6]| first(Some(&Counts { verdicts, ..Counts::default() })).0;
        assert_eq!(of([0, 0, 0, 3, 0, 9]), "unknown");
        assert_eq!(of([0, 0, 0, 0, 0, 9]), "matched");
        assert_eq!(of([0; 6]), "missing");
        assert_eq!(first(None).0, "missing");
    }
}
