//! A row of `cases` and the case it stands for.

use fault::Fault;
use jiff_sqlx::Timestamp;
use kernel::{CaseId, Money};
use uuid::Uuid;
use vocabulary::{Channel, Level, Matter, Outcome, Priority, State};

use super::lists;
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
