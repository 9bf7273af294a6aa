//! What holds whatever is told about cases that go on, and in whatever order.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::assignment::State;
use crate::roster::{Agent, AgentProfile, AgentRouting, Department, DepartmentProfile};
use crate::routing::AgentPool;
use vocabulary::Priority;

/// The departments, what they take, and what nobody takes.
const DEPARTMENTS: [(&str, &str); 3] = [("a", "x"), ("b", "x/y"), ("c", "z")];
const CATEGORIES: [&str; 6] = ["x", "x/w", "x/y", "x/y/v", "z", "nobody"];
const PRIORITIES: [Priority; 4] = [Priority::P1, Priority::P2, Priority::P3, Priority::P4];
/// Agents of each department.
const AGENTS: usize = 2;
const CASES: usize = 5;

fn directory() -> Directory {
    let department = |(id, prefix): &(&str, &str)| {
        let profile = DepartmentProfile {
            id: (*id).to_owned(),
            display_name: String::new(),
            categories: vec![(*prefix).to_owned()],
        };
        Department { profile, version: 1 }
    };
    Directory::of(&DEPARTMENTS.iter().map(department).collect::<Vec<_>>())
}

/// Departments whose agents have this much room each, and nothing to do.
fn allocation(capacity: i32) -> Allocation {
    let agent = |department: &str, at: usize| {
        Agent::new(AgentProfile {
            id: format!("{department}{at}"),
            department: department.to_owned(),
            display_name: String::new(),
            capacity,
            available: true,
            routing: AgentRouting::default(),
        })
    };
    let pool = |(id, _): &(&str, &str)| {
        ((*id).to_owned(), AgentPool::of((0..AGENTS).map(|at| agent(id, at)).collect()))
    };
    Allocation::of(DEPARTMENTS.iter().map(pool).collect::<BTreeMap<_, _>>())
}

/// Something told of a case: which, its place, and what.
fn told() -> impl Strategy<Value = (usize, i32, Revision)> {
    let category = (0..CATEGORIES.len()).prop_map(|at| CATEGORIES[at].to_owned());
    let priority = (0..PRIORITIES.len()).prop_map(|at| PRIORITIES[at]);
    let what = prop_oneof![
        3 => category.clone().prop_map(Revision::Category),
        2 => (category, priority.clone()).prop_map(|(category, priority)| Revision::Triage(category, priority)),
        1 => priority.prop_map(Revision::Priority),
        1 => Just(Revision::Return("slow".to_owned())),
    ];
    (0..CASES, 1..30_i32, what)
}

/// Cases as they were routed; each second one somebody accepted.
fn routed(allocation: &mut Allocation, directory: &Directory, categories: &[usize]) -> Vec<Assignment> {
    let begin = |(at, category): (usize, &usize)| {
        let category = CATEGORIES[*category];
        let wanted = Wanted {
            case_id: CaseId(Uuid::from_u128(at as u128)),
            cycle: 1,
            category: category.to_owned(),
            priority: Priority::P3,
            origin: None,
            is_bulk: false,
            previous_agent: None,
            since: Timestamp::UNIX_EPOCH,
            traceparent: String::new(),
        };
        let mut case = Assignment::begin(wanted, None);
        allocation.place(&mut case, directory.department_for(category), "");
        if let (Some(agent), true) = (case.holder().map(str::to_owned), at % 2 == 0) {
            case.accept(&agent).expect("theirs");
        }
        case
    };
    categories.iter().enumerate().map(begin).collect()
}

fn hear(
    allocation: &mut Allocation,
    directory: &Directory,
    case: &mut Assignment,
    ordinal: i32,
    what: &Revision,
) {
    if case.hears(ordinal) {
        take_in(allocation, directory, case, what.clone());
    }
}

proptest! {
    #[test]
    fn nobody_holds_more_or_other_than_they_were_given(
        capacity in 0..3_i32, categories in vec(0..CATEGORIES.len(), CASES), events in vec(told(), 0..40),
    ) {
        let (mut allocation, directory) = (allocation(capacity), directory());
        let mut cases = routed(&mut allocation, &directory, &categories);
        for (at, ordinal, what) in &events {
            let before = cases[*at].clone();
            hear(&mut allocation, &directory, &mut cases[*at], *ordinal, what);
            let case = &cases[*at];
            if *ordinal <= before.heard {
                prop_assert_eq!(case, &before, "what comes late or again");
            }
            if before.is_accepted() && !matches!(what, Revision::Return(_)) {
                prop_assert_eq!((&case.state, &case.department), (&before.state, &before.department));
            }
            let moved = case.department != before.department;
            let belongs = directory.department_for(&case.category);
            prop_assert!(!moved || case.department.as_deref() == belongs, "{:?}", case);
            prop_assert!(moved || !matches!(case.state, State::Waiting) || !matches!(what, Revision::Category(_))
                || matches!(before.state, State::Waiting), "taken away for nothing: {case:?}");
        }
        for (department, _) in DEPARTMENTS {
            for agent in allocation.pool(department).expect("it is there").agents() {
                let id = agent.profile.id.as_str();
                let held = cases.iter().filter(|case| case.holder() == Some(id)).count();
                prop_assert_eq!(usize::try_from(agent.load), Ok(held), "{}", id);
                prop_assert!(agent.load <= capacity);
            }
        }
    }

    /// A case nobody has accepted lies where its category belongs; one that is taken
    /// from who had accepted it stays with their department.
    #[test]
    fn what_nobody_has_accepted_lies_where_it_belongs(
        categories in vec(0..CATEGORIES.len(), CASES), events in vec(told(), 0..20),
    ) {
        let (mut allocation, directory) = (allocation(1), directory());
        let mut cases = routed(&mut allocation, &directory, &categories);
        for (at, ordinal, what) in events.iter().filter(|(_, _, what)| !matches!(what, Revision::Return(_))) {
            hear(&mut allocation, &directory, &mut cases[*at], *ordinal, what);
        }
        for case in cases.iter().filter(|case| !case.is_accepted()) {
            if let Some(department) = directory.department_for(&case.category) {
                prop_assert_eq!(case.department.as_deref(), Some(department), "{:?}", case);
            }
        }
    }

    /// However often and however late it is told, in the end the last word counts.
    #[test]
    fn events_heard_again_change_nothing(
        categories in vec(0..CATEGORIES.len(), CASES), events in vec(told(), 1..20), again in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let (mut allocation, directory) = (allocation(1), directory());
        let mut cases = routed(&mut allocation, &directory, &categories);
        for (at, ordinal, what) in &events {
            hear(&mut allocation, &directory, &mut cases[*at], *ordinal, what);
        }
        let settled = cases.clone();
        for index in again {
            let (at, ordinal, what) = index.get(&events);
            hear(&mut allocation, &directory, &mut cases[*at], *ordinal, what);
        }
        prop_assert_eq!(cases, settled);
    }
}
