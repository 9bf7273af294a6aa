//! The states of a case and the table of moves between them. Nothing else
//! decides whether a move is allowed.

use vocabulary::State;

use crate::refusal::Refusal;

/// A move a case can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Category and priority are decided.
    Triage,
    /// It waits in a queue again.
    Queue,
    /// It has a (new) handler.
    Assign,
    /// Its handler accepts.
    Accept,
    /// Findings are recorded.
    Investigate,
    /// An outcome is decided that a remedy must follow.
    DecideRemedy,
    /// An outcome is decided that needs none.
    DecideNoRemedy,
    /// Another outcome takes the place of the one decided; a remedy must follow.
    CorrectToRemedy,
    /// Another outcome takes the place of the one decided; it needs no remedy.
    CorrectToNone,
    /// The remedy plan is approved.
    ApprovePlan,
    /// Every step of the plan is done.
    CompletePlan,
    /// The plan was cancelled and undone.
    CancelPlan,
    /// It is over.
    Close,
    /// It is taken up again as its next cycle.
    Reopen,
    /// The complainant withdraws.
    Withdraw,
    /// It is somebody else's matter.
    Decline,
    /// It is merged into another. The way back is to wherever it stood, hence no
    /// move of this table.
    Merge,
}

impl Move {
    /// Every move.
    #[cfg(test)]
    pub(crate) const ALL: &'static [Self] = &[
        Self::Triage,
        Self::Queue,
        Self::Assign,
        Self::Accept,
        Self::Investigate,
        Self::DecideRemedy,
        Self::DecideNoRemedy,
        Self::CorrectToRemedy,
        Self::CorrectToNone,
        Self::ApprovePlan,
        Self::CompletePlan,
        Self::CancelPlan,
        Self::Close,
        Self::Reopen,
        Self::Withdraw,
        Self::Decline,
        Self::Merge,
    ];

    /// The table: where this move leads from a state.
    #[expect(clippy::match_same_arms, reason = "a table: each move has its own row")]
    pub(crate) fn from(self, state: State) -> Result<State, Refusal> {
        use State::{
            Assigned, Closed, Decided, Investigating, Merged, OutOfScope, Received, Remedying, Resolved,
            Triaged, Withdrawn,
        };
        match (self, state) {
            (Self::Triage, Received) => Ok(Triaged),
            (Self::Queue, Triaged | Assigned | Investigating) => Ok(Triaged),
            (Self::Assign, Triaged | Assigned | Investigating) => Ok(Assigned),
            // Once decided, another handler takes the case over where it stands.
            (Self::Queue | Self::Assign, Decided | Remedying | Resolved) => Ok(state),
            (Self::Accept, Assigned) => Ok(Investigating),
            (Self::Investigate, Assigned | Investigating) => Ok(Investigating),
            (Self::DecideRemedy, Assigned | Investigating) => Ok(Decided),
            (Self::DecideNoRemedy, Assigned | Investigating) => Ok(Resolved),
            (Self::CorrectToRemedy, Decided | Resolved) => Ok(Decided),
            (Self::CorrectToNone, Decided | Resolved) => Ok(Resolved),
            (Self::ApprovePlan, Decided) => Ok(Remedying),
            (Self::CompletePlan, Remedying) => Ok(Resolved),
            (Self::CancelPlan, Remedying) => Ok(Decided),
            (Self::Close, Resolved) => Ok(Closed),
            (Self::Reopen, Resolved | Closed) => Ok(Triaged),
            (Self::Withdraw, open) if !open.is_over() && open != Merged => Ok(Withdrawn),
            (Self::Decline, Received | Triaged | Assigned | Investigating) => Ok(OutOfScope),
            // Once decided, a plan may be under way: that is ended first, not merged.
            (Self::Merge, Triaged | Assigned | Investigating) => Ok(Merged),
            _ => Err(Refusal::InvalidCaseState(state)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_a_final_state() {
        for state in [State::Withdrawn, State::OutOfScope, State::Merged] {
            assert!(Move::ALL.iter().all(|step| step.from(state).is_err()), "{state}");
        }
        let out_of_closed: Vec<_> =
            Move::ALL.iter().filter(|step| step.from(State::Closed).is_ok()).collect();
        assert_eq!(out_of_closed, [&Move::Reopen]);
    }

    #[test]
    fn every_state_is_reached_and_nothing_leads_back_to_received() {
        let reached = |wanted: &State| {
            let ends = |step: &Move| State::ALL.iter().any(|from| step.from(*from) == Ok(*wanted));
            Move::ALL.iter().any(ends)
        };
        let unreached: Vec<_> = State::ALL.iter().filter(|state| !reached(state)).collect();
        assert_eq!(unreached, [&State::Received]);
    }

    #[test]
    fn a_decision_ends_declining_and_only_work_is_decided() {
        for state in State::ALL {
            let before_decision = *state < State::Decided;
            assert_eq!(Move::Decline.from(*state).is_ok(), before_decision, "{state}");
            let worked_on = matches!(state, State::Assigned | State::Investigating);
            assert_eq!(Move::DecideRemedy.from(*state).is_ok(), worked_on, "{state}");
            assert_eq!(Move::DecideNoRemedy.from(*state).is_ok(), worked_on, "{state}");
        }
    }
}
