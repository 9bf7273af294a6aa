//! What process logs tell of events: read off the contracts, where the events' messages say it.

use crate::google::r#type::Money;
use crate::redress;

/// Something that happens to cases, as process logs tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Its number, for good.
    pub number: i32,
    /// What it is called, in words: `holding reply sent`.
    pub name: &'static str,
    /// Whether it happens to the complaint itself.
    pub of_complaint: bool,
    /// What the complainant has to do with it: a number of
    /// [`ComplainantPart`](redress::event::v1::ComplainantPart).
    pub complainant: i32,
}

/// All activities that events are, sorted by number.
pub const ACTIVITIES: &[Activity] = include!(concat!(env!("OUT_DIR"), "/activities.rs"));

/// The activity of a number; none where no event is it.
#[must_use]
pub fn activity(number: i32) -> Option<&'static Activity> {
    let at = ACTIVITIES.binary_search_by_key(&number, |activity| activity.number).ok()?;
    ACTIVITIES.get(at)
}

/// What an event tells process logs. What is empty or 0 has no part in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logged<'a> {
    /// Number of the activity.
    pub activity: i32,
    /// Whether the sum was taken back.
    pub taken_back: bool,
    /// The cycle.
    pub cycle: i32,
    /// The id of the remedy plan.
    pub plan: &'a str,
    /// The id of the department's task.
    pub task: &'a str,
    /// The id of the department.
    pub department: &'a str,
    /// Subject of the member of staff who did it, or has it now.
    pub agent: &'a str,
    /// The id of the case that it was merged into, or taken out of again.
    pub other_case: &'a str,
    /// The category.
    pub category: &'a str,
    /// Number of the priority.
    pub priority: i32,
    /// Number of the outcome.
    pub outcome: i32,
    /// A word that says more.
    pub detail: Option<String>,
    /// The sum.
    pub amount: Option<&'a Money>,
}

/// The payload of an event that process logs tell of.
pub trait ToldInLogs {
    /// What they tell of it.
    fn logged(&self) -> Logged<'_>;
}

/// A value of an enum as a word: `CLOCK_KIND_FIRST_RESPONSE` is `first response`; none of what
/// is not specified.
fn word(name: &str, prefix: &str) -> Option<String> {
    let word = name.strip_prefix(prefix).unwrap_or(name);
    (word != "UNSPECIFIED").then(|| word.replace('_', " ").to_lowercase())
}

include!(concat!(env!("OUT_DIR"), "/logged.rs"));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redress::cases::v1::{CaseClosed, CloseReason};
    use crate::redress::feedback::v1::{NoticeSettled, NoticeState};
    use crate::redress::resolution::v1::{PlanApproved, TaskCompleted};

    #[test]
    fn a_number_finds_its_activity() {
        assert!(ACTIVITIES.is_sorted_by_key(|activity| activity.number));
        assert_eq!(activity(38).map(|one| one.name), Some("holding reply sent"));
        assert_eq!((activity(0), activity(i32::MAX)), (None, None));
    }

    #[test]
    fn an_event_is_the_activity_whose_condition_holds() {
        let task = |compensation| TaskCompleted { compensation, ..TaskCompleted::default() };
        let told = |task: TaskCompleted| (task.logged().activity, task.logged().taken_back);
        assert_eq!((told(task(false)), told(task(true))), ((22, false), (23, true)));
        let settled = |state: NoticeState| NoticeSettled { state: state.into(), ..NoticeSettled::default() };
        assert_eq!(settled(NoticeState::Delivered).logged().activity, 39);
        assert_eq!(settled(NoticeState::Undelivered).logged().activity, 40);
    }

    #[test]
    fn a_detail_is_the_word_of_an_enum_or_the_name_of_a_truth() {
        let closed = |reason: CloseReason| CaseClosed { reason: reason.into(), ..CaseClosed::default() };
        assert_eq!(closed(CloseReason::WindowPassed).logged().detail.as_deref(), Some("window passed"));
        assert_eq!(closed(CloseReason::Unspecified).logged().detail, None);
        let approved = |automatic| PlanApproved { automatic, ..PlanApproved::default() };
        assert_eq!(approved(true).logged().detail.as_deref(), Some("automatic"));
        assert_eq!(approved(false).logged().detail, None);
    }
}
