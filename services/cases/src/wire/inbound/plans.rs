//! What becomes of remedy plans, as the resolution service tells it.

use fault::Fault;
use proto::redress::resolution::v1::{
    PlanApproved, PlanCancelled, PlanCompleted, PlanProposed, PlanRejected, PlanRevised,
    PlanRevisionProposed, PlanRevisionRejected,
};

use super::{IntoExternalEvent, by};
use crate::external_event::{Event, ExternalEvent};
use crate::timeline::PlanChange;

impl IntoExternalEvent for PlanProposed {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, plan_id: _, cycle, proposer, summary } = self;
        Ok(ExternalEvent { cycle, actor: proposer, event: Event::PlanProposed { summary } })
    }
}

impl IntoExternalEvent for PlanApproved {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, plan_id: _, cycle, approver, rule, policy_version, automatic } = self;
        if !automatic {
            return Ok(ExternalEvent {
                cycle,
                actor: approver,
                event: Event::PlanApproved { rule: String::new() },
            });
        }
        by(
            "resolution",
            cycle,
            Event::PlanApproved { rule: format!("rule {rule} (version {policy_version})") },
        )
    }
}

impl IntoExternalEvent for PlanRejected {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, plan_id: _, cycle, approver, reason } = self;
        Ok(ExternalEvent { cycle, actor: approver, event: Event::PlanRejected { reason } })
    }
}

impl IntoExternalEvent for PlanCompleted {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, plan_id: _, cycle } = self;
        by("resolution", cycle, Event::PlanCompleted)
    }
}

impl IntoExternalEvent for PlanCancelled {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, plan_id: _, cycle, reason } = self;
        by("resolution", cycle, Event::PlanCancelled { reason })
    }
}

impl IntoExternalEvent for PlanRevisionProposed {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, plan_id: _, cycle, number: _, reviser, changes, reason } = self;
        let event = Event::PlanRevised(PlanChange::Proposed { changes, reason });
        Ok(ExternalEvent { cycle, actor: reviser, event })
    }
}

impl IntoExternalEvent for PlanRevised {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, plan_id: _, cycle, number: _, reviser, approver, changes, reason, summary: _ } =
            self;
        let event = Event::PlanRevised(PlanChange::Applied { changes, reason, approver });
        Ok(ExternalEvent { cycle, actor: reviser, event })
    }
}

impl IntoExternalEvent for PlanRevisionRejected {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, plan_id: _, cycle, number: _, approver, reason } = self;
        let event = Event::PlanRevised(PlanChange::Rejected { reason });
        Ok(ExternalEvent { cycle, actor: approver, event })
    }
}
