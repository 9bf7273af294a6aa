//! One complaint, from submission to its end, each step by whoever takes it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use client::{Client, Token};
use kernel::{Ids as _, RandomIds};
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{AcceptCaseRequest, CaseAssigned};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{
    CaseClosed, CaseDeclined, CaseResolved, CaseWithdrawn, CloseCaseRequest, DecideCaseRequest,
    DeclineCaseRequest, RecordFindingsRequest, WithdrawCaseRequest,
};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{RespondToOutcomeRequest, Response, Satisfaction};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{Complaint, SubmitComplaintRequest, SubmitComplaintResponse};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, Plan, PlanState, ProposePlanRequest, RejectPlanRequest, RemedyKind, Step,
};
use tokio::sync::Semaphore;
use tonic::Request;

use super::board::Board;
use super::choice::{Fate, Ruling, Script, script};
use super::tally::Tally;
use super::words;

/// Who approves what agents propose.
pub(super) const SUPERVISOR: &str = "supervisor.gu";
/// Who approves as the second where two must.
const DIRECTOR: &str = "director.shen";
/// Longest that anybody thinks about a case.
const THINKING_MS: u64 = 120;

/// A complaint being played.
pub(super) struct Life {
    pub(super) client: Client,
    pub(super) board: Arc<Board>,
    pub(super) tally: Arc<Tally>,
    /// How many may act at once: more would only wait for each other.
    pub(super) room: Arc<Semaphore>,
    pub(super) complaint: Complaint,
}

/// A complaint whose play is over.
pub(super) struct End {
    pub(super) case_id: String,
    pub(super) receipt_code: String,
    pub(super) complaint: Complaint,
    pub(super) cycles: i32,
    /// Kinds of the steps that were approved.
    pub(super) remedies: Vec<RemedyKind>,
    /// A plan that needed nobody's approval.
    pub(super) automatic: Option<String>,
}

impl End {
    fn note(&mut self, plan: Option<Plan>) {
        let Some(plan) = plan else { return };
        self.remedies.extend(plan.steps.iter().map(Step::kind));
        if plan.approvals.is_empty() {
            self.automatic = Some(plan.plan_id);
        }
    }
}

/// A case in the hands of an agent.
struct Hands {
    case_id: String,
    cycle: i32,
    /// Calls as the agent.
    agent: Client,
    agent_id: String,
}

impl Life {
    /// From the first word to the last.
    pub(super) async fn live(self) -> anyhow::Result<End> {
        let submitted = self.submit().await?;
        self.play(submitted).await
    }

    /// Submits the complaint, as its channel would: in a trace of its own, whether
    /// or not anything is exported.
    async fn submit(&self) -> anyhow::Result<SubmitComplaintResponse> {
        let mut request = Request::new(SubmitComplaintRequest {
            request_id: self.client.request_id(),
            complaint: Some(self.complaint.clone()),
        });
        request.metadata_mut().insert(client::trace::TRACEPARENT, traceparent().parse()?);
        let mut intake = IntakeServiceClient::new(self.client.calls());
        let _room = self.room.acquire().await?;
        let answer = intake.submit_complaint(request).await.context("a complaint cannot be submitted")?;
        self.tally.registered.up();
        Ok(answer.into_inner())
    }

    /// Plays the rest, to the end of the case.
    async fn play(self, submitted: SubmitComplaintResponse) -> anyhow::Result<End> {
        let SubmitComplaintResponse { complaint_id: case_id, receipt_code, .. } = submitted;
        let script = script(&self.complaint);
        let mut end = End {
            case_id: case_id.clone(),
            receipt_code,
            complaint: self.complaint.clone(),
            cycles: 1,
            remedies: Vec::new(),
            automatic: None,
        };
        let hands = self.take(&case_id, 1, &script).await?;
        match script.fate {
            Fate::Withdrawn => self.withdraw(&case_id).await?,
            Fate::Declined => self.decline(&hands).await?,
            Fate::ClosedByStaff => {
                end.note(self.settle(&hands, &script, &script.first).await?);
                self.close(&hands).await?;
            }
            Fate::Answered => {
                end.note(self.settle(&hands, &script, &script.first).await?);
                if let Some(second) = &script.second {
                    self.dispute(&hands, &script).await?;
                    let hands = self.take(&case_id, 2, &script).await?;
                    end.cycles = 2;
                    end.note(self.settle(&hands, &script, second).await?);
                    self.accept_outcome(&hands, &script, second).await?;
                } else {
                    self.accept_outcome(&hands, &script, &script.first).await?;
                }
            }
        }
        self.tally.ended.up();
        Ok(end)
    }

    /// Waits for an agent, who accepts.
    async fn take(&self, case_id: &str, cycle: i32, script: &Script) -> anyhow::Result<Hands> {
        let wanted = |assigned: &CaseAssigned| assigned.cycle == cycle;
        let (CaseAssigned { agent_id, .. }, _) = self.board.wait(case_id, wanted).await?;
        let agent = self.client.speaking_as(&agent_id)?;
        think(script.roll).await;
        let _room = self.room.acquire().await?;
        let request = AcceptCaseRequest {
            request_id: agent.request_id(),
            case_id: case_id.to_owned(),
            agent_id: agent_id.clone(),
            ..Default::default()
        };
        let accepted =
            AssignmentServiceClient::new(agent.calls()).accept_case(request).await.context("accepting")?;
        let agent = seeing(&agent, &accepted);
        Ok(Hands { case_id: case_id.to_owned(), cycle, agent, agent_id })
    }

    /// The agent investigates and decides; departments carry the remedy out. Ends
    /// when the outcome has taken effect.
    async fn settle(&self, hands: &Hands, script: &Script, ruling: &Ruling) -> anyhow::Result<Option<Plan>> {
        let decided = self.decide(hands, script, ruling).await?;
        let mut agreed = None;
        if !ruling.steps.is_empty() {
            let sent_back = script.sent_back && hands.cycle == 1;
            agreed = Some(self.agree(hands, &decided, &ruling.steps, sent_back).await?);
        }
        let wanted = |resolved: &CaseResolved| resolved.cycle == hands.cycle;
        self.board.wait(&hands.case_id, wanted).await?;
        Ok(agreed)
    }

    /// Calls that see the decision.
    async fn decide(&self, hands: &Hands, script: &Script, ruling: &Ruling) -> anyhow::Result<Client> {
        let (findings, root_cause) = words::findings(&self.complaint.language, script.roll);
        let mut cases = CaseServiceClient::new(hands.agent.calls());
        let _room = self.room.acquire().await?;
        let request = RecordFindingsRequest {
            request_id: hands.agent.request_id(),
            case_id: hands.case_id.clone(),
            findings: findings.to_owned(),
            root_cause: root_cause.to_owned(),
            ..Default::default()
        };
        cases.record_findings(request).await.context("recording findings")?;
        think(script.roll / 7).await;
        let request = DecideCaseRequest {
            request_id: hands.agent.request_id(),
            case_id: hands.case_id.clone(),
            outcome: ruling.outcome.into(),
            reasons: ruling.reasons.to_owned(),
            remedy_due: !ruling.steps.is_empty(),
            ..Default::default()
        };
        // Cases see their own writes: the token of the assignment need not go along.
        let decided = cases.decide_case(request).await.context("deciding")?;
        Ok(seeing(&hands.agent, &decided))
    }

    /// The agent proposes, the supervisor approves where no rule does; not always the first
    /// time.
    async fn agree(
        &self,
        hands: &Hands,
        decided: &Client,
        steps: &[Step],
        sent_back: bool,
    ) -> anyhow::Result<Plan> {
        let _room = self.room.acquire().await?;
        let plan = self.propose(hands, decided, steps).await?;
        let supervisor = self.client.speaking_as(SUPERVISOR)?;
        let mut resolution = ResolutionServiceClient::new(supervisor.calls());
        let plan = if sent_back && plan.state() == PlanState::Proposed {
            let request = RejectPlanRequest {
                request_id: supervisor.request_id(),
                plan_id: plan.plan_id,
                reason: words::PLAN_SENT_BACK.to_owned(),
                ..Default::default()
            };
            resolution.reject_plan(request).await.context("rejecting a plan")?;
            self.tally.plans_rejected.up();
            self.propose(hands, decided, steps).await?
        } else {
            plan
        };
        let mut plan = plan;
        if plan.state() != PlanState::Proposed {
            self.tally.plans_automatic.up();
        }
        // Beyond what was sought, as in a later cycle, two must approve.
        for approver in [SUPERVISOR, DIRECTOR] {
            if plan.state() == PlanState::Proposed {
                plan = self.approve(approver, plan).await?;
            }
        }
        self.tally.plans.up();
        for step in plan.steps.iter().filter(|step| step.amount.is_some()) {
            self.tally.payments_approved.up();
            self.tally.sum_approved.add(step.amount.as_ref());
        }
        Ok(plan)
    }

    async fn approve(&self, approver: &str, plan: Plan) -> anyhow::Result<Plan> {
        let approver = self.client.speaking_as(approver)?;
        let request = ApprovePlanRequest {
            request_id: approver.request_id(),
            plan_id: plan.plan_id,
            expected_version: Some(plan.version),
            on_behalf_of: String::new(),
        };
        let mut resolution = ResolutionServiceClient::new(approver.calls());
        let answer = resolution.approve_plan(request).await.context("approving a plan")?.into_inner();
        answer.plan.context("an approved plan")
    }

    async fn propose(&self, hands: &Hands, decided: &Client, steps: &[Step]) -> anyhow::Result<Plan> {
        let request = ProposePlanRequest {
            request_id: decided.request_id(),
            case_id: hands.case_id.clone(),
            steps: steps.to_vec(),
        };
        let mut resolution = ResolutionServiceClient::new(decided.calls());
        let proposed = resolution.propose_plan(request).await;
        let proposed = proposed.with_context(|| format!("{} proposing a plan", hands.agent_id))?;
        proposed.into_inner().plan.context("a proposed plan")
    }

    async fn dispute(&self, hands: &Hands, script: &Script) -> anyhow::Result<()> {
        let comment = words::dispute(&self.complaint.language).to_owned();
        let low = 1 + i32::try_from(script.roll % 2)?;
        let satisfaction = Satisfaction { handling: low + 1, outcome: low };
        self.respond(hands, Response::Disputed, comment, satisfaction).await?;
        self.tally.disputed.up();
        Ok(())
    }

    async fn accept_outcome(&self, hands: &Hands, script: &Script, ruling: &Ruling) -> anyhow::Result<()> {
        let comment = words::acceptance(&self.complaint.language, script.roll).to_owned();
        let best = if ruling.steps.is_empty() { 3 } else { 5 };
        let swing = i32::try_from(script.roll % 3)?;
        let satisfaction = Satisfaction { handling: 5 - swing / 2, outcome: best - swing.min(1) };
        self.respond(hands, Response::Accepted, comment, satisfaction).await?;
        self.tally.accepted.up();
        self.board.wait(&hands.case_id, |_: &CaseClosed| true).await?;
        Ok(())
    }

    /// The complainant answers, once feedback knows of the outcome.
    async fn respond(
        &self,
        hands: &Hands,
        response: Response,
        comment: String,
        satisfaction: Satisfaction,
    ) -> anyhow::Result<()> {
        let wanted = |resolved: &CaseResolved| resolved.cycle == hands.cycle;
        let (_, told) = self.board.wait(&hands.case_id, wanted).await?;
        let complainant = self.client.speaking_as("complainant")?.seeing(&told);
        let request = RespondToOutcomeRequest {
            request_id: complainant.request_id(),
            case_id: hands.case_id.clone(),
            cycle: hands.cycle,
            response: response.into(),
            comment,
            satisfaction: Some(satisfaction),
            ..RespondToOutcomeRequest::default()
        };
        let mut feedback = FeedbackServiceClient::new(complainant.calls());
        let _room = self.room.acquire().await?;
        feedback.respond_to_outcome(request).await.context("answering the outcome")?;
        self.tally.handling.add(satisfaction.handling);
        self.tally.outcome.add(satisfaction.outcome);
        Ok(())
    }

    async fn close(&self, hands: &Hands) -> anyhow::Result<()> {
        let request = CloseCaseRequest {
            request_id: hands.agent.request_id(),
            case_id: hands.case_id.clone(),
            reason: words::CLOSED_BY_STAFF.to_owned(),
            ..Default::default()
        };
        CaseServiceClient::new(hands.agent.calls()).close_case(request).await.context("closing")?;
        self.board.wait(&hands.case_id, |_: &CaseClosed| true).await?;
        Ok(())
    }

    async fn withdraw(&self, case_id: &str) -> anyhow::Result<()> {
        let complainant = self.client.speaking_as("complainant")?;
        let request = WithdrawCaseRequest {
            request_id: complainant.request_id(),
            case_id: case_id.to_owned(),
            reason: words::withdrawal(&self.complaint.language).to_owned(),
            ..Default::default()
        };
        CaseServiceClient::new(complainant.calls()).withdraw_case(request).await.context("withdrawing")?;
        self.board.wait(case_id, |_: &CaseWithdrawn| true).await?;
        Ok(())
    }

    async fn decline(&self, hands: &Hands) -> anyhow::Result<()> {
        let request = DeclineCaseRequest {
            request_id: hands.agent.request_id(),
            case_id: hands.case_id.clone(),
            referral: words::referral(&self.complaint.language).to_owned(),
            ..Default::default()
        };
        CaseServiceClient::new(hands.agent.calls()).decline_case(request).await.context("declining")?;
        self.board.wait(&hands.case_id, |_: &CaseDeclined| true).await?;
        Ok(())
    }
}

/// Calls that see what an answer has changed.
fn seeing<T>(client: &Client, answer: &tonic::Response<T>) -> Client {
    Token::of(answer).map_or_else(|| client.clone(), |token| client.seeing(&token))
}

async fn think(roll: u64) {
    tokio::time::sleep(Duration::from_millis(roll % THINKING_MS)).await;
}

/// The beginning of a trace.
fn traceparent() -> String {
    let (trace, span) = (RandomIds.token().simple().to_string(), RandomIds.token().simple().to_string());
    format!("00-{trace}-{}-01", &span[..16])
}
