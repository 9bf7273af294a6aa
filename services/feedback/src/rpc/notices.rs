//! What people do about notices that mail cannot deliver.

use fault::Fault;
use pg::{Db, Tx};
use proto::redress::feedback::v1::{
    RecordNoticeRequest, RecordNoticeResponse, ResendNoticeRequest, ResendNoticeResponse,
};
use tonic::{Request, Response, Status};

use crate::flow::{after_outcome, deliver, posting};
use crate::notice::{Delivery, Notice, Requester};
use crate::refusal::Refusal;
use crate::{store, wire};

/// Records that a complainant was told by other means.
pub(super) async fn record(
    db: &Db,
    delivery: &Delivery,
    request: Request<RecordNoticeRequest>,
) -> Result<Response<RecordNoticeResponse>, Status> {
    let (context, request) = server::mutation(request)?;
    let recorded = wire::record(request, db.clock().now())?;
    let delivery = delivery.clone();
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let mut notice =
                store::lock_notice(&mut tx, recorded.notice).await?.ok_or(Refusal::NoticeNotFound)?;
            let record = recorded.record(&notice, &caller.subject)?;
            notice.take_record(record, recorded.evidence, tx.now())?;
            store::change(&mut tx, &notice).await?;
            tx.join_trace(&notice.traceparent);
            tx.emit(notice.case_id.0, &wire::settled(&notice));
            after_outcome::outcomes(&mut tx, &delivery, &[&notice]).await?;
            let notice = Some(on_record(&mut tx, notice).await?);
            Ok((tx, RecordNoticeResponse { notice }))
        })
        .await?;
    Ok(server::reply(done))
}

/// Sends a notice again, to the address now known.
pub(super) async fn resend(
    db: &Db,
    delivery: &Delivery,
    request: Request<ResendNoticeRequest>,
) -> Result<Response<ResendNoticeResponse>, Status> {
    let (context, request) = server::mutation(request)?;
    let wire::Resent { notice, reason } = wire::resend(request)?;
    let by = Requester { requester: context.caller.subject.to_string(), reason };
    let delivery = delivery.clone();
    let done = db
        .mutate(context, async move |mut tx, _| {
            let mut notice = store::lock_notice(&mut tx, notice).await?.ok_or(Refusal::NoticeNotFound)?;
            let contact = store::contact(&mut tx, notice.case_id).await?.ok_or(Refusal::ContactNotFound)?;
            let routing = posting::routing(&mut tx).await?;
            let before = notice.send_again(&contact, (&delivery, &routing), by, tx.now())?;
            store::keep_sending(&mut tx, &before).await?;
            store::change(&mut tx, &notice).await?;
            tx.notify(deliver::TOPIC);
            let notice = Some(on_record(&mut tx, notice).await?);
            Ok((tx, ResendNoticeResponse { notice }))
        })
        .await?;
    Ok(server::reply(done))
}

/// A notice with what became of it before, and what was reported of its mails.
pub(super) async fn on_record(
    tx: &mut Tx,
    notice: Notice,
) -> Result<proto::redress::feedback::v1::Notice, Fault> {
    let id = notice.id;
    let earlier = store::sendings(tx, &[id]).await?.remove(&id).unwrap_or_default();
    let reports = store::delivery_reports(tx, &[id]).await?.remove(&id).unwrap_or_default();
    Ok(wire::notice(notice, earlier, reports))
}
