//! Departments' statements: how they are read, and how what came of them is shown.

use fault::{Check, Fault, MAX_REQUEST_ID};
use kernel::page::Page;
use proto::redress::resolution::v1;
use proto::timestamp;
use uuid::Uuid;

use super::ledger::{MAX_DAYS, day, days, entry, whole_days};
use super::{INVALID_REQUEST, MAX_NAME, money};
use crate::ledger::Movement;
use crate::ledger::statement::{
    Header, MAX_ROWS_AT_ONCE, Period, ReconciledRow, Reconciliation, Row, Verdict,
};

const INVALID_STATEMENT: &str = "INVALID_STATEMENT";

/// Rows of a statement, page by page.
pub(crate) struct RowQuery {
    pub(crate) reconciliation_id: Uuid,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) page: Page,
    pub(crate) after: i64,
}

/// The first message of a statement.
pub(crate) fn first(request: v1::ReconcileStatementRequest) -> Result<(Header, Vec<Row>), Fault> {
    let v1::ReconcileStatementRequest { request_id, department_id, start_day, end_day, rows } = request;
    let mut check = Check::new();
    let request_id = check.required("request_id", request_id, MAX_REQUEST_ID);
    let department_id = check.slug("department_id", department_id);
    let days = days(&mut check, &start_day, &end_day);
    let span = days.map_or(0, |(start, end)| whole_days(start, end));
    check.ensure(span < MAX_DAYS, "end_day", "must be within 366 days from start_day");
    let rows = read_rows(&mut check, rows, 0);
    check.done(INVALID_STATEMENT)?;
    let (start, end) = days.unwrap_or_default();
    Ok((Header { request_id, department_id, period: Period { start, end } }, rows))
}

/// A later message of a statement, after the row of this number.
pub(crate) fn more(request: v1::ReconcileStatementRequest, after: i64) -> Result<Vec<Row>, Fault> {
    let v1::ReconcileStatementRequest { request_id, department_id, start_day, end_day, rows } = request;
    let mut check = Check::new();
    for (field, text) in [
        ("request_id", request_id),
        ("department_id", department_id),
        ("start_day", start_day),
        ("end_day", end_day),
    ] {
        check.ensure(text.is_empty(), field, "is for the first message only");
    }
    let rows = read_rows(&mut check, rows, after);
    check.done(INVALID_STATEMENT)?;
    Ok(rows)
}

fn read_rows(check: &mut Check, rows: Vec<v1::StatementRow>, mut after: i64) -> Vec<Row> {
    let rows = check.list("rows", rows, MAX_ROWS_AT_ONCE);
    let mut read = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        let grows = row.number > after && row.number < i64::MAX / 2;
        check.ensure(grows, &format!("rows[{index}].number"), "must grow from row to row");
        after = row.number;
        read.push(read_row(row));
    }
    read
}

/// A row; what is wrong with it is its own.
fn read_row(row: v1::StatementRow) -> Row {
    let v1::StatementRow { number, reference, amount, direction, day: booked, fault } = row;
    let mut check = Check::new();
    let reference = check.required("reference", reference, MAX_NAME);
    check.ensure(amount.is_some(), "amount", "is required");
    let amount = check.money("amount", amount);
    check.ensure(amount.as_ref().is_none_or(|sum| sum.minor > 0), "amount", "must be more than zero");
    let movement = match v1::StatementDirection::try_from(direction) {
        Ok(v1::StatementDirection::Paid) => Some(Movement::Executed),
        Ok(v1::StatementDirection::Collected) => Some(Movement::Reversed),
        _ => None,
    };
    check.ensure(movement.is_some(), "direction", "must be paid or collected");
    check.ensure(booked.is_empty() || day(&booked).is_some(), "day", "must be a day as 2026-11-28");
    let told = check.violations().map(|one| format!("{} {}", one.field, one.description));
    let told = told.collect::<Vec<_>>().join("; ");
    let fault = if fault.trim().is_empty() { told } else { storable(&fault) };
    let amount = amount.filter(|sum| sum.minor > 0);
    Row { number, reference: storable(&reference), amount, movement, day: storable(&booked), fault }
}

/// As much of a text as is kept: of a row that cannot be read, whatever it says.
fn storable(text: &str) -> String {
    text.chars().filter(|letter| *letter != '\0').take(MAX_NAME).collect()
}

pub(crate) fn row_listing(request: v1::ListReconciledRowsRequest) -> Result<RowQuery, Fault> {
    let v1::ListReconciledRowsRequest { reconciliation_id, verdict, page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &format!("{reconciliation_id} {verdict}"));
    let after = page.after.as_deref().map_or(Some(0), |after| after.parse().ok());
    check.ensure(after.is_some(), "page_token", "is not a token of this list");
    let reconciliation_id = check.id("reconciliation_id", &reconciliation_id);
    let wanted = i16::try_from(verdict).ok().and_then(Verdict::of);
    check.ensure(wanted.is_some(), "verdict", "is not known");
    check.done(INVALID_REQUEST)?;
    let verdict = wanted.filter(|verdict| *verdict != Verdict::Pending);
    Ok(RowQuery { reconciliation_id, verdict, page, after: after.unwrap_or_default() })
}

/// A statement as it is shown.
pub(crate) fn reconciliation(done: &Reconciliation) -> v1::Reconciliation {
    let Header { request_id: _, department_id, period } = &done.header;
    v1::Reconciliation {
        reconciliation_id: done.reconciliation_id.to_string(),
        department_id: department_id.clone(),
        start_day: period.start.to_string(),
        end_day: period.end.to_string(),
        author: done.author.clone(),
        create_time: Some(timestamp(done.created_at)),
        row_count: done.row_count,
        matched_count: done.count(Verdict::Matched),
        missing_count: done.count(Verdict::Missing),
        doubled_count: done.count(Verdict::Doubled),
        different_amount_count: done.count(Verdict::DifferentAmount),
        unknown_count: done.count(Verdict::Unknown),
        unreadable_count: done.count(Verdict::Unreadable),
    }
}

/// A row as it is shown.
pub(crate) fn row(one: &ReconciledRow) -> v1::ReconciledRow {
    let Row { number, reference, amount, movement, day, fault } = &one.row;
    let direction = match movement {
        Some(Movement::Executed) => v1::StatementDirection::Paid,
        Some(Movement::Reversed) => v1::StatementDirection::Collected,
        _ => v1::StatementDirection::Unspecified,
    };
    let row = v1::StatementRow {
        number: *number,
        reference: reference.clone(),
        amount: amount.as_ref().map(money),
        direction: direction.into(),
        day: day.clone(),
        fault: fault.clone(),
    };
    v1::ReconciledRow {
        verdict: i32::from(one.verdict.number()),
        row: (one.verdict != Verdict::Missing).then_some(row),
        entry: one.entry.as_ref().map(entry),
        reason: one.reason(),
    }
}
