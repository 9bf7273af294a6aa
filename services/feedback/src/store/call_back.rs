//! Statements on call-backs.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx};
use kernel::CaseId;
use kernel::page::Page;
use pg::Binds;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::impossible;
use crate::call_back::{Attempt, CallBack, CallBackFilter, Cause, Count, Outcome, State, Wish};
use crate::sample::Draw;

#[derive(sqlx::FromRow)]
struct Row {
    call_back_id: Uuid,
    case_id: Uuid,
    cycle: i32,
    state: i16,
    causes: Vec<i16>,
    policy: i64,
    draw: Option<Json<Draw>>,
    time_zone: String,
    created_at: Timestamp,
    due_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    phone: String,
    not_before: Option<Timestamp>,
    requester: String,
    note: String,
}

impl Row {
    fn call_back(self, attempts: Vec<Attempt>) -> Result<CallBack, Fault> {
        let wrong = |column| impossible("call_back", column, self.call_back_id);
        let causes: Option<Vec<Cause>> = self.causes.into_iter().map(Cause::of).collect();
        Ok(CallBack {
            id: self.call_back_id,
            case_id: CaseId(self.case_id),
            cycle: self.cycle,
            state: State::of(self.state).ok_or_else(|| wrong("state"))?,
            causes: causes.ok_or_else(|| wrong("causes"))?,
            policy: self.policy,
            draw: self.draw.map(|draw| draw.0),
            zone: self.time_zone,
            created: self.created_at.to_jiff(),
            due: self.due_at.map(Timestamp::to_jiff),
            ended: self.ended_at.map(Timestamp::to_jiff),
            wish: Wish {
                phone: self.phone,
                not_before: self.not_before.map(Timestamp::to_jiff),
                requester: self.requester,
                note: self.note,
            },
            attempts,
        })
    }
}

/// Reads call-backs of the tenant: what follows the tenant's condition is given.
macro_rules! select_call_backs {
    ($rest:literal) => {
        concat!(
            "SELECT call_back_id, case_id, cycle, state, causes, policy, draw, time_zone, created_at, due_at, ended_at,
                    phone, not_before, requester, note
             FROM call_back WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// Makes call-backs due; one that is due for the cycle already has the causes more.
/// Answers which are new.
pub(crate) async fn open_call_backs(
    conn: &mut PgConnection,
    call_backs: &[CallBack],
) -> Result<Vec<Uuid>, Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(call_backs)
        .column("call_back_id", |one| one.id)
        .column("case_id", |one| one.case_id.0)
        .column("cycle", |one| one.cycle)
        .column("state", |one| one.state.number())
        .column_as("causes", "ARRAY(SELECT jsonb_array_elements_text({})::smallint)", |one| {
            Json(one.causes.iter().map(|cause| cause.number()).collect::<Vec<_>>())
        })
        .column("policy", |one| one.policy)
        .column("draw", |one| one.draw.as_ref().map(Json))
        .column("time_zone", |one| one.zone.as_str())
        .column("created_at", |one| one.created.to_sqlx())
        .column("due_at", |one| one.due.map(ToSqlx::to_sqlx))
        .column("phone", |one| one.wish.phone.as_str())
        .column("not_before", |one| one.wish.not_before.map(ToSqlx::to_sqlx))
        .column("requester", |one| one.wish.requester.as_str())
        .column("note", |one| one.wish.note.as_str())
        .done();
    let statement = format!(
        "INSERT INTO call_back AS known (tenant_id, {names})
         SELECT current_setting('redress.tenant'), {values} FROM {rows} AS r ORDER BY r.case_id
         ON CONFLICT (tenant_id, case_id, cycle) WHERE state = {due}
         DO UPDATE SET causes = known.causes || ARRAY(SELECT c FROM UNNEST(excluded.causes) AS c
                                                      WHERE c <> ALL (known.causes)),
                       draw = coalesce(known.draw, excluded.draw)
         RETURNING call_back_id",
        names = rows.names(),
        values = rows.values("r"),
        due = State::Due.number(),
    );
    let ids: Vec<Uuid> =
        sqlx::query_scalar_with(AssertSqlSafe(statement), binds.arguments()?).fetch_all(conn).await?;
    Ok(ids)
}

/// What is asked for holds for the call-back that is due for its cycle: the time that is
/// wished for, or else the sooner of the two; the number and the note, where they are told.
/// Answers which it is.
pub(crate) async fn wish_for_call_back(
    conn: &mut PgConnection,
    wanted: &CallBack,
) -> Result<Option<Uuid>, Fault> {
    let Wish { phone, not_before, requester, note } = &wanted.wish;
    let id = sqlx::query_scalar(pg::sql!(
        "UPDATE call_back
         SET due_at = CASE WHEN $4::timestamptz IS NULL THEN least(due_at, $3) ELSE $3 END, not_before = $4,
             phone = coalesce(nullif($5, ''), phone), requester = $6, note = coalesce(nullif($7, ''), note)
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND cycle = $2 AND state = {due}
         RETURNING call_back_id",
        due = State::Due,
    ))
    .bind(wanted.case_id.0)
    .bind(wanted.cycle)
    .bind(wanted.due.map(ToSqlx::to_sqlx))
    .bind(not_before.map(ToSqlx::to_sqlx))
    .bind(phone)
    .bind(requester)
    .bind(note)
    .fetch_optional(conn)
    .await?;
    Ok(id)
}

/// A call-back, as it stands now.
pub(crate) async fn call_back(conn: &mut PgConnection, id: Uuid) -> Result<Option<CallBack>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_call_backs!("AND call_back_id = $1"))
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let attempts = attempts(conn, &[id]).await?.remove(&id).unwrap_or_default();
    row.call_back(attempts).map(Some)
}

/// A call-back; nobody else changes it until the transaction ends.
pub(crate) async fn lock_call_back(conn: &mut PgConnection, id: Uuid) -> Result<Option<CallBack>, Fault> {
    sqlx::query(
        "SELECT FROM call_back WHERE tenant_id = current_setting('redress.tenant') AND call_back_id = $1 FOR UPDATE",
    )
    .bind(id)
    .execute(&mut *conn)
    .await?;
    call_back(conn, id).await
}

/// Writes what an attempt made of a call-back that this transaction holds.
pub(crate) async fn save_call_back(conn: &mut PgConnection, call_back: &CallBack) -> Result<(), Fault> {
    let last = call_back.attempts.last().ok_or_else(|| Fault::internal("nobody called"))?;
    let done = call_back.state == State::Done;
    let mut binds = Binds::default();
    let attempt = binds
        .row(last)
        .column("call_back_id", |_| call_back.id)
        .column("number", |last| last.number)
        .column("attempted_at", |last| last.at.to_sqlx())
        .column("caller", |last| last.caller.as_str())
        .column("outcome", |last| last.outcome.number())
        .column("satisfied", |last| last.satisfied)
        .column("note", |last| last.note.as_str())
        .column("disputed", |last| last.disputed)
        .done();
    let made = binds
        .row(call_back)
        .column("call_back_id", |call_back| call_back.id)
        .column("state", |call_back| call_back.state.number())
        .column("due_at", |call_back| call_back.due.map(ToSqlx::to_sqlx))
        .column("ended_at", |call_back| call_back.ended.map(ToSqlx::to_sqlx))
        .column("outcome", |_| done.then(|| last.outcome.number()))
        .column("satisfied", |_| last.satisfied)
        .column("not_before", |call_back| call_back.wish.not_before.map(ToSqlx::to_sqlx))
        .done();
    let statement = format!(
        "WITH kept AS ({}) {}",
        attempt.insert_into("call_back_attempt"),
        made.update("call_back", &["call_back_id"]),
    );
    let saved = binds.execute(&statement, conn).await?;
    if saved.rows_affected() == 1 { Ok(()) } else { Err(Fault::internal("a call-back was not written")) }
}

/// Cancels the call-backs that are due for cases; those that were asked for of the `unwanted`
/// among them only.
pub(crate) async fn cancel_call_backs(
    conn: &mut PgConnection,
    cases: &[CaseId],
    unwanted: &[CaseId],
    now: jiff::Timestamp,
) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE call_back SET state = {cancelled}, due_at = NULL, ended_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND state = {due}
           AND (case_id = ANY($3) OR {requested} <> ALL (causes))",
        cancelled = State::Cancelled,
        due = State::Due,
        requested = Cause::Requested,
    ))
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .bind(unwanted.iter().map(|case| case.0).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Holds how far the samples of these months and strata are until the transaction ends:
/// what is owed, and how many were drawn.
pub(crate) async fn hold_strata(
    conn: &mut PgConnection,
    strata: &[(String, String)],
) -> Result<HashMap<(String, String), (i64, i64)>, Fault> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "INSERT INTO call_back_stratum AS known (tenant_id, month, stratum)
         SELECT current_setting('redress.tenant'), s.month, s.stratum
         FROM (SELECT DISTINCT UNNEST($1::text[]) AS month, UNNEST($2::text[]) AS stratum) AS s
         ORDER BY s.month, s.stratum
         ON CONFLICT ON CONSTRAINT call_back_stratum_pkey DO UPDATE SET owed = known.owed
         RETURNING month, stratum, owed, drawn",
    )
    .bind(strata.iter().map(|(month, _)| month.as_str()).collect::<Vec<_>>())
    .bind(strata.iter().map(|(_, stratum)| stratum.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(month, stratum, owed, drawn)| ((month, stratum), (owed, drawn))).collect())
}

/// Writes how far samples are that this transaction holds.
pub(crate) async fn save_strata(
    conn: &mut PgConnection,
    strata: &HashMap<(String, String), (i64, i64)>,
) -> Result<(), Fault> {
    let strata: Vec<_> = strata.iter().collect();
    let mut binds = Binds::default();
    let rows = binds
        .rows(&strata)
        .column("month", |((month, _), _)| month.as_str())
        .column("stratum", |((_, stratum), _)| stratum.as_str())
        .column("owed", |(_, (owed, _))| *owed)
        .column("drawn", |(_, (_, drawn))| *drawn)
        .done();
    binds.execute(&rows.update("call_back_stratum", &["month", "stratum"]), conn).await?;
    Ok(())
}

/// One page of call-backs, after one of them.
pub(crate) async fn call_backs(
    conn: &mut PgConnection,
    filter: CallBackFilter,
    page: &Page,
    after: Option<(jiff::Timestamp, Uuid)>,
) -> Result<Vec<CallBack>, Fault> {
    let due = pg::sql!(
        select_call_backs!(
            "AND state = {due} AND ($3::timestamptz IS NULL OR (due_at, call_back_id) > ($3, $1))
             ORDER BY due_at, call_back_id LIMIT $2"
        ),
        due = State::Due,
    );
    let query = match filter {
        CallBackFilter::All => {
            sqlx::query_as(select_call_backs!("AND call_back_id < $1 ORDER BY call_back_id DESC LIMIT $2"))
        }
        CallBackFilter::Case(_) => sqlx::query_as(select_call_backs!(
            "AND call_back_id < $1 AND case_id = $3 ORDER BY call_back_id DESC LIMIT $2"
        )),
        CallBackFilter::State(_) => sqlx::query_as(select_call_backs!(
            "AND call_back_id < $1 AND state = $3 ORDER BY call_back_id DESC LIMIT $2"
        )),
        CallBackFilter::Due => sqlx::query_as(due),
    };
    let query = query.bind(after.map_or(Uuid::max(), |(_, id)| id)).bind(page.limit());
    let rows: Vec<Row> = match filter {
        CallBackFilter::All => query,
        CallBackFilter::Case(case) => query.bind(case.0),
        CallBackFilter::State(state) => query.bind(state.number()),
        CallBackFilter::Due => query.bind(after.map(|(due, _)| due.to_sqlx())),
    }
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.call_back_id).collect();
    let mut attempts = attempts(conn, &ids).await?;
    let read = |row: Row| {
        let of = attempts.remove(&row.call_back_id).unwrap_or_default();
        row.call_back(of)
    };
    rows.into_iter().map(read).collect()
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    call_back_id: Uuid,
    number: i32,
    attempted_at: Timestamp,
    caller: String,
    outcome: i16,
    satisfied: Option<bool>,
    note: String,
    disputed: bool,
}

/// The attempts at call-backs, oldest first.
async fn attempts(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Attempt>>, Fault> {
    let rows: Vec<AttemptRow> = sqlx::query_as(
        "SELECT call_back_id, number, attempted_at, caller, outcome, satisfied, note, disputed FROM call_back_attempt
         WHERE tenant_id = current_setting('redress.tenant') AND call_back_id = ANY($1)
         ORDER BY call_back_id, number",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let mut attempts: HashMap<Uuid, Vec<Attempt>> = HashMap::new();
    for row in rows {
        let AttemptRow { call_back_id, number, attempted_at, caller, outcome, satisfied, note, disputed } =
            row;
        let outcome = Outcome::of(outcome);
        let outcome = outcome.ok_or_else(|| impossible("call_back_attempt", "outcome", call_back_id))?;
        let at = attempted_at.to_jiff();
        let attempt = Attempt { number, at, caller, outcome, satisfied, note, disputed };
        attempts.entry(call_back_id).or_default().push(attempt);
    }
    Ok(attempts)
}

/// How a call-back of a cycle stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallBackStanding {
    pub(crate) case_id: CaseId,
    pub(crate) cycle: i32,
    /// By when they are to be called; none unless due.
    pub(crate) due: Option<jiff::Timestamp>,
    /// What came of it in the end.
    pub(crate) outcome: Option<Outcome>,
}

/// How the call-backs of these cycles stand.
pub(crate) async fn call_back_standings(
    conn: &mut PgConnection,
    cycles: &[(CaseId, i32)],
) -> Result<Vec<CallBackStanding>, Fault> {
    if cycles.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(Uuid, i32, Option<Timestamp>, Option<i16>)> = sqlx::query_as(
        "SELECT b.case_id, b.cycle, b.due_at, b.outcome
         FROM (SELECT DISTINCT UNNEST($1::uuid[]) AS case_id) AS c
         JOIN call_back b ON b.tenant_id = current_setting('redress.tenant') AND b.case_id = c.case_id",
    )
    .bind(cycles.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let standing = |(case, cycle, due, outcome): (Uuid, i32, Option<Timestamp>, Option<i16>)| {
        let due = due.map(Timestamp::to_jiff);
        CallBackStanding { case_id: CaseId(case), cycle, due, outcome: outcome.and_then(Outcome::of) }
    };
    Ok(rows.into_iter().map(standing).collect())
}

/// What came of the call-backs that became owed within a time.
pub(crate) async fn count_call_backs(
    conn: &mut PgConnection,
    from: jiff::Timestamp,
    until: jiff::Timestamp,
) -> Result<Count, Fault> {
    let (owed, due, reached, refused, not_reached, satisfied) = sqlx::query_as(pg::sql!(
        "SELECT count(*) FILTER (WHERE state <> {cancelled}), count(*) FILTER (WHERE state = {due}),
                count(*) FILTER (WHERE outcome = {reached}), count(*) FILTER (WHERE outcome = {refused}),
                count(*) FILTER (WHERE outcome = {not_reached}), count(*) FILTER (WHERE satisfied)
         FROM call_back
         WHERE tenant_id = current_setting('redress.tenant') AND created_at >= $1 AND created_at < $2",
        cancelled = State::Cancelled,
        due = State::Due,
        reached = Outcome::Reached,
        refused = Outcome::Refused,
        not_reached = Outcome::NotReached,
    ))
    .bind(from.to_sqlx())
    .bind(until.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(Count { owed, due, reached, refused, not_reached, satisfied })
}
