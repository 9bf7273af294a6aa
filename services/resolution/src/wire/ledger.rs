//! The remedy ledger: what is asked of it, and how it is shown.

use std::str::FromStr as _;

use fault::{Check, Fault};
use jiff::civil::Date;
use kernel::page::Page;
use kernel::{CaseId, Money};
use proto::redress::resolution::v1;
use proto::timestamp;
use uuid::Uuid;

use super::{INVALID_REQUEST, MAX_NAME, money, page_by_id};
use crate::ledger::{Account, Balance, BalanceFilter, Entry, Grouping, Movement, Scope};

/// Most days whose balances are asked for at once, where neither case nor customer is named.
pub(crate) const MAX_DAYS: i32 = 366;
const DAY: &str = "must be a day as 2026-11-28";

/// Entries, page by page.
pub(crate) struct EntryQuery {
    pub(crate) scope: Scope,
    pub(crate) page: Page,
    pub(crate) after: Option<Uuid>,
}

/// Balances, page by page.
pub(crate) struct BalanceQuery {
    pub(crate) grouping: Grouping,
    pub(crate) filter: BalanceFilter,
    pub(crate) page: Page,
}

pub(crate) fn entry_listing(request: v1::ListLedgerEntriesRequest) -> Result<EntryQuery, Fault> {
    let v1::ListLedgerEntriesRequest { page_size, page_token, case_id, department_id, reference } = request;
    let mut check = Check::new();
    let filters = format!("{case_id} {department_id} {reference}");
    let (page, after) = page_by_id(&mut check, page_size, &page_token, &filters);
    let case = check.optional_id("case_id", &case_id).map(CaseId);
    let department = check.optional_slug("department_id", department_id);
    check.ensure(case.is_some() != department.is_some(), "case_id", "or department_id is required, not both");
    let reference = check.text("reference", reference, MAX_NAME);
    check.ensure(reference.is_empty() || case.is_none(), "reference", "goes with department_id only");
    check.done(INVALID_REQUEST)?;
    let reference = Some(reference).filter(|reference| !reference.is_empty());
    let scope = match case {
        Some(case) => Scope::Case(case),
        None => Scope::Department(department.unwrap_or_default(), reference),
    };
    Ok(EntryQuery { scope, page, after })
}

pub(crate) fn balance_listing(request: v1::ListBalancesRequest) -> Result<BalanceQuery, Fault> {
    let v1::ListBalancesRequest {
        page_size,
        page_token,
        grouping,
        case_id,
        customer_id,
        department_id,
        start_day,
        end_day,
    } = request;
    let mut check = Check::new();
    let filters = format!("{grouping} {case_id} {department_id} {start_day} {end_day} {customer_id}");
    let page = check.page(page_size, &page_token, &filters);
    // A key is a currency and a group: see `balance_key`.
    let is_key = page.after.as_ref().is_none_or(|key| key.as_bytes().get(3) == Some(&b' '));
    check.ensure(is_key, "page_token", "is not a token of this list");
    let group = i16::try_from(grouping).ok().and_then(Grouping::of);
    check.ensure(group.is_some(), "grouping", "is not known");
    let case_id = check.optional_id("case_id", &case_id).map(CaseId);
    let customer_id = check.text("customer_id", customer_id, MAX_NAME);
    let customer_id = Some(customer_id).filter(|customer| !customer.is_empty());
    check.ensure(case_id.is_none() || customer_id.is_none(), "customer_id", "does not go with case_id");
    let department_id = check.optional_slug("department_id", department_id);
    let (start, end) = (start_day.is_empty(), end_day.is_empty());
    let days = if start && end { None } else { days(&mut check, &start_day, &end_day) };
    let named = case_id.is_some() || customer_id.is_some();
    check.ensure(named || !(start && end), "start_day", "is required without case_id and customer_id");
    let span = days.map_or(0, |(start, end)| whole_days(start, end));
    check.ensure(named || span < MAX_DAYS, "end_day", "must be within 366 days from start_day");
    check.done(INVALID_REQUEST)?;
    let filter = BalanceFilter { case_id, customer_id, department_id, days };
    Ok(BalanceQuery { grouping: group.unwrap_or(Grouping::None), filter, page })
}

/// A first day and a last one.
pub(super) fn days(check: &mut Check, start: &str, end: &str) -> Option<(Date, Date)> {
    let mut day = |field, text| {
        let day = day(text);
        check.ensure(day.is_some(), field, DAY);
        day
    };
    let (start, end) = (day("start_day", start), day("end_day", end));
    let (start, end) = (start?, end?);
    check.ensure(start <= end, "end_day", "must not be before start_day");
    Some((start, end))
}

/// A day as it is written, of the years 1 to 9999.
pub(super) fn day(text: &str) -> Option<Date> {
    let plain = text.len() == "2026-11-28".len() && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    Date::from_str(text).ok().filter(|day| plain && day.year() > 0)
}

/// How many days lie between two.
pub(super) fn whole_days(start: Date, end: Date) -> i32 {
    (end - start).get_days()
}

/// What a balance is paged by.
pub(crate) fn balance_key(balance: &Balance) -> String {
    format!("{} {}", balance.currency, balance.group)
}

/// An entry as it is shown.
pub(crate) fn entry(entry: &Entry) -> v1::LedgerEntry {
    v1::LedgerEntry {
        entry_id: entry.entry_id.to_string(),
        journal_id: entry.journal_id.to_string(),
        movement: i32::from(entry.movement.number()),
        debit: i32::from(entry.movement.debit().number()),
        credit: i32::from(entry.movement.credit().number()),
        amount: Some(money(&entry.amount)),
        plan_id: entry.plan_id.to_string(),
        step_id: entry.step_id.clone(),
        case_id: entry.case_id.to_string(),
        cycle: entry.cycle,
        department_id: entry.department_id.clone(),
        kind: i32::from(entry.kind.number()),
        task_id: entry.task_id.map(|task| task.to_string()).unwrap_or_default(),
        reference: entry.reference.clone(),
        book_time: Some(timestamp(entry.booked_at)),
    }
}

/// A balance as it is shown.
pub(crate) fn balance(balance: &Balance) -> v1::LedgerBalance {
    let shown = |minor: i64| Some(money(&Money { minor, currency: balance.currency.clone() }));
    let sum = |movement: Movement| shown(balance.books.sum(movement));
    v1::LedgerBalance {
        group: balance.group.clone(),
        promised: sum(Movement::Promised),
        approved: sum(Movement::Approved),
        executed: sum(Movement::Executed),
        reversed: sum(Movement::Reversed),
        withdrawn: sum(Movement::Withdrawn),
        released: sum(Movement::Released),
        promised_open: shown(balance.books.balance(Account::Promised)),
        approved_open: shown(balance.books.balance(Account::Approved)),
        executed_net: shown(balance.books.balance(Account::Executed)),
        written_off: sum(Movement::WrittenOff),
    }
}
