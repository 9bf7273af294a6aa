//! Complainants' answers to outcomes, those that come together in one transaction.

use fault::Fault;
use pg::{Batch, BatchedMutation, Tx, Verdicts, Work};
use prost::Message as _;
use proto::redress::feedback::v1::RespondToOutcomeResponse;

use crate::flow::follow_up;
use crate::notice::Delivery;
use crate::refusal::Refusal;
use crate::response::Cycle;
use crate::wire::Respond;
use crate::{store, wire};

/// Answers to outcomes.
pub(super) struct Responses {
    /// How who is called about one is told so.
    pub(super) delivery: Delivery,
}

impl Batch for Responses {
    type Job = Respond;

    fn name(&self) -> &'static str {
        "feedback.respond"
    }

    fn carry_out<'a>(&'a self, tx: &'a mut Tx, asked: &'a [BatchedMutation<Respond>]) -> Work<'a, Verdicts> {
        Box::pin(carry_out(tx, &self.delivery, asked))
    }
}

async fn carry_out(
    tx: &mut Tx,
    delivery: &Delivery,
    asked: &[BatchedMutation<Respond>],
) -> Result<Verdicts, Fault> {
    let wanted: Vec<_> = asked.iter().map(|one| (one.job.case_id, one.job.cycle)).collect();
    let locked = store::lock_cycles(tx, &wanted).await?;
    let mut answered: Vec<Cycle> = Vec::new();
    let mut verdicts = Vec::with_capacity(asked.len());
    for (place, one) in asked.iter().enumerate() {
        let found = locked.iter().find(|(of, ..)| *of == place);
        let verdict = found.ok_or_else(|| Refusal::FeedbackNotFound.into()).and_then(|(_, cycle, trace)| {
            // Answered earlier in this batch: as it is then.
            let is_same = |other: &&Cycle| (other.case_id, other.cycle) == (cycle.case_id, cycle.cycle);
            let cycle = answered.iter().find(is_same).unwrap_or(cycle).clone();
            one.trace(tx, trace);
            respond(tx, cycle, one)
        });
        verdicts.push(verdict.map(|cycle| {
            let answer = RespondToOutcomeResponse { feedback: Some(wire::feedback(cycle.clone(), tx.now())) };
            answered.push(cycle);
            answer.encode_to_vec()
        }));
    }
    if !answered.is_empty() {
        store::save(tx, &answered).await?;
        let answers = answered.iter().filter_map(|cycle| Some((cycle, &cycle.answer.as_ref()?.0)));
        let answers: Vec<_> = answers.map(|(cycle, answer)| (cycle.case_id, cycle.cycle, answer)).collect();
        follow_up::answered(tx, delivery, &answers).await?;
    }
    Ok(verdicts)
}

/// Takes one answer in, in memory.
fn respond(tx: &mut Tx, mut cycle: Cycle, one: &BatchedMutation<Respond>) -> Result<Cycle, Fault> {
    let received = wire::received(&cycle, &one.job.answer);
    cycle.take(one.job.answer.clone(), tx.now())?;
    tx.emit(cycle.case_id.0, &received);
    Ok(cycle)
}
