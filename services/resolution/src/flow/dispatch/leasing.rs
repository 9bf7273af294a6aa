//! Leases tasks for the endpoint of their department, each with its delivery in the same
//! transaction: no lease without one, and none without a lease.

use fault::Fault;
use kernel::TenantId;
use pg::{Db, Tx};
use uuid::Uuid;

use crate::delivery::Delivery;
use crate::endpoint::{Endpoint, EndpointKind, EndpointState};
use crate::flow::departments::Departments;
use crate::flow::{problem_hints, undo};
use crate::store::tasks::{Claim, Claimed};
use crate::{store, wire};

/// Leases up to `free` tasks; answers how many.
pub(super) async fn lease(
    db: &Db,
    departments: &Departments,
    tenant: &TenantId,
    department_id: &str,
    free: i64,
) -> Result<usize, Fault> {
    let (count, noted) = db
        .transact("resolution.lease_for_endpoint", tenant, async |mut tx| {
            let endpoint = store::endpoints::get(&mut tx, department_id).await?;
            let Some(endpoint) = endpoint.filter(|endpoint| endpoint.state() == EndpointState::Enabled)
            else {
                return Ok((tx, (0, None)));
            };
            let Claimed { leased, exhausted } = claim(&mut tx, &endpoint, free).await?;
            for task in &exhausted {
                let event = wire::outbound::task_needs_attention(task);
                tx.emit_in(task.traceparent.clone(), task.case_id.0, &event);
                problem_hints::tell_given_up(&mut tx, task);
            }
            undo::note_failed(&mut tx, &exhausted).await?;
            let now = tx.now();
            let deliveries: Vec<Delivery> = leased
                .iter()
                .filter_map(|task| Some(Delivery::of_task(tx.new_id(), task, task.lease_token?, now)))
                .collect();
            if let Some(first) = deliveries.first() {
                let leases: Vec<(Uuid, Uuid)> =
                    deliveries.iter().map(|delivery| (delivery.task_id.0, delivery.token)).collect();
                // All are given up at the same moment.
                store::deliveries::hold(&mut tx, &leases, first.lease(None)).await?;
                store::deliveries::insert(&mut tx, &deliveries, now).await?;
            }
            let noted = departments.is_poll_due(tenant, department_id, now).then_some(now);
            if noted.is_some()
                && let Some((watch, since)) = store::departments::polled(&mut tx, department_id, now).await?
            {
                tx.emit(watch, &wire::departments::attended(department_id, since));
            }
            Ok((tx, (deliveries.len(), noted)))
        })
        .await?;
    if let Some(now) = noted {
        departments.poll_noted(tenant, department_id, now);
    }
    Ok(count)
}

/// As a worker would poll, under a name no worker bears.
async fn claim(tx: &mut Tx, endpoint: &Endpoint, free: i64) -> Result<Claimed, Fault> {
    let now = tx.now();
    let claim = Claim {
        poll_id: &format!("delivery {}", tx.new_token()),
        poll_hash: &[],
        department_id: &endpoint.department_id,
        worker: match endpoint.kind {
            EndpointKind::Grpc => "gRPC endpoint",
            EndpointKind::Webhook => "webhook endpoint",
        },
        executor: &format!("endpoint of {}", endpoint.department_id),
        replays: false,
        now,
        until: now,
        tokens: (0..free).map(|_| tx.new_token()).collect(),
    };
    store::tasks::claim(tx, claim).await
}
