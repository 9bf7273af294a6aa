//! Statements on actions about problems.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::TenantId;
use kernel::page::Page;
use pg::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::improvement::{Action, Due, Filter, Kind, State, Word};

/// Most actions that are told to be overdue at once.
const TOLD_AT_ONCE: i64 = 500;

#[derive(sqlx::FromRow)]
struct Row {
    action_id: Uuid,
    version: i64,
    problem_id: Uuid,
    kind: i16,
    title: String,
    owner: String,
    due_day: jiff_sqlx::Date,
    due_at: Timestamp,
    overdue_told: bool,
    state: i16,
    created_at: Timestamp,
    creator: String,
    done_at: Option<Timestamp>,
    done_by: String,
    done_note: String,
    assessed_at: Option<Timestamp>,
    assessor: String,
    finding: String,
}

impl Row {
    fn action(self) -> Result<Action, Fault> {
        let wrong = |column| impossible("improvement_action", column, self.action_id);
        let state = State::of(self.state).ok_or_else(|| wrong("state"))?;
        let kind = Kind::of(self.kind).ok_or_else(|| wrong("kind"))?;
        let word = |at: Timestamp, by, text| Word { at: at.to_jiff(), by, text };
        Ok(Action {
            id: self.action_id,
            version: self.version,
            problem: self.problem_id,
            kind,
            title: self.title,
            owner: self.owner,
            due: Due { day: self.due_day.to_jiff(), at: self.due_at.to_jiff() },
            overdue_told: self.overdue_told,
            created: self.created_at.to_jiff(),
            creator: self.creator,
            done: self.done_at.map(|at| word(at, self.done_by, self.done_note)),
            assessed: self
                .assessed_at
                .map(|at| (word(at, self.assessor, self.finding), state == State::Verified)),
        })
    }
}

/// What is read of an action.
macro_rules! action_columns {
    () => {
        "action_id, version, problem_id, kind, title, owner, due_day, due_at, overdue_told, state, created_at,
         creator, done_at, done_by, done_note, assessed_at, assessor, finding"
    };
}

/// Reads actions of the tenant: what follows the tenant's condition is given.
macro_rules! select_actions {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            action_columns!(),
            " FROM improvement_action WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// An action, as it stands now.
pub(crate) async fn action(conn: &mut PgConnection, id: Uuid) -> Result<Option<Action>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_actions!("AND action_id = $1")).bind(id).fetch_optional(conn).await?;
    row.map(Row::action).transpose()
}

/// An action; nobody else changes it until the transaction ends.
pub(crate) async fn lock_action(conn: &mut PgConnection, id: Uuid) -> Result<Option<Action>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_actions!("AND action_id = $1 FOR UPDATE"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Row::action).transpose()
}

/// How many actions a problem has.
pub(crate) async fn action_count(conn: &mut PgConnection, problem: Uuid) -> Result<i64, Fault> {
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM improvement_action
         WHERE tenant_id = current_setting('redress.tenant') AND problem_id = $1",
    )
    .bind(problem)
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// One page of actions, newest first.
pub(crate) async fn actions(
    conn: &mut PgConnection,
    filter: Filter,
    page: &Page,
    after: Option<(jiff::Timestamp, Uuid)>,
) -> Result<Vec<Action>, Fault> {
    let (at, id) = after.map_or((None, None), |(at, id)| (Some(at.to_sqlx()), Some(id)));
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        select_actions!(
            "AND ($1::uuid IS NULL OR problem_id = $1) AND ($2::smallint IS NULL OR state = $2)
             AND ($3::timestamptz IS NULL OR (state = {open} AND due_at <= $3))
             AND ($4::timestamptz IS NULL OR (created_at, action_id) < ($4, $5))
             ORDER BY created_at DESC, action_id DESC LIMIT $6"
        ),
        open = State::Open,
    ))
    .bind(filter.problem)
    .bind(filter.state.map(State::number))
    .bind(filter.overdue_at.map(jiff_sqlx::ToSqlx::to_sqlx))
    .bind(at)
    .bind(id)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::action).collect()
}

/// Writes an action, a new one or one that is locked.
pub(crate) async fn save_action(conn: &mut PgConnection, action: &Action) -> Result<(), Fault> {
    let done = |one: &Action| one.done.clone();
    let assessed = |one: &Action| one.assessed.clone().map(|(word, _)| word);
    let at = |word: Option<Word>| word.map(|word| word.at.to_sqlx());
    let by = |word: Option<Word>| word.map(|word| word.by).unwrap_or_default();
    let text = |word: Option<Word>| word.map(|word| word.text).unwrap_or_default();
    let mut binds = pg::Binds::default();
    let rows = binds
        .rows(std::slice::from_ref(action))
        .column("action_id", |one| one.id)
        .column("version", |one| one.version)
        .column("problem_id", |one| one.problem)
        .column("kind", |one| one.kind.number())
        .column("title", |one| one.title.as_str())
        .column("owner", |one| one.owner.as_str())
        .column("due_day", |one| one.due.day.to_sqlx())
        .column("due_at", |one| one.due.at.to_sqlx())
        .column("overdue_told", |one| one.overdue_told)
        .column("state", |one| one.state().number())
        .column("created_at", |one| one.created.to_sqlx())
        .column("creator", |one| one.creator.as_str())
        .column("done_at", |one| at(done(one)))
        .column("done_by", |one| by(done(one)))
        .column("done_note", |one| text(done(one)))
        .column("assessed_at", |one| at(assessed(one)))
        .column("assessor", |one| by(assessed(one)))
        .column("finding", |one| text(assessed(one)))
        .done();
    let statement = format!(
        "{insert} ON CONFLICT ON CONSTRAINT improvement_action_pkey DO UPDATE
         SET version = excluded.version, owner = excluded.owner, due_day = excluded.due_day, due_at = excluded.due_at,
             overdue_told = excluded.overdue_told, state = excluded.state, done_at = excluded.done_at,
             done_by = excluded.done_by, done_note = excluded.done_note, assessed_at = excluded.assessed_at,
             assessor = excluded.assessor, finding = excluded.finding",
        insert = rows.insert_into("improvement_action"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Whose actions are overdue and not told to be.
pub(crate) async fn overdue_tenants(
    conn: &mut PgConnection,
    now: jiff::Timestamp,
) -> Result<Vec<TenantId>, Fault> {
    let tenants: Vec<String> = sqlx::query_scalar(pg::sql!(
        "SELECT DISTINCT tenant_id FROM improvement_action
         WHERE state = {open} AND NOT overdue_told AND due_at <= $1",
        open = State::Open,
    ))
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(tenants.iter().filter_map(|tenant| TenantId::parse(tenant).ok()).collect())
}

/// Marks actions that are overdue as told and returns them: whoever marks one tells it, in the
/// same transaction. Of two who do so at once, each takes others.
pub(crate) async fn take_overdue(tx: &mut Tx) -> Result<Vec<Action>, Fault> {
    let now = tx.now();
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        concat!(
            "WITH due AS (SELECT action_id AS id FROM improvement_action
                          WHERE tenant_id = current_setting('redress.tenant') AND state = {open}
                            AND NOT overdue_told AND due_at <= $1
                          ORDER BY due_at, action_id LIMIT $2 FOR UPDATE SKIP LOCKED)
             UPDATE improvement_action SET overdue_told = true FROM due
             WHERE tenant_id = current_setting('redress.tenant') AND action_id = due.id RETURNING ",
            action_columns!()
        ),
        open = State::Open,
    ))
    .bind(now.to_sqlx())
    .bind(TOLD_AT_ONCE)
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(Row::action).collect()
}
