//! Proto ⇄ domain, and nothing else.

mod agents;
mod answers;
pub(crate) mod inbound;
mod outbound;
mod requests;

pub(crate) use agents::*;
pub(crate) use answers::*;
pub(crate) use outbound::*;
pub(crate) use requests::*;
