//! Proto ⇄ domain, and nothing else.

mod agents;
mod answers;
mod decisions;
pub(crate) mod inbound;
mod outbound;
mod policies;
mod replays;
mod requests;
mod staff;

pub(crate) use agents::*;
pub(crate) use answers::*;
pub(crate) use decisions::*;
pub(crate) use outbound::*;
pub(crate) use policies::*;
pub(crate) use replays::*;
pub(crate) use requests::*;
pub(crate) use staff::*;

#[cfg(test)]
mod tests {
    use proto::redress::{assignment::v1 as wire, cases::v1 as cases};
    use vocabulary::Priority;

    use crate::assignment::{Escalation, Stage};

    #[test]
    fn our_numbers_are_the_contracts() {
        testkit::same_numbers! {
            Stage, wire::AssignmentState;
            Escalation, wire::Escalation;
            Priority, cases::Priority;
        }
    }
}
