//! Every SQL statement of this service. Rows are private; an impossible one is a
//! fault that names it.

pub(crate) mod calendars;
pub(crate) mod categories;
pub(crate) mod classifiers;
pub(crate) mod clocks;
pub(crate) mod corrections;
pub(crate) mod counts;
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
mod row;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod sketch;
pub(crate) mod staff;
pub(crate) mod text;
pub(crate) mod timeline;
pub(crate) mod triage;
pub(crate) mod zones;

use std::collections::HashSet;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use kernel::CaseId;
use sqlx::PgConnection;
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
    /// Hash of its receipt code; none for a complaint without one.
    pub(crate) receipt_hash: Option<Vec<u8>>,
    /// When an authority forwarded it, if one did and said so; kept as the start of clocks.
    pub(crate) forwarded: Option<Timestamp>,
}

/// Writes new cases; answers the ids of those that were not there before.
pub(crate) async fn insert(conn: &mut PgConnection, openings: &[Opening]) -> Result<HashSet<Uuid>, Fault> {
    let column = |value: fn(&Case) -> &str| openings.iter().map(|one| value(&one.case)).collect::<Vec<_>>();
    let code = |value: fn(&Case) -> i16| openings.iter().map(|one| value(&one.case)).collect::<Vec<_>>();
    let sum = |one: &Opening| one.case.origin.amount_sought.clone();
    let fresh: Vec<Uuid> = sqlx::query_scalar(
        "INSERT INTO cases
             (tenant_id, case_id, version, state, cycle, tier, priority, channel, entries, received_at,
              opened_at, category, triage_reasons, subject, language, customer_id, respondent_staff,
              amount_sought_minor, amount_sought_currency, department_id, agent_id, findings, root_cause,
              decision_reasons, traceparent, receipt_hash, due_at, matter, region,
              complexity)
         SELECT current_setting('redress.tenant'), n.id, n.version, n.state, 1, 0, n.priority, n.channel,
                n.entries, n.received_at, n.opened_at, n.category, n.reasons, n.subject, n.language,
                n.customer, n.staff, n.minor, n.currency, '', '', '', '', '', n.traceparent, n.receipt, n.due,
                n.matter, n.region, n.complexity
         FROM (SELECT UNNEST($1::uuid[]) AS id, UNNEST($2::bigint[]) AS version,
                      UNNEST($3::smallint[]) AS state, UNNEST($4::smallint[]) AS priority,
                      UNNEST($5::smallint[]) AS channel, UNNEST($6::integer[]) AS entries,
                      UNNEST($7::timestamptz[]) AS received_at, UNNEST($8::timestamptz[]) AS opened_at,
                      UNNEST($9::text[]) AS category, UNNEST($10::text[]) AS reasons,
                      UNNEST($11::text[]) AS subject, UNNEST($12::text[]) AS language,
                      UNNEST($13::text[]) AS customer, UNNEST($14::text[]) AS staff,
                      UNNEST($15::bigint[]) AS minor, UNNEST($16::text[]) AS currency,
                      UNNEST($17::text[]) AS traceparent, UNNEST($18::bytea[]) AS receipt,
                      UNNEST($19::timestamptz[]) AS due, UNNEST($20::smallint[]) AS matter,
                      UNNEST($21::text[]) AS region, UNNEST($22::smallint[]) AS complexity) AS n
         ON CONFLICT (tenant_id, case_id) DO NOTHING
         RETURNING case_id",
    )
    .bind(openings.iter().map(|one| one.case.id.0).collect::<Vec<_>>())
    .bind(openings.iter().map(|one| one.case.version).collect::<Vec<_>>())
    .bind(code(|case| case.state.number()))
    .bind(code(|case| case.priority.number()))
    .bind(code(|case| case.origin.channel.number()))
    .bind(openings.iter().map(|one| one.case.entries).collect::<Vec<_>>())
    .bind(openings.iter().map(|one| one.case.origin.receive_time.to_sqlx()).collect::<Vec<_>>())
    .bind(openings.iter().map(|one| one.case.open_time.to_sqlx()).collect::<Vec<_>>())
    .bind(column(|case| &case.category))
    .bind(openings.iter().map(|one| lists::written(&one.case.triage_reasons)).collect::<Vec<_>>())
    .bind(column(|case| &case.origin.subject))
    .bind(column(|case| &case.origin.language))
    .bind(column(|case| &case.origin.customer_id))
    .bind(column(|case| &case.origin.respondent_staff))
    .bind(openings.iter().map(|one| sum(one).map(|sum| sum.minor)).collect::<Vec<_>>())
    .bind(openings.iter().map(|one| sum(one).map(|sum| sum.currency)).collect::<Vec<_>>())
    .bind(column(|case| &case.origin.traceparent))
    .bind(openings.iter().map(|one| one.receipt_hash.as_deref()).collect::<Vec<_>>())
    .bind(openings.iter().map(|one| one.case.due_time.map(ToSqlx::to_sqlx)).collect::<Vec<_>>())
    .bind(code(|case| case.origin.matter.number()))
    .bind(column(|case| &case.origin.region))
    .bind(code(|case| case.complexity.number()))
    .fetch_all(conn)
    .await?;
    Ok(fresh.into_iter().collect())
}

/// Writes what can change of cases, all of them locked by this transaction.
pub(crate) async fn save(conn: &mut PgConnection, cases: &[Case]) -> Result<(), Fault> {
    let column = |value: fn(&Case) -> &str| cases.iter().map(value).collect::<Vec<_>>();
    let count = |value: fn(&Case) -> i32| cases.iter().map(value).collect::<Vec<_>>();
    let moment = |value: fn(&Case) -> Option<Timestamp>| {
        cases.iter().map(|case| value(case).map(ToSqlx::to_sqlx)).collect::<Vec<_>>()
    };
    let lowering = || cases.iter().map(|case| case.lowering.as_ref());
    let saved = sqlx::query(
        "UPDATE cases c
         SET version = n.version, state = n.state, cycle = n.cycle, tier = n.tier, priority = n.priority,
             outcome = n.outcome, entries = n.entries, resolved_at = n.resolved_at, closed_at = n.closed_at,
             first_assigned_at = n.first_assigned_at, first_resolved_at = n.first_resolved_at,
             department_id = n.department, agent_id = n.agent, findings = n.findings,
             root_cause = n.root_cause, decision_reasons = n.decision_reasons, due_at = n.due,
             category = n.category, triage_reasons = n.reasons, merged_into = n.merged_into,
             merged_from = n.merged_from, complexity = n.complexity, merged_across = n.merged_across,
             priority_floor = n.floor, lowering_to = n.lowering_to, lowering_by = n.lowering_by,
             correction = n.correction
         FROM (SELECT UNNEST($1::uuid[]) AS id, UNNEST($2::bigint[]) AS version,
                      UNNEST($3::smallint[]) AS state, UNNEST($4::integer[]) AS cycle,
                      UNNEST($5::integer[]) AS tier, UNNEST($6::smallint[]) AS priority,
                      UNNEST($7::smallint[]) AS outcome, UNNEST($8::integer[]) AS entries,
                      UNNEST($9::timestamptz[]) AS resolved_at, UNNEST($10::timestamptz[]) AS closed_at,
                      UNNEST($11::timestamptz[]) AS first_assigned_at,
                      UNNEST($12::timestamptz[]) AS first_resolved_at, UNNEST($13::text[]) AS department,
                      UNNEST($14::text[]) AS agent, UNNEST($15::text[]) AS findings,
                      UNNEST($16::text[]) AS root_cause, UNNEST($17::text[]) AS decision_reasons,
                      UNNEST($18::timestamptz[]) AS due, UNNEST($19::text[]) AS category,
                      UNNEST($20::text[]) AS reasons, UNNEST($21::uuid[]) AS merged_into,
                      UNNEST($22::smallint[]) AS merged_from, UNNEST($23::smallint[]) AS complexity,
                      UNNEST($24::boolean[]) AS merged_across, UNNEST($25::smallint[]) AS floor,
                      UNNEST($26::smallint[]) AS lowering_to, UNNEST($27::text[]) AS lowering_by,
                      UNNEST($28::integer[]) AS correction) AS n
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id = n.id",
    )
    .bind(cases.iter().map(|case| case.id.0).collect::<Vec<_>>())
    .bind(cases.iter().map(|case| case.version).collect::<Vec<_>>())
    .bind(cases.iter().map(|case| case.state.number()).collect::<Vec<_>>())
    .bind(count(|case| case.cycle))
    .bind(count(|case| case.tier))
    .bind(cases.iter().map(|case| case.priority.number()).collect::<Vec<_>>())
    .bind(cases.iter().map(|case| case.outcome.map(Outcome::number)).collect::<Vec<_>>())
    .bind(count(|case| case.entries))
    .bind(moment(|case| case.resolve_time))
    .bind(moment(|case| case.close_time))
    .bind(moment(|case| case.first_assign_time))
    .bind(moment(|case| case.first_resolve_time))
    .bind(column(|case| &case.department_id))
    .bind(column(|case| &case.agent_id))
    .bind(column(|case| &case.findings))
    .bind(column(|case| &case.root_cause))
    .bind(column(|case| &case.decision_reasons))
    .bind(moment(|case| case.due_time))
    .bind(column(|case| &case.category))
    .bind(cases.iter().map(|case| lists::written(&case.triage_reasons)).collect::<Vec<_>>())
    .bind(cases.iter().map(|case| case.merged.map(|merged| merged.into.0)).collect::<Vec<_>>())
    .bind(cases.iter().map(|case| case.merged.map(|merged| merged.stood.number())).collect::<Vec<_>>())
    .bind(cases.iter().map(|case| case.complexity.number()).collect::<Vec<_>>())
    .bind(cases.iter().map(|case| case.merged.is_some_and(|merged| merged.across)).collect::<Vec<_>>())
    .bind(cases.iter().map(|case| case.priority_floor.map(Priority::number)).collect::<Vec<_>>())
    .bind(lowering().map(|asked| asked.map(|asked| asked.to.number())).collect::<Vec<_>>())
    .bind(lowering().map(|asked| asked.map_or("", |asked| &asked.by)).collect::<Vec<_>>())
    .bind(count(|case| case.correction))
    .execute(conn)
    .await?;
    if saved.rows_affected() == cases.len() as u64 {
        return Ok(());
    }
    Err(Fault::internal(format!("{} of {} cases were saved", saved.rows_affected(), cases.len())))
}

#[cfg(test)]
mod round_trip;
