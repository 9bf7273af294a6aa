//! A row of `cases` and the case it stands for: read, inserted and written over.

use std::collections::{HashMap, HashSet};

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx};
use kernel::{CaseId, Money};
use pg::Binds;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;
use vocabulary::{Channel, Level, Matter, Outcome, Priority, State};

use super::{Opening, lists};
use crate::case::{Case, Lowering, Merged, Origin};
use crate::reopening::{ReopeningLimits, ReopeningTerms};

/// Reads cases of the tenant: what follows the tenant's condition is given.
macro_rules! select_cases {
    ($rest:literal) => {
        concat!(
            "SELECT case_id, version, state, cycle, tier, priority, outcome, channel, entries, received_at,
                    opened_at, resolved_at, closed_at, first_assigned_at, first_resolved_at, category,
                    triage_reasons, subject, language, customer_id, respondent_staff, amount_sought_minor,
                    amount_sought_currency, department_id, agent_id, findings, root_cause,
                    decision_reasons, traceparent, due_at, matter, merged_into, merged_from, region, complexity,
                    merged_across, priority_floor, lowering_to, lowering_by, correction, due_changes,
                    reopen_policy, reopen_days, reopen_times
             FROM cases WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}
pub(crate) use select_cases;

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    case_id: Uuid,
    version: i64,
    state: i16,
    cycle: i32,
    tier: i32,
    priority: i16,
    outcome: Option<i16>,
    channel: i16,
    entries: i32,
    received_at: Timestamp,
    opened_at: Timestamp,
    resolved_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    first_assigned_at: Option<Timestamp>,
    first_resolved_at: Option<Timestamp>,
    category: String,
    triage_reasons: String,
    subject: String,
    language: String,
    customer_id: String,
    respondent_staff: String,
    amount_sought_minor: Option<i64>,
    amount_sought_currency: Option<String>,
    department_id: String,
    agent_id: String,
    findings: String,
    root_cause: String,
    decision_reasons: String,
    traceparent: String,
    due_at: Option<Timestamp>,
    matter: i16,
    merged_into: Option<Uuid>,
    merged_from: Option<i16>,
    region: String,
    complexity: i16,
    merged_across: bool,
    priority_floor: Option<i16>,
    lowering_to: Option<i16>,
    lowering_by: String,
    correction: i32,
    due_changes: i32,
    reopen_policy: Option<i32>,
    reopen_days: Option<i32>,
    reopen_times: Option<i32>,
}

impl Row {
    /// What took effect before policies said so is under what was the rule then.
    fn reopening(&self) -> Option<ReopeningTerms> {
        let limits = self.reopen_days.zip(self.reopen_times);
        let kept = self.reopen_policy.zip(limits).map(|(policy, (window_days, maximum))| ReopeningTerms {
            policy,
            limits: ReopeningLimits { window_days, maximum },
        });
        kept.or(self.resolved_at.is_some().then_some(ReopeningTerms::SHIPPED))
    }

    pub(crate) fn into_case(self) -> Result<Case, Fault> {
        let (id, reopening) = (self.case_id, self.reopening());
        let known = |column: &'static str| move || impossible("cases", column, id);
        let merged = match self.merged_into.zip(self.merged_from) {
            Some((into, stood)) => {
                let stood = State::of(stood).ok_or_else(known("merged_from"))?;
                Some(Merged { into: CaseId(into), stood, across: self.merged_across })
            }
            None => None,
        };
        let floor = self.priority_floor.map(|code| Priority::of(code).ok_or_else(known("priority_floor")));
        let lowering = match self.lowering_to {
            Some(code) => {
                let to = Priority::of(code).ok_or_else(known("lowering_to"))?;
                Some(Lowering { to, by: self.lowering_by })
            }
            None => None,
        };
        let amount_sought = self.amount_sought_minor.zip(self.amount_sought_currency);
        Ok(Case {
            id: CaseId(id),
            origin: Origin {
                matter: Matter::of(self.matter).ok_or_else(known("matter"))?,
                channel: Channel::of(self.channel).ok_or_else(known("channel"))?,
                subject: self.subject,
                language: self.language,
                customer_id: self.customer_id,
                region: self.region,
                respondent_staff: self.respondent_staff,
                amount_sought: amount_sought.map(|(minor, currency)| Money { minor, currency }),
                receive_time: self.received_at.to_jiff(),
                traceparent: self.traceparent,
            },
            version: self.version,
            state: State::of(self.state).ok_or_else(known("state"))?,
            merged,
            cycle: self.cycle,
            tier: self.tier,
            priority: Priority::of(self.priority).ok_or_else(known("priority"))?,
            priority_floor: floor.transpose()?,
            lowering,
            complexity: Level::of(self.complexity).ok_or_else(known("complexity"))?,
            category: self.category,
            triage_reasons: lists::read(&self.triage_reasons),
            department_id: self.department_id,
            agent_id: self.agent_id,
            findings: self.findings,
            root_cause: self.root_cause,
            outcome: match self.outcome {
                Some(code) => Some(Outcome::of(code).ok_or_else(known("outcome"))?),
                None => None,
            },
            decision_reasons: self.decision_reasons,
            correction: self.correction,
            open_time: self.opened_at.to_jiff(),
            resolve_time: self.resolved_at.map(Timestamp::to_jiff),
            reopening,
            close_time: self.closed_at.map(Timestamp::to_jiff),
            first_assign_time: self.first_assigned_at.map(Timestamp::to_jiff),
            first_resolve_time: self.first_resolved_at.map(Timestamp::to_jiff),
            due_time: self.due_at.map(Timestamp::to_jiff),
            due_changes: self.due_changes,
            time_zone: String::new(),
            entries: self.entries,
            journal: Vec::new(),
        })
    }
}

/// A row that no version of this service can have written.
pub(crate) fn impossible(table: &str, column: &str, id: Uuid) -> Fault {
    Fault::internal(format!("{table}.{column} of case {id} has an impossible value"))
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
