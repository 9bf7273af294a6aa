//! Tasks follow their cases: how urgent they are, and when they are due.
//!
//! Cases are locked first, then plans, then tasks. Who begins a task of a plan holds that plan:
//! what they began is seen here once they are done, and who comes after reads the case as it is
//! now.

use fault::Fault;
use kernel::CaseId;
use pg::Tx;

use crate::case::{CaseView, Redate, Regrade};
use crate::store::{self, urgency};

/// Keeps how far cases are; what departments are still asked follows.
pub(crate) async fn keep(tx: &mut Tx, views: &[CaseView]) -> Result<(), Fault> {
    store::cases::keep(tx, views).await?;
    let cases: Vec<CaseId> = views.iter().map(|view| view.case_id).collect();
    follow(tx, &cases).await
}

/// Cases are found more urgent or less.
pub(crate) async fn regrade(tx: &mut Tx, regrades: &[Regrade]) -> Result<(), Fault> {
    let cases = urgency::regrade(tx, regrades).await?;
    follow(tx, &cases).await
}

/// Cases are due sooner or later, or at no time.
pub(crate) async fn redate(tx: &mut Tx, redates: &[Redate]) -> Result<(), Fault> {
    let cases = urgency::redate(tx, redates).await?;
    follow(tx, &cases).await
}

async fn follow(tx: &mut Tx, cases: &[CaseId]) -> Result<(), Fault> {
    if cases.is_empty() {
        return Ok(());
    }
    urgency::hold_plans(tx, cases).await?;
    let now = tx.now();
    urgency::follow(tx, cases, now).await
}
