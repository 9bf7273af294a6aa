//! Drives the whole suite as its users do: citizens, agents, supervisors,
//! departments and operators, all over gRPC. Every test in `tests/suite` stands on
//! these.
//!
//! - [`processes`]: the five services as five processes, which can be killed,
//!   stopped and started again; [`up`]: all of them as one; [`roster`]: who handles
//!   their cases.
//! - [`observed`]: what happens to cases, heard from the event feeds.
//! - [`life`]: the people around a case, who play its whole life;
//!   [`complaint`]: what they complain about.
//! - [`postgres`]: a database that can be killed.
//! - [`department`]: workers that carry out tasks and keep a ledger of it.
//! - [`reached`]: a department whose tasks are brought to it.
//! - [`books`]: what is on record when all is over.
//!
//! All of them speak through a [`client::Client`] and repeat what got no answer
//! under the same `request_id`, as a client should: so they work over one house
//! in this process as over processes that are being killed.

pub mod books;
pub mod complaint;
pub mod department;
pub mod life;
pub mod observed;
pub mod postgres;
pub mod processes;
pub mod reached;
pub mod roster;
pub mod up;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use client::{Client, ClientOptions};
use server::Service;
use testkit::{Database, House};

/// All there are.
pub const SERVICES: [Service; 5] =
    [intake::SERVICE, cases::SERVICE, assignment::SERVICE, resolution::SERVICE, feedback::SERVICE];

/// A database with the schemas of all services.
pub async fn database() -> anyhow::Result<Database> {
    // The name a house of all services gives its template: it is made once for both.
    let names = SERVICES.map(|service| service.name).join(",");
    Database::copy_of(&names, async |url| server::migrate(&url, &SERVICES).await).await
}

/// A client of a house, for the development tenant.
pub fn client_of(house: &House) -> anyhow::Result<Client> {
    let uri = format!("http://{}", house.address()).parse()?;
    Ok(Client::lazy(ClientOptions::at(uri))?)
}

/// A file of the folder `REDRESS_DATA` names, where real data lie.
pub fn real_data(file: &str) -> anyhow::Result<PathBuf> {
    let folder = std::env::var_os("REDRESS_DATA");
    let folder = folder.with_context(|| format!("REDRESS_DATA does not name the folder with {file}"))?;
    Ok(Path::new(&folder).join(file))
}
