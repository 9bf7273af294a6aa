//! Statements about clocks.

use std::collections::BTreeMap;

use calendar::{Clock, zones};
use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::impossible;
use crate::calendars::Calendars;
use crate::clocks::tellings::Telling;
use crate::clocks::{CaseClock, Held};
use crate::promise::number;

/// Reads clocks of the tenant, each with the edition of its calendar that counts,
/// unless that is built in: what follows the tenant's condition is given.
macro_rules! select_clocks {
    ($rest:literal) => {
        concat!(
            "SELECT case_id, kind, cycle, policy, calendar, own_target, unverified, rungs, tellings, clock, zones, due_at,
                    (SELECT edition_id FROM calendars
                     WHERE tenant_id = current_setting('redress.tenant') AND name = clock.calendar
                     ORDER BY version DESC LIMIT 1) AS edition_id,
                    EXISTS (SELECT FROM clock_job WHERE tenant_id = current_setting('redress.tenant')
                                                    AND finished_at IS NULL) AS pending
             FROM clock WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    kind: i16,
    cycle: i32,
    policy: i32,
    calendar: String,
    own_target: bool,
    unverified: bool,
    rungs: Vec<String>,
    tellings: Json<Vec<Telling>>,
    clock: Json<Clock>,
    zones: String,
    due_at: Option<jiff_sqlx::Timestamp>,
    edition_id: Option<Uuid>,
    pending: bool,
}

impl Row {
    fn into_clock(self, calendars: &Calendars) -> Result<CaseClock, Fault> {
        let Json(clock) = self.clock;
        if number(clock.kind) != self.kind {
            return Err(impossible("clock", "kind", self.case_id));
        }
        let other_zones = clock.is_open() && self.zones != zones::version();
        let due = self.due_at.map(jiff_sqlx::Timestamp::to_jiff);
        let held = other_zones.then(|| Held::of(&clock, self.zones, due));
        Ok(CaseClock {
            case: CaseId(self.case_id),
            cycle: self.cycle,
            policy: self.policy,
            calendar: calendars.known(&self.calendar)?,
            calendar_name: self.calendar,
            own_target: self.own_target,
            unverified: self.unverified,
            rungs: self.rungs,
            tellings: self.tellings.0,
            clock,
            changed: false,
            held,
        })
    }
}

/// Reads the clocks of cases, in the order of their kinds, latest cycle first; and whether
/// a policy or calendar has not reached all clocks of the tenant, so far as there are any.
pub(crate) async fn of(conn: &mut PgConnection, cases: &[Uuid]) -> Result<(Vec<CaseClock>, bool), Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_clocks!("AND case_id = ANY($1) ORDER BY case_id, kind, cycle DESC"))
            .bind(cases)
            .fetch_all(&mut *conn)
            .await?;
    let pending = rows.first().is_some_and(|row| row.pending);
    Ok((counted(conn, rows).await?, pending))
}

/// Reads the open clocks counted by a calendar, of the cases after one, a page of
/// cases at a time.
pub(crate) async fn open_by(
    conn: &mut PgConnection,
    calendar: &str,
    after: Uuid,
    cases: i64,
) -> Result<Vec<CaseClock>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_clocks!(
        "AND calendar = $1 AND is_open AND case_id IN
             (SELECT DISTINCT case_id FROM clock
              WHERE tenant_id = current_setting('redress.tenant') AND calendar = $1 AND is_open
                AND case_id > $2
              ORDER BY case_id LIMIT $3)
         ORDER BY case_id, kind, cycle DESC"
    ))
    .bind(calendar)
    .bind(after)
    .bind(cases)
    .fetch_all(&mut *conn)
    .await?;
    counted(conn, rows).await
}

/// Reads the open clocks of the cases after one, in the order of the cases.
pub(crate) async fn open_after(
    conn: &mut PgConnection,
    after: Uuid,
    cases: i64,
) -> Result<Vec<CaseClock>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_clocks!(
        "AND is_open AND case_id IN
             (SELECT DISTINCT case_id FROM clock
              WHERE tenant_id = current_setting('redress.tenant') AND is_open AND case_id > $1
              ORDER BY case_id LIMIT $2)
         ORDER BY case_id, kind, cycle DESC"
    ))
    .bind(after)
    .bind(cases)
    .fetch_all(&mut *conn)
    .await?;
    counted(conn, rows).await
}

/// Reads the open clocks counted by other time zones than a release, of the cases after
/// one, in the order of the cases.
pub(crate) async fn open_of_other_zones(
    conn: &mut PgConnection,
    release: &str,
    after: Uuid,
    cases: i64,
) -> Result<Vec<CaseClock>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_clocks!(
        "AND is_open AND zones <> $1 AND case_id IN
             (SELECT DISTINCT case_id FROM clock
              WHERE tenant_id = current_setting('redress.tenant') AND is_open AND zones <> $1
                AND case_id > $2
              ORDER BY case_id LIMIT $3)
         ORDER BY case_id, kind, cycle DESC"
    ))
    .bind(release)
    .bind(after)
    .bind(cases)
    .fetch_all(&mut *conn)
    .await?;
    counted(conn, rows).await
}

/// Clocks with the calendars they are counted by.
async fn counted(conn: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<CaseClock>, Fault> {
    let editions: BTreeMap<&str, Uuid> =
        rows.iter().filter_map(|row| Some((row.calendar.as_str(), row.edition_id?))).collect();
    let editions: Vec<(String, Uuid)> =
        editions.into_iter().map(|(name, id)| (name.to_owned(), id)).collect();
    let calendars = super::calendars::made(conn, editions).await?;
    rows.into_iter().map(|row| row.into_clock(&calendars)).collect()
}

/// Writes clocks, new ones and changed ones, of cases locked by this transaction.
pub(crate) async fn save(conn: &mut PgConnection, clocks: &[&CaseClock]) -> Result<(), Fault> {
    if clocks.is_empty() {
        return Ok(());
    }
    let mut binds = Binds::default();
    let rows = binds
        .rows(clocks)
        .column("case_id", |clock| clock.case.0)
        .column("kind", |clock| number(clock.clock.kind))
        .column("cycle", |clock| clock.cycle)
        .column("policy", |clock| clock.policy)
        .column("calendar", |clock| clock.calendar_name.as_str())
        .column("own_target", |clock| clock.own_target)
        .column("unverified", |clock| clock.unverified)
        .column("is_open", |clock| clock.clock.is_open())
        .column("due_at", |clock| clock.due().map(jiff::Timestamp::to_sqlx))
        .list("rungs", |clock| &clock.rungs)
        .column("tellings", |clock| Json(&clock.tellings))
        .column("clock", |clock| Json(&clock.clock))
        .column("zones", |clock| clock.zone_release())
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT clock_pkey DO UPDATE SET {}",
        rows.insert_into("clock"),
        rows.overwrite(&["case_id", "kind", "cycle"]),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}
