//! What mail servers send back about the mails of notices.

use fault::{Check, Fault};
use pg::Db;
use proto::redress::feedback::v1::{ReportBounceRequest, ReportBounceResponse};
use server::Length;
use tonic::{Request, Response, Status};

use super::notices;
use crate::bounce::{self, Notification, ReturnPath};
use crate::flow::bounces;
use crate::notice::Delivery;
use crate::refusal::Refusal;
use crate::{store, wire};

/// Takes in a delivery status notification.
pub(super) async fn report(
    db: &Db,
    delivery: &Delivery,
    path: Option<&ReturnPath>,
    request: Request<ReportBounceRequest>,
) -> Result<Response<ReportBounceResponse>, Status> {
    let (context, request) = server::mutation(request)?;
    let wire::Returned { message, recipient } = wire::returned(request)?;
    let path = path.ok_or(Refusal::BouncesNotConfigured).map_err(Fault::from)?;
    let read = move || Notification::read(&message);
    let told = server::blocking(&context.caller.tenant, Length::Quick, "bounce.read", read).await?;
    let told = told.ok_or_else(no_notification)?;
    let sent = bounce::sent(path, &recipient, &told).map_err(Fault::from)?;
    let delivery = delivery.clone();
    let done = db
        .mutate(context, async move |mut tx, _| {
            let report = bounces::take(&mut tx, &delivery, sent, &told).await?;
            let notice = store::lock_notice(&mut tx, sent.notice).await?.ok_or(Refusal::BounceUnknown)?;
            let notice = Some(notices::on_record(&mut tx, notice).await?);
            Ok((tx, ReportBounceResponse { notice, report: Some(wire::delivery_report(report)) }))
        })
        .await?;
    Ok(server::reply(done))
}

fn no_notification() -> Fault {
    let mut check = Check::new();
    check.fail("message", "is no delivery status notification that can be read (RFC 3464)");
    match check.done("NOT_A_BOUNCE") {
        Err(fault) => fault,
        Ok(()) => Fault::internal("a violation is none"),
    }
}
