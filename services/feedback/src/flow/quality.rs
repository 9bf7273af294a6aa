//! Closed cases are drawn to be reviewed, in the transaction that hears that they are closed.

use fault::Fault;
use kernel::CaseId;
use pg::Tx;

use super::sampling::{self, Candidate};
use crate::quality::{Policy, Review};
use crate::revision::{Revision, Subject};
use crate::store;

/// The policy in force.
pub(crate) async fn policy(tx: &mut Tx) -> Result<Revision<Policy>, Fault> {
    let in_force = store::revisions_in_force(tx, Subject::QualityPolicy).await?.pop();
    Ok(in_force.map_or_else(|| Revision::shipped(Policy::shipped()), |(_, revision)| revision))
}

/// Draws among cycles that were closed, for each handler by itself. One that was closed
/// before, and opened again without another cycle, is drawn no second time.
pub(crate) async fn closed(tx: &mut Tx, cycles: &[(CaseId, i32)]) -> Result<(), Fault> {
    let policy = policy(tx).await?;
    if cycles.is_empty() || policy.content.sample_percent == 0 {
        return Ok(());
    }
    let agents = store::cycle_agents(tx, cycles).await?;
    let month = sampling::month(tx.now(), &store::kpi_settings(tx).await?.time_zone);
    let agent = |cycle: &(CaseId, i32)| agents.get(cycle).cloned().unwrap_or_default();
    let candidate = |cycle: &(CaseId, i32)| Candidate {
        case_id: cycle.0,
        month: month.clone(),
        stratum: format!("quality/{}", agent(cycle)),
    };
    let candidates = cycles.iter().map(candidate).collect();
    let Policy { seed, sample_percent, .. } = &policy.content;
    let draws = sampling::draw(tx, seed, *sample_percent, candidates).await?;
    let review = |(cycle, draw): (&(CaseId, i32), crate::sample::Draw)| Review {
        id: tx.new_id(),
        case_id: cycle.0,
        cycle: cycle.1,
        agent: agent(cycle),
        policy: policy.version,
        draw,
        created: tx.now(),
        completed: None,
        ratings: Vec::new(),
    };
    let chosen = cycles.iter().zip(draws).filter(|(_, draw)| draw.is_drawn());
    let reviews: Vec<Review> = chosen.map(review).collect();
    store::open_quality_reviews(tx, &reviews).await
}
