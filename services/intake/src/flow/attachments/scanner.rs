//! Has attachments that are whole looked at by clamd before anybody can fetch them. What
//! cannot be scanned waits, and is tried again; it is never taken to be clean.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fault::Fault;
use pg::Db;
use work_queue::{Blame, Lease, Queue, Trouble, Work};

use super::UNSCANNED;
use super::clamd::{Address, Verdict};
use super::contents::Contents;
use crate::attachment::{Attachment, CHUNK, Reason, State};
use crate::store::attachments as store;
use crate::store::attachments::keeping;

/// For how long a scan is one replica's; beyond, it is taken to have died.
const LEASE: Duration = Duration::from_mins(10);

/// Scans what is to be scanned.
pub(crate) struct Scanner {
    db: Db,
    work: Queue,
    contents: Arc<Contents>,
    clamd: Address,
    /// Whether the last scan failed: told once, not for each.
    is_away: AtomicBool,
}

impl Work for Scanner {
    fn queue(&self) -> &Queue {
        &self.work
    }

    async fn take(&self, lease: &Lease) -> Result<(), Trouble> {
        let verdict = self.scanned(lease).await;
        let verdict = verdict.map_err(|error| Trouble::of_work("NOT_SCANNED", format!("{error:#}")))?;
        let Some(verdict) = verdict else { return Ok(()) };
        if self.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!("clamd answers again; attachments are scanned");
        }
        Ok(self.settle(lease, verdict).await?)
    }

    fn tell(&self, lease: &Lease, trouble: &Trouble, _: i32) {
        if trouble.blame == Blame::Work && !self.is_away.swap(true, Ordering::Relaxed) {
            let attachment = lease.id();
            tracing::error!(%attachment, error = trouble.chain, "clamd does not scan: attachments wait until it does");
        }
    }
}

impl Scanner {
    pub(crate) fn new(db: Db, contents: Arc<Contents>, clamd: Address) -> Self {
        let work =
            Queue::new(("attachment.take", "attachment.scan_again"), UNSCANNED, keeping::unscanned(), LEASE);
        Self { db, work, contents, clamd, is_away: AtomicBool::new(false) }
    }

    /// What clamd says of a content; none where it is gone meanwhile.
    async fn scanned(&self, lease: &Lease) -> anyhow::Result<Option<Verdict>> {
        let read = self.db.transact("attachment.get", lease.tenant(), async |mut tx| {
            let attachment = store::get(&mut tx, lease.id()).await?;
            Ok((tx, attachment))
        });
        let attachment = read.await.map_err(|fault| told(&fault))?;
        let Some(attachment) = attachment.filter(|one| one.state == State::Scanning) else { return Ok(None) };
        let mut scan = self.clamd.begin().await?;
        let mut from = 0;
        while from < attachment.size {
            let piece = self.piece(lease, &attachment, from).await?;
            from += i64::try_from(piece.len())?;
            if let Err(error) = scan.send(&piece).await {
                // It may have said why before it hung up, as for what is too large.
                return scan.verdict().await.map(Some).map_err(|said| said_or(said, error).into());
            }
        }
        Ok(Some(scan.verdict().await?))
    }

    async fn piece(&self, lease: &Lease, of: &Attachment, from: i64) -> anyhow::Result<Vec<u8>> {
        let to = (from + i64::try_from(CHUNK)?).min(of.size);
        self.contents.part(lease.tenant(), of, (from, to)).await.map_err(|fault| told(&fault))
    }

    async fn settle(&self, lease: &Lease, verdict: Verdict) -> Result<(), Fault> {
        let id = lease.id();
        self.db
            .transact("attachment.scanned", lease.tenant(), async |mut tx| {
                let now = store::lock(&mut tx, id).await?;
                if now.is_some_and(|one| one.state == State::Scanning) {
                    match &verdict {
                        Verdict::Clean => keeping::scanned_clean(&mut tx, id).await?,
                        Verdict::Found(signature) => {
                            store::refuse(&mut tx, id, Reason::Malware, signature).await?;
                            tracing::warn!(attachment = %id, signature, "malware was found in an attachment");
                        }
                    }
                }
                Ok((tx, ()))
            })
            .await
    }
}

fn told(fault: &Fault) -> anyhow::Error {
    anyhow::anyhow!("{}", fault.chain())
}

/// What clamd has said, rather than that it hung up.
fn said_or(said: std::io::Error, error: std::io::Error) -> std::io::Error {
    if said.kind() == std::io::ErrorKind::Other { said } else { error }
}
