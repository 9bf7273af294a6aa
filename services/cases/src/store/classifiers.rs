//! Statements about classifiers.

use std::slice;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Moment, ToSqlx as _};
use kernel::page::Page;
use language::{Confusion, Sure};
use pg::Binds;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::classifier::{Figures, KeptClassifier, Learnt};

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    active: bool,
    trainer: String,
    trained_at: Moment,
    activated_at: Option<Moment>,
    threshold: f64,
    learnt: i32,
    terms: i32,
    macro_f1: f64,
    accuracy: f64,
    calibration_error: f64,
    sure_share: f64,
    sure_accuracy: f64,
    held_out: i32,
    categories: Vec<String>,
    confusion: Vec<i32>,
}

impl Row {
    fn into_classifier(self) -> Result<KeptClassifier, Fault> {
        let count = |column: &'static str, count: i32| {
            usize::try_from(count).map_err(|_| impossible(column, self.version))
        };
        let cells: Result<Vec<u32>, _> = self.confusion.iter().map(|cell| u32::try_from(*cell)).collect();
        let cells = cells.map_err(|_| impossible("confusion", self.version))?;
        let rows = cells.chunks(self.categories.len().max(1)).map(<[u32]>::to_vec).collect();
        Ok(KeptClassifier {
            version: self.version,
            active: self.active,
            trainer: self.trainer,
            train_time: self.trained_at.to_jiff(),
            activate_time: self.activated_at.map(Moment::to_jiff),
            threshold: self.threshold,
            figures: Figures {
                learnt: count("learnt", self.learnt)?,
                terms: count("terms", self.terms)?,
                held_out: count("held_out", self.held_out)?,
                macro_f1: self.macro_f1,
                accuracy: self.accuracy,
                calibration_error: self.calibration_error,
                sure: Sure { share: self.sure_share, right: self.sure_accuracy },
                confusion: Confusion { classes: self.categories, counts: rows },
            },
        })
    }
}

/// A row that no version of this service can have written.
fn impossible(column: &str, version: i64) -> Fault {
    Fault::internal(format!("classifier.{column} of version {version} has an impossible value"))
}

/// Says that a classifier is being trained; false while another one is.
pub(crate) async fn begin_training(
    conn: &mut PgConnection,
    token: Uuid,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, Fault> {
    let begun = sqlx::query(
        "INSERT INTO classifier_state (tenant_id, newest, active, training_token, training_until)
         VALUES (current_setting('redress.tenant'), 0, 0, $1, $3)
         ON CONFLICT (tenant_id) DO UPDATE
         SET training_token = excluded.training_token, training_until = excluded.training_until
         WHERE classifier_state.training_until IS NULL OR classifier_state.training_until <= $2",
    )
    .bind(token)
    .bind(now.to_sqlx())
    .bind(until.to_sqlx())
    .execute(conn)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// Says that a training is over; one that is another's by now stays.
pub(crate) async fn end_training(conn: &mut PgConnection, token: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE classifier_state SET training_token = NULL, training_until = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND training_token = $1",
    )
    .bind(token)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what a training has brought as the tenant's next version and ends the
/// training; none when it is another's by now.
pub(crate) async fn create(
    conn: &mut PgConnection,
    token: Uuid,
    learnt: &Learnt,
    trainer: &str,
    now: Timestamp,
) -> Result<Option<i64>, Fault> {
    let Figures { learnt: texts, terms, held_out, macro_f1, accuracy, calibration_error, sure, confusion } =
        &learnt.figures;
    let count = |count: usize| i32::try_from(count).map_err(Fault::internal);
    let cells: Result<Vec<i32>, _> =
        confusion.counts.iter().flatten().map(|cell| i32::try_from(*cell)).collect();
    let (texts, terms, held_out) = (count(*texts)?, count(*terms)?, count(*held_out)?);
    let cells = cells.map_err(Fault::internal)?;
    let mut binds = Binds::default();
    let token = binds.value(token);
    let rows = binds
        .rows(slice::from_ref(learnt))
        .column("trainer", |_| trainer)
        .column("trained_at", |_| now.to_sqlx())
        .column("threshold", |one| one.threshold)
        .column("learnt", |_| texts)
        .column("terms", |_| terms)
        .column("macro_f1", |_| *macro_f1)
        .column("accuracy", |_| *accuracy)
        .column("calibration_error", |_| *calibration_error)
        .column("sure_share", |_| sure.share)
        .column("sure_accuracy", |_| sure.right)
        .column("held_out", |_| held_out)
        .list("categories", |_| &confusion.classes)
        .numbers("confusion", |_| cells.clone())
        .column("model", |one| one.model.to_bytes())
        .done();
    let statement = format!(
        "WITH state AS (
             UPDATE classifier_state
             SET newest = newest + 1, training_token = NULL, training_until = NULL
             WHERE tenant_id = current_setting('redress.tenant') AND training_token = {token}
             RETURNING newest)
         INSERT INTO classifier (tenant_id, version, {})
         SELECT current_setting('redress.tenant'), newest, {} FROM state, {rows} AS r
         RETURNING version",
        rows.names(),
        rows.values("r"),
    );
    let insert = sqlx::query_scalar_with(AssertSqlSafe(statement), binds.arguments()?);
    Ok(insert.fetch_optional(conn).await?)
}

/// The version complaints are classified by; 0 when none is active.
pub(crate) async fn active(conn: &mut PgConnection) -> Result<i64, Fault> {
    let active: Option<i64> = sqlx::query_scalar(
        "SELECT active FROM classifier_state WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    Ok(active.unwrap_or(0))
}

/// Reads threshold and model of a version.
pub(crate) async fn model(conn: &mut PgConnection, version: i64) -> Result<Option<(f64, Vec<u8>)>, Fault> {
    let model = sqlx::query_as(
        "SELECT threshold, model FROM classifier
         WHERE tenant_id = current_setting('redress.tenant') AND version = $1",
    )
    .bind(version)
    .fetch_optional(conn)
    .await?;
    Ok(model)
}

/// Reads a version.
pub(crate) async fn get(conn: &mut PgConnection, version: i64) -> Result<Option<KeptClassifier>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT c.version, s.active = c.version AS active, c.trainer, c.trained_at, c.activated_at, c.threshold,
                c.learnt, c.terms, c.macro_f1, c.accuracy, c.calibration_error, c.sure_share, c.sure_accuracy,
                c.held_out, c.categories, c.confusion
         FROM classifier c JOIN classifier_state s ON s.tenant_id = c.tenant_id
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.version = $1",
    )
    .bind(version)
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_classifier).transpose()
}

/// Lists versions without their categories, newest first.
pub(crate) async fn list(conn: &mut PgConnection, page: &Page) -> Result<Vec<KeptClassifier>, Fault> {
    let before: i64 = match &page.after {
        Some(key) => key.parse().map_err(|_| Fault::invalid_page_token())?,
        None => i64::MAX,
    };
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT c.version, s.active = c.version AS active, c.trainer, c.trained_at, c.activated_at, c.threshold,
                c.learnt, c.terms, c.macro_f1, c.accuracy, c.calibration_error, c.sure_share, c.sure_accuracy,
                c.held_out, '{}'::text[] AS categories, '{}'::integer[] AS confusion
         FROM classifier c JOIN classifier_state s ON s.tenant_id = c.tenant_id
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.version < $1
         ORDER BY c.version DESC LIMIT $2",
    )
    .bind(before)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_classifier).collect()
}

/// Makes a version the active one; false when there is no such version.
pub(crate) async fn activate(conn: &mut PgConnection, version: i64, now: Timestamp) -> Result<bool, Fault> {
    let marked = sqlx::query(
        "WITH marked AS (
             UPDATE classifier SET activated_at = $2
             WHERE tenant_id = current_setting('redress.tenant') AND version = $1
             RETURNING version)
         UPDATE classifier_state SET active = marked.version
         FROM marked WHERE tenant_id = current_setting('redress.tenant')",
    )
    .bind(version)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(marked.rows_affected() == 1)
}

/// Makes none active; answers the version that was, 0 when none was.
pub(crate) async fn deactivate(conn: &mut PgConnection) -> Result<i64, Fault> {
    let before: Option<i64> = sqlx::query_scalar(
        "WITH before AS (
             SELECT tenant_id, active FROM classifier_state
             WHERE tenant_id = current_setting('redress.tenant') FOR NO KEY UPDATE)
         UPDATE classifier_state s SET active = 0
         FROM before WHERE s.tenant_id = before.tenant_id
         RETURNING before.active",
    )
    .fetch_optional(conn)
    .await?;
    Ok(before.unwrap_or(0))
}
