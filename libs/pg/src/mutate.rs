//! One promise for every mutation: the same key and request have one effect and
//! one answer.
//!
//! The answer is stored in the transaction that makes it true. A first request
//! pays nothing for a look-up: a repeated one fails (its case has moved on, or its
//! key is taken), and only then is the stored answer looked for.

use std::time::Duration;

use fault::{Fault, Kind};
use jiff_sqlx::ToSqlx as _;
use kernel::{Caller, Lane, TenantId};
use prost::Message;
use proto::Mutation;
use sha2::{Digest, Sha256};

use crate::tx::Columns;
use crate::{Db, Tx, notifier};

/// How long an answer is kept for a repeated request.
pub const IDEMPOTENCY_KEPT: Duration = Duration::from_hours(7 * 24);
const RACE_RETRY: Duration = Duration::from_millis(50);

/// Identity of a request: whose key it is and what was asked.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    rpc: &'static str,
    request_id: String,
    request_hash: [u8; 32],
}

impl Key {
    /// The key of a request, taken before the request is taken apart.
    pub(crate) fn of<M: Mutation>(request: &M) -> Self {
        Self { rpc: M::RPC, request_id: request.request_id().to_owned(), request_hash: request_hash(request) }
    }

    /// Whether two requests bear the same key.
    pub(crate) fn is_twin(&self, other: &Self) -> bool {
        self.rpc == other.rpc && self.request_id == other.request_id
    }
}

/// What a mutation is asked with: who asks, and under which key.
#[derive(Clone, Debug)]
pub struct MutationContext {
    /// Who asks.
    pub caller: Caller,
    /// What tells a repeated request from a new one.
    pub(crate) key: Key,
}

impl MutationContext {
    /// That of a request, taken before the request is taken apart.
    pub fn new<M: Mutation>(caller: Caller, request: &M) -> Self {
        Self { caller, key: Key::of(request) }
    }
}

/// What tells two requests apart: SHA-256 of their canonical encoding (no message
/// of ours has map fields, so prost's encoding is canonical).
pub fn request_hash<M: Message>(request: &M) -> [u8; 32] {
    Sha256::digest(request.encode_to_vec()).into()
}

/// An answer, and how far the event feed has to be applied to see its effects.
#[derive(Clone, Debug, PartialEq)]
pub struct Done<A> {
    /// The answer.
    pub answer: A,
    /// The service that answered.
    pub source: &'static str,
    /// Last position it wrote into its feed; 0 if none.
    pub position: i64,
    /// The lane in which it wrote there.
    pub lane: Lane,
}

impl Db {
    /// Answers a mutation in a transaction named after its rpc; the body is given that
    /// transaction and the caller. See the module.
    ///
    /// # Errors
    ///
    /// Fails with `IDEMPOTENCY_KEY_REUSED` if the key was used for another request, else with
    /// the fault of the body; nothing is kept then.
    pub async fn mutate<A, F, R>(&self, context: MutationContext, body: F) -> Result<Done<A>, Fault>
    where
        A: Message + Default,
        F: FnOnce(Tx, Caller) -> R,
        R: Future<Output = Result<(Tx, A), Fault>>,
    {
        let MutationContext { caller, key } = context;
        let tenant = &caller.tenant.clone();
        let first = self
            .transact(key.rpc, tenant, async |tx| {
                let (mut tx, answer) = body(tx, caller).await?;
                let position = remember(&mut tx, &[(&key, &answer.encode_to_vec())]).await?;
                Ok((tx, (answer, position)))
            })
            .await;
        match first {
            Ok((answer, position)) => Ok(Done { answer, source: self.schema, position, lane: Lane::Live }),
            Err(fault) => self.remembered_or(tenant, &key, fault).await,
        }
    }

    /// The answer a key was given before; else the fault its request met now. Where
    /// nobody can tell, the caller is not refused for good.
    pub(crate) async fn remembered_or<A>(
        &self,
        tenant: &TenantId,
        key: &Key,
        fault: Fault,
    ) -> Result<Done<A>, Fault>
    where
        A: Message + Default,
    {
        self.recalled(tenant, key).await?.ok_or(fault)
    }

    /// What a mutation was answered before, for one whose work is too long for a
    /// transaction and has to be spared; none when it was not.
    ///
    /// # Errors
    ///
    /// Fails with `IDEMPOTENCY_KEY_REUSED` if the key was used for another request, and if the
    /// database cannot be read.
    pub async fn answered<A>(&self, context: &MutationContext) -> Result<Option<Done<A>>, Fault>
    where
        A: Message + Default,
    {
        self.recalled(&context.caller.tenant, &context.key).await
    }

    async fn recalled<A>(&self, tenant: &TenantId, key: &Key) -> Result<Option<Done<A>>, Fault>
    where
        A: Message + Default,
    {
        let row = self
            .transact("idempotency.recall", tenant, async |mut tx| {
                let row = recall(&mut tx, key).await?;
                Ok((tx, row))
            })
            .await?;
        let Some((hash, answer, position)) = row else { return Ok(None) };
        if hash != key.request_hash {
            return Err(key_reused());
        }
        let answer = A::decode(answer.as_slice()).map_err(Fault::internal)?;
        Ok(Some(Done { answer, source: self.schema, position, lane: Lane::Live }))
    }
}

/// The refusal of a key that was used for another request.
pub fn key_reused() -> Fault {
    Fault::new(
        Kind::Exists,
        "IDEMPOTENCY_KEY_REUSED",
        "this request_id was used for another request; take a new one",
    )
}

async fn recall(tx: &mut Tx, key: &Key) -> Result<Option<(Vec<u8>, Vec<u8>, i64)>, Fault> {
    let row = sqlx::query_as(
        "SELECT request_hash, answer, position FROM idempotency
         WHERE tenant_id = current_setting('redress.tenant') AND rpc = $1 AND request_id = $2",
    )
    .bind(key.rpc)
    .bind(&key.request_id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Stores answers and the events in one statement; answers the last position.
pub(crate) async fn remember(tx: &mut Tx, answers: &[(&Key, &[u8])]) -> Result<i64, Fault> {
    if answers.is_empty() {
        return Ok(0);
    }
    let now = tx.now();
    let events = std::mem::take(&mut tx.events);
    if !events.is_empty() {
        tx.notify(notifier::EVENTS);
    }
    let columns = Columns::of(&events);
    let stored = sqlx::query_scalar(
        "WITH told AS (
             INSERT INTO outbox (tenant_id, event_id, subject, type, occurred_at, traceparent, payload, lane)
             SELECT current_setting('redress.tenant'), e.id, e.subject, e.kind, $1, e.traceparent, e.payload, $11
             FROM (SELECT UNNEST($2::uuid[]) AS id, UNNEST($3::uuid[]) AS subject,
                          UNNEST($4::text[]) AS kind, UNNEST($5::text[]) AS traceparent,
                          UNNEST($6::bytea[]) AS payload) AS e
             RETURNING position),
         answered AS (
             INSERT INTO idempotency (tenant_id, rpc, request_id, request_hash, answer, position, created_at)
             SELECT current_setting('redress.tenant'), a.rpc, a.request_id, a.request_hash, a.answer,
                    (SELECT coalesce(max(position), 0) FROM told), $1
             FROM (SELECT UNNEST($7::text[]) AS rpc, UNNEST($8::text[]) AS request_id,
                          UNNEST($9::bytea[]) AS request_hash, UNNEST($10::bytea[]) AS answer) AS a
             RETURNING position)
         SELECT max(position) FROM answered",
    )
    .bind(now.to_sqlx())
    .bind(columns.ids)
    .bind(columns.subjects)
    .bind(columns.kinds)
    .bind(columns.traceparents)
    .bind(columns.payloads)
    .bind(answers.iter().map(|(key, _)| key.rpc).collect::<Vec<_>>())
    .bind(answers.iter().map(|(key, _)| key.request_id.as_str()).collect::<Vec<_>>())
    .bind(answers.iter().map(|(key, _)| key.request_hash.as_slice()).collect::<Vec<_>>())
    .bind(answers.iter().map(|(_, answer)| *answer).collect::<Vec<_>>())
    .bind(tx.lane().number())
    .fetch_one(&mut **tx)
    .await;
    stored.map_err(|error| {
        if fault::breaks(&error, "idempotency_pkey") {
            // A twin of this request won; its answer is looked up next.
            let sentence = "the same request is being answered; try again";
            return Fault::new(Kind::Conflict, "IDEMPOTENT_TWIN", sentence).retry_after(RACE_RETRY);
        }
        Fault::from(error)
    })
}
