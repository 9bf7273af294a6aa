//! A transaction: bound to a tenant, with its time, its new ids, and the events it
//! tells of.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{Ids, Lane, TenantId};
use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};
use prost::Name;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use crate::{Db, notifier, trace};

static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    global::meter("redress")
        .f64_histogram("db.client.operation.duration")
        .with_unit("s")
        .with_description("Duration of named pieces of work on the database")
        .build()
});

/// An open transaction. Derefs to its connection, for the store's statements.
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    schema: &'static str,
    tenant: Option<TenantId>,
    now: Timestamp,
    ids: Arc<dyn Ids>,
    traceparent: String,
    lane: Lane,
    pub(crate) events: Vec<Emitted>,
    topics: Vec<&'static str>,
}

/// An event on its way into the outbox.
pub(crate) struct Emitted {
    /// None is our mistake: the transaction fails.
    tenant: Option<TenantId>,
    id: Uuid,
    subject: Uuid,
    kind: String,
    traceparent: String,
    payload: Vec<u8>,
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

impl Tx {
    /// When this transaction happens: the same moment throughout.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A new id that sorts by time.
    pub fn new_id(&self) -> Uuid {
        self.ids.id(self.now)
    }

    /// A new secret token.
    pub fn new_token(&self) -> Uuid {
        self.ids.token()
    }

    /// Tells what happened to a subject, once the transaction commits, in the
    /// trace this transaction belongs to.
    pub fn emit<M: Name>(&mut self, subject: Uuid, payload: &M) {
        let traceparent = self.traceparent.clone();
        self.emit_in(traceparent, subject, payload);
    }

    /// Tells what happened to a subject, in another trace: a batch serves many.
    pub fn emit_in<M: Name>(&mut self, traceparent: String, subject: Uuid, payload: &M) {
        self.events.push(Emitted {
            tenant: self.tenant.clone(),
            id: self.ids.id(self.now),
            subject,
            kind: M::full_name(),
            traceparent,
            payload: payload.encode_to_vec(),
        });
    }

    /// Tells what this transaction has to tell in a lane: what is done about an import
    /// does not overtake what people do. Live unless something else is said.
    pub fn set_lane(&mut self, lane: Lane) {
        self.lane = lane;
    }

    /// The lane that events of this transaction travel in.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Notifies those who wait for a topic once the transaction has committed.
    pub fn notify(&mut self, topic: &'static str) {
        if !self.topics.contains(&topic) {
            self.topics.push(topic);
        }
    }

    /// Puts what follows into a stored trace: a case keeps the context of its
    /// submission, so that whatever people do about it later is in one trace.
    pub fn join_trace(&mut self, traceparent: &str) {
        if !traceparent.is_empty() {
            traceparent.clone_into(&mut self.traceparent);
        }
    }

    /// Puts what follows into a trace: a batch serves many.
    pub(crate) fn follow_trace(&mut self, traceparent: &str) {
        traceparent.clone_into(&mut self.traceparent);
    }

    /// The trace context that events of this transaction carry.
    pub fn traceparent(&self) -> &str {
        &self.traceparent
    }

    /// Binds what follows to a tenant, as the service's role. For batches and
    /// workers, which serve many tenants in one transaction.
    ///
    /// # Errors
    ///
    /// Fails if the database does, which ends the transaction.
    pub async fn act_for(&mut self, tenant: &TenantId) -> Result<(), Fault> {
        if self.tenant.as_ref() != Some(tenant) {
            let schema = self.schema;
            let sql = format!("SET LOCAL ROLE redress_{schema}; SET LOCAL redress.tenant = '{tenant}'");
            self.inner.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            self.tenant = Some(tenant.clone());
        }
        Ok(())
    }

    /// Writes the events into the outbox now and answers the last position; 0 if
    /// there was none. A commit does this by itself.
    pub(crate) async fn flush(&mut self) -> Result<i64, Fault> {
        let events = std::mem::take(&mut self.events);
        let mut last = 0;
        // Row-level security checks each row against one tenant at a time.
        let mut rest = events.as_slice();
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|event| event.tenant == first.tenant).count();
            let (same, others) = rest.split_at(count);
            let tenant = first.tenant.clone().ok_or_else(|| Fault::internal("an event without a tenant"))?;
            self.act_for(&tenant).await?;
            last = self.insert(&tenant, same).await?;
            rest = others;
        }
        Ok(last)
    }

    async fn insert(&mut self, tenant: &TenantId, events: &[Emitted]) -> Result<i64, Fault> {
        let columns = Columns::of(events);
        self.notify(notifier::EVENTS);
        let position = sqlx::query_scalar(
            "WITH told AS (
                 INSERT INTO outbox (tenant_id, event_id, subject, type, occurred_at, traceparent, payload, lane)
                 SELECT $1, e.id, e.subject, e.kind, $2, e.traceparent, e.payload, $8
                 FROM (SELECT UNNEST($3::uuid[]) AS id, UNNEST($4::uuid[]) AS subject,
                              UNNEST($5::text[]) AS kind, UNNEST($6::text[]) AS traceparent,
                              UNNEST($7::bytea[]) AS payload) AS e
                 RETURNING position)
             SELECT max(position) FROM told",
        )
        .bind(tenant.as_str())
        .bind(self.now.to_sqlx())
        .bind(columns.ids)
        .bind(columns.subjects)
        .bind(columns.kinds)
        .bind(columns.traceparents)
        .bind(columns.payloads)
        .bind(self.lane.number())
        .fetch_one(&mut *self.inner)
        .await?;
        Ok(position)
    }
}

/// Events as the columns of one set-based insert.
pub(crate) struct Columns<'a> {
    pub(crate) ids: Vec<Uuid>,
    pub(crate) subjects: Vec<Uuid>,
    pub(crate) kinds: Vec<&'a str>,
    pub(crate) traceparents: Vec<&'a str>,
    pub(crate) payloads: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(events: &'a [Emitted]) -> Self {
        Self {
            ids: events.iter().map(|event| event.id).collect(),
            subjects: events.iter().map(|event| event.subject).collect(),
            kinds: events.iter().map(|event| event.kind.as_str()).collect(),
            traceparents: events.iter().map(|event| event.traceparent.as_str()).collect(),
            payloads: events.iter().map(|event| event.payload.as_slice()).collect(),
        }
    }
}

/// How long a transaction waits before it gives up, where others wait for it.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Longest wait for one lock (SQLSTATE 55P03 after that).
    pub lock: Duration,
    /// Longest that one statement may take (57014 after that).
    pub statement: Duration,
}

/// What a transaction may see from its beginning.
#[derive(Clone, Copy)]
enum Scope<'a> {
    Tenant(&'a TenantId),
    Shared,
    Worker,
    Patient(Option<&'a TenantId>, Patience),
}

impl Db {
    /// Runs a named transaction for a tenant: opened and bound to it in one round
    /// trip. The body owns the transaction and hands it back with its value to have
    /// it committed; failing, or being dropped, rolls it back:
    ///
    /// ```ignore
    /// db.transact("case.get", &tenant, async move |mut tx| {
    ///     let case = store::get(&mut tx, id).await?;
    ///     Ok((tx, case))
    /// })
    /// ```
    ///
    /// Inside, await nothing but statements. Not retried here: a conflict
    /// (deadlock, serialization failure) reaches the caller as ABORTED with
    /// `RetryInfo`, and every mutation can be repeated.
    ///
    /// # Errors
    ///
    /// Fails with the fault of the body; if the clock is off; and if no connection is free in
    /// time or the database fails, which may leave unknown whether a commit took effect.
    //
    // The body takes the transaction by value because rustc cannot yet prove the
    // future of an `AsyncFn(&mut Tx)` to be `Send` inside handlers.
    pub async fn transact<T, F, R>(&self, name: &'static str, tenant: &TenantId, body: F) -> Result<T, Fault>
    where
        F: FnOnce(Tx) -> R,
        R: Future<Output = Result<(Tx, T), Fault>>,
    {
        self.run(name, Scope::Tenant(tenant), body).await
    }

    /// Runs a named transaction that begins with shared tables only; what it does
    /// for a tenant begins with [`Tx::act_for`].
    ///
    /// # Errors
    ///
    /// Fails as [`Self::transact`] does.
    pub async fn transact_shared<T, F, R>(&self, name: &'static str, body: F) -> Result<T, Fault>
    where
        F: FnOnce(Tx) -> R,
        R: Future<Output = Result<(Tx, T), Fault>>,
    {
        self.run(name, Scope::Shared, body).await
    }

    /// Runs a named transaction as the role that serves all tenants; what it does
    /// for one of them begins with [`Tx::act_for`].
    ///
    /// # Errors
    ///
    /// Fails as [`Self::transact`] does.
    pub async fn transact_as_worker<T, F, R>(&self, name: &'static str, body: F) -> Result<T, Fault>
    where
        F: FnOnce(Tx) -> R,
        R: Future<Output = Result<(Tx, T), Fault>>,
    {
        self.run(name, Scope::Worker, body).await
    }

    /// Runs a named transaction that gives up what takes too long, for a tenant or
    /// beginning with shared tables only.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::transact`] does, and if a lock or a statement takes longer than the
    /// patience.
    pub async fn transact_within<T, F, R>(
        &self,
        name: &'static str,
        patience: Patience,
        tenant: Option<&TenantId>,
        body: F,
    ) -> Result<T, Fault>
    where
        F: FnOnce(Tx) -> R,
        R: Future<Output = Result<(Tx, T), Fault>>,
    {
        self.run(name, Scope::Patient(tenant, patience), body).await
    }

    async fn run<T, F, R>(&self, name: &'static str, scope: Scope<'_>, body: F) -> Result<T, Fault>
    where
        F: FnOnce(Tx) -> R,
        R: Future<Output = Result<(Tx, T), Fault>>,
    {
        self.timed(name, self.attempt(scope, body)).await
    }

    /// Records how long a named piece of work on the database takes.
    pub async fn timed<W: Future>(&self, name: &'static str, work: W) -> W::Output {
        let started = Instant::now();
        let outcome = work.await;
        let labels = [KeyValue::new("db.operation.name", name), KeyValue::new("db.namespace", self.schema)];
        DURATION.record(started.elapsed().as_secs_f64(), &labels);
        outcome
    }

    async fn attempt<T, F, R>(&self, scope: Scope<'_>, body: F) -> Result<T, Fault>
    where
        F: FnOnce(Tx) -> R,
        R: Future<Output = Result<(Tx, T), Fault>>,
    {
        let tx = self.begin(scope).await?;
        let (mut tx, value) = body(tx).await?;
        tx.flush().await?;
        tx.inner.commit().await?;
        for topic in tx.topics {
            self.notifier.notify(topic);
        }
        Ok(value)
    }

    async fn begin(&self, scope: Scope<'_>) -> Result<Tx, Fault> {
        let schema = self.schema;
        let (statement, tenant) = match scope {
            Scope::Tenant(tenant) => (format!("BEGIN; SET LOCAL redress.tenant = '{tenant}'"), Some(tenant)),
            Scope::Shared => ("BEGIN".to_owned(), None),
            Scope::Worker => (format!("BEGIN; SET LOCAL ROLE redress_{schema}_worker"), None),
            Scope::Patient(tenant, patience) => (patient(tenant, patience), tenant),
        };
        self.admit().await?;
        let inner = begin(self.pool.clone(), statement).await?;
        Ok(Tx {
            inner,
            schema,
            tenant: tenant.cloned(),
            now: self.clock.now(),
            ids: self.ids.clone(),
            traceparent: trace::current(),
            lane: Lane::Live,
            events: Vec::new(),
            topics: Vec::new(),
        })
    }
}

fn patient(tenant: Option<&TenantId>, Patience { lock, statement }: Patience) -> String {
    let (lock, statement) = (lock.as_millis(), statement.as_millis());
    let begin = format!("BEGIN; SET LOCAL lock_timeout = {lock}; SET LOCAL statement_timeout = {statement}");
    match tenant {
        Some(tenant) => format!("{begin}; SET LOCAL redress.tenant = '{tenant}'"),
        None => begin,
    }
}

/// Opens a transaction, in a task of its own: a caller who leaves half-way would
/// otherwise hand a connection back to the pool with a transaction open on it.
async fn begin(pool: PgPool, statement: String) -> Result<Transaction<'static, Postgres>, Fault> {
    let begun = tokio::spawn(async move {
        // Connections are not tested before use: after a restart of Postgres the pool
        // is full of dead ones, and each failure here discards one.
        let mut spare = pool.options().get_max_connections();
        loop {
            match pool.begin_with(AssertSqlSafe(statement.clone())).await {
                Err(error) if spare > 0 && is_dead(&error) => spare -= 1,
                begun => break begun,
            }
        }
    });
    Ok(begun.await.map_err(Fault::internal)??)
}

/// Whether the connection was closed by the other side: broken, ended by an
/// administrator (57P01) or a crash (57P02), or idle for too long (25P03).
pub(crate) fn is_dead(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(error, sqlx::Error::Io(_)) || matches!(code.as_deref(), Some("57P01" | "57P02" | "25P03"))
}
