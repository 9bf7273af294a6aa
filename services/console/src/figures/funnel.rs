//! How far the cases of some days have come: counted among the cases themselves.

use charts::{Bar, BarRow, Chart};
use client::Client;
use proto::redress::cases::v1::search_service_client::SearchServiceClient;
use proto::redress::cases::v1::{CaseState, FacetCasesRequest};

use super::ask::{Ask, Counted};
use super::board::{Cell, Section};
use super::told;
use crate::boards::cases::path;
use crate::problem::Problem;
use crate::session::Visitor;

/// The steps, in their order: each from a state on.
const STEPS: [CaseState; 6] = [
    CaseState::Received,
    CaseState::Assigned,
    CaseState::Investigating,
    CaseState::Decided,
    CaseState::Resolved,
    CaseState::Closed,
];
/// The ways a case goes, in their order.
const WAY: [CaseState; 8] = [
    CaseState::Received,
    CaseState::Triaged,
    CaseState::Assigned,
    CaseState::Investigating,
    CaseState::Decided,
    CaseState::Remedying,
    CaseState::Resolved,
    CaseState::Closed,
];
/// Where cases leave the way.
const ASIDE: [CaseState; 2] = [CaseState::Withdrawn, CaseState::OutOfScope];

/// A state as filters name it.
fn name(state: CaseState) -> &'static str {
    state.as_str_name().trim_start_matches("CASE_STATE_")
}

/// The states from one on.
fn from(step: CaseState) -> &'static [CaseState] {
    let place = WAY.iter().position(|state| *state == step).unwrap_or_default();
    WAY.get(place..).unwrap_or_default()
}

fn of_states(states: &[CaseState]) -> String {
    let each: Vec<String> = states.iter().map(|state| format!("state = {}", name(*state))).collect();
    format!("({})", each.join(" OR "))
}

/// The funnel; none where the filter of cases cannot say which cases are meant.
pub(super) async fn section(
    client: &Client,
    visitor: &Visitor,
    ask: &Ask,
) -> Result<Option<Section>, Problem> {
    let Some(filter) = ask.filter(Counted::Received) else { return Ok(None) };
    let request = FacetCasesRequest { filter: filter.clone(), fields: vec!["state".to_owned()] };
    let answer = SearchServiceClient::new(client.calls()).facet_cases(request).await?.into_inner();
    let counts = answer.facets.into_iter().flat_map(|facet| facet.counts);
    let counts: Vec<(String, i64)> = counts.map(|count| (count.value, count.count)).collect();
    let of = |state: &CaseState| {
        counts.iter().filter(|(value, _)| value == name(*state)).map(|(_, count)| *count).sum::<i64>()
    };
    let t = visitor.words;
    let (mut rows, mut bars) = (Vec::new(), Vec::new());
    let all: i64 = WAY.iter().map(of).sum();
    for step in STEPS {
        let states = from(step);
        let count: i64 = states.iter().map(of).sum();
        let label = t.state(i32::from(step)).to_owned();
        let share = if all > 0 { told::share(size(count) / size(all)) } else { told::NOTHING.to_owned() };
        let to = path(visitor, &format!("{filter} AND {}", of_states(states)));
        rows.push(vec![Cell::text(&label), Cell::to(told::grouped(count), Some(to)), Cell::text(share)]);
        bars.push(BarRow {
            label,
            value: told::grouped(count),
            bars: vec![Bar { size: size(count), from: 0.0, interval: None, series: 0 }],
        });
    }
    for state in ASIDE {
        let to = path(visitor, &format!("{filter} AND state = {}", name(state)));
        let label = t.state(i32::from(state)).to_owned();
        rows.push(vec![Cell::text(label), Cell::to(told::grouped(of(&state)), Some(to)), Cell::text("")]);
    }
    let section = Section {
        id: "funnel",
        title: t.section_funnel().to_owned(),
        lead: if answer.exact {
            t.section_funnel_lead().to_owned()
        } else {
            t.section_funnel_part().to_owned()
        },
        chart: String::new(),
        columns: vec![
            t.column_reached().to_owned(),
            t.column_cases().to_owned(),
            t.column_share().to_owned(),
        ],
        rows,
        hides: false,
        is_long: false,
    };
    let whole = Some(size(all)).filter(|_| all > 0);
    Ok(Some(section.drawn(&Chart::Bars { series: Vec::new(), rows: bars, whole, stacked: false })))
}

#[expect(clippy::cast_precision_loss, reason = "drawn some hundred units wide")]
fn size(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_all_that_came_so_far_or_further() {
        assert_eq!(from(CaseState::Received), WAY);
        assert_eq!(from(CaseState::Resolved), [CaseState::Resolved, CaseState::Closed]);
        assert_eq!(of_states(from(CaseState::Resolved)), "(state = RESOLVED OR state = CLOSED)");
        assert!(ASIDE.iter().all(|state| !WAY.contains(state)));
    }
}
