//! Cases as the columns of one statement.

use jiff_sqlx::ToSqlx;
use uuid::Uuid;

use crate::assignment::{Assignment, State, Suspended};

const WAITING: i16 = 1;
const ASSIGNED: i16 = 2;
const ACCEPTED: i16 = 3;
const RELEASED: i16 = 4;

/// Cases as the columns of one statement.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) cases: Vec<Uuid>,
    pub(super) versions: Vec<i64>,
    pub(super) cycles: Vec<i32>,
    pub(super) states: Vec<i16>,
    pub(super) departments: Vec<&'a str>,
    pub(super) agents: Vec<Option<&'a str>>,
    pub(super) previous_agents: Vec<Option<&'a str>>,
    pub(super) respondents: Vec<&'a str>,
    pub(super) priorities: Vec<i16>,
    pub(super) categories: Vec<&'a str>,
    pub(super) enqueued: Vec<jiff_sqlx::Timestamp>,
    pub(super) explanations: Vec<&'a str>,
    pub(super) transfers: Vec<i32>,
    pub(super) traceparents: Vec<&'a str>,
    pub(super) suspended: Vec<Option<i16>>,
    pub(super) heard: Vec<i32>,
    pub(super) customers: Vec<&'a str>,
    pub(super) languages: Vec<&'a str>,
    pub(super) regions: Vec<&'a str>,
    pub(super) bulk: Vec<bool>,
    pub(super) familiar_agents: Vec<Option<&'a str>>,
    pub(super) passed: Vec<String>,
    pub(super) paths: Vec<String>,
    pub(super) escalations: Vec<i16>,
    pub(super) accept_by: Vec<Option<jiff_sqlx::Timestamp>>,
    pub(super) unassignable: Vec<Option<jiff_sqlx::Timestamp>>,
    pub(super) ranks: Vec<jiff_sqlx::Timestamp>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(cases: &'a [Assignment]) -> Self {
        let mut columns = Self::default();
        for case in cases {
            columns.push(case);
        }
        columns
    }

    fn push(&mut self, case: &'a Assignment) {
        self.cases.push(case.case_id.0);
        self.versions.push(case.version);
        self.cycles.push(case.cycle);
        self.states.push(match case.state {
            State::Waiting => WAITING,
            State::Assigned(_) => ASSIGNED,
            State::Accepted(_) => ACCEPTED,
            State::Released(_) => RELEASED,
        });
        self.departments.push(case.department.as_deref().unwrap_or_default());
        self.agents.push(case.agent());
        self.previous_agents.push(case.previous_agent.as_deref());
        self.respondents.push(&case.origin.respondent);
        self.priorities.push(case.priority as i16);
        self.categories.push(&case.category);
        self.enqueued.push(case.enqueued.to_sqlx());
        self.explanations.push(&case.explanation);
        self.transfers.push(case.transfers);
        self.traceparents.push(&case.traceparent);
        self.suspended.push(case.suspended.map(|state| match state {
            Suspended::Waiting => WAITING,
            Suspended::Assigned => ASSIGNED,
            Suspended::Accepted => ACCEPTED,
        }));
        self.heard.push(case.heard);
        self.customers.push(&case.origin.customer);
        self.languages.push(&case.origin.language);
        self.regions.push(&case.origin.region);
        self.bulk.push(case.is_bulk);
        self.familiar_agents.push(case.familiar_agent.as_deref());
        self.passed.push(case.passed.join(" "));
        self.paths.push(case.path.join(" "));
        self.escalations.push(case.escalation.map_or(0, |escalation| escalation as i16));
        self.accept_by.push(case.accept_by.map(ToSqlx::to_sqlx));
        self.unassignable.push(case.unassignable.map(ToSqlx::to_sqlx));
        self.ranks.push(case.place().rank.to_sqlx());
    }
}
