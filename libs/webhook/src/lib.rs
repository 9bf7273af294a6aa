//! Messages to servers of other people.
//!
//! - [`Secret`] signs a message after the
//!   [Standard Webhooks](https://www.standardwebhooks.com) specification, and
//!   [`verify`] is how its receiver checks it; pure. While a secret is changed, a message
//!   bears a signature under each. [`hub`] is the signature that GitHub and Meta make.
//! - [`Networks`] says which addresses may be connected to: none of a private network, this
//!   machine, a cloud's metadata and the like, unless the operator names their network.
//! - [`Sender`] posts a message: to an address that was looked at after its name was
//!   resolved, within a time, without following a redirect, reading no more of the answer
//!   than there is room for. [`Sender::connect`] is the same road for other protocols,
//!   [`Sender::channel`] for gRPC.
//!
//! What a message says, when it is sent again and what its answer means is for others.
#![warn(clippy::missing_errors_doc)]

mod address;
mod grpc;
pub mod hub;
mod send;
mod signature;
mod target;

pub use address::{InvalidNetwork, Network, Networks};
pub use send::{Failure, Post, Reply, Sender};
pub use signature::{
    ID, InvalidSecret, MAX_SECRET_BYTES, MIN_SECRET_BYTES, Message, SIGNATURE, Secret, TIMESTAMP, TOLERANCE,
    Unverified, signatures, verify,
};
pub use target::{InvalidTarget, MAX_URL, Target};
