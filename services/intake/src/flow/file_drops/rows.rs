//! The rows of a file: read a chunk at a time beside the calls, completed by what the drop says,
//! and registered, each on its own.

use std::fs::File;
use std::time::Duration;

use fault::{Fault, Kind, Refusal as _};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use imports::{Mapping, Problem, Reading, Row, Rows, Source, Written};
use kernel::role::Roles;
use kernel::time::doubled;
use kernel::{Caller, Lane, Role, TenantId};
use pg::Db;
use prost::Message as _;
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{Channel, Complaint, RegulatorDetail, SubmitComplaintRequest};
use server::Length;
use uuid::Uuid;

use crate::dropped_file::{DroppedFile, MAX_FILE, MAX_ROWS, Refusal as RowRefusal, RowVerdict, Verdict};
use crate::file_drop::Settings;
use crate::flow::submissions::Submissions;
use crate::refusal::Refusal;
use crate::store;

/// Most rows of a chunk.
const CHUNK: usize = 256;
/// Bytes of rows after which a chunk is full.
const CHUNK_BYTES: usize = 2 << 20;
/// Rows of one file that are in the queue of submissions at once: what others bring in bulk has
/// its places beside them.
const AT_ONCE: usize = 64;
/// How often a row is tried again in its place where the queue is full.
const TRIES: i32 = 5;
/// When it is first tried again.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// Longest until it is tried again.
const LAST_RETRY: Duration = Duration::from_secs(2);
/// After so many tries a row that fails by a mistake of ours is refused, so that those after it
/// go on.
const TRIES_OF_ONE: i32 = 5;

/// Opens a file; an error is for who put it there.
async fn open(
    tenant: &TenantId,
    content: File,
    (name, settings): (&str, &Settings),
) -> Result<anyhow::Result<Rows>, Fault> {
    let (name, settings) = (name.to_owned(), settings.clone());
    let open = move || opened(content, &name, &settings, MAX_FILE).map(|reading| reading.rows);
    server::blocking(tenant, Length::Long, "dropped_file.open", open).await
}

/// Opens a file of at most so many bytes, unpacked; an error is for who put it there.
pub(super) fn opened(content: File, name: &str, settings: &Settings, most: u64) -> anyhow::Result<Reading> {
    let source = Source::of(content, name, most)?;
    let mapping = if source.has_columns() { Mapping::read(&settings.mapping)? } else { Mapping::default() };
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let named = |text: String| imports::encoding_named(&text).map_err(anyhow::Error::msg);
    let separated = |text: String| imports::separator_named(&text).map_err(anyhow::Error::msg);
    // A workbook says itself how it is written, and nothing else has sheets.
    let written = if source.is_workbook() {
        Written { sheet: given(&settings.sheet), ..Written::default() }
    } else {
        Written {
            encoding: given(&settings.encoding).map(named).transpose()?,
            separator: given(&settings.separator).map(separated).transpose()?,
            sheet: None,
        }
    };
    source.rows(mapping, &written, |bytes| bytes)
}

/// How many rows a file has, at most one more than it may have; an error is for who put it there.
pub(crate) async fn count(
    tenant: &TenantId,
    content: File,
    named: (&str, &Settings),
) -> Result<anyhow::Result<u64>, Fault> {
    match open(tenant, content, named).await? {
        Ok(mut rows) => {
            let count = move || rows.pass(MAX_ROWS + 1);
            server::blocking(tenant, Length::Long, "dropped_file.count", count).await
        }
        Err(error) => Ok(Err(error)),
    }
}

/// The rows of a file from one on; an error is ours, as they were counted before.
pub(crate) async fn from(
    tenant: &TenantId,
    content: File,
    named: (&str, &Settings),
    first: u64,
) -> Result<anyhow::Result<Rows>, Fault> {
    let mut rows = match open(tenant, content, named).await? {
        Ok(rows) => rows,
        Err(error) => return Ok(Err(error)),
    };
    let pass = move || rows.pass(first).map(|_| rows);
    server::blocking(tenant, Length::Long, "dropped_file.pass", pass).await
}

/// The next rows, and those after them.
pub(crate) async fn chunk(tenant: &TenantId, mut rows: Rows) -> Result<(Vec<Row>, Rows), Fault> {
    let read = move || {
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        while chunk.len() < CHUNK && bytes < CHUNK_BYTES {
            let Some(row) = rows.next().transpose()? else { break };
            bytes += row.complaint.as_ref().map_or(0, Complaint::encoded_len);
            chunk.push(row);
        }
        anyhow::Ok((chunk, rows))
    };
    server::blocking(tenant, Length::Quick, "dropped_file.rows", read).await?.map_err(Fault::internal)
}

/// Registers the rows of a file.
pub(crate) struct Registrar<'a> {
    pub(crate) db: &'a Db,
    pub(crate) submissions: &'a Submissions,
    pub(crate) tenant: &'a TenantId,
    pub(crate) settings: &'a Settings,
    pub(crate) file: &'a DroppedFile,
}

impl Registrar<'_> {
    /// Registers rows, each on its own; a verdict for each, in their order. Fails only where the
    /// same would come right later.
    pub(crate) async fn register(&self, rows: Vec<Row>) -> Result<Vec<RowVerdict>, Fault> {
        let verdicts = stream::iter(rows).map(|row| self.verdict(row)).buffered(AT_ONCE);
        verdicts.try_collect().await
    }

    async fn verdict(&self, row: Row) -> Result<RowVerdict, Fault> {
        let number = row.number;
        let reference = row.complaint.as_ref().map(|one| one.external_ref.clone()).unwrap_or_default();
        let verdict = match of_drop(row, self.settings) {
            Ok(complaint) => self.submitted(number, complaint).await?,
            Err(refusal) => Verdict::Refused(refusal),
        };
        Ok(RowVerdict { number, reference: crate::dropped_file::cut(&reference), verdict })
    }

    /// Registers a complaint under the key of its row.
    async fn submitted(&self, number: u64, complaint: Complaint) -> Result<Verdict, Fault> {
        let request =
            SubmitComplaintRequest { request_id: self.file.request_id(number), complaint: Some(complaint) };
        let caller = Caller {
            tenant: self.tenant.clone(),
            subject: format!("file-drop:{}", self.settings.id).into(),
            roles: Roles::one(Role::Channel),
        };
        let mut tries = 0;
        let fault = loop {
            match self.submissions.submit(&caller, Lane::Bulk, request.clone()).await {
                Ok((done, _)) => {
                    let id = done.answer.complaint_id.parse().map_err(Fault::internal)?;
                    let before = done.answer.already_registered || self.file.is_after(id);
                    return Ok(Verdict::Registered { id, before });
                }
                Err(fault) if fault.kind() == Kind::Exhausted && tries < TRIES => {
                    tokio::time::sleep(doubled(FIRST_RETRY, LAST_RETRY, tries)).await;
                    tries += 1;
                }
                Err(fault) => break fault,
            }
        };
        // This row of this content was registered when the drop said otherwise how it is read.
        if fault.reason() == Refusal::KeyReused.reason()
            && let Some(id) = self.registered(request.request_id).await?
        {
            return Ok(Verdict::Registered { id, before: true });
        }
        self.refused(fault)
    }

    /// The complaint that stands under a key.
    async fn registered(&self, request_id: String) -> Result<Option<Uuid>, Fault> {
        let found = self.db.transact("dropped_file.known", self.tenant, async move |mut tx| {
            let found = store::by_request(&mut tx, &request_id).await?;
            Ok((tx, found))
        });
        Ok(found.await?.map(|id| id.0))
    }

    /// What becomes of a row that was refused; what may be otherwise the next time is tried again.
    fn refused(&self, fault: Fault) -> Result<Verdict, Fault> {
        let is_mistake = fault.kind() == Kind::Internal && self.file.attempts >= TRIES_OF_ONE;
        if !work_queue::is_final(&fault) && !is_mistake {
            return Err(fault);
        }
        Ok(Verdict::Refused(row_refusal(&fault)))
    }
}

/// The complaint of a row, with what its drop says; or why it is none, or may not be of this drop.
pub(super) fn of_drop(row: Row, settings: &Settings) -> Result<Complaint, RowRefusal> {
    let refused =
        |reason, wrong: &[(String, String)]| RowRefusal::new(Kind::Invalid.code_name(), reason, wrong);
    let complaint = row.complaint.map_err(|problems| {
        let wrong: Vec<(String, String)> = problems.into_iter().map(told).collect();
        refused("UNREADABLE_ROW", &wrong)
    })?;
    completed(complaint, settings)
        .map_err(|(reason, field, problem)| refused(reason, &[(field.to_owned(), problem.to_owned())]))
}

/// Why a row was refused, as far as it is told.
pub(super) fn row_refusal(fault: &Fault) -> RowRefusal {
    let mut wrong: Vec<(String, String)> =
        fault.violations().iter().map(|one| (one.field.clone(), one.description.clone())).collect();
    if wrong.is_empty() {
        wrong.push((String::new(), fault.message().to_owned()));
    }
    RowRefusal::new(fault.kind().code_name(), fault.reason(), &wrong)
}

/// A problem of a row: its field, and in words what is wrong with the cell.
fn told(problem: Problem) -> (String, String) {
    let Problem { kind, field, column, value, why } = problem;
    // The command line says how it is told the encoding; who drops files has no such way.
    let why = if kind == imports::Kind::NotText { "has bytes that are no text".to_owned() } else { why };
    let words = Problem { kind, field: None, column: None, value, why }.to_string();
    let words = column.map_or(words.clone(), |column| format!("{column}: {words}"));
    (field.unwrap_or_default(), words)
}

/// A complaint with what its drop says; or why it may not be of this drop: reason, field and words.
fn completed(
    mut complaint: Complaint,
    settings: &Settings,
) -> Result<Complaint, (&'static str, &'static str, &'static str)> {
    let channel = i32::from(settings.channel);
    if complaint.channel == 0 {
        complaint.channel = channel;
    } else if complaint.channel != channel {
        return Err(("ANOTHER_CHANNEL", "complaint.channel", "is not the channel of this file drop"));
    }
    if complaint.language.is_empty() {
        complaint.language.clone_from(&settings.language);
    }
    if channel == i32::from(Channel::Regulator) && !settings.authority.is_empty() {
        let detail = complaint
            .channel_detail
            .get_or_insert_with(|| ChannelDetail::Regulator(RegulatorDetail::default()));
        if let ChannelDetail::Regulator(detail) = detail {
            if detail.authority.is_empty() {
                detail.authority.clone_from(&settings.authority);
            } else if detail.authority != settings.authority {
                let wrong = "is not the authority of this file drop";
                return Err(("ANOTHER_AUTHORITY", "complaint.regulator.authority", wrong));
            }
        }
    }
    Ok(complaint)
}

#[cfg(test)]
mod tests;
