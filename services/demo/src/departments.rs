//! What departments show: an article that is out of stock and found again, and finance's
//! statement, held against the remedy ledger.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use client::Client;
use client::worker::Failure;
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use kernel::{Clock as _, SystemClock};
use proto::google::r#type::Money;
use proto::redress::resolution::v1::ledger_service_client::LedgerServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    GetPlanRequest, GetTaskRequest, ListReconciledRowsRequest, ListReconciledRowsResponse, Plan,
    ReconcileStatementRequest, Reconciliation, RemedyKind, RequeueTaskRequest, StatementDirection,
    StatementRow, StatementVerdict, Task, TaskState,
};
use show::lines;
use tokio_stream::iter;

use crate::life::SUPERVISOR;
use crate::reference_worker::read_payments;

/// Until when goods that are out of stock are expected.
const EXPECTED_IN: SignedDuration = SignedDuration::from_hours(9 * 24);
/// How often the warehouse looks whether its task waits.
const LOOK: Duration = Duration::from_millis(50);
/// Longest that it looks.
const PATIENCE: Duration = Duration::from_secs(20);
/// Rows shown of a statement that differ.
const ROWS: i32 = 20;

/// The first exchange finds no goods; a box is found a moment later.
#[derive(Clone, Default)]
pub(super) struct Shortage {
    was_reported: Arc<AtomicBool>,
    plan: Arc<OnceLock<Plan>>,
}

impl Shortage {
    /// What the warehouse reports instead of doing a task, if anything.
    pub(super) fn of(&self, client: &Client, task: &Task) -> Option<Failure> {
        if task.kind() != RemedyKind::Exchange || self.was_reported.swap(true, Ordering::Relaxed) {
            return None;
        }
        let (shortage, client, task) = (self.clone(), client.clone(), task.clone());
        tokio::spawn(async move {
            // Where it fails the case does not come to its end, which is told.
            let _ = tokio::time::timeout(PATIENCE, shortage.end(&client, &task)).await;
        });
        let expected = SystemClock.now().saturating_add(EXPECTED_IN).unwrap_or(Timestamp::MAX);
        Some(Failure::OutOfStock { sku: String::new(), expected: proto::timestamp(expected) })
    }

    /// The plan as it waited for goods.
    pub(super) fn plan(&self) -> Option<&Plan> {
        self.plan.get()
    }

    /// Has the task handed out again, once it waits.
    async fn end(&self, client: &Client, task: &Task) -> anyhow::Result<()> {
        let supervisor = client.speaking_as(SUPERVISOR)?;
        let mut resolution = ResolutionServiceClient::new(supervisor.calls());
        let task_id = &task.task_id;
        loop {
            let request = GetTaskRequest { task_id: task_id.clone() };
            let answer = resolution.get_task(request).await?.into_inner();
            if answer.task.context("a task")?.state() == TaskState::AwaitingStock {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        let request = GetPlanRequest { plan_id: task.plan_id.clone() };
        let plan = resolution.get_plan(request).await?.into_inner().plan.context("a plan")?;
        let _ = self.plan.set(plan);
        let request = RequeueTaskRequest {
            request_id: supervisor.request_id(),
            task_id: task_id.clone(),
            department_id: String::new(),
            reason: "a box was found".to_owned(),
        };
        resolution.requeue_task(request).await?;
        Ok(())
    }
}

/// Finance's statement and what came of it.
pub(super) struct Reconciled {
    pub(super) reconciliation: Reconciliation,
    /// Rows that do not match.
    pub(super) differing: Vec<ListReconciledRowsResponse>,
}

/// Sends what finance did as a statement in which a row lacks and a sum is wrong, as could be
/// in a bank's. What was booked for others than this play is missing from it, too.
pub(super) async fn reconcile(client: &Client, ledgers: &Path) -> anyhow::Result<Option<Reconciled>> {
    let mut rows = Vec::new();
    for (number, (reference, sum)) in (1..).zip(read_payments(&ledgers.join("finance.jsonl"))?) {
        rows.push(StatementRow {
            number,
            reference,
            amount: Some(lines::read_money(&sum).map_err(anyhow::Error::msg)?),
            direction: StatementDirection::Paid.into(),
            ..StatementRow::default()
        });
    }
    rows.pop();
    let Some(first) = rows.first_mut().and_then(|row| row.amount.as_mut()) else { return Ok(None) };
    *first = Money { units: first.units + 1, ..first.clone() };

    let clerk = client.speaking_as("clerk.finance")?;
    let mut ledger = LedgerServiceClient::new(clerk.calls());
    // Wherever the day ends meanwhile.
    let today = SystemClock.now().to_zoned(TimeZone::UTC).date();
    let statement = ReconcileStatementRequest {
        request_id: clerk.request_id(),
        department_id: "finance".to_owned(),
        start_day: today.checked_sub(1.day())?.to_string(),
        end_day: today.checked_add(1.day())?.to_string(),
        rows,
    };
    let answer = ledger.reconcile_statement(iter([statement])).await?.into_inner();
    let reconciliation = answer.reconciliation.context("a reconciliation")?;
    let mut differing = Vec::new();
    for verdict in [StatementVerdict::DifferentAmount, StatementVerdict::Missing] {
        let request = ListReconciledRowsRequest {
            reconciliation_id: reconciliation.reconciliation_id.clone(),
            verdict: verdict.into(),
            page_size: ROWS,
            page_token: String::new(),
        };
        differing.push(ledger.list_reconciled_rows(request).await?.into_inner());
    }
    ensure!(differing.iter().all(|list| !list.rows.is_empty()), "differences are not found");
    Ok(Some(Reconciled { reconciliation, differing }))
}
