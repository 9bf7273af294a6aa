//! Keeps with each case by what it may be taken up again: the policy that is in force when
//! its outcome takes effect. Cases are changed under the lock that who activates a policy
//! waits for, so what is read is what holds.

use fault::Fault;
use pg::Tx;

use crate::case::Case;
use crate::clocks::policy;
use crate::store::policies;

/// Sets the terms of cases whose outcome took effect since they were read.
pub(crate) async fn set(tx: &mut Tx, cases: &mut [Case]) -> Result<(), Fault> {
    let wants = |case: &Case| case.resolve_time.is_some() && case.reopening.is_none();
    if !cases.iter().any(wants) {
        return Ok(());
    }
    let in_force = policies::in_force(tx).await?;
    for case in cases.iter_mut().filter(|case| wants(case)) {
        let policy = policy::in_force(&in_force, case.origin.receive_time);
        case.reopening = policy.map(policy::Policy::reopening_terms);
    }
    Ok(())
}
