//! Statements on notices.

use std::collections::{BTreeMap, HashSet};
use std::slice;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx};
use kernel::page::Page;
use kernel::{CaseId, Lane, NoticeId, TenantId};
use pg::Binds;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::impossible;
use crate::letter::Letter;
use crate::letter::trial::Places;
use crate::notice::{
    CALL_BACK_ENDED, CASE_MOVED_ON, CYCLE_ENDED, Filter, Kind, Means, Notice, Obstacle, Record, SURVEY_ENDED,
    State,
};

#[derive(sqlx::FromRow)]
struct Row {
    notice_id: Uuid,
    case_id: Uuid,
    cycle: i32,
    kind: i16,
    number: i32,
    state: i16,
    language: String,
    recipient: String,
    subject: String,
    body: String,
    evidence: String,
    failure_reason: String,
    attempts: i32,
    traceparent: String,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    due_at: Option<Timestamp>,
    sending: i32,
    means: i16,
    recorder: String,
    told_at: Option<Timestamp>,
    sending_means: i16,
    short_text: String,
}

/// Reads notices of the tenant: what follows the tenant's condition is given.
macro_rules! select_notices {
    ($rest:literal) => {
        concat!(
            "SELECT notice_id, case_id, cycle, kind, number, state, language, recipient, subject, body, evidence,
                    failure_reason, attempts, traceparent, created_at, ended_at, due_at, sending, means, recorder,
                    told_at, sending_means, short_text
             FROM notice WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct ClaimedRow {
    tenant_id: String,
    #[sqlx(flatten)]
    notice: Row,
}

impl Row {
    fn notice(self) -> Result<Notice, Fault> {
        let record = match self.told_at {
            None => None,
            Some(told) => Some(Record {
                means: Means::of(self.means).ok_or_else(|| impossible("notice", "means", self.notice_id))?,
                recorder: self.recorder,
                told: told.to_jiff(),
            }),
        };
        Ok(Notice {
            id: NoticeId(self.notice_id),
            case_id: CaseId(self.case_id),
            cycle: self.cycle,
            kind: Kind::of(self.kind).ok_or_else(|| impossible("notice", "kind", self.notice_id))?,
            number: self.number,
            state: State::of(self.state).ok_or_else(|| impossible("notice", "state", self.notice_id))?,
            means: Means::of(self.sending_means)
                .ok_or_else(|| impossible("notice", "sending_means", self.notice_id))?,
            recipient: self.recipient,
            letter: Letter {
                language: self.language,
                subject: self.subject,
                body: self.body,
                short: self.short_text,
            },
            evidence: self.evidence,
            failure_reason: self.failure_reason,
            attempts: self.attempts,
            traceparent: self.traceparent,
            created: self.created_at.to_jiff(),
            ended: self.ended_at.map(Timestamp::to_jiff),
            due: self.due_at.map(Timestamp::to_jiff),
            sending: self.sending,
            record,
            places: Places::default(),
        })
    }
}

/// Writes new notices, once per case, cycle, kind and number, to wait in a lane; answers
/// which of them are new.
pub(crate) async fn post(
    conn: &mut PgConnection,
    notices: &[Notice],
    lane: Lane,
) -> Result<HashSet<NoticeId>, Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(notices)
        .column("notice_id", |notice| notice.id.0)
        .column("case_id", |notice| notice.case_id.0)
        .column("cycle", |notice| notice.cycle)
        .column("kind", |notice| notice.kind.number())
        .column("number", |notice| notice.number)
        .column("state", |notice| notice.state.number())
        .column("language", |notice| notice.letter.language.as_str())
        .column("recipient", |notice| notice.recipient.as_str())
        .column("subject", |notice| notice.letter.subject.as_str())
        .column("body", |notice| notice.letter.body.as_str())
        .column("sending_means", |notice| notice.means.number())
        .column("short_text", |notice| notice.letter.short.as_str())
        .column("failure_reason", |notice| notice.failure_reason.as_str())
        .column("evidence", |_| "")
        .column("attempts", |_| 0_i32)
        .column("traceparent", |notice| notice.traceparent.as_str())
        .column("created_at", |notice| notice.created.to_sqlx())
        .column("ended_at", |notice| notice.ended.map(ToSqlx::to_sqlx))
        .column("due_at", |notice| notice.due.map(ToSqlx::to_sqlx))
        .column("lane", |_| lane.number())
        .column("places", |notice| Json(&notice.places))
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT notice_once DO NOTHING RETURNING notice_id",
        rows.insert_into("notice")
    );
    let fresh: Vec<Uuid> =
        sqlx::query_scalar_with(AssertSqlSafe(statement), binds.arguments()?).fetch_all(conn).await?;
    Ok(fresh.into_iter().map(NoticeId).collect())
}

/// One page of notices, newest first.
pub(crate) async fn notices(
    conn: &mut PgConnection,
    filter: Filter,
    page: &Page,
    after: Option<NoticeId>,
) -> Result<Vec<Notice>, Fault> {
    let before = after.map_or(Uuid::max(), |notice| notice.0);
    let needs_person = pg::sql!(
        select_notices!(
            "AND notice_id < $1 AND state = {undelivered} AND failure_reason <> ALL($3)
               AND kind NOT IN ({survey}, {planned})
               AND dismissed_at IS NULL
             ORDER BY notice_id DESC LIMIT $2"
        ),
        undelivered = State::Undelivered,
        survey = Kind::Survey,
        planned = Kind::CallBackPlanned,
    );
    let query = match filter {
        Filter::All => sqlx::query_as(select_notices!("AND notice_id < $1 ORDER BY notice_id DESC LIMIT $2")),
        Filter::Case(_) => sqlx::query_as(select_notices!(
            "AND notice_id < $1 AND case_id = $3 ORDER BY notice_id DESC LIMIT $2"
        )),
        Filter::State(_) => sqlx::query_as(select_notices!(
            "AND notice_id < $1 AND state = $3 ORDER BY notice_id DESC LIMIT $2"
        )),
        Filter::NeedsPerson => sqlx::query_as(needs_person),
    };
    let query = query.bind(before).bind(page.limit());
    let rows: Vec<Row> = match filter {
        Filter::All => query,
        Filter::Case(case) => query.bind(case.0),
        Filter::State(state) => query.bind(state.number()),
        Filter::NeedsPerson => {
            query.bind(vec![Obstacle::Anonymous.reason(), CYCLE_ENDED, CASE_MOVED_ON, CALL_BACK_ENDED])
        }
    }
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::notice).collect()
}

/// Reads a notice; nobody else changes it until the transaction ends.
pub(crate) async fn lock_notice(conn: &mut PgConnection, notice: NoticeId) -> Result<Option<Notice>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_notices!("AND notice_id = $1 FOR UPDATE"))
        .bind(notice.0)
        .fetch_optional(conn)
        .await?;
    row.map(Row::notice).transpose()
}

/// Writes what a person made of a notice held by this transaction: from now on it is live.
pub(crate) async fn change(conn: &mut PgConnection, notice: &Notice) -> Result<(), Fault> {
    let record = notice.record.as_ref();
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(notice))
        .column("notice_id", |one| one.id.0)
        .column("state", |one| one.state.number())
        .column("recipient", |one| one.recipient.as_str())
        .column("evidence", |one| one.evidence.as_str())
        .column("failure_reason", |one| one.failure_reason.as_str())
        .column("attempts", |one| one.attempts)
        .column("ended_at", |one| one.ended.map(ToSqlx::to_sqlx))
        .column("due_at", |one| one.due.map(ToSqlx::to_sqlx))
        .column("sending", |one| one.sending)
        .column("means", |_| record.map_or(0, |record| record.means.number()))
        .column("recorder", |_| record.map_or("", |record| record.recorder.as_str()))
        .column("told_at", |_| record.map(|record| record.told.to_sqlx()))
        .column("dismissed_at", |_| None::<Timestamp>)
        .column("lane", |_| Lane::Live.number())
        .column("sending_means", |one| one.means.number())
        .done();
    let changed = binds.execute(&rows.update("notice", &["notice_id"]), conn).await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(Fault::internal("a notice was not written")) }
}

/// Writes what became of a notice that this transaction settled: it goes on to the next
/// means, in its lane, or stays undelivered.
pub(crate) async fn go_on(conn: &mut PgConnection, notice: &Notice) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(notice)
        .column("notice_id", |notice| notice.id.0)
        .column("state", |notice| notice.state.number())
        .column("recipient", |notice| notice.recipient.as_str())
        .column("failure_reason", |notice| notice.failure_reason.as_str())
        .column("attempts", |notice| notice.attempts)
        .column("ended_at", |notice| notice.ended.map(ToSqlx::to_sqlx))
        .column("due_at", |notice| notice.due.map(ToSqlx::to_sqlx))
        .column("sending", |notice| notice.sending)
        .column("sending_means", |notice| notice.means.number())
        .column("evidence", |notice| notice.evidence.as_str())
        .done();
    let gone = binds.execute(&rows.update("notice", &["notice_id"]), conn).await?;
    if gone.rows_affected() == 1 { Ok(()) } else { Err(Fault::internal("a notice was not written")) }
}

/// Writes further evidence of a delivery.
pub(crate) async fn keep_evidence(conn: &mut PgConnection, notice: &Notice) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE notice SET evidence = $2
         WHERE tenant_id = current_setting('redress.tenant') AND notice_id = $1",
    )
    .bind(notice.id.0)
    .bind(&notice.evidence)
    .execute(conn)
    .await?;
    Ok(())
}

/// Has no person see to the undelivered notices of cases any more.
pub(crate) async fn dismiss(
    conn: &mut PgConnection,
    cases: &[CaseId],
    now: jiff::Timestamp,
) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE notice SET dismissed_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND state = {undelivered}
           AND dismissed_at IS NULL",
        undelivered = State::Undelivered,
    ))
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives up the pending notices of surveys that have ended.
pub(crate) async fn end_survey_notices(
    conn: &mut PgConnection,
    cycles: &[(CaseId, i32)],
    now: jiff::Timestamp,
) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE notice n SET state = {undelivered}, failure_reason = $3, ended_at = $4, due_at = NULL
         FROM (SELECT UNNEST($1::uuid[]) AS case_id, UNNEST($2::int[]) AS cycle) AS c
         WHERE n.tenant_id = current_setting('redress.tenant') AND n.case_id = c.case_id AND n.cycle = c.cycle
           AND n.kind = {survey} AND n.state = {pending}",
        undelivered = State::Undelivered,
        survey = Kind::Survey,
        pending = State::Pending,
    ))
    .bind(cycles.iter().map(|(case, _)| case.0).collect::<Vec<_>>())
    .bind(cycles.iter().map(|(_, cycle)| *cycle).collect::<Vec<_>>())
    .bind(SURVEY_ENDED)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives up notices that nobody is to be sent any more.
pub(crate) async fn give_up(
    conn: &mut PgConnection,
    notices: &[NoticeId],
    reason: &str,
    now: jiff::Timestamp,
) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE notice SET state = {undelivered}, failure_reason = $2, ended_at = $3, due_at = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND notice_id = ANY($1) AND state = {pending}",
        undelivered = State::Undelivered,
        pending = State::Pending,
    ))
    .bind(notices.iter().map(|notice| notice.0).collect::<Vec<_>>())
    .bind(reason)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// How a worker claims notices.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    pub(crate) now: jiff::Timestamp,
    /// When the claim runs out and another worker may take the notice up.
    pub(crate) until: jiff::Timestamp,
    /// Most notices to claim.
    pub(crate) limit: i64,
    /// How many of each tenant's notices this worker is sending.
    pub(crate) under_way: BTreeMap<TenantId, i64>,
}

/// A notice a worker has claimed, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) tenant: TenantId,
    pub(crate) notice: Notice,
}

/// How many candidates are looked at for each notice claimed: some are another worker's.
const CANDIDATES: i64 = 4;

/// Claims what is due, of all tenants: run as the worker. Goes from queue to queue by the
/// index, live ones before bulk ones; within a lane whose tenant has the fewest on their
/// way is next, and of a tenant's the longest due.
pub(crate) async fn claim(conn: &mut PgConnection, claims: Claims) -> Result<Vec<Claimed>, Fault> {
    let rows: Vec<ClaimedRow> = sqlx::query_as(pg::sql!(
        "WITH RECURSIVE queue AS (
             (SELECT lane, tenant_id FROM notice WHERE state = {pending} ORDER BY lane, tenant_id LIMIT 1)
             UNION ALL
             SELECT next.lane, next.tenant_id FROM queue, LATERAL (
                 SELECT w.lane, w.tenant_id FROM notice w
                 WHERE w.state = {pending} AND (w.lane, w.tenant_id) > (queue.lane, queue.tenant_id)
                 ORDER BY w.lane, w.tenant_id LIMIT 1) AS next),
         due AS (
             SELECT queue.lane, d.tenant_id, d.notice_id, d.due_at,
                    row_number() OVER (PARTITION BY d.tenant_id ORDER BY queue.lane, d.due_at)
                        + coalesce(busy.notices, 0) AS turn
             FROM queue
             CROSS JOIN LATERAL (
                 SELECT w.tenant_id, w.notice_id, w.due_at FROM notice w
                 WHERE w.state = {pending} AND w.lane = queue.lane AND w.tenant_id = queue.tenant_id AND w.due_at <= $1
                 ORDER BY w.due_at LIMIT $3) AS d
             LEFT JOIN UNNEST($5::text[], $6::bigint[]) AS busy (tenant_id, notices)
                 ON busy.tenant_id = d.tenant_id),
         claimed AS (
             SELECT n.tenant_id, n.notice_id
             FROM (SELECT * FROM due ORDER BY lane, turn, due_at LIMIT $4) AS due
             JOIN notice n ON n.tenant_id = due.tenant_id AND n.notice_id = due.notice_id
             WHERE n.state = {pending} AND n.due_at <= $1
             ORDER BY due.lane, due.turn, due.due_at LIMIT $3
             FOR UPDATE OF n SKIP LOCKED)
         UPDATE notice n SET attempts = n.attempts + 1, due_at = $2
         FROM claimed
         WHERE n.tenant_id = claimed.tenant_id AND n.notice_id = claimed.notice_id
         RETURNING n.tenant_id, n.notice_id, n.case_id, n.cycle, n.kind, n.number, n.state, n.language, n.recipient,
                   n.subject, n.body, n.evidence, n.failure_reason, n.attempts, n.traceparent, n.created_at,
                   n.ended_at, n.due_at, n.sending, n.means, n.recorder, n.told_at, n.sending_means, n.short_text",
        pending = State::Pending,
    ))
    .bind(claims.now.to_sqlx())
    .bind(claims.until.to_sqlx())
    .bind(claims.limit)
    .bind(claims.limit.saturating_mul(CANDIDATES))
    .bind(claims.under_way.keys().map(TenantId::as_str).collect::<Vec<_>>())
    .bind(claims.under_way.values().copied().collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let claimed = |row: ClaimedRow| {
        let id = row.notice.notice_id;
        let tenant = TenantId::parse(&row.tenant_id).map_err(|_| impossible("notice", "tenant_id", id))?;
        Ok(Claimed { tenant, notice: row.notice.notice()? })
    };
    rows.into_iter().map(claimed).collect()
}

/// What an attempt made of a notice.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) tenant: TenantId,
    pub(crate) notice: Notice,
    /// When to try again; none once it is settled.
    pub(crate) again: Option<jiff::Timestamp>,
}

/// Writes what attempts made of one tenant's notices, and answers which attempts
/// were written. One whose claim ran out counts no more, with one exception:
/// whatever else goes on, a mail taken over is a notice delivered. One of a notice
/// that a person has seen to, or had sent again, meanwhile does not count.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    attempts: &[&Attempt],
) -> Result<HashSet<(NoticeId, i32)>, Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(attempts)
        .column("notice_id", |attempt| attempt.notice.id.0)
        .column("attempt", |attempt| attempt.notice.attempts)
        .column("sending", |attempt| attempt.notice.sending)
        .column("state", |attempt| attempt.notice.state.number())
        .column("evidence", |attempt| attempt.notice.evidence.as_str())
        .column("failure_reason", |attempt| attempt.notice.failure_reason.as_str())
        .column("ended_at", |attempt| attempt.notice.ended.map(ToSqlx::to_sqlx))
        .column("due_at", |attempt| attempt.again.map(ToSqlx::to_sqlx))
        .done();
    let statement = pg::sql!(
        "UPDATE notice n
         SET state = a.state, evidence = a.evidence, failure_reason = a.failure_reason,
             ended_at = a.ended_at, due_at = a.due_at
         FROM (SELECT DISTINCT ON (notice_id) * FROM {rows} AS a
               ORDER BY notice_id, state = {delivered} DESC, attempt DESC) AS a
         WHERE n.tenant_id = current_setting('redress.tenant') AND n.notice_id = a.notice_id
           AND n.state = {pending} AND n.sending = a.sending
           AND (a.state = {delivered} OR n.attempts = a.attempt)
         RETURNING n.notice_id, a.attempt",
        delivered = State::Delivered,
        pending = State::Pending;
        rows = rows
    );
    let written: Vec<(Uuid, i32)> =
        sqlx::query_as_with(statement, binds.arguments()?).fetch_all(conn).await?;
    Ok(written.into_iter().map(|(notice, attempt)| (NoticeId(notice), attempt)).collect())
}
