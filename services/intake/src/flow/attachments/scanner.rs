//! Has attachments that are whole looked at by clamd before anybody can fetch them. What
//! cannot be scanned waits, and is tried again; it is never taken to be clean.

use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use kernel::time::{doubled, later};
use pg::Db;
use server::Stop;

use super::UNSCANNED;
use super::clamd::{Address, Verdict};
use super::contents::Contents;
use crate::attachment::{Attachment, CHUNK, Reason, State};
use crate::store::attachments as store;
use crate::store::attachments::keeping::{self, Found};

/// How often to look, notified or not.
const POLL: Duration = Duration::from_secs(1);
/// For how long a scan is one replica's; beyond, it is taken to have died.
const LEASE: Duration = Duration::from_mins(10);
/// When one is tried again that could not be scanned, for the first time; the double each
/// time after that.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Longest until one is tried again.
const LAST_RETRY: Duration = Duration::from_mins(5);

/// Scans what is to be scanned.
pub(crate) struct Scanner {
    db: Db,
    contents: Arc<Contents>,
    clamd: Address,
    /// Whether the last scan failed: told once, not for each.
    is_away: bool,
    /// What is being scanned.
    under_way: Option<Found>,
}

impl Scanner {
    pub(crate) fn new(db: Db, contents: Arc<Contents>, clamd: Address) -> Self {
        Self { db, contents, clamd, is_away: false, under_way: None }
    }

    /// Scans until told to stop. A scan that is given up then is another's at once; that of
    /// one who died, after its lease.
    pub(crate) async fn run(mut self, stop: Stop) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.scan_for_ever() => {}
        }
        if let Some(found) = self.under_way.take()
            && let Err(fault) = self.scan_again(&found, Duration::ZERO).await
        {
            tracing::debug!(fault = fault.chain(), "a scan that was given up waits for its lease to end");
        }
    }

    async fn scan_for_ever(&mut self) {
        let mut listener = self.db.notifier().listen(UNSCANNED);
        loop {
            match self.scan_next().await {
                Ok(true) => {}
                Ok(false) => listener.notified_within(POLL).await,
                Err(fault) => {
                    tracing::warn!(fault = fault.chain(), "attachments cannot be scanned now");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    /// Scans the attachment whose turn it is; answers whether there was one.
    async fn scan_next(&mut self) -> Result<bool, Fault> {
        let next = self.db.transact_as_worker("attachment.take", async |mut tx| {
            let now = tx.now();
            let found = keeping::take_unscanned(&mut tx, now, later(now, LEASE)).await?;
            Ok((tx, found))
        });
        let Some(found) = next.await? else { return Ok(false) };
        self.under_way = Some(found.clone());
        self.scan(&found).await?;
        self.under_way = None;
        Ok(true)
    }

    async fn scan(&mut self, found: &Found) -> Result<(), Fault> {
        match self.scanned(found).await {
            Ok(Some(verdict)) => {
                if std::mem::take(&mut self.is_away) {
                    tracing::info!("clamd answers again; attachments are scanned");
                }
                self.settle(found, verdict).await
            }
            Ok(None) => Ok(()),
            Err(error) => self.put_off(found, &error).await,
        }
    }

    /// What clamd says of a content; none where it is gone meanwhile.
    async fn scanned(&self, found: &Found) -> anyhow::Result<Option<Verdict>> {
        let read = self.db.transact("attachment.get", &found.tenant, async |mut tx| {
            let attachment = store::get(&mut tx, found.id).await?;
            Ok((tx, attachment))
        });
        let attachment = read.await.map_err(|fault| told(&fault))?;
        let Some(attachment) = attachment.filter(|one| one.state == State::Scanning) else { return Ok(None) };
        let mut scan = self.clamd.begin().await?;
        let mut from = 0;
        while from < found.size {
            let piece = self.piece(found, &attachment, from).await?;
            from += i64::try_from(piece.len())?;
            if let Err(error) = scan.send(&piece).await {
                // It may have said why before it hung up, as for what is too large.
                return scan.verdict().await.map(Some).map_err(|said| said_or(said, error).into());
            }
        }
        Ok(Some(scan.verdict().await?))
    }

    async fn piece(&self, found: &Found, of: &Attachment, from: i64) -> anyhow::Result<Vec<u8>> {
        let to = (from + i64::try_from(CHUNK)?).min(found.size);
        self.contents.part(&found.tenant, of, (from, to)).await.map_err(|fault| told(&fault))
    }

    async fn settle(&self, found: &Found, verdict: Verdict) -> Result<(), Fault> {
        self.db
            .transact("attachment.scanned", &found.tenant, async |mut tx| {
                let now = store::lock(&mut tx, found.id).await?;
                if now.is_some_and(|one| one.state == State::Scanning) {
                    match &verdict {
                        Verdict::Clean => keeping::scanned_clean(&mut tx, found.id).await?,
                        Verdict::Found(signature) => {
                            store::refuse(&mut tx, found.id, Reason::Malware, signature).await?;
                            tracing::warn!(attachment = %found.id, signature, "malware was found in an attachment");
                        }
                    }
                }
                Ok((tx, ()))
            })
            .await
    }

    async fn put_off(&mut self, found: &Found, error: &anyhow::Error) -> Result<(), Fault> {
        let retry = retry(found.attempts);
        if !std::mem::replace(&mut self.is_away, true) {
            let (attachment, error) = (found.id, format!("{error:#}"));
            tracing::error!(%attachment, error, "clamd does not scan: attachments wait until it does");
        }
        self.scan_again(found, retry).await
    }

    async fn scan_again(&self, found: &Found, after: Duration) -> Result<(), Fault> {
        self.db
            .transact("attachment.scan_again", &found.tenant, async |mut tx| {
                let at = later(tx.now(), after);
                keeping::scan_again(&mut tx, found.id, at).await?;
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

/// When one is tried again that could not be scanned so often before.
fn retry(attempts: i32) -> Duration {
    doubled(FIRST_RETRY, LAST_RETRY, attempts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_cannot_be_scanned_is_tried_less_and_less_often() {
        let seconds: Vec<u64> = (0..11).map(|attempts| retry(attempts).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(retry(i32::MAX), LAST_RETRY);
        assert_eq!(retry(-1), FIRST_RETRY);
    }
}
