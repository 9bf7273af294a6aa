//! `DecisionService`: read, transact, render.

use fault::Fault;
use kernel::{Caller, CaseId};
use pg::{Db, Tx};
use proto::redress::cases::v1::decision_service_server::DecisionService;
use proto::redress::cases::v1::{
    ConfirmCorrectionRequest, ConfirmCorrectionResponse, CorrectDecisionRequest, CorrectDecisionResponse,
    ListCorrectionsRequest, ListCorrectionsResponse, RefuseCorrectionRequest, RefuseCorrectionResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::acting;
use crate::acting::Act;
use crate::case::{Case, Correction, CorrectionState, Decision, Occasion};
use crate::flow::persist;
use crate::ground::with_ground;
use crate::refusal::Refusal;
use crate::store;
use crate::wire::CaseTarget;
use crate::wire::decisions as wire;

/// The rpcs of `DecisionService`.
#[derive(Clone)]
pub(crate) struct Decisions {
    db: Db,
}

impl Decisions {
    /// Serves the decisions of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

/// A case locked by who may work it, as they have seen it, and its corrections.
async fn lock(tx: &mut Tx, caller: &Caller, target: CaseTarget) -> Result<(Case, Vec<Correction>), Fault> {
    let case = store::lock_all(tx, &[target.case.0]).await?.pop().ok_or(Refusal::CaseNotFound)?;
    case.authorize(Act::Handle, &acting::actor(tx, caller, std::iter::once(&case)).await?)?;
    if target.version.is_some_and(|seen| seen != case.version) {
        return Err(Fault::version_mismatch(case.version));
    }
    tx.join_trace(&case.origin.traceparent);
    let corrections = store::corrections::of(tx, case.id).await?;
    Ok((case, corrections))
}

/// The case of a correction, all of its corrections, and the place of this one.
async fn lock_by_correction(
    tx: &mut Tx,
    caller: &Caller,
    id: Uuid,
    version: Option<i64>,
) -> Result<(Case, Vec<Correction>, usize), Fault> {
    let case = store::corrections::case_of(tx, id).await?.ok_or(Refusal::CorrectionNotFound)?;
    let (case, all) = lock(tx, caller, CaseTarget { case, version }).await?;
    let place = all.iter().position(|one| one.id == id).ok_or(Refusal::CorrectionNotFound)?;
    Ok((case, all, place))
}

/// A correction that nobody has answered.
fn pending(tx: &Tx, case: &Case, by: &str, decision: Decision, reason: String) -> Correction {
    Correction {
        id: tx.new_id(),
        case: case.id,
        cycle: case.cycle,
        state: CorrectionState::Pending,
        decision,
        reason,
        proposer: by.to_owned(),
        proposed: tx.now(),
        decider: String::new(),
        decided: None,
        refusal: String::new(),
    }
}

/// The number that the next correction of a cycle that is put in force gets.
fn next_number(all: &[Correction], cycle: i32) -> i32 {
    let made = all.iter().filter(|one| one.cycle == cycle && one.state == CorrectionState::InForce).count();
    i32::try_from(made).unwrap_or(i32::MAX).saturating_add(1)
}

#[tonic::async_trait]
impl DecisionService for Decisions {
    async fn correct_decision(
        &self,
        request: Request<CorrectDecisionRequest>,
    ) -> Result<Response<CorrectDecisionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let wire::CorrectionProposal { target, mut decision, claim, reason } = wire::correction(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let (mut case, all) = lock(&mut tx, &caller, target).await?;
                if let Some(claim) = claim {
                    let policies = store::policies::in_force(&mut tx).await?;
                    let ground = claim.words(&policies, &case)?;
                    decision.reasons = with_ground(decision.reasons, ground.as_deref());
                }
                let asked = pending(&tx, &case, &caller.subject, decision, reason);
                let traceparent = tx.traceparent().to_owned();
                let at = Occasion { now: tx.now(), actor: &caller.subject, traceparent: &traceparent };
                case.ask_correction(&asked, &at)?;
                if all.iter().any(|one| one.state == CorrectionState::Pending) {
                    return Err(Refusal::CorrectionPending.into());
                }
                store::corrections::save(&mut tx, &asked).await?;
                persist::changed(&mut tx, std::slice::from_mut(&mut case)).await?;
                Ok((tx, CorrectDecisionResponse { correction: Some(wire::rendered(&asked)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn confirm_correction(
        &self,
        request: Request<ConfirmCorrectionRequest>,
    ) -> Result<Response<ConfirmCorrectionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, version) = wire::confirmation(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let (mut case, mut all, place) = lock_by_correction(&mut tx, &caller, id, version).await?;
                let number = next_number(&all, case.cycle);
                let traceparent = tx.traceparent().to_owned();
                let at = Occasion { now: tx.now(), actor: &caller.subject, traceparent: &traceparent };
                let correction = &mut all[place];
                case.correct(correction, number, &at)?;
                store::corrections::save(&mut tx, correction).await?;
                persist::changed(&mut tx, std::slice::from_mut(&mut case)).await?;
                let correction = Some(wire::rendered(correction));
                let case = Some(crate::wire::case(&case));
                Ok((tx, ConfirmCorrectionResponse { correction, case }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn refuse_correction(
        &self,
        request: Request<RefuseCorrectionRequest>,
    ) -> Result<Response<RefuseCorrectionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, reason) = wire::refused(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let (mut case, mut all, place) = lock_by_correction(&mut tx, &caller, id, None).await?;
                let traceparent = tx.traceparent().to_owned();
                let at = Occasion { now: tx.now(), actor: &caller.subject, traceparent: &traceparent };
                let correction = &mut all[place];
                correction.refuse(&mut case, reason, &at)?;
                store::corrections::save(&mut tx, correction).await?;
                persist::changed(&mut tx, std::slice::from_mut(&mut case)).await?;
                Ok((tx, RefuseCorrectionResponse { correction: Some(wire::rendered(correction)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn list_corrections(
        &self,
        request: Request<ListCorrectionsRequest>,
    ) -> Result<Response<ListCorrectionsResponse>, Status> {
        let caller = server::caller(&request)?;
        let ListCorrectionsRequest { case_id } = request.into_inner();
        let id: CaseId = crate::wire::case_id(&case_id)?;
        let corrections = self
            .db
            .transact("correction.list", &caller.tenant, async move |mut tx| {
                store::get(&mut tx, id).await?.ok_or(Refusal::CaseNotFound)?;
                let corrections = store::corrections::of(&mut tx, id).await?;
                Ok((tx, corrections))
            })
            .await?;
        let corrections = corrections.iter().map(wire::rendered).collect();
        Ok(Response::new(ListCorrectionsResponse { corrections }))
    }
}
