//! Contract ⇄ domain of `DecisionService`.

use fault::{Check, Fault};
use proto::redress::cases::v1::{
    ConfirmCorrectionRequest, CorrectDecisionRequest, DecisionCorrection, RefuseCorrectionRequest,
};
use proto::timestamp;
use uuid::Uuid;

use super::{CaseTarget, MAX_REASON, claimed, decided};
use crate::case::{Correction, Decision};
use crate::ground::Claim;

const INVALID: &str = "INVALID_CORRECTION";

/// A decision that somebody asks to take the place of another.
pub(crate) struct CorrectionProposal {
    /// The case, as the caller has seen it.
    pub(crate) target: CaseTarget,
    /// The new decision.
    pub(crate) decision: Decision,
    /// The ground it must have.
    pub(crate) claim: Option<Claim>,
    /// Why the decision before was wrong.
    pub(crate) reason: String,
}

/// Reads which decision is to take the place of another, and why.
pub(crate) fn correction(request: CorrectDecisionRequest) -> Result<CorrectionProposal, Fault> {
    let CorrectDecisionRequest {
        request_id,
        case_id,
        expected_version,
        outcome,
        reasons,
        remedy_due,
        reason,
        ground,
    } = request;
    let mut check = Check::new();
    let target = super::target(&mut check, request_id, &case_id, expected_version);
    let decision = decided(&mut check, outcome, reasons, remedy_due);
    let claim = claimed(&mut check, decision.outcome, ground, INVALID);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID)?;
    Ok(CorrectionProposal { target, decision, claim, reason })
}

/// Reads which correction is confirmed.
pub(crate) fn confirmation(request: ConfirmCorrectionRequest) -> Result<(Uuid, Option<i64>), Fault> {
    let ConfirmCorrectionRequest { request_id, correction_id, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("correction_id", &correction_id);
    check.done(INVALID)?;
    Ok((id, expected_version))
}

/// Reads which correction is refused, and why.
pub(crate) fn refused(request: RefuseCorrectionRequest) -> Result<(Uuid, String), Fault> {
    let RefuseCorrectionRequest { request_id, correction_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("correction_id", &correction_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID)?;
    Ok((id, reason))
}

/// A correction as callers see it.
pub(crate) fn rendered(correction: &Correction) -> DecisionCorrection {
    let Decision { outcome, reasons, remedy_due } = correction.decision.clone();
    DecisionCorrection {
        correction_id: correction.id.to_string(),
        case_id: correction.case.to_string(),
        cycle: correction.cycle,
        state: correction.state.number().into(),
        outcome: outcome.number().into(),
        reasons,
        remedy_due,
        reason: correction.reason.clone(),
        proposer: correction.proposer.clone(),
        propose_time: Some(timestamp(correction.proposed)),
        decider: correction.decider.clone(),
        decide_time: correction.decided.map(timestamp),
        refusal: correction.refusal.clone(),
    }
}
