//! Who handles cases, what complainants said and were told, what was set aside.

use proto::redress::assignment::v1::{
    Agent, Assignment, AssignmentState, Department, Escalation, ListAgentsResponse, ListDepartmentsResponse,
    ListQueueResponse, Presence, Shift,
};
use proto::redress::cases::v1::Outcome;
use proto::redress::event::v1::ListParkedEventsResponse;
use proto::redress::feedback::v1::{Feedback, Response};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::{priority, word};

/// One agent.
pub fn agent(agent: &Agent) -> String {
    let routing = agent.routing.clone().unwrap_or_default();
    let skills: Vec<String> =
        routing.skills.iter().map(|skill| format!("{} {}", skill.name, skill.level)).collect();
    facts(&[
        ("agent", agent.agent_id.clone()),
        ("version", agent.version.to_string()),
        ("name", agent.display_name.clone()),
        ("department", agent.department_id.clone()),
        ("team", routing.team_id),
        ("load", format!("{} of {}", agent.load, agent.capacity)),
        ("available", yes(agent.available)),
        ("presence", word::<Presence>(agent.presence)),
        ("absent until", time(agent.absent_until_time.as_ref())),
        ("skills", skills.join(", ")),
        ("languages", routing.languages.join(", ")),
        ("regions", routing.regions.join(", ")),
        ("shift", routing.shift.map(|shift| hours(&shift)).unwrap_or_default()),
        ("supervisor", routing.supervisor_id),
        ("not for customers", routing.conflict_customer_ids.join(", ")),
        ("not about", routing.conflict_subjects.join(", ")),
    ])
}

/// Working hours as they are written on the command line.
fn hours(shift: &Shift) -> String {
    let clock = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let hours = shift.hours.iter();
    let hours: Vec<String> = hours
        .map(|one| format!("{}@{}-{}", one.weekday, clock(one.start_minute), clock(one.end_minute)))
        .collect();
    format!("{}: {}", shift.calendar, hours.join(", "))
}

/// A page of agents.
pub fn agents(list: &ListAgentsResponse) -> String {
    if list.agents.is_empty() {
        return none_of("agents", &list.next_page_token);
    }
    let mut table = Table::new(["agent", "department", "load", "capacity", "available", "name"]);
    for agent in &list.agents {
        table.row([
            agent.agent_id.clone(),
            agent.department_id.clone(),
            agent.load.to_string(),
            agent.capacity.to_string(),
            yes(agent.available),
            agent.display_name.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One department.
pub fn department(department: &Department) -> String {
    facts(&[
        ("department", department.department_id.clone()),
        ("version", department.version.to_string()),
        ("name", department.display_name.clone()),
        ("categories", department.categories.join(", ")),
    ])
}

/// A page of departments.
pub fn departments(list: &ListDepartmentsResponse) -> String {
    if list.departments.is_empty() {
        return none_of("departments", &list.next_page_token);
    }
    let mut table = Table::new(["department", "name", "categories"]);
    for department in &list.departments {
        table.row([
            department.department_id.clone(),
            department.display_name.clone(),
            department.categories.join(", "),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// Who handles a case.
pub fn assignment(assignment: &Assignment) -> String {
    facts(&[
        ("case", assignment.case_id.clone()),
        ("version", assignment.version.to_string()),
        ("cycle", assignment.cycle.to_string()),
        ("state", word::<AssignmentState>(assignment.state)),
        ("department", assignment.department_id.clone()),
        ("agent", assignment.agent_id.clone()),
        ("priority", priority(assignment.priority)),
        ("category", assignment.category.clone()),
        ("since", time(assignment.enqueue_time.as_ref())),
        ("why", assignment.explanation.clone()),
        ("transfers", assignment.transfers.to_string()),
        ("accept by", time(assignment.accept_by_time.as_ref())),
        ("passed on by", assignment.passed_agent_ids.join(", ")),
        (
            "escalated",
            if assignment.escalation == 0 {
                String::new()
            } else {
                word::<Escalation>(assignment.escalation)
            },
        ),
        ("nobody can take it since", time(assignment.unassignable_time.as_ref())),
    ])
}

/// A page of a queue.
pub fn queue(list: &ListQueueResponse) -> String {
    if list.assignments.is_empty() {
        return none_of("cases waiting", &list.next_page_token);
    }
    let mut table = Table::new(["case", "pri", "since", "category"]);
    for waiting in &list.assignments {
        table.row([
            waiting.case_id.clone(),
            priority(waiting.priority),
            time(waiting.enqueue_time.as_ref()),
            waiting.category.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What came back in one cycle.
pub fn feedback(feedback: &Feedback) -> String {
    let score = |score: i32| if score == 0 { String::new() } else { format!("{score} of 5") };
    let satisfaction = feedback.satisfaction.unwrap_or_default();
    facts(&[
        ("case", feedback.case_id.clone()),
        ("cycle", feedback.cycle.to_string()),
        ("outcome", word::<Outcome>(feedback.outcome)),
        ("response", if feedback.open { "awaited".into() } else { word::<Response>(feedback.response) }),
        ("until", if feedback.open { time(feedback.respond_until_time.as_ref()) } else { String::new() }),
        ("at", time(feedback.response_time.as_ref())),
        ("comment", feedback.comment.clone()),
        ("handling", score(satisfaction.handling)),
        ("outcome of it", score(satisfaction.outcome)),
    ])
}

/// A page of parked events.
pub fn parked(list: &ListParkedEventsResponse) -> String {
    if list.parked_events.is_empty() {
        return none_of("events set aside", &list.next_page_token);
    }
    let mut table =
        Table::new(["consumer", "subject", "source", "position", "tries", "since", "again", "event, error"]);
    for parked in &list.parked_events {
        let event = parked.event.clone().unwrap_or_default();
        let waits = parked.error.is_empty();
        let error = if waits { "waits behind an earlier one" } else { parked.error.as_str() };
        table.row([
            parked.consumer.clone(),
            event.subject.clone(),
            event.source.clone(),
            event.position.to_string(),
            parked.attempts.to_string(),
            time(parked.park_time.as_ref()),
            parked.retry_time.as_ref().map_or_else(|| "when driven".to_owned(), |at| time(Some(at))),
            format!("{}: {error}", crate::payload_name(&event)),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

fn yes(yes: bool) -> String {
    if yes { "yes".into() } else { "no".into() }
}
