//! Statements on what decides who is surveyed and called back.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::impossible;
use crate::profile::{Origin, Profile, Progress};
use crate::survey::SurveyEligibility;

/// Keeps what complaints said of themselves.
pub(crate) async fn keep_origins(conn: &mut PgConnection, origins: &[Origin]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(origins)
        .column("case_id", |origin| origin.case_id.0)
        .column("channel", |origin| origin.channel)
        .column("vulnerable", |origin| origin.vulnerable)
        .column("about_staff", |origin| origin.about_staff)
        .column("phone", |origin| origin.phone.as_str())
        .column("masked_phone", |origin| origin.masked_phone.as_ref().map(|(phone, _)| phone.as_str()))
        .column("masked_phone_until", |origin| origin.masked_phone.as_ref().map(|(_, until)| until.to_sqlx()))
        .column("receipt_hash", |origin| Some(origin.receipt_hash.as_slice()).filter(|hash| !hash.is_empty()))
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT case_profile_pkey DO UPDATE
         SET channel = excluded.channel, vulnerable = excluded.vulnerable, about_staff = excluded.about_staff,
             phone = excluded.phone, masked_phone = excluded.masked_phone,
             masked_phone_until = excluded.masked_phone_until, receipt_hash = excluded.receipt_hash
         WHERE case_profile.phone IS NULL",
        rows.insert_into("case_profile")
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Keeps how far cases are; what was not told anew stays.
pub(crate) async fn keep_progress(
    conn: &mut PgConnection,
    progress: &[(CaseId, Progress)],
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(progress)
        .column("case_id", |(case, _)| case.0)
        .column("priority", |(_, progress)| progress.priority)
        .column("standing", |(_, progress)| progress.standing.map(SurveyEligibility::number))
        .column("recused", |(_, progress)| progress.recused.as_ref().map(Json))
        .column("time_zone", |(_, progress)| progress.time_zone.as_deref())
        .done();
    let statement = format!(
        "{} ON CONFLICT ON CONSTRAINT case_profile_pkey DO UPDATE
         SET priority = coalesce(excluded.priority, case_profile.priority),
             standing = coalesce(excluded.standing, case_profile.standing),
             recused = coalesce(excluded.recused, case_profile.recused),
             time_zone = coalesce(excluded.time_zone, case_profile.time_zone)",
        rows.insert_into("case_profile")
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// The case whose receipt code has this hash.
pub(crate) async fn case_by_receipt(
    conn: &mut PgConnection,
    hash: [u8; 32],
) -> Result<Option<CaseId>, Fault> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT case_id FROM case_profile
         WHERE tenant_id = current_setting('redress.tenant') AND receipt_hash = $1",
    )
    .bind(hash.as_slice())
    .fetch_optional(conn)
    .await?;
    Ok(id.map(CaseId))
}

#[derive(sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    channel: Option<i16>,
    vulnerable: Option<bool>,
    about_staff: Option<bool>,
    phone: Option<String>,
    priority: Option<i16>,
    standing: Option<i16>,
    recused: Option<Json<Vec<String>>>,
    masked_phone: Option<String>,
    masked_phone_until: Option<Timestamp>,
    time_zone: Option<String>,
}

impl Row {
    fn profile(self) -> Result<Profile, Fault> {
        let standing = match self.standing {
            None => SurveyEligibility::Open,
            Some(number) => SurveyEligibility::of(number)
                .ok_or_else(|| impossible("case_profile", "standing", self.case_id))?,
        };
        Ok(Profile {
            channel: self.channel.unwrap_or(0),
            vulnerable: self.vulnerable.unwrap_or(false),
            about_staff: self.about_staff.unwrap_or(false),
            phone: self.phone.unwrap_or_default(),
            priority: self.priority.unwrap_or(0),
            standing,
            recused: self.recused.map(|recused| recused.0).unwrap_or_default(),
            masked_phone: self.masked_phone.zip(self.masked_phone_until.map(Timestamp::to_jiff)),
            time_zone: self.time_zone.unwrap_or_default(),
        })
    }
}

/// Reads what is known of these cases: what follows is given.
macro_rules! select_profiles {
    ($rest:literal) => {
        concat!(
            "SELECT case_id, channel, vulnerable, about_staff, phone, priority, standing, recused, masked_phone,
                    masked_phone_until, time_zone
             FROM case_profile
             WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) ",
            $rest
        )
    };
}

/// What is known of these cases. Of a case nobody told of, nothing is.
pub(crate) async fn profiles(
    conn: &mut PgConnection,
    cases: &[CaseId],
) -> Result<HashMap<CaseId, Profile>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_profiles!(""))
        .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|row| Ok((CaseId(row.case_id), row.profile()?))).collect()
}

/// The same; nobody changes it until the transaction ends.
pub(crate) async fn hold_profiles(
    conn: &mut PgConnection,
    cases: &[CaseId],
) -> Result<HashMap<CaseId, Profile>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_profiles!("ORDER BY case_id FOR SHARE"))
        .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|row| Ok((CaseId(row.case_id), row.profile()?))).collect()
}
