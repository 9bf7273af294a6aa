//! The board of queues and load: what waits for whom and for how long, who has room, how the
//! departments stand that carry remedies out.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;
use client::Client;
use futures::StreamExt as _;
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{
    Agent, Department, ListAgentsRequest, ListDepartmentsRequest, Presence,
};
use proto::redress::cases::v1::FacetCasesRequest;
use proto::redress::cases::v1::search_service_client::SearchServiceClient;
use proto::redress::feedback::v1::case_supervision_service_client::CaseSupervisionServiceClient;
use proto::redress::feedback::v1::{
    GetSupervisionOverviewRequest, GetSupervisionOverviewResponse, SupervisionCounts,
};
use proto::redress::resolution::v1::supervision_service_client::SupervisionServiceClient;
use proto::redress::resolution::v1::{DepartmentBoard, GetDepartmentBoardRequest};

use super::{supervises, tabs};
use crate::boards::cases::{path, quoted};
use crate::boards::{AT_ONCE, Tab, When, encoded, freshness};
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::session::Visitor;

/// Most people and departments on the board.
const PEOPLE_MAX: i32 = 300;
const DEPARTMENTS_MAX: i32 = 50;
/// The ages that waiting cases are told apart by, in days: from, until.
const AGES: [(i64, Option<i64>); 4] = [(0, Some(1)), (1, Some(3)), (3, Some(7)), (7, None)];
/// How wide the bar of somebody's load is.
const BAR: i32 = 100;

/// A number and where its cases are.
pub(super) struct Number {
    count: i64,
    path: String,
}

/// What waits for a department, by age.
struct Waiting {
    name: String,
    ages: Vec<Number>,
    total: Number,
}

/// Somebody, what they have, and how much room there is.
struct Person {
    name: String,
    department: String,
    presence: i32,
    is_present: bool,
    load: i32,
    capacity: i32,
    /// How long their bar is, of `BAR`.
    bar: i32,
    is_full: bool,
    cases: String,
    overdue: Number,
    oldest: Option<When>,
}

/// How a department stands that carries remedies out.
struct DepartmentBacklog {
    name: String,
    path: String,
    board: DepartmentBoard,
    unattended: Option<When>,
}

#[derive(Template)]
#[template(path = "team/load.html")]
struct Page {
    f: Frame,
    tabs: Vec<Tab>,
    totals: Vec<(&'static str, i64, String, bool)>,
    ages: Vec<String>,
    waiting: Vec<Waiting>,
    people: Vec<Person>,
    backlogs: Vec<DepartmentBacklog>,
    fresh: Vec<(String, bool)>,
    bar: i32,
}

/// Shows the board.
pub(super) async fn board(visitor: Visitor) -> Result<Response, Problem> {
    supervises(&visitor)?;
    let client = visitor.client()?;
    let now = visitor.app.clock.now();
    let (overview, agents, departments, waiting) = tokio::join!(
        overview(&client),
        agents(&client),
        departments(&client),
        waiting(&client, &visitor, now),
    );
    let (overview, agents, departments, waiting) = (overview?, agents?, departments?, waiting?);
    let names: BTreeMap<&str, &str> = departments
        .iter()
        .map(|one| (one.department_id.as_str(), one.display_name.as_str()))
        .filter(|(_, name)| !name.is_empty())
        .collect();
    let called = |id: &str| names.get(id).map_or_else(|| id.to_owned(), |name| (*name).to_owned());
    let waiting = waiting.into_iter().map(|mut one| {
        one.name =
            if one.name.is_empty() { visitor.words.no_department().to_owned() } else { called(&one.name) };
        one
    });
    let waiting: Vec<Waiting> = waiting.collect();
    let backlogs = backlogs(&client, &visitor, &departments).await;
    let t = visitor.words;
    let counts = overview.totals.unwrap_or_default();
    Ok(html(&Page {
        f: Frame::new(&visitor, t.team_load(), "team"),
        tabs: tabs(&visitor, "/team"),
        totals: totals(&counts, &visitor),
        ages: AGES
            .iter()
            .map(|(from, until)| until.map_or_else(|| t.age_from(from), |until| t.age_between(from, until)))
            .collect(),
        waiting,
        people: agents.into_iter().map(|agent| person(agent, &overview, &visitor, &called)).collect(),
        backlogs,
        fresh: freshness(overview.state.as_ref(), &visitor),
        bar: BAR,
    }))
}

/// What stands large: a name, a number, where its cases are, whether it is bad.
fn totals(counts: &SupervisionCounts, visitor: &Visitor) -> Vec<(&'static str, i64, String, bool)> {
    let t = visitor.words;
    let climbed = |reason: &str| visitor.app.path(&format!("/team/escalations?reason={reason}"));
    vec![
        (t.count_open(), counts.open_count, path(visitor, "open = true"), false),
        (t.view_breached(), counts.overdue_count, climbed("overdue"), counts.overdue_count > 0),
        (t.count_escalated(), counts.escalated_count, climbed("escalated"), counts.escalated_count > 0),
        (t.count_reworked(), counts.reworked_count, climbed("reworked"), false),
        (t.count_disputed(), counts.disputed_count, climbed("disputed"), false),
    ]
}

async fn overview(client: &Client) -> Result<GetSupervisionOverviewResponse, Problem> {
    let request =
        GetSupervisionOverviewRequest { max_holders: PEOPLE_MAX, ..GetSupervisionOverviewRequest::default() };
    let answer = CaseSupervisionServiceClient::new(client.calls()).get_supervision_overview(request).await?;
    Ok(answer.into_inner())
}

async fn agents(client: &Client) -> Result<Vec<Agent>, Problem> {
    let request = ListAgentsRequest { page_size: PEOPLE_MAX, ..ListAgentsRequest::default() };
    Ok(AssignmentServiceClient::new(client.calls()).list_agents(request).await?.into_inner().agents)
}

pub(super) async fn departments(client: &Client) -> Result<Vec<Department>, Problem> {
    let request = ListDepartmentsRequest { page_size: DEPARTMENTS_MAX, page_token: String::new() };
    Ok(AssignmentServiceClient::new(client.calls()).list_departments(request).await?.into_inner().departments)
}

/// The filter of waiting cases of an age, in days.
fn of_age((from, until): (i64, Option<i64>), now: Timestamp) -> String {
    let ago = |days: i64| {
        let time = now - SignedDuration::from_hours(24 * days);
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let mut filter = "open = true AND NOT agent:*".to_owned();
    if from > 0 {
        filter.extend([" AND receive_time <= ", &ago(from)]);
    }
    if let Some(until) = until {
        filter.extend([" AND receive_time > ", &ago(until)]);
    }
    filter
}

fn of_department(filter: &str, department: &str) -> String {
    match department {
        "" => format!("{filter} AND NOT department:*"),
        id => format!("{filter} AND department = {}", quoted(id)),
    }
}

/// What waits for each department, by age; the names are ids still.
async fn waiting(client: &Client, visitor: &Visitor, now: Timestamp) -> Result<Vec<Waiting>, Problem> {
    let count = |age: (i64, Option<i64>)| async move {
        let request = FacetCasesRequest { filter: of_age(age, now), fields: vec!["department".to_owned()] };
        SearchServiceClient::new(client.calls()).facet_cases(request).await
    };
    let mut by_department = BTreeMap::<String, [i64; AGES.len()]>::new();
    for (place, answer) in futures::future::join_all(AGES.map(count)).await.into_iter().enumerate() {
        let facets = answer?.into_inner().facets;
        for one in facets.into_iter().flat_map(|facet| facet.counts) {
            if let Some(count) = by_department.entry(one.value).or_default().get_mut(place) {
                *count = one.count;
            }
        }
    }
    let all = of_age((0, None), now);
    let row = |(id, counts): (String, [i64; AGES.len()])| Waiting {
        ages: AGES
            .into_iter()
            .zip(counts)
            .map(|(age, count)| Number { count, path: path(visitor, &of_department(&of_age(age, now), &id)) })
            .collect(),
        total: Number { count: counts.iter().sum(), path: path(visitor, &of_department(&all, &id)) },
        name: id,
    };
    Ok(by_department.into_iter().map(row).collect())
}

fn person(
    agent: Agent,
    overview: &GetSupervisionOverviewResponse,
    visitor: &Visitor,
    named: &impl Fn(&str) -> String,
) -> Person {
    let mut own = overview.holders.iter().filter(|holder| holder.agent_id == agent.agent_id);
    let overdue =
        own.clone().filter_map(|holder| holder.counts.as_ref()).map(|counts| counts.overdue_count).sum();
    let oldest = own.find_map(|holder| When::of(holder.oldest_receive_time.as_ref(), visitor));
    let of = format!("open = true AND agent = {}", quoted(&agent.agent_id));
    let late = format!("breached = true AND agent = {}", quoted(&agent.agent_id));
    Person {
        name: if agent.display_name.is_empty() { agent.agent_id.clone() } else { agent.display_name },
        department: named(&agent.department_id),
        presence: agent.presence,
        is_present: agent.presence == i32::from(Presence::Present),
        load: agent.load,
        capacity: agent.capacity,
        bar: if agent.capacity > 0 { (agent.load * BAR / agent.capacity).clamp(0, BAR) } else { 0 },
        is_full: agent.load >= agent.capacity,
        cases: path(visitor, &of),
        overdue: Number { count: overdue, path: path(visitor, &late) },
        oldest,
    }
}

/// How those departments stand that have tasks, or had one asked for.
async fn backlogs(client: &Client, visitor: &Visitor, departments: &[Department]) -> Vec<DepartmentBacklog> {
    let read = |department_id: String| async move {
        let request = GetDepartmentBoardRequest { department_id };
        let answer = SupervisionServiceClient::new(client.calls()).get_department_board(request).await;
        answer.ok().and_then(|answer| answer.into_inner().board)
    };
    let ids: Vec<String> = departments.iter().map(|one| one.department_id.clone()).collect();
    let boards: Vec<Option<DepartmentBoard>> =
        stream::iter(ids.into_iter().map(read)).buffered(AT_ONCE).collect().await;
    let standing = |(department, board): (&Department, Option<DepartmentBoard>)| {
        let board = board?;
        let queue = board.queue.clone().unwrap_or_default();
        let has_any = board.oldest_create_time.is_some() || queue.poll_time.is_some();
        has_any.then(|| DepartmentBacklog {
            name: department.display_name.clone(),
            path: visitor.app.path(&format!("/department?department={}", encoded(&department.department_id))),
            unattended: When::of(queue.unattended_since_time.as_ref(), visitor),
            board,
        })
    };
    departments.iter().zip(boards).filter_map(standing).collect()
}

impl DepartmentBacklog {
    fn queue(&self) -> proto::redress::resolution::v1::DepartmentQueue {
        self.board.queue.clone().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_follow_one_another_without_a_gap() {
        let now: Timestamp = "2026-11-30T09:00:00Z".parse().unwrap();
        let waits = "open = true AND NOT agent:*";
        assert_eq!(of_age(AGES[0], now), format!("{waits} AND receive_time > 2026-11-29T09:00:00Z"));
        assert_eq!(
            of_age(AGES[1], now),
            format!(
                "{waits} AND receive_time <= 2026-11-29T09:00:00Z AND receive_time > 2026-11-27T09:00:00Z"
            )
        );
        assert_eq!(of_age(AGES[3], now), format!("{waits} AND receive_time <= 2026-11-23T09:00:00Z"));
        for pair in AGES.windows(2) {
            assert_eq!(pair[0].1, Some(pair[1].0));
        }
        assert_eq!(
            of_department(waits, "a\" OR open = true"),
            format!("{waits} AND department = \"a\\\" OR open = true\"")
        );
        assert_eq!(of_department(waits, ""), format!("{waits} AND NOT department:*"));
    }
}
