//! What people do about notices that mail cannot deliver: record, correct, send again.

use std::time::Duration;

use kernel::Lane;
use proto::redress::cases::v1::CaseDeclined;
use proto::redress::feedback::v1::{
    Contact, ContactCorrected, CorrectContactRequest, GetContactRequest, ListNoticesRequest, Notice,
    NoticeKind, NoticeMeans, NoticeSettled, NoticeState, RecordNoticeRequest, ResendNoticeRequest,
};
use server::Secret;
use testkit::{House, MockClock, consistency_token, eventually, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::sink::Sink;
use crate::{Client, case, client, house, list, refused, registered, resolved};

pub(crate) async fn mailing(sink: &Sink) -> House {
    let settings = |settings: &mut server::Settings| {
        settings.smtp_url = Some(Secret::from(sink.url()));
        settings.mail_from = "Redress <redress@example.org>".into();
    };
    House::builder(&[feedback::SERVICE]).clock(MockClock::default()).settings(settings).open().await
}

/// The acknowledgement of somebody who gave this address, once its delivery has ended.
async fn acknowledged(house: &House, address: &str) -> Notice {
    let case = case();
    house.tell("intake", case, &registered(case, address)).await;
    settled(house, case).await
}

async fn settled(house: &House, case: Uuid) -> Notice {
    let mut client = client(house);
    let client = tokio::sync::Mutex::new(&mut client);
    let ended = async || {
        let notices = list(*client.lock().await, case).await;
        !notices.is_empty() && notices.iter().all(|notice| notice.state() != NoticeState::Pending)
    };
    eventually(ended).await;
    list(*client.lock().await, case).await.pop().unwrap()
}

fn at(house: &House, later: Duration) -> prost_types::Timestamp {
    let time = house.db("feedback").clock().now() + later;
    prost_types::Timestamp { seconds: time.as_second(), nanos: 0 }
}

pub(crate) fn called(house: &House, notice: &Notice) -> RecordNoticeRequest {
    RecordNoticeRequest {
        request_id: request_id(),
        notice_id: notice.notice_id.clone(),
        means: NoticeMeans::Telephone.into(),
        tell_time: Some(at(house, Duration::ZERO)),
        evidence: "recording 4711".into(),
    }
}

async fn record(client: &mut Client, request: RecordNoticeRequest) -> Result<Notice, Status> {
    Ok(client.record_notice(request).await?.into_inner().notice.unwrap())
}

fn again(notice: &Notice) -> ResendNoticeRequest {
    let reason = "they had not got it".to_owned();
    ResendNoticeRequest { request_id: request_id(), notice_id: notice.notice_id.clone(), reason }
}

async fn resend(client: &mut Client, request: ResendNoticeRequest) -> Result<Notice, Status> {
    Ok(client.resend_notice(request).await?.into_inner().notice.unwrap())
}

fn correction(case: &str, email: &str) -> CorrectContactRequest {
    CorrectContactRequest {
        request_id: request_id(),
        case_id: case.to_owned(),
        expected_version: None,
        email: email.to_owned(),
        display_name: None,
        phone: None,
        language: None,
        reason: "they called and spelt it".to_owned(),
    }
}

async fn correct(client: &mut Client, request: CorrectContactRequest) -> Result<Contact, Status> {
    Ok(client.correct_contact(request).await?.into_inner().contact.unwrap())
}

async fn contact(client: &mut Client, case: &str) -> Result<Contact, Status> {
    let request = GetContactRequest { case_id: case.to_owned() };
    Ok(client.get_contact(request).await?.into_inner().contact.unwrap())
}

async fn waiting_for_a_person(client: &mut Client) -> Vec<Notice> {
    let request = ListNoticesRequest { needs_person: true, ..ListNoticesRequest::default() };
    client.list_notices(request).await.unwrap().into_inner().notices
}

#[tokio::test]
async fn a_notice_without_an_address_waits_for_a_person_until_it_is_recorded() {
    let house = house().await;
    let notice = acknowledged(&house, "").await;
    let mut client = client(&house);
    assert_eq!(waiting_for_a_person(&mut client).await, std::slice::from_ref(&notice));
    house.advance(Duration::from_hours(2));
    let hour_ago = at(&house, Duration::ZERO).seconds - 3_600;
    let request = RecordNoticeRequest {
        tell_time: Some(prost_types::Timestamp { seconds: hour_ago, nanos: 0 }),
        ..called(&house, &notice)
    };
    let first = client.record_notice(request.clone()).await.unwrap();
    let second = client.record_notice(request.clone()).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&second));
    let told = first.into_inner().notice.unwrap();
    assert_eq!(second.into_inner().notice, Some(told.clone()));
    assert_eq!((told.state(), told.means()), (NoticeState::Delivered, NoticeMeans::Telephone));
    assert_eq!((told.evidence.as_str(), told.failure_reason.as_str()), ("recording 4711", ""));
    assert_eq!((told.tell_time, told.recorder.is_empty()), (request.tell_time, false));
    assert_eq!(waiting_for_a_person(&mut client).await, []);

    let told: Vec<NoticeSettled> = house.published("feedback").await;
    assert_eq!(told.len(), 2, "undelivered, then recorded");
    assert_eq!((told[1].state(), told[1].means()), (NoticeState::Delivered, NoticeMeans::Telephone));
    assert_eq!((told[1].tell_time, told[1].detail.as_str()), (request.tell_time, "recording 4711"));
    let again = record(&mut client, called(&house, &notice)).await;
    assert_eq!(refused(again), (Code::FailedPrecondition, "NOTICE_DELIVERED".into()));
    house.done().await;
}

#[tokio::test]
async fn a_record_that_is_wrong_is_told_all_that_is_wrong() {
    let house = house().await;
    let notice = acknowledged(&house, "").await;
    let mut client = client(&house);
    let ahead = at(&house, Duration::from_mins(1));
    let bad = RecordNoticeRequest {
        request_id: String::new(),
        notice_id: "7".into(),
        means: NoticeMeans::Email.into(),
        tell_time: Some(ahead),
        evidence: " ".into(),
    };
    let status = record(&mut client, bad).await.unwrap_err();
    assert_eq!(violations(&status), ["request_id", "notice_id", "means", "tell_time", "evidence"]);
    let early = prost_types::Timestamp { seconds: ahead.seconds - 3_600, nanos: 0 };
    let before = RecordNoticeRequest { tell_time: Some(early), ..called(&house, &notice) };
    let status = record(&mut client, before).await.unwrap_err();
    assert_eq!(violations(&status), ["tell_time"], "nobody was told of it before it was owed");
    let unknown = Notice { notice_id: case().to_string(), ..notice };
    let unknown = record(&mut client, called(&house, &unknown)).await;
    assert_eq!(refused(unknown), (Code::NotFound, "NOTICE_NOT_FOUND".into()));
    house.done().await;
}

#[tokio::test]
async fn a_notice_that_is_still_tried_is_recorded_and_tried_no_more() {
    let sink = Sink::open().await;
    sink.script("ada@example.org", &["451 4.3.0 try later"]);
    let house = mailing(&sink).await;
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    eventually(async || sink.asked() == 1).await;
    house.settled().await;
    let mut client = client(&house);
    let notice = list(&mut client, case).await.pop().unwrap();
    record(&mut client, called(&house, &notice)).await.unwrap();
    house.advance(Duration::from_hours(2));
    house.db("feedback").notifier().notify("notices");
    let other = acknowledged(&house, "bo@example.org").await;
    assert_eq!(other.state(), NoticeState::Delivered, "the worker has looked again");
    assert_eq!(sink.mails().len(), 1, "to bo alone");
    assert_eq!(list(&mut client, case).await[0].means(), NoticeMeans::Telephone);
    house.done().await;
}

#[tokio::test]
async fn a_wrong_address_is_corrected_and_the_notice_sent_again() {
    let sink = Sink::open().await;
    sink.script("wrong@example.org", &["550 5.1.1 no such user"]);
    let house = mailing(&sink).await;
    let notice = acknowledged(&house, "wrong@example.org").await;
    let mut client = client(&house);
    assert_eq!(waiting_for_a_person(&mut client).await.len(), 1);

    let request = correction(&notice.case_id, "right@example.org");
    let first = client.correct_contact(request.clone()).await.unwrap();
    let second = client.correct_contact(request).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&second));
    let corrected = first.into_inner().contact.unwrap();
    assert_eq!((corrected.email.as_str(), corrected.version), ("right@example.org", 2));
    assert_eq!((corrected.display_name.as_str(), corrected.language.as_str()), ("Ada", "en"));
    let before = &corrected.corrections[0];
    assert_eq!((before.previous_email.as_str(), before.version), ("wrong@example.org", 2));
    assert_eq!(before.reason, "they called and spelt it");
    assert_eq!(contact(&mut client, &notice.case_id).await.unwrap(), corrected);
    let told: Vec<ContactCorrected> = house.published("feedback").await;
    assert_eq!((told.len(), told[0].case_id.clone(), told[0].version), (1, notice.case_id.clone(), 2));

    // An import made it owed; from the moment a person has it sent again it is live.
    let mut owner = house.owner().await;
    sqlx::query("UPDATE feedback.notice SET lane = 2").execute(&mut owner).await.unwrap();
    let request = again(&notice);
    let pending = resend(&mut client, request.clone()).await.unwrap();
    assert_eq!((pending.state(), pending.recipient.as_str()), (NoticeState::Pending, "right@example.org"));
    let lane: i16 =
        sqlx::query_scalar("SELECT lane FROM feedback.notice").fetch_one(&mut owner).await.unwrap();
    assert_eq!(lane, Lane::Live.number());
    let sent = settled(&house, notice.case_id.parse().unwrap()).await;
    assert_eq!(resend(&mut client, request).await.unwrap(), pending, "asked twice, sent once");
    assert_eq!((sent.state(), sent.attempts), (NoticeState::Delivered, 1));
    assert_eq!((sent.subject, sent.body), (notice.subject.clone(), notice.body.clone()));
    let earlier = &sent.earlier_sendings[0];
    assert_eq!((earlier.number, earlier.recipient.as_str()), (1, "wrong@example.org"));
    assert_eq!(earlier.state(), NoticeState::Undelivered);
    assert_eq!(earlier.failure_reason, "550 5.1.1 no such user");
    let mails = sink.mails();
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, "right@example.org"));
    assert_eq!(mails[0].header("Message-ID"), format!("<{}.2@redress>", notice.notice_id));
    let states: Vec<NoticeState> =
        house.published::<NoticeSettled>("feedback").await.iter().map(NoticeSettled::state).collect();
    assert_eq!(states, [NoticeState::Undelivered, NoticeState::Delivered]);

    // What is owed later goes to the right address at once.
    let case: Uuid = notice.case_id.parse().unwrap();
    house.tell("cases", case, &resolved(case, 1)).await;
    eventually(async || sink.mails().len() == 2).await;
    assert_eq!(sink.mails()[1].to, "right@example.org");
    house.settled().await;
    house.done().await;
}

#[tokio::test]
async fn a_notice_is_sent_again_only_where_that_can_come_to_something() {
    let sink = Sink::open().await;
    sink.hold(true);
    let house = mailing(&sink).await;
    let mut client = client(&house);
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    eventually(async || sink.asked() == 1).await;
    let notice = list(&mut client, case).await.pop().unwrap();
    let refusal = refused(resend(&mut client, again(&notice)).await);
    assert_eq!(refusal, (Code::FailedPrecondition, "NOTICE_PENDING".into()));
    sink.hold(false);
    settled(&house, case).await;
    for (email, reason) in [
        ("", "NO_ADDRESS"),
        ("noreply@example.org", "AUTOMATIC_SENDER"),
        ("redress@example.org", "OWN_ADDRESS"),
    ] {
        correct(&mut client, correction(&notice.case_id, email)).await.unwrap();
        let refusal = refused(resend(&mut client, again(&notice)).await);
        assert_eq!(refusal, (Code::FailedPrecondition, reason.into()));
    }
    let empty = ResendNoticeRequest { request_id: String::new(), notice_id: "7".into(), reason: " ".into() };
    let status = resend(&mut client, empty).await.unwrap_err();
    assert_eq!(violations(&status), ["request_id", "notice_id", "reason"]);
    house.done().await;
}

#[tokio::test]
async fn a_mail_that_was_taken_after_its_notice_was_sent_again_does_not_settle_the_other() {
    let sink = Sink::open().await;
    sink.hold(true);
    let house = mailing(&sink).await;
    let mut client = client(&house);
    let case = case();
    house.tell("intake", case, &registered(case, "wrong@example.org")).await;
    eventually(async || sink.asked() == 1).await;
    let notice = list(&mut client, case).await.pop().unwrap();
    correct(&mut client, correction(&notice.case_id, "right@example.org")).await.unwrap();
    sink.script("right@example.org", &["550 5.1.1 no such user"]);
    resend(&mut client, again(&notice)).await.unwrap();
    eventually(async || sink.asked() == 2).await;
    sink.hold(false);
    let ended = settled(&house, case).await;
    assert_eq!((ended.state(), ended.recipient.as_str()), (NoticeState::Undelivered, "right@example.org"));
    assert_eq!(ended.earlier_sendings[0].state(), NoticeState::Pending, "nobody knew yet");
    house.done().await;
}

#[tokio::test]
async fn a_contact_is_corrected_by_who_has_seen_it_and_no_other() {
    let house = house().await;
    let notice = acknowledged(&house, "ada@example.org").await;
    let mut client = client(&house);
    let seen = contact(&mut client, &notice.case_id).await.unwrap();
    assert_eq!((seen.version, seen.email.as_str(), seen.corrections.len()), (1, "ada@example.org", 0));
    let expecting = |email: &str| CorrectContactRequest {
        expected_version: Some(1),
        display_name: Some("Ada L.".into()),
        language: Some("zh-CN".into()),
        ..correction(&notice.case_id, email)
    };
    let corrected = correct(&mut client, expecting("a@example.org")).await.unwrap();
    assert_eq!((corrected.display_name.as_str(), corrected.language.as_str()), ("Ada L.", "zh-CN"));
    let phone = Some("+86 138 0013 8000".to_owned());
    let reached = CorrectContactRequest { phone, ..correction(&notice.case_id, "a@example.org") };
    let reached = correct(&mut client, reached).await.unwrap();
    assert_eq!((reached.phone.as_str(), reached.version), ("+86 138 0013 8000", 3));
    let kept = correct(&mut client, correction(&notice.case_id, "a@example.org")).await.unwrap();
    assert_eq!(
        (kept.phone, kept.corrections[2].previous_phone.as_str()),
        (reached.phone, "+86 138 0013 8000")
    );
    assert_eq!(kept.corrections[1].previous_phone, "");
    let stale = correct(&mut client, expecting("b@example.org")).await;
    assert_eq!(refused(stale), (Code::Aborted, "VERSION_MISMATCH".into()));
    let unknown = correct(&mut client, correction(&case().to_string(), "b@example.org")).await;
    assert_eq!(refused(unknown), (Code::NotFound, "CONTACT_NOT_FOUND".into()));
    let bad = CorrectContactRequest {
        request_id: String::new(),
        language: Some(" ".into()),
        reason: String::new(),
        display_name: Some("x".repeat(201)),
        phone: Some("1".repeat(41)),
        ..correction("7", "nobody")
    };
    let status = correct(&mut client, bad).await.unwrap_err();
    assert_eq!(
        violations(&status),
        ["request_id", "case_id", "email", "phone", "display_name", "language", "reason"]
    );
    house.done().await;
}

#[tokio::test]
async fn nobody_need_see_to_what_is_owed_to_nobody() {
    let house = house().await;
    let mut client = client(&house);
    let nobody = case();
    let mut anonymous = registered(nobody, "");
    anonymous.complaint.as_mut().unwrap().complainant = None;
    house.tell("intake", nobody, &anonymous).await;
    let declined = acknowledged(&house, "mailer-daemon@example.org").await;
    // Ids are in the order of time, to the millisecond.
    house.advance(Duration::from_secs(1));
    let open = acknowledged(&house, "").await;
    let waiting = waiting_for_a_person(&mut client).await;
    assert_eq!(waiting, [open.clone(), declined.clone()], "newest first; nobody is not among them");
    let event = CaseDeclined { case_id: declined.case_id.clone(), cycle: 1, referral: String::new() };
    house.tell("cases", declined.case_id.parse().unwrap(), &event).await;
    house.settled().await;
    assert_eq!(waiting_for_a_person(&mut client).await, [open]);
    assert_eq!(declined.kind(), NoticeKind::Acknowledgement);
    house.done().await;
}

#[tokio::test]
async fn another_tenants_notices_and_contacts_do_not_exist() {
    let house = House::builder(&[feedback::SERVICE]).clock(MockClock::default()).identified().open().await;
    let case = case();
    house.tell_as("tenant-a", "intake", case, &registered(case, "")).await;
    house.settled().await;
    let mut owner = Client::new(house.channel_as("tenant-a", "alice", &["agent"]));
    let mut other = Client::new(house.channel_as("tenant-b", "bob", &["agent"]));
    let notice = list(&mut owner, case).await.pop().unwrap();
    assert_eq!(refused(record(&mut other, called(&house, &notice)).await).1, "NOTICE_NOT_FOUND");
    assert_eq!(refused(resend(&mut other, again(&notice)).await).1, "NOTICE_NOT_FOUND");
    let request = correction(&notice.case_id, "b@example.org");
    assert_eq!(refused(correct(&mut other, request).await).1, "CONTACT_NOT_FOUND");
    assert_eq!(refused(contact(&mut other, &notice.case_id).await).1, "CONTACT_NOT_FOUND");
    let told = record(&mut owner, called(&house, &notice)).await.unwrap();
    assert_eq!(told.recorder, "alice");
    house.done().await;
}
