//! What was brought to departments: read, and made again.

use fault::Fault;
use pg::Db;
use proto::redress::resolution::v1::{
    ListDeliveriesRequest, ListDeliveriesResponse, RedeliverTaskRequest, RedeliverTaskResponse,
};
use tonic::{Request, Response};

use crate::delivery::Delivery;
use crate::flow::departments::Departments;
use crate::flow::progress;
use crate::refusal::Refusal;
use crate::task::TaskState;
use crate::wire::deliveries::{DeliveryQuery, Whose};
use crate::{store, wire};

/// `ListDeliveries`
pub(super) async fn list(
    db: &Db,
    departments: &Departments,
    request: Request<ListDeliveriesRequest>,
) -> Result<Response<ListDeliveriesResponse>, Fault> {
    let caller = server::caller(&request)?;
    let DeliveryQuery { whose, page, after } = wire::deliveries::listing(request.into_inner())?;
    if let Whose::Department(department_id) = &whose {
        server::seeing(&caller, department_id)?;
        departments.ensure(db, &caller.tenant, department_id).await?;
    }
    let (limit, asking) = (page.limit(), caller.clone());
    let (found, tries) = db
        .transact("resolution.list_deliveries", &caller.tenant, async move |mut tx| {
            let found = match whose {
                Whose::Department(id) => {
                    store::deliveries::list_of_department(&mut tx, &id, after, limit).await?
                }
                Whose::Task(id) => {
                    let task = store::tasks::get(&mut tx, id).await?.ok_or(Refusal::TaskNotFound)?;
                    server::seeing(&asking, &task.department_id)?;
                    store::deliveries::list_of_task(&mut tx, id, after, limit).await?
                }
            };
            let ids: Vec<_> = found.iter().map(|delivery| delivery.delivery_id).collect();
            let tries = store::deliveries::tries(&mut tx, &ids).await?;
            Ok((tx, (found, tries)))
        })
        .await?;
    let shown = |delivery: &Delivery| {
        let tries = tries.get(&delivery.delivery_id).map(Vec::as_slice).unwrap_or_default();
        (delivery.delivery_id.to_string(), wire::deliveries::delivery(delivery, tries))
    };
    let (deliveries, next_page_token) = server::page(&page, found.iter().map(shown));
    Ok(Response::new(ListDeliveriesResponse { deliveries, next_page_token }))
}

/// `RedeliverTask`
pub(super) async fn redeliver(
    db: &Db,
    request: Request<RedeliverTaskRequest>,
) -> Result<Response<RedeliverTaskResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let task_id = wire::deliveries::to_redeliver(request)?;
    let done = db
        .mutate(context, async move |mut tx, _| {
            let task = store::tasks::lock(&mut tx, &[task_id.0]).await?.pop().ok_or(Refusal::TaskNotFound)?;
            tx.join_trace(&task.traceparent);
            let token = task.lease_token.filter(|_| task.state == TaskState::Leased);
            let token = token.ok_or(Refusal::NothingToDeliver)?;
            let delivery = store::deliveries::lock_of_lease(&mut tx, task_id, token).await?;
            let mut delivery =
                delivery.filter(Delivery::can_be_made_again).ok_or(Refusal::NothingToDeliver)?;
            delivery.make_again(tx.now());
            store::deliveries::save(&mut tx, &delivery).await?;
            tx.notify(progress::DELIVERIES);
            let tries = store::deliveries::tries(&mut tx, &[delivery.delivery_id]).await?;
            let tries = tries.get(&delivery.delivery_id).map(Vec::as_slice).unwrap_or_default();
            Ok((tx, RedeliverTaskResponse { delivery: Some(wire::deliveries::delivery(&delivery, tries)) }))
        })
        .await?;
    Ok(server::reply(done))
}
