//! Calling Redress.
//!
//! [`Client::connect`] yields [`Calls`], a channel every generated client works on:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use client::{Client, ClientOptions, Token};
//! use proto::redress::cases::v1::{GetCaseRequest, case_service_client::CaseServiceClient};
//!
//! let client = Client::connect(ClientOptions::at("http://127.0.0.1:50051".parse()?)).await?;
//! let mut cases = CaseServiceClient::new(client.calls());
//! let answer = cases.get_case(GetCaseRequest { case_id: "…".into() }).await?;
//! let seen = Token::of(&answer); // of a mutation: present it to read what was written
//! # Ok(()) }
//! ```
//!
//! - Every call has a deadline, told to the server as `grpc-timeout`.
//! - A call that failed for want of an answer, or was told to come back later, is
//!   repeated until its deadline. That is safe because every request that changes
//!   something carries a `request_id`. Streams are passed through as they are.
//! - The current trace goes along, and with it who calls ([`ClientOptions`]).
//! - [`download`] fetches files that come in parts, whole.
//! - [`worker`] is the kit departments carry out their tasks with.
//!
//! No service is named here: a call goes where the package of its rpc says.
#![warn(clippy::missing_errors_doc)]

mod calls;
mod consistency;
mod contracts;
pub mod download;
mod options;
mod retry;
pub mod trace;
pub mod worker;

pub use calls::{Calls, Client};
pub use consistency::Token;
pub use options::{Certificate, ClientOptions, ConnectError, Endpoints};
