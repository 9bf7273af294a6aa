//! Facts are kept of what every service tells, in the transaction that applies it.

#[cfg(test)]
mod chance;
#[cfg(test)]
pub(crate) mod history;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod truth;

use events::Delivered;
use fault::Fault;
use pg::Tx;

use super::process;
use crate::fact::Facts;
use crate::{store, wire};

events::inbound! {
    /// Takes in what an event adds to the facts.
    pub(crate) fn take(facts: &mut Facts) {
        intake {
            ComplaintRegistered => wire::count_registered,
        }
        cases {
            CaseOpened => wire::count_opened,
            CaseRetriaged => wire::count_retriaged,
            CaseCategorised => wire::count_categorised,
            CasePriorityRaised => wire::count_raised,
            CaseResolved => wire::count_resolved,
            DecisionCorrected => wire::count_corrected,
            CaseReopened => wire::count_reopened,
            CaseClosed => wire::count_closed,
            CaseWithdrawn => wire::count_withdrawn,
            CaseDeclined => wire::count_declined,
            CaseMerged => wire::count_merged,
            CaseUnmerged => wire::count_unmerged,
            CaseEscalated => wire::count_escalated,
            ClockBreached => wire::count_breached,
            ClockPaused => wire::count_paused,
            ClockResumed => wire::count_resumed,
        }
        assignment {
            CaseAssigned => wire::count_assigned,
            CaseQueued => wire::count_queued,
            AssignmentEscalated => wire::count_tossed,
        }
        resolution {
            TaskCompleted => wire::count_task,
            TaskWrittenOff => wire::count_written_off,
            TaskOverdue => wire::count_overdue,
        }
        feedback {
            NoticeSettled => wire::count_notice,
            NoticeBounced => wire::count_bounce,
            FeedbackReceived => wire::count_response,
            SurveyAnswered => wire::count_survey,
            CallBackAttempted => wire::count_call,
        }
    }
}

/// What events add to the facts; those of other kinds add nothing.
pub(crate) fn read(events: &[Delivered]) -> Result<Facts, Fault> {
    let mut facts = Facts::default();
    for event in events.iter().filter(|event| event.is_among(process::FOLLOWS)) {
        add(&mut facts, event)?;
    }
    Ok(facts)
}

/// Adds what an event that is followed tells: what has happened, and what is counted of it.
pub(crate) fn add(facts: &mut Facts, event: &Delivered) -> Result<(), Fault> {
    process::take(&mut facts.events, event)?;
    if event.is_among(FOLLOWS) { take(facts, event) } else { Ok(()) }
}

/// Keeps facts. Last in its transaction: who keeps facts waits for whoever else does.
pub(crate) async fn keep(tx: &mut Tx, facts: &Facts) -> Result<(), Fault> {
    if facts.is_empty() {
        return Ok(());
    }
    let settings = store::share_kpi_settings(tx).await?;
    let cases = facts.case_ids();
    // Before and after: what a case was counted in, and what it is counted in now.
    store::note_changed_days(tx, &cases).await?;
    store::keep_facts(tx, facts, &settings.time_zone).await?;
    store::note_changed_days(tx, &cases).await?;
    store::note_signal_change(tx, &cases).await
}
