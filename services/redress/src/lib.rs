//! Redress in one binary: the five services as one process, the command line to
//! talk to them wherever they run, and the way to the demonstration of both.
//!
//! The only crate, beside the tests, that knows more than one service, and the console.
//!
//! - [`cli`] is the command line: one file a noun, each rpc a verb.
//! - `suite` is the five services in this process, over a Postgres of their own.
//! - `import` reads files of complaints.
//!
//! Crates of their own: `show` turns answers into tables for people or JSON for programs,
//! `demo` plays everyone at once.
//!
//! To add a verb: a variant in its noun's file under `cli/`, its arguments, and the
//! few lines that call the rpc and say how the answer reads.

pub mod cli;
mod import;
mod suite;

use server::Service;

pub use cli::main;

/// The five services, in the order a complaint meets them.
pub const SERVICES: [Service; 5] =
    [intake::SERVICE, cases::SERVICE, assignment::SERVICE, resolution::SERVICE, feedback::SERVICE];
