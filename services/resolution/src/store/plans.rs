//! Plans and their steps.

use std::slice;

use fault::Fault;
use jiff_sqlx::ToSqlx;
use kernel::{CaseId, PlanId, TaskId};
use pg::{Binds, Rows, RowsBuilder};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{CustomRow, goods, impossible, kind, ledger, money, remedy_columns};
use crate::approval::{Approval, Facts, Outcome, Ruling};
use crate::ledger::{Books, Entry, Movement};
use crate::plan::{Plan, PlanState, Step, StepState};
use crate::refusal::Refusal;
use crate::remedy::Remedy;

/// A step beside its plan.
#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    plan: PlanRow,
    #[sqlx(flatten)]
    step: StepRow,
}

#[derive(sqlx::FromRow)]
struct PlanRow {
    plan_id: Uuid,
    version: i64,
    case_id: Uuid,
    cycle: i32,
    state: i16,
    revisions: i16,
    pending_revision: Option<i16>,
    revisers: Vec<String>,
    reviser_roles: Vec<String>,
    earlier_approvers: Vec<String>,
    proposer: String,
    proposer_roles: Vec<String>,
    approver: String,
    first_approver: String,
    approvers: Vec<String>,
    approvers_for: Vec<String>,
    approve_times: Vec<jiff_sqlx::Timestamp>,
    approved_at: Option<jiff_sqlx::Timestamp>,
    approval_policy: Option<i64>,
    approval_rule: String,
    approvals_required: i16,
    approval_reasons: Vec<String>,
    second_reason: String,
    reason: String,
    priority: i16,
    traceparent: String,
    created_at: jiff_sqlx::Timestamp,
    ended_at: Option<jiff_sqlx::Timestamp>,
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
    promised_minor: i64,
    approved_minor: i64,
    executed_minor: i64,
    reversed_minor: i64,
    withdrawn_minor: i64,
    released_minor: i64,
    written_off_minor: i64,
    put_in_by: i16,
    taken_out_by: Option<i16>,
    replaces: String,
    #[sqlx(flatten)]
    custom: CustomRow,
}

impl PlanRow {
    /// The plan, without its steps.
    fn plan(self, plan_id: PlanId) -> Result<Plan, Fault> {
        let ruling = self.ruling(plan_id)?;
        let people = self.approvers.into_iter().zip(self.approvers_for);
        let approvals = people.zip(self.approve_times).map(|((approver, on_behalf_of), at)| Approval {
            approver,
            on_behalf_of,
            approved_at: at.to_jiff(),
        });
        Ok(Plan {
            plan_id,
            version: self.version,
            case_id: CaseId(self.case_id),
            cycle: self.cycle,
            state: PlanState::of(self.state).ok_or_else(|| impossible("plan.state", self.state, plan_id))?,
            steps: Vec::new(),
            revisions: self.revisions,
            pending_revision: self.pending_revision,
            revisers: self.revisers,
            reviser_roles: self.reviser_roles,
            earlier_approvers: self.earlier_approvers,
            proposer: self.proposer,
            proposer_roles: self.proposer_roles,
            approver: self.approver,
            first_approver: self.first_approver,
            second_reason: self.second_reason,
            approvals: approvals.collect(),
            ruling,
            approved_at: self.approved_at.map(jiff_sqlx::Timestamp::to_jiff),
            reason: self.reason,
            priority: self.priority,
            traceparent: self.traceparent,
            created_at: self.created_at.to_jiff(),
            ended_at: self.ended_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }

    fn ruling(&self, plan_id: PlanId) -> Result<Option<Ruling>, Fault> {
        let Some(policy) = self.approval_policy else { return Ok(None) };
        let required = u8::try_from(self.approvals_required)
            .map_err(|_| impossible("plan.approvals_required", self.approvals_required, plan_id))?;
        Ok(Some(Ruling {
            policy,
            rule: self.approval_rule.clone(),
            outcome: if required == 0 { Outcome::Automatic } else { Outcome::Approvers(required) },
            reasons: self.approval_reasons.clone(),
            second_reason: self.second_reason.clone(),
        }))
    }
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
                custom: self.custom.remedy(),
            },
            depends_on: self.depends_on,
            due_time: self.due_time.map(jiff_sqlx::Timestamp::to_jiff),
            state,
            done_order: self.done_order,
            moved: money(self.moved_minor, self.currency.as_deref()),
            part: String::new(),
            task_id: self.task_id.map(TaskId),
            books: Books::of([
                self.promised_minor,
                self.approved_minor,
                self.executed_minor,
                self.reversed_minor,
                self.withdrawn_minor,
                self.released_minor,
                self.written_off_minor,
            ]),
            put_in_by: self.put_in_by,
            taken_out_by: self.taken_out_by,
            replaces: self.replaces,
        })
    }
}

/// Rows of one plan after another become plans.
fn plans(rows: Vec<Row>) -> Result<Vec<Plan>, Fault> {
    let mut plans: Vec<Plan> = Vec::new();
    for Row { plan, step } in rows {
        let plan_id = PlanId(plan.plan_id);
        let step = step.step(plan_id)?;
        if plans.last().is_none_or(|plan| plan.plan_id != plan_id) {
            plans.push(plan.plan(plan_id)?);
        }
        if let Some(plan) = plans.last_mut() {
            plan.steps.push(step);
        }
    }
    Ok(plans)
}

/// A plan beside each of its steps.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.plan_id, p.version, p.case_id, p.cycle, p.state, p.proposer, p.proposer_roles, p.approver,
                    p.first_approver, p.second_reason, p.reason, p.approvers, p.approvers_for, p.approve_times,
                    p.approved_at, p.approval_policy, p.approval_rule, p.approvals_required, p.approval_reasons,
                    p.priority, p.traceparent, p.created_at, p.ended_at, p.revisions, p.pending_revision,
                    p.revisers, p.reviser_roles, p.earlier_approvers,
                    s.step_id, s.kind, s.department_id, s.amount_minor, s.currency, s.sku, s.quantity,
                    s.depends_on, s.instructions, s.due_time, s.state AS step_state, s.done_order,
                    s.moved_minor, s.task_id, s.promised_minor, s.approved_minor, s.executed_minor,
                    s.reversed_minor, s.withdrawn_minor, s.released_minor, s.written_off_minor, s.remedy_type,
                    s.remedy_type_version, s.input, s.moves_value, s.attempt_seconds, s.undo_instructions,
                    s.put_in_by, s.taken_out_by, s.replaces
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
    let rows = sqlx::query_as(pg::sql!(
        select!(
            "WHERE p.tenant_id = current_setting('redress.tenant') AND p.case_id = ANY($1)
               AND p.state IN ({proposed}, {executing})
             ORDER BY p.plan_id, s.ordinal FOR UPDATE OF p, s"
        ),
        proposed = PlanState::Proposed,
        executing = PlanState::Executing,
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

/// Stores new plans with their steps, what is booked of them and the facts each was judged
/// by; refused while the case of one has an open one.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    plans: &[Plan],
    facts: &[Facts],
    entries: &[Entry],
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(plans)
        .column("plan_id", |plan| plan.plan_id.0)
        .column("version", |_| 1_i64)
        .column("case_id", |plan| plan.case_id.0)
        .column("cycle", |plan| plan.cycle)
        .column("state", |plan| plan.state.number())
        .column("proposer", |plan| plan.proposer.as_str())
        .list("proposer_roles", |plan| &plan.proposer_roles)
        .column("approver", |_| "")
        .column("second_reason", |plan| plan.second_reason.as_str())
        .column("approval_policy", |plan| plan.ruling.as_ref().map(|ruling| ruling.policy))
        .column("approval_rule", |plan| plan.ruling.as_ref().map_or("", |ruling| ruling.rule.as_str()))
        .column("approvals_required", Plan::approvals_required)
        .list("approval_reasons", |plan| {
            plan.ruling.as_ref().map_or(&[][..], |ruling| ruling.reasons.as_slice())
        })
        .column("reason", |_| "")
        .column("priority", |plan| plan.priority)
        .column("traceparent", |plan| plan.traceparent.as_str())
        .column("created_at", |plan| plan.created_at.to_sqlx())
        .done();
    let steps = steps(plans);
    let steps = new_steps(&mut binds, &steps);
    let entries = ledger::rows(&mut binds, entries);
    let judged: Vec<(&Plan, &Facts)> = plans.iter().zip(facts).collect();
    let judged = binds
        .rows(&judged)
        .column("plan_id", |(plan, _)| plan.plan_id.0)
        .column("case_id", |(plan, _)| plan.case_id.0)
        .column("judged_at", |(plan, _)| plan.created_at.to_sqlx())
        .column("facts", |(_, facts)| Json(*facts))
        .column("ruling", |(plan, _)| Json(&plan.ruling))
        .done();
    let statement = format!(
        "WITH stored AS ({}), booked AS ({}), judged AS ({}) {}",
        rows.insert_into("plan"),
        entries.insert_into("ledger_entry"),
        judged.insert_into("approval_judgement"),
        steps.insert_into("plan_step"),
    );
    let stored = binds.execute(&statement, conn).await;
    match stored {
        Ok(_) => Ok(()),
        Err(error) if fault::breaks(&error, "plan_one_open") => Err(Refusal::PlanAlreadyOpen.into()),
        Err(error) => Err(error.into()),
    }
}

/// Rows of steps that begin as they are asked for.
fn new_steps<'i>(binds: &mut Binds, steps: &'i [StepOf<'i>]) -> Rows {
    let rows = binds
        .rows(steps)
        .column("plan_id", |of| of.plan_id.0)
        .column("ordinal", |of| of.ordinal)
        .column("state", |_| StepState::Waiting.number())
        .column("step_id", |of| of.step.step_id.as_str())
        .column("department_id", |of| of.step.department_id.as_str())
        .list("depends_on", |of| &of.step.depends_on)
        .column("due_time", |of| of.step.due_time.map(ToSqlx::to_sqlx))
        .column("put_in_by", |of| of.step.put_in_by)
        .column("replaces", |of| of.step.replaces.as_str());
    book_columns(remedy_columns(rows, |of| &of.step.remedy)).done()
}

/// Stores who has revised a plan, which is locked, what its steps wait for now, and those that
/// are new, after so many that are known; how far they all are is stored by [`save`].
pub(crate) async fn revise(conn: &mut PgConnection, plan: &Plan, known: usize) -> Result<(), Fault> {
    let mut known_steps = steps(slice::from_ref(plan));
    let new = known_steps.split_off(known.min(known_steps.len()));
    let mut binds = Binds::default();
    let rows = binds
        .rows(slice::from_ref(plan))
        .column("plan_id", |plan| plan.plan_id.0)
        .column("revisions", |plan| plan.revisions)
        .list("revisers", |plan| &plan.revisers)
        .list("reviser_roles", |plan| &plan.reviser_roles)
        .list("earlier_approvers", |plan| &plan.earlier_approvers)
        .done();
    let places = binds
        .rows(&known_steps)
        .column("plan_id", |of| of.plan_id.0)
        .column("ordinal", |of| of.ordinal)
        .list("depends_on", |of| &of.step.depends_on)
        .column("due_time", |of| of.step.due_time.map(ToSqlx::to_sqlx))
        .done();
    let new = new_steps(&mut binds, &new);
    let statement = format!(
        "WITH revised AS ({}), placed AS ({}) {}",
        rows.update("plan", &["plan_id"]),
        places.update("plan_step", &["plan_id", "ordinal"]),
        new.insert_into("plan_step"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Stores how far plans, which are locked, and their steps are, and what is booked of them:
/// the entries and their sums in one statement.
pub(crate) async fn save(conn: &mut PgConnection, plans: &[Plan], entries: &[Entry]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(plans)
        .column("plan_id", |plan| plan.plan_id.0)
        .column("version", |plan| plan.version)
        .column("state", |plan| plan.state.number())
        .column("approver", |plan| plan.approver.as_str())
        .column("reason", |plan| plan.reason.as_str())
        .column("ended_at", |plan| plan.ended_at.map(ToSqlx::to_sqlx))
        .column("pending_revision", |plan| plan.pending_revision)
        .column("first_approver", |plan| plan.first_approver.as_str())
        .column("second_reason", |plan| plan.second_reason.as_str())
        .done();
    let steps = steps(plans);
    let steps = binds
        .rows(&steps)
        .column("plan_id", |of| of.plan_id.0)
        .column("ordinal", |of| of.ordinal)
        .column("state", |of| of.step.state.number())
        .column("taken_out_by", |of| of.step.taken_out_by)
        .column("done_order", |of| of.step.done_order)
        .column("moved_minor", |of| of.step.moved.as_ref().map(|moved| moved.minor))
        .column("task_id", |of| of.step.task_id.map(|task_id| task_id.0));
    let steps = book_columns(steps).done();
    let entries = ledger::rows(&mut binds, entries);
    let statement = format!(
        "WITH saved AS ({} RETURNING plan.plan_id),
              moved AS ({} AND (plan_step.state, plan_step.taken_out_by, plan_step.moved_minor, plan_step.task_id,
                                plan_step.promised_minor, plan_step.approved_minor, plan_step.executed_minor,
                                plan_step.reversed_minor, plan_step.withdrawn_minor, plan_step.released_minor,
                                plan_step.written_off_minor)
                               IS DISTINCT FROM
                               (r.state, r.taken_out_by, r.moved_minor, r.task_id,
                                r.promised_minor, r.approved_minor, r.executed_minor,
                                r.reversed_minor, r.withdrawn_minor, r.released_minor, r.written_off_minor)),
              booked AS ({})
         SELECT count(*) FROM saved",
        rows.update("plan", &["plan_id"]),
        steps.update("plan_step", &["plan_id", "ordinal"]),
        entries.insert_into("ledger_entry"),
    );
    let saved: i64 =
        sqlx::query_scalar_with(AssertSqlSafe(statement), binds.arguments()?).fetch_one(conn).await?;
    if usize::try_from(saved).ok() == Some(plans.len()) {
        Ok(())
    } else {
        Err(impossible("plans saved", saved, plans.iter().map(|plan| plan.plan_id).collect::<Vec<_>>()))
    }
}

/// A step, and where it stands in its plan.
struct StepOf<'a> {
    plan_id: PlanId,
    ordinal: i16,
    step: &'a Step,
}

/// Adds the columns of a step's books.
fn book_columns<'b, 'i, 'p>(rows: RowsBuilder<'b, 'i, StepOf<'p>>) -> RowsBuilder<'b, 'i, StepOf<'p>> {
    let sum = |movement: Movement| move |of: &StepOf<'_>| of.step.books.sum(movement);
    rows.column("promised_minor", sum(Movement::Promised))
        .column("approved_minor", sum(Movement::Approved))
        .column("executed_minor", sum(Movement::Executed))
        .column("reversed_minor", sum(Movement::Reversed))
        .column("withdrawn_minor", sum(Movement::Withdrawn))
        .column("released_minor", sum(Movement::Released))
        .column("written_off_minor", sum(Movement::WrittenOff))
}

fn steps(plans: &[Plan]) -> Vec<StepOf<'_>> {
    let mut all = Vec::new();
    for plan in plans {
        let steps = (0..).zip(&plan.steps);
        all.extend(steps.map(|(ordinal, step)| StepOf { plan_id: plan.plan_id, ordinal, step }));
    }
    all
}
