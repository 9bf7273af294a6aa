//! What a department is asked about a problem that many complaints have in common. It is a
//! task in one of the problem's cases and of no plan: it outlives what becomes of the case,
//! and its answer is told under the id that it was asked for by, whichever department gives
//! it. Pure.

use jiff::Timestamp;
use kernel::CaseId;

use crate::case::{CaseView, USUAL_PRIORITY};
use crate::remedy::{Flaw, Remedy, RemedyKind};
use crate::task::{OfProblem, Task, TaskOrigin, TaskResult, TaskState};

/// That a department is to be asked about a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HintRequest {
    /// What is asked, and the id of the task.
    pub of: OfProblem,
    /// The department.
    pub department_id: String,
    /// The case that the task is in.
    pub case_id: CaseId,
    /// Its cycle, as it was told.
    pub cycle: i32,
    /// What the problem is.
    pub title: String,
    /// What the department should know beside that.
    pub instructions: String,
    /// Who asks; empty where nobody does.
    pub requester: String,
    /// The trace it was told in.
    pub traceparent: String,
}

impl HintRequest {
    /// The task it is to its department. The case may have ended, or not be known yet: that
    /// is no reason not to ask.
    pub fn task(self, case: Option<&CaseView>, now: Timestamp) -> Task {
        let Self { of, department_id, case_id, cycle, title, instructions, requester, traceparent } = self;
        let told = TaskOrigin { case_id, cycle, priority: USUAL_PRIORITY, traceparent: &traceparent };
        let origin = case.map_or(told, CaseView::origin);
        let mut words = format!("{title}: {}", of.hint.words());
        if !instructions.trim().is_empty() {
            words = format!("{words}. {instructions}");
        }
        let remedy = Remedy {
            kind: RemedyKind::ProblemHint,
            amount: None,
            goods: None,
            instructions: words,
            custom: None,
        };
        Task {
            of_problem: Some(of),
            requester,
            ..Task::new(of.first_task_id, origin, (department_id, remedy), now)
        }
    }
}

impl Task {
    /// What is wrong with the answer about a problem, as fields of its result.
    pub(crate) fn flaws_of_answer(&self, result: &TaskResult) -> Option<Flaw> {
        let is_silent = self.of_problem.is_some() && result.remark.trim().is_empty();
        is_silent.then(|| Flaw::new("remark", "is required: it is the answer"))
    }

    /// What it asks about a problem, where its department gave up.
    pub(crate) fn given_up(&self) -> Option<OfProblem> {
        self.of_problem.filter(|_| self.state == TaskState::NeedsAttention)
    }
}

#[cfg(test)]
mod tests {
    use kernel::TaskId;
    use uuid::Uuid;

    use super::*;
    use crate::case::RemedyStatus;
    use crate::remedy::Hint;
    use crate::remedy_type::RemedyTypes;
    use crate::task::Requeued;

    fn request() -> HintRequest {
        HintRequest {
            of: OfProblem {
                problem_id: Uuid::from_u128(7),
                first_task_id: TaskId(Uuid::from_u128(8)),
                hint: Hint::Stock,
            },
            department_id: "warehouse".to_owned(),
            case_id: CaseId(Uuid::from_u128(3)),
            cycle: 2,
            title: "Cups arrive broken".to_owned(),
            instructions: String::new(),
            requester: "su".to_owned(),
            traceparent: "told".to_owned(),
        }
    }

    fn asked() -> Task {
        request().task(None, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn it_is_a_task_of_its_case_known_or_not_and_of_no_plan() {
        let task = asked();
        assert_eq!((task.task_id, task.cycle, task.priority), (request().of.first_task_id, 2, 3));
        assert_eq!((task.plan_id, task.recall_id, task.traceparent.as_str()), (None, None, "told"));
        assert_eq!(task.remedy.instructions, "Cups arrive broken: see to the stock of what this is about");
        assert!(!task.remedy.kind.is_remedy() && !task.remedy.moves_value());
        let case = CaseView {
            case_id: CaseId(Uuid::from_u128(3)),
            cycle: 4,
            priority: 1,
            standing: RemedyStatus::Closed,
            category: String::new(),
            sought: None,
            due_time: None,
            priority_ordinal: 0,
            due_number: 0,
            traceparent: "of the case".to_owned(),
            recused: Vec::new(),
            handler: String::new(),
        };
        let instructions = "Since May.".to_owned();
        let task = HintRequest { instructions, ..request() }.task(Some(&case), Timestamp::UNIX_EPOCH);
        assert_eq!((task.cycle, task.priority, task.traceparent.as_str()), (4, 1, "of the case"));
        assert!(task.remedy.instructions.ends_with("this is about. Since May."), "{task:?}");
    }

    #[test]
    fn the_answer_is_required_and_keeps_the_first_id_through_every_department() {
        let mut task = asked();
        let silent = task.flaws(&TaskResult::default(), &RemedyTypes::default());
        assert_eq!(silent.into_iter().map(|flaw| flaw.field).collect::<Vec<_>>(), ["remark"]);
        let answer = TaskResult { remark: "a pallet is ordered".to_owned(), ..TaskResult::default() };
        assert_eq!(task.flaws(&answer, &RemedyTypes::default()), []);
        assert_eq!(task.given_up(), None);
        for number in 20..25 {
            task.state = TaskState::NeedsAttention;
            assert_eq!(task.given_up(), Some(request().of), "it gave up");
            let next = (TaskId(Uuid::from_u128(number)), format!("department {number}"));
            let requeued = Requeued { by: "su".to_owned(), reason: "theirs".to_owned() };
            let next = task.give_to(next, requeued, Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!((next.of_problem, task.given_up()), (Some(request().of), None));
            task = next;
        }
    }
}
