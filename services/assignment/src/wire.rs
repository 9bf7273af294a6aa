//! Proto ⇄ domain, and nothing else.

mod answers;
mod events;
mod requests;

pub(crate) use answers::*;
pub(crate) use events::*;
pub(crate) use requests::*;
