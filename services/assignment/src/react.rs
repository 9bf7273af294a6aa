//! What is done about the events of cases: a cycle wants a handler, is known better,
//! or is over. Of calendars: shifts that go by them follow.
//!
//! Set-based: whatever the size of a batch, a handful of statements. Only the
//! order of one case's events matters, so a batch is folded into rounds, in each of
//! which first cycles end and then cycles begin; nearly always there is one.

use std::collections::{HashMap, HashSet};

use events::{Delivered, Follow, Reactor};
use fault::Fault;
use futures::future::BoxFuture;
use kernel::{CaseId, Lane};
use pg::Tx;
use uuid::Uuid;

use crate::assignment::{Assignment, Escalation, Wanted, is_reworked_too_often};
use crate::flow::allocation::{Allocation, save};
use crate::flow::presence;
use crate::flow::telling::tell;
use crate::roster::CalendarVersion;
use crate::routing::Directory;
use crate::store::{agents, assignments, calendars, decisions, roster};
use crate::wire::inbound::{self, CaseEvent, Ended, Ending, Events, Resumed, Revised, Revision};

events::inbound! {
    /// Takes in an event about a case.
    fn take(events: &mut Events) {
        cases {
            CaseOpened => inbound::opened,
            CaseReopened => inbound::reopened,
            CaseResolved => inbound::resolved,
            CaseClosed => inbound::closed,
            CaseWithdrawn => inbound::withdrawn,
            CaseDeclined => inbound::declined,
            CasePriorityRaised => inbound::priority_raised,
            CaseRetriaged => inbound::retriaged,
            CaseCategorised => inbound::categorised,
            CaseReturned => inbound::returned,
            CaseMerged => inbound::merged,
            CaseUnmerged => inbound::unmerged,
            CalendarChanged => inbound::calendar_changed,
        }
    }
}

/// Follows the cases service.
pub(crate) struct CaseEvents;

impl Reactor for CaseEvents {
    fn consumer(&self) -> &'static str {
        "assignment"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let mut events = Events::default();
            for event in batch {
                take(&mut events, event)?;
            }
            roster::share(tx).await?;
            follow_calendars(tx, &events.calendars).await?;
            for Round { ended, wanted, revised, resumed } in rounds(events.cases) {
                end(tx, &ended).await?;
                resume(tx, &resumed).await?;
                begin(tx, wanted).await?;
                revise(tx, revised).await?;
            }
            Ok(())
        })
    }
}

/// Keeps calendars that are later than those known; the shifts that go by them follow.
async fn follow_calendars(tx: &mut Tx, versions: &[CalendarVersion]) -> Result<(), Fault> {
    if versions.is_empty() {
        return Ok(());
    }
    let changed = calendars::keep(tx, versions).await?;
    if changed.is_empty() { Ok(()) } else { presence::follow(tx, &changed).await }
}

/// Events that can be handled together.
#[derive(Debug, Default)]
struct Round {
    ended: Vec<Ended>,
    wanted: Vec<Wanted>,
    resumed: Vec<Resumed>,
    revised: Vec<Revised>,
}

/// The first round in which each kind of event of a case may come next.
#[derive(Clone, Copy, Debug, Default)]
struct Earliest {
    end: usize,
    begin: usize,
    revise: usize,
}

/// Folds events into as few rounds as keep the order of each case's own.
fn rounds(events: Vec<CaseEvent>) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    let mut earliest: HashMap<CaseId, Earliest> = HashMap::new();
    for item in events {
        let case_id = match &item {
            CaseEvent::Wanted(wanted) => wanted.case_id,
            CaseEvent::Ended(ended) => ended.case_id,
            CaseEvent::Revised(revised) => revised.case_id,
            CaseEvent::Resumed(resumed) => resumed.case_id,
        };
        let next = earliest.entry(case_id).or_default();
        let at = match item {
            CaseEvent::Ended(_) => next.end,
            CaseEvent::Wanted(_) | CaseEvent::Resumed(_) => next.begin,
            CaseEvent::Revised(_) => next.revise,
        };
        if rounds.len() <= at {
            rounds.resize_with(at + 1, Round::default);
        }
        match item {
            CaseEvent::Ended(ended) => {
                (next.begin, next.revise) = (at, at);
                rounds[at].ended.push(ended);
            }
            CaseEvent::Wanted(wanted) => {
                (next.end, next.revise) = (at + 1, at);
                rounds[at].wanted.push(wanted);
            }
            CaseEvent::Revised(revised) => {
                (next.end, next.begin) = (at + 1, at + 1);
                rounds[at].revised.push(revised);
            }
            CaseEvent::Resumed(resumed) => {
                (next.end, next.begin, next.revise) = (at + 1, at + 1, at);
                rounds[at].resumed.push(resumed);
            }
        }
    }
    rounds
}

/// Frees who handled the cycles, and gives the room to those who wait. A cycle
/// that is over already, or is not the current one, is skipped.
async fn end(tx: &mut Tx, ended: &[Ended]) -> Result<(), Fault> {
    let ids: Vec<Uuid> = ended.iter().map(|ended| ended.case_id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let departments = assignments::open_departments(tx, &ids).await?;
    if departments.is_empty() {
        return Ok(());
    }
    let mut allocation = Allocation::lock(tx, departments).await?;
    let cycles: HashMap<(CaseId, i32), Ending> =
        ended.iter().map(|ended| ((ended.case_id, ended.cycle), ended.ending)).collect();
    let mut over = allocation.cases(tx, &ids).await?;
    over.retain(|case| !case.is_released() && cycles.contains_key(&(case.case_id, case.cycle)));
    for case in &mut over {
        match cycles.get(&(case.case_id, case.cycle)) {
            Some(Ending::Merged) => allocation.suspend(case),
            _ => allocation.release(case),
        }
    }
    save(tx, &mut over).await?;
    let gone = over.iter().filter(|case| case.is_over()).map(|case| (case.case_id.0, case.cycle));
    let gone: Vec<_> = gone.collect();
    let now = tx.now();
    decisions::release(tx, &gone, now).await?;
    allocation.finish(tx).await
}

/// Gives cases that are no longer merged back to who had them, and those that
/// waited back to their places. Whose handler has no room any more waits as well,
/// and that is told: all else is as the cases service knows it.
async fn resume(tx: &mut Tx, resumed: &[Resumed]) -> Result<(), Fault> {
    let ids: Vec<Uuid> = resumed.iter().map(|resumed| resumed.case_id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let departments = assignments::suspended_departments(tx, &ids).await?;
    if departments.is_empty() {
        return Ok(());
    }
    let mut allocation = Allocation::lock(tx, departments).await?;
    let cycles: HashSet<(CaseId, i32)> = resumed.iter().map(|case| (case.case_id, case.cycle)).collect();
    let mut back = allocation.cases(tx, &ids).await?;
    back.retain(|case| case.suspended.is_some() && cycles.contains(&(case.case_id, case.cycle)));
    let displaced: Vec<bool> = back.iter_mut().map(|case| allocation.resume(case)).collect();
    save(tx, &mut back).await?;
    for (case, displaced) in back.iter().zip(displaced) {
        if displaced {
            tell(tx, case);
        }
    }
    allocation.finish(tx).await
}

/// Finds handlers for the cycles that want one, in the order of the feed. A cycle
/// that is known already, or older than the current one, is skipped.
async fn begin(tx: &mut Tx, wanted: Vec<Wanted>) -> Result<(), Fault> {
    let ids: Vec<Uuid> = wanted.iter().map(|wanted| wanted.case_id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let directory = Directory::of(&roster::departments(tx).await?);
    let routed = wanted.iter().filter_map(|wanted| directory.department_for(&wanted.category));
    let mut departments = assignments::open_departments(tx, &ids).await?;
    departments.extend(routed.map(str::to_owned));
    let above = above_earlier_handlers(tx, &wanted).await?;
    departments.extend(above.values().flatten().map(|(_, department)| department.clone()));
    let mut allocation = Allocation::lock(tx, departments).await?;
    let known = allocation.cases(tx, &ids).await?;
    let mut known: HashMap<CaseId, Assignment> = known.into_iter().map(|case| (case.case_id, case)).collect();
    let fresh = newest(wanted, &known);
    let familiar = familiar_agents(tx, &fresh, &known).await?;
    let is_bulk = tx.lane() == Lane::Bulk;
    let mut placed = Vec::with_capacity(fresh.len());
    for wanted in fresh {
        let before = known.remove(&wanted.case_id);
        if let Some(before) = &before {
            allocation.free(before);
        }
        let department = directory.department_for(&wanted.category);
        let why = routed_because(department, &wanted.category);
        let mut case = Assignment::begin(Wanted { is_bulk, ..wanted }, before);
        case.familiar_agent = familiar.get(&case.origin.customer).cloned();
        let above = above.get(&case.case_id);
        if !above.is_some_and(|above| goes_up(&mut allocation, &mut case, above)) {
            allocation.place(&mut case, department, &why);
        }
        placed.push(case);
    }
    save(tx, &mut placed).await?;
    for case in &placed {
        tell(tx, case);
    }
    allocation.finish(tx).await
}

/// Who stands above the earlier handlers of cases that are reworked too often, the nearest
/// first, each with their department.
async fn above_earlier_handlers(
    tx: &mut Tx,
    wanted: &[Wanted],
) -> Result<HashMap<CaseId, Vec<(String, String)>>, Fault> {
    let mut above = HashMap::new();
    for wanted in wanted.iter().filter(|wanted| is_reworked_too_often(wanted.cycle)) {
        let mut chain = match &wanted.previous_agent {
            Some(agent) => agents::chain(tx, agent).await?,
            None => Vec::new(),
        };
        chain.retain(|(agent, _)| Some(agent) != wanted.previous_agent.as_ref());
        above.insert(wanted.case_id, chain);
    }
    Ok(above)
}

/// Gives a rework too many to whom stands above its earlier handler; answers whether
/// anybody there can take it.
fn goes_up(allocation: &mut Allocation, case: &mut Assignment, above: &[(String, String)]) -> bool {
    is_reworked_too_often(case.cycle) && {
        let because = format!("rework {} of the case", case.cycle - 1);
        allocation.escalate(case, above, Escalation::Rework, &because)
    }
}

/// Who handled a case of each customer last.
async fn familiar_agents(
    tx: &mut Tx,
    fresh: &[Wanted],
    known: &HashMap<CaseId, Assignment>,
) -> Result<HashMap<String, String>, Fault> {
    let customer = |wanted: &'_ Wanted| match &wanted.origin {
        Some(origin) => Some(origin.customer.clone()),
        None => known.get(&wanted.case_id).map(|case| case.origin.customer.clone()),
    };
    let customers: Vec<String> =
        fresh.iter().filter_map(customer).filter(|customer| !customer.is_empty()).collect();
    if customers.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(assignments::familiar_agents(tx, &customers).await?.into_iter().collect())
}

/// Takes in what is new about cycles that go on. A cycle that is over, or is not
/// the current one, is skipped; one whose case is merged into another is known
/// better, and stays where it stood.
async fn revise(tx: &mut Tx, revised: Vec<Revised>) -> Result<(), Fault> {
    let ids: Vec<Uuid> = revised.iter().map(|revised| revised.case_id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut departments = assignments::open_departments(tx, &ids).await?;
    let directory = if revised.iter().any(|revised| revised.category().is_some()) {
        Directory::of(&roster::departments(tx).await?)
    } else {
        Directory::default()
    };
    let categories = revised.iter().filter_map(Revised::category);
    let routed = categories.filter_map(|category| directory.department_for(category));
    departments.extend(routed.map(str::to_owned));
    let mut allocation = Allocation::lock(tx, departments).await?;
    let mut changed = Vec::new();
    let mut moved = HashSet::new();
    for mut case in allocation.cases(tx, &ids).await? {
        let before = case.clone();
        let mine = |revised: &&Revised| revised.case_id == case.case_id && revised.cycle == case.cycle;
        for Revised { ordinal, what, .. } in revised.iter().filter(mine).cloned().collect::<Vec<_>>() {
            if !case.is_over() && case.hears(ordinal) && take_in(&mut allocation, &directory, &mut case, what)
            {
                moved.insert(case.case_id);
            }
        }
        if case != before {
            changed.push(case);
        }
    }
    save(tx, &mut changed).await?;
    for case in changed.iter().filter(|case| moved.contains(&case.case_id)) {
        tell(tx, case);
    }
    allocation.finish(tx).await
}

/// Takes in what is new about a case; answers whether others are to be told where
/// it is now.
fn take_in(
    allocation: &mut Allocation,
    directory: &Directory,
    case: &mut Assignment,
    what: Revision,
) -> bool {
    match what {
        Revision::Priority(priority) => {
            case.priority = priority;
            false
        }
        Revision::Category(category) => route_anew(allocation, directory, case, category),
        Revision::Triage(category, priority) => {
            case.priority = priority;
            route_anew(allocation, directory, case, category)
        }
        Revision::Return(reason) => hand_on(allocation, case, &reason),
    }
}

/// A case is about something else. If that is another department's matter it goes
/// there, unless somebody has accepted it already; where the department is the same
/// as for what it was held to be about, it stays where it is: people may have put
/// it there. So it does where no department takes it. Answers whether it went.
fn route_anew(
    allocation: &mut Allocation,
    directory: &Directory,
    case: &mut Assignment,
    category: String,
) -> bool {
    let before = directory.department_for(&case.category);
    let target = directory.department_for(&category).filter(|target| Some(*target) != before);
    case.category = category;
    let stays = case.is_released() || case.is_accepted();
    let Some(target) = target.filter(|target| !stays && case.department.as_deref() != Some(*target)) else {
        return false;
    };
    let found = routed_because(Some(target), &case.category);
    let why = match case.holder() {
        Some(holder) => format!("taken from {holder}, it is about something else: {found}"),
        None => format!("it is about something else: {found}"),
    };
    allocation.free(case);
    case.begin_anew();
    allocation.place(case, Some(target), &why);
    true
}

/// Takes a case from its handler: to whoever else has room, or to the queue. One
/// that waits goes on waiting; answers whether it had a handler.
fn hand_on(allocation: &mut Allocation, case: &mut Assignment, reason: &str) -> bool {
    let Some(holder) = case.holder().map(str::to_owned) else { return false };
    let department = case.department.clone();
    allocation.free(case);
    case.previous_agent = Some(holder);
    allocation.place(case, department.as_deref(), &format!("taken back: {reason}"));
    true
}

/// The newest cycle of each case, where it is newer than what is known; in the
/// order of the feed.
fn newest(wanted: Vec<Wanted>, known: &HashMap<CaseId, Assignment>) -> Vec<Wanted> {
    let mut cycles: HashMap<CaseId, i32> = known.iter().map(|(id, case)| (*id, case.cycle)).collect();
    let mut fresh: Vec<Wanted> = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let cycle = cycles.entry(wanted.case_id).or_default();
        if wanted.cycle > *cycle {
            *cycle = wanted.cycle;
            fresh.push(wanted);
        }
    }
    fresh.retain(|wanted| cycles.get(&wanted.case_id) == Some(&wanted.cycle));
    fresh
}

fn routed_because(department: Option<&str>, category: &str) -> String {
    let category = if category.is_empty() { "cases without a category" } else { category };
    match department {
        Some(department) => format!("{department} takes {category}"),
        None => format!("no department takes {category}"),
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use vocabulary::Priority;

    fn wanted(case: u128, cycle: i32) -> CaseEvent {
        CaseEvent::Wanted(Wanted {
            case_id: CaseId(Uuid::from_u128(case)),
            cycle,
            category: String::new(),
            priority: Priority::P3,
            origin: None,
            is_bulk: false,
            previous_agent: None,
            since: Timestamp::UNIX_EPOCH,
            traceparent: String::new(),
        })
    }

    fn ended(case: u128, cycle: i32) -> CaseEvent {
        CaseEvent::Ended(Ended { case_id: CaseId(Uuid::from_u128(case)), cycle, ending: Ending::Over })
    }

    fn resumed(case: u128) -> CaseEvent {
        CaseEvent::Resumed(Resumed { case_id: CaseId(Uuid::from_u128(case)), cycle: 1 })
    }

    fn shape(rounds: &[Round]) -> Vec<(usize, usize)> {
        rounds.iter().map(|round| (round.ended.len(), round.wanted.len())).collect()
    }

    #[test]
    fn events_of_different_cases_are_one_round() {
        let rounds = rounds(vec![wanted(1, 1), ended(2, 1), wanted(3, 1), ended(4, 1), ended(4, 1)]);
        assert_eq!(shape(&rounds), [(3, 2)]);
    }

    #[test]
    fn news_of_one_case_keeps_its_order() {
        let rounds =
            rounds(vec![ended(1, 1), wanted(1, 2), ended(1, 2), wanted(1, 3), wanted(2, 1), ended(2, 1)]);
        assert_eq!(shape(&rounds), [(1, 1 + 1), (1 + 1, 1)]);
        assert_eq!(rounds[1].wanted[0].cycle, 3);
        assert!(rounds[0].ended.iter().all(|ended| ended.cycle == 1));
    }

    #[test]
    fn a_cycle_is_revised_after_it_began_and_before_it_ends() {
        let revised = |case, cycle| {
            let case_id = CaseId(Uuid::from_u128(case));
            CaseEvent::Revised(Revised { case_id, cycle, ordinal: 0, what: Revision::Priority(Priority::P1) })
        };
        let rounds = rounds(vec![wanted(1, 1), revised(1, 1), revised(1, 1), ended(1, 1), wanted(1, 2)]);
        assert_eq!(shape(&rounds), [(0, 1), (1, 1)]);
        assert_eq!(rounds[0].revised.len(), 2);
    }

    #[test]
    fn what_is_resumed_comes_after_its_suspension_and_before_what_follows() {
        let shape = |rounds: &[Round]| -> Vec<_> {
            rounds.iter().map(|round| (round.ended.len(), round.resumed.len(), round.wanted.len())).collect()
        };
        let events = vec![ended(1, 1), resumed(1), ended(1, 1), resumed(1), ended(1, 1), wanted(1, 2)];
        assert_eq!(shape(&rounds(events)), [(1, 1, 0), (1, 1, 0), (1, 0, 1)]);
    }

    #[test]
    fn no_news_is_no_round() {
        assert!(rounds(Vec::new()).is_empty());
    }
}
