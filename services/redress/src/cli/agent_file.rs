//! Reads a roster from a table of comma-separated values, and sends it.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::Context as _;
use proto::redress::assignment::v1::{
    Agent, AgentRouting, AgentRowState, AgentVerdict, ImportAgentsRequest, ImportAgentsResponse, RowViolation,
};

use super::agent::{shift, skill};
use super::connection::Caller;
use show::{self, text};

/// Rows of one request.
const CHUNK: usize = 200;
/// The columns a file may have.
const COLUMNS: [&str; 14] = [
    "agent",
    "department",
    "name",
    "capacity",
    "available",
    "team",
    "skills",
    "languages",
    "regions",
    "calendar",
    "hours",
    "supervisor",
    "conflict_customers",
    "conflict_subjects",
];
/// Most cases at once of a row that does not say.
const CAPACITY: &str = "10";

/// A row of a file: its number from 1, and the agent it describes or what is wrong with it.
#[derive(Debug)]
struct Row {
    number: usize,
    agent: String,
    described: Result<Agent, String>,
}

/// Sends a roster, supervisors before those below them, and shows a verdict for each row.
pub(super) async fn import(caller: &Caller, file: &Path) -> anyhow::Result<()> {
    let input = std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let rows = read(input).with_context(|| format!("cannot read {}", file.display()))?;
    let (mut verdicts, mut sound) = (Vec::new(), Vec::new());
    for Row { number, agent, described } in rows {
        match described {
            Ok(described) => sound.push((number, described)),
            Err(wrong) => verdicts.push(unreadable(number, agent, wrong)),
        }
    }
    let key = caller.request_id();
    for (nth, chunk) in from_the_top(sound).chunks(CHUNK).enumerate() {
        let request = ImportAgentsRequest {
            request_id: format!("{key}-{nth}"),
            agents: chunk.iter().map(|(_, agent)| agent.clone()).collect(),
        };
        let answer = caller.roster().import_agents(request).await?.into_inner();
        let numbers = chunk.iter().map(|(number, _)| i32::try_from(*number).unwrap_or(i32::MAX));
        verdicts.extend(numbers.zip(answer.verdicts).map(|(row, verdict)| AgentVerdict { row, ..verdict }));
    }
    verdicts.sort_by_key(|verdict| verdict.row);
    let refused = verdicts.iter().filter(|verdict| verdict.state() == AgentRowState::Refused).count();
    show::answer(caller.json, &ImportAgentsResponse { verdicts }, text::agent_verdicts)?;
    anyhow::ensure!(refused == 0, "{refused} rows were refused; the others are in, and may be sent again");
    Ok(())
}

fn unreadable(number: usize, agent: String, wrong: String) -> AgentVerdict {
    AgentVerdict {
        row: i32::try_from(number).unwrap_or(i32::MAX),
        agent_id: agent,
        state: AgentRowState::Refused.into(),
        reason: "INVALID_ROW".to_owned(),
        message: wrong.clone(),
        violations: vec![RowViolation { field: "row".to_owned(), description: wrong }],
        ..AgentVerdict::default()
    }
}

fn read(input: impl std::io::Read) -> anyhow::Result<Vec<Row>> {
    let mut table = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let headings: Vec<String> =
        table.headers()?.iter().map(|name| name.trim_start_matches('\u{feff}').to_lowercase()).collect();
    for (at, name) in headings.iter().enumerate() {
        anyhow::ensure!(
            COLUMNS.contains(&name.as_str()),
            "there is no column {name:?}; there are {}",
            COLUMNS.join(", ")
        );
        anyhow::ensure!(!headings[..at].contains(name), "the column {name:?} is there twice");
    }
    for name in &COLUMNS[..3] {
        anyhow::ensure!(headings.iter().any(|heading| heading == name), "the column {name:?} is missing");
    }
    let mut rows = Vec::new();
    for (at, record) in table.records().enumerate() {
        let record = record?;
        let cells: HashMap<&str, &str> = headings.iter().map(String::as_str).zip(record.iter()).collect();
        let agent = cells.get("agent").copied().unwrap_or_default().to_owned();
        rows.push(Row {
            number: at + 1,
            agent,
            described: described(&cells).map_err(|wrong| format!("{wrong:#}")),
        });
    }
    Ok(rows)
}

fn described(cells: &HashMap<&str, &str>) -> anyhow::Result<Agent> {
    let cell = |name: &str| cells.get(name).copied().unwrap_or_default();
    let text = |name: &str| cell(name).to_owned();
    let capacity = Some(cell("capacity")).filter(|capacity| !capacity.is_empty()).unwrap_or(CAPACITY);
    let capacity = capacity.parse().with_context(|| format!("capacity is a number, unlike {capacity:?}"))?;
    let available = match cell("available").to_lowercase().as_str() {
        "" | "yes" | "true" | "1" => true,
        "no" | "false" | "0" => false,
        other => anyhow::bail!("available is yes or no, unlike {other:?}"),
    };
    Ok(Agent {
        agent_id: text("agent"),
        department_id: text("department"),
        display_name: text("name"),
        capacity,
        available,
        routing: routing(cells)?,
        ..Agent::default()
    })
}

/// What routing goes by; none where the file has none of its columns.
fn routing(cells: &HashMap<&str, &str>) -> anyhow::Result<Option<AgentRouting>> {
    if !COLUMNS[5..].iter().any(|name| cells.contains_key(name)) {
        return Ok(None);
    }
    let cell = |name: &str| cells.get(name).copied().unwrap_or_default();
    let list = |name: &str| -> Vec<String> {
        let parts = cell(name).split(';').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let skills: Result<Vec<_>, String> = list("skills").iter().map(|text| skill(text)).collect();
    let (calendar, hours) = (cell("calendar"), list("hours"));
    anyhow::ensure!(calendar.is_empty() == hours.is_empty(), "calendar and hours are written together");
    let shift = if hours.is_empty() { None } else { Some(shift(calendar.to_owned(), &hours)?) };
    Ok(Some(AgentRouting {
        team_id: cell("team").to_owned(),
        skills: skills.map_err(anyhow::Error::msg)?,
        languages: list("languages"),
        regions: list("regions"),
        shift,
        supervisor_id: cell("supervisor").to_owned(),
        conflict_customer_ids: list("conflict_customers"),
        conflict_subjects: list("conflict_subjects"),
    }))
}

/// The rows with each supervisor before those below them, as far as they make no circle;
/// otherwise in their order.
fn from_the_top(rows: Vec<(usize, Agent)>) -> Vec<(usize, Agent)> {
    let mut waiting: HashSet<String> = rows.iter().map(|(_, agent)| agent.agent_id.clone()).collect();
    let mut left = rows;
    let mut sorted = Vec::with_capacity(left.len());
    loop {
        let below = |agent: &Agent| {
            let supervisor = agent.routing.as_ref().map(|routing| routing.supervisor_id.as_str());
            supervisor.is_some_and(|supervisor| supervisor != agent.agent_id && waiting.contains(supervisor))
        };
        let (blocked, free): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, agent)| below(agent));
        if free.is_empty() {
            sorted.extend(blocked);
            return sorted;
        }
        for (_, agent) in &free {
            waiting.remove(&agent.agent_id);
        }
        sorted.extend(free);
        left = blocked;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROSTER: &str = "agent,department,name,capacity,skills,languages,calendar,hours,supervisor\n\
        ann,care,Ann,5,delivery=4;refund=2,zh;en,cn,1-5@09:00-17:00,lead\n\
        lead,care,The lead,,,,,,\n\
        bo,care,Bo,many,,,,,\n\
        cy,care,Cy,1,delivery,,,,\n";

    #[test]
    fn each_row_is_an_agent_or_says_what_is_wrong_with_it() -> anyhow::Result<()> {
        let rows = read(ROSTER.as_bytes())?;
        let wrong: Vec<_> = rows
            .iter()
            .filter_map(|row| row.described.as_ref().err().map(|why| (row.number, why.as_str())))
            .collect();
        assert_eq!(wrong.len(), 2);
        assert!(
            wrong[0].1.starts_with("capacity is a number") && wrong[1].1.starts_with("must be a skill"),
            "{wrong:?}"
        );
        let ann = rows[0].described.clone().map_err(anyhow::Error::msg)?;
        let routing = ann.routing.clone().unwrap_or_default();
        assert_eq!(
            (routing.skills.len(), routing.languages.len(), routing.supervisor_id.as_str()),
            (2, 2, "lead")
        );
        assert_eq!(routing.shift.map(|shift| shift.hours.len()), Some(5));
        assert_eq!(rows[1].described.as_ref().map(|lead| lead.capacity), Ok(10));
        Ok(())
    }

    #[test]
    fn supervisors_are_sent_before_those_below_them() -> anyhow::Result<()> {
        let rows = read(ROSTER.as_bytes())?;
        let sound = rows.into_iter().filter_map(|row| row.described.ok().map(|agent| (row.number, agent)));
        let order: Vec<usize> = from_the_top(sound.collect()).into_iter().map(|(number, _)| number).collect();
        assert_eq!(order, [2, 1]);
        Ok(())
    }

    #[test]
    fn a_file_with_other_columns_is_none() {
        for wrong in ["agent,department", "agent,department,name,nme", "agent,department,name,name"] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let plain = read("agent,department,name\nann,care,Ann\n".as_bytes());
        assert!(
            plain.is_ok_and(|rows| rows[0].described.as_ref().is_ok_and(|agent| agent.routing.is_none()))
        );
    }
}
