//! Wire types, generated from the contracts in `proto/`. Nothing here is written
//! by hand but the list of what the generator made.

#[expect(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code; its comments come from the contracts"
)]
mod wire {
    include!(concat!(env!("OUT_DIR"), "/wire.rs"));
}

pub use wire::{google, redress};

/// The compiled contracts with their comments, as reflection serves them.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/redress.bin"));

/// A request that changes something: it carries an idempotency key.
pub trait Mutation: prost::Message {
    /// The rpc it belongs to, e.g. `CaseService.DecideCase`.
    const RPC: &'static str;
    /// The caller's idempotency key.
    fn request_id(&self) -> &str;
}

include!(concat!(env!("OUT_DIR"), "/mutations.rs"));

/// Who may call each rpc, by its path: numbers of [`redress::access::v1::Role`], as
/// the contracts name them. Sorted by path.
pub const CALLERS: &[(&str, &[i32])] = include!(concat!(env!("OUT_DIR"), "/callers.rs"));
