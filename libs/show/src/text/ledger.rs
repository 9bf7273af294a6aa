//! The remedy ledger, and statements held against it.

use proto::redress::resolution::v1::{
    LedgerAccount, LedgerMovement, ListBalancesResponse, ListLedgerEntriesResponse,
    ListReconciledRowsResponse, ReconciledRow, Reconciliation, StatementDirection, StatementVerdict,
};

use super::{more, none_of};
use crate::lines::{money, time};
use crate::table::{Table, facts};
use crate::words::word;

/// A page of entries.
pub fn entry_list(list: &ListLedgerEntriesResponse) -> String {
    if list.entries.is_empty() {
        return none_of("entries", &list.next_page_token);
    }
    let mut table =
        Table::new(["booked", "movement", "from", "to", "sum", "department", "step", "reference"]);
    for entry in &list.entries {
        table.row([
            time(entry.book_time.as_ref()),
            word::<LedgerMovement>(entry.movement),
            word::<LedgerAccount>(entry.credit),
            word::<LedgerAccount>(entry.debit),
            money(entry.amount.as_ref()),
            entry.department_id.clone(),
            entry.step_id.clone(),
            entry.reference.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// A page of balances.
pub fn balances(list: &ListBalancesResponse) -> String {
    if list.balances.is_empty() {
        return none_of("balances", &list.next_page_token);
    }
    let mut table =
        Table::new(["of", "promised", "approved", "open", "executed", "reversed", "written off", "net"]);
    for one in &list.balances {
        table.row([
            one.group.clone(),
            money(one.promised.as_ref()),
            money(one.approved.as_ref()),
            money(one.approved_open.as_ref()),
            money(one.executed.as_ref()),
            money(one.reversed.as_ref()),
            money(one.written_off.as_ref()),
            money(one.executed_net.as_ref()),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What came of a statement.
pub fn reconciliation(done: &Reconciliation) -> String {
    facts(&[
        ("reconciliation", done.reconciliation_id.clone()),
        ("department", done.department_id.clone()),
        ("days", format!("{} to {}", done.start_day, done.end_day)),
        ("by", done.author.clone()),
        ("rows", done.row_count.to_string()),
        ("matched", done.matched_count.to_string()),
        ("missing", done.missing_count.to_string()),
        ("doubled", done.doubled_count.to_string()),
        ("different amount", done.different_amount_count.to_string()),
        ("unknown", done.unknown_count.to_string()),
        ("unreadable", done.unreadable_count.to_string()),
    ])
}

/// Rows of a statement and their verdicts.
pub fn reconciled(list: &ListReconciledRowsResponse) -> String {
    if list.rows.is_empty() {
        return none_of("rows", &list.next_page_token);
    }
    let mut table = Table::new(["row", "verdict", "way", "reference", "sum", "why"]);
    for one in &list.rows {
        table.row(cells(one));
    }
    table.render() + &more(&list.next_page_token)
}

fn cells(one: &ReconciledRow) -> [String; 6] {
    let verdict = word::<StatementVerdict>(one.verdict);
    match (&one.row, &one.entry) {
        (Some(row), _) => [
            row.number.to_string(),
            verdict,
            word::<StatementDirection>(row.direction),
            row.reference.clone(),
            money(row.amount.as_ref()),
            one.reason.clone(),
        ],
        (None, Some(entry)) => [
            String::new(),
            verdict,
            word::<LedgerMovement>(entry.movement),
            entry.reference.clone(),
            money(entry.amount.as_ref()),
            one.reason.clone(),
        ],
        (None, None) => {
            [String::new(), verdict, String::new(), String::new(), String::new(), one.reason.clone()]
        }
    }
}
