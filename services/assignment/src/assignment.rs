//! Who handles a case in its current cycle: the states of the search, and the
//! moves between them.
//!
//! ```text
//! WAITING ⇄ ASSIGNED → ACCEPTED → RELEASED
//! ```
//!
//! A transfer leads from ASSIGNED or ACCEPTED back to WAITING or ASSIGNED; the
//! end of a cycle leads from anywhere to RELEASED; the next cycle begins anew.

use jiff::Timestamp;
use kernel::CaseId;
use vocabulary::Priority;

use crate::queue::Place;
use crate::refusal::Refusal;

kernel::numbered! {
    /// How far the search for a handler is; of a merged case, how far it was.
    Stage {
        /// No eligible agent has room.
        Waiting = 1,
        /// An agent's capacity is reserved for it.
        Assigned = 2,
        /// The agent accepted it.
        Accepted = 3,
        /// The cycle is over.
        Released = 4,
    }
}

/// Where the search for a handler stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// No eligible agent has room.
    Waiting,
    /// An agent's capacity is reserved for it.
    Assigned(String),
    /// The agent accepted it.
    Accepted(String),
    /// The cycle is over; names who handled it, if anybody did.
    Released(Option<String>),
}

impl State {
    /// How far that is.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Waiting => Stage::Waiting,
            Self::Assigned(_) => Stage::Assigned,
            Self::Accepted(_) => Stage::Accepted,
            Self::Released(_) => Stage::Released,
        }
    }
}

/// Whose complaint a case is and about whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Member of staff complained about, who must not handle it; empty when none.
    pub respondent: String,
    /// Customer number; empty when unknown.
    pub customer: String,
    /// Language to answer in; empty when unknown.
    pub language: String,
    /// Where the complainant is; empty when unknown.
    pub region: String,
}

kernel::numbered! {
    /// Why a case went one level up.
    Escalation {
        /// It was to be handed to the third department of its cycle.
        PingPong = 1,
        /// Its third rework began, or a later one.
        Rework = 2,
    }
}

/// Departments in one cycle at which a case is escalated.
pub const PING_PONG: usize = 3;
/// Reworks of a case at which it is escalated.
pub const REWORKS: i32 = 3;

/// Whether a cycle begins a rework that is to be looked after one level up.
pub fn is_reworked_too_often(cycle: i32) -> bool {
    cycle > REWORKS
}

/// A cycle that wants a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The case.
    pub case_id: CaseId,
    /// Attempt at resolution, from 1.
    pub cycle: i32,
    /// What it is about.
    pub category: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Whose complaint it is and about whom; none where the event does not say.
    pub origin: Option<Origin>,
    /// Whether it came in the bulk lane.
    pub is_bulk: bool,
    /// Who handled the cycle before.
    pub previous_agent: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Trace context of the case; empty when untraced.
    pub traceparent: String,
}

/// Who handles a case in its current cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The case.
    pub case_id: CaseId,
    /// The version that is stored; 0 while none is. Grows when it is saved.
    pub version: i64,
    /// Attempt at resolution, from 1.
    pub cycle: i32,
    /// Where it stands.
    pub state: State,
    /// Department in charge; none while none takes the category.
    pub department: Option<String>,
    /// Who handled the cycle before: avoided while another has room.
    pub previous_agent: Option<String>,
    /// Whose complaint it is and about whom.
    pub origin: Origin,
    /// Who handled a case of this customer last, when the cycle began.
    pub familiar_agent: Option<String>,
    /// How urgent it is.
    pub priority: Priority,
    /// Whether the cycle began in the bulk lane.
    pub is_bulk: bool,
    /// What it is about.
    pub category: String,
    /// When the cycle began to want a handler.
    pub enqueued: Timestamp,
    /// Why it was decided so.
    pub explanation: String,
    /// How often it was handed on in this cycle.
    pub transfers: i32,
    /// Who passed it on in this cycle: routing passes them over.
    pub passed: Vec<String>,
    /// Departments that were in charge in this cycle, each once.
    pub path: Vec<String>,
    /// Why it was escalated in this cycle.
    pub escalation: Option<Escalation>,
    /// That is news, to be told; not stored.
    pub escalates_now: bool,
    /// The supervisor it went to by that; not stored.
    pub escalated_to: Option<String>,
    /// Until when the agent in charge has time to accept.
    pub accept_by: Option<Timestamp>,
    /// Since when nobody can take it as things stand.
    pub unassignable: Option<Timestamp>,
    /// Trace context of the case; empty when untraced.
    pub traceparent: String,
    /// Where it stood when its case was merged into another; only while it is.
    pub suspended: Option<Stage>,
    /// Place in the case's timeline of the last event taken in about what it is, how
    /// urgent and who is to have it; 0 before any.
    pub heard: i32,
}

impl Assignment {
    /// A cycle begins to wait, of a case that is new or was handled before. What
    /// the event does not repeat, whose complaint it is, is kept.
    pub fn begin(wanted: Wanted, before: Option<Self>) -> Self {
        let Wanted {
            case_id,
            cycle,
            category,
            priority,
            origin,
            is_bulk,
            previous_agent,
            since,
            traceparent,
        } = wanted;
        let (version, known_origin, known_trace, heard) = before
            .map(|before| (before.version, before.origin, before.traceparent, before.heard))
            .unwrap_or_default();
        Self {
            case_id,
            version,
            cycle,
            state: State::Waiting,
            department: None,
            previous_agent,
            origin: origin.unwrap_or(known_origin),
            familiar_agent: None,
            priority,
            is_bulk,
            category,
            enqueued: since,
            explanation: String::new(),
            transfers: 0,
            passed: Vec::new(),
            path: Vec::new(),
            escalation: None,
            escalates_now: false,
            escalated_to: None,
            accept_by: None,
            unassignable: None,
            traceparent: if traceparent.is_empty() { known_trace } else { traceparent },
            suspended: None,
            heard,
        }
    }

    /// Whether an event of this place in the case's timeline is new; it is taken as heard.
    /// An event without a place always is.
    pub fn hears(&mut self, ordinal: i32) -> bool {
        let is_new = ordinal == 0 || ordinal > self.heard;
        self.heard = self.heard.max(ordinal);
        is_new
    }

    /// Whether somebody has taken it up, who keeps it, or had when it was merged into
    /// another.
    pub fn is_accepted(&self) -> bool {
        matches!(self.state, State::Accepted(_)) || self.suspended == Some(Stage::Accepted)
    }

    /// It wants a handler as if it had had none: what follows is no hand-over.
    pub fn begin_anew(&mut self) {
        self.department = None;
        self.state = State::Waiting;
        self.path.clear();
        self.passed.clear();
    }

    /// Whose capacity it takes.
    pub fn holder(&self) -> Option<&str> {
        match &self.state {
            State::Assigned(agent) | State::Accepted(agent) => Some(agent),
            State::Waiting | State::Released(_) => None,
        }
    }

    /// Who handles it, or handled it until it was released.
    pub fn agent(&self) -> Option<&str> {
        match &self.state {
            State::Released(agent) => agent.as_deref(),
            _ => self.holder(),
        }
    }

    /// Whether this cycle is over.
    pub fn is_released(&self) -> bool {
        matches!(self.state, State::Released(_))
    }

    /// Whether this cycle is over for good, and not only while its case is merged
    /// into another.
    pub fn is_over(&self) -> bool {
        self.is_released() && self.suspended.is_none()
    }

    /// Refuses what is only for a case that waits.
    pub fn ensure_waiting(&self) -> Result<(), Refusal> {
        if self.state == State::Waiting { Ok(()) } else { Err(Refusal::NotWaiting) }
    }

    /// Refuses what is only for a cycle that is not over.
    pub fn ensure_open(&self) -> Result<(), Refusal> {
        if self.is_released() { Err(Refusal::AssignmentReleased) } else { Ok(()) }
    }

    /// An agent of a department has it now.
    pub fn give(&mut self, department: &str, agent: &str, explanation: String) {
        self.count_transfer(Some(department), Some(agent));
        self.is_with(department);
        self.state = State::Assigned(agent.to_owned());
        self.explanation = explanation;
        self.unassignable = None;
    }

    fn is_with(&mut self, department: &str) {
        if !self.path.iter().any(|before| before == department) {
            self.path.push(department.to_owned());
        }
        self.department = Some(department.to_owned());
    }

    /// Whether handing it to a department is one too many for its cycle.
    pub fn goes_to_and_fro(&self, department: &str) -> bool {
        let others = self.path.iter().filter(|before| before.as_str() != department).count();
        self.escalation.is_none() && others + 1 >= PING_PONG
    }

    /// It goes one level up.
    pub fn escalate(&mut self, why: Escalation) {
        self.escalation = Some(why);
        self.escalates_now = true;
    }

    /// Whom it is taken from passes it on: routing does not give it to them again in this
    /// cycle.
    pub fn pass(&mut self) {
        if let Some(agent) = self.holder().map(str::to_owned).filter(|agent| !self.passed.contains(agent)) {
            self.passed.push(agent);
        }
    }

    /// It waits for a department, or for one that takes its category.
    pub fn wait(&mut self, department: Option<&str>, explanation: String) {
        self.count_transfer(department, None);
        match department {
            Some(department) => self.is_with(department),
            None => self.department = None,
        }
        self.state = State::Waiting;
        self.explanation = explanation;
        self.accept_by = None;
    }

    /// Refuses what is only for whom it is offered to, until they accept.
    pub fn ensure_offered_to(&self, agent: &str) -> Result<(), Refusal> {
        match &self.state {
            State::Assigned(holder) if holder == agent => Ok(()),
            _ => Err(Refusal::NotAssignedToAgent),
        }
    }

    /// The agent in charge accepts; answers whether they had not before.
    pub fn accept(&mut self, agent: &str) -> Result<bool, Refusal> {
        match &self.state {
            State::Assigned(holder) if holder == agent => {
                self.state = State::Accepted(agent.to_owned());
                self.accept_by = None;
                Ok(true)
            }
            State::Accepted(holder) if holder == agent => Ok(false),
            _ => Err(Refusal::NotAssignedToAgent),
        }
    }

    /// The cycle is over.
    pub fn release(&mut self) {
        self.state = State::Released(self.agent().map(str::to_owned));
        (self.accept_by, self.unassignable) = (None, None);
    }

    /// The case is merged into another: as if over, but it may go on.
    pub fn suspend(&mut self) {
        let stage = self.state.stage();
        if stage != Stage::Released {
            self.suspended = Some(stage);
            self.release();
        }
    }

    /// The case goes on where it stood.
    pub fn resume(&mut self) {
        self.state = match (self.suspended.take(), self.agent().map(str::to_owned)) {
            (Some(Stage::Assigned), Some(agent)) => State::Assigned(agent),
            (Some(Stage::Accepted), Some(agent)) => State::Accepted(agent),
            (Some(_), _) => State::Waiting,
            (None, _) => return,
        };
    }

    /// Its place in the queue.
    pub fn place(&self) -> Place {
        Place::of(self.case_id.0, self.enqueued, self.priority, self.is_bulk)
    }

    fn count_transfer(&mut self, department: Option<&str>, agent: Option<&str>) {
        let leaves = |before: Option<&str>, after: Option<&str>| before.is_some() && before != after;
        if leaves(self.department.as_deref(), department) || leaves(self.holder(), agent) {
            self.transfers += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn wanted(cycle: i32) -> Wanted {
        Wanted {
            case_id: CaseId(Uuid::from_u128(7)),
            cycle,
            category: "delivery/damaged".to_owned(),
            priority: Priority::P3,
            origin: (cycle == 1).then(|| Origin { respondent: "bo".to_owned(), ..Origin::default() }),
            is_bulk: false,
            previous_agent: None,
            since: Timestamp::UNIX_EPOCH,
            traceparent: String::new(),
        }
    }

    fn held_by(agent: &str) -> Assignment {
        let mut case = Assignment::begin(wanted(1), None);
        case.give("delivery", agent, String::new());
        case
    }

    #[test]
    fn only_the_agent_in_charge_accepts() {
        let mut case = held_by("ann");
        assert_eq!(case.accept("cy"), Err(Refusal::NotAssignedToAgent));
        assert_eq!(case.accept("ann"), Ok(true));
        assert_eq!(case.accept("ann"), Ok(false));
        assert_eq!(case.holder(), Some("ann"));
        case.release();
        assert_eq!(case.accept("ann"), Err(Refusal::NotAssignedToAgent));
    }

    #[test]
    fn a_released_case_takes_no_capacity_but_remembers_who_had_it() {
        let mut case = held_by("ann");
        case.release();
        assert_eq!((case.holder(), case.agent()), (None, Some("ann")));
        assert_eq!(case.ensure_open(), Err(Refusal::AssignmentReleased));
        case.release();
        assert_eq!(case.agent(), Some("ann"));
    }

    #[test]
    fn a_hand_over_counts_and_a_first_assignment_does_not() {
        let mut case = Assignment::begin(wanted(1), None);
        case.wait(None, String::new());
        case.wait(Some("delivery"), String::new());
        case.give("delivery", "ann", String::new());
        assert_eq!(case.transfers, 0);
        case.give("delivery", "bo", String::new());
        assert_eq!(case.transfers, 1);
        case.wait(Some("finance"), String::new());
        assert_eq!(case.transfers, 2);
        case.give("finance", "cy", String::new());
        assert_eq!(case.transfers, 2);
    }

    #[test]
    fn where_the_search_begins_anew_nothing_is_handed_on() {
        let mut case = held_by("ann");
        case.begin_anew();
        assert_eq!((case.holder(), case.department.as_deref()), (None, None));
        case.give("finance", "cy", String::new());
        assert_eq!(case.transfers, 0);
    }

    #[test]
    fn news_is_heard_once_and_in_its_order() {
        let mut case = held_by("ann");
        let heard: Vec<bool> = [4, 4, 3, 6, 0, 5, 0, 7].into_iter().map(|place| case.hears(place)).collect();
        assert_eq!(heard, [true, false, false, true, true, false, true, true]);
    }

    #[test]
    fn the_next_cycle_begins_anew_but_stays_about_the_same_person() {
        let mut first = held_by("ann");
        first.version = 4;
        first.transfers = 2;
        first.traceparent = "00-a-b-01".to_owned();
        first.release();
        let second = Assignment::begin(wanted(2), Some(first));
        assert_eq!((second.version, second.cycle, second.transfers), (4, 2, 0));
        assert_eq!(second.state, State::Waiting);
        assert_eq!((second.origin.respondent.as_str(), second.traceparent.as_str()), ("bo", "00-a-b-01"));
    }

    #[test]
    fn the_third_department_of_a_cycle_is_one_too_many_once() {
        let mut case = held_by("ann");
        assert!(!case.goes_to_and_fro("finance"));
        case.wait(Some("finance"), String::new());
        assert!(!case.goes_to_and_fro("delivery"), "back where it was is no third");
        assert!(case.goes_to_and_fro("care"));
        case.escalate(Escalation::PingPong);
        assert!(!case.goes_to_and_fro("care"));
    }

    #[test]
    fn who_passes_a_case_on_is_remembered_for_its_cycle() {
        let mut case = held_by("ann");
        case.pass();
        case.wait(Some("delivery"), String::new());
        case.pass();
        assert_eq!(case.passed, ["ann"]);
        let next = Assignment::begin(wanted(2), Some(case));
        assert!(next.passed.is_empty() && next.path.is_empty());
    }
}
