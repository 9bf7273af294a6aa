//! Statements on what departments are asked about problems.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::CaseId;
use kernel::page::Page;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::impossible;
use crate::fact::Ending;
use crate::problem_task::{ProblemTask, State, TaskAnswer, TaskCase};
use crate::signal::hint::Kind;

#[derive(sqlx::FromRow)]
struct Row {
    task_id: Uuid,
    problem_id: Uuid,
    kind: i16,
    department_id: String,
    instructions: String,
    requester: String,
    created_at: Timestamp,
    requested_at: Option<Timestamp>,
    case_id: Option<Uuid>,
    cycle: Option<i32>,
    state: i16,
    answer_department_id: String,
    reference: String,
    answer: String,
    answered_at: Option<Timestamp>,
}

impl Row {
    fn task(self) -> Result<ProblemTask, Fault> {
        let wrong = |column| impossible("problem_task", column, self.task_id);
        let kind = Kind::of(self.kind).ok_or_else(|| wrong("kind"))?;
        let state = State::of(self.state).ok_or_else(|| wrong("state"))?;
        let case = self.case_id.zip(self.cycle);
        let case = case.map(|(case_id, cycle)| TaskCase { case_id: CaseId(case_id), cycle });
        let (department_id, reference, text) = (self.answer_department_id, self.reference, self.answer);
        let answer = |at: Timestamp| TaskAnswer { department_id, reference, text, at: at.to_jiff() };
        Ok(ProblemTask {
            id: self.task_id,
            problem: self.problem_id,
            kind,
            department_id: self.department_id,
            instructions: self.instructions,
            requester: self.requester,
            created: self.created_at.to_jiff(),
            requested: self.requested_at.map(Timestamp::to_jiff).zip(case),
            state,
            answer: self.answered_at.map(answer),
        })
    }
}

fn tasks(rows: Vec<Row>) -> Result<Vec<ProblemTask>, Fault> {
    rows.into_iter().map(Row::task).collect()
}

/// Reads tasks of the tenant: what follows the tenant's condition is given.
macro_rules! select_tasks {
    ($rest:literal) => {
        concat!(
            "SELECT task_id, problem_id, kind, department_id, instructions, requester, created_at, requested_at,
                    case_id, cycle, state, answer_department_id, reference, answer, answered_at
             FROM problem_task WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// All tasks of problems, oldest first.
pub(crate) async fn tasks_of_problems(
    conn: &mut PgConnection,
    problems: &[Uuid],
) -> Result<Vec<ProblemTask>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_tasks!("AND problem_id = ANY($1) ORDER BY task_id"))
        .bind(problems)
        .fetch_all(conn)
        .await?;
    tasks(rows)
}

/// The tasks of problems that wait for a case, for this transaction alone.
pub(crate) async fn lock_waiting_tasks(
    conn: &mut PgConnection,
    problems: &[Uuid],
) -> Result<Vec<ProblemTask>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        select_tasks!("AND problem_id = ANY($1) AND state = {waiting} ORDER BY task_id FOR UPDATE"),
        waiting = State::Waiting,
    ))
    .bind(problems)
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// Tasks, for this transaction alone.
pub(crate) async fn lock_problem_tasks(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<ProblemTask>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_tasks!("AND task_id = ANY($1) ORDER BY task_id FOR UPDATE"))
        .bind(ids)
        .fetch_all(conn)
        .await?;
    tasks(rows)
}

/// One page of tasks, newest first.
pub(crate) async fn problem_tasks(
    conn: &mut PgConnection,
    (problem, state): (Option<Uuid>, Option<State>),
    page: &Page,
    after: Option<Uuid>,
) -> Result<Vec<ProblemTask>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(select_tasks!(
        "AND ($1::uuid IS NULL OR problem_id = $1) AND ($2::smallint IS NULL OR state = $2)
         AND ($3::uuid IS NULL OR task_id < $3) ORDER BY task_id DESC LIMIT $4"
    ))
    .bind(problem)
    .bind(state.map(State::number))
    .bind(after)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// Writes tasks, new ones and those that are locked. It fails where a hint has asked the same
/// meanwhile (`problem_task_of_hint`): who comes again finds that.
pub(crate) async fn save_problem_tasks(conn: &mut PgConnection, tasks: &[ProblemTask]) -> Result<(), Fault> {
    if tasks.is_empty() {
        return Ok(());
    }
    let case = |one: &ProblemTask| one.requested.map(|(_, case)| case);
    let answer = |one: &ProblemTask| one.answer.clone();
    let mut binds = Binds::default();
    let rows = binds
        .rows(tasks)
        .column("task_id", |one| one.id)
        .column("problem_id", |one| one.problem)
        .column("kind", |one| one.kind.number())
        .column("department_id", |one| one.department_id.as_str())
        .column("instructions", |one| one.instructions.as_str())
        .column("requester", |one| one.requester.as_str())
        .column("created_at", |one| one.created.to_sqlx())
        .column("requested_at", |one| one.requested.map(|(at, _)| at.to_sqlx()))
        .column("case_id", |one| case(one).map(|case| case.case_id.0))
        .column("cycle", |one| case(one).map(|case| case.cycle))
        .column("state", |one| one.state.number())
        .column("answer_department_id", |one| answer(one).map(|said| said.department_id).unwrap_or_default())
        .column("reference", |one| answer(one).map(|said| said.reference).unwrap_or_default())
        .column("answer", |one| answer(one).map(|said| said.text).unwrap_or_default())
        .column("answered_at", |one| answer(one).map(|said| said.at.to_sqlx()))
        .done();
    let statement = format!(
        "{insert} ON CONFLICT ON CONSTRAINT problem_task_pkey DO UPDATE
         SET requested_at = excluded.requested_at, case_id = excluded.case_id, cycle = excluded.cycle,
             state = excluded.state, answer_department_id = excluded.answer_department_id,
             reference = excluded.reference, answer = excluded.answer, answered_at = excluded.answered_at",
        insert = rows.insert_into("problem_task"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// The case that a department is asked in about each problem that has one: the newest that is
/// open, or the newest where none is.
pub(crate) async fn newest_cases(
    conn: &mut PgConnection,
    problems: &[Uuid],
) -> Result<HashMap<Uuid, TaskCase>, Fault> {
    let rows: Vec<(Uuid, Uuid, i32)> = sqlx::query_as(pg::sql!(
        "SELECT p.id, newest.case_id,
                coalesce((SELECT o.cycle FROM open_case o
                          WHERE o.tenant_id = current_setting('redress.tenant') AND o.case_id = newest.case_id),
                         (SELECT max(c.cycle) FROM cycle_fact c
                          WHERE c.tenant_id = current_setting('redress.tenant') AND c.case_id = newest.case_id), 1)
         FROM UNNEST($1::uuid[]) AS p (id)
         CROSS JOIN LATERAL (
             SELECT k.case_id FROM problem_case k
             LEFT JOIN case_fact f ON f.tenant_id = k.tenant_id AND f.case_id = k.case_id
             WHERE k.tenant_id = current_setting('redress.tenant') AND k.problem_id = p.id AND k.linked
             ORDER BY f.ended_at IS NULL AND f.history IS NOT TRUE DESC, f.ending IS DISTINCT FROM {merged} DESC,
                      f.received_at DESC NULLS LAST, k.case_id DESC
             LIMIT 1) AS newest",
        merged = Ending::Merged,
    ))
    .bind(problems)
    .fetch_all(conn)
    .await?;
    let read = |(problem, case_id, cycle)| (problem, TaskCase { case_id: CaseId(case_id), cycle });
    Ok(rows.into_iter().map(read).collect())
}
