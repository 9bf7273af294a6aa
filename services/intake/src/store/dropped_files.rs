//! Statements about files that were put into drops.

use fault::Fault;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use pg::{Binds, Tx};
use sqlx::PgConnection;
use uuid::Uuid;
use work_queue::{Holding, Table};

use crate::dropped_file::{Counts, DroppedFile, Filter, Lying, RowVerdict, State, WhyRefused};

#[derive(sqlx::FromRow)]
struct FileRow {
    dropped_file_id: Uuid,
    file_drop_id: String,
    name: String,
    size_bytes: i64,
    mark: String,
    sha256: Option<Vec<u8>>,
    state: i16,
    outcome: Option<i16>,
    row_count: Option<i64>,
    read_count: i64,
    registered: i64,
    known: i64,
    refused: i64,
    reason: String,
    error: String,
    problems: String,
    drop_version: i64,
    noted_at: jiff_sqlx::Timestamp,
    verdict_at: Option<jiff_sqlx::Timestamp>,
    ended_at: Option<jiff_sqlx::Timestamp>,
    attempts: i32,
}

impl TryFrom<FileRow> for DroppedFile {
    type Error = Fault;

    fn try_from(row: FileRow) -> Result<Self, Fault> {
        let unknown = || Fault::internal("a dropped file with a number that is out of its range");
        let time = |time: Option<jiff_sqlx::Timestamp>| time.map(jiff_sqlx::Timestamp::to_jiff);
        let count = |count: i64| u64::try_from(count).map_err(|_| unknown());
        let sha256 = row.sha256.map(<[u8; 32]>::try_from).transpose().map_err(|_| unknown())?;
        Ok(Self {
            id: row.dropped_file_id,
            drop_id: row.file_drop_id,
            lying: Lying { name: row.name, size: count(row.size_bytes)?, mark: row.mark },
            sha256,
            state: State::of(row.state).ok_or_else(unknown)?,
            outcome: row.outcome.map(|outcome| State::of(outcome).ok_or_else(unknown)).transpose()?,
            rows: row.row_count.map(count).transpose()?,
            counts: Counts {
                read: count(row.read_count)?,
                registered: count(row.registered)?,
                known: count(row.known)?,
                refused: count(row.refused)?,
            },
            reason: row.reason,
            error: row.error,
            problems: serde_json::from_str(&row.problems).map_err(Fault::internal)?,
            drop_version: row.drop_version,
            noted: row.noted_at.to_jiff(),
            verdict_written: time(row.verdict_at),
            ended: time(row.ended_at),
            attempts: row.attempts,
        })
    }
}

/// Reads files: what follows the tenant's condition is given.
macro_rules! select_files {
    ($rest:literal) => {
        concat!(
            "SELECT dropped_file_id, file_drop_id, name, size_bytes, mark, sha256, state, outcome, row_count,
                    read_count, registered, known, refused, reason, error, problems, drop_version, noted_at,
                    verdict_at, ended_at, attempts
             FROM dropped_file WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The names of a drop's files that are not done with.
pub(crate) async fn open_names(conn: &mut PgConnection, drop_id: &str) -> Result<Vec<String>, Fault> {
    let names = sqlx::query_scalar(
        "SELECT name FROM dropped_file
         WHERE tenant_id = current_setting('redress.tenant') AND file_drop_id = $1 AND ended_at IS NULL",
    );
    Ok(names.bind(drop_id).fetch_all(conn).await?)
}

/// Writes a file that was found; nothing where one of its name is not done with.
pub(crate) async fn insert(conn: &mut PgConnection, file: &DroppedFile) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(file)
        .column("dropped_file_id", |file| file.id)
        .column("file_drop_id", |file| file.drop_id.as_str())
        .column("name", |file| file.lying.name.as_str())
        .column("size_bytes", |file| number(file.lying.size))
        .column("mark", |file| file.lying.mark.as_str())
        .column("state", |file| file.state.number())
        .column("outcome", |file| file.outcome.map(State::number))
        .column("reason", |file| file.reason.as_str())
        .column("error", |file| file.error.as_str())
        .column("noted_at", |file| file.noted.to_sqlx())
        .column("next_at", |file| file.noted.to_sqlx())
        .done();
    let insert = rows.insert_into("dropped_file");
    let statement =
        format!("{insert} ON CONFLICT (tenant_id, file_drop_id, name) WHERE ended_at IS NULL DO NOTHING");
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// A file.
pub(crate) async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<DroppedFile>, Fault> {
    let row: Option<FileRow> =
        sqlx::query_as(select_files!("AND dropped_file_id = $1")).bind(id).fetch_optional(conn).await?;
    row.map(DroppedFile::try_from).transpose()
}

/// A file that one holds, for as long as the transaction.
pub(crate) async fn held(
    conn: &mut PgConnection,
    id: Uuid,
    holder: Uuid,
) -> Result<Option<DroppedFile>, Fault> {
    let sql = select_files!("AND dropped_file_id = $1 AND holder = $2 AND ended_at IS NULL FOR UPDATE");
    let row: Option<FileRow> = sqlx::query_as(sql).bind(id).bind(holder).fetch_optional(conn).await?;
    row.map(DroppedFile::try_from).transpose()
}

/// Files before an id, newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<DroppedFile>, Fault> {
    let sql = select_files!(
        "AND dropped_file_id < $1 AND ($2::text IS NULL OR file_drop_id = $2)
         AND ($3::smallint IS NULL OR state = $3)
         ORDER BY dropped_file_id DESC LIMIT $4"
    );
    let rows: Vec<FileRow> = sqlx::query_as(sql)
        .bind(before.unwrap_or(Uuid::max()))
        .bind(&filter.drop_id)
        .bind(filter.state.map(State::number))
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(DroppedFile::try_from).collect()
}

/// Files that wait to be gone on with: none of a drop that is left alone, and no two of one at
/// once.
pub(crate) fn waiting() -> Table {
    let open = "w.ended_at IS NULL
                AND EXISTS (SELECT FROM file_drop d
                            WHERE d.tenant_id = w.tenant_id AND d.file_drop_id = w.file_drop_id AND NOT d.paused)";
    let free = "w.held_until <= $1
                AND NOT EXISTS (SELECT FROM dropped_file o
                                WHERE o.tenant_id = w.tenant_id AND o.file_drop_id = w.file_drop_id
                                  AND o.ended_at IS NULL AND o.held_until > $1)";
    let table = Table::new("dropped_file", "dropped_file_id", open);
    Table { then: Some("name"), holding: Some(Holding { free }), ..table }
}

/// Notes why a file cannot be gone on with; why it was refused whole is told in any case.
pub(crate) async fn troubled(
    conn: &mut PgConnection,
    id: Uuid,
    (reason, error): (&str, &str),
) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE dropped_file SET reason = $2, error = $3
         WHERE tenant_id = current_setting('redress.tenant') AND dropped_file_id = $1 AND ended_at IS NULL
           AND outcome IS DISTINCT FROM {refused}",
        refused = State::Refused,
    ))
    .bind(id)
    .bind(reason)
    .bind(error)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what is known of a file that is not done with.
pub(crate) async fn save(conn: &mut PgConnection, file: &DroppedFile) -> Result<(), Fault> {
    let problems = serde_json::to_string(&file.problems).map_err(Fault::internal)?;
    let mut binds = Binds::default();
    let rows = binds
        .row(file)
        .column("dropped_file_id", |file| file.id)
        .column("sha256", |file| file.sha256.as_ref().map(<[u8; 32]>::as_slice))
        .column("state", |file| file.state.number())
        .column("outcome", |file| file.outcome.map(State::number))
        .column("row_count", |file| file.rows.map(number))
        .column("read_count", |file| number(file.counts.read))
        .column("registered", |file| number(file.counts.registered))
        .column("known", |file| number(file.counts.known))
        .column("refused", |file| number(file.counts.refused))
        .column("reason", |file| file.reason.as_str())
        .column("error", |file| file.error.as_str())
        .column("problems", |_| problems.as_str())
        .column("drop_version", |file| file.drop_version)
        .column("verdict_at", |file| file.verdict_written.map(jiff_sqlx::ToSqlx::to_sqlx))
        .column("attempts", |file| file.attempts)
        .done();
    let update = rows.update("dropped_file", &["dropped_file_id"]);
    binds.execute(&format!("{update} AND dropped_file.ended_at IS NULL"), conn).await?;
    Ok(())
}

/// Notes that a file is done with: the verdicts of its rows are forgotten.
pub(crate) async fn end(conn: &mut PgConnection, file: &DroppedFile, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE dropped_file SET state = $2, ended_at = $3, next_at = NULL, holder = NULL,
                                 held_until = '-infinity',
                                 reason = CASE WHEN outcome = {refused} THEN reason ELSE '' END,
                                 error = CASE WHEN outcome = {refused} THEN error ELSE '' END
         WHERE tenant_id = current_setting('redress.tenant') AND dropped_file_id = $1 AND ended_at IS NULL",
        refused = State::Refused,
    ))
    .bind(file.id)
    .bind(file.outcome.unwrap_or(State::Refused).number())
    .bind(now.to_sqlx())
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "DELETE FROM dropped_rows
         WHERE tenant_id = current_setting('redress.tenant') AND dropped_file_id = $1",
    )
    .bind(file.id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives up all files of a drop that are not done with.
pub(crate) async fn give_up(
    conn: &mut PgConnection,
    drop_id: &str,
    (why, now): (WhyRefused, Timestamp),
) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM dropped_rows r USING dropped_file f
         WHERE r.tenant_id = current_setting('redress.tenant') AND f.tenant_id = r.tenant_id
           AND f.dropped_file_id = r.dropped_file_id AND f.file_drop_id = $1 AND f.ended_at IS NULL",
    )
    .bind(drop_id)
    .execute(&mut *conn)
    .await?;
    sqlx::query(pg::sql!(
        "UPDATE dropped_file SET state = {refused}, outcome = {refused}, reason = $2, error = $3,
                                 ended_at = $4, next_at = NULL, holder = NULL, held_until = '-infinity'
         WHERE tenant_id = current_setting('redress.tenant') AND file_drop_id = $1 AND ended_at IS NULL",
        refused = State::Refused,
    ))
    .bind(drop_id)
    .bind(why.reason())
    .bind(why.words())
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets a file of which nothing was registered: it was not complete.
pub(crate) async fn forget_one(conn: &mut PgConnection, id: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM dropped_file WHERE tenant_id = current_setting('redress.tenant') AND dropped_file_id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps the verdicts of rows; `first` are before them.
pub(crate) async fn keep_verdicts(
    conn: &mut PgConnection,
    id: Uuid,
    first: u64,
    verdicts: &[RowVerdict],
) -> Result<(), Fault> {
    let verdicts = serde_json::to_string(verdicts).map_err(Fault::internal)?;
    sqlx::query(
        "INSERT INTO dropped_rows (tenant_id, dropped_file_id, first, verdicts)
         VALUES (current_setting('redress.tenant'), $1, $2, $3)",
    )
    .bind(id)
    .bind(number(first))
    .bind(verdicts)
    .execute(conn)
    .await?;
    Ok(())
}

/// Verdicts from a row on that were kept together, and how many rows are before them; none where
/// there are no more.
pub(crate) async fn verdicts(
    conn: &mut PgConnection,
    id: Uuid,
    from: u64,
) -> Result<Option<(u64, String)>, Fault> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "SELECT first, verdicts FROM dropped_rows
         WHERE tenant_id = current_setting('redress.tenant') AND dropped_file_id = $1 AND first >= $2
         ORDER BY first LIMIT 1",
    )
    .bind(id)
    .bind(number(from))
    .fetch_optional(conn)
    .await?;
    row.map(|(first, verdicts)| Ok((u64::try_from(first).map_err(Fault::internal)?, verdicts))).transpose()
}

/// Forgets files that were done with before a moment; of all tenants, at most so many.
pub(crate) fn forget(tx: &mut Tx, before: Timestamp, most: i64) -> BoxFuture<'_, Result<bool, Fault>> {
    Box::pin(async move { waiting().forget(tx, ("w.ended_at IS NOT NULL", "ended_at"), before, most).await })
}

/// Since when the file waits that waits longest to be done with.
pub(crate) fn waiting_since() -> String {
    "SELECT min(f.noted_at) FROM dropped_file f
     JOIN file_drop d ON d.tenant_id = f.tenant_id AND d.file_drop_id = f.file_drop_id
     WHERE f.ended_at IS NULL AND NOT d.paused"
        .to_owned()
}
