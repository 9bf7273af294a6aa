//! Plans and their steps.

use fault::Fault;
use jiff_sqlx::ToSqlx;
use kernel::{CaseId, PlanId, TaskId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Remedies, goods, impossible, kind, money};
use crate::plan::{Plan, PlanState, Step, StepState};
use crate::refusal::Refusal;
use crate::remedy::Remedy;

/// A step beside its plan.
#[derive(sqlx::FromRow)]
struct Row {
    plan_id: Uuid,
    version: i64,
    case_id: Uuid,
    cycle: i32,
    state: i16,
    proposer: String,
    approver: String,
    first_approver: String,
    second_reason: String,
    reason: String,
    priority: i16,
    traceparent: String,
    created_at: jiff_sqlx::Timestamp,
    ended_at: Option<jiff_sqlx::Timestamp>,
    #[sqlx(flatten)]
    step: StepRow,
}

#[derive(sqlx::FromRow)]
struct StepRow {
    step_id: String,
    kind: i16,
    department_id: String,
    amount_minor: Option<i64>,
    currency: Option<String>,
    sku: Option<String>,
    quantity: Option<i32>,
    depends_on: Vec<String>,
    instructions: String,
    due_time: Option<jiff_sqlx::Timestamp>,
    step_state: i16,
    done_order: Option<i16>,
    moved_minor: Option<i64>,
    task_id: Option<Uuid>,
}

impl StepRow {
    fn step(self, plan_id: PlanId) -> Result<Step, Fault> {
        let kind = kind(self.kind, plan_id)?;
        let state = StepState::of(self.step_state)
            .ok_or_else(|| impossible("plan_step.state", self.step_state, plan_id))?;
        Ok(Step {
            step_id: self.step_id,
            department_id: self.department_id,
            remedy: Remedy {
                kind,
                amount: money(self.amount_minor, self.currency.as_deref()),
                goods: goods(self.sku, self.quantity),
                instructions: self.instructions,
            },
            depends_on: self.depends_on,
            due_time: self.due_time.map(jiff_sqlx::Timestamp::to_jiff),
            state,
            done_order: self.done_order,
            moved: money(self.moved_minor, self.currency.as_deref()),
            part: String::new(),
            task_id: self.task_id.map(TaskId),
        })
    }
}

/// Rows of one plan after another become plans.
fn plans(rows: Vec<Row>) -> Result<Vec<Plan>, Fault> {
    let mut plans: Vec<Plan> = Vec::new();
    for row in rows {
        let plan_id = PlanId(row.plan_id);
        let step = row.step.step(plan_id)?;
        match plans.last_mut() {
            Some(plan) if plan.plan_id == plan_id => plan.steps.push(step),
            _ => plans.push(Plan {
                plan_id,
                version: row.version,
                case_id: CaseId(row.case_id),
                cycle: row.cycle,
                state: PlanState::of(row.state)
                    .ok_or_else(|| impossible("plan.state", row.state, plan_id))?,
                steps: vec![step],
                proposer: row.proposer,
                approver: row.approver,
                first_approver: row.first_approver,
                second_reason: row.second_reason,
                reason: row.reason,
                priority: row.priority,
                traceparent: row.traceparent,
                created_at: row.created_at.to_jiff(),
                ended_at: row.ended_at.map(jiff_sqlx::Timestamp::to_jiff),
            }),
        }
    }
    Ok(plans)
}

/// A plan beside each of its steps.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.plan_id, p.version, p.case_id, p.cycle, p.state, p.proposer, p.approver,
                    p.first_approver, p.second_reason, p.reason,
                    p.priority, p.traceparent, p.created_at, p.ended_at,
                    s.step_id, s.kind, s.department_id, s.amount_minor, s.currency, s.sku, s.quantity,
                    s.depends_on, s.instructions, s.due_time, s.state AS step_state, s.done_order,
                    s.moved_minor, s.task_id
             FROM plan p
             JOIN plan_step s ON s.tenant_id = p.tenant_id AND s.plan_id = p.plan_id ",
            $rest
        )
    };
}

/// A plan.
pub(crate) async fn get(conn: &mut PgConnection, plan_id: PlanId) -> Result<Option<Plan>, Fault> {
    let rows = sqlx::query_as(select!(
        "WHERE p.tenant_id = current_setting('redress.tenant') AND p.plan_id = $1
         ORDER BY s.ordinal"
    ))
    .bind(plan_id.0)
    .fetch_all(conn)
    .await?;
    Ok(plans(rows)?.pop())
}

/// Plans, locked. The steps are locked too: rows that are only read would be seen
/// as they were before the wait for the plan.
pub(crate) async fn lock(conn: &mut PgConnection, plan_ids: &[Uuid]) -> Result<Vec<Plan>, Fault> {
    let rows = sqlx::query_as(select!(
        "WHERE p.tenant_id = current_setting('redress.tenant') AND p.plan_id = ANY($1)
         ORDER BY p.plan_id, s.ordinal FOR UPDATE OF p, s"
    ))
    .bind(plan_ids)
    .fetch_all(conn)
    .await?;
    plans(rows)
}

/// The plans that tasks belong to, locked as [`lock`] does.
pub(crate) async fn lock_of_tasks(conn: &mut PgConnection, task_ids: &[Uuid]) -> Result<Vec<Plan>, Fault> {
    let rows = sqlx::query_as(select!(
        "WHERE p.tenant_id = current_setting('redress.tenant')
           AND p.plan_id IN (SELECT t.plan_id FROM task t
                       WHERE t.tenant_id = current_setting('redress.tenant') AND t.task_id = ANY($1))
         ORDER BY p.plan_id, s.ordinal FOR UPDATE OF p, s"
    ))
    .bind(task_ids)
    .fetch_all(conn)
    .await?;
    plans(rows)
}

/// Plans of cases that can still be cancelled, locked as [`lock`] does.
pub(crate) async fn lock_uncancelled(conn: &mut PgConnection, cases: &[CaseId]) -> Result<Vec<Plan>, Fault> {
    let rows = sqlx::query_as(select!(
        "WHERE p.tenant_id = current_setting('redress.tenant') AND p.case_id = ANY($1) AND p.state IN (1, 2)
         ORDER BY p.plan_id, s.ordinal FOR UPDATE OF p, s"
    ))
    .bind(cases.iter().map(|case_id| case_id.0).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    plans(rows)
}

/// A case's plans, newest first, after the last of the page before.
pub(crate) async fn list(
    conn: &mut PgConnection,
    case_id: CaseId,
    after: Option<PlanId>,
    limit: i64,
) -> Result<Vec<Plan>, Fault> {
    let rows = sqlx::query_as(select!(
        "WHERE p.tenant_id = current_setting('redress.tenant')
           AND p.plan_id IN (SELECT plan_id FROM plan
                       WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1
                         AND plan_id < $2
                       ORDER BY plan_id DESC LIMIT $3)
         ORDER BY p.plan_id DESC, s.ordinal"
    ))
    .bind(case_id.0)
    .bind(after.map_or(Uuid::max(), |plan_id| plan_id.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    plans(rows)
}

/// Stores new plans with their steps; refused while the case of one has an open one.
pub(crate) async fn insert(conn: &mut PgConnection, plans: &[Plan]) -> Result<(), Fault> {
    let steps = || plans.iter().flat_map(|plan| plan.steps.iter().zip(0_i16..).map(move |step| (plan, step)));
    let text = |of: fn(&Plan) -> &str| plans.iter().map(of).collect::<Vec<_>>();
    let remedies = Remedies::of(steps().map(|(_, (step, _))| &step.remedy));
    let stored = sqlx::query(
        "WITH stored AS (
             INSERT INTO plan (tenant_id, approver, reason, version, plan_id, case_id, cycle, state, proposer,
                               priority, traceparent, created_at)
             SELECT current_setting('redress.tenant'), '', '', 1, p.*
             FROM (SELECT UNNEST($1::uuid[]), UNNEST($2::uuid[]), UNNEST($3::int[]),
                          UNNEST($4::smallint[]), UNNEST($5::text[]), UNNEST($6::smallint[]),
                          UNNEST($7::text[]), UNNEST($8::timestamptz[])) AS p)
         INSERT INTO plan_step (tenant_id, state, plan_id, ordinal, step_id, department_id, kind, amount_minor,
                                currency, sku, quantity, instructions, depends_on, due_time)
         SELECT current_setting('redress.tenant'), $9, s.plan_id, s.ordinal, s.step_id, s.department_id, s.kind,
                s.minor, s.currency, s.sku, s.quantity, s.instructions, string_to_array(s.depends_on, ' '),
                s.due_time
         FROM (SELECT UNNEST($10::uuid[]) AS plan_id, UNNEST($11::smallint[]) AS ordinal,
                      UNNEST($12::text[]) AS step_id, UNNEST($13::text[]) AS department_id,
                      UNNEST($14::smallint[]) AS kind, UNNEST($15::bigint[]) AS minor,
                      UNNEST($16::text[]) AS currency, UNNEST($17::text[]) AS sku,
                      UNNEST($18::int[]) AS quantity, UNNEST($19::text[]) AS instructions,
                      UNNEST($20::text[]) AS depends_on, UNNEST($21::timestamptz[]) AS due_time) AS s",
    )
    .bind(plans.iter().map(|plan| plan.plan_id.0).collect::<Vec<_>>())
    .bind(plans.iter().map(|plan| plan.case_id.0).collect::<Vec<_>>())
    .bind(plans.iter().map(|plan| plan.cycle).collect::<Vec<_>>())
    .bind(plans.iter().map(|plan| plan.state.number()).collect::<Vec<_>>())
    .bind(text(|plan| &plan.proposer))
    .bind(plans.iter().map(|plan| plan.priority).collect::<Vec<_>>())
    .bind(text(|plan| &plan.traceparent))
    .bind(plans.iter().map(|plan| plan.created_at.to_sqlx()).collect::<Vec<_>>())
    .bind(StepState::Waiting.number())
    .bind(steps().map(|(plan, _)| plan.plan_id.0).collect::<Vec<_>>())
    .bind(steps().map(|(_, (_, ordinal))| ordinal).collect::<Vec<_>>())
    .bind(steps().map(|(_, (step, _))| step.step_id.as_str()).collect::<Vec<_>>())
    .bind(steps().map(|(_, (step, _))| step.department_id.as_str()).collect::<Vec<_>>())
    .bind(remedies.kinds)
    .bind(remedies.minors)
    .bind(remedies.currencies)
    .bind(remedies.skus)
    .bind(remedies.quantities)
    .bind(remedies.instructions)
    .bind(steps().map(|(_, (step, _))| step.depends_on.join(" ")).collect::<Vec<_>>())
    .bind(steps().map(|(_, (step, _))| step.due_time.map(ToSqlx::to_sqlx)).collect::<Vec<_>>())
    .execute(conn)
    .await;
    match stored {
        Ok(_) => Ok(()),
        Err(error) if fault::breaks(&error, "plan_one_open") => Err(Refusal::PlanAlreadyOpen.into()),
        Err(error) => Err(error.into()),
    }
}

/// Stores how far plans, which are locked, and their steps are.
pub(crate) async fn save(conn: &mut PgConnection, plans: &[Plan]) -> Result<(), Fault> {
    let steps = Steps::of(plans);
    let saved = sqlx::query_scalar::<_, i64>(
        "WITH saved AS (
             UPDATE plan SET version = p.version, state = p.state, approver = p.approver, reason = p.reason,
                             ended_at = p.ended_at, first_approver = p.first_approver,
                             second_reason = p.second_reason
             FROM (SELECT UNNEST($1::uuid[]) AS plan_id, UNNEST($2::bigint[]) AS version,
                          UNNEST($3::smallint[]) AS state, UNNEST($4::text[]) AS approver,
                          UNNEST($5::text[]) AS reason, UNNEST($6::timestamptz[]) AS ended_at,
                          UNNEST($13::text[]) AS first_approver, UNNEST($14::text[]) AS second_reason) AS p
             WHERE plan.tenant_id = current_setting('redress.tenant') AND plan.plan_id = p.plan_id
             RETURNING plan.plan_id),
         moved AS (
             UPDATE plan_step SET state = s.state, done_order = s.done_order, moved_minor = s.moved_minor,
                                  task_id = s.task_id
             FROM (SELECT UNNEST($7::uuid[]) AS plan_id, UNNEST($8::smallint[]) AS ordinal,
                          UNNEST($9::smallint[]) AS state, UNNEST($10::smallint[]) AS done_order,
                          UNNEST($11::bigint[]) AS moved_minor, UNNEST($12::uuid[]) AS task_id) AS s
             WHERE plan_step.tenant_id = current_setting('redress.tenant')
               AND plan_step.plan_id = s.plan_id AND plan_step.ordinal = s.ordinal
               AND (plan_step.state, plan_step.moved_minor, plan_step.task_id)
                   IS DISTINCT FROM (s.state, s.moved_minor, s.task_id))
         SELECT count(*) FROM saved",
    )
    .bind(plans.iter().map(|plan| plan.plan_id.0).collect::<Vec<_>>())
    .bind(plans.iter().map(|plan| plan.version).collect::<Vec<_>>())
    .bind(plans.iter().map(|plan| plan.state.number()).collect::<Vec<_>>())
    .bind(plans.iter().map(|plan| plan.approver.as_str()).collect::<Vec<_>>())
    .bind(plans.iter().map(|plan| plan.reason.as_str()).collect::<Vec<_>>())
    .bind(plans.iter().map(|plan| plan.ended_at.map(ToSqlx::to_sqlx)).collect::<Vec<_>>())
    .bind(steps.plan_ids)
    .bind(steps.ordinals)
    .bind(steps.states)
    .bind(steps.done_orders)
    .bind(steps.moved_minors)
    .bind(steps.task_ids)
    .bind(plans.iter().map(|plan| plan.first_approver.as_str()).collect::<Vec<_>>())
    .bind(plans.iter().map(|plan| plan.second_reason.as_str()).collect::<Vec<_>>())
    .fetch_one(conn)
    .await?;
    if usize::try_from(saved).ok() == Some(plans.len()) {
        Ok(())
    } else {
        Err(impossible("plans saved", saved, plans.iter().map(|plan| plan.plan_id).collect::<Vec<_>>()))
    }
}

/// What changes of steps, as columns.
#[derive(Default)]
struct Steps {
    plan_ids: Vec<Uuid>,
    ordinals: Vec<i16>,
    states: Vec<i16>,
    done_orders: Vec<Option<i16>>,
    moved_minors: Vec<Option<i64>>,
    task_ids: Vec<Option<Uuid>>,
}

impl Steps {
    fn of(plans: &[Plan]) -> Self {
        let mut columns = Self::default();
        for plan in plans {
            for (ordinal, step) in (0..).zip(&plan.steps) {
                columns.plan_ids.push(plan.plan_id.0);
                columns.ordinals.push(ordinal);
                columns.states.push(step.state.number());
                columns.done_orders.push(step.done_order);
                columns.moved_minors.push(step.moved.as_ref().map(|moved| moved.minor));
                columns.task_ids.push(step.task_id.map(|task_id| task_id.0));
            }
        }
        columns
    }
}
