//! Statements on the cases of a return.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::{CaseId, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fact::Ending;
use crate::process::Activity;
use crate::returns::record::{Cycle, Deed, Payment};
use crate::returns::{PAGE, Record, Regime, Return};

/// Where a case stands in the order of receipt.
pub(crate) type Place = (jiff::Timestamp, Uuid);

/// Nothing was received before 1900.
const EARLIEST: jiff::Timestamp = jiff::Timestamp::constant(-2_208_988_800, 0);
/// What is done for a complainant that is words or money, or nothing that they have; all else
/// relieves them. As process events name it.
const NO_DEEDS: [&str; 12] = [
    "",
    "apology",
    "explanation",
    "refund",
    "compensation",
    "fee waiver",
    "staff measures",
    "recall notice",
    "custom",
    "investigation",
    "stock alert",
    "problem hint",
];

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "facts that say nothing of each other")]
struct CaseRow {
    case_id: Uuid,
    received_at: Timestamp,
    channel: i16,
    region: String,
    product: String,
    category: String,
    organisation: String,
    branch: String,
    outside_id: String,
    is_outside_id_shared: bool,
    forwarded_at: Option<Timestamp>,
    history: bool,
    is_report: bool,
    vulnerable: Option<bool>,
    older: bool,
    servicemember: bool,
    merged_apart: bool,
    ended_at: Option<Timestamp>,
    ending: i16,
    limit_breached_at: Option<Timestamp>,
    is_wanted: bool,
}

impl CaseRow {
    fn record(self) -> Record {
        let time = |at: Option<Timestamp>| at.map(Timestamp::to_jiff);
        Record {
            case_id: CaseId(self.case_id),
            received: self.received_at.to_jiff(),
            channel: self.channel,
            region: self.region,
            product: self.product,
            category: self.category,
            root_cause: String::new(),
            organisation: self.organisation,
            branch: self.branch,
            outside_id: self.outside_id,
            is_outside_id_shared: self.is_outside_id_shared,
            forwarded: time(self.forwarded_at),
            history: self.history,
            is_report: self.is_report,
            vulnerable: self.vulnerable,
            older: self.older,
            servicemember: self.servicemember,
            merged_apart: self.merged_apart,
            ended: time(self.ended_at).zip(Ending::of(self.ending)),
            limit_breached: time(self.limit_breached_at),
            held: None,
            cycles: Vec::new(),
            payments: Vec::new(),
            deeds: Vec::new(),
        }
    }
}

/// The next cases that may belong to a return, in the order of receipt after one of them, and
/// the last that was looked at; none once all were. One statement looks at a bounded number of
/// cases, whichever of them belong to it.
pub(crate) async fn return_records(
    conn: &mut PgConnection,
    of: &Return,
    after: Option<Place>,
) -> Result<(Vec<Record>, Option<Place>), Fault> {
    let rows = case_rows(conn, of, after).await?;
    let last = rows.last().map(|row| (row.received_at.to_jiff(), row.case_id));
    let last = last.filter(|_| rows.len() == PAGE);
    let wanted = rows.into_iter().filter(|row| row.is_wanted);
    let mut records: Vec<Record> = wanted.map(CaseRow::record).collect();
    complete(conn, &mut records).await?;
    Ok((records, last))
}

async fn case_rows(
    conn: &mut PgConnection,
    of: &Return,
    after: Option<Place>,
) -> Result<Vec<CaseRow>, Fault> {
    let from = if of.regime.carries_over() { EARLIEST } else { of.from };
    let from = after.map_or(from, |(received, _)| received);
    let rows = sqlx::query_as(
        "SELECT c.case_id, c.received_at, coalesce(c.channel, 0::smallint) AS channel, coalesce(c.region, '') AS region,
                coalesce(c.product, '') AS product, coalesce(c.category, '') AS category,
                coalesce(c.organisation, '') AS organisation, coalesce(c.branch, '') AS branch,
                coalesce(c.outside_id, '') AS outside_id,
                $6 AND EXISTS (SELECT FROM case_fact o
                    WHERE o.tenant_id = c.tenant_id AND o.outside_id = c.outside_id AND o.outside_id <> ''
                      AND o.case_id <> c.case_id AND o.ending IS DISTINCT FROM $7) AS is_outside_id_shared,
                c.forwarded_at, coalesce(c.history, false) AS history, coalesce(c.is_report, false) AS is_report,
                c.vulnerable, coalesce(c.older, false) AS older, coalesce(c.servicemember, false) AS servicemember,
                coalesce(c.merged_apart, false) AS merged_apart, c.ended_at, coalesce(c.ending, 0::smallint) AS ending,
                c.limit_breached_at,
                c.received_at >= $8 OR c.ended_at IS NULL OR c.ended_at >= $8 OR c.ending = $7
                    OR EXISTS (SELECT FROM payment_fact p WHERE p.tenant_id = c.tenant_id AND p.case_id = c.case_id
                               AND p.paid_at >= $8) AS is_wanted
         FROM case_fact c
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.received_at >= $1 AND c.received_at < $2
           AND ($3::timestamptz IS NULL OR (c.received_at, c.case_id) > ($3, $4))
         ORDER BY c.received_at, c.case_id LIMIT $5",
    )
    .bind(from.to_sqlx())
    .bind(of.until.to_sqlx())
    .bind(after.map(|(received, _)| received.to_sqlx()))
    .bind(after.map(|(_, case)| case))
    .bind(i64::try_from(PAGE).unwrap_or(i64::MAX))
    .bind(of.regime == Regime::Cfpb)
    .bind(Ending::Merged.number())
    .bind(of.from.to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Adds what other tables know of the cases of a page.
async fn complete(conn: &mut PgConnection, records: &mut [Record]) -> Result<(), Fault> {
    let cases: Vec<Uuid> = records.iter().map(|record| record.case_id.0).collect();
    let places: HashMap<Uuid, usize> = cases.iter().copied().zip(0..).collect();
    let mut add = |case: Uuid, add: &mut dyn FnMut(&mut Record)| {
        if let Some(record) = places.get(&case).and_then(|place| records.get_mut(*place)) {
            add(record);
        }
    };
    for (case, cycle) in cycles(conn, &cases).await? {
        add(case, &mut |record| record.cycles.push(cycle.clone()));
    }
    for (case, payment) in payments(conn, &cases).await? {
        add(case, &mut |record| record.payments.push(payment.clone()));
    }
    for (case, at, activity, detail) in happened(conn, &cases).await? {
        let (undone, done) = (Activity::TASK_UNDONE.number(), Activity::TASK_COMPLETED.number());
        let is_deed = [undone, done].contains(&activity) && !NO_DEEDS.contains(&detail.as_str());
        add(case, &mut |record| {
            if is_deed {
                record.deeds.push(Deed { at, undone: activity == undone });
            } else if activity == Activity::PUT_OFF.number() {
                record.held = record.held.or(Some(at));
            }
        });
    }
    for (case, cause) in root_causes(conn, &cases).await? {
        add(case, &mut |record| record.root_cause.clone_from(&cause));
    }
    Ok(())
}

type CycleRow = (Uuid, Option<Timestamp>, Option<Timestamp>, Option<i16>, Option<i16>, Option<Timestamp>);

async fn cycles(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<(Uuid, Cycle)>, Fault> {
    let rows: Vec<CycleRow> = sqlx::query_as(
        "SELECT case_id, resolved_at, told_at, outcome, satisfaction, satisfaction_at FROM cycle_fact
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) ORDER BY case_id, cycle",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_jiff);
    let read = |(case, resolved, told, outcome, score, scored): CycleRow| {
        let satisfaction = score.zip(time(scored));
        (case, Cycle { resolved: time(resolved), told: time(told), outcome, satisfaction })
    };
    Ok(rows.into_iter().map(read).collect())
}

async fn payments(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<(Uuid, Payment)>, Fault> {
    let rows: Vec<(Uuid, Timestamp, String, i64)> = sqlx::query_as(
        "SELECT case_id, paid_at, currency, minor FROM payment_fact
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
         ORDER BY case_id, paid_at, task_id",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    let read = |(case, paid, currency, minor): (Uuid, Timestamp, String, i64)| {
        (case, Payment { paid: paid.to_jiff(), amount: Money { minor, currency } })
    };
    Ok(rows.into_iter().map(read).collect())
}

/// What was done for complainants, and that they were told it takes longer.
async fn happened(
    conn: &mut PgConnection,
    cases: &[Uuid],
) -> Result<Vec<(Uuid, jiff::Timestamp, i16, String)>, Fault> {
    let activities = [Activity::TASK_COMPLETED, Activity::TASK_UNDONE, Activity::PUT_OFF];
    let rows: Vec<(Uuid, Timestamp, i16, String)> = sqlx::query_as(
        "SELECT case_id, occurred_at, activity, coalesce(detail, '') FROM process_event
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND activity = ANY($2)
         ORDER BY case_id, occurred_at, source, position",
    )
    .bind(cases)
    .bind(activities.map(Activity::number).to_vec())
    .fetch_all(conn)
    .await?;
    let read =
        |(case, at, activity, detail): (Uuid, Timestamp, i16, String)| (case, at.to_jiff(), activity, detail);
    Ok(rows.into_iter().map(read).collect())
}

/// The root cause of the problem each case was linked to last, of those that have one.
async fn root_causes(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<(Uuid, String)>, Fault> {
    let rows = sqlx::query_as(
        "SELECT DISTINCT ON (l.case_id) l.case_id, p.cause FROM problem_case l
         JOIN problem p ON p.tenant_id = l.tenant_id AND p.problem_id = l.problem_id
         WHERE l.tenant_id = current_setting('redress.tenant') AND l.case_id = ANY($1) AND l.linked AND p.cause <> ''
         ORDER BY l.case_id, l.linked_at DESC, l.problem_id",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
