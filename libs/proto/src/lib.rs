//! Wire types, generated from the contracts in `proto/`. Nothing here is written
//! by hand but the list of what the generator made, the shape of what is read off the contracts,
//! and the bound of what is decoded.
#![warn(clippy::missing_errors_doc)]

pub mod activity;
pub mod codec;

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

use prost::Message as _;
use prost_types::FileDescriptorSet;

pub use wire::{google, redress};

/// The compiled contracts without their comments: what programs read.
pub const BARE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/redress.bare.bin"));

/// The compiled contracts with their comments, as reflection serves them and people read them.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/redress.bin"));

/// The contracts, to be read by programs.
///
/// # Panics
///
/// When this program was built wrongly: nothing could be said of any rpc, neither who
/// may call it nor how long it may take.
pub fn descriptors() -> FileDescriptorSet {
    #[expect(clippy::expect_used, reason = "the compiler of the contracts wrote them")]
    FileDescriptorSet::decode(BARE_DESCRIPTOR_SET).expect("the contracts are compiled into this program")
}

/// A request that changes something: it carries an idempotency key.
pub trait Mutation: prost::Message {
    /// The rpc it belongs to, e.g. `CaseService.DecideCase`.
    const RPC: &'static str;
    /// The caller's idempotency key.
    fn request_id(&self) -> &str;
}

include!(concat!(env!("OUT_DIR"), "/mutations.rs"));
include!(concat!(env!("OUT_DIR"), "/servers.rs"));

/// Who may call each rpc, by its path: numbers of [`redress::access::v1::Role`], as
/// the contracts name them. Sorted by path.
pub const CALLERS: &[(&str, &[i32])] = include!(concat!(env!("OUT_DIR"), "/callers.rs"));

/// Numbers of the fields of messages by whose value alone something may be done, by the full
/// name of the message. Sorted by name.
pub const CAPABILITIES: &[(&str, &[u32])] = include!(concat!(env!("OUT_DIR"), "/capabilities.rs"));

/// Fields of a complaint that count as what was said as they are written, by their paths in
/// numbers of fields; of the others that count, `redress.intake.v1.content` says so.
pub const VERBATIM_CONTENT: &[&[u32]] = include!(concat!(env!("OUT_DIR"), "/verbatim.rs"));

/// Fields of messages in whose messages there are [`CAPABILITIES`], however deep: their numbers and
/// the full names of their messages, by the full name of the message that has them. Sorted by name.
pub const CAPABILITY_BEARERS: &[(&str, &[(u32, &str)])] =
    include!(concat!(env!("OUT_DIR"), "/capability_bearers.rs"));

/// Header that carries a consistency token: `<source>:<position>`, and `:bulk` after it
/// where the position is of the feed's bulk lane.
pub const CONSISTENCY_TOKEN: &str = "redress-consistency-token";

const NANOS_PER_SECOND: i32 = 1_000_000_000;
/// Longest that protobuf lets a length of time be: 10 000 years.
const LONGEST_SECONDS: u64 = 315_576_000_000;

/// A length of time from the wire; none where it is negative or its parts are out of
/// range. prost's own conversion panics at the extremes.
pub fn duration(duration: &prost_types::Duration) -> Option<std::time::Duration> {
    let seconds = u64::try_from(duration.seconds).ok().filter(|seconds| *seconds <= LONGEST_SECONDS)?;
    let nanos =
        u32::try_from(duration.nanos).ok().filter(|nanos| *nanos < NANOS_PER_SECOND.unsigned_abs())?;
    Some(std::time::Duration::new(seconds, nanos))
}

/// A moment as the wire writes it.
pub fn timestamp(time: jiff::Timestamp) -> prost_types::Timestamp {
    let (seconds, nanos) = (time.as_second(), time.subsec_nanosecond());
    if nanos < 0 {
        // Before 1970 jiff counts back from the second; the wire always counts on.
        return prost_types::Timestamp { seconds: seconds - 1, nanos: nanos + NANOS_PER_SECOND };
    }
    prost_types::Timestamp { seconds, nanos }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_before_1970_count_on_from_their_second() {
        for (micros, seconds, nanos) in
            [(1_500_000, 1, 500_000_000), (-1, -1, 999_999_000), (-1_000_000, -1, 0)]
        {
            let time = jiff::Timestamp::from_microsecond(micros).unwrap();
            assert_eq!(timestamp(time), prost_types::Timestamp { seconds, nanos });
        }
    }

    #[test]
    fn the_contracts_can_be_read() {
        assert!(descriptors().file.iter().any(|file| file.package() == "redress.cases.v1"));
    }
}
