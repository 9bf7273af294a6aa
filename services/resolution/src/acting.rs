//! Who may plan, approve and carry out what is done about a case. Pure.
//!
//! Whom the complaint is about does none of it. Where money moves, who proposed or revised it,
//! each who approved it or whose authority was used for that, and who carries it out are
//! different people.

use kernel::{Caller, Role, person};

use crate::approval::Approval;
use crate::case::CaseView;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::task::Task;

impl CaseView {
    /// Refuses whom the complaint is about.
    pub fn not_about(&self, caller: &Caller) -> Result<(), Refusal> {
        self.not_about_person(&caller.subject)
    }

    /// Refuses somebody whose authority another uses, as themselves.
    pub fn not_about_person(&self, subject: &str) -> Result<(), Refusal> {
        let about = |name: &String| person::is_same(name, subject);
        if self.recused.iter().any(about) { Err(Refusal::CallerRecused) } else { Ok(()) }
    }

    /// Refuses who neither handles the case nor supervises, and whom it is about.
    pub fn must_be_worked_by(&self, caller: &Caller) -> Result<(), Refusal> {
        self.not_about(caller)?;
        let may =
            caller.roles.may_act_as(Role::Supervisor) || person::is_same(&self.handler, &caller.subject);
        if may { Ok(()) } else { Err(Refusal::NotTheHandler) }
    }
}

impl Task {
    /// Refuses who proposed or approved the plan it belongs to, where it moves money.
    pub fn may_be_paid_by(&self, plan: Option<&Plan>, subject: &str) -> Result<(), Refusal> {
        let plan = plan.filter(|_| self.remedy.amount.is_some());
        plan.map_or(Ok(()), |plan| plan.may_be_paid_by(subject))
    }
}

impl Plan {
    /// Refuses who proposed, revised or approved it as the one who carries out its money.
    pub fn may_be_paid_by(&self, subject: &str) -> Result<(), Refusal> {
        let planners = [&self.proposer, &self.first_approver, &self.approver].map(String::as_str);
        let approvers = self.approvals.iter().flat_map(Approval::people);
        let earlier = self.revisers.iter().chain(&self.earlier_approvers).map(String::as_str);
        let planned =
            planners.into_iter().chain(approvers).chain(earlier).any(|one| person::is_same(one, subject));
        if planned { Err(Refusal::ExecutorIsPlanner) } else { Ok(()) }
    }
}
