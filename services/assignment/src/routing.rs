//! Which department, and which of its agents: pure, and the same answer whatever
//! the order of what it is given.
//!
//! A department takes a category by the longest prefix of path segments. Among
//! its agents who are available, have room and are not whom the case is about,
//! the least loaded for their capacity is chosen, then who was given a case
//! longest ago, then the first by id. Who handled the cycle before is passed
//! over while another can take it.

mod choice;
mod directory;
mod pool;

pub use choice::{Choice, Wish, choose};
pub use directory::Directory;
pub use pool::{AgentPool, LoadChange};

#[cfg(test)]
mod properties;
