//! Statements about groups.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use kernel::page::Page;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;
use vocabulary::Matter;

use super::row::impossible;
use crate::groups::{Group, Member, Policy};

#[derive(sqlx::FromRow)]
struct Row {
    group_id: Uuid,
    version: i64,
    title: String,
    matter: i16,
    members: i32,
    representatives: i32,
    alarm_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl Row {
    fn group(self) -> Result<Group, Fault> {
        let Self { group_id, version, title, matter, members, representatives, alarm_at, created_at } = self;
        Ok(Group {
            id: group_id,
            version,
            title,
            matter: Matter::of(matter).ok_or_else(|| impossible("complaint_group", "matter", group_id))?,
            members,
            representatives,
            alarm_time: alarm_at.map(Timestamp::to_jiff),
            create_time: created_at.to_jiff(),
        })
    }
}

/// Reads one group.
pub(crate) async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<Group>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT group_id, version, title, matter, members, representatives, alarm_at, created_at
         FROM complaint_group WHERE tenant_id = current_setting('redress.tenant') AND group_id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.map(Row::group).transpose()
}

/// Reads one group and keeps others from changing it, its members and its alarm.
/// Locked before any case: who has cases locked waits for no group.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Group>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT group_id, version, title, matter, members, representatives, alarm_at, created_at
         FROM complaint_group WHERE tenant_id = current_setting('redress.tenant') AND group_id = $1
         FOR NO KEY UPDATE",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.map(Row::group).transpose()
}

/// Writes a group, new or locked by this transaction.
pub(crate) async fn save(conn: &mut PgConnection, group: &Group) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO complaint_group
             (tenant_id, group_id, version, title, matter, members, representatives, alarm_at, created_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (tenant_id, group_id) DO UPDATE
         SET version = excluded.version, members = excluded.members,
             representatives = excluded.representatives, alarm_at = excluded.alarm_at",
    )
    .bind(group.id)
    .bind(group.version)
    .bind(&group.title)
    .bind(group.matter.number())
    .bind(group.members)
    .bind(group.representatives)
    .bind(group.alarm_time.map(jiff_sqlx::ToSqlx::to_sqlx))
    .bind(group.create_time.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Which of these cases are in which group, each locked by this transaction.
pub(crate) async fn groups_of(conn: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, Fault> {
    let pairs = sqlx::query_as(
        "SELECT case_id, group_id FROM group_member
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)",
    )
    .bind(cases)
    .fetch_all(conn)
    .await?;
    Ok(pairs)
}

/// Whether a case is in a group that has raised the alarm.
pub(crate) async fn is_in_major(conn: &mut PgConnection, case: CaseId) -> Result<bool, Fault> {
    let is = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM group_member m
                        JOIN complaint_group g ON g.tenant_id = m.tenant_id AND g.group_id = m.group_id
                        WHERE m.tenant_id = current_setting('redress.tenant') AND m.case_id = $1
                          AND g.alarm_at IS NOT NULL)",
    )
    .bind(case.0)
    .fetch_one(conn)
    .await?;
    Ok(is)
}

/// Writes new members.
pub(crate) async fn join(conn: &mut PgConnection, group: Uuid, members: &[Member]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(members)
        .column("group_id", |_| group)
        .column("case_id", |member| member.case)
        .column("representative", |member| member.representative)
        .column("actor", |member| member.actor.as_str())
        .column("joined_at", |member| member.join_time.to_sqlx())
        .done();
    binds.execute(&rows.insert_into("group_member"), conn).await?;
    Ok(())
}

/// Takes a member out; answers whether it was a representative's, none if it was no
/// member.
pub(crate) async fn leave(conn: &mut PgConnection, group: Uuid, case: CaseId) -> Result<Option<bool>, Fault> {
    let representative = sqlx::query_scalar(
        "DELETE FROM group_member
         WHERE tenant_id = current_setting('redress.tenant') AND group_id = $1 AND case_id = $2
         RETURNING representative",
    )
    .bind(group)
    .bind(case.0)
    .fetch_optional(conn)
    .await?;
    Ok(representative)
}

/// The cases of a group.
pub(crate) async fn cases_of(conn: &mut PgConnection, group: Uuid) -> Result<Vec<Uuid>, Fault> {
    let cases = sqlx::query_scalar(
        "SELECT case_id FROM group_member
         WHERE tenant_id = current_setting('redress.tenant') AND group_id = $1 ORDER BY case_id",
    )
    .bind(group)
    .fetch_all(conn)
    .await?;
    Ok(cases)
}

/// Reads a page of a group's members, in the order of their registration.
pub(crate) async fn members(conn: &mut PgConnection, group: Uuid, page: &Page) -> Result<Vec<Member>, Fault> {
    let after = match &page.after {
        Some(key) => Uuid::try_parse(key).map_err(|_| Fault::invalid_page_token())?,
        None => Uuid::nil(),
    };
    let rows: Vec<(Uuid, bool, String, Timestamp)> = sqlx::query_as(
        "SELECT case_id, representative, actor, joined_at FROM group_member
         WHERE tenant_id = current_setting('redress.tenant') AND group_id = $1 AND case_id > $2
         ORDER BY case_id LIMIT $3",
    )
    .bind(group)
    .bind(after)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    let member = |(case, representative, actor, joined): (Uuid, bool, String, Timestamp)| Member {
        case,
        representative,
        actor,
        join_time: joined.to_jiff(),
    };
    Ok(rows.into_iter().map(member).collect())
}

/// Reads a page of groups, newest first; of one case, where one is named.
pub(crate) async fn list(
    conn: &mut PgConnection,
    case: Option<CaseId>,
    page: &Page,
) -> Result<Vec<Group>, Fault> {
    let before = match &page.after {
        Some(key) => Uuid::try_parse(key).map_err(|_| Fault::invalid_page_token())?,
        None => Uuid::max(),
    };
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT group_id, version, title, matter, members, representatives, alarm_at, created_at
         FROM complaint_group
         WHERE tenant_id = current_setting('redress.tenant') AND group_id < $1
           AND ($2::uuid IS NULL OR group_id = (
                SELECT group_id FROM group_member
                WHERE tenant_id = current_setting('redress.tenant') AND case_id = $2))
         ORDER BY group_id DESC LIMIT $3",
    )
    .bind(before)
    .bind(case.map(|case| case.0))
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::group).collect()
}

/// What the tenant has decided about groups.
pub(crate) async fn policy(conn: &mut PgConnection) -> Result<Policy, Fault> {
    let row: Option<(i32, i32, String)> = sqlx::query_as(
        "SELECT max_representatives, alarm_from, reason FROM group_policy
         WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    let decided =
        |(max_representatives, alarm_from, reason)| Policy { max_representatives, alarm_from, reason };
    Ok(row.map(decided).unwrap_or_default())
}

/// Writes what the tenant has decided about groups.
pub(crate) async fn decide(conn: &mut PgConnection, policy: &Policy) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO group_policy (tenant_id, max_representatives, alarm_from, reason)
         VALUES (current_setting('redress.tenant'), $1, $2, $3)
         ON CONFLICT (tenant_id) DO UPDATE
         SET max_representatives = excluded.max_representatives, alarm_from = excluded.alarm_from,
             reason = excluded.reason",
    )
    .bind(policy.max_representatives)
    .bind(policy.alarm_from)
    .bind(&policy.reason)
    .execute(conn)
    .await?;
    Ok(())
}
