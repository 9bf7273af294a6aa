//! Who may say who handles a case.

use fault::Fault;
use kernel::{Caller, Role, person};
use pg::Tx;

use crate::assignment::Assignment;
use crate::refusal::Refusal;
use crate::store::agents;

/// Refuses whom a case is about, by the subject they sign in as and by their name.
pub(super) async fn not_recused(tx: &mut Tx, caller: &Caller, case: &Assignment) -> Result<(), Fault> {
    if case.origin.respondent.is_empty() {
        return Ok(());
    }
    let agent = agents::agent(tx, &person::folded(&caller.subject)).await?;
    let is_agent = agent.is_some_and(|agent| agent.is_recused(&case.origin.respondent));
    if is_agent || person::is_same(&case.origin.respondent, &caller.subject) {
        return Err(Refusal::CallerRecused.into());
    }
    Ok(())
}

/// Refuses who does something for an agent without being them or a supervisor.
pub(super) fn speaks_for(caller: &Caller, agent: &str) -> Result<(), Refusal> {
    if caller.roles.may_act_as(Role::Supervisor) || person::is_same(&caller.subject, agent) {
        Ok(())
    } else {
        Err(Refusal::NotTheHandler)
    }
}
