//! Statements on the files of reports.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Progress, impossible};
use crate::report::{CHUNK, File, Format, Language};

/// The files of reports, in order.
pub(crate) async fn report_files(
    conn: &mut PgConnection,
    reports: &[Uuid],
) -> Result<HashMap<Uuid, Vec<File>>, Fault> {
    let rows: Vec<(Uuid, i16, i16, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT report_id, language, format, size_bytes, sha256 FROM report_file
         WHERE tenant_id = current_setting('redress.tenant') AND report_id = ANY($1)
         ORDER BY report_id, language, format",
    )
    .bind(reports)
    .fetch_all(conn)
    .await?;
    let mut files: HashMap<Uuid, Vec<File>> = HashMap::new();
    for (report, language, format, size, sha256) in rows {
        let wrong = |column| impossible("report_file", column, report);
        let language = Language::of(language).ok_or_else(|| wrong("language"))?;
        let format = Format::of(format).ok_or_else(|| wrong("format"))?;
        files.entry(report).or_default().push(File { language, format, size, sha256 });
    }
    Ok(files)
}

/// Keeps a file of a report, once; answers whether it is still under this lease.
pub(crate) async fn keep_report_file(
    conn: &mut PgConnection,
    progress: Progress,
    file: &File,
    bytes: &[u8],
) -> Result<bool, Fault> {
    let held = sqlx::query(
        "UPDATE report SET due_at = $3
         WHERE tenant_id = current_setting('redress.tenant') AND report_id = $1 AND lease = $2",
    )
    .bind(progress.id)
    .bind(progress.lease)
    .bind(progress.until.to_sqlx())
    .execute(&mut *conn)
    .await?;
    if held.rows_affected() == 0 {
        return Ok(false);
    }
    let made = sqlx::query(
        "INSERT INTO report_file (tenant_id, report_id, language, format, size_bytes, sha256)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5)
         ON CONFLICT ON CONSTRAINT report_file_pkey DO NOTHING",
    )
    .bind(progress.id)
    .bind(file.language.number())
    .bind(file.format.number())
    .bind(file.size)
    .bind(&file.sha256)
    .execute(&mut *conn)
    .await?;
    if made.rows_affected() == 0 {
        return Ok(true);
    }
    let chunks: Vec<(i32, &[u8])> = (0..).zip(bytes.chunks(CHUNK)).collect();
    let mut binds = Binds::default();
    let rows = binds
        .rows(&chunks)
        .column("report_id", |_| progress.id)
        .column("language", |_| file.language.number())
        .column("format", |_| file.format.number())
        .column("ordinal", |(ordinal, _)| *ordinal)
        .column("data", |(_, data)| data.to_vec())
        .done();
    let statement = rows.insert_into("report_chunk");
    binds.execute(&statement, conn).await?;
    Ok(true)
}

/// A part of a file.
pub(crate) async fn report_chunk(
    conn: &mut PgConnection,
    report: Uuid,
    (language, format): (Language, Format),
    ordinal: i32,
) -> Result<Option<Vec<u8>>, Fault> {
    let data = sqlx::query_scalar(
        "SELECT data FROM report_chunk
         WHERE tenant_id = current_setting('redress.tenant') AND report_id = $1 AND language = $2 AND format = $3
           AND ordinal = $4",
    )
    .bind(report)
    .bind(language.number())
    .bind(format.number())
    .bind(ordinal)
    .fetch_optional(conn)
    .await?;
    Ok(data)
}
