//! Every SQL statement of this service. Rows are private; an impossible one is a
//! fault that names it.

pub(crate) mod articles;
pub(crate) mod calendars;
pub(crate) mod categories;
pub(crate) mod classifiers;
pub(crate) mod clocks;
pub(crate) mod complainants;
pub(crate) mod corrections;
pub(crate) mod counts;
pub(crate) mod directories;
pub(crate) mod early;
pub(crate) mod extensions;
pub(crate) mod groups;
pub(crate) mod jobs;
pub(crate) mod lessons;
pub(crate) mod links;
mod lists;
pub(crate) mod merges;
pub(crate) mod policies;
pub(crate) mod readings;
pub(crate) mod replies;
pub(crate) mod reviewed;
mod row;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod sketch;
pub(crate) mod solved;
pub(crate) mod staff;
pub(crate) mod text;
pub(crate) mod timeline;
pub(crate) mod topics;
pub(crate) mod training;
pub(crate) mod triage;
pub(crate) mod zones;

use std::collections::{HashMap, HashSet};

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use kernel::CaseId;
use pg::Binds;
use sqlx::{AssertSqlSafe, PgConnection};
use timers::Held;
use uuid::Uuid;
use vocabulary::{Outcome, Priority};

use crate::case::Case;
use row::{Row, select_cases};

/// Reads one case.
pub(crate) async fn get(conn: &mut PgConnection, id: CaseId) -> Result<Option<Case>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_cases!("AND case_id = $1")).bind(id.0).fetch_optional(conn).await?;
    row.map(Row::into_case).transpose()
}

/// Reads cases, those of the ids that exist.
pub(crate) async fn get_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Case>, Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_cases!("AND case_id = ANY($1)")).bind(ids).fetch_all(conn).await?;
    rows.into_iter().map(Row::into_case).collect()
}

/// Reads cases, those that have changed each since its version.
pub(crate) async fn newer(
    conn: &mut PgConnection,
    ids: &[Uuid],
    versions: &[i64],
) -> Result<Vec<Case>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_cases!(
        "AND case_id = ANY($1)
         AND version > (SELECT seen FROM unnest($1, $2::bigint[]) AS known (id, seen) WHERE id = case_id)"
    ))
    .bind(ids)
    .bind(versions)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_case).collect()
}

/// Reads the case a receipt code was given for.
pub(crate) async fn get_by_receipt(conn: &mut PgConnection, hash: [u8; 32]) -> Result<Option<Case>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_cases!("AND receipt_hash = $1"))
        .bind(hash.as_slice())
        .fetch_optional(conn)
        .await?;
    row.map(Row::into_case).transpose()
}

/// Reads cases, those of the ids that exist, and keeps others from changing
/// them. Locked in the order of their ids, so that two batches never wait for
/// each other in a circle. Calendars and policies stand still from before: who puts a
/// policy in force has those first and cases second, and both must go in one order.
/// What is read afterwards is as it stands then.
pub(crate) async fn lock_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Case>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_cases!(
        "AND case_id = ANY($1) AND (SELECT pg_advisory_xact_lock_shared(hashtextextended(
             'cases.calendars.' || current_setting('redress.tenant'), 0)) IS NOT NULL)
         ORDER BY case_id FOR NO KEY UPDATE"
    ))
    .bind(ids)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_case).collect()
}

/// Keeps others from changing cases, those that nobody is changing just now; answers
/// which, and which there are none of. Waits for nobody: while a policy is put in force,
/// all are busy.
pub(crate) async fn lock_idle(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Held, Fault> {
    let rows: Vec<(Uuid, bool, bool)> = sqlx::query_as(
        "WITH held AS MATERIALIZED (
             SELECT case_id FROM cases
             WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
               AND (SELECT pg_try_advisory_xact_lock_shared(hashtextextended(
                        'cases.calendars.' || current_setting('redress.tenant'), 0)))
             FOR NO KEY UPDATE SKIP LOCKED)
         SELECT asked.id, EXISTS (SELECT FROM held WHERE held.case_id = asked.id),
                EXISTS (SELECT FROM cases c
                        WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id = asked.id)
         FROM UNNEST($1) AS asked (id)",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let of = |held: bool, there: bool| {
        let wanted = rows.iter().filter(move |row| (row.1, row.2) == (held, there));
        wanted.map(|(id, _, _)| *id).collect()
    };
    Ok(Held { held: of(true, true), gone: of(false, false) })
}

/// A case to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// The case.
    pub(crate) case: Case,
    /// What happened, in the complainant's words.
    pub(crate) description: String,
    /// The product it names; empty where none.
    pub(crate) product: String,
    /// Hash of its receipt code; none for a complaint without one.
    pub(crate) receipt_hash: Option<Vec<u8>>,
    /// When an authority forwarded it, if one did and said so; kept as the start of clocks.
    pub(crate) forwarded: Option<Timestamp>,
}

/// Writes new cases; answers the ids of those that were not there before.
pub(crate) async fn insert(conn: &mut PgConnection, openings: &[Opening]) -> Result<HashSet<Uuid>, Fault> {
    let sum = |one: &Opening| one.case.origin.amount_sought.as_ref().map(|sum| sum.minor);
    let mut binds = Binds::default();
    let rows = binds
        .rows(openings)
        .column("case_id", |one| one.case.id.0)
        .column("version", |one| one.case.version)
        .column("state", |one| one.case.state.number())
        .column("cycle", |_| 1_i32)
        .column("tier", |_| 0_i32)
        .column("priority", |one| one.case.priority.number())
        .column("channel", |one| one.case.origin.channel.number())
        .column("entries", |one| one.case.entries)
        .column("received_at", |one| one.case.origin.receive_time.to_sqlx())
        .column("opened_at", |one| one.case.open_time.to_sqlx())
        .column("category", |one| one.case.category.as_str())
        .column("triage_reasons", |one| lists::written(&one.case.triage_reasons))
        .column("subject", |one| one.case.origin.subject.as_str())
        .column("language", |one| one.case.origin.language.as_str())
        .column("customer_id", |one| one.case.origin.customer_id.as_str())
        .column("respondent_staff", |one| one.case.origin.respondent_staff.as_str())
        .column("amount_sought_minor", sum)
        .column("amount_sought_currency", |one| {
            one.case.origin.amount_sought.as_ref().map(|sum| sum.currency.as_str())
        })
        .column("department_id", |_| "")
        .column("agent_id", |_| "")
        .column("findings", |_| "")
        .column("root_cause", |_| "")
        .column("decision_reasons", |_| "")
        .column("traceparent", |one| one.case.origin.traceparent.as_str())
        .column("receipt_hash", |one| one.receipt_hash.as_deref())
        .column("due_at", |one| one.case.due_time.map(ToSqlx::to_sqlx))
        .column("matter", |one| one.case.origin.matter.number())
        .column("region", |one| one.case.origin.region.as_str())
        .column("complexity", |one| one.case.complexity.number())
        .done();
    let insert = rows.insert_into("cases");
    let statement = format!("{insert} ON CONFLICT (tenant_id, case_id) DO NOTHING RETURNING case_id");
    let fresh: Vec<Uuid> =
        sqlx::query_scalar_with(AssertSqlSafe(statement), binds.arguments()?).fetch_all(conn).await?;
    Ok(fresh.into_iter().collect())
}

/// Counts a change of when a case is due, by what is kept: whoever holds a copy of the case
/// that is older than what this transaction wrote of it counts on from that.
const DUE_CHANGES: &str = "cases.due_changes + (cases.due_at IS DISTINCT FROM r.due_at)::integer";

/// Writes what can change of cases, all of them locked by this transaction. Answers how often
/// it has changed when they are due, of those of which it has since they were read.
pub(crate) async fn save(conn: &mut PgConnection, cases: &[Case]) -> Result<HashMap<CaseId, i32>, Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(cases)
        .column("case_id", |case| case.id.0)
        .column("version", |case| case.version)
        .column("state", |case| case.state.number())
        .column("cycle", |case| case.cycle)
        .column("tier", |case| case.tier)
        .column("priority", |case| case.priority.number())
        .column("outcome", |case| case.outcome.map(Outcome::number))
        .column("entries", |case| case.entries)
        .column("resolved_at", |case| case.resolve_time.map(ToSqlx::to_sqlx))
        .column("reopen_policy", |case| case.reopening.map(|terms| terms.policy))
        .column("reopen_days", |case| case.reopening.map(|terms| terms.limits.window_days))
        .column("reopen_times", |case| case.reopening.map(|terms| terms.limits.maximum))
        .column("closed_at", |case| case.close_time.map(ToSqlx::to_sqlx))
        .column("first_assigned_at", |case| case.first_assign_time.map(ToSqlx::to_sqlx))
        .column("first_resolved_at", |case| case.first_resolve_time.map(ToSqlx::to_sqlx))
        .column("department_id", |case| case.department_id.as_str())
        .column("agent_id", |case| case.agent_id.as_str())
        .column("findings", |case| case.findings.as_str())
        .column("root_cause", |case| case.root_cause.as_str())
        .column("decision_reasons", |case| case.decision_reasons.as_str())
        .column("due_at", |case| case.due_time.map(ToSqlx::to_sqlx))
        .column("category", |case| case.category.as_str())
        .column("triage_reasons", |case| lists::written(&case.triage_reasons))
        .column("merged_into", |case| case.merged.map(|merged| merged.into.0))
        .column("merged_from", |case| case.merged.map(|merged| merged.stood.number()))
        .column("merged_across", |case| case.merged.is_some_and(|merged| merged.across))
        .column("complexity", |case| case.complexity.number())
        .column("priority_floor", |case| case.priority_floor.map(Priority::number))
        .column("lowering_to", |case| case.lowering.as_ref().map(|asked| asked.to.number()))
        .column("lowering_by", |case| case.lowering.as_ref().map_or("", |asked| &asked.by))
        .column("correction", |case| case.correction)
        .column_as("due_changes", DUE_CHANGES, |case| case.due_changes)
        .done();
    let update = rows.update("cases", &["case_id"]);
    let statement = format!("{update} RETURNING cases.case_id, cases.due_changes");
    let saved: Vec<(Uuid, i32)> =
        sqlx::query_as_with(AssertSqlSafe(statement), binds.arguments()?).fetch_all(conn).await?;
    if saved.len() != cases.len() {
        return Err(Fault::internal(format!("{} of {} cases were saved", saved.len(), cases.len())));
    }
    let read: HashMap<Uuid, i32> = cases.iter().map(|case| (case.id.0, case.due_changes)).collect();
    let moved = saved.into_iter().filter(|(id, changes)| read.get(id) != Some(changes));
    Ok(moved.map(|(id, changes)| (CaseId(id), changes)).collect())
}

#[cfg(test)]
mod round_trip;
