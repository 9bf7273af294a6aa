//! Tells how a file would be read, without registering anything of it.

use std::fs::File;
use std::io::{Seek as _, Write as _};

use fault::{Fault, Kind, Refusal as _};
use imports::{Layout, Row, facts};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::TenantId;
use pg::Db;
use proto::redress::intake::v1::{Complaint, SubmitComplaintRequest};
use server::Length;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::place::{Places, Wrong};
use super::rows;
use crate::dropped_file::{MAX_PROBLEMS, Problem, Refusal as RowRefusal};
use crate::file_drop::{On, Settings, Tried};
use crate::refusal::Refusal;
use crate::store::{dropped_files, file_drops};
use crate::wire;

/// Most bytes of a file of a drop that is tried.
const MAX_KEPT: u64 = 32 << 20;
/// Most bytes that a file may unpack to.
const MAX_UNPACKED: u64 = 128 << 20;
/// Most rows that are read.
const MAX_ROWS: u64 = 1_000;
/// Rows that are shown as they would be registered.
const SHOWN: usize = 5;
/// Name of the key that a row is checked with; nothing is registered under it.
const NO_KEY: &str = "file-drop:try";

/// Tries how files would be read.
pub(crate) struct Trials {
    /// One at a time: a workbook may take much memory.
    turn: Semaphore,
}

impl Default for Trials {
    fn default() -> Self {
        Self { turn: Semaphore::new(1) }
    }
}

impl Trials {
    /// Tries a file.
    pub(crate) async fn run(
        &self,
        (db, places): (&Db, &Places),
        tenant: &TenantId,
        (settings, on): (Settings, On),
    ) -> Result<Tried, Fault> {
        let _turn = self.turn.acquire().await.map_err(Fault::internal)?;
        let (content, name) = match on {
            On::Sample(name, bytes) => (spooled(tenant, bytes).await?, name),
            On::Kept(id) => kept(db, places, tenant, id).await?,
        };
        let now = db.clock().now();
        let read = move || tried(content, &name, &settings, now);
        server::blocking(tenant, Length::Long, "file_drop.try", read).await?
    }
}

async fn spooled(tenant: &TenantId, bytes: Vec<u8>) -> Result<File, Fault> {
    let write = move || {
        let mut file = tempfile::tempfile()?;
        file.write_all(&bytes)?;
        file.rewind().map(|()| file)
    };
    server::blocking(tenant, Length::Quick, "file_drop.sample", write).await?.map_err(Fault::internal)
}

/// A file that was put into a drop, and its name.
async fn kept(db: &Db, places: &Places, tenant: &TenantId, id: Uuid) -> Result<(File, String), Fault> {
    let found = db.transact("file_drop.kept", tenant, async move |mut tx| {
        let file = dropped_files::get(&mut tx, id).await?.ok_or(Refusal::DroppedFileNotFound)?;
        let drop = file_drops::get(&mut tx, &file.drop_id).await?.ok_or(Refusal::FileDropNotFound)?;
        Ok((tx, (file, drop)))
    });
    let (file, drop) = found.await?;
    if file.lying.size > MAX_KEPT {
        return Err(Refusal::DroppedFileTooLarge.into());
    }
    let place = places.of(tenant, &drop.settings).map_err(unreachable)?;
    let content = place.kept(&file).await.map_err(unreachable)?.ok_or(Refusal::DroppedFileGone)?;
    Ok((content, file.lying.name))
}

fn unreachable(Wrong { words, .. }: Wrong) -> Fault {
    Fault::new(Kind::Unavailable, Refusal::FileDropUnreachable.reason(), words)
}

/// How a file is read. It computes for seconds at worst.
fn tried(content: File, name: &str, settings: &Settings, now: Timestamp) -> Result<Tried, Fault> {
    let mut tried = Tried::default();
    if let Err(error) = read(&mut tried, content, name, settings, now)? {
        tried.refused = Some(crate::dropped_file::cut(&format!("{error:#}")));
    }
    Ok(tried)
}

/// Reads rows; the inner error is for who put the file there.
fn read(
    tried: &mut Tried,
    content: File,
    name: &str,
    settings: &Settings,
    now: Timestamp,
) -> Result<anyhow::Result<()>, Fault> {
    let reading = match rows::opened(content, name, settings, MAX_UNPACKED) {
        Ok(reading) => reading,
        Err(error) => return Ok(Err(error)),
    };
    tried.layout = reading.layout;
    let zone = zone(&tried.layout);
    for row in reading.rows {
        if tried.rows == MAX_ROWS {
            tried.has_more = true;
            break;
        }
        let row = match row {
            Ok(row) => row,
            Err(error) => return Ok(Err(error)),
        };
        tried.rows += 1;
        let number = row.number;
        match checked(row, settings, now) {
            Ok(complaint) if tried.first_rows.len() < SHOWN => {
                let facts = facts(&complaint, &zone).map_err(|error| Fault::internal(error.to_string()))?;
                tried.first_rows.push((number, facts));
            }
            Ok(_) => {}
            Err(refusal) => {
                tried.refused_rows += 1;
                if tried.problems.len() < MAX_PROBLEMS {
                    tried.problems.push(Problem { row: number, refusal });
                }
            }
        }
    }
    Ok(Ok(()))
}

/// The complaint of a row as it would be registered, or why it would be refused; as far as it says
/// that by itself.
fn checked(row: Row, settings: &Settings, now: Timestamp) -> Result<Complaint, RowRefusal> {
    let complaint = rows::of_drop(row, settings)?;
    let request =
        SubmitComplaintRequest { request_id: NO_KEY.to_owned(), complaint: Some(complaint.clone()) };
    let mut reading = wire::submission(request, now);
    reading.refuse_late();
    reading.done().map_err(|fault| rows::row_refusal(&fault))?;
    Ok(complaint)
}

fn zone(layout: &Layout) -> TimeZone {
    let named = layout.plan.as_ref().and_then(|plan| calendar::zones::get(&plan.zone));
    named.unwrap_or(TimeZone::UTC)
}
