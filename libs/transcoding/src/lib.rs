//! HTTP/JSON for gRPC contracts, by the contracts themselves: no server in it, and no type
//! of a contract.
//!
//! [`Contracts`] reads descriptors and their `google.api.http` rules. [`Contracts::route`]
//! finds the rpc that a method and a path mean; [`bind`] makes its request of path, query,
//! headers and body, or says everything that is wrong with them at once; [`answer`] and
//! [`status`] write what comes back. [`openapi::document`] describes it all.
//!
//! The JSON is proto3's, read strictly: an unknown field, one that is named twice, an
//! unknown name of an enum and a null in a list are refused, each by its path.
#![warn(clippy::missing_errors_doc)]

mod answer;
mod contracts;
mod json;
pub mod limits;
mod node;
pub mod openapi;
mod request;
mod scalar;
pub mod status;
mod template;
#[cfg(test)]
mod tests;
mod violation;

pub use answer::{Unwritable, answer};
pub use contracts::{Contracts, ContractsError, Found, Route, RouteBody, Rpc};
pub use json::read;
pub use request::{HttpCall, bind, bind_headers};
pub use template::{Template, TemplateError};
pub use violation::{Refused, Violation};
