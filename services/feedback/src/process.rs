//! Processes: what happened to cases, event by event, as process mining wants it.
//!
//! What is kept has ids, words of enums and sums; no words that anybody wrote. Who complains
//! and who works leave under pseudonyms.

use jiff::Timestamp;
use kernel::{CaseId, EventId, Money, PlanId, TaskId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Most cases of a message of the log.
pub const MAX_CASES: usize = 200;
/// Most events of a message of the log.
pub const MAX_EVENTS: usize = 1_000;

/// What happened to a case: its number in the contracts, where the events say which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity(i16);

impl Activity {
    /// A department carried out a step.
    pub const TASK_COMPLETED: Self = Self(22);
    /// A department undid a step.
    pub const TASK_UNDONE: Self = Self(23);
    /// The complainant was told that it takes longer.
    pub const PUT_OFF: Self = Self(38);
    /// It was linked to a problem. The only one that no event tells.
    pub const PROBLEM_LINKED: Self = Self(44);

    /// The activity of a number; none of what is no number of one.
    pub fn of(number: i16) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// Its number, as kept and told.
    pub fn number(self) -> i16 {
        self.0
    }
}

kernel::numbered! {
    /// Whose feed tells of it.
    Source {
        /// Intake.
        Intake = 1,
        /// Cases.
        Cases = 2,
        /// Assignment.
        Assignment = 3,
        /// Resolution.
        Resolution = 4,
        /// Feedback itself.
        Feedback = 5,
    }
}

impl Source {
    /// The service that tells a payload, by the payload's full name.
    pub fn of_payload(full_name: &str) -> Option<Self> {
        match full_name.split('.').nth(1)? {
            "intake" => Some(Self::Intake),
            "cases" => Some(Self::Cases),
            "assignment" => Some(Self::Assignment),
            "resolution" => Some(Self::Resolution),
            "feedback" => Some(Self::Feedback),
            _ => None,
        }
    }
}

/// Something that happened to a case. What is none has no part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessEvent {
    /// The case.
    pub case_id: CaseId,
    /// The event in the feed that told it.
    pub event_id: EventId,
    /// When it happened.
    pub occurred: Timestamp,
    /// Whose feed that is.
    pub source: Source,
    /// Its place there: orders what happened at one time.
    pub position: i64,
    /// What happened.
    pub activity: Activity,
    /// The cycle it belongs to; 0 where it belongs to none.
    pub cycle: i32,
    /// The remedy plan.
    pub plan: Option<PlanId>,
    /// The department's task.
    pub task: Option<TaskId>,
    /// The department.
    pub department: Option<String>,
    /// Subject of who did it, or has the case now.
    pub agent: Option<String>,
    /// The case that it was merged into, or taken out of again.
    pub other_case: Option<CaseId>,
    /// The problem it was linked to.
    pub problem: Option<Uuid>,
    /// The category it was given.
    pub category: Option<String>,
    /// Number of the priority it was given.
    pub priority: Option<i16>,
    /// Number of the outcome.
    pub outcome: Option<i16>,
    /// A word of a contract's enum.
    pub detail: Option<String>,
    /// The sum that was paid; negative where it was taken back.
    pub amount: Option<Money>,
}

impl ProcessEvent {
    /// Where it stands among the events of a page of cases.
    pub fn place(&self) -> EventPlace {
        EventPlace {
            case_id: self.case_id,
            occurred: self.occurred,
            source: self.source.number(),
            position: self.position,
            event_id: self.event_id,
        }
    }
}

/// A case of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessCase {
    /// Its id.
    pub case_id: CaseId,
    /// When its complaint counts as received.
    pub received: Timestamp,
    /// Tells complainants apart.
    pub complainant: Option<Vec<u8>>,
    /// Number of the channel it came by.
    pub channel: i16,
    /// What it is about.
    pub category: Option<String>,
    /// Number of its priority.
    pub priority: Option<i16>,
    /// Number of its latest outcome.
    pub outcome: Option<i16>,
}

/// Where an event stands among those of a page of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPlace {
    /// The case.
    pub case_id: CaseId,
    /// When it happened.
    pub occurred: Timestamp,
    /// Number of the source.
    pub source: i16,
    /// Its place in the feed.
    pub position: i64,
    /// The event.
    pub event_id: EventId,
}

/// Names people within one log. Nobody who does not have its key can tell who is meant, and
/// the key is drawn for one log and kept nowhere.
#[derive(Clone, Copy)]
pub struct Pseudonyms([u8; 32]);

impl Pseudonyms {
    /// Pseudonyms of a key of two random ids, 244 random bits.
    pub fn of(one: Uuid, other: Uuid) -> Self {
        let mut key = [0; 32];
        key[..16].copy_from_slice(one.as_bytes());
        key[16..].copy_from_slice(other.as_bytes());
        Self(key)
    }

    /// The pseudonym of a complainant.
    pub fn complainant(&self, known_by: &[u8]) -> String {
        self.name(b"complainant", known_by)
    }

    /// The pseudonym of a member of staff.
    pub fn agent(&self, subject: &str) -> String {
        self.name(b"agent", subject.as_bytes())
    }

    fn name(&self, kind: &[u8], known_by: &[u8]) -> String {
        let hash = Sha256::new().chain_update(self.0).chain_update(kind).chain_update([0]);
        let hash: [u8; 32] = hash.chain_update(known_by).finalize().into();
        hash.iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_one_for_one_person_within_a_log_and_another_in_the_next() {
        let one = Pseudonyms::of(Uuid::from_u128(1), Uuid::from_u128(2));
        let next = Pseudonyms::of(Uuid::from_u128(1), Uuid::from_u128(3));
        assert_eq!(one.agent("ann"), one.agent("ann"));
        assert_ne!(one.agent("ann"), one.agent("bob"));
        assert_ne!(one.agent("ann"), one.complainant(b"ann"), "a customer who works here is two");
        assert_ne!(one.agent("ann"), next.agent("ann"));
        assert_eq!(one.agent("ann").len(), 32);
        assert!(!one.agent("ann").contains("ann"));
    }

    #[test]
    fn a_source_is_that_of_the_payload() {
        assert_eq!(Source::of_payload("redress.cases.v1.CaseOpened"), Some(Source::Cases));
        assert_eq!(Source::of_payload("redress.event.v1.Event"), None);
        assert_eq!(Source::of_payload("nonsense"), None);
    }
}
