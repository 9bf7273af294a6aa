//! Work that waits in rows: whose turn it is, when it is tried again, and whose it is meanwhile.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod bench;
mod decisions;
mod leases;
mod turns;
