//! The suite as a whole: end to end, killed, cut off, replayed.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod acting;
mod chaos;
mod contracts;
mod embedded;
mod figures;
mod house;
mod import;
mod journey;
mod limits;
mod outage;
mod processes;
mod replay;
mod roles;
mod rungs;
mod tenants;
mod trace;
mod twice;
