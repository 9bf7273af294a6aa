//! Statements that keep facts.
//!
//! What a column becomes does not depend on the order of the statements: see [`Facts`].
//! Rows are written in the order of their keys, cases first, so that two who keep facts of
//! the same cases wait for each other once.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::{CaseId, TaskId};
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::past::keep_past;
use super::process::keep_process_events;
use crate::fact::{
    CallBackFact, CaseFact, CycleFact, Facts, Filing, LossFact, PauseFact, PaymentFact, TaskFact,
    TellingFact, TellingKey,
};
use crate::notice::Kind;
use crate::working_hours;

/// How a column of a row that is known takes what is told: `f` is the row, `excluded` what
/// is told.
enum Rule {
    /// The earlier of two times, or of two counts that grow with time.
    Earlier(&'static [&'static str]),
    /// What was told first; it is told once.
    First(&'static [&'static str]),
    /// What has the highest rank, of several columns that go together.
    Highest(&'static [&'static str], &'static str),
}

impl Rule {
    fn assignments(&self) -> Vec<String> {
        match self {
            Self::Earlier(names) => {
                names.iter().map(|name| format!("{name} = least(f.{name}, excluded.{name})")).collect()
            }
            Self::First(names) => {
                names.iter().map(|name| format!("{name} = coalesce(f.{name}, excluded.{name})")).collect()
            }
            Self::Highest(names, rank) => {
                let both = names.iter().chain([rank]);
                let higher = format!("excluded.{rank} > coalesce(f.{rank}, -1)");
                both.map(|name| format!("{name} = CASE WHEN {higher} THEN excluded.{name} ELSE f.{name} END"))
                    .collect()
            }
        }
    }
}

/// The statement that adds rows to a table.
fn merging(rows: &pg::Rows, table: &str, key: &str, rules: &[Rule]) -> String {
    let assignments: Vec<String> = rules.iter().flat_map(Rule::assignments).collect();
    format!(
        "INSERT INTO {table} AS f (tenant_id, {names}) SELECT current_setting('redress.tenant'), {values}
         FROM {rows} AS r ORDER BY {key} ON CONFLICT ON CONSTRAINT {table}_pkey DO UPDATE SET {set}",
        names = rows.names(),
        values = rows.values("r"),
        set = assignments.join(", "),
    )
}

/// Adds facts to what is known. Working time is that of a zone.
pub(crate) async fn keep_facts(conn: &mut PgConnection, facts: &Facts, zone: &str) -> Result<(), Fault> {
    let Facts { cases, cycles, call_backs, payments, losses, pauses, events, tellings, past, tasks } = facts;
    if !cases.is_empty() {
        keep_cases(conn, &cases.iter().collect::<Vec<_>>(), zone).await?;
    }
    if !cycles.is_empty() {
        keep_cycles(conn, &cycles.iter().collect::<Vec<_>>()).await?;
    }
    if !call_backs.is_empty() {
        keep_calls(conn, &call_backs.iter().collect::<Vec<_>>()).await?;
    }
    if !payments.is_empty() {
        keep_payments(conn, &payments.iter().collect::<Vec<_>>()).await?;
    }
    if !losses.is_empty() {
        keep_losses(conn, &losses.iter().collect::<Vec<_>>()).await?;
    }
    if !pauses.is_empty() {
        keep_pauses(conn, &pauses.iter().collect::<Vec<_>>()).await?;
    }
    if !events.is_empty() {
        keep_process_events(conn, events).await?;
    }
    if !tellings.is_empty() {
        keep_tellings(conn, &tellings.iter().collect::<Vec<_>>(), zone).await?;
    }
    if !tasks.is_empty() {
        keep_tasks(conn, &tasks.iter().collect::<Vec<_>>(), zone).await?;
    }
    keep_past(conn, past).await
}

fn filed(fact: &CaseFact) -> Option<&Filing> {
    fact.filing.as_ref()
}

/// How what is told of a case joins what is known of it.
const CASE_RULES: &[Rule] = &[
    Rule::Earlier(&["received_at", "received_work"]),
    Rule::Earlier(&["resolved_at", "resolved_work", "reopened_at", "escalated_at"]),
    Rule::Earlier(&["breached_at", "limit_breached_at"]),
    Rule::First(&["channel", "region", "product", "complainant", "history", "paused", "merged_apart"]),
    Rule::First(&["organisation", "branch", "is_report", "vulnerable", "older", "servicemember"]),
    Rule::First(&["outside_id", "forwarded_at", "sought_currency", "sought_minor", "recorder", "complete"]),
    Rule::Highest(&["category"], "category_rank"),
    Rule::Highest(&["priority"], "priority_rank"),
    Rule::Highest(&["department"], "department_rank"),
    Rule::Highest(&["holder"], "holder_rank"),
    Rule::Highest(&["ended_at", "ending"], "ended_rank"),
];

async fn keep_cases(
    conn: &mut PgConnection,
    cases: &[(&CaseId, &CaseFact)],
    zone: &str,
) -> Result<(), Fault> {
    let work = |at: Option<jiff::Timestamp>| at.map(|at| working_hours::until(zone, at));
    let time = |at: Option<jiff::Timestamp>| at.map(jiff_sqlx::ToSqlx::to_sqlx);
    let mut binds = Binds::default();
    let rows = binds
        .rows(cases)
        .column("case_id", |(case, _)| case.0)
        .column("received_at", |(_, fact)| time(fact.received))
        .column("received_work", |(_, fact)| work(fact.received))
        .column("channel", |(_, fact)| fact.channel)
        .column("region", |(_, fact)| fact.region.as_deref())
        .column("product", |(_, fact)| fact.product.as_deref())
        .column("complainant", |(_, fact)| fact.complainant.map(|key| key.to_vec()))
        .column("history", |(_, fact)| fact.history)
        .column("organisation", |(_, fact)| filed(fact).map(|filing| filing.organisation.as_str()))
        .column("branch", |(_, fact)| filed(fact).map(|filing| filing.branch.as_str()))
        .column("is_report", |(_, fact)| filed(fact).map(|filing| filing.is_report))
        .column("vulnerable", |(_, fact)| filed(fact).map(|filing| filing.vulnerable))
        .column("older", |(_, fact)| filed(fact).map(|filing| filing.older))
        .column("servicemember", |(_, fact)| filed(fact).map(|filing| filing.servicemember))
        .column("outside_id", |(_, fact)| filed(fact).map(|filing| filing.outside_id.as_str()))
        .column("forwarded_at", |(_, fact)| time(filed(fact).and_then(|filing| filing.forwarded)))
        .column("merged_apart", |(_, fact)| fact.merged_apart)
        .column("recorder", |(_, fact)| fact.recorder.as_deref())
        .column("complete", |(_, fact)| fact.complete)
        .column("category", |(_, fact)| fact.category.as_ref().map(|told| told.value.as_str()))
        .column("category_rank", |(_, fact)| fact.category.as_ref().map(|told| told.rank))
        .column("priority", |(_, fact)| fact.priority.as_ref().map(|told| told.value))
        .column("priority_rank", |(_, fact)| fact.priority.as_ref().map(|told| told.rank))
        .column("department", |(_, fact)| fact.department.as_ref().map(|told| told.value.as_str()))
        .column("department_rank", |(_, fact)| fact.department.as_ref().map(|told| told.rank))
        .column("holder", |(_, fact)| fact.holder.as_ref().map(|told| told.value.as_str()))
        .column("holder_rank", |(_, fact)| fact.holder.as_ref().map(|told| told.rank))
        .column("sought_currency", |(_, fact)| fact.sought.as_ref().map(|sought| sought.currency.as_str()))
        .column("sought_minor", |(_, fact)| fact.sought.as_ref().map(|sought| sought.minor))
        .column("resolved_at", |(_, fact)| time(fact.resolved))
        .column("resolved_work", |(_, fact)| work(fact.resolved))
        .column("reopened_at", |(_, fact)| time(fact.reopened))
        .column("escalated_at", |(_, fact)| time(fact.escalated))
        .column("breached_at", |(_, fact)| time(fact.breached))
        .column("limit_breached_at", |(_, fact)| time(fact.limit_breached))
        .column("paused", |(_, fact)| fact.paused)
        .column("ended_at", |(_, fact)| time(fact.ended.as_ref().and_then(|told| Some(told.value?.0))))
        .column("ending", |(_, fact)| {
            fact.ended.as_ref().map(|told| told.value.map_or(0, |(_, ending)| ending.number()))
        })
        .column("ended_rank", |(_, fact)| fact.ended.as_ref().map(|told| told.rank))
        .done();
    binds.execute(&merging(&rows, "case_fact", "r.case_id", CASE_RULES), conn).await?;
    Ok(())
}

async fn keep_cycles(conn: &mut PgConnection, cycles: &[(&(CaseId, i32), &CycleFact)]) -> Result<(), Fault> {
    let time = |at: Option<jiff::Timestamp>| at.map(jiff_sqlx::ToSqlx::to_sqlx);
    let mut binds = Binds::default();
    let rows = binds
        .rows(cycles)
        .column("case_id", |((case, _), _)| case.0)
        .column("cycle", |((_, cycle), _)| *cycle)
        .column("agent", |(_, fact)| fact.agent.as_ref().map(|told| told.value.as_str()))
        .column("agent_rank", |(_, fact)| fact.agent.as_ref().map(|told| told.rank))
        .column("resolved_at", |(_, fact)| time(fact.resolved))
        .column("outcome", |(_, fact)| fact.outcome.as_ref().map(|told| told.value))
        .column("outcome_rank", |(_, fact)| fact.outcome.as_ref().map(|told| told.rank))
        .column("reopened_at", |(_, fact)| time(fact.reopened))
        .column("breached_at", |(_, fact)| time(fact.breached))
        .column("disputed", |(_, fact)| fact.disputed)
        .column("handling", |(_, fact)| fact.handling.as_ref().map(|told| told.value.0))
        .column("handling_at", |(_, fact)| time(fact.handling.as_ref().map(|told| told.value.1)))
        .column("handling_rank", |(_, fact)| fact.handling.as_ref().map(|told| told.rank))
        .column("satisfaction", |(_, fact)| fact.satisfaction.as_ref().map(|told| told.value.0))
        .column("satisfaction_at", |(_, fact)| time(fact.satisfaction.as_ref().map(|told| told.value.1)))
        .column("satisfaction_rank", |(_, fact)| fact.satisfaction.as_ref().map(|told| told.rank))
        .done();
    let rules = [
        Rule::Earlier(&["resolved_at", "reopened_at", "breached_at"]),
        Rule::First(&["disputed"]),
        Rule::Highest(&["agent"], "agent_rank"),
        Rule::Highest(&["outcome"], "outcome_rank"),
        Rule::Highest(&["handling", "handling_at"], "handling_rank"),
        Rule::Highest(&["satisfaction", "satisfaction_at"], "satisfaction_rank"),
    ];
    binds.execute(&merging(&rows, "cycle_fact", "r.case_id, r.cycle", &rules), conn).await?;
    Ok(())
}

async fn keep_calls(conn: &mut PgConnection, calls: &[(&Uuid, &CallBackFact)]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(calls)
        .column("call_back_id", |(id, _)| **id)
        .column("case_id", |(_, fact)| fact.case_id.0)
        .column("ended_at", |(_, fact)| fact.ended.map(jiff_sqlx::ToSqlx::to_sqlx))
        .column("outcome", |(_, fact)| fact.outcome.as_ref().map(|told| told.value))
        .column("outcome_rank", |(_, fact)| fact.outcome.as_ref().map(|told| told.rank))
        .done();
    let rules = [Rule::Earlier(&["ended_at"]), Rule::Highest(&["outcome"], "outcome_rank")];
    binds.execute(&merging(&rows, "call_back_fact", "r.call_back_id", &rules), conn).await?;
    Ok(())
}

async fn keep_payments(conn: &mut PgConnection, payments: &[(&TaskId, &PaymentFact)]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(payments)
        .column("task_id", |(task, _)| task.0)
        .column("case_id", |(_, fact)| fact.case_id.0)
        .column("paid_at", |(_, fact)| fact.paid.to_sqlx())
        .column("currency", |(_, fact)| fact.amount.currency.as_str())
        .column("minor", |(_, fact)| fact.amount.minor)
        .done();
    let rules = [Rule::First(&["case_id"])];
    binds.execute(&merging(&rows, "payment_fact", "r.task_id", &rules), conn).await?;
    Ok(())
}

async fn keep_losses(conn: &mut PgConnection, losses: &[(&TaskId, &LossFact)]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(losses)
        .column("task_id", |(task, _)| task.0)
        .column("case_id", |(_, fact)| fact.case_id.0)
        .column("department", |(_, fact)| fact.department.as_str())
        .column("written_off_at", |(_, fact)| fact.written_off.to_sqlx())
        .column("currency", |(_, fact)| fact.amount.currency.as_str())
        .column("minor", |(_, fact)| fact.amount.minor)
        .done();
    let rules = [Rule::First(&["case_id"])];
    binds.execute(&merging(&rows, "loss_fact", "r.task_id", &rules), conn).await?;
    Ok(())
}

async fn keep_pauses(conn: &mut PgConnection, pauses: &[(&(CaseId, i32), &PauseFact)]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(pauses)
        .column("case_id", |((case, _), _)| case.0)
        .column("ordinal", |((_, ordinal), _)| *ordinal)
        .column("at", |(_, fact)| fact.at.to_sqlx())
        .column("pauses", |(_, fact)| fact.pauses)
        .done();
    let rules = [Rule::First(&["at"])];
    binds.execute(&merging(&rows, "pause_fact", "r.case_id, r.ordinal", &rules), conn).await?;
    Ok(())
}

async fn keep_tasks(
    conn: &mut PgConnection,
    tasks: &[(&TaskId, &TaskFact)],
    zone: &str,
) -> Result<(), Fault> {
    let work = |at: Option<jiff::Timestamp>| at.map(|at| working_hours::until(zone, at));
    let time = |at: Option<jiff::Timestamp>| at.map(jiff_sqlx::ToSqlx::to_sqlx);
    let mut binds = Binds::default();
    let rows = binds
        .rows(tasks)
        .column("task_id", |(task, _)| task.0)
        .column("case_id", |(_, fact)| fact.case_id.0)
        .column("department", |(_, fact)| fact.department.as_ref().map(|told| told.value.as_str()))
        .column("department_rank", |(_, fact)| fact.department.as_ref().map(|told| told.rank))
        .column("created_at", |(_, fact)| time(fact.created))
        .column("created_work", |(_, fact)| work(fact.created))
        .column("done_at", |(_, fact)| time(fact.done))
        .column("done_work", |(_, fact)| work(fact.done))
        .column("due_at", |(_, fact)| time(fact.due))
        .column("overdue_at", |(_, fact)| time(fact.overdue))
        .done();
    let rules = [
        Rule::Highest(&["department"], "department_rank"),
        Rule::Earlier(&["created_at", "created_work", "done_at", "done_work", "due_at", "overdue_at"]),
    ];
    binds.execute(&merging(&rows, "task_fact", "r.task_id", &rules), conn).await?;
    Ok(())
}

/// Keeps tellings, then what is counted of them: of all that were not taken back the
/// earliest. The rows of their cases are held by this transaction, so that nobody else counts
/// meanwhile.
async fn keep_tellings(
    conn: &mut PgConnection,
    tellings: &[(&TellingKey, &TellingFact)],
    zone: &str,
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(tellings)
        .column("case_id", |((case, ..), _)| case.0)
        .column("kind", |((_, kind, ..), _)| *kind)
        .column("cycle", |((_, _, cycle, ..), _)| *cycle)
        .column("notice_id", |((.., notice, _), _)| notice.0)
        .column("sending", |((.., sending), _)| *sending)
        .column("told_at", |(_, fact)| fact.told.map(jiff_sqlx::ToSqlx::to_sqlx))
        .column("told_work", |(_, fact)| fact.told.map(|at| working_hours::until(zone, at)))
        .column("bounced", |(_, fact)| fact.bounced.map(|_| true))
        .column("bounced_at", |(_, fact)| fact.bounced.map(jiff_sqlx::ToSqlx::to_sqlx))
        .done();
    let rules = [Rule::Earlier(&["told_at", "told_work", "bounced_at"]), Rule::First(&["bounced"])];
    let key = "r.case_id, r.kind, r.cycle, r.notice_id, r.sending";
    binds.execute(&merging(&rows, "telling_fact", key, &rules), conn).await?;
    let mut cases: Vec<Uuid> = tellings.iter().map(|((case, ..), _)| case.0).collect();
    cases.dedup();
    sqlx::query(pg::sql!(
        "UPDATE case_fact f SET acknowledged_at = t.at, acknowledged_work = t.work
         FROM (SELECT c.case_id, min(k.told_at) AS at, min(k.told_work) AS work
               FROM UNNEST($1::uuid[]) AS c (case_id)
               LEFT JOIN telling_fact k ON k.tenant_id = current_setting('redress.tenant') AND k.case_id = c.case_id
                    AND k.kind = {acknowledgement} AND k.bounced IS NULL
               GROUP BY c.case_id) AS t
         WHERE f.tenant_id = current_setting('redress.tenant') AND f.case_id = t.case_id
           AND (f.acknowledged_at, f.acknowledged_work) IS DISTINCT FROM (t.at, t.work)",
        acknowledgement = Kind::Acknowledgement,
    ))
    .bind(&cases)
    .execute(&mut *conn)
    .await?;
    sqlx::query(pg::sql!(
        "UPDATE cycle_fact f SET told_at = t.at
         FROM (SELECT y.case_id, y.cycle, min(k.told_at) AS at
               FROM cycle_fact y
               LEFT JOIN telling_fact k ON k.tenant_id = y.tenant_id AND k.case_id = y.case_id
                    AND k.cycle = y.cycle AND k.kind = {outcome} AND k.bounced IS NULL
               WHERE y.tenant_id = current_setting('redress.tenant') AND y.case_id = ANY($1)
               GROUP BY y.case_id, y.cycle) AS t
         WHERE f.tenant_id = current_setting('redress.tenant') AND f.case_id = t.case_id AND f.cycle = t.cycle
           AND f.told_at IS DISTINCT FROM t.at",
        outcome = Kind::Outcome,
    ))
    .bind(&cases)
    .execute(conn)
    .await?;
    Ok(())
}

/// Everything that is kept of the tenant, as one hash.
#[cfg(test)]
pub(crate) async fn facts_hash(conn: &mut PgConnection) -> Result<String, Fault> {
    let tables = [
        "case_fact",
        "cycle_fact",
        "call_back_fact",
        "payment_fact",
        "loss_fact",
        "pause_fact",
        "process_event",
        "telling_fact",
        "ending_fact",
        "outcome_fact",
        "score_fact",
        "task_fact",
    ];
    let mut all = String::new();
    for table in tables {
        let statement = format!(
            "SELECT coalesce(md5(string_agg(row, '|' ORDER BY row)), '') FROM
                 (SELECT (to_jsonb(t) - 'tenant_id')::text AS row FROM {table} t
                  WHERE tenant_id = current_setting('redress.tenant')) r"
        );
        let hash: String = sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(&mut *conn).await?;
        all.push_str(&hash);
    }
    Ok(all)
}
