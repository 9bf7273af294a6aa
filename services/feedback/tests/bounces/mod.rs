//! Mails that come back: a real mail server takes them over, and reports on them later.

mod mailboxes;

use feedback::bounce::{ReturnPath, Sent};
use kernel::NoticeId;
use proto::redress::cases::v1::CaseWithdrawn;
use proto::redress::feedback::v1::{
    DeliveryAction, DeliveryReport, ListNoticesRequest, Notice, NoticeBounced, NoticeKind, NoticeMeans,
    NoticeSettled, NoticeState, ReportBounceRequest, ReportBounceResponse, ResendNoticeRequest,
};
use server::{Secret, Settings};
use testkit::{House, MockClock, eventually, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::means::{Servers, complaint, ended};
use crate::records::called;
use crate::sink::{Mail, Sink};
use crate::{Client, case, client, house, notices_of, refused, registered, resolved};

const KEY: &str = "a key of more than thirty-two characters";
const FAILED: (&str, &str) = ("failed", "5.1.1");

/// Mails come back to a mailbox of ours.
fn returned_here(settings: &mut Settings) {
    settings.notices.bounce_address = "bounces@example.org".into();
    settings.notices.bounce_key = Some(Secret::from(KEY.to_owned()));
}

async fn mailing(sink: &Sink) -> House {
    let settings = |settings: &mut Settings| {
        settings.smtp_url = Some(Secret::from(sink.url()));
        settings.mail_from = "Redress <redress@example.org>".into();
        returned_here(settings);
    };
    House::builder(&[feedback::SERVICE]).clock(MockClock::default()).settings(settings).open().await
}

/// A case whose acknowledgement was taken over, and that mail.
async fn acknowledged(house: &House, sink: &Sink) -> (Uuid, Notice, Mail) {
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.com")).await;
    let notice = ended(house, case).await;
    assert_eq!(notice.state(), NoticeState::Delivered);
    (case, notice, sink.mails().pop().unwrap())
}

async fn report(house: &House, message: Vec<u8>) -> Result<ReportBounceResponse, Status> {
    let request = ReportBounceRequest { request_id: request_id(), message, recipient: String::new() };
    Ok(client(house).report_bounce(request).await?.into_inner())
}

async fn the_notice(house: &House, case: Uuid) -> Notice {
    notices_of(house, case).await.pop().unwrap()
}

/// What was told of the notices of the house, in order: where they stand, or that one came
/// back.
async fn told(house: &House) -> Vec<String> {
    let all = house.published_by("feedback").await;
    let names = all.iter().map(|event| event.type_name.rsplit('.').next().unwrap_or_default().to_owned());
    names.filter(|name| name.starts_with("Notice")).collect()
}

/// When a case counts as acknowledged, and an outcome of it as told.
async fn counted(house: &House, case: Uuid) -> (bool, bool) {
    house.settled().await;
    sqlx::query_as(
        "SELECT c.acknowledged_at IS NOT NULL, y.told_at IS NOT NULL
         FROM feedback.case_fact c LEFT JOIN feedback.cycle_fact y USING (tenant_id, case_id) WHERE c.case_id = $1",
    )
    .bind(case)
    .fetch_one(&mut house.owner().await)
    .await
    .unwrap()
}

async fn waiting(house: &House) -> Vec<Notice> {
    let request = ListNoticesRequest { needs_person: true, ..ListNoticesRequest::default() };
    client(house).list_notices(request).await.unwrap().into_inner().notices
}

#[tokio::test]
async fn a_mail_that_comes_back_was_not_delivered_after_all_and_waits_for_a_person() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let (case, before, mail) = acknowledged(&house, &sink).await;
    assert!(mail.from.starts_with("bounces+") && mail.from.ends_with("@example.org"), "{}", mail.from);
    assert_eq!(mail.header("Auto-Submitted"), "auto-replied", "it is not answered");
    assert_eq!(counted(&house, case).await, (true, false));

    let answer = report(&house, mail.reported(FAILED)).await.unwrap();
    let notice = answer.notice.unwrap();
    assert_eq!(notice, the_notice(&house, case).await);
    assert_eq!(notice.state(), NoticeState::Undelivered);
    assert_eq!(notice.failure_reason, "5.1.1 smtp; said of it");
    assert_eq!(notice.evidence, before.evidence, "it was taken over at first");
    let [kept] = notice.delivery_reports.as_slice() else { panic!("{notice:?}") };
    assert_eq!(Some(kept), answer.report.as_ref());
    assert_eq!((kept.action(), kept.status.as_str()), (DeliveryAction::Failed, "5.1.1"));
    assert_eq!((kept.sending_number, kept.reporting_server.as_str()), (1, "mx.example.com"));
    assert_eq!(waiting(&house).await, [notice]);
    assert_eq!(told(&house).await, ["NoticeSettled", "NoticeBounced", "NoticeSettled"]);
    let bounced: Vec<NoticeBounced> = house.published("feedback").await;
    assert_eq!((bounced[0].kind(), bounced[0].sending_number), (NoticeKind::Acknowledgement, 1));
    assert_eq!((bounced[0].status.as_str(), bounced[0].notice_id.as_str()), ("5.1.1", &*before.notice_id));
    let settled: Vec<NoticeSettled> = house.published("feedback").await;
    assert_eq!((settled[1].state(), settled[1].sending_number), (NoticeState::Undelivered, 1));
    assert_eq!(counted(&house, case).await, (false, false), "nobody was told");
    house.done().await;
}

#[tokio::test]
async fn the_same_report_again_changes_nothing() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let (case, notice, mail) = acknowledged(&house, &sink).await;
    let request = ReportBounceRequest {
        request_id: request_id(),
        message: mail.reported(FAILED),
        recipient: mail.from.clone(),
    };
    let first = client(&house).report_bounce(request.clone()).await.unwrap().into_inner();
    let again = client(&house).report_bounce(request).await.unwrap().into_inner();
    assert_eq!(first, again, "the same request");
    client(&house).record_notice(called(&house, &notice)).await.unwrap();
    let other = report(&house, mail.reported(("failed", "5.2.2"))).await.unwrap();
    assert_eq!(other.report, first.report, "another message of the same kind");
    assert_eq!(the_notice(&house, case).await.state(), NoticeState::Delivered, "they were called");
    let events = ["NoticeSettled", "NoticeBounced", "NoticeSettled", "NoticeSettled"];
    assert_eq!(told(&house).await, events);
    assert_eq!(counted(&house, case).await, (true, false), "by the call");
    house.done().await;
}

#[tokio::test]
async fn what_is_late_is_noted_what_arrived_is_more_evidence_and_what_failed_has_failed() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let (case, before, mail) = acknowledged(&house, &sink).await;
    report(&house, mail.reported(("delayed", "4.4.1"))).await.unwrap();
    let noted = the_notice(&house, case).await;
    assert_eq!((noted.state(), &noted.evidence), (NoticeState::Delivered, &before.evidence));
    report(&house, mail.reported(("delivered", "2.0.0"))).await.unwrap();
    let confirmed = the_notice(&house, case).await;
    let evidence = format!("{}; delivered: 2.0.0 smtp; said of it", before.evidence);
    assert_eq!((confirmed.state(), confirmed.evidence), (NoticeState::Delivered, evidence));
    assert_eq!(told(&house).await, ["NoticeSettled"]);
    report(&house, mail.reported(FAILED)).await.unwrap();
    for last in [("relayed", "2.0.0"), ("delivered", "2.1.5"), FAILED] {
        report(&house, mail.reported(last)).await.unwrap();
    }
    let failed = the_notice(&house, case).await;
    assert_eq!(failed.state(), NoticeState::Undelivered);
    let actions: Vec<DeliveryAction> = failed.delivery_reports.iter().map(DeliveryReport::action).collect();
    let mut each = actions.clone();
    each.sort_unstable();
    each.dedup();
    assert_eq!((actions.len(), each.len()), (4, 4), "{actions:?}");
    assert_eq!(told(&house).await.len(), 3);
    house.done().await;
}

#[tokio::test]
async fn it_goes_on_to_the_next_means_and_is_counted_once_that_tells_them() {
    let servers = Servers::open().await;
    let house = servers.builder(returned_here).open().await;
    let case = case();
    house.tell("intake", case, &complaint(case, "ada@example.com", "138 0013-8000")).await;
    ended(&house, case).await;
    let mail = servers.mail.mails().pop().unwrap();
    let answer = report(&house, mail.reported(FAILED)).await.unwrap().notice.unwrap();
    assert_eq!((answer.state(), answer.sending_means()), (NoticeState::Pending, NoticeMeans::Sms));
    let notice = ended(&house, case).await;
    assert_eq!((notice.state(), notice.means()), (NoticeState::Delivered, NoticeMeans::Sms));
    let [before] = notice.earlier_sendings.as_slice() else { panic!("{notice:?}") };
    assert_eq!(
        (before.state(), before.evidence.as_str()),
        (NoticeState::Undelivered, "250 2.0.0 queued as 4711")
    );
    assert_eq!(
        (before.failure_reason.as_str(), before.reason.as_str()),
        ("5.1.1 smtp; said of it", "NEXT_MEANS")
    );
    assert_eq!(told(&house).await, ["NoticeSettled", "NoticeBounced", "NoticeSettled"]);
    assert_eq!(counted(&house, case).await, (true, false));
    // What is told of the first mail after that changes nothing.
    for late in [("delivered", "2.0.0"), FAILED] {
        report(&house, mail.reported(late)).await.unwrap();
    }
    assert_eq!(the_notice(&house, case).await.state(), NoticeState::Delivered);
    assert_eq!(told(&house).await.len(), 3);
    house.done().await;
}

#[tokio::test]
async fn an_outcome_that_comes_back_counts_as_told_no_more() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let (case, ..) = acknowledged(&house, &sink).await;
    house.tell("cases", case, &resolved(case, 1)).await;
    let is_told =
        |notice: &Notice| notice.kind() == NoticeKind::Outcome && notice.state() == NoticeState::Delivered;
    eventually(async || notices_of(&house, case).await.iter().any(is_told)).await;
    assert_eq!(counted(&house, case).await, (true, true));
    let mail = sink.mails().pop().unwrap();
    report(&house, mail.reported(FAILED)).await.unwrap();
    assert_eq!(counted(&house, case).await, (true, false), "the acknowledgement stands");
    house.done().await;
}

#[tokio::test]
async fn a_mail_of_before_it_was_sent_again_is_put_right_and_the_new_one_stands() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let (case, notice, mail) = acknowledged(&house, &sink).await;
    let again = ResendNoticeRequest {
        request_id: request_id(),
        notice_id: notice.notice_id.clone(),
        reason: "they asked".into(),
    };
    client(&house).resend_notice(again).await.unwrap();
    ended(&house, case).await;
    let second = sink.mails().pop().unwrap();
    assert_ne!(second.from, mail.from, "each mail has its own address");
    let answer = report(&house, mail.reported(FAILED)).await.unwrap().notice.unwrap();
    assert_eq!(answer.state(), NoticeState::Delivered);
    assert_eq!(answer.earlier_sendings[0].state(), NoticeState::Undelivered);
    assert_eq!(told(&house).await, ["NoticeSettled", "NoticeSettled", "NoticeBounced"]);
    assert_eq!(counted(&house, case).await, (true, false), "by the second");
    report(&house, second.reported(FAILED)).await.unwrap();
    assert_eq!(counted(&house, case).await, (false, false));
    house.done().await;
}

#[tokio::test]
async fn a_report_that_is_faster_than_our_own_record_settles_the_notice_once() {
    let sink = Sink::open().await;
    sink.hold(true);
    let house = mailing(&sink).await;
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.com")).await;
    eventually(async || sink.asked() == 1).await;
    let notice = the_notice(&house, case).await;
    let path = ReturnPath::new("bounces@example.org", KEY).unwrap();
    let sent = Sent { notice: NoticeId(notice.notice_id.parse().unwrap()), sending: 1 };
    let text = format!("Message-ID: <{}>\n", sent.message_id());
    let mail = Mail { from: path.address(sent).unwrap(), to: "ada@example.com".into(), text };
    report(&house, mail.reported(FAILED)).await.unwrap();
    sink.hold(false);
    eventually(async || sink.mails().len() == 1).await;
    house.settled().await;
    let notice = the_notice(&house, case).await;
    assert_eq!(notice.state(), NoticeState::Undelivered, "that it was taken over does not count");
    assert_eq!(told(&house).await, ["NoticeSettled"], "no delivery was told that could be taken back");
    house.done().await;
}

#[tokio::test]
async fn nobody_need_see_to_what_comes_back_of_a_case_that_was_withdrawn() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let (case, _, mail) = acknowledged(&house, &sink).await;
    let withdrawn = CaseWithdrawn { case_id: case.to_string(), cycle: 1, ..CaseWithdrawn::default() };
    house.tell("cases", case, &withdrawn).await;
    house.settled().await;
    report(&house, mail.reported(FAILED)).await.unwrap();
    assert_eq!(the_notice(&house, case).await.state(), NoticeState::Undelivered);
    assert_eq!(waiting(&house).await, []);
    house.done().await;
}

#[tokio::test]
async fn what_is_no_bounce_of_ours_is_refused_and_leaves_nothing() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let (case, before, mail) = acknowledged(&house, &sink).await;
    let reported = String::from_utf8(mail.reported(FAILED)).unwrap();
    let strange = ReturnPath::new("bounces@example.org", "another key of thirty-two characters").unwrap();
    let sent = Sent { notice: NoticeId(before.notice_id.parse().unwrap()), sending: 1 };
    let forged = reported.replace(&mail.from, &strange.address(sent).unwrap());
    let path = ReturnPath::new("bounces@example.org", KEY).unwrap();
    let of = |sent: Sent| reported.replace(&mail.from, &path.address(sent).unwrap());
    let nobodys = Sent { notice: NoticeId(Uuid::from_u128(7)), sending: 1 };
    let unsent = Sent { sending: 3, ..sent };
    let id_of = |text: String, of: Sent| text.replace(&sent.message_id(), &of.message_id());
    let away = "From: ada@example.com\nSubject: I am away\nAuto-Submitted: auto-replied\n\nUntil May.\n";
    for (message, code, reason) in [
        (away.to_owned(), Code::InvalidArgument, "NOT_A_BOUNCE"),
        (reported.replace("Status: 5.1.1", "Status: so"), Code::InvalidArgument, "NOT_A_BOUNCE"),
        (forged, Code::PermissionDenied, "BOUNCE_FORGED"),
        (of(unsent), Code::PermissionDenied, "BOUNCE_FORGED"),
        (reported.replace(&mail.from, "bounces@example.org"), Code::NotFound, "BOUNCE_UNKNOWN"),
        (id_of(of(nobodys), nobodys), Code::NotFound, "BOUNCE_UNKNOWN"),
        (id_of(of(unsent), unsent), Code::NotFound, "BOUNCE_UNKNOWN"),
        (String::new(), Code::InvalidArgument, "INVALID_BOUNCE"),
    ] {
        assert_eq!(
            refused(report(&house, message.clone().into_bytes()).await),
            (code, reason.to_owned()),
            "{message}"
        );
    }
    let long = ReportBounceRequest {
        message: vec![b'a'; 262_145],
        recipient: "a".repeat(321),
        ..Default::default()
    };
    let status = client(&house).report_bounce(long).await.unwrap_err();
    assert_eq!(violations(&status), ["request_id", "message", "recipient"]);
    assert_eq!(the_notice(&house, case).await, before);
    house.done().await;
}

#[tokio::test]
async fn what_comes_back_of_another_tenant_is_unknown() {
    let sink = Sink::open().await;
    let settings = |settings: &mut Settings| {
        settings.smtp_url = Some(Secret::from(sink.url()));
        settings.mail_from = "Redress <redress@example.org>".into();
        returned_here(settings);
    };
    let house = House::builder(&[feedback::SERVICE]).settings(settings).identified().open().await;
    let case = case();
    house.tell_as("tenant-a", "intake", case, &registered(case, "ada@example.com")).await;
    eventually(async || sink.mails().len() == 1).await;
    house.settled().await;
    let message = sink.mails().remove(0).reported(FAILED);
    let report = async |tenant: &str, role: &str| {
        let mut client = Client::new(house.channel_as(tenant, "mail", &[role]));
        let (request_id, message) = (request_id(), message.clone());
        client.report_bounce(ReportBounceRequest { request_id, message, recipient: String::new() }).await
    };
    assert_eq!(refused(report("tenant-b", "channel").await), (Code::NotFound, "BOUNCE_UNKNOWN".to_owned()));
    let refusal = refused(report("tenant-a", "department-worker").await);
    assert_eq!(refusal, (Code::PermissionDenied, "ROLE_REQUIRED".to_owned()));
    let notice = report("tenant-a", "channel").await.unwrap().into_inner().notice.unwrap();
    assert_eq!(notice.state(), NoticeState::Undelivered);
    house.done().await;
}

#[tokio::test]
async fn without_a_mailbox_for_it_nothing_can_come_back() {
    let sink = Sink::open().await;
    let house = house().await;
    let mail =
        Mail { from: "bounces+x@example.org".into(), to: "ada@example.com".into(), text: String::new() };
    let refusal = refused(report(&house, mail.reported(FAILED)).await);
    assert_eq!(refusal, (Code::FailedPrecondition, "BOUNCES_NOT_CONFIGURED".to_owned()));
    assert_eq!(sink.mails().len(), 0);
    house.done().await;
}
