//! A department's own record of what it has done, beside what it does: one table of its
//! own Postgres. What a handler writes there is kept in one transaction with the record
//! of its task, so that it is there once, whatever is handed out twice, lost or killed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use prost::Message as _;
use proto::redress::resolution::v1::{Task, TaskResult};
use sqlx::postgres::PgPool;
use sqlx::{PgConnection, Postgres, Transaction};

use super::{Failure, Work};

/// Makes the table, one process at a time. The key of the lock is the table's name.
const TABLE: &str = "
    BEGIN;
    SELECT pg_advisory_xact_lock(hashtextextended('redress_task', 0));
    CREATE TABLE IF NOT EXISTS redress_task (
        task_id   text PRIMARY KEY,
        case_id   text NOT NULL,
        reference text NOT NULL,
        result    bytea NOT NULL,
        done_at   timestamptz NOT NULL DEFAULT now());
    COMMENT ON TABLE redress_task IS 'What was done for Redress, each task once: written in one transaction with what it did.';
    COMMIT";

/// What a handler does for a task, under way.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// The record of what was done, a table `redress_task` in the department's own Postgres.
#[derive(Clone, Debug)]
pub struct Ledger {
    pool: PgPool,
}

impl Ledger {
    /// Connects to the department's database, and makes the table where it is not there.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be reached, or may not be written to.
    pub async fn open(url: &str) -> Result<Self, sqlx::Error> {
        let pool = PgPool::connect(url).await?;
        sqlx::raw_sql(TABLE).execute(&pool).await?;
        Ok(Self { pool })
    }

    /// A handler for [`super::Worker::run`] that does each task once: `effect` writes
    /// through the connection it is given, and what it wrote is kept if, and only if, the
    /// task is recorded as done. A task that comes again is answered with the result of
    /// the first time. One that is no longer wanted is not begun. Whatever fails leaves
    /// nothing behind and may be tried again, as [`Failure`] says.
    ///
    /// What `effect` does elsewhere, a call of a bank for one, is outside of the
    /// transaction: let it carry the task's id as its idempotency key.
    pub fn once<E>(&self, effect: E) -> impl Fn(Work) -> Doing<'static, TaskResult> + Send + Sync + 'static
    where
        E: for<'a> Fn(&'a mut PgConnection, &'a Task) -> Doing<'a, TaskResult> + Send + Sync + 'static,
    {
        let (ledger, effect) = (self.clone(), Arc::new(effect));
        move |work| {
            let (ledger, effect) = (ledger.clone(), effect.clone());
            Box::pin(async move { ledger.carry_out(work, effect.as_ref()).await })
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a department's own database has no tenants")]
    async fn carry_out<E>(&self, work: Work, effect: &E) -> Result<TaskResult, Failure>
    where
        E: for<'a> Fn(&'a mut PgConnection, &'a Task) -> Doing<'a, TaskResult> + Send + Sync,
    {
        let Work { task, cancelled, note: _note } = work;
        let mut tx = self.pool.begin().await?;
        if let Some(before) = begin(&mut tx, &task).await? {
            return TaskResult::decode(before.as_slice()).map_err(|error| Failure::Unknown {
                code: "LEDGER_UNREADABLE".to_owned(),
                message: error.to_string(),
            });
        }
        if cancelled.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let result = effect(&mut tx, &task).await?;
        sqlx::query("UPDATE redress_task SET reference = $2, result = $3 WHERE task_id = $1")
            .bind(&task.task_id)
            .bind(&result.reference)
            .bind(result.encode_to_vec())
            .execute(&mut *tx)
            .await?;
        // An answer to this that is lost leaves it open what was kept: the next attempt finds out.
        tx.commit().await?;
        Ok(result)
    }
}

/// Records a task, or answers what was done for it before. Who comes while another is at
/// work on the task waits for that one's end.
async fn begin(tx: &mut Transaction<'_, Postgres>, task: &Task) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let begun = sqlx::query(
        "INSERT INTO redress_task (task_id, case_id, reference, result) VALUES ($1, $2, '', '')
         ON CONFLICT (task_id) DO NOTHING",
    )
    .bind(&task.task_id)
    .bind(&task.case_id)
    .execute(&mut **tx)
    .await?;
    if begun.rows_affected() == 1 {
        return Ok(None);
    }
    let before = sqlx::query_scalar("SELECT result FROM redress_task WHERE task_id = $1");
    before.bind(&task.task_id).fetch_one(&mut **tx).await.map(Some)
}

/// What a handler's database refuses leaves nothing behind: it may be tried again.
impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Retryable { code: "LEDGER_UNAVAILABLE".to_owned(), message: error.to_string() }
    }
}
