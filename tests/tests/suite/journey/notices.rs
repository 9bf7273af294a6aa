//! What is owed to somebody whom mail does not reach.

use feedback::bounce::{ReturnPath, Sent};
use kernel::NoticeId;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{
    ClockKind, ClockState, GetTimelineRequest, ListClocksRequest, TimelineKind, TrackComplaintRequest,
    Visibility,
};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::notice_routing_service_client::NoticeRoutingServiceClient;
use proto::redress::feedback::v1::{
    ActivateNoticeRoutingRequest, CorrectContactRequest, CreateNoticeRoutingRequest, GetNoticeRoutingRequest,
    ListNoticesRequest, NoticeKind, NoticeMeans, NoticeRouting, NoticeRoutingRule, NoticeState,
    RecordNoticeRequest, ReportBounceRequest, ResendNoticeRequest,
};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{Complainant, SubmitComplaintRequest};
use server::Secret;
use testkit::{House, eventually, request_id};
use tests::SERVICES;

use super::scene::{Scene, broken_cups};

/// A mail server that never answers: what is sent goes on being tried.
const NOBODY_THERE: &str = "smtp://127.0.0.1:9";

/// Somebody without an e-mail address is called, and the promise is kept; then the
/// address is found, and the notice sent there as well. In a house of its own, which
/// has a mail server.
pub(crate) async fn told_by_other_means(scene: &Scene) {
    let settings =
        |settings: &mut server::Settings| settings.smtp_url = Some(Secret::from(NOBODY_THERE.to_owned()));
    let house = House::builder(&SERVICES).settings(settings).open().await;
    let mut complaint = broken_cups();
    let phone = "+8613800138000".to_owned();
    complaint.complainant = Some(Complainant { phone, ..Complainant::default() });
    let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) };
    let registered = IntakeServiceClient::new(house.channel()).submit_complaint(request).await.unwrap();
    let registered = registered.into_inner();
    let case_id = registered.complaint_id;
    house.settled().await;

    routed(scene, &house).await;
    let mut feedback = FeedbackServiceClient::new(scene.twice.over(house.channel()));
    let request = ListNoticesRequest { needs_person: true, ..ListNoticesRequest::default() };
    let notice = feedback.list_notices(request).await.unwrap().into_inner().notices.pop().unwrap();
    assert_eq!((notice.kind(), notice.failure_reason.as_str()), (NoticeKind::Acknowledgement, "NO_ADDRESS"));
    assert_eq!(acknowledging(&house, &case_id).await, ClockState::Running, "owed until somebody has called");
    let record = RecordNoticeRequest {
        request_id: request_id(),
        notice_id: notice.notice_id.clone(),
        means: NoticeMeans::Telephone.into(),
        tell_time: notice.create_time,
        evidence: "recording 4711".to_owned(),
    };
    feedback.record_notice(record).await.unwrap();
    house.settled().await;
    assert_eq!(acknowledging(&house, &case_id).await, ClockState::Met);

    let correction = CorrectContactRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        email: "ada@example.org".to_owned(),
        reason: "they told it on the telephone".to_owned(),
        ..CorrectContactRequest::default()
    };
    feedback.correct_contact(correction).await.unwrap();
    let again = ResendNoticeRequest {
        request_id: request_id(),
        notice_id: notice.notice_id,
        reason: "they want it in writing".to_owned(),
    };
    let sent = feedback.resend_notice(again).await.unwrap().into_inner().notice.unwrap();
    assert_eq!((sent.state(), sent.recipient.as_str()), (NoticeState::Pending, "ada@example.org"));
    house.settled().await;
    on_record(&house, &case_id, &registered.receipt_code).await;
    house.done().await;
}

async fn acknowledging(house: &House, case_id: &str) -> ClockState {
    let request = ListClocksRequest { case_id: case_id.to_owned() };
    let answer = ClockServiceClient::new(house.channel()).list_clocks(request).await.unwrap();
    let clocks = answer.into_inner().clocks;
    clocks.iter().find(|clock| clock.kind() == ClockKind::Acknowledge).unwrap().state()
}

/// Staff read why mail did not do and what was done instead; the complainant only that.
async fn on_record(house: &House, case_id: &str, receipt_code: &str) {
    let request = GetTimelineRequest { case_id: case_id.to_owned(), ..GetTimelineRequest::default() };
    let mut cases = CaseServiceClient::new(house.channel());
    let entries = cases.get_timeline(request).await.unwrap().into_inner().entries;
    let says = |text: &str| entries.iter().find(|entry| entry.text.contains(text)).unwrap();
    assert_eq!(says("could not be delivered: NO_ADDRESS").kind(), TimelineKind::Notice);
    assert!(says("the acknowledgement was given by telephone on ").text.contains("(Asia/Shanghai)"));
    assert_eq!(says("they told it on the telephone").visibility(), Visibility::Internal);
    let request =
        TrackComplaintRequest { receipt_code: receipt_code.to_owned(), ..TrackComplaintRequest::default() };
    let seen = cases.track_complaint(request).await.unwrap().into_inner().entries;
    let texts: Vec<&str> = seen.iter().map(|entry| entry.text.as_str()).collect();
    assert!(texts.contains(&"the acknowledgement could not be delivered"), "{texts:?}");
    assert!(texts.iter().all(|text| !text.contains("NO_ADDRESS")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("was given by telephone")), "{texts:?}");
}

/// The organisation settles that its outcomes go by text message first.
async fn routed(scene: &Scene, house: &House) {
    let mut routings = NoticeRoutingServiceClient::new(scene.twice.over(house.channel()));
    let shipped = routings.get_notice_routing(GetNoticeRoutingRequest::default()).await.unwrap();
    let NoticeRouting { mut rules, .. } = shipped.into_inner().notice_routing.unwrap();
    let kinds = vec![NoticeKind::Outcome.into()];
    let means = vec![NoticeMeans::Sms.into(), NoticeMeans::Email.into()];
    rules.insert(0, NoticeRoutingRule { kinds, channels: Vec::new(), means });
    let wanted = NoticeRouting { rules: rules.clone(), ..NoticeRouting::default() };
    let request = CreateNoticeRoutingRequest { request_id: request_id(), notice_routing: Some(wanted) };
    let made = routings.create_notice_routing(request).await.unwrap().into_inner().notice_routing.unwrap();
    let request = ActivateNoticeRoutingRequest { request_id: request_id(), version: made.version };
    routings.activate_notice_routing(request).await.unwrap();
    let in_force = routings.get_notice_routing(GetNoticeRoutingRequest::default()).await.unwrap();
    assert_eq!(in_force.into_inner().notice_routing.unwrap().rules, rules);
}

/// The mail of an acknowledgement comes back: its delivery is taken back, and the promise is
/// owed again. In a house of its own, whose mails come back to a mailbox.
pub(crate) async fn came_back(scene: &Scene) {
    let sink = demo::MailSink::open().await.unwrap();
    let (mailbox, key) = ("bounces@example.org", "a key of more than thirty-two characters");
    let settings = |settings: &mut server::Settings| {
        settings.smtp_url = Some(Secret::from(sink.url()));
        settings.notices.bounce_address = mailbox.into();
        settings.notices.bounce_key = Some(Secret::from(key.to_owned()));
    };
    let house = House::builder(&SERVICES).settings(settings).open().await;
    let mut complaint = broken_cups();
    complaint.complainant =
        Some(Complainant { email: "ada@example.com".to_owned(), ..Complainant::default() });
    let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) };
    let registered = IntakeServiceClient::new(house.channel()).submit_complaint(request).await.unwrap();
    let case_id = registered.into_inner().complaint_id;
    house.settled().await;
    eventually(async || sink.count() == 1).await;
    house.settled().await;
    assert_eq!(acknowledging(&house, &case_id).await, ClockState::Met);
    let mut feedback = FeedbackServiceClient::new(scene.twice.over(house.channel()));
    let request = ListNoticesRequest { case_id: case_id.clone(), ..ListNoticesRequest::default() };
    let notice = feedback.list_notices(request).await.unwrap().into_inner().notices.pop().unwrap();

    let sent = Sent { notice: NoticeId(notice.notice_id.parse().unwrap()), sending: 1 };
    let address = ReturnPath::new(mailbox, key).unwrap().address(sent).unwrap();
    let message = format!(
        "From: MAILER-DAEMON@mx.example.com\nTo: {address}\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
         --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\n\
         Final-Recipient: rfc822; ada@example.com\nAction: failed\nStatus: 5.1.1\n\n--b--\n"
    );
    let (message, recipient) = (message.into_bytes(), address);
    let request = ReportBounceRequest { request_id: request_id(), message, recipient };
    let answer = feedback.report_bounce(request).await.unwrap().into_inner();
    assert_eq!(answer.notice.unwrap().state(), NoticeState::Undelivered);
    house.settled().await;
    assert_eq!(acknowledging(&house, &case_id).await, ClockState::Running, "owed again");
    let request = GetTimelineRequest { case_id, ..GetTimelineRequest::default() };
    let entries = CaseServiceClient::new(house.channel()).get_timeline(request).await.unwrap();
    let entries = entries.into_inner().entries;
    let back = entries.iter().find(|entry| entry.text.contains("came back")).unwrap();
    assert_eq!(back.kind(), TimelineKind::Notice);
    assert!(back.text.ends_with(": 5.1.1"), "{}", back.text);
    house.done().await;
}
