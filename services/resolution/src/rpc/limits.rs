//! Limits of what one approver grants: read and set.

use fault::Fault;
use pg::Db;
use proto::redress::resolution::v1::{
    GetApprovalLimitsRequest, GetApprovalLimitsResponse, SetApprovalLimitsRequest, SetApprovalLimitsResponse,
};
use tonic::{Request, Response};

use crate::store;
use crate::wire;

/// `GetApprovalLimits`
pub(super) async fn get(
    db: &Db,
    request: Request<GetApprovalLimitsRequest>,
) -> Result<Response<GetApprovalLimitsResponse>, Fault> {
    let caller = server::caller(&request)?;
    let (version, caps) = db
        .transact("resolution.get_limits", &caller.tenant, async move |mut tx| {
            let limits = store::approvals::limits(&mut tx).await?;
            Ok((tx, limits))
        })
        .await?;
    Ok(Response::new(GetApprovalLimitsResponse { limits: Some(wire::limits::limits(version, caps)) }))
}

/// `SetApprovalLimits`
pub(super) async fn set(
    db: &Db,
    request: Request<SetApprovalLimitsRequest>,
) -> Result<Response<SetApprovalLimitsResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (caps, seen) = wire::limits::setting(request)?;
    let done = db
        .mutate(context, async move |mut tx, _| {
            let Some(version) = store::approvals::set_limits(&mut tx, seen, &caps).await? else {
                let (current, _) = store::approvals::limits(&mut tx).await?;
                return Err(Fault::version_mismatch(current));
            };
            let limits = Some(wire::limits::limits(version, caps));
            Ok((tx, SetApprovalLimitsResponse { limits }))
        })
        .await?;
    Ok(server::reply(done))
}
