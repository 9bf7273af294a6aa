//! Statements about training cases, their revisions, and the cases they are made of.

use std::collections::{BTreeMap, HashMap};

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;
use vocabulary::{Outcome, Priority, State};

use super::row::impossible;
use crate::review::{ReviewState, Reviewed, ReviewedKind};
use crate::timeline::{DISPUTED, Kind};
use crate::training::picking::{Candidate, MOST_CASES};
use crate::training::{
    About, Challenge, Content, Course, REWORK_KINDS, Revision, Step, TrainingCase, TrainingCaseFilter,
};

/// Training cases and a revision of each: what follows the tenant's condition is given.
macro_rules! select_training_cases {
    ($rest:literal) => {
        concat!(
            "SELECT t.training_case_id, t.version, t.state, t.latest, t.in_force, t.retirer, t.retire_reason,
                    t.language, t.category, t.priority, t.outcome, t.challenges,
                    r.revision, r.title, r.description, r.findings, r.root_cause, r.decision_reasons, r.lesson,
                    r.author, r.revised_at, r.reviewer, r.published_at, s.case_id
             FROM training_case t
             JOIN training_revision r ON r.tenant_id = t.tenant_id AND r.training_case_id = t.training_case_id
             LEFT JOIN training_source s
                  ON s.tenant_id = t.tenant_id AND s.training_case_id = t.training_case_id
             WHERE t.tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    training_case_id: Uuid,
    version: i64,
    state: i16,
    latest: i32,
    in_force: Option<i32>,
    retirer: String,
    retire_reason: String,
    language: String,
    category: String,
    priority: i16,
    outcome: Option<i16>,
    challenges: Vec<i32>,
    revision: i32,
    title: String,
    description: String,
    findings: String,
    root_cause: String,
    decision_reasons: String,
    lesson: String,
    author: String,
    revised_at: Timestamp,
    reviewer: String,
    published_at: Option<Timestamp>,
    case_id: Option<Uuid>,
}

impl Row {
    /// Without its steps.
    fn read(self) -> Result<TrainingCase, Fault> {
        let id = self.training_case_id;
        let known = |column: &'static str| move || impossible("training_case", column, id);
        let reviewed = Reviewed {
            kind: ReviewedKind::TrainingCase,
            id,
            version: self.version,
            state: ReviewState::of(self.state).ok_or_else(known("state"))?,
            latest: self.latest,
            in_force: self.in_force,
            retired: (!self.retirer.is_empty()).then_some((self.retirer, self.retire_reason)),
        };
        let challenge = |number: &i32| Challenge::of(*number).ok_or_else(known("challenges"));
        let about = About {
            language: self.language,
            category: self.category,
            priority: Priority::of(self.priority).ok_or_else(known("priority"))?,
            outcome: outcome("training_case", self.outcome, id)?,
            challenges: self.challenges.iter().map(challenge).collect::<Result<_, Fault>>()?,
        };
        let content = Content {
            title: self.title,
            description: self.description,
            findings: self.findings,
            root_cause: self.root_cause,
            decision_reasons: self.decision_reasons,
            lesson: self.lesson,
            steps: Vec::new(),
        };
        let revision = Revision {
            number: self.revision,
            content,
            author: self.author,
            revise_time: self.revised_at.to_jiff(),
            published: self.published_at.map(|at| (self.reviewer, at.to_jiff())),
        };
        Ok(TrainingCase { reviewed, about, revision, source: self.case_id.map(CaseId) })
    }
}

fn outcome(table: &'static str, number: Option<i16>, id: Uuid) -> Result<Option<Outcome>, Fault> {
    let known = |number| Outcome::of(number).ok_or_else(|| impossible(table, "outcome", id));
    number.map(known).transpose()
}

/// Reads a training case with a revision of it, the latest where none is named.
pub(crate) async fn get(
    conn: &mut PgConnection,
    id: Uuid,
    revision: Option<i32>,
) -> Result<Option<TrainingCase>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_training_cases!(
        "AND t.training_case_id = $1 AND r.revision = coalesce($2, t.latest)"
    ))
    .bind(id)
    .bind(revision)
    .fetch_optional(&mut *conn)
    .await?;
    let mut found = row.map(Row::read).transpose()?.into_iter().collect::<Vec<_>>();
    add_steps(conn, &mut found).await?;
    Ok(found.pop())
}

/// Reads a training case with its latest revision, without its steps, and keeps others from
/// changing it.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<TrainingCase>, Fault> {
    let row: Option<Row> = sqlx::query_as(select_training_cases!(
        "AND t.training_case_id = $1 AND r.revision = t.latest FOR NO KEY UPDATE OF t"
    ))
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

#[derive(sqlx::FromRow)]
struct StepRow {
    training_case_id: Uuid,
    after_s: i64,
    cycle: i32,
    kind: i16,
    text: String,
}

/// Reads the steps of revisions.
async fn add_steps(conn: &mut PgConnection, found: &mut [TrainingCase]) -> Result<(), Fault> {
    if found.is_empty() {
        return Ok(());
    }
    let rows: Vec<StepRow> = sqlx::query_as(
        "SELECT s.training_case_id, s.after_s, s.cycle, s.kind, s.text
         FROM UNNEST($1::uuid[], $2::integer[]) AS asked (id, revision)
         JOIN training_step s ON s.tenant_id = current_setting('redress.tenant')
              AND s.training_case_id = asked.id AND s.revision = asked.revision
         ORDER BY s.training_case_id, s.place",
    )
    .bind(found.iter().map(|one| one.reviewed.id).collect::<Vec<_>>())
    .bind(found.iter().map(|one| one.revision.number).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut steps: HashMap<Uuid, Vec<Step>> = HashMap::new();
    for StepRow { training_case_id: id, after_s, cycle, kind, text } in rows {
        let kind = Kind::of(kind).ok_or_else(|| impossible("training_step", "kind", id))?;
        steps.entry(id).or_default().push(Step { after_s, cycle, kind, text });
    }
    for one in found {
        one.revision.content.steps = steps.remove(&one.reviewed.id).unwrap_or_default();
    }
    Ok(())
}

/// Writes a new training case, with the case it was made of; answers whether that is the first
/// one made of it.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    reviewed: &Reviewed,
    about: &About,
    source: CaseId,
) -> Result<bool, Fault> {
    let noted = sqlx::query(
        "INSERT INTO training_source (tenant_id, case_id, training_case_id)
         VALUES (current_setting('redress.tenant'), $1, $2)
         ON CONFLICT ON CONSTRAINT training_source_pkey DO NOTHING",
    )
    .bind(source.0)
    .bind(reviewed.id)
    .execute(&mut *conn)
    .await?;
    if noted.rows_affected() == 0 {
        return Ok(false);
    }
    let mut binds = Binds::default();
    let rows = binds
        .row(about)
        .column("training_case_id", |_| reviewed.id)
        .column("version", |_| reviewed.version)
        .column("state", |_| reviewed.state.number())
        .column("latest", |_| reviewed.latest)
        .column("retirer", |_| "")
        .column("retire_reason", |_| "")
        .column("language", |about| about.language.as_str())
        .column("category", |about| about.category.as_str())
        .column("priority", |about| about.priority.number())
        .column("outcome", |about| about.outcome.map(Outcome::number))
        .numbers("challenges", |about| about.challenges.iter().map(|one| one.number().into()).collect())
        .done();
    binds.execute(&rows.insert_into("training_case"), conn).await?;
    Ok(true)
}

/// Writes a new revision of a training case.
pub(crate) async fn add_revision(
    conn: &mut PgConnection,
    id: Uuid,
    revision: &Revision,
) -> Result<(), Fault> {
    let (number, content) = (revision.number, &revision.content);
    let mut binds = Binds::default();
    let rows = binds
        .row(revision)
        .column("training_case_id", |_| id)
        .column("revision", |_| number)
        .column("title", |_| content.title.as_str())
        .column("description", |_| content.description.as_str())
        .column("findings", |_| content.findings.as_str())
        .column("root_cause", |_| content.root_cause.as_str())
        .column("decision_reasons", |_| content.decision_reasons.as_str())
        .column("lesson", |_| content.lesson.as_str())
        .column("author", |revision| revision.author.as_str())
        .column("revised_at", |revision| revision.revise_time.to_sqlx())
        .done();
    binds.execute(&rows.insert_into("training_revision"), conn).await?;
    let placed: Vec<(i32, &Step)> = (0..).zip(&content.steps).collect();
    let mut binds = Binds::default();
    let rows = binds
        .rows(&placed)
        .column("training_case_id", |_| id)
        .column("revision", |_| number)
        .column("place", |(place, _)| *place)
        .column("after_s", |(_, step)| step.after_s)
        .column("cycle", |(_, step)| step.cycle)
        .column("kind", |(_, step)| step.kind.number())
        .column("text", |(_, step)| step.text.as_str())
        .done();
    binds.execute(&rows.insert_into("training_step"), conn).await?;
    Ok(())
}

/// Forgets which case a training case was made of; that one was made of it stays known, unless
/// the case is free to have another made.
pub(crate) async fn forget_source(conn: &mut PgConnection, id: Uuid, is_free: bool) -> Result<(), Fault> {
    let statement = if is_free {
        "DELETE FROM training_source
         WHERE tenant_id = current_setting('redress.tenant') AND training_case_id = $1"
    } else {
        "UPDATE training_source SET training_case_id = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND training_case_id = $1"
    };
    sqlx::query(statement).bind(id).execute(conn).await?;
    Ok(())
}

/// Reads training cases without their steps, those before one, newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    listing: &TrainingCaseFilter,
    before: Option<Uuid>,
    most: i64,
) -> Result<Vec<TrainingCase>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_training_cases!(
        "AND t.training_case_id < $1
           AND r.revision = CASE WHEN $2 THEN t.in_force ELSE t.latest END
           AND ($3::smallint IS NULL OR t.state = $3)
           AND ($4 = '' OR t.category = $4 OR starts_with(t.category, $4 || '/'))
           AND ($5 = '' OR lower(split_part(t.language, '-', 1)) = $5)
           AND ($6::integer IS NULL OR $6 = ANY(t.challenges))
         ORDER BY t.training_case_id DESC LIMIT $7"
    ))
    .bind(before.unwrap_or(Uuid::max()))
    .bind(listing.in_force)
    .bind(listing.state.map(ReviewState::number))
    .bind(&listing.category)
    .bind(&listing.language)
    .bind(listing.challenge.map(|one| i32::from(one.number())))
    .bind(most)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Reads training cases with their steps, those after one, oldest first.
pub(crate) async fn export(
    conn: &mut PgConnection,
    listing: &TrainingCaseFilter,
    after: Uuid,
    most: i64,
) -> Result<Vec<TrainingCase>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_training_cases!(
        "AND t.training_case_id > $1 AND r.revision = t.in_force
           AND ($2 = '' OR t.category = $2 OR starts_with(t.category, $2 || '/'))
           AND ($3 = '' OR lower(split_part(t.language, '-', 1)) = $3)
         ORDER BY t.training_case_id LIMIT $4"
    ))
    .bind(after)
    .bind(&listing.category)
    .bind(&listing.language)
    .bind(most)
    .fetch_all(&mut *conn)
    .await?;
    let mut found = rows.into_iter().map(Row::read).collect::<Result<Vec<_>, Fault>>()?;
    add_steps(conn, &mut found).await?;
    Ok(found)
}

/// The long text of a case and what the number of its order is known by.
pub(crate) async fn text_of(conn: &mut PgConnection, case: CaseId) -> Result<(String, Option<i64>), Fault> {
    let row: (Option<String>, Option<i64>) = sqlx::query_as(
        "SELECT (SELECT description FROM case_text
                 WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1),
                (SELECT order_key FROM sketch
                 WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1)",
    )
    .bind(case.0)
    .fetch_one(conn)
    .await?;
    Ok((row.0.unwrap_or_default(), row.1))
}

/// What made cases hard to handle.
pub(crate) async fn challenges(
    conn: &mut PgConnection,
    cases: &[CaseId],
) -> Result<BTreeMap<CaseId, Vec<Challenge>>, Fault> {
    let rows: Vec<(Uuid, i32, i32, bool, bool, bool)> = sqlx::query_as(
        "SELECT c.case_id, c.cycle, c.tier, c.correction > 0, coalesce(t.reworked, false),
                coalesce(t.disputed, false)
         FROM cases c
         CROSS JOIN LATERAL (
             SELECT bool_or(kind = ANY($2)) AS reworked, bool_or(kind = $3 AND text = $4) AS disputed
             FROM timeline
             WHERE tenant_id = current_setting('redress.tenant') AND case_id = c.case_id
               AND (kind = ANY($2) OR kind = $3)) AS t
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id = ANY($1)",
    )
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(REWORK_KINDS.map(Kind::number).as_slice())
    .bind(Kind::Response.number())
    .bind(DISPUTED)
    .fetch_all(conn)
    .await?;
    let read = |(id, cycle, tier, corrected, reworked, disputed)| {
        (CaseId(id), Course { cycle, tier, corrected, reworked, disputed }.challenges())
    };
    Ok(rows.into_iter().map(read).collect())
}

/// The newest cases that were closed from one moment until another, that somebody handled, and
/// that no training case was made of.
pub(crate) async fn candidates(
    conn: &mut PgConnection,
    (from, until): (jiff::Timestamp, jiff::Timestamp),
    category: &str,
) -> Result<Vec<Candidate>, Fault> {
    let rows: Vec<(Uuid, String, i16, Option<i16>)> = sqlx::query_as(
        "SELECT c.case_id, c.category, c.priority, c.outcome FROM cases c
         WHERE c.tenant_id = current_setting('redress.tenant') AND c.state = $1
           AND c.closed_at >= $2 AND c.closed_at < $3 AND c.first_assigned_at IS NOT NULL
           AND ($4 = '' OR c.category = $4 OR starts_with(c.category, $4 || '/'))
           AND NOT EXISTS (SELECT FROM training_source s
                           WHERE s.tenant_id = c.tenant_id AND s.case_id = c.case_id)
         ORDER BY c.closed_at DESC, c.case_id DESC LIMIT $5",
    )
    .bind(State::Closed.number())
    .bind(from.to_sqlx())
    .bind(until.to_sqlx())
    .bind(category)
    .bind(i64::try_from(MOST_CASES).unwrap_or(i64::MAX))
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<CaseId> = rows.iter().map(|row| CaseId(row.0)).collect();
    let mut hard = challenges(conn, &ids).await?;
    let read = |(id, category, priority, decided): (Uuid, String, i16, Option<i16>)| {
        Ok(Candidate {
            case: CaseId(id),
            category,
            priority: Priority::of(priority).ok_or_else(|| impossible("cases", "priority", id))?,
            outcome: outcome("cases", decided, id)?,
            challenges: hard.remove(&CaseId(id)).unwrap_or_default(),
        })
    };
    rows.into_iter().map(read).collect()
}
