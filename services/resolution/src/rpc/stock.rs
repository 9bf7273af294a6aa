//! Goods that departments lack.

use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fault::Fault;
use pg::{Db, Tx};
use proto::redress::resolution::v1::stock_service_server::StockService;
use proto::redress::resolution::v1::{
    ListStockAlertsRequest, ListStockAlertsResponse, ReportShortageRequest, ReportShortageResponse,
};
use tonic::{Request, Response, Status};

use super::tasks::lock_with_plan;
use crate::flow::{progress, restock, stock_alerts};
use crate::shortage::Shortage;
use crate::task::{Task, TaskState};
use crate::wire::stock::Lacking;
use crate::{store, wire};

/// The rpcs over one schema.
pub(crate) struct Stock {
    db: Db,
}

impl Stock {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl StockService for Stock {
    async fn report_shortage(
        &self,
        request: Request<ReportShortageRequest>,
    ) -> Result<Response<ReportShortageResponse>, Status> {
        Ok(report(&self.db, request).await?)
    }

    async fn list_stock_alerts(
        &self,
        request: Request<ListStockAlertsRequest>,
    ) -> Result<Response<ListStockAlertsResponse>, Status> {
        Ok(list(&self.db, request).await?)
    }
}

async fn report(
    db: &Db,
    request: Request<ReportShortageRequest>,
) -> Result<Response<ReportShortageResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (holder, lacking) = wire::stock::report(request)?;
    let raised = Arc::new(AtomicBool::new(false));
    let told = raised.clone();
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let (plan, mut task) = lock_with_plan(&mut tx, &caller, holder).await?;
            let lacking = wire::stock::fitting(&task, lacking, tx.now())?;
            task.wait_for_goods(holder.token, lacking.expected_at)?;
            if task.state == TaskState::Cancelled {
                progress::task_ended(&mut tx, plan, &task).await?;
            } else {
                store::tasks::save(&mut tx, slice::from_ref(&task)).await?;
                restock::arm(&mut tx, &task).await?;
                let alerted = note(&mut tx, &task, lacking, &caller.subject).await?;
                told.store(alerted, Ordering::Relaxed);
            }
            Ok((tx, ReportShortageResponse { task: Some(wire::tasks::task(&task)) }))
        })
        .await?;
    // Only what is committed counts; a repeated request runs nothing again.
    if raised.load(Ordering::Relaxed) {
        stock_alerts::count();
    }
    Ok(server::reply(done))
}

async fn list(
    db: &Db,
    request: Request<ListStockAlertsRequest>,
) -> Result<Response<ListStockAlertsResponse>, Fault> {
    let caller = server::caller(&request)?;
    let (open_only, page, after) = wire::stock::listing(request.into_inner())?;
    let limit = page.limit();
    let alerts = db
        .transact("resolution.list_stock_alerts", &caller.tenant, async move |mut tx| {
            let alerts = store::stock::list_alerts(&mut tx, open_only, after, limit).await?;
            Ok((tx, alerts))
        })
        .await?;
    let alerts = alerts.iter().map(|alert| (alert.alert_id.to_string(), wire::stock::alert(alert)));
    let (alerts, next_page_token) = server::page(&page, alerts);
    Ok(Response::new(ListStockAlertsResponse { alerts, next_page_token }))
}

/// Keeps what a task waits for, tells it, and raises the alert that is due by it. Answers
/// whether it did.
async fn note(tx: &mut Tx, task: &Task, lacking: Lacking, reporter: &str) -> Result<bool, Fault> {
    let mut shortage = Shortage {
        task_id: task.task_id,
        number: 0,
        department_id: task.department_id.clone(),
        sku: lacking.sku,
        expected_at: lacking.expected_at,
        reporter: reporter.to_owned(),
        reported_at: tx.now(),
    };
    shortage.number = store::stock::insert(tx, &shortage).await?;
    tx.emit(task.case_id.0, &wire::outbound::shortage_reported(task, &shortage));
    stock_alerts::raise_if_due(tx, task, &shortage).await
}
