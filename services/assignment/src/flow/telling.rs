//! Tells others what became of a case, in the case's own trace.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::Counter;
use pg::Tx;

use crate::assignment::{Assignment, State};
use crate::wire;

static UNASSIGNABLE: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("redress")
        .u64_counter("redress.assignment.unassignable")
        .with_description("Cases that came to wait with nobody who could ever take them")
        .build()
});

static ESCALATED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("redress")
        .u64_counter("redress.assignment.escalated")
        .with_description("Cases that went one level up: to and fro, or reworked too often")
        .build()
});

/// Tells what became of a case.
pub(crate) fn tell(tx: &mut Tx, case: &Assignment) {
    let (trace, subject) = (trace(tx, case), case.case_id.0);
    match case.state {
        State::Waiting => tx.emit_in(trace, subject, &wire::case_queued(case)),
        State::Assigned(_) => tx.emit_in(trace, subject, &wire::case_assigned(case)),
        // Accepted before, and not by anybody now.
        State::Accepted(_) => tx.emit_in(trace, subject, &wire::case_accepted(case, "")),
        State::Released(_) => {} // the cases service said so itself
    }
    if let Some(reason) = case.escalation.filter(|_| case.escalates_now) {
        ESCALATED.add(1, &[]);
        tx.emit_in(self::trace(tx, case), subject, &wire::escalated(case, reason));
    }
    tell_unassignable(tx, case);
}

/// Tells of a case that nobody can take since this very moment.
pub(crate) fn tell_unassignable(tx: &mut Tx, case: &Assignment) {
    if case.unassignable == Some(tx.now()) {
        UNASSIGNABLE.add(1, &[]);
        tx.emit_in(trace(tx, case), case.case_id.0, &wire::unassignable(case));
    }
}

/// Tells that somebody has accepted a case, for its agent or being the agent.
pub(crate) fn tell_accepted(tx: &mut Tx, case: &Assignment, by: &str) {
    tx.emit_in(trace(tx, case), case.case_id.0, &wire::case_accepted(case, by));
}

fn trace(tx: &Tx, case: &Assignment) -> String {
    if case.traceparent.is_empty() { tx.traceparent().to_owned() } else { case.traceparent.clone() }
}
