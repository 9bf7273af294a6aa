//! What departments are asked on a case: evidence and statements. A request is a task that
//! belongs to the case and to no plan; its kind says so, because by kind a department is
//! polled, paused and limited. Pure.

use jiff::Timestamp;
use kernel::TaskId;

use crate::case::{CaseView, RemedyStatus};
use crate::refusal::Refusal;
use crate::remedy::{Flaw, Inquiry, Remedy, RemedyKind};
use crate::task::{MAX_INVESTIGATIONS, Task, TaskResult};

/// Most references to evidence.
pub const MAX_EVIDENCE: usize = 20;

/// What somebody asks of a department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Who is asked.
    pub department_id: String,
    /// For what.
    pub inquiry: Inquiry,
    /// In words.
    pub text: String,
    /// By when; none means with the case.
    pub due_time: Option<Timestamp>,
}

impl CaseView {
    /// Refuses to have anything looked into once the case has ended, or while too much is.
    pub fn must_take_an_investigation(&self, open: i64) -> Result<(), Refusal> {
        if self.standing == RemedyStatus::Closed {
            Err(Refusal::CaseEnded)
        } else if open >= MAX_INVESTIGATIONS {
            Err(Refusal::TooManyInvestigations(MAX_INVESTIGATIONS))
        } else {
            Ok(())
        }
    }
}

impl Question {
    /// The task it is to its department.
    pub fn asked(self, task_id: TaskId, case: &CaseView, requester: &str, now: Timestamp) -> Task {
        let remedy = Remedy {
            kind: RemedyKind::Investigation,
            amount: None,
            goods: None,
            instructions: self.text,
            custom: None,
        };
        Task {
            due_time: self.due_time,
            due_with_case: self.due_time.is_none(),
            inquiry: Some(self.inquiry),
            requester: requester.to_owned(),
            ..Task::new(task_id, case.origin(), (self.department_id, remedy), now)
        }
    }
}

impl Task {
    /// What is wrong with the findings it is answered with, as fields of its result.
    pub(crate) fn flaws_of_findings(&self, result: &TaskResult) -> Vec<Flaw> {
        let Some(inquiry) = self.inquiry else {
            let unasked = !result.evidence.is_empty();
            return unasked
                .then(|| Flaw::new("evidence", "is for investigations only"))
                .into_iter()
                .collect();
        };
        let mut flaws = Vec::new();
        if result.remark.trim().is_empty() {
            flaws.push(Flaw::new("remark", "is required: it is what was found"));
        }
        if inquiry == Inquiry::Evidence && result.evidence.is_empty() {
            flaws.push(Flaw::new("evidence", "is required where it was asked for"));
        }
        flaws
    }
}

#[cfg(test)]
mod tests {
    use kernel::CaseId;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::remedy_type::RemedyTypes;
    use crate::task::TaskState;

    fn case(standing: RemedyStatus) -> CaseView {
        CaseView {
            case_id: CaseId(Uuid::from_u128(3)),
            cycle: 2,
            priority: 1,
            standing,
            category: String::new(),
            sought: None,
            due_time: None,
            priority_ordinal: 0,
            due_number: 0,
            traceparent: "trace".to_owned(),
            recused: Vec::new(),
            handler: "ann".to_owned(),
        }
    }

    fn question(inquiry: Inquiry) -> Question {
        let text = "Who packed it?".to_owned();
        Question { department_id: "warehouse".to_owned(), inquiry, text, due_time: None }
    }

    proptest! {
        #[test]
        fn a_case_takes_requests_until_it_ends_or_has_fifty(open in 0..100_i64, number in 1..=4_i16) {
            let standing = RemedyStatus::of(number).unwrap();
            let expected = match (standing, open < MAX_INVESTIGATIONS) {
                (RemedyStatus::Closed, _) => Err(Refusal::CaseEnded),
                (_, false) => Err(Refusal::TooManyInvestigations(MAX_INVESTIGATIONS)),
                (_, true) => Ok(()),
            };
            prop_assert_eq!(case(standing).must_take_an_investigation(open), expected);
        }

        #[test]
        fn findings_say_what_was_found_and_show_what_was_asked_for(
            evidence_asked in any::<bool>(),
            remark in "[ a-z]{0,3}",
            evidence in prop::collection::vec("[a-z]{1,4}", 0..3),
        ) {
            let inquiry = if evidence_asked { Inquiry::Evidence } else { Inquiry::Statement };
            let case = case(RemedyStatus::Undecided);
            let task = question(inquiry).asked(TaskId(Uuid::nil()), &case, "ann", Timestamp::UNIX_EPOCH);
            let result = TaskResult { remark: remark.clone(), evidence: evidence.clone(), ..TaskResult::default() };
            let fields: Vec<String> = task.flaws(&result, &RemedyTypes::default()).into_iter().map(|flaw| flaw.field).collect();
            let lacks_evidence = evidence_asked && evidence.is_empty();
            let mut expected = Vec::new();
            if remark.trim().is_empty() { expected.push("remark") }
            if lacks_evidence { expected.push("evidence") }
            prop_assert_eq!(fields, expected);
        }
    }

    #[test]
    fn a_request_is_a_task_of_its_case_and_of_no_plan() {
        let case = case(RemedyStatus::Undecided);
        let task =
            question(Inquiry::Statement).asked(TaskId(Uuid::nil()), &case, "ann", Timestamp::UNIX_EPOCH);
        assert_eq!((task.plan_id, task.step_id.as_str(), task.case_id), (None, "", case.case_id));
        assert_eq!((task.cycle, task.priority, task.state), (2, 1, TaskState::Ready));
        assert_eq!((task.requester.as_str(), task.traceparent.as_str()), ("ann", "trace"));
        assert!(!task.remedy.kind.moves_value() && !task.remedy.kind.is_remedy());
    }
}
