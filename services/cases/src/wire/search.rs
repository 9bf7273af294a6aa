//! What is to be found or counted, and the counts.

use fault::{Check, Fault};
use filter::{self, Code, Compare, Counted, Facet, Field, Order, Search, Test, Word};
use kernel::page::Page;
use proto::redress::cases::v1::{
    Facet as WireFacet, FacetCasesRequest, FacetCasesResponse, FacetCount, ListCasesRequest,
};
use vocabulary::State;

/// Longest agent or customer id.
const MAX_NAME: usize = 200;
/// Most fields by which cases are counted at once; there are fewer.
const MAX_FACETS: usize = 32;

/// Which cases are to be listed, and how.
#[derive(Clone, Debug)]
pub(crate) struct CaseListQuery {
    /// Which.
    pub(crate) search: Search,
    /// In which order.
    pub(crate) order: Order,
}

/// Reads which cases are to be listed.
pub(crate) fn list(request: ListCasesRequest) -> Result<(CaseListQuery, Page), Fault> {
    let ListCasesRequest { page_size, page_token, state, agent_id, customer_id, filter, order_by } = request;
    let mut check = Check::new();
    let filters = [state != 0, !agent_id.is_empty(), !customer_id.is_empty()];
    if filters.iter().filter(|set| **set).count() > 1 {
        check.fail("state", "only one of state, agent_id and customer_id may be set");
    }
    let same = format!("{state} {agent_id} {customer_id} {order_by} {filter}");
    let page = check.page(page_size, &page_token, &same);
    let agent = check.text("agent_id", agent_id, MAX_NAME);
    let customer = check.text("customer_id", customer_id, MAX_NAME);
    let mut search = read(&mut check, filter);
    if state != 0 {
        check.ensure(State::of(state).is_some(), "state", "is not a known state");
        let number = State::of(state).map_or(0, State::number);
        narrow(&mut check, &mut search, Field::State, Test::Code(Code::State, Compare::Equal, number));
    }
    if !agent.is_empty() {
        narrow(&mut check, &mut search, Field::Agent, Test::Word(Word::Agent, agent));
    }
    if !customer.is_empty() {
        narrow(&mut check, &mut search, Field::Customer, Test::Word(Word::Customer, customer));
    }
    let order = filter::order(&order_by).unwrap_or_else(|problem| {
        check.fail("order_by", problem.text);
        Order::default()
    });
    let served = order.key != filter::Key::Due || search.is_of_open_cases();
    check.ensure(served, "order_by", "due_time orders open cases: the filter must say open = true");
    check.done("INVALID_LIST")?;
    Ok((CaseListQuery { search, order }, page))
}

/// Reads what is to be counted.
pub(crate) fn facets(request: FacetCasesRequest) -> Result<(Search, Vec<Facet>), Fault> {
    let FacetCasesRequest { filter, fields } = request;
    let mut check = Check::new();
    let search = read(&mut check, filter);
    let fields = check.some("fields", fields, MAX_FACETS);
    let mut facets = Vec::new();
    for (place, name) in fields.iter().enumerate() {
        let field = format!("fields[{place}]");
        match Facet::named(name) {
            Some(facet) if facets.contains(&facet) => check.fail(&field, "is named twice"),
            Some(facet) => facets.push(facet),
            None => check.fail(&field, format!("must be one of {}", Facet::ALL.map(Facet::name).join(", "))),
        }
    }
    check.done("INVALID_FACETS")?;
    Ok((search, facets))
}

/// Reads a filter; each thing wrong with it is a violation.
fn read(check: &mut Check, filter: String) -> Search {
    let filter = check.text("filter", filter, filter::MAX_LENGTH);
    if !check.is_clean() && filter.len() > filter::MAX_LENGTH {
        return Search::default();
    }
    filter::read(&filter).unwrap_or_else(|problems| {
        for problem in problems {
            check.fail("filter", problem.to_string());
        }
        Search::default()
    })
}

/// Narrows a search by a field of the request that its filter does not name too.
fn narrow(check: &mut Check, search: &mut Search, field: Field, test: Test) {
    if search.fields.contains(&field) {
        let name = field.name();
        check.fail("filter", format!("names {name}, which a field of the request gives already"));
    }
    search.narrow(test);
}

/// The counts as callers see them.
pub(crate) fn counted(counted: Counted) -> FacetCasesResponse {
    let Counted { total, exact, facets } = counted;
    let facets = facets.into_iter().map(|list| WireFacet {
        field: list.facet.name(),
        counts: list.counts.into_iter().map(|(value, count)| FacetCount { value, count }).collect(),
        more_values: list.more,
    });
    FacetCasesResponse { total, exact, facets: facets.collect() }
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::CaseState;

    use super::*;

    #[test]
    fn values_are_named_as_in_the_contract() {
        for state in State::ALL {
            let theirs = CaseState::try_from(i32::from(state.number())).expect("known");
            let ours = Facet::State.spell(&state.number().to_string());
            assert_eq!(format!("CASE_STATE_{ours}"), theirs.as_str_name());
            assert_eq!(Code::State.number(theirs.as_str_name()), Some(state.number()));
        }
    }
}
