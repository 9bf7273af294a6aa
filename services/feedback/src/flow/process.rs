//! What happened to cases is kept as facts are, for process mining.
//!
//! This list has all that facts are made of, too: feeds are followed and read again by it.

use crate::process::ProcessEvent;
use crate::wire;

events::inbound! {
    /// Takes in what an event says has happened to a case.
    pub(crate) fn take(log: &mut Vec<ProcessEvent>) {
        intake {
            ComplaintRegistered => wire::log_registered,
            InformationAdded => wire::log_added,
        }
        cases {
            CaseOpened => wire::log_opened,
            CaseRetriaged => wire::log_retriaged,
            CaseCategorised => wire::log_categorised,
            CasePriorityRaised => wire::log_raised,
            CaseDecided => wire::log_decided,
            DecisionCorrected => wire::log_corrected,
            CaseResolved => wire::log_resolved,
            CaseReopened => wire::log_reopened,
            CaseClosed => wire::log_closed,
            CaseWithdrawn => wire::log_withdrawn,
            CaseDeclined => wire::log_declined,
            CaseMerged => wire::log_merged,
            CaseUnmerged => wire::log_unmerged,
            CaseEscalated => wire::log_escalated,
            ClockBreached => wire::log_breached,
            ClockPaused => wire::log_paused,
            ClockResumed => wire::log_resumed,
            ExtensionGranted => wire::log_extended,
            HoldingReplySent => wire::log_held,
        }
        assignment {
            CaseAssigned => wire::log_assigned,
            CaseAccepted => wire::log_accepted,
            CaseQueued => wire::log_queued,
            AssignmentEscalated => wire::log_tossed,
        }
        resolution {
            PlanProposed => wire::log_proposed,
            PlanApproved => wire::log_approved,
            PlanRejected => wire::log_rejected,
            PlanRevised => wire::log_revised,
            PlanCompleted => wire::log_completed,
            PlanCancelled => wire::log_cancelled,
            TaskCompleted => wire::log_done,
            TaskNeedsAttention => wire::log_stuck,
            TaskWrittenOff => wire::log_written_off,
            TaskOverdue => wire::log_overdue,
            ShortageReported => wire::log_short,
            InvestigationRequested => wire::log_asked,
            InvestigationCompleted => wire::log_found,
            InvestigationCancelled => wire::log_dropped,
        }
        feedback {
            NoticeSettled => wire::log_notice,
            NoticeBounced => wire::log_bounce,
            FeedbackReceived => wire::log_response,
            SurveyAnswered => wire::log_survey,
            CallBackAttempted => wire::log_call,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FOLLOWS;
    use crate::flow::facts;

    #[test]
    fn whatever_is_counted_has_happened_to_a_case() {
        for counted in facts::FOLLOWS {
            let logged = FOLLOWS.iter().find(|follow| follow.source == counted.source);
            let logged = logged.map_or(&[][..], |follow| follow.types);
            for name in counted.types {
                assert!(logged.contains(name), "{name} is counted, and is not read again by a rebuild");
            }
        }
    }
}
