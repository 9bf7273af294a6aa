//! What departments are asked about problems, by people and by hints, and what they answer.
//!
//! It is a task of the department, which resolution keeps: here is who asked what, and what
//! came of it. A hint asks once for each problem, kind and department, as soon as the problem
//! has a case for the task to be in.

use jiff::Timestamp;
use kernel::CaseId;
use uuid::Uuid;

use crate::signal::Series;
use crate::signal::hint::{Hint, Kind};

/// Most tasks of a problem.
pub const MAX_TASKS: usize = 50;
/// Why a task is refused that waited for a case until its problem was closed.
const CLOSED_BEFORE: &str = "the problem was closed before a case was linked";

kernel::numbered! {
    /// Where a task stands.
    State {
        /// Its problem has no case yet.
        Waiting = 1,
        /// The department is asked.
        Requested = 2,
        /// It is done. Final.
        Answered = 3,
        /// A department gave up; another may do it still.
        GivenUp = 4,
        /// The department could not be asked.
        Refused = 5,
    }
}

/// The case that a task is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskCase {
    /// The case.
    pub case_id: CaseId,
    /// Its cycle.
    pub cycle: i32,
}

/// What came of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskAnswer {
    /// The department that answered or gave up; empty where it could not be asked.
    pub department_id: String,
    /// Its own number for what it did.
    pub reference: String,
    /// What it answered, or why not.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// What was told of a task: how it stands by that, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskUpdate {
    /// The task.
    pub task_id: Uuid,
    /// How it stands.
    pub state: State,
    /// What came of it.
    pub answer: TaskAnswer,
}

/// What a department is asked about a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemTask {
    /// Identity: that of the department's task.
    pub id: Uuid,
    /// The problem.
    pub problem: Uuid,
    /// What is asked.
    pub kind: Kind,
    /// The department.
    pub department_id: String,
    /// What it should know.
    pub instructions: String,
    /// Subject of who asked; empty where a hint did.
    pub requester: String,
    /// When it was asked for.
    pub created: Timestamp,
    /// When the department was asked, and the case that the task is in; none while it waits.
    pub requested: Option<(Timestamp, TaskCase)>,
    /// Where it stands.
    pub state: State,
    /// What came of it.
    pub answer: Option<TaskAnswer>,
}

impl ProblemTask {
    /// The problem has a case: the department is asked. Answers whether it waited for that.
    pub fn request(&mut self, case: TaskCase, now: Timestamp) -> bool {
        let waits = self.state == State::Waiting;
        if waits {
            self.state = State::Requested;
            self.requested = Some((now, case));
        }
        waits
    }

    /// The problem is closed: what waits for a case is asked no more.
    pub fn problem_closed(&mut self, now: Timestamp) {
        if self.state == State::Waiting {
            let (department_id, reference, text) = (String::new(), String::new(), CLOSED_BEFORE.to_owned());
            self.state = State::Refused;
            self.answer = Some(TaskAnswer { department_id, reference, text, at: now });
        }
    }

    /// Takes in what was told of it. What was done stays so, and what a department said is not
    /// replaced by a refusal. Answers whether it changes.
    pub fn hear(&mut self, heard: TaskUpdate) -> bool {
        let changes = match heard.state {
            State::Answered => self.state != State::Answered,
            State::GivenUp => matches!(self.state, State::Requested | State::GivenUp | State::Refused),
            State::Refused => self.state == State::Requested,
            State::Waiting | State::Requested => false,
        };
        if changes {
            self.state = heard.state;
            self.answer = Some(heard.answer);
        }
        changes
    }
}

/// The tasks that hints ask for when a signal of a series is raised for a problem, which has
/// these already; each waits for a case.
pub fn hinted(
    hints: &[Hint],
    (problem, series): (Uuid, &Series),
    known: &[ProblemTask],
    now: Timestamp,
    mut new_id: impl FnMut() -> Uuid,
) -> Vec<ProblemTask> {
    let mut made: Vec<ProblemTask> = Vec::new();
    for hint in hints.iter().filter(|hint| hint.applies_to(series)) {
        let is_it = |task: &ProblemTask| {
            task.requester.is_empty() && task.kind == hint.kind && task.department_id == hint.department_id
        };
        if known.iter().chain(&made).any(is_it) || known.len() + made.len() >= MAX_TASKS {
            continue;
        }
        made.push(ProblemTask {
            id: new_id(),
            problem,
            kind: hint.kind,
            department_id: hint.department_id.clone(),
            instructions: hint.instructions.clone(),
            requester: String::new(),
            created: now,
            requested: None,
            state: State::Waiting,
            answer: None,
        });
    }
    made
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn hint(kind: Kind, department: &str, category: &str) -> Hint {
        let category = (!category.is_empty()).then(|| category.to_owned());
        let series = Series { category, ..Series::default() };
        Hint { kind, department_id: department.to_owned(), series, instructions: String::new() }
    }

    fn of_category(category: &str) -> Series {
        Series { category: Some(category.to_owned()), ..Series::default() }
    }

    fn asked(hints: &[Hint], known: &[ProblemTask]) -> Vec<ProblemTask> {
        let mut number = 100 + known.len() as u128;
        let new_id = || {
            number += 1;
            Uuid::from_u128(number)
        };
        hinted(hints, (Uuid::nil(), &of_category("goods/damaged")), known, NOW, new_id)
    }

    #[test]
    fn hints_ask_once_for_each_kind_and_department_and_within_the_bound() {
        let hints = [
            hint(Kind::Stock, "warehouse", "goods"),
            hint(Kind::Stock, "warehouse", ""),
            hint(Kind::Recall, "warehouse", ""),
            hint(Kind::Recall, "quality", "service"),
        ];
        let first = asked(&hints, &[]);
        let kinds: Vec<Kind> = first.iter().map(|task| task.kind).collect();
        assert_eq!(kinds, [Kind::Stock, Kind::Recall], "the rest is the same, or of another category");
        assert_eq!(asked(&hints, &first), [], "asked already");
        let by_hand = ProblemTask { requester: "ann".to_owned(), ..first[0].clone() };
        assert_eq!(asked(&hints[..1], std::slice::from_ref(&by_hand)).len(), 1, "what people ask is theirs");
        assert_eq!(asked(&hints, &vec![by_hand.clone(); MAX_TASKS]), []);
        assert_eq!(asked(&hints, &vec![by_hand; MAX_TASKS - 1]).len(), 1);
    }

    #[test]
    fn a_task_waits_for_a_case_and_is_asked_for_once() {
        let mut task = asked(&[hint(Kind::Stock, "warehouse", "")], &[]).remove(0);
        let case = TaskCase { case_id: CaseId(Uuid::from_u128(3)), cycle: 2 };
        let mut closed = task.clone();
        closed.problem_closed(NOW);
        assert_eq!((closed.state, closed.request(case, NOW)), (State::Refused, false));
        assert!(task.request(case, NOW) && !task.request(TaskCase { cycle: 3, ..case }, NOW));
        assert_eq!((task.state, task.requested), (State::Requested, Some((NOW, case))));
        let before = task.clone();
        task.problem_closed(NOW);
        assert_eq!(task, before, "it goes on");
    }

    proptest! {
        #[test]
        fn what_is_done_stays_done_whatever_is_told_afterwards(told in prop::collection::vec(1..=5_i16, 1..8)) {
            let mut task = asked(&[hint(Kind::Recall, "quality", "")], &[]).remove(0);
            task.request(TaskCase { case_id: CaseId(Uuid::nil()), cycle: 1 }, NOW);
            let (mut done, mut given_up) = (None, false);
            for (place, number) in told.iter().enumerate() {
                let state = State::of(*number).unwrap();
                let (department_id, reference) = ("quality".to_owned(), String::new());
                let answer = TaskAnswer { department_id, reference, text: place.to_string(), at: NOW };
                let changed = task.hear(TaskUpdate { task_id: task.id, state, answer: answer.clone() });
                if state == State::Answered && done.is_none() {
                    prop_assert!(changed);
                    done = Some(answer);
                }
                given_up |= state == State::GivenUp;
                if done.is_some() {
                    prop_assert_eq!((task.state, task.answer.as_ref()), (State::Answered, done.as_ref()));
                } else if given_up {
                    prop_assert_eq!(task.state, State::GivenUp, "no refusal replaces it");
                }
            }
        }
    }
}
