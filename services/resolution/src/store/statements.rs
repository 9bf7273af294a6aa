//! Statements of departments: their rows, and which entry each goes to.
//!
//! An entry is free for a row while no row of the same statement has it, nor one of a
//! statement of days apart from its own.

pub(crate) mod retention;

use std::collections::HashMap;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use pg::{Binds, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{impossible, ledger, money};
use crate::ledger::statement::{Header, Period, ReconciledRow, Reconciliation, Row, UNFINISHED, Verdict};
use crate::ledger::{Entry, Movement};

#[derive(sqlx::FromRow)]
struct HeadRow {
    reconciliation_id: Uuid,
    request_id: String,
    department_id: String,
    start_day: jiff_sqlx::Date,
    end_day: jiff_sqlx::Date,
    author: String,
    created_at: jiff_sqlx::Timestamp,
    content_hash: Option<Vec<u8>>,
    row_count: i64,
    counts: Vec<i64>,
}

impl HeadRow {
    fn read(self) -> Result<(Reconciliation, Vec<u8>), Fault> {
        let id = self.reconciliation_id;
        let mut counts = [0; Verdict::ALL.len()];
        if self.counts.len() != counts.len() {
            return Err(impossible("reconciliation counts", self.counts.len(), id));
        }
        counts.copy_from_slice(&self.counts);
        let period = Period { start: self.start_day.to_jiff(), end: self.end_day.to_jiff() };
        let header = Header { request_id: self.request_id, department_id: self.department_id, period };
        let (author, created_at, row_count) = (self.author, self.created_at.to_jiff(), self.row_count);
        let hash = self.content_hash.unwrap_or_default();
        Ok((Reconciliation { reconciliation_id: id, header, author, created_at, row_count, counts }, hash))
    }
}

/// A statement that is done.
macro_rules! heads {
    ($rest:literal) => {
        concat!(
            "SELECT reconciliation_id, request_id, department_id, start_day, end_day, author, created_at,
                    content_hash, row_count,
                    ARRAY[0, matched_count, missing_count, doubled_count, different_amount_count,
                          unknown_count, unreadable_count] AS counts
             FROM reconciliation
             WHERE tenant_id = current_setting('redress.tenant') AND content_hash IS NOT NULL AND ",
            $rest
        )
    };
}

/// The statement that is done under a key, and what tells its content.
pub(crate) async fn under_key(
    conn: &mut PgConnection,
    request_id: &str,
) -> Result<Option<(Reconciliation, Vec<u8>)>, Fault> {
    let row: Option<HeadRow> =
        sqlx::query_as(heads!("request_id = $1")).bind(request_id).fetch_optional(conn).await?;
    row.map(HeadRow::read).transpose()
}

/// A statement that is done, and was begun at a moment at the earliest.
pub(crate) async fn get(
    conn: &mut PgConnection,
    id: Uuid,
    earliest: Timestamp,
) -> Result<Option<Reconciliation>, Fault> {
    let row: Option<HeadRow> = sqlx::query_as(heads!("reconciliation_id = $1 AND created_at >= $2"))
        .bind(id)
        .bind(earliest.to_sqlx())
        .fetch_optional(conn)
        .await?;
    Ok(row.map(HeadRow::read).transpose()?.map(|(found, _)| found))
}

/// Begins a statement.
pub(crate) async fn begin(conn: &mut PgConnection, begun: &Reconciliation) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO reconciliation
             (tenant_id, reconciliation_id, request_id, department_id, start_day, end_day, author, created_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(begun.reconciliation_id)
    .bind(&begun.header.request_id)
    .bind(&begun.header.department_id)
    .bind(begun.header.period.start.to_sqlx())
    .bind(begun.header.period.end.to_sqlx())
    .bind(&begun.author)
    .bind(begun.created_at.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// The oldest statement that broke off, if there is one.
pub(crate) async fn broken_off(conn: &mut Tx) -> Result<Option<Uuid>, Fault> {
    let before = conn.now() - UNFINISHED;
    let found = sqlx::query_scalar(
        "SELECT reconciliation_id FROM reconciliation
         WHERE tenant_id = current_setting('redress.tenant') AND content_hash IS NULL AND created_at < $1
         ORDER BY created_at LIMIT 1",
    )
    .bind(before.to_sqlx())
    .fetch_optional(&mut **conn)
    .await?;
    Ok(found)
}

/// Removes rows of a statement that is not done, and the statement once none is left;
/// answers whether there may be more.
pub(crate) async fn remove(conn: &mut PgConnection, id: Uuid, limit: i64) -> Result<bool, Fault> {
    let removed = sqlx::query(
        "DELETE FROM statement_row
         WHERE tenant_id = current_setting('redress.tenant') AND reconciliation_id = $1 AND number IN (
             SELECT number FROM statement_row
             WHERE tenant_id = current_setting('redress.tenant') AND reconciliation_id = $1
             ORDER BY number LIMIT $2)",
    )
    .bind(id)
    .bind(limit)
    .execute(&mut *conn)
    .await?;
    if removed.rows_affected() > 0 {
        return Ok(true);
    }
    sqlx::query(
        "DELETE FROM reconciliation
         WHERE tenant_id = current_setting('redress.tenant') AND reconciliation_id = $1 AND content_hash IS NULL",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(false)
}

/// Stores rows, each beside the free entry it fits whole; those that fit none wait.
pub(crate) async fn add(conn: &mut PgConnection, of: &Reconciliation, rows: &[Row]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    binds.value(of.reconciliation_id);
    binds.value(&of.header.department_id);
    binds.value(of.header.period.start.to_sqlx());
    binds.value(of.header.period.end.to_sqlx());
    binds.value(rows.iter().map(|row| row.reference.as_str()).collect::<Vec<_>>());
    let told = binds
        .rows(rows)
        .column("number", |row| row.number)
        .column("reference", |row| row.reference.as_str())
        .column("amount_minor", |row| row.amount.as_ref().map(|amount| amount.minor))
        .column("currency", |row| row.amount.as_ref().map_or("", |amount| amount.currency.as_str()))
        .column("movement", |row| row.movement.map_or(0, Movement::number))
        .column("day", |row| row.day.as_str())
        .column("fault", |row| row.fault.as_str())
        .done();
    let statement = pg::sql!(
        "WITH told AS (
             SELECT t.*, row_number() OVER (PARTITION BY reference, movement, amount_minor, currency
                                            ORDER BY number) AS nth
             FROM {rows} AS t),
         free AS (
             SELECT e.entry_id, e.reference, e.movement, e.amount_minor, e.currency,
                    row_number() OVER (PARTITION BY e.reference, e.movement, e.amount_minor, e.currency
                                       ORDER BY e.day NOT BETWEEN $3 AND $4, e.entry_id) AS nth
             FROM ledger_entry e
             WHERE e.tenant_id = current_setting('redress.tenant') AND e.department_id = $2
               AND e.movement IN ({executed}, {reversed}) AND e.reference = ANY($5)
               AND NOT EXISTS (
                   SELECT FROM statement_row o
                   JOIN reconciliation r ON r.tenant_id = o.tenant_id AND r.reconciliation_id = o.reconciliation_id
                   WHERE o.tenant_id = e.tenant_id AND o.entry_id = e.entry_id
                     AND (o.reconciliation_id = $1
                          OR o.verdict <> {missing} AND r.content_hash IS NOT NULL
                             AND (r.end_day < $3 OR r.start_day > $4)))
               AND NOT EXISTS (
                   SELECT FROM stated_entry p
                   WHERE p.tenant_id = e.tenant_id AND p.entry_id = e.entry_id
                     AND (p.end_day < $3 OR p.start_day > $4)))
         INSERT INTO statement_row (tenant_id, reconciliation_id, number, verdict, reference, amount_minor,
                                    currency, movement, day, fault, entry_id)
         SELECT current_setting('redress.tenant'), $1, t.number,
                CASE WHEN t.fault <> '' THEN {unreadable} WHEN f.entry_id IS NOT NULL THEN {matched}
                     ELSE {pending} END,
                t.reference, t.amount_minor, t.currency, t.movement, t.day, t.fault,
                CASE WHEN t.fault = '' THEN f.entry_id END
         FROM told t
         LEFT JOIN free f ON t.fault = ''
             AND (f.reference, f.movement, f.amount_minor, f.currency, f.nth)
               = (t.reference, t.movement, t.amount_minor, t.currency, t.nth)",
        executed = Movement::Executed,
        reversed = Movement::Reversed,
        missing = Verdict::Missing,
        unreadable = Verdict::Unreadable,
        matched = Verdict::Matched,
        pending = Verdict::Pending;
        rows = told
    );
    binds.execute(&statement.0, conn).await?;
    Ok(())
}

/// Gives rows that wait their verdict, after the last looked at, now that all that fit
/// whole have their entries: another amount, doubled or unknown. Answers the last looked
/// at; none when none was left.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    of: &Reconciliation,
    after: i64,
    limit: i64,
) -> Result<Option<i64>, Fault> {
    let last = sqlx::query_scalar(pg::sql!(
        "WITH waiting AS (
             SELECT number, reference, movement,
                    row_number() OVER (PARTITION BY reference, movement ORDER BY number) AS nth
             FROM (SELECT number, reference, movement FROM statement_row
                   WHERE tenant_id = current_setting('redress.tenant') AND reconciliation_id = $1
                     AND verdict = {pending} AND number > $5
                   ORDER BY number LIMIT $6) AS first),
         known AS (
             SELECT e.entry_id, e.reference, e.movement, e.day,
                    NOT EXISTS (
                        SELECT FROM statement_row o
                        JOIN reconciliation r
                          ON r.tenant_id = o.tenant_id AND r.reconciliation_id = o.reconciliation_id
                        WHERE o.tenant_id = e.tenant_id AND o.entry_id = e.entry_id
                          AND (o.reconciliation_id = $1
                               OR o.verdict <> {missing} AND r.content_hash IS NOT NULL
                                  AND (r.end_day < $3 OR r.start_day > $4)))
                    AND NOT EXISTS (
                        SELECT FROM stated_entry p
                        WHERE p.tenant_id = e.tenant_id AND p.entry_id = e.entry_id
                          AND (p.end_day < $3 OR p.start_day > $4)) AS is_free
             FROM ledger_entry e
             WHERE e.tenant_id = current_setting('redress.tenant') AND e.department_id = $2
               AND e.movement IN ({executed}, {reversed}) AND e.reference = ANY(ARRAY(SELECT reference FROM waiting))),
         free AS (
             SELECT entry_id, reference, movement,
                    row_number() OVER (PARTITION BY reference, movement
                                       ORDER BY day NOT BETWEEN $3 AND $4, entry_id) AS nth
             FROM known WHERE is_free),
         settled AS (
             UPDATE statement_row s
             SET entry_id = f.entry_id,
                 verdict = CASE
                     WHEN f.entry_id IS NOT NULL THEN {different}
                     WHEN EXISTS (SELECT FROM known k
                                  WHERE k.reference = w.reference AND k.movement = w.movement) THEN {doubled}
                     ELSE {unknown} END
             FROM waiting w
             LEFT JOIN free f ON (f.reference, f.movement, f.nth) = (w.reference, w.movement, w.nth)
             WHERE s.tenant_id = current_setting('redress.tenant') AND s.reconciliation_id = $1
               AND s.number = w.number
             RETURNING s.number)
         SELECT max(number) FROM settled",
        executed = Movement::Executed,
        reversed = Movement::Reversed,
        pending = Verdict::Pending,
        missing = Verdict::Missing,
        different = Verdict::DifferentAmount,
        doubled = Verdict::Doubled,
        unknown = Verdict::Unknown,
    ))
    .bind(of.reconciliation_id)
    .bind(&of.header.department_id)
    .bind(of.header.period.start.to_sqlx())
    .bind(of.header.period.end.to_sqlx())
    .bind(after)
    .bind(limit)
    .fetch_one(conn)
    .await?;
    Ok(last)
}

/// Notes entries of the period that no row has, after the last noted, under numbers from
/// the next on. Answers the last entry and the last number; none when none was left.
pub(crate) async fn add_missing(
    conn: &mut PgConnection,
    of: &Reconciliation,
    (after, number): (Uuid, i64),
    limit: i64,
) -> Result<Option<(Uuid, i64)>, Fault> {
    let (_, until) = of.header.period.ids();
    let (last, number): (Option<Uuid>, Option<i64>) = sqlx::query_as(pg::sql!(
        "WITH missing AS (
             SELECT e.entry_id, e.reference, e.currency, e.movement
             FROM ledger_entry e
             WHERE e.tenant_id = current_setting('redress.tenant') AND e.department_id = $2
               AND e.movement IN ({executed}, {reversed}) AND e.entry_id > $5 AND e.entry_id < $6
               AND NOT EXISTS (
                   SELECT FROM statement_row o
                   JOIN reconciliation r ON r.tenant_id = o.tenant_id AND r.reconciliation_id = o.reconciliation_id
                   WHERE o.tenant_id = e.tenant_id AND o.entry_id = e.entry_id
                     AND (o.reconciliation_id = $1
                          OR o.verdict <> {missing} AND r.content_hash IS NOT NULL
                             AND (r.end_day < $3 OR r.start_day > $4)))
               AND NOT EXISTS (
                   SELECT FROM stated_entry p
                   WHERE p.tenant_id = e.tenant_id AND p.entry_id = e.entry_id
                     AND (p.end_day < $3 OR p.start_day > $4))
             ORDER BY e.entry_id LIMIT $8),
         noted AS (
             INSERT INTO statement_row (tenant_id, reconciliation_id, number, verdict, reference, currency,
                                        movement, day, fault, entry_id)
             SELECT current_setting('redress.tenant'), $1, $7 + row_number() OVER (ORDER BY entry_id), {missing},
                    reference, currency, movement, '', '', entry_id
             FROM missing
             RETURNING entry_id, number)
         SELECT (SELECT entry_id FROM noted ORDER BY entry_id DESC LIMIT 1), (SELECT max(number) FROM noted)",
        executed = Movement::Executed,
        reversed = Movement::Reversed,
        missing = Verdict::Missing,
    ))
    .bind(of.reconciliation_id)
    .bind(&of.header.department_id)
    .bind(of.header.period.start.to_sqlx())
    .bind(of.header.period.end.to_sqlx())
    .bind(after)
    .bind(until)
    .bind(number)
    .bind(limit)
    .fetch_one(conn)
    .await?;
    Ok(last.zip(number))
}

/// Counts the verdicts and closes the statement; refused where another was done under its
/// key before.
pub(crate) async fn finish(
    conn: &mut PgConnection,
    done: &Reconciliation,
    content_hash: &[u8],
) -> Result<(), Fault> {
    let closed = sqlx::query(pg::sql!(
        "UPDATE reconciliation SET content_hash = $2, row_count = c.total - c.missing, matched_count = c.matched,
                missing_count = c.missing, doubled_count = c.doubled, different_amount_count = c.different,
                unknown_count = c.unknown, unreadable_count = c.unreadable
         FROM (SELECT count(*) AS total,
                      count(*) FILTER (WHERE verdict = {matched}) AS matched,
                      count(*) FILTER (WHERE verdict = {missing}) AS missing,
                      count(*) FILTER (WHERE verdict = {doubled}) AS doubled,
                      count(*) FILTER (WHERE verdict = {different}) AS different,
                      count(*) FILTER (WHERE verdict = {unknown}) AS unknown,
                      count(*) FILTER (WHERE verdict = {unreadable}) AS unreadable
               FROM statement_row
               WHERE tenant_id = current_setting('redress.tenant') AND reconciliation_id = $1) AS c
         WHERE reconciliation.tenant_id = current_setting('redress.tenant')
           AND reconciliation.reconciliation_id = $1",
        matched = Verdict::Matched,
        missing = Verdict::Missing,
        doubled = Verdict::Doubled,
        different = Verdict::DifferentAmount,
        unknown = Verdict::Unknown,
        unreadable = Verdict::Unreadable,
    ))
    .bind(done.reconciliation_id)
    .bind(content_hash)
    .execute(conn)
    .await;
    match closed {
        Ok(closed) if closed.rows_affected() == 1 => Ok(()),
        Ok(_) => Err(impossible("reconciliation", "gone", done.reconciliation_id)),
        Err(error) if fault::breaks(&error, "reconciliation_request") => Err(pg::key_reused()),
        Err(error) => Err(error.into()),
    }
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    number: i64,
    verdict: i16,
    reference: String,
    amount_minor: Option<i64>,
    currency: String,
    movement: i16,
    day: String,
    fault: String,
    entry_id: Option<Uuid>,
    twin: Option<i64>,
    elsewhere: Option<bool>,
}

impl ListedRow {
    fn read(self, entries: &HashMap<Uuid, Entry>) -> Result<ReconciledRow, Fault> {
        let verdict = Verdict::of(self.verdict)
            .ok_or_else(|| impossible("statement_row.verdict", self.verdict, self.number))?;
        let row = Row {
            number: self.number,
            reference: self.reference,
            amount: money(self.amount_minor, Some(&self.currency)),
            movement: Movement::of(self.movement),
            day: self.day,
            fault: self.fault,
        };
        let entry = self.entry_id.and_then(|id| entries.get(&id).cloned());
        Ok(ReconciledRow { verdict, row, entry, twin: self.twin, elsewhere: self.elsewhere })
    }
}

/// Rows of a statement in their order, after the last of the page before.
pub(crate) async fn rows(
    conn: &mut PgConnection,
    of: &Reconciliation,
    verdict: Option<Verdict>,
    after: i64,
    limit: i64,
) -> Result<Vec<ReconciledRow>, Fault> {
    let verdicts: Vec<i16> = match verdict {
        Some(verdict) => vec![verdict.number()],
        None => Verdict::ALL.iter().map(|verdict| verdict.number()).collect(),
    };
    let listed: Vec<ListedRow> = sqlx::query_as(pg::sql!(
        "SELECT s.number, s.verdict, s.reference, s.amount_minor, s.currency, s.movement, s.day, s.fault,
                s.entry_id, t.twin, h.elsewhere
         FROM UNNEST($3::smallint[]) AS wanted (wanted_verdict)
         CROSS JOIN LATERAL (
             SELECT * FROM statement_row
             WHERE tenant_id = current_setting('redress.tenant') AND reconciliation_id = $1
               AND verdict = wanted_verdict AND number > $4
             ORDER BY number LIMIT $5) AS s
         LEFT JOIN LATERAL (
             SELECT min(o.number) AS twin
             FROM ledger_entry e
             JOIN statement_row o ON o.tenant_id = e.tenant_id AND o.entry_id = e.entry_id
                                 AND o.reconciliation_id = s.reconciliation_id AND o.verdict <> {missing}
             WHERE s.verdict = {doubled} AND e.tenant_id = s.tenant_id AND e.department_id = $2
               AND e.reference = s.reference AND e.movement = s.movement AND e.movement IN ({executed}, {reversed})) AS t ON true
         LEFT JOIN LATERAL (
             SELECT e.department_id = $2 AS elsewhere
             FROM ledger_entry e
             WHERE s.verdict = {unknown} AND e.tenant_id = s.tenant_id AND e.reference = s.reference
               AND e.movement IN ({executed}, {reversed})
             ORDER BY e.department_id <> $2 LIMIT 1) AS h ON true
         ORDER BY s.number LIMIT $5",
        executed = Movement::Executed,
        reversed = Movement::Reversed,
        missing = Verdict::Missing,
        doubled = Verdict::Doubled,
        unknown = Verdict::Unknown,
    ))
    .bind(of.reconciliation_id)
    .bind(&of.header.department_id)
    .bind(verdicts)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<Uuid> = listed.iter().filter_map(|row| row.entry_id).collect();
    let entries = ledger::by_id(conn, &ids).await?;
    listed.into_iter().map(|row| row.read(&entries)).collect()
}
