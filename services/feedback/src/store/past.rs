//! Statements that keep what was so before, and the terms by which it is read.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;

use crate::fact::{Ending, EndingFact, OutcomeFact, Past, ScoreFact};
use crate::kpi::measure::Cohort;
use crate::notice::Kind;

/// Keeps what was so before. Rows are written in the order of their keys.
pub(super) async fn keep_past(conn: &mut PgConnection, past: &Past) -> Result<(), Fault> {
    let Past { endings, outcomes, scores } = past;
    if !endings.is_empty() {
        keep_endings(conn, &endings.iter().collect::<Vec<_>>()).await?;
    }
    if !outcomes.is_empty() {
        keep_outcomes(conn, &outcomes.iter().collect::<Vec<_>>()).await?;
    }
    if !scores.is_empty() {
        keep_scores(conn, &scores.iter().collect::<Vec<_>>()).await?;
    }
    Ok(())
}

async fn keep_endings(
    conn: &mut PgConnection,
    endings: &[(&(CaseId, i64), &EndingFact)],
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(endings)
        .column("case_id", |((case, _), _)| case.0)
        .column("rank", |((_, rank), _)| *rank)
        .column("at", |(_, fact)| fact.at.to_sqlx())
        .column("ending", |(_, fact)| fact.ending.map_or(0, Ending::number))
        .done();
    let statement =
        format!("{} ON CONFLICT ON CONSTRAINT ending_fact_pkey DO NOTHING", rows.insert_into("ending_fact"));
    binds.execute(&statement, conn).await?;
    Ok(())
}

async fn keep_outcomes(
    conn: &mut PgConnection,
    outcomes: &[(&(CaseId, i32, i32), &OutcomeFact)],
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(outcomes)
        .column("case_id", |((case, ..), _)| case.0)
        .column("cycle", |((_, cycle, _), _)| *cycle)
        .column("correction", |((.., correction), _)| *correction)
        .column("at", |(_, fact)| fact.at.to_sqlx())
        .column("outcome", |(_, fact)| fact.outcome)
        .done();
    let statement = format!(
        "INSERT INTO outcome_fact AS f (tenant_id, {names}) SELECT current_setting('redress.tenant'), {values}
         FROM {rows} AS r ORDER BY r.case_id, r.cycle, r.correction
         ON CONFLICT ON CONSTRAINT outcome_fact_pkey DO UPDATE SET at = excluded.at, outcome = excluded.outcome
         WHERE excluded.at < f.at",
        names = rows.names(),
        values = rows.values("r"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

async fn keep_scores(
    conn: &mut PgConnection,
    scores: &[(&(CaseId, i32, i64), &ScoreFact)],
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(scores)
        .column("case_id", |((case, ..), _)| case.0)
        .column("cycle", |((_, cycle, _), _)| *cycle)
        .column("rank", |((.., rank), _)| *rank)
        .column("at", |(_, fact)| fact.at.to_sqlx())
        .column("handling", |(_, fact)| fact.handling)
        .column("satisfaction", |(_, fact)| fact.satisfaction)
        .done();
    let statement = format!(
        "INSERT INTO score_fact AS f (tenant_id, {names}) SELECT current_setting('redress.tenant'), {values}
         FROM {rows} AS r ORDER BY r.case_id, r.cycle, r.rank
         ON CONFLICT ON CONSTRAINT score_fact_pkey DO UPDATE
         SET at = excluded.at, handling = excluded.handling, satisfaction = excluded.satisfaction
         WHERE excluded.at < f.at",
        names = rows.names(),
        values = rows.values("r"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Where figures of the past read another table than figures of now: what the fact is read
/// from, what decides the day, what else is asked of it. `{as_of}` is the time.
pub(super) fn past_source(cohort: Cohort) -> Option<(String, &'static str, String)> {
    match cohort {
        Cohort::Closed => {
            let from =
                "ending_fact e JOIN case_fact c ON c.tenant_id = e.tenant_id AND c.case_id = e.case_id";
            let only = format!(
                "e.ending = {closed} AND NOT EXISTS (
                     SELECT FROM ending_fact l
                     WHERE l.tenant_id = e.tenant_id AND l.case_id = e.case_id AND l.rank > e.rank
                       AND l.at <= {{as_of}})",
                closed = Ending::Closed.number()
            );
            Some((from.to_owned(), "e.at", only))
        }
        Cohort::Told => {
            // Of what came back later, nothing was known: the earliest telling counted.
            let from = format!(
                "(SELECT t.*, t.told_at AS told FROM cycle_fact t
                  WHERE t.told_at IS NOT NULL AND NOT EXISTS (
                      SELECT FROM telling_fact k
                      WHERE k.tenant_id = t.tenant_id AND k.case_id = t.case_id AND k.cycle = t.cycle
                        AND k.kind = {outcome} AND k.bounced_at > {{as_of}} AND k.told_at < t.told_at)
                  UNION ALL
                  SELECT t.*, b.told FROM (
                      SELECT k.tenant_id, k.case_id, k.cycle, min(k.told_at) AS told FROM telling_fact k
                      WHERE k.tenant_id = current_setting('redress.tenant') AND k.kind = {outcome}
                        AND k.bounced_at > {{as_of}} AND k.told_at <= {{as_of}}
                      GROUP BY k.tenant_id, k.case_id, k.cycle) b
                  JOIN cycle_fact t ON t.tenant_id = b.tenant_id AND t.case_id = b.case_id AND t.cycle = b.cycle
                  WHERE t.told_at IS NULL OR t.told_at > b.told) y
                 LEFT JOIN case_fact c ON c.tenant_id = y.tenant_id AND c.case_id = y.case_id",
                outcome = Kind::Outcome.number()
            );
            Some((from, "y.told", "true".to_owned()))
        }
        _ => None,
    }
}

/// How a case had ended by the time of `{as_of}`; null or 0 where it was open.
pub(super) fn past_ending(case: &str) -> String {
    format!(
        "CASE WHEN {case}.ending IS NULL THEN NULL WHEN {case}.ended_at <= {{as_of}} THEN {case}.ending ELSE (
             SELECT z.ending FROM ending_fact z
             WHERE z.tenant_id = {case}.tenant_id AND z.case_id = {case}.case_id AND z.at <= {{as_of}}
             ORDER BY z.rank DESC LIMIT 1) END"
    )
}

/// What had been decided of the cycle `y` by then.
pub(super) const PAST_OUTCOME: &str =
    "CASE WHEN coalesce(y.outcome_rank, 0) = 0 THEN y.outcome ELSE coalesce((
    SELECT z.outcome FROM outcome_fact z
    WHERE z.tenant_id = y.tenant_id AND z.case_id = y.case_id AND z.cycle = y.cycle AND z.at <= {as_of}
    ORDER BY z.correction DESC LIMIT 1), y.outcome) END";

/// A score of the cycle `y` that had been given by then.
pub(super) fn past_score(score: &str) -> String {
    format!(
        "CASE WHEN y.{score} IS NULL OR y.{score}_at <= {{as_of}} THEN y.{score} ELSE (
             SELECT z.{score} FROM score_fact z
             WHERE z.tenant_id = y.tenant_id AND z.case_id = y.case_id AND z.cycle = y.cycle
               AND z.{score} IS NOT NULL AND z.at <= {{as_of}}
             ORDER BY z.rank DESC LIMIT 1) END"
    )
}
