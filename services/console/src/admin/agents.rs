//! Agents: who they are, how much they take, what they can do, and when they work.

use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{
    Agent, AgentRouting, CreateAgentRequest, GetAgentRequest, Shift, Skill, UpdateAgentRequest, WorkingHours,
};

use super::Admin;
use super::direct::{Direct, EditQuery, VERSION, only_new};
use super::input::{Input, InputKind, Placed, all_wrong, items, line_of_item, names, place_in, wrong_line};
use super::trial::Trial;
use crate::form::Posted;
use crate::problem::{Problem, Violation};
use crate::words::Words;

/// Minutes of an hour.
const HOUR: i32 = 60;

pub(super) struct Agents;

/// `delivery/damaged 4`, a line each.
fn skills(text: &str, wrong: &mut Vec<Violation>) -> Vec<Skill> {
    let read = |(place, (_, line)): (usize, (usize, &str))| {
        let (name, level) = line.rsplit_once(char::is_whitespace).unwrap_or((line, ""));
        let level = level.parse().unwrap_or_else(|_| {
            wrong.push(wrong_line("skills", place, "must be a category, then a level of 1 to 5"));
            0
        });
        Skill { name: name.trim().to_owned(), level }
    };
    items(text).enumerate().map(read).collect()
}

/// `1 09:00-17:30`, a line each: 1 is Monday.
fn hours(text: &str, wrong: &mut Vec<Violation>) -> Vec<WorkingHours> {
    let minute = |text: &str| -> Option<i32> {
        let (hours, minutes) = text.trim().split_once(':')?;
        hours.parse::<i32>().ok()?.checked_mul(HOUR)?.checked_add(minutes.parse().ok()?)
    };
    let read = |(place, (_, line)): (usize, (usize, &str))| {
        let parsed = line.split_once(char::is_whitespace).and_then(|(weekday, times)| {
            let (start, end) = times.split_once('-')?;
            let (start_minute, end_minute) = (minute(start)?, minute(end)?);
            Some(WorkingHours { weekday: weekday.parse().ok()?, start_minute, end_minute })
        });
        parsed.unwrap_or_else(|| {
            wrong.push(wrong_line(
                "hours",
                place,
                "must be a weekday of 1 to 7, then hours such as 09:00-17:30",
            ));
            WorkingHours::default()
        })
    };
    items(text).enumerate().map(read).collect()
}

fn hours_line(hours: &WorkingHours) -> String {
    let time = |minute: i32| format!("{:02}:{:02}", minute / HOUR, minute % HOUR);
    format!("{} {}-{}", hours.weekday, time(hours.start_minute), time(hours.end_minute))
}

fn agent(posted: &Posted) -> Result<Agent, Problem> {
    let text = |name: &str| posted.text(name).to_owned();
    let mut wrong = Vec::new();
    let capacity = posted.number("capacity").unwrap_or_else(|| {
        let description = "must be a whole number".to_owned();
        wrong.push(Violation { field: "capacity".to_owned(), description });
        0
    });
    let shift = Shift { calendar: text("shift_calendar"), hours: hours(posted.text("hours"), &mut wrong) };
    let routing = AgentRouting {
        team_id: text("team_id"),
        skills: skills(posted.text("skills"), &mut wrong),
        languages: names(posted.text("languages")),
        regions: names(posted.text("regions")),
        shift: (shift != Shift::default()).then_some(shift),
        supervisor_id: text("supervisor_id"),
        conflict_customer_ids: names(posted.text("conflict_customers")),
        conflict_subjects: names(posted.text("conflict_subjects")),
    };
    if !wrong.is_empty() {
        return Err(all_wrong(wrong));
    }
    Ok(Agent {
        agent_id: text("agent_id"),
        department_id: text("department_id"),
        display_name: text("display_name"),
        capacity,
        available: posted.is_ticked("available"),
        routing: Some(routing),
        ..Agent::default()
    })
}

impl Direct for Agents {
    const KEY: &'static str = "agents";
    const IS_TRIED: bool = false;

    fn title(t: Words) -> &'static str {
        t.agents()
    }

    fn about(t: Words) -> &'static str {
        t.agents_edit()
    }

    fn list_path() -> &'static str {
        "/admin/roster"
    }

    fn inputs(t: Words, is_new: bool) -> Vec<Input> {
        let id = Input::new("agent_id", t.id_word(), InputKind::Line(60)).saying(t.agent_id_help());
        let code = |rows| InputKind::Code { rows, max: 200_000 };
        vec![
            only_new(id.required(), is_new),
            Input::hidden(VERSION),
            Input::new("display_name", t.display_name(), InputKind::Line(200)).required(),
            Input::new("department_id", t.department(), InputKind::Line(60)).required(),
            Input::new("capacity", t.capacity(), InputKind::Number).required(),
            Input::new("available", t.takes_cases(), InputKind::Tick),
            Input::new("team_id", t.team_word(), InputKind::Line(60)),
            Input::new("supervisor_id", t.supervisor_word(), InputKind::Line(60)),
            Input::new("languages", t.languages_word(), InputKind::Line(500)).saying(t.comma_help()),
            Input::new("regions", t.regions_word(), InputKind::Line(2_000)).saying(t.comma_help()),
            Input::new("skills", t.skills_word(), code(4)).saying(t.skills_help()),
            Input::new("shift_calendar", t.shift_calendar(), InputKind::Line(60)),
            Input::new("hours", t.shift_hours(), code(5)).saying(t.shift_hours_help()),
            Input::new("conflict_customers", t.conflict_customers(), code(2)).saying(t.one_a_line()),
            Input::new("conflict_subjects", t.conflict_subjects(), code(2)).saying(t.one_a_line()),
        ]
    }

    fn place(path: &str, inputs: &[Input]) -> Option<Placed> {
        let value = |name: &str| inputs.iter().find(|input| input.name == name).map_or("", |one| &one.value);
        for list in ["skills", "hours"] {
            if let Some(place) = place_in(path, list) {
                return Some(Placed { input: list, line: line_of_item(value(list), place) });
            }
        }
        let rest = path.strip_prefix("agent.").unwrap_or(path);
        let rest = rest.strip_prefix("routing.").unwrap_or(rest);
        let name = match rest.split('[').next().unwrap_or_default() {
            "shift.calendar" => "shift_calendar",
            "shift.hours" => "hours",
            "conflict_customer_ids" => "conflict_customers",
            other => other,
        };
        inputs.iter().find(|input| input.name == name).map(|input| Placed { input: input.name, line: None })
    }

    async fn begin(admin: &Admin, asked: &EditQuery) -> Result<Vec<(&'static str, String)>, Problem> {
        if asked.id.is_empty() {
            return Ok(vec![("capacity", "20".to_owned()), ("available", "yes".to_owned())]);
        }
        let request = GetAgentRequest { agent_id: asked.id.clone() };
        let answer = AssignmentServiceClient::new(admin.client.calls()).get_agent(request).await?;
        let agent = answer.into_inner().agent.ok_or_else(Problem::not_found)?;
        let routing = agent.routing.unwrap_or_default();
        let shift = routing.shift.unwrap_or_default();
        let lines = |all: Vec<String>| all.join("\n");
        let skills = routing.skills.iter().map(|skill| format!("{} {}", skill.name, skill.level)).collect();
        Ok(vec![
            ("agent_id", agent.agent_id),
            (VERSION, agent.version.to_string()),
            ("display_name", agent.display_name),
            ("department_id", agent.department_id),
            ("capacity", agent.capacity.to_string()),
            ("available", if agent.available { "yes".to_owned() } else { String::new() }),
            ("team_id", routing.team_id),
            ("supervisor_id", routing.supervisor_id),
            ("languages", routing.languages.join(", ")),
            ("regions", routing.regions.join(", ")),
            ("skills", lines(skills)),
            ("shift_calendar", shift.calendar),
            ("hours", lines(shift.hours.iter().map(hours_line).collect())),
            ("conflict_customers", lines(routing.conflict_customer_ids)),
            ("conflict_subjects", lines(routing.conflict_subjects)),
        ])
    }

    async fn trial(_: &Admin, _: &Posted) -> Result<Trial, Problem> {
        Err(Problem::not_found())
    }

    async fn apply(admin: &Admin, posted: &Posted) -> Result<String, Problem> {
        let (request_id, agent) = (posted.request_id(), Some(agent(posted)?));
        let mut service = AssignmentServiceClient::new(admin.client.calls());
        if posted.text("is_new") == "yes" {
            service.create_agent(CreateAgentRequest { request_id, agent }).await?;
        } else {
            let expected_version = posted.version();
            service.update_agent(UpdateAgentRequest { request_id, expected_version, agent }).await?;
        }
        Ok("/admin/roster".to_owned())
    }

    fn id(posted: &Posted) -> String {
        posted.text("agent_id").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skills_and_hours_read_as_they_are_written() {
        let mut wrong = Vec::new();
        let read = hours("1 09:00-17:30\n7 10:05-24:00", &mut wrong);
        assert_eq!((read[0].end_minute, read[1].start_minute, read[1].end_minute), (1050, 605, 1440));
        assert_eq!(hours_line(&read[1]), "7 10:05-24:00");
        assert_eq!(skills("delivery/late 4", &mut wrong)[0].level, 4);
        assert!(wrong.is_empty());
        hours("monday 9-5\n1 99999999999:0-1:0", &mut wrong);
        skills("delivery", &mut wrong);
        let fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["hours[0]", "hours[1]", "skills[0]"]);
    }
}
