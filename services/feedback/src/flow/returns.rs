//! Returns are made page by page, each read in a transaction of its own and written beside the
//! calls: twice, first to see whether all of it is complete, then to send it.

use std::sync::Arc;

use fault::Fault;
use kernel::TenantId;
use pg::Db;
use server::Length;
use sha2::{Digest as _, Sha256};

use super::rebuild;
use crate::refusal::Refusal;
use crate::report::CHUNK;
use crate::returns::{Completeness, Examined, Maker, Return};
use crate::store;

/// What is made next of a file.
#[derive(Clone, Copy)]
enum Next {
    Head,
    /// The records after one.
    Records(Option<store::ReturnPlace>),
    Tail,
    Nothing,
}

/// A file on its way.
struct Making {
    db: Db,
    tenant: TenantId,
    of: Arc<Return>,
    /// None while it is at work beside the calls.
    maker: Option<Maker>,
    next: Next,
}

impl Making {
    fn new(db: Db, tenant: TenantId, of: Arc<Return>) -> Self {
        let maker = Some(Maker::new(Arc::clone(&of)));
        Self { db, tenant, of, maker, next: Next::Head }
    }

    /// The next part; none after the last.
    async fn part(&mut self) -> Result<Option<String>, Fault> {
        let (records, next) = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Head => (None, Next::Records(None)),
            Next::Records(after) => {
                let of = Arc::clone(&self.of);
                let read = self.db.transact("return.records", &self.tenant, async move |mut tx| {
                    rebuild::refuse_while_rebuilding(&mut tx).await?;
                    let read = store::return_records(&mut tx, &of, after).await?;
                    Ok((tx, read))
                });
                let (records, last) = read.await?;
                (Some(records), last.map_or(Next::Tail, |last| Next::Records(Some(last))))
            }
            Next::Tail => (None, Next::Nothing),
            Next::Nothing => return Ok(None),
        };
        let is_tail = records.is_none() && matches!(next, Next::Nothing);
        let mut maker = self.maker.take().ok_or_else(|| Fault::internal("a return is made twice at once"))?;
        let write = move || {
            let part = match records {
                Some(records) => maker.take(&records),
                None if is_tail => maker.tail(),
                None => maker.head(),
            };
            (maker, part)
        };
        let (maker, part) = server::blocking(&self.tenant, Length::Quick, "return.part", write).await?;
        (self.maker, self.next) = (Some(maker), next);
        Ok(Some(part))
    }

    fn completeness(&mut self) -> Completeness {
        self.maker.take().map(|maker| maker.completeness).unwrap_or_default()
    }
}

/// Reads all of a return, and keeps nothing of it.
pub(crate) async fn examine(db: &Db, tenant: &TenantId, of: &Arc<Return>) -> Result<Examined, Fault> {
    let mut making = Making::new(db.clone(), tenant.clone(), Arc::clone(of));
    let (mut hash, mut size) = (Sha256::new(), 0);
    while let Some(part) = making.part().await? {
        hash.update(&part);
        size += part.len();
    }
    Ok(Examined { completeness: making.completeness(), size, sha256: hash.finalize().to_vec() })
}

/// A file that is sent.
pub(crate) struct Sending {
    making: Making,
    ready: Vec<u8>,
    hash: Sha256,
    expected: Vec<u8>,
    is_checked: bool,
}

impl Sending {
    /// Sends a file that was examined.
    pub(crate) fn new(db: Db, tenant: TenantId, of: Arc<Return>, examined: Examined) -> Self {
        let making = Making::new(db, tenant, of);
        Self { making, ready: Vec::new(), hash: Sha256::new(), expected: examined.sha256, is_checked: false }
    }

    /// The next bytes; none after the last. The last are sent only where all that was sent is
    /// what was examined.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        while !self.is_checked && self.ready.len() <= CHUNK {
            if let Some(part) = self.making.part().await? {
                self.hash.update(&part);
                self.ready.extend_from_slice(part.as_bytes());
                continue;
            }
            let sent = std::mem::take(&mut self.hash).finalize();
            if sent.as_slice() != self.expected.as_slice() {
                return Err(Refusal::ReturnChanged.into());
            }
            self.is_checked = true;
        }
        let rest = self.ready.split_off(self.ready.len().min(CHUNK));
        let chunk = std::mem::replace(&mut self.ready, rest);
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}
