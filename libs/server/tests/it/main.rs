//! The process around a service, with services made for the test. Keys and
//! certificates below `pems/` were made for these tests and are good for nothing
//! else.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod calls;
mod feeds;
mod identity;
mod json;
mod probe;
mod roles;
mod settings;
mod skew;
mod stop;
mod telemetry;
mod web;
