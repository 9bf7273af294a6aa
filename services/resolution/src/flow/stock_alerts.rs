//! Raises an alert where an article is short again and again, and closes it when its task is
//! completed. Both belong to the transaction that has the reason.

use std::slice;
use std::sync::LazyLock;

use fault::Fault;
use kernel::TaskId;
use opentelemetry::global;
use opentelemetry::metrics::Counter;
use pg::Tx;

use super::progress::TASKS;
use crate::refusal::Refusal;
use crate::remedy::RemedyKind;
use crate::shortage::{Shortage, StockAlert, alert_due};
use crate::task::{Task, TaskState};
use crate::{store, wire};

static ALERTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("redress")
        .u64_counter("redress.stock.alerts")
        .with_description("Articles that were short for three tasks within seven days")
        .build()
});

/// Raises the alert that a shortage, which is stored, makes due. Answers whether it did: it
/// is counted once it is committed.
pub(crate) async fn raise_if_due(tx: &mut Tx, task: &Task, shortage: &Shortage) -> Result<bool, Fault> {
    store::stock::take_turns(tx, &shortage.sku).await?;
    if store::stock::is_alerted(tx, &shortage.sku).await? {
        return Ok(false);
    }
    let now = tx.now();
    let lacks = store::stock::lacks(tx, &shortage.sku, now).await?;
    let ids = (TaskId(tx.new_id()), task.case_id);
    match alert_due(shortage, &lacks, ids, now) {
        Some(alert) => raise(tx, &alert).await.map(|()| true),
        None => Ok(false),
    }
}

async fn raise(tx: &mut Tx, alert: &StockAlert) -> Result<(), Fault> {
    let case = store::cases::read(tx, &[alert.case_id.0]).await?.pop().ok_or(Refusal::CaseNotFound)?;
    store::tasks::insert(tx, slice::from_ref(&alert.task(&case))).await?;
    store::stock::insert_alert(tx, alert).await?;
    tx.emit(alert.case_id.0, &wire::stock::alert_raised(alert));
    tx.notify(TASKS);
    Ok(())
}

/// Counts an alert that was raised.
pub(crate) fn count() {
    ALERTS.add(1, &[]);
}

/// Closes the alerts whose tasks are among these, which have ended.
pub(crate) async fn close(tx: &mut Tx, ended: &[Task]) -> Result<(), Fault> {
    let seen_to =
        |task: &&Task| task.remedy.kind == RemedyKind::StockAlert && task.state == TaskState::Completed;
    let goods = ended.iter().filter(seen_to).filter_map(|task| task.remedy.goods.as_ref());
    let articles: Vec<&str> = goods.map(|goods| goods.sku.as_str()).collect();
    let now = tx.now();
    if articles.is_empty() { Ok(()) } else { store::stock::close_alerts(tx, &articles, now).await }
}
