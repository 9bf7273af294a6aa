//! Keeps with each case by what it may be taken up again: the policy that is in force when
//! its outcome takes effect. Cases are changed under the lock that who activates a policy
//! waits for, so what is read is what holds.

use fault::Fault;
use pg::Tx;

use crate::case::Case;
use crate::clocks::policy::{self, Policy};
use crate::store::policies;

/// The policies in force, read when an outcome first takes effect.
#[derive(Default)]
pub(crate) struct InForce(Option<Vec<Policy>>);

impl InForce {
    /// Sets the terms of a case whose outcome took effect. Where several things happen to a
    /// case in one transaction, before the next does: it may be taken up again by that.
    pub(crate) async fn settle(&mut self, tx: &mut Tx, case: &mut Case) -> Result<(), Fault> {
        if case.resolve_time.is_none() || case.reopening.is_some() {
            return Ok(());
        }
        let policies = match &mut self.0 {
            Some(policies) => policies,
            unread => unread.insert(policies::in_force(tx).await?),
        };
        let policy = policy::in_force(policies, case.origin.receive_time);
        case.reopening = policy.map(Policy::reopening_terms);
        Ok(())
    }
}

/// Sets the terms of cases whose outcome took effect since they were read.
pub(crate) async fn set(tx: &mut Tx, cases: &mut [Case]) -> Result<(), Fault> {
    let mut in_force = InForce::default();
    for case in cases {
        in_force.settle(tx, case).await?;
    }
    Ok(())
}
