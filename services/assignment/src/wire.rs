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
