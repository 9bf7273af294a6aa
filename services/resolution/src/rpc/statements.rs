//! A statement read as it comes: each message in a transaction of its own, so that neither
//! memory nor a lock grows with it. Nobody sees it before it is done.

use fault::Fault;
use kernel::Caller;
use pg::Db;
use proto::redress::resolution::v1::{ReconcileStatementRequest, StatementRow};
use tonic::Streaming;
use uuid::Uuid;

use crate::ledger::statement::{Header, MAX_ROWS, MAX_ROWS_AT_ONCE, Reconciliation, Row, Verdict};
use crate::refusal::Refusal;
use crate::store;
use crate::wire;

/// Rows looked at in one transaction once all are there.
const STEP: i64 = 1_000;

/// The rows of a call, and what tells them from others.
pub(super) struct Incoming {
    rows: Streaming<ReconcileStatementRequest>,
    hash: [u8; 32],
    count: i64,
    last: i64,
}

impl Incoming {
    /// Reads the first message.
    pub(super) async fn open(
        mut rows: Streaming<ReconcileStatementRequest>,
    ) -> Result<(Header, Vec<Row>, Self), tonic::Status> {
        let first = rows.message().await?.unwrap_or_default();
        let mut incoming = Self { rows, hash: [0; 32], count: 0, last: 0 };
        let of = ReconcileStatementRequest { rows: Vec::new(), ..first.clone() };
        incoming.hash = pg::request_hash(&of);
        incoming.mix(&first.rows);
        let (header, rows) = wire::statements::first(first)?;
        incoming.taken(&rows)?;
        Ok((header, rows, incoming))
    }

    /// The rows of the next message; none after the last.
    async fn next(&mut self) -> Result<Option<Vec<Row>>, tonic::Status> {
        let Some(message) = self.rows.message().await? else { return Ok(None) };
        self.mix(&message.rows);
        let rows = wire::statements::more(message, self.last)?;
        self.taken(&rows)?;
        Ok(Some(rows))
    }

    /// Rows tell the same however they are spread over messages.
    fn mix(&mut self, rows: &[StatementRow]) {
        for row in rows {
            let link = ReconcileStatementRequest {
                request_id: format!("{:02x?}", self.hash),
                rows: vec![row.clone()],
                ..ReconcileStatementRequest::default()
            };
            self.hash = pg::request_hash(&link);
        }
    }

    fn taken(&mut self, rows: &[Row]) -> Result<(), Fault> {
        self.count += i64::try_from(rows.len()).unwrap_or(i64::MAX);
        self.last = rows.last().map_or(self.last, |row| row.number);
        if self.count > MAX_ROWS { Err(Refusal::StatementTooLong.into()) } else { Ok(()) }
    }
}

/// Holds a statement against the ledger; one that is done under its key is answered again.
pub(super) async fn reconcile(
    db: &Db,
    caller: &Caller,
    header: Header,
    first: Vec<Row>,
    mut incoming: Incoming,
) -> Result<Reconciliation, tonic::Status> {
    if let Some(known) = known(db, caller, &header.request_id).await? {
        while incoming.next().await?.is_some() {}
        return Ok(same(known, &incoming.hash)?);
    }
    clear(db, caller).await?;
    let begun = begin(db, caller, header).await?;
    let outcome = run(db, caller, &begun, first, &mut incoming).await;
    match outcome {
        Ok(true) => {}
        // It broke off, or another was faster under its key: nothing of it stays.
        Ok(false) | Err(_) => remove(db, caller, begun.reconciliation_id).await?,
    }
    outcome?;
    let done = known(db, caller, &begun.header.request_id).await?;
    let done = done.ok_or_else(|| Fault::internal("a statement is done and cannot be found"))?;
    Ok(same(done, &incoming.hash)?)
}

type Known = (Reconciliation, Vec<u8>);

async fn known(db: &Db, caller: &Caller, request_id: &str) -> Result<Option<Known>, Fault> {
    db.transact("resolution.statement_known", &caller.tenant, async |mut tx| {
        let known = store::statements::under_key(&mut tx, request_id).await?;
        Ok((tx, known))
    })
    .await
}

fn same((done, hash): Known, asked: &[u8]) -> Result<Reconciliation, Fault> {
    if hash == asked { Ok(done) } else { Err(pg::key_reused()) }
}

async fn begin(db: &Db, caller: &Caller, header: Header) -> Result<Reconciliation, Fault> {
    db.transact("resolution.statement_begin", &caller.tenant, async move |mut tx| {
        let begun = Reconciliation {
            reconciliation_id: tx.new_id(),
            header,
            author: caller.subject.to_string(),
            created_at: tx.now(),
            row_count: 0,
            counts: [0; Verdict::ALL.len()],
        };
        store::statements::begin(&mut tx, &begun).await?;
        Ok((tx, begun))
    })
    .await
}

/// Answers whether it is the one that is done under its key.
async fn run(
    db: &Db,
    caller: &Caller,
    begun: &Reconciliation,
    first: Vec<Row>,
    incoming: &mut Incoming,
) -> Result<bool, tonic::Status> {
    let mut rows = Some(first);
    while let Some(some) = rows {
        debug_assert!(some.len() <= MAX_ROWS_AT_ONCE);
        db.transact("resolution.statement_rows", &caller.tenant, async |mut tx| {
            store::statements::add(&mut tx, begun, &some).await?;
            Ok((tx, ()))
        })
        .await?;
        rows = incoming.next().await?;
    }
    let mut after = Some(0);
    while let Some(last) = after {
        after = db
            .transact("resolution.statement_settle", &caller.tenant, async |mut tx| {
                let last = store::statements::settle(&mut tx, begun, last, STEP).await?;
                Ok((tx, last))
            })
            .await?;
    }
    let (from, _) = begun.header.period.ids();
    let mut after = Some((from, incoming.last));
    while let Some(last) = after {
        after = db
            .transact("resolution.statement_missing", &caller.tenant, async |mut tx| {
                let last = store::statements::add_missing(&mut tx, begun, last, STEP).await?;
                Ok((tx, last))
            })
            .await?;
    }
    let hash = incoming.hash;
    let finished = db
        .transact("resolution.statement_finish", &caller.tenant, async move |mut tx| {
            store::statements::finish(&mut tx, begun, &hash).await?;
            Ok((tx, ()))
        })
        .await;
    match finished {
        Ok(()) => Ok(true),
        Err(fault) if fault.reason() == pg::key_reused().reason() => Ok(false),
        Err(fault) => Err(fault.into()),
    }
}

/// Removes what broke off before and was not removed then: its process stopped.
async fn clear(db: &Db, caller: &Caller) -> Result<(), Fault> {
    let old = db
        .transact("resolution.statement_old", &caller.tenant, async |mut tx| {
            let old = store::statements::broken_off(&mut tx).await?;
            Ok((tx, old))
        })
        .await?;
    match old {
        Some(old) => remove(db, caller, old).await,
        None => Ok(()),
    }
}

async fn remove(db: &Db, caller: &Caller, id: Uuid) -> Result<(), Fault> {
    let mut more = true;
    while more {
        more = db
            .transact("resolution.statement_remove", &caller.tenant, async |mut tx| {
                let more = store::statements::remove(&mut tx, id, STEP).await?;
                Ok((tx, more))
            })
            .await?;
    }
    Ok(())
}
