//! What this service does about what happens to cases, and about new departments.

use events::{Delivered, Follow, Reactor, runs};
use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::CaseId;
use pg::Tx;
use proto::redress::assignment::v1::{CaseAssigned, CaseQueued, DepartmentCreated};
use proto::redress::cases::v1::{
    CaseClosed, CaseDecided, CaseDeclined, CaseReopened, CaseWithdrawn, DecisionCorrected,
};

use crate::case::CaseView;
use crate::progress;
use crate::store;
use crate::wire;

const FOLLOWS: &[Follow] = &[
    Follow {
        source: "cases",
        types: &[
            "redress.cases.v1.CaseDecided",
            "redress.cases.v1.DecisionCorrected",
            "redress.cases.v1.CaseReopened",
            "redress.cases.v1.CaseWithdrawn",
            "redress.cases.v1.CaseDeclined",
            "redress.cases.v1.CaseClosed",
        ],
    },
    Follow {
        source: "assignment",
        types: &[
            "redress.assignment.v1.CaseAssigned",
            "redress.assignment.v1.CaseQueued",
            "redress.assignment.v1.DepartmentCreated",
        ],
    },
];

/// Follows the cases service, who handles its cases, and which departments there are.
pub(crate) struct Reactions;

impl Reactor for Reactions {
    fn consumer(&self) -> &'static str {
        "resolution"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        async move {
            for run in runs(batch) {
                apply(tx, run).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

/// Applies events of one type.
async fn apply(tx: &mut Tx, run: &[Delivered]) -> Result<(), Fault> {
    let Some(first) = run.first() else { return Ok(()) };
    if first.is::<CaseDecided>() {
        decided(tx, run).await
    } else if first.is::<DecisionCorrected>() {
        corrected(tx, run).await
    } else if first.is::<CaseReopened>() {
        reopened(tx, run).await
    } else if first.is::<CaseWithdrawn>() {
        let ends = ends(run, |event| Ok(event.read::<CaseWithdrawn>()?.cycle))?;
        ended(tx, &ends, "the complaint was withdrawn").await
    } else if first.is::<CaseDeclined>() {
        let ends = ends(run, |event| Ok(event.read::<CaseDeclined>()?.cycle))?;
        ended(tx, &ends, "the case was found to be another organisation's").await
    } else if first.is::<CaseClosed>() {
        let ends = ends(run, |event| Ok(event.read::<CaseClosed>()?.cycle))?;
        ended(tx, &ends, "the case was closed").await
    } else if first.is::<CaseAssigned>() {
        handed(tx, run, |event| Ok(event.read::<CaseAssigned>()?.agent_id)).await
    } else if first.is::<CaseQueued>() {
        handed(tx, run, |_| Ok(String::new())).await
    } else if first.is::<DepartmentCreated>() {
        let id = |event: &Delivered| Ok(event.read::<DepartmentCreated>()?.department_id);
        let departments = run.iter().map(id).collect::<Result<Vec<_>, Fault>>()?;
        store::departments::keep(tx, &departments).await
    } else {
        Ok(())
    }
}

/// Another handles cases now, or nobody does.
async fn handed(
    tx: &mut Tx,
    run: &[Delivered],
    agent: impl Fn(&Delivered) -> Result<String, Fault>,
) -> Result<(), Fault> {
    let handlers = run.iter().map(|event| Ok((CaseId(event.subject), agent(event)?)));
    store::cases::keep_handlers(tx, &handlers.collect::<Result<Vec<_>, Fault>>()?).await
}

/// A plan may be proposed now, if a remedy is due.
async fn decided(tx: &mut Tx, run: &[Delivered]) -> Result<(), Fault> {
    let view = |event: &Delivered| {
        let decided = event.read::<CaseDecided>()?;
        Ok(wire::events::decided(CaseId(event.subject), &decided, &event.traceparent))
    };
    let views = run.iter().map(view).collect::<Result<Vec<CaseView>, Fault>>()?;
    store::cases::keep(tx, &views).await
}

/// Another decision holds: what is planned for the one before is cancelled, and what was
/// begun of it meanwhile is undone. A plan that is completed stays.
async fn corrected(tx: &mut Tx, run: &[Delivered]) -> Result<(), Fault> {
    let view = |event: &Delivered| {
        let corrected = event.read::<DecisionCorrected>()?;
        let view = wire::events::corrected(CaseId(event.subject), &corrected, &event.traceparent);
        Ok((view, corrected.number))
    };
    let views = run.iter().map(view).collect::<Result<Vec<(CaseView, i32)>, Fault>>()?;
    let ids = store::cases::correct(tx, &views).await?;
    let mut plans = store::plans::lock_uncancelled(tx, &ids).await?;
    if plans.is_empty() {
        Ok(())
    } else {
        progress::cancel(tx, &mut plans, "the decision was corrected").await
    }
}

/// The next cycle begins: no plan until it is decided.
async fn reopened(tx: &mut Tx, run: &[Delivered]) -> Result<(), Fault> {
    let view = |event: &Delivered| {
        let reopened = event.read::<CaseReopened>()?;
        Ok(wire::events::reopened(CaseId(event.subject), &reopened, &event.traceparent))
    };
    let views = run.iter().map(view).collect::<Result<Vec<CaseView>, Fault>>()?;
    store::cases::keep(tx, &views).await
}

/// Cases, and the cycle in which each ended.
fn ends(
    run: &[Delivered],
    cycle: impl Fn(&Delivered) -> Result<i32, Fault>,
) -> Result<Vec<(CaseId, i32)>, Fault> {
    run.iter().map(|event| Ok((CaseId(event.subject), cycle(event)?))).collect()
}

/// No plan may be proposed any more; what is planned or under way is cancelled,
/// what was done is undone.
async fn ended(tx: &mut Tx, ends: &[(CaseId, i32)], reason: &str) -> Result<(), Fault> {
    let closed = store::cases::close(tx, ends).await?;
    if closed.is_empty() {
        return Ok(());
    }
    let mut plans = store::plans::lock_uncancelled(tx, &closed).await?;
    if plans.is_empty() {
        return Ok(());
    }
    progress::cancel(tx, &mut plans, reason).await
}
