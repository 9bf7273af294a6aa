//! Agents, read from requests and told in answers.

use std::collections::HashSet;

use fault::{Check, Fault};
use jiff::Timestamp;
use proto::redress::assignment::v1 as wire;
use proto::timestamp;

use super::requests::{MAX_NAME, department_id_in};
use crate::roster::{Agent, AgentProfile, AgentRouting, DAY_MINUTES, Hours, Presence, Shift, Skill};

const MAX_CAPACITY: i32 = 100_000;
const MAX_SKILLS: usize = 100;
const MAX_SKILL: usize = 200;
const MAX_LEVEL: i32 = 5;
const MAX_LANGUAGES: usize = 50;
const MAX_LANGUAGE: usize = 35;
const MAX_REGIONS: usize = 200;
const MAX_REGION: usize = 100;
const MAX_HOURS: usize = 42;
const MAX_CALENDAR: usize = 60;
const MAX_CONFLICTS: usize = 1_000;
const MAX_CONFLICT: usize = 200;
const INVALID_AGENT: &str = "INVALID_AGENT";

/// An agent as people describe them anew.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    /// What they say.
    pub(crate) profile: AgentProfile,
    /// They say nothing of what routing goes by: that stays.
    pub(crate) keeps_routing: bool,
}

impl Described {
    /// What people say of an agent then, who was described before.
    pub(crate) fn over(mut self, before: &AgentProfile) -> AgentProfile {
        if self.keeps_routing {
            self.profile.routing = before.routing.clone();
        }
        self.profile
    }
}

/// What `CreateAgent` asks for.
pub(crate) fn create_agent(request: wire::CreateAgentRequest) -> Result<AgentProfile, Fault> {
    let wire::CreateAgentRequest { request_id, agent } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let described = described(&mut check, agent);
    check.done(INVALID_AGENT)?;
    Ok(described.profile)
}

/// What `UpdateAgent` asks for, and the version the caller has seen.
pub(crate) fn update_agent(request: wire::UpdateAgentRequest) -> Result<(Described, Option<i64>), Fault> {
    let wire::UpdateAgentRequest { request_id, expected_version, agent } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let described = described(&mut check, agent);
    check.done(INVALID_AGENT)?;
    Ok((described, expected_version))
}

/// What of an agent only the roster shows to be wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unfit {
    /// There is no such department.
    pub(crate) no_department: bool,
    /// What is wrong with the supervisor.
    pub(crate) supervisor: Option<UnfitSupervisor>,
    /// There is no calendar that the shift names.
    pub(crate) no_calendar: bool,
}

/// What is wrong with a supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnfitSupervisor {
    /// There is none of that name.
    Missing,
    /// They stand below the agent, or are the agent.
    Circle,
}

impl Unfit {
    /// Refuses an agent with something wrong with them.
    pub(crate) fn check(self) -> Result<(), Fault> {
        let mut check = Check::new();
        let supervisor = "agent.routing.supervisor_id";
        check.ensure(!self.no_department, "agent.department_id", "is not a department");
        let is = |fault| self.supervisor == Some(fault);
        check.ensure(!is(UnfitSupervisor::Missing), supervisor, "is not an agent");
        check.ensure(!is(UnfitSupervisor::Circle), supervisor, "stands below this agent");
        let calendar = "agent.routing.shift.calendar";
        check.ensure(!self.no_calendar, calendar, "is neither a shipped calendar nor one of your own");
        check.done(INVALID_AGENT)
    }
}

/// Reads an agent.
pub(crate) fn described(check: &mut Check, agent: Option<wire::Agent>) -> Described {
    if agent.is_none() {
        check.fail("agent", "is required");
    }
    let is_told = agent.is_some();
    let wire::Agent {
        agent_id,
        version: _,
        department_id,
        display_name,
        capacity,
        available,
        load: _,
        routing,
        presence: _,
        absent_until_time: _,
    } = agent.unwrap_or_default();
    if !(0..=MAX_CAPACITY).contains(&capacity) {
        check.fail("agent.capacity", format!("must be 0 to {MAX_CAPACITY}"));
    }
    let keeps_routing = routing.is_none();
    let mut scratch = Check::new();
    let check = if is_told { check } else { &mut scratch };
    let id = check.slug("agent.agent_id", agent_id);
    let department = department_id_in(check, "agent.department_id", department_id);
    let display_name = check.required("agent.display_name", display_name, MAX_NAME);
    let routing = routing.map(|routing| agent_routing(check, routing)).unwrap_or_default();
    let profile = AgentProfile { id, department, display_name, capacity, available, routing };
    Described { profile, keeps_routing }
}

fn agent_routing(check: &mut Check, routing: wire::AgentRouting) -> AgentRouting {
    let wire::AgentRouting {
        team_id,
        skills,
        languages,
        regions,
        shift,
        supervisor_id,
        conflict_customer_ids,
        conflict_subjects,
    } = routing;
    let of = |field: &str| format!("agent.routing.{field}");
    AgentRouting {
        team: check.optional_slug(&of("team_id"), team_id).unwrap_or_default(),
        skills: skills_in(check, skills),
        languages: languages_in(check, languages),
        regions: texts(check, &of("regions"), regions, MAX_REGIONS, MAX_REGION),
        shift: shift.map(|shift| shift_in(check, shift)),
        supervisor: check.optional_slug(&of("supervisor_id"), supervisor_id),
        conflict_customers: texts(
            check,
            &of("conflict_customer_ids"),
            conflict_customer_ids,
            MAX_CONFLICTS,
            MAX_CONFLICT,
        ),
        conflict_subjects: texts(
            check,
            &of("conflict_subjects"),
            conflict_subjects,
            MAX_CONFLICTS,
            MAX_CONFLICT,
        ),
    }
}

fn skills_in(check: &mut Check, skills: Vec<wire::Skill>) -> Vec<Skill> {
    let field = "agent.routing.skills";
    let skills = check.list(field, skills, MAX_SKILLS);
    let mut seen = HashSet::new();
    let mut read = Vec::with_capacity(skills.len());
    for (i, wire::Skill { name, level }) in skills.into_iter().enumerate() {
        let name = check.required(&format!("{field}[{i}].name"), name, MAX_SKILL);
        let is_level = (1..=MAX_LEVEL).contains(&level);
        check.ensure(is_level, &format!("{field}[{i}].level"), "must be 1 to 5");
        check.ensure(seen.insert(name.clone()), &format!("{field}[{i}].name"), "is there twice");
        read.push(Skill { name, level });
    }
    read
}

fn languages_in(check: &mut Check, languages: Vec<String>) -> Vec<String> {
    let field = "agent.routing.languages";
    let languages = texts(check, field, languages, MAX_LANGUAGES, MAX_LANGUAGE);
    for (i, language) in languages.iter().enumerate() {
        let is_tag = language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        check.ensure(is_tag, &format!("{field}[{i}]"), "must be a language tag like en or zh-CN");
    }
    languages
}

fn texts(check: &mut Check, field: &str, texts: Vec<String>, most: usize, longest: usize) -> Vec<String> {
    let texts = check.list(field, texts, most).into_iter().enumerate();
    texts.map(|(i, text)| check.required(&format!("{field}[{i}]"), text, longest)).collect()
}

fn shift_in(check: &mut Check, shift: wire::Shift) -> Shift {
    let wire::Shift { calendar, hours } = shift;
    let field = "agent.routing.shift";
    let calendar = check.required(&format!("{field}.calendar"), calendar, MAX_CALENDAR);
    let hours = check.some(&format!("{field}.hours"), hours, MAX_HOURS);
    let mut read: Vec<Hours> = Vec::with_capacity(hours.len());
    for (i, wire::WorkingHours { weekday, start_minute, end_minute }) in hours.into_iter().enumerate() {
        let field = format!("{field}.hours[{i}]");
        check.ensure((1..=7).contains(&weekday), &format!("{field}.weekday"), "must be 1 to 7");
        let starts = (0..DAY_MINUTES).contains(&start_minute);
        check.ensure(starts, &format!("{field}.start_minute"), "must be 0 to 1439");
        let ends = end_minute > start_minute && end_minute <= DAY_MINUTES;
        check.ensure(ends, &format!("{field}.end_minute"), "must be after start_minute and at most 1440");
        read.push(Hours { weekday, from: start_minute, until: end_minute });
    }
    read.sort_unstable();
    let overlap = |pair: &[Hours]| pair[0].weekday == pair[1].weekday && pair[1].from < pair[0].until;
    check.ensure(!read.windows(2).any(overlap), &format!("{field}.hours"), "must not overlap");
    Shift { calendar, hours: read }
}

/// An agent as callers see them at a moment.
pub(crate) fn agent(agent: Agent, now: Timestamp) -> wire::Agent {
    let presence = match agent.presence(now) {
        Presence::Present => wire::Presence::Present,
        Presence::Away => wire::Presence::Away,
        Presence::OffShift => wire::Presence::OffShift,
        Presence::Absent => wire::Presence::Absent,
        Presence::Leaving => wire::Presence::Leaving,
    };
    let Agent { profile, version, load, turn: _, stint: _, absent_until, is_leaving: _ } = agent;
    let AgentProfile { id, department, display_name, capacity, available, routing } = profile;
    wire::Agent {
        agent_id: id,
        version,
        department_id: department,
        display_name,
        capacity,
        available,
        load,
        routing: (routing != AgentRouting::default()).then(|| routing_told(routing)),
        presence: presence.into(),
        absent_until_time: absent_until.filter(|until| *until > now).map(timestamp),
    }
}

fn routing_told(routing: AgentRouting) -> wire::AgentRouting {
    let AgentRouting {
        team,
        skills,
        languages,
        regions,
        shift,
        supervisor,
        conflict_customers,
        conflict_subjects,
    } = routing;
    let skill = |Skill { name, level }| wire::Skill { name, level };
    let hours = |Hours { weekday, from, until }| wire::WorkingHours {
        weekday,
        start_minute: from,
        end_minute: until,
    };
    let shift = shift.map(|shift| wire::Shift {
        calendar: shift.calendar,
        hours: shift.hours.into_iter().map(hours).collect(),
    });
    wire::AgentRouting {
        team_id: team,
        skills: skills.into_iter().map(skill).collect(),
        languages,
        regions,
        shift,
        supervisor_id: supervisor.unwrap_or_default(),
        conflict_customer_ids: conflict_customers,
        conflict_subjects,
    }
}
