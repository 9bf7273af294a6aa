//! The complainant's time to answer an outcome: a durable timer per resolved case.

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use pg::Tx;
use timers::{Alarm, Fired, Held, Timer};
use uuid::Uuid;
use vocabulary::{CloseReason, State};

use crate::case::{CASES, Case, Occasion};
use crate::flow::persist;
use crate::store;
use crate::timeline::{Course, Fact, Ruling};

/// The kind of these timers; the key is the case's id.
pub(crate) const KIND: &str = "response-window";

/// Arms the timers of cases just resolved, disarms those of cases that no longer
/// wait for an answer.
pub(crate) async fn set(tx: &mut Tx, cases: &[Case]) -> Result<(), Fault> {
    let (mut armed, mut disarmed) = (Vec::new(), Vec::new());
    for case in cases {
        match (case.state, case.respond_until()) {
            (State::Resolved, Some(fire_at))
                if has(case, |fact| matches!(fact, Fact::Ruling(Ruling::Resolved { .. }))) =>
            {
                let traceparent = case.origin.traceparent.clone();
                armed.push(Timer { kind: KIND, key: case.id.0, fire_at, traceparent });
            }
            _ if has(case, ends_wait) => disarmed.push(case.id.0),
            _ => {}
        }
    }
    timers::arm(tx, &armed).await?;
    timers::disarm(tx, KIND, &disarmed).await
}

fn has(case: &Case, wanted: impl Fn(&Fact) -> bool) -> bool {
    case.journal.iter().any(|noted| wanted(&noted.fact))
}

/// Whether a fact leaves a timer behind that has lost its reason; the one that
/// has just fired is gone by itself.
fn ends_wait(fact: &Fact) -> bool {
    match fact {
        Fact::Course(course) => match course {
            Course::Closed { reason, .. } => *reason != CloseReason::WindowPassed,
            Course::Reopened { .. } | Course::Withdrawn { .. } => true,
            // Only of one that is not decided yet.
            Course::OutOfScope { .. } => false,
        },
        Fact::Ruling(ruling) => matches!(ruling, Ruling::Corrected { .. }),
        Fact::Grading(_)
        | Fact::Handling(_)
        | Fact::Remedy(_)
        | Fact::Contact(_)
        | Fact::Timing(_)
        | Fact::Urgency(_)
        | Fact::Together(_) => false,
    }
}

/// Closes resolved cases whose time to answer has passed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ResponseWindow;

impl Alarm for ResponseWindow {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn hold<'a>(&'a self, tx: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>> {
        store::lock_idle(tx, keys).boxed()
    }

    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>> {
        pass(tx, fired).boxed()
    }
}

async fn pass(tx: &mut Tx, fired: &[Fired]) -> Result<(), Fault> {
    let ids: Vec<Uuid> = fired.iter().map(|timer| timer.key).collect();
    let mut cases = store::lock_all(tx, &ids).await?;
    let now = tx.now();
    // Answered, withdrawn or in a later cycle meanwhile: nothing to do.
    cases.retain_mut(|case| {
        let timer = fired.iter().find(|timer| timer.key == case.id.0);
        let traceparent = timer.map_or("", |timer| &timer.traceparent);
        case.pass_window(&Occasion { now, actor: CASES, traceparent }).is_ok()
    });
    persist::changed(tx, &mut cases).await
}
