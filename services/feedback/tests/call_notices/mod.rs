//! What complainants are told in writing about calls: that they will be called, and that
//! they were called and not reached.

use std::time::Duration;

use proto::redress::cases::v1::{CaseOpened, CaseWithdrawn, Priority};
use proto::redress::feedback::v1::call_back_service_client::CallBackServiceClient;
use proto::redress::feedback::v1::notice_routing_service_client::NoticeRoutingServiceClient;
use proto::redress::feedback::v1::template_service_client::TemplateServiceClient;
use proto::redress::feedback::v1::{
    ActivateCallBackPolicyRequest, ActivateNoticeRoutingRequest, CallBack, CallBackOutcome,
    CreateCallBackPolicyRequest, CreateNoticeRoutingRequest, GetCallBackPolicyRequest,
    GetNoticeRoutingRequest, ListCallBacksRequest, ListNoticesRequest, Notice, NoticeKind, NoticeMeans,
    NoticeRoutingRule, NoticeState, QuietHours, RecordCallBackAttemptRequest, RequestCallBackRequest,
    SetQuietHoursRequest,
};
use testkit::{CallerChannel, House, eventually, request_id};
use uuid::Uuid;

use crate::records::mailing;
use crate::sink::Sink;
use crate::{case, client, notices_of, registered};

const HOUR: i64 = 3_600;

fn call_backs(house: &House) -> CallBackServiceClient<CallerChannel> {
    CallBackServiceClient::new(house.channel())
}

fn now(house: &House) -> i64 {
    house.db("feedback").clock().now().as_second()
}

/// A case whose complainant can be written to and called.
async fn reachable(house: &House, language: &str) -> Uuid {
    let case = case();
    let mut event = registered(case, "ada@example.org");
    let complaint = event.complaint.as_mut().unwrap();
    complaint.complainant.as_mut().unwrap().phone = "+86 138 0013 8000".into();
    complaint.language = language.into();
    house.tell("intake", case, &event).await;
    let opened = CaseOpened {
        case_id: case.to_string(),
        cycle: 1,
        priority: Priority::P3.into(),
        time_zone: "Asia/Shanghai".into(),
        ..CaseOpened::default()
    };
    house.tell("cases", case, &opened).await;
    house.settled().await;
    case
}

async fn ask(house: &House, case: Uuid, window: Option<(i64, i64)>) -> CallBack {
    let time = |seconds| prost_types::Timestamp { seconds, nanos: 0 };
    let request = RequestCallBackRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        prefer_start_time: window.map(|(start, _)| time(start)),
        prefer_end_time: window.map(|(_, end)| time(end)),
        ..RequestCallBackRequest::default()
    };
    call_backs(house).request_call_back(request).await.unwrap().into_inner().call_back.unwrap()
}

async fn attempt(house: &House, call_back: &CallBack, outcome: CallBackOutcome) -> CallBack {
    let request = RecordCallBackAttemptRequest {
        request_id: request_id(),
        call_back_id: call_back.call_back_id.clone(),
        outcome: outcome.into(),
        ..RecordCallBackAttemptRequest::default()
    };
    let answer = call_backs(house).record_call_back_attempt(request).await.unwrap();
    answer.into_inner().call_back.unwrap()
}

/// The notices of a kind, oldest first.
async fn of_kind(house: &House, case: Uuid, kind: NoticeKind) -> Vec<Notice> {
    let mut notices = notices_of(house, case).await;
    notices.retain(|notice| notice.kind() == kind);
    notices.sort_by(|one, other| one.notice_id.cmp(&other.notice_id));
    notices
}

/// Waits until so many notices of a kind were delivered.
async fn delivered(house: &House, case: Uuid, kind: NoticeKind, count: usize) -> Vec<Notice> {
    let is_delivered = |notice: &Notice| notice.state() == NoticeState::Delivered;
    eventually(async || {
        let all = of_kind(house, case, kind).await;
        all.len() == count && all.iter().all(is_delivered)
    })
    .await;
    of_kind(house, case, kind).await
}

#[tokio::test]
async fn who_will_be_called_is_told_between_when_and_when_each_promise_once() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = reachable(&house, "en").await;
    ask(&house, case, None).await;
    let told = delivered(&house, case, NoticeKind::CallBackPlanned, 1).await;
    assert!(told[0].body.contains("We will call you about your complaint by "), "{}", told[0].body);
    // The mock clock begins on Monday the 23rd, 17:00 in Shanghai.
    let tomorrow = now(&house) + 16 * HOUR;
    let window = Some((tomorrow + HOUR, tomorrow + 3 * HOUR));
    for _ in 0..2 {
        ask(&house, case, window).await;
    }
    let told = delivered(&house, case, NoticeKind::CallBackPlanned, 2).await;
    let said = "between 24 November 2026, 10:00 (Beijing time) and 24 November 2026, 12:00 (Beijing time).";
    // Of one moment: in no order.
    assert_eq!(told.iter().filter(|notice| notice.body.contains(said)).count(), 1, "{told:#?}");
    let chinese = reachable(&house, "zh-CN").await;
    ask(&house, chinese, window).await;
    let told = delivered(&house, chinese, NoticeKind::CallBackPlanned, 1).await;
    let said =
        "我们将在2026年11月24日 10:00（北京时间）至2026年11月24日 12:00（北京时间）之间就您的投诉致电回访。";
    assert!(told[0].body.contains(said), "{}", told[0].body);
    house.done().await;
}

#[tokio::test]
async fn who_was_not_reached_is_told_each_time_and_at_last_what_they_can_do() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = reachable(&house, "en").await;
    let due = ask(&house, case, None).await;
    for count in 1..=3 {
        attempt(&house, &due, CallBackOutcome::NotReached).await;
        let told = delivered(&house, case, NoticeKind::CallBackMissed, count).await;
        let body = &told[count - 1].body;
        assert!(body.contains("did not reach you"), "{body}");
        assert_eq!(body.contains("We will call again by "), count < 3, "{body}");
        assert_eq!(body.contains("We will not call again by ourselves."), count == 3, "{body}");
        assert!(body.contains("you can name a time and a number"), "{body}");
        house.advance(Duration::from_hours(24));
    }
    house.done().await;
}

#[tokio::test]
async fn what_is_not_so_any_more_is_not_sent_and_nobody_need_see_to_it() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let hours = QuietHours { start: "16:00".into(), end: "20:00".into(), time_zone: "Asia/Shanghai".into() };
    let request =
        SetQuietHoursRequest { request_id: request_id(), quiet_hours: Some(hours), note: String::new() };
    TemplateServiceClient::new(house.channel()).set_quiet_hours(request).await.unwrap();
    let (reached, withdrawn) = (reachable(&house, "en").await, reachable(&house, "en").await);
    let due = ask(&house, reached, None).await;
    attempt(&house, &due, CallBackOutcome::NotReached).await;
    attempt(&house, &due, CallBackOutcome::Reached).await;
    ask(&house, withdrawn, None).await;
    let over = CaseWithdrawn { case_id: withdrawn.to_string(), cycle: 1, ..CaseWithdrawn::default() };
    house.tell("cases", withdrawn, &over).await;
    house.settled().await;
    for (case, kind) in [
        (reached, NoticeKind::CallBackPlanned),
        (reached, NoticeKind::CallBackMissed),
        (withdrawn, NoticeKind::CallBackPlanned),
    ] {
        let [held] = of_kind(&house, case, kind).await.try_into().unwrap();
        assert_eq!(held.state(), NoticeState::Pending, "it is quiet: {kind:?}");
    }
    house.advance(Duration::from_hours(3));
    house.db("feedback").notifier().notify("notices");
    for (case, kind) in [
        (reached, NoticeKind::CallBackPlanned),
        (reached, NoticeKind::CallBackMissed),
        (withdrawn, NoticeKind::CallBackPlanned),
    ] {
        eventually(async || of_kind(&house, case, kind).await[0].state() == NoticeState::Undelivered).await;
        let [ended] = of_kind(&house, case, kind).await.try_into().unwrap();
        assert_eq!(ended.failure_reason, "CALL_BACK_ENDED", "{kind:?}");
    }
    let request = ListNoticesRequest { needs_person: true, ..ListNoticesRequest::default() };
    let waiting = client(&house).list_notices(request).await.unwrap().into_inner().notices;
    assert_eq!(waiting, []);
    house.done().await;
}

#[tokio::test]
async fn a_policy_announces_no_calls_and_nobody_without_a_number_is_told_of_one() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let mut call_backs = call_backs(&house);
    let shipped = call_backs.get_call_back_policy(GetCallBackPolicyRequest::default()).await.unwrap();
    let mut policy = shipped.into_inner().policy.unwrap();
    assert!(policy.announced);
    policy.announced = false;
    let request = CreateCallBackPolicyRequest { request_id: request_id(), policy: Some(policy) };
    let made = call_backs.create_call_back_policy(request).await.unwrap().into_inner().policy.unwrap();
    let request = ActivateCallBackPolicyRequest { request_id: request_id(), version: made.version };
    call_backs.activate_call_back_policy(request).await.unwrap();
    let case = reachable(&house, "en").await;
    let due = ask(&house, case, None).await;
    attempt(&house, &due, CallBackOutcome::NotReached).await;
    for kind in [NoticeKind::CallBackPlanned, NoticeKind::CallBackMissed] {
        assert_eq!(of_kind(&house, case, kind).await, [], "{kind:?}");
    }
    let request = ListCallBacksRequest { case_id: case.to_string(), ..ListCallBacksRequest::default() };
    assert_eq!(call_backs.list_call_backs(request).await.unwrap().into_inner().call_backs.len(), 1);
    house.done().await;
}

#[tokio::test]
async fn word_of_calls_goes_by_the_means_that_its_kind_is_routed_by() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let mut routings = NoticeRoutingServiceClient::new(house.channel());
    let shipped = routings.get_notice_routing(GetNoticeRoutingRequest::default()).await.unwrap();
    let mut routing = shipped.into_inner().notice_routing.unwrap();
    let kinds = vec![NoticeKind::CallBackPlanned.into()];
    routing
        .rules
        .insert(0, NoticeRoutingRule { kinds, channels: Vec::new(), means: vec![NoticeMeans::Sms.into()] });
    let request = CreateNoticeRoutingRequest { request_id: request_id(), notice_routing: Some(routing) };
    let made = routings.create_notice_routing(request).await.unwrap().into_inner().notice_routing.unwrap();
    let request = ActivateNoticeRoutingRequest { request_id: request_id(), version: made.version };
    routings.activate_notice_routing(request).await.unwrap();
    let case = reachable(&house, "en").await;
    let due = ask(&house, case, None).await;
    attempt(&house, &due, CallBackOutcome::NotReached).await;
    delivered(&house, case, NoticeKind::CallBackMissed, 1).await;
    let planned = of_kind(&house, case, NoticeKind::CallBackPlanned).await;
    assert_eq!(planned, [], "no text messages are configured: who cannot be told is called all the same");
    house.done().await;
}
