//! A complaint's whole life, played by the people around it: submitted, accepted
//! by an agent, decided, put right by departments, and answered by the
//! complainant, in as many cycles as the script has.
//!
//! Every request is named after the life and the step, so that it can be repeated
//! by whoever has lost the answer.

use anyhow::{Context as _, Result};
use client::{Client, Token};
use proto::google::r#type::Money;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{AcceptCaseRequest, CaseAssigned};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{CaseClosed, CaseResolved, DecideCaseRequest, Outcome};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{RespondToOutcomeRequest, Response, Satisfaction};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{Complaint, SubmitComplaintRequest};
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, Goods, Plan, PlanState, ProposePlanRequest, RemedyKind, Step,
};

use crate::observed::ObservedEvents;

/// What happens to one complaint.
#[derive(Clone, Debug)]
pub struct Script {
    /// Names its requests; no two lives share it.
    pub name: String,
    /// What is submitted.
    pub complaint: Complaint,
    /// The remedies of each attempt; none where it is not upheld. The complainant
    /// disputes all but the last.
    pub cycles: Vec<Vec<Step>>,
}

/// What came of one.
#[derive(Clone, Debug)]
pub struct Lived {
    /// The case.
    pub case_id: String,
    /// What the complainant may follow it by.
    pub receipt_code: String,
    /// The plans that were approved, a cycle's one after the other.
    pub plans: Vec<Plan>,
}

/// The people around a case. Cheap to clone.
#[derive(Clone)]
pub struct People {
    client: Client,
    observed: ObservedEvents,
}

impl People {
    /// People who call through a client, and hear of what happens from its feeds.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), observed: ObservedEvents::follow(client) }
    }

    /// What they have heard.
    pub fn observed(&self) -> &ObservedEvents {
        &self.observed
    }

    /// Plays a whole life, until the case is closed.
    pub async fn live(&self, script: &Script) -> Result<Lived> {
        let Script { name, complaint, cycles } = script;
        let (case_id, receipt_code) = self.submit(name, complaint.clone()).await?;
        let life = Life { people: self, name, case_id: &case_id };
        let mut plans = Vec::new();
        let mut attempts = (1..).zip(cycles).peekable();
        while let Some((cycle, steps)) = attempts.next() {
            let is_last = attempts.peek().is_none();
            let plan = life.cycle(cycle, steps, is_last).await;
            plans.extend(plan.with_context(|| format!("{name}, case {case_id}, cycle {cycle}"))?);
        }
        self.observed.of::<CaseClosed>(&case_id, |_| true).await?;
        Ok(Lived { case_id, receipt_code, plans })
    }

    /// Submits a complaint; answers the id of its case, and the receipt code.
    pub async fn submit(&self, name: &str, complaint: Complaint) -> Result<(String, String)> {
        let request =
            SubmitComplaintRequest { request_id: format!("{name}-submit"), complaint: Some(complaint) };
        let mut intake = IntakeServiceClient::new(self.calls("complainant")?);
        let answer = intake.submit_complaint(request).await?.into_inner();
        Ok((answer.complaint_id, answer.receipt_code))
    }

    /// Waits until a case is assigned in a cycle; answers to whom, and what stands
    /// for it.
    pub async fn assigned(&self, case_id: &str, cycle: i32) -> Result<(CaseAssigned, Option<Token>)> {
        self.observed.of::<CaseAssigned>(case_id, |it| it.cycle == cycle).await
    }

    /// The agent a case is assigned to accepts it, once it is.
    pub async fn accept(&self, name: &str, case_id: &str, cycle: i32) -> Result<Option<Token>> {
        let (assigned, _) = self.assigned(case_id, cycle).await?;
        let request = AcceptCaseRequest {
            request_id: format!("{name}-accept-{cycle}"),
            case_id: case_id.to_owned(),
            expected_version: None,
            agent_id: assigned.agent_id.clone(),
        };
        let mut assignment = AssignmentServiceClient::new(self.calls(&assigned.agent_id)?);
        Ok(Token::of(&assignment.accept_case(request).await?))
    }

    /// Decides a case that was accepted: upheld when a remedy is due.
    pub async fn decide(
        &self,
        name: &str,
        case_id: &str,
        cycle: i32,
        remedy_due: bool,
        accepted: Option<Token>,
    ) -> Result<Option<Token>> {
        let outcome = if remedy_due { Outcome::Upheld } else { Outcome::NotUpheld };
        let request = DecideCaseRequest {
            request_id: format!("{name}-decide-{cycle}"),
            case_id: case_id.to_owned(),
            expected_version: None,
            outcome: outcome.into(),
            reasons: "we looked into it".to_owned(),
            remedy_due,
            ground: String::new(),
        };
        let mut cases = CaseServiceClient::new(self.calls("agent")?);
        Ok(Token::of(&cases.decide_case(seeing(accepted, request)).await?))
    }

    /// Proposes a plan for a decided case, which a supervisor approves.
    pub async fn plan(
        &self,
        name: &str,
        case_id: &str,
        cycle: i32,
        steps: &[Step],
        decided: Option<Token>,
    ) -> Result<Plan> {
        let request = ProposePlanRequest {
            request_id: format!("{name}-propose-{cycle}"),
            case_id: case_id.to_owned(),
            steps: steps.to_vec(),
        };
        let mut resolution = ResolutionServiceClient::new(self.calls("agent")?);
        let proposed = resolution.propose_plan(seeing(decided, request)).await?.into_inner();
        let mut plan = proposed.plan.context("a plan is answered")?;
        // Beyond what was sought, as in a later cycle, two must approve.
        for approver in ["supervisor", "director"] {
            if plan.state() == PlanState::Proposed {
                let request = ApprovePlanRequest {
                    request_id: format!("{name}-approve-{cycle}-{approver}"),
                    plan_id: plan.plan_id,
                    expected_version: None,
                    on_behalf_of: String::new(),
                };
                let mut resolution = ResolutionServiceClient::new(self.calls(approver)?);
                let approved = resolution.approve_plan(request).await?.into_inner();
                plan = approved.plan.context("a plan is answered")?;
            }
        }
        Ok(plan)
    }

    /// The complainant answers the outcome of a cycle, once it took effect.
    pub async fn answer(&self, name: &str, case_id: &str, cycle: i32, response: Response) -> Result<()> {
        let (_, resolved) = self.observed.of::<CaseResolved>(case_id, |it| it.cycle == cycle).await?;
        let (comment, score) = match response {
            Response::Disputed => ("it is still not put right", 2),
            Response::Accepted | Response::Unspecified => ("", 5),
        };
        let request = RespondToOutcomeRequest {
            request_id: format!("{name}-answer-{cycle}"),
            case_id: case_id.to_owned(),
            cycle,
            response: response.into(),
            comment: comment.to_owned(),
            satisfaction: Some(Satisfaction { handling: score, outcome: score }),
            ..RespondToOutcomeRequest::default()
        };
        let mut feedback = FeedbackServiceClient::new(self.calls("complainant")?);
        feedback.respond_to_outcome(seeing(resolved, request)).await?;
        Ok(())
    }

    fn calls(&self, subject: &str) -> Result<client::Calls> {
        Ok(self.client.speaking_as(subject)?.calls())
    }
}

struct Life<'a> {
    people: &'a People,
    name: &'a str,
    case_id: &'a str,
}

impl Life<'_> {
    async fn cycle(&self, cycle: i32, steps: &[Step], is_last: bool) -> Result<Option<Plan>> {
        let Self { people, name, case_id } = self;
        let accepted = people.accept(name, case_id, cycle).await.context("accept")?;
        let remedy_due = !steps.is_empty();
        let decided = people.decide(name, case_id, cycle, remedy_due, accepted).await.context("decide")?;
        let plan = if remedy_due {
            Some(people.plan(name, case_id, cycle, steps, decided).await.context("plan")?)
        } else {
            None
        };
        let response = if is_last { Response::Accepted } else { Response::Disputed };
        people.answer(name, case_id, cycle, response).await.context("answer")?;
        Ok(plan)
    }
}

/// A request that presents a token, where there is one.
pub fn seeing<T>(token: Option<Token>, message: T) -> tonic::Request<T> {
    match token {
        Some(token) => token.present(message),
        None => tonic::Request::new(message),
    }
}

/// A step that has finance give money back.
pub fn refund(amount: Money) -> Step {
    Step {
        step_id: "refund".to_owned(),
        kind: RemedyKind::Refund.into(),
        department_id: "finance".to_owned(),
        amount: Some(amount),
        ..Step::default()
    }
}

/// A step that has the warehouse exchange goods, once the steps named are done.
pub fn exchange(sku: &str, depends_on: &[&str]) -> Step {
    Step {
        step_id: "exchange".to_owned(),
        kind: RemedyKind::Exchange.into(),
        department_id: "warehouse".to_owned(),
        goods: Some(Goods { sku: sku.to_owned(), quantity: 1 }),
        depends_on: depends_on.iter().map(ToString::to_string).collect(),
        ..Step::default()
    }
}
