//! Which department, and which of its agents: pure, and the same answer whatever
//! the order of what it is given.
//!
//! A department takes a category by the longest prefix of path segments. Among its
//! agents who are present, have room and are not kept from the case, the highest score
//! has it: the sum of a few terms, each a share of 1, weighed as the tenant's policy says.
//! Of equal scores who was given a case longest ago, then the first by id. Who handled
//! the cycle before is passed over while another can take it.

mod choice;
mod directory;
mod policy;
mod pool;
mod replay;
mod score;

pub use choice::{Candidate, DECISIONS_KEPT, Decision, KEPT, choose};
pub use directory::Directory;
pub use policy::{EarlierHandler, MAX_POLICIES, RoutingPolicy, Weights};
pub use pool::{AgentPool, LoadChange};
pub use replay::{PastCase, Replayed, replay};
pub use score::{Barrier, FULL, Terms, Wish, barrier, lasting_barrier, recusal};

#[cfg(test)]
mod properties;
