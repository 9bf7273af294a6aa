//! The ways this service says no.

use fault::Kind;

use crate::approval::policy::MAX_POLICIES;
use crate::ledger::statement::MAX_ROWS;
use crate::remedy_type::{MAX_TYPES, MAX_VERSIONS};
use crate::state::{PlanState, TaskState};

/// A refusal of the resolution service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No decision on the case has been heard of.
    CaseNotFound,
    /// The case is not decided in its present cycle, or no remedy is due.
    CaseNotDecided,
    /// The case has an open plan.
    PlanAlreadyOpen,
    /// No such plan.
    PlanNotFound,
    /// The plan has no revision of this number.
    RevisionNotFound,
    /// The revision is decided.
    InvalidRevisionState,
    /// Another revision of the plan waits for approval.
    RevisionPending,
    /// The plan is as it is asked for.
    NothingToRevise,
    /// The plan was revised as often as it may be, which is so often.
    TooManyRevisions(i16),
    /// The plan's state does not allow it.
    InvalidPlanState(PlanState),
    /// The proposer wants to approve.
    ApproverIsProposer,
    /// Who proposed or approved a payment wants to carry it out.
    ExecutorIsPlanner,
    /// Whom the complaint is about wants to act on it.
    CallerRecused,
    /// An agent who neither handles the case nor supervises.
    NotTheHandler,
    /// The approver has approved it already; a second one is needed.
    ApprovedAlready,
    /// The approval policy refuses the plan.
    RefusedByPolicy,
    /// The plan is above what the approver may approve.
    ApproverLimitExceeded,
    /// Nothing is delegated to the approver by whom they name.
    NoDelegation,
    /// No approval policy of this version.
    ApprovalPolicyNotFound,
    /// The tenant has as many policies as it may.
    TooManyApprovalPolicies,
    /// No delegation of the caller's with this id.
    DelegationNotFound,
    /// The delegation was revoked or is over.
    DelegationEnded,
    /// What was delegated would be delegated on.
    DelegationChain,
    /// The caller has delegated in that time already.
    DelegationOverlaps,
    /// No such task.
    TaskNotFound,
    /// No department with this id.
    DepartmentNotFound,
    /// The token is not the one the task is held by.
    LeaseLost,
    /// The task's state does not allow it.
    InvalidTaskState(TaskState),
    /// The task undoes nothing that could be written off.
    NotACompensation,
    /// No statement with this id.
    ReconciliationNotFound,
    /// More rows than a statement may have.
    StatementTooLong,
    /// No such proposal.
    ProposalNotFound,
    /// Another proposal of this kind about the task waits for its second person.
    ProposalPending,
    /// The proposal is decided.
    InvalidProposalState,
    /// The proposer wants to decide.
    DeciderIsProposer,
    /// The department is paused already, for this kind or for all.
    AlreadyPaused,
    /// The department is not paused, for this kind or for all.
    NotPaused,
    /// The task takes no goods that could be lacking.
    NoGoodsNeeded,
    /// The case has ended.
    CaseEnded,
    /// As many requests on the case are open as may be, which is so many.
    TooManyInvestigations(i64),
    /// The `request_id` of a poll was used for another poll.
    KeyReused,
    /// The department has no endpoint.
    EndpointNotFound,
    /// The endpoint is paused already.
    EndpointAlreadyPaused,
    /// The endpoint is not paused.
    EndpointNotPaused,
    /// The task has no delivery that could be made again.
    NothingToDeliver,
    /// No recall with this id.
    RecallNotFound,
    /// The recall has ended.
    InvalidRecallState,
    /// So many tasks of the recall have not ended.
    RecallTasksOpen(i64),
    /// More cases than a recall may have, which is so many.
    TooManyRecallCases(i32),
    /// No type of remedy with this name, or no such version of it.
    RemedyTypeNotFound,
    /// The tenant has as many types, or versions of one, as it may.
    TooManyRemedyTypes,
}

impl fault::Refusal for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::CaseNotFound
            | Self::PlanNotFound
            | Self::RevisionNotFound
            | Self::TaskNotFound
            | Self::DepartmentNotFound
            | Self::ProposalNotFound
            | Self::EndpointNotFound
            | Self::ApprovalPolicyNotFound
            | Self::DelegationNotFound
            | Self::RecallNotFound
            | Self::RemedyTypeNotFound
            | Self::ReconciliationNotFound => Kind::NotFound,
            Self::CaseNotDecided
            | Self::PlanAlreadyOpen
            | Self::InvalidPlanState(_)
            | Self::InvalidRevisionState
            | Self::RevisionPending
            | Self::NothingToRevise
            | Self::RefusedByPolicy
            | Self::DelegationEnded
            | Self::DelegationChain
            | Self::DelegationOverlaps
            | Self::LeaseLost
            | Self::ProposalPending
            | Self::InvalidProposalState
            | Self::AlreadyPaused
            | Self::NotPaused
            | Self::CaseEnded
            | Self::NoGoodsNeeded
            | Self::NotACompensation
            | Self::EndpointAlreadyPaused
            | Self::EndpointNotPaused
            | Self::NothingToDeliver
            | Self::InvalidRecallState
            | Self::RecallTasksOpen(_)
            | Self::InvalidTaskState(_) => Kind::Precondition,
            Self::ApproverIsProposer
            | Self::ApprovedAlready
            | Self::ApproverLimitExceeded
            | Self::NoDelegation
            | Self::ExecutorIsPlanner
            | Self::CallerRecused
            | Self::DeciderIsProposer
            | Self::NotTheHandler => Kind::Forbidden,
            Self::StatementTooLong
            | Self::TooManyRevisions(_)
            | Self::TooManyInvestigations(_)
            | Self::TooManyApprovalPolicies
            | Self::TooManyRecallCases(_)
            | Self::TooManyRemedyTypes => Kind::Exhausted,
            Self::KeyReused => Kind::Exists,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::CaseNotFound => "CASE_NOT_FOUND",
            Self::CaseNotDecided => "CASE_NOT_DECIDED",
            Self::PlanAlreadyOpen => "PLAN_ALREADY_OPEN",
            Self::PlanNotFound => "PLAN_NOT_FOUND",
            Self::InvalidPlanState(_) => "INVALID_PLAN_STATE",
            Self::RevisionNotFound => "REVISION_NOT_FOUND",
            Self::InvalidRevisionState => "INVALID_REVISION_STATE",
            Self::RevisionPending => "REVISION_PENDING",
            Self::NothingToRevise => "NOTHING_TO_REVISE",
            Self::TooManyRevisions(_) => "TOO_MANY_REVISIONS",
            Self::ApproverIsProposer => "APPROVER_IS_PROPOSER",
            Self::ExecutorIsPlanner => "EXECUTOR_IS_PLANNER",
            Self::CallerRecused => "CALLER_RECUSED",
            Self::NotTheHandler => "NOT_THE_HANDLER",
            Self::ApprovedAlready => "APPROVED_ALREADY",
            Self::RefusedByPolicy => "REFUSED_BY_POLICY",
            Self::ApproverLimitExceeded => "APPROVER_LIMIT_EXCEEDED",
            Self::NoDelegation => "NO_DELEGATION",
            Self::ApprovalPolicyNotFound => "APPROVAL_POLICY_NOT_FOUND",
            Self::TooManyApprovalPolicies => "TOO_MANY_APPROVAL_POLICIES",
            Self::DelegationNotFound => "DELEGATION_NOT_FOUND",
            Self::DelegationEnded => "DELEGATION_ENDED",
            Self::DelegationChain => "DELEGATION_CHAIN",
            Self::DelegationOverlaps => "DELEGATION_OVERLAPS",
            Self::TaskNotFound => "TASK_NOT_FOUND",
            Self::DepartmentNotFound => "DEPARTMENT_NOT_FOUND",
            Self::LeaseLost => "LEASE_LOST",
            Self::InvalidTaskState(_) => "INVALID_TASK_STATE",
            Self::NotACompensation => "NOT_A_COMPENSATION",
            Self::ReconciliationNotFound => "RECONCILIATION_NOT_FOUND",
            Self::StatementTooLong => "STATEMENT_TOO_LONG",
            Self::ProposalNotFound => "PROPOSAL_NOT_FOUND",
            Self::ProposalPending => "PROPOSAL_PENDING",
            Self::InvalidProposalState => "INVALID_PROPOSAL_STATE",
            Self::DeciderIsProposer => "DECIDER_IS_PROPOSER",
            Self::AlreadyPaused => "ALREADY_PAUSED",
            Self::NotPaused => "NOT_PAUSED",
            Self::NoGoodsNeeded => "NO_GOODS_NEEDED",
            Self::CaseEnded => "CASE_ENDED",
            Self::TooManyInvestigations(_) => "TOO_MANY_INVESTIGATIONS",
            Self::KeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::EndpointNotFound => "ENDPOINT_NOT_FOUND",
            Self::EndpointAlreadyPaused => "ENDPOINT_ALREADY_PAUSED",
            Self::EndpointNotPaused => "ENDPOINT_NOT_PAUSED",
            Self::NothingToDeliver => "NOTHING_TO_DELIVER",
            Self::RecallNotFound => "RECALL_NOT_FOUND",
            Self::InvalidRecallState => "INVALID_RECALL_STATE",
            Self::RecallTasksOpen(_) => "RECALL_TASKS_OPEN",
            Self::TooManyRecallCases(_) => "TOO_MANY_RECALL_CASES",
            Self::RemedyTypeNotFound => "REMEDY_TYPE_NOT_FOUND",
            Self::TooManyRemedyTypes => "TOO_MANY_REMEDY_TYPES",
        }
    }
}

impl Refusal {
    fn about_revisions(self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RevisionNotFound => f.write_str("the plan has no revision of this number"),
            Self::InvalidRevisionState => f.write_str("the revision is decided"),
            Self::RevisionPending => {
                f.write_str("another revision of the plan waits for approval; have that one decided first")
            }
            Self::TooManyRevisions(most) => {
                write!(f, "a plan is revised at most {most} times; cancel it and propose another")
            }
            _ => f.write_str("the plan is as it is asked for"),
        }
    }
}

/// Why whoever planned a payment does not make it.
const EXECUTOR_IS_PLANNER: &str = "money is moved by somebody who neither proposed, revised nor approved it";

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CaseNotFound => f.write_str("no decided case with this id"),
            Self::CaseNotDecided => f.write_str("the case is not decided, or no remedy is due"),
            Self::PlanAlreadyOpen => f.write_str("the case has an open plan; end that one first"),
            Self::PlanNotFound => f.write_str("no plan with this id"),
            Self::InvalidPlanState(state) => write!(f, "the plan is {state} and does not allow this"),
            Self::RevisionNotFound
            | Self::InvalidRevisionState
            | Self::RevisionPending
            | Self::NothingToRevise
            | Self::TooManyRevisions(_) => self.about_revisions(f),
            Self::ExecutorIsPlanner => f.write_str(EXECUTOR_IS_PLANNER),
            Self::CallerRecused => f.write_str("the complaint is about you; somebody else must do this"),
            Self::NotTheHandler => f.write_str("this is for who handles the case, or a supervisor"),
            Self::ApproverIsProposer => f.write_str("a plan is approved by somebody other than its proposer"),
            Self::ApprovedAlready => f.write_str("you have approved the plan; somebody else must, too"),
            Self::RefusedByPolicy => f.write_str("the approval policy refuses the plan"),
            Self::ApproverLimitExceeded => f.write_str("the plan is above what you may approve"),
            Self::NoDelegation => f.write_str("nothing is delegated to you by them now"),
            Self::ApprovalPolicyNotFound => f.write_str("no approval policy of this version"),
            Self::TooManyApprovalPolicies => write!(f, "there are {MAX_POLICIES} approval policies already"),
            Self::DelegationNotFound => f.write_str("no delegation of yours with this id"),
            Self::DelegationEnded => f.write_str("the delegation was revoked or is over"),
            Self::DelegationChain => f.write_str("what is delegated is not delegated on"),
            Self::DelegationOverlaps => f.write_str("you have delegated in that time already"),
            Self::TaskNotFound => f.write_str("no task with this id"),
            Self::DepartmentNotFound => f.write_str("no department with this id"),
            Self::LeaseLost => f.write_str("the task is not held under this token any more"),
            Self::InvalidTaskState(state) => write!(f, "the task is {state} and does not allow this"),
            Self::NotACompensation => f.write_str("the task undoes nothing that could be written off"),
            Self::ReconciliationNotFound => f.write_str("no statement with this id"),
            Self::StatementTooLong => {
                write!(f, "a statement has at most {MAX_ROWS} rows; send it in shorter periods")
            }
            Self::ProposalNotFound => f.write_str("no proposal with this id"),
            Self::ProposalPending => f.write_str(
                "another proposal of this kind waits for its second person; decide that one first",
            ),
            Self::InvalidProposalState => f.write_str("the proposal is decided"),
            Self::DeciderIsProposer => {
                f.write_str("a proposal is decided by somebody other than its proposer")
            }
            Self::AlreadyPaused => f.write_str("the department is paused so already"),
            Self::NotPaused => f.write_str("the department is not paused so"),
            Self::NoGoodsNeeded => f.write_str("the task takes no goods that could be lacking"),
            Self::CaseEnded => f.write_str("the case has ended; reopen it first"),
            Self::TooManyInvestigations(most) => {
                write!(f, "{most} requests on the case are open; wait for one, or cancel it")
            }
            Self::KeyReused => f.write_str("this request_id was used for another poll; take a new one"),
            Self::EndpointNotFound => f.write_str("the department has no endpoint"),
            Self::EndpointAlreadyPaused => f.write_str("the endpoint is paused already"),
            Self::EndpointNotPaused => f.write_str("the endpoint is not paused"),
            Self::NothingToDeliver => f.write_str("nothing of the task can be delivered again"),
            Self::RecallNotFound => f.write_str("no recall with this id"),
            Self::InvalidRecallState => f.write_str("the recall has ended and does not allow this"),
            Self::RecallTasksOpen(open) => {
                write!(f, "{open} of its tasks have not ended; wait for them, or cancel the recall")
            }
            Self::TooManyRecallCases(most) => write!(f, "a recall has at most {most} cases"),
            Self::RemedyTypeNotFound => f.write_str("no type of remedy with this name and version"),
            Self::TooManyRemedyTypes => {
                write!(
                    f,
                    "there are {MAX_TYPES} types of remedy already, or {MAX_VERSIONS} versions of this one"
                )
            }
        }
    }
}
