//! What templates ask of clocks, corrections, revisions and urgency.

use kernel::Role;
use proto::redress::cases::v1::{
    CaseClock, CaseState, ClockExtension, ClockState, CorrectionState, DecisionCorrection, ExtensionState,
    LinkStanding, PauseReason, Priority,
};
use proto::redress::resolution::v1::{Plan, PlanRevision, PlanRevisionState, Step};

use super::{CasePage, revisable};

/// States in which a case is open.
const OPEN: [CaseState; 6] = [
    CaseState::Received,
    CaseState::Triaged,
    CaseState::Assigned,
    CaseState::Investigating,
    CaseState::Decided,
    CaseState::Remedying,
];

impl CasePage {
    // --- clocks --------------------------------------------------------------

    fn clocks_in(&self, states: &[ClockState]) -> Vec<&CaseClock> {
        self.l.clocks.iter().filter(|clock| states.contains(&clock.state())).collect()
    }

    /// Clocks that may be paused now.
    pub(super) fn running(&self) -> Vec<&CaseClock> {
        self.clocks_in(&[ClockState::Running])
    }

    /// Clocks that stand still.
    pub(super) fn paused(&self) -> Vec<&CaseClock> {
        self.clocks_in(&[ClockState::Paused])
    }

    /// Clocks that may be given more time.
    pub(super) fn open_clocks(&self) -> Vec<&CaseClock> {
        self.clocks_in(&[ClockState::Running, ClockState::Paused])
    }

    pub(super) fn can_time(&self) -> bool {
        self.works_it() && !self.open_clocks().is_empty() && !self.is(&[CaseState::Merged])
    }

    /// A time limit, in the language of the page.
    pub(super) fn budget(&self, budget: &str) -> String {
        crate::sentences::budget(self.v.words, budget)
    }

    pub(super) fn pause_reasons(&self) -> Vec<(String, &'static str)> {
        let all = [
            PauseReason::AwaitingComplainant,
            PauseReason::Appraisal,
            PauseReason::Proceedings,
            PauseReason::ForceMajeure,
        ];
        all.into_iter()
            .map(|reason| (i32::from(reason).to_string(), self.v.words.pause_reason(i32::from(reason))))
            .collect()
    }

    /// Whether a box of a form is ticked: what was sent, where it was refused.
    pub(super) fn is_ticked(&self, form: &str, field: &str, value: &str) -> bool {
        self.failed_of(form).is_some_and(|failed| failed.posted.all(field).any(|one| one == value))
    }

    pub(super) fn can_decide_extension(&self, extension: &ClockExtension) -> bool {
        self.is_supervisor() && extension.state() == ExtensionState::Pending
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    pub(super) fn extension_class(&self, extension: &ClockExtension) -> &'static str {
        match extension.state() {
            ExtensionState::Granted => "good",
            ExtensionState::Refused => "bad",
            _ => "warn",
        }
    }

    // --- corrections ---------------------------------------------------------

    pub(super) fn can_correct(&self) -> bool {
        let waits = |one: &DecisionCorrection| one.state() == CorrectionState::Pending;
        self.works_it()
            && self.is(&[CaseState::Decided, CaseState::Resolved])
            && !self.l.changes.corrections.iter().any(waits)
    }

    pub(super) fn can_decide_correction(&self, correction: &DecisionCorrection) -> bool {
        self.is_supervisor() && correction.state() == CorrectionState::Pending
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    pub(super) fn correction_class(&self, correction: &DecisionCorrection) -> &'static str {
        match correction.state() {
            CorrectionState::InForce => "good",
            CorrectionState::Refused => "bad",
            _ => "warn",
        }
    }

    // --- revisions -----------------------------------------------------------

    /// In the place of the plan that is revised, where a new one is proposed.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    pub(super) fn no_plan(&self) -> Plan {
        Plan::default()
    }

    /// The plan that can be revised by who looks.
    pub(super) fn can_revise(&self) -> Option<&Plan> {
        revisable(&self.l.plans).filter(|_| self.works_it())
    }

    pub(super) fn revisions_of<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a PlanRevision> {
        self.l.changes.revisions.iter().filter(|revision| revision.plan_id == plan.plan_id)
    }

    pub(super) fn can_decide_revision(&self, revision: &PlanRevision) -> bool {
        let is_own = revision.reviser == self.subject();
        self.is_supervisor() && revision.state() == PlanRevisionState::Pending && !is_own
    }

    #[expect(clippy::unused_self, reason = "templates call methods")]
    pub(super) fn revision_class(&self, revision: &PlanRevision) -> &'static str {
        match revision.state() {
            PlanRevisionState::Applied => "good",
            PlanRevisionState::Rejected => "bad",
            PlanRevisionState::Pending => "warn",
            _ => "quiet",
        }
    }

    /// A step in a few words.
    pub(super) fn step(&self, step: &Step) -> String {
        let kind = match step.remedy_type.as_str() {
            "" => self.v.words.remedy(step.kind),
            own => own,
        };
        let goods = step.goods.as_ref().map(|goods| format!("{} × {}", goods.sku, goods.quantity));
        let parts = [
            format!("{} {kind}", step.step_id),
            step.department_id.clone(),
            self.money(step.amount.as_ref()),
            goods.unwrap_or_default(),
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }

    // --- urgency and category ------------------------------------------------

    pub(super) fn can_change_urgency(&self) -> bool {
        (self.works_it() || self.is_supervisor()) && self.is(&OPEN)
    }

    pub(super) fn can_change_category(&self) -> bool {
        self.v.may_act_as(Role::Agent)
    }

    /// Other urgencies: an agent only raises.
    pub(super) fn urgencies(&self) -> Vec<(i32, &'static str)> {
        let now = self.l.case.priority;
        let all = [Priority::P1, Priority::P2, Priority::P3, Priority::P4].map(i32::from);
        let allowed = all.into_iter().filter(|one| *one < now || (*one > now && self.is_supervisor()));
        allowed.map(|one| (one, self.v.words.priority(one))).collect()
    }

    /// What keys do.
    pub(super) fn keys(&self) -> Vec<(&'static str, &'static str)> {
        let t = self.v.words;
        vec![
            ("a", t.key_accept()),
            ("f", t.key_findings()),
            ("d", t.key_decide()),
            ("p", t.key_plan()),
            ("n", t.key_note()),
            ("Ctrl Enter", t.key_send()),
            ("?", t.key_help()),
        ]
    }

    // --- links ---------------------------------------------------------------

    #[expect(clippy::unused_self, clippy::trivially_copy_pass_by_ref, reason = "templates call methods")]
    pub(super) fn is_linked(&self, standing: &i32) -> bool {
        *standing == i32::from(LinkStanding::Linked)
    }

    /// What was written into the form of a link, which is that of a merge too.
    pub(super) fn link_written(&self, field: &str) -> &str {
        let failed = self.failed_of("link").or_else(|| self.failed_of("merge"));
        failed.map_or("", |failed| failed.posted.text(field))
    }
}
