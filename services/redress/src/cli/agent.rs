//! `redress agent …`: who handles cases, what they can do and when they work.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use proto::redress::assignment::v1::{
    Agent, AgentRouting, CreateAgentRequest, GetAgentRequest, ListAgentsRequest, OffboardAgentRequest,
    RecordAbsenceRequest, RemoveAgentRequest, Shift, Skill, UpdateAgentRequest, WorkingHours,
};

use super::agent_file;
use super::connection::{Caller, Connection, Expect, Page};
use show::{self, text};

#[derive(Args)]
pub(crate) struct Agents {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Registers an agent; waiting cases are given to them at once
    Add {
        #[command(flatten)]
        agent: AgentArgs,
        #[command(flatten)]
        routing: RoutingArgs,
    },
    /// Replaces an agent's name, capacity and availability, and what else is named
    Set {
        #[command(flatten)]
        agent: AgentArgs,
        #[command(flatten)]
        routing: RoutingArgs,
        #[command(flatten)]
        expect: Expect,
    },
    /// Shows an agent
    Get {
        /// Name the agent signs in by
        agent: String,
    },
    /// Registers or describes many from a table, a verdict for each row; may be repeated
    ///
    /// The columns are agent, department, name, capacity, available, team, skills
    /// (`delivery=4;refund=2`), languages, regions, calendar, hours (`1-5@09:00-17:00`),
    /// supervisor, conflict_customers, conflict_subjects; several values of a cell are apart
    /// by `;`. The first three are required. Without any of the rest but capacity and
    /// available, what routing goes by stays.
    Import {
        /// A file of comma-separated values with a line of headings
        file: PathBuf,
    },
    /// Notes that an agent is absent, and is given nothing meanwhile
    Absent {
        /// Name the agent signs in by
        agent: String,
        /// Until when, as 2026-12-01T09:00:00+08:00
        #[arg(long, value_parser = crate::cli::moment::read)]
        until: Timestamp,
        /// Everything they hold goes to others
        #[arg(long)]
        hand_over: bool,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Notes that an agent is back before their absence is over
    Back {
        /// Name the agent signs in by
        agent: String,
    },
    /// Hands over everything an agent holds who leaves, and gives them nothing any more
    Offboard {
        /// Name the agent signs in by
        agent: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Takes an agent off the roster who holds nothing
    Remove {
        /// Name the agent signs in by
        agent: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Lists agents
    List {
        /// Only this department's
        #[arg(long, default_value = "")]
        department: String,
        /// Only this team's
        #[arg(long, default_value = "")]
        team: String,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Args)]
struct AgentArgs {
    /// Identity: the subject they sign in as
    agent: String,
    /// The department they work in
    #[arg(long)]
    department: String,
    /// Name for people
    #[arg(long)]
    name: String,
    /// Most cases at once
    #[arg(long, default_value_t = 10)]
    capacity: i32,
    /// Takes no new cases now
    #[arg(long)]
    away: bool,
}

/// What routing goes by; what is not named stays.
#[derive(Args)]
struct RoutingArgs {
    /// Their team
    #[arg(long)]
    team: Option<String>,
    /// What they can do and how well, e.g. `delivery/damaged=4,refund=2`
    #[arg(long, value_delimiter = ',', value_parser = skill)]
    skills: Option<Vec<Skill>>,
    /// Languages they answer in, e.g. `zh,en`
    #[arg(long, value_delimiter = ',')]
    languages: Option<Vec<String>>,
    /// Regions they know
    #[arg(long, value_delimiter = ',')]
    regions: Option<Vec<String>>,
    /// Shipped calendar of their shift, e.g. `cn`
    #[arg(long, requires = "hours")]
    calendar: Option<String>,
    /// Hours of their shift, e.g. `1-5@09:00-12:00,1-5@13:00-18:00`; Monday is 1
    #[arg(long, value_delimiter = ',', requires = "calendar")]
    hours: Option<Vec<String>>,
    /// The agent above them; empty for nobody
    #[arg(long)]
    supervisor: Option<String>,
    /// Customers whose cases they must not handle
    #[arg(long, value_delimiter = ',')]
    conflict_customers: Option<Vec<String>>,
    /// People whose matter they must not handle
    #[arg(long, value_delimiter = ',')]
    conflict_subjects: Option<Vec<String>>,
}

impl RoutingArgs {
    fn is_told(&self) -> bool {
        let lists = [&self.languages, &self.regions, &self.conflict_customers, &self.conflict_subjects];
        let texts = [&self.team, &self.calendar, &self.supervisor];
        self.skills.is_some()
            || lists.iter().any(|list| list.is_some())
            || texts.iter().any(|text| text.is_some())
    }

    /// What was before, with what is told in its place.
    fn over(self, before: AgentRouting) -> anyhow::Result<AgentRouting> {
        let shift = match self.calendar.zip(self.hours) {
            Some((calendar, hours)) => Some(shift(calendar, &hours)?),
            None => before.shift,
        };
        Ok(AgentRouting {
            team_id: self.team.unwrap_or(before.team_id),
            skills: self.skills.unwrap_or(before.skills),
            languages: self.languages.unwrap_or(before.languages),
            regions: self.regions.unwrap_or(before.regions),
            shift,
            supervisor_id: self.supervisor.unwrap_or(before.supervisor_id),
            conflict_customer_ids: self.conflict_customers.unwrap_or(before.conflict_customer_ids),
            conflict_subjects: self.conflict_subjects.unwrap_or(before.conflict_subjects),
        })
    }
}

/// Reads a skill as `delivery/damaged=4`.
pub(super) fn skill(text: &str) -> Result<Skill, String> {
    let read =
        text.rsplit_once('=').and_then(|(name, level)| Some((name.trim(), level.trim().parse().ok()?)));
    let (name, level) =
        read.ok_or_else(|| format!("must be a skill such as `delivery=4`, unlike {text:?}"))?;
    Ok(Skill { name: name.to_owned(), level })
}

/// Reads hours as `1-5@09:00-12:00`, each of one weekday or of several.
pub(super) fn shift(calendar: String, hours: &[String]) -> anyhow::Result<Shift> {
    let mut read = Vec::new();
    for text in hours {
        let wrong = || format!("hours are written as `1-5@09:00-17:00`, unlike {text:?}");
        let (days, times) = text.trim().split_once('@').with_context(wrong)?;
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (first, last) = (first.parse().with_context(wrong)?, last.parse::<i32>().with_context(wrong)?);
        let (start, end) = times.split_once('-').with_context(wrong)?;
        let (start, end) = (minute(start).with_context(wrong)?, minute(end).with_context(wrong)?);
        anyhow::ensure!((1..=7).contains(&first) && (first..=7).contains(&last), wrong());
        read.extend((first..=last).map(|weekday| WorkingHours {
            weekday,
            start_minute: start,
            end_minute: end,
        }));
    }
    Ok(Shift { calendar, hours: read })
}

fn minute(time: &str) -> Option<i32> {
    let (hour, minute) = time.split_once(':')?;
    let (hour, minute): (i32, i32) = (hour.parse().ok()?, minute.parse().ok()?);
    ((0..=24).contains(&hour) && (0..60).contains(&minute)).then_some(hour * 60 + minute)
}

impl From<AgentArgs> for Agent {
    fn from(args: AgentArgs) -> Self {
        let AgentArgs { agent, department, name, capacity, away } = args;
        Self {
            agent_id: agent,
            department_id: department,
            display_name: name,
            capacity,
            available: !away,
            ..Self::default()
        }
    }
}

impl Agents {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut assignment = caller.assignment();
        match self.verb {
            Verb::Add { agent, routing } => {
                let routing =
                    if routing.is_told() { Some(routing.over(AgentRouting::default())?) } else { None };
                let agent = Agent { routing, ..agent.into() };
                let request = CreateAgentRequest { request_id: caller.request_id(), agent: Some(agent) };
                let answer = assignment.create_agent(request).await?.into_inner();
                show::answer(caller.json, &answer.agent.unwrap_or_default(), text::agent)
            }
            Verb::Set { agent, routing, expect } => {
                let mut agent = Agent::from(agent);
                if routing.is_told() {
                    let known = GetAgentRequest { agent_id: agent.agent_id.clone() };
                    let known = assignment.get_agent(known).await?.into_inner().agent.unwrap_or_default();
                    agent.routing = Some(routing.over(known.routing.unwrap_or_default())?);
                }
                let request = UpdateAgentRequest {
                    request_id: caller.request_id(),
                    expected_version: expect.version,
                    agent: Some(agent),
                };
                let answer = assignment.update_agent(request).await?.into_inner();
                show::answer(caller.json, &answer.agent.unwrap_or_default(), text::agent)
            }
            Verb::Get { agent } => {
                let answer = assignment.get_agent(GetAgentRequest { agent_id: agent }).await?.into_inner();
                show::answer(caller.json, &answer.agent.unwrap_or_default(), text::agent)
            }
            Verb::Import { file } => agent_file::import(&caller, &file).await,
            Verb::Absent { agent, until, hand_over, reason } => {
                let until_time = Some(proto::timestamp(until));
                absent(&caller, RecordAbsenceRequest { until_time, hand_over, reason, ..of(&caller, agent) })
                    .await
            }
            Verb::Back { agent } => absent(&caller, of(&caller, agent)).await,
            Verb::Offboard { agent, reason, expect } => {
                let request = OffboardAgentRequest {
                    request_id: caller.request_id(),
                    expected_version: expect.version,
                    agent_id: agent,
                    reason,
                };
                let answer = caller.roster().offboard_agent(request).await?.into_inner();
                show::answer(caller.json, &answer, text::offboarded)
            }
            Verb::Remove { agent, expect } => {
                let request = RemoveAgentRequest {
                    request_id: caller.request_id(),
                    expected_version: expect.version,
                    agent_id: agent.clone(),
                };
                let answer = caller.roster().remove_agent(request).await?.into_inner();
                show::answer(caller.json, &answer, |_| format!("{agent} is removed\n"))
            }
            Verb::List { department, team, page } => {
                let request = ListAgentsRequest {
                    page_size: page.limit,
                    page_token: page.page,
                    department_id: department,
                    team_id: team,
                };
                show::answer(caller.json, &assignment.list_agents(request).await?.into_inner(), text::agents)
            }
        }
    }
}

/// That an agent is back.
fn of(caller: &Caller, agent_id: String) -> RecordAbsenceRequest {
    RecordAbsenceRequest { request_id: caller.request_id(), agent_id, ..RecordAbsenceRequest::default() }
}

async fn absent(caller: &Caller, request: RecordAbsenceRequest) -> anyhow::Result<()> {
    let answer = caller.roster().record_absence(request).await?.into_inner();
    show::answer(caller.json, &answer, text::absence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_of_one_weekday_or_several() -> anyhow::Result<()> {
        let read = shift("cn".to_owned(), &["1-2@09:00-12:30".to_owned(), "6@22:00-24:00".to_owned()])?;
        let hours: Vec<_> =
            read.hours.iter().map(|hours| (hours.weekday, hours.start_minute, hours.end_minute)).collect();
        assert_eq!(hours, [(1, 540, 750), (2, 540, 750), (6, 1_320, 1_440)]);
        for wrong in ["", "1", "8@09:00-10:00", "2-1@09:00-10:00", "1@9-10", "1@09:60-10:00"] {
            assert!(shift("cn".to_owned(), &[wrong.to_owned()]).is_err(), "{wrong}");
        }
        Ok(())
    }

    #[test]
    fn a_skill_has_a_name_and_a_level() {
        let read = skill("delivery/damaged=4").map(|skill| (skill.name, skill.level));
        assert_eq!(read, Ok(("delivery/damaged".to_owned(), 4)));
        assert!(skill("delivery").is_err() && skill("delivery=much").is_err());
    }
}
