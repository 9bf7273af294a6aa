//! What mail servers report about the mails of notices, taken in: a delivery that was told
//! is taken back, and the notice goes on to the next means or waits for a person.

use fault::{Fault, Refusal as _};
use pg::Tx;
use proto::redress::intake::v1::DeliveryReportReceived;

use crate::bounce::{self, Action, Effect, Notification, Report, ReturnPath, Sent};
use crate::flow::posting;
use crate::notice::{Delivery, Notice, Sending};
use crate::refusal::Refusal;
use crate::survey::SurveyEligibility;
use crate::{store, wire};

/// Takes in what is reported about a mail; answers the report on record. One that was told
/// before changes nothing.
pub(crate) async fn take(
    tx: &mut Tx,
    delivery: &Delivery,
    sent: Sent,
    told: &Notification,
) -> Result<Report, Fault> {
    let mut notice = store::lock_notice(tx, sent.notice).await?.ok_or(Refusal::BounceUnknown)?;
    let earlier = store::sendings(tx, &[sent.notice]).await?.remove(&sent.notice).unwrap_or_default();
    let report = report(&notice, &earlier, sent, told, tx.now())?;
    let known = store::delivery_reports(tx, &[sent.notice]).await?.remove(&sent.notice).unwrap_or_default();
    let failed = known.iter().any(|known| known.sent == sent && known.action == Action::Failed);
    if !store::keep_delivery_report(tx, &report).await? {
        let same = known.into_iter().find(|known| known.sent == sent && known.action == report.action);
        return same.ok_or_else(|| Fault::internal("a report on record was not found"));
    }
    tx.join_trace(&notice.traceparent);
    match notice.take_report(&report, failed, &earlier, tx.now()) {
        Effect::Noted => {}
        Effect::Confirmed => store::keep_evidence(tx, &notice).await?,
        Effect::Failed { taken_back } => fail(tx, delivery, notice, (&report, taken_back)).await?,
        Effect::Corrected { sending, taken_back } => {
            store::correct_sending(tx, &sending).await?;
            if taken_back {
                tx.emit(notice.case_id.0, &wire::bounced(&notice, &report));
            }
        }
    }
    Ok(report)
}

/// Takes in what a mailbox received that looks like a report; what is none, or is about no mail
/// of ours, is passed over: anybody may have sent it.
pub(crate) async fn hear(
    tx: &mut Tx,
    delivery: &Delivery,
    path: &ReturnPath,
    received: &DeliveryReportReceived,
) -> Result<(), Fault> {
    let told = server::aside(received.message.len() > HEAVY_BYTES, || Notification::read(&received.message));
    let Some(told) = told else { return Ok(()) };
    let mut recipients = received.recipients.iter().map(String::as_str).chain([""]);
    let Some(sent) = recipients.find_map(|recipient| bounce::sent(path, recipient, &told).ok()) else {
        tracing::debug!(mail = received.mail_id, "a delivery report is about no mail of ours");
        return Ok(());
    };
    match take(tx, delivery, sent, &told).await {
        Ok(_) => Ok(()),
        Err(fault) if is_none_of_ours(&fault) => {
            tracing::debug!(
                mail = received.mail_id,
                fault = fault.chain(),
                "a delivery report is passed over"
            );
            Ok(())
        }
        Err(fault) => Err(fault),
    }
}

/// Whether what is refused is the report, which is before anything is written.
fn is_none_of_ours(fault: &Fault) -> bool {
    [Refusal::BounceUnknown, Refusal::BounceForged].iter().any(|refusal| fault.reason() == refusal.reason())
}

/// Bytes of a mail from which on reading it may take more than a millisecond.
const HEAVY_BYTES: usize = 16_384;

/// What a notification says about a mail of a notice; the one returned must have gone to the
/// address it is about.
fn report(
    notice: &Notice,
    earlier: &[Sending],
    sent: Sent,
    told: &Notification,
    now: jiff::Timestamp,
) -> Result<Report, Refusal> {
    let before = earlier.iter().find(|sending| sending.number == sent.sending);
    let recipient = match before {
        Some(sending) => &sending.recipient,
        None if sent.sending == notice.sending => &notice.recipient,
        None => return Err(Refusal::BounceUnknown),
    };
    let reported = told.of(recipient).ok_or(Refusal::BounceForged)?.clone();
    Ok(Report {
        sent,
        action: reported.action,
        status: reported.status,
        diagnostic: reported.diagnostic,
        server: told.server.clone(),
        reported: now,
    })
}

/// The notice, which is undelivered now, goes on to the next means, or stays so; of a case
/// that was withdrawn or declined nobody need see to it.
async fn fail(
    tx: &mut Tx,
    delivery: &Delivery,
    notice: Notice,
    (report, taken_back): (&Report, bool),
) -> Result<(), Fault> {
    let case = notice.case_id;
    if taken_back {
        tx.emit(case.0, &wire::bounced(&notice, report));
    }
    for notice in posting::go_on(tx, delivery, vec![notice]).await? {
        tx.emit(case.0, &wire::settled(&notice));
        let standing = store::profiles(tx, &[case]).await?.remove(&case).map(|profile| profile.standing);
        if matches!(standing, Some(SurveyEligibility::Withdrawn | SurveyEligibility::Declined)) {
            let now = tx.now();
            store::dismiss(tx, &[case], now).await?;
        }
    }
    Ok(())
}
