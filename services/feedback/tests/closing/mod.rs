//! Word that the time to answer an outcome ends.

use std::time::Duration;

use kernel::Clock as _;
use proto::redress::cases::v1::CaseResolved;
use proto::redress::feedback::v1::notice_routing_service_client::NoticeRoutingServiceClient;
use proto::redress::feedback::v1::{
    ActivateNoticeRoutingRequest, CreateNoticeRoutingRequest, GetNoticeRoutingRequest, ListNoticesRequest,
    Notice, NoticeKind, NoticeRouting, NoticeSettled, NoticeState, RespondToOutcomeRequest, Response,
};
use testkit::{House, MockClock, eventually, request_id, violations};
use uuid::Uuid;

use crate::records::mailing;
use crate::sink::Sink;
use crate::{case, client, notices_of, registered, resolved};

const DAY: u64 = 24;

/// The outcome of a case, to be answered within five days of the mock clock's beginning.
fn outcome(case: Uuid, correction: i32) -> CaseResolved {
    let until = MockClock::default().now() + Duration::from_hours(5 * DAY);
    let until = prost_types::Timestamp { seconds: until.as_second(), nanos: 0 };
    CaseResolved { respond_until_time: Some(until), correction, ..resolved(case, 1) }
}

/// A case whose outcome was delivered.
async fn told(house: &House) -> Uuid {
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    house.tell("cases", case, &outcome(case, 0)).await;
    told_of(house, case, 1).await;
    case
}

/// Waits until so many outcomes of a case were delivered.
async fn told_of(house: &House, case: Uuid, count: usize) {
    eventually(async || {
        let notices = notices_of(house, case).await;
        let is_told =
            |one: &&Notice| one.kind() == NoticeKind::Outcome && one.state() == NoticeState::Delivered;
        notices.iter().filter(is_told).count() == count
    })
    .await;
}

/// Word that the time ends, of a case; the earliest first.
async fn closing(house: &House, case: Uuid) -> Vec<Notice> {
    let mut notices = notices_of(house, case).await;
    notices.retain(|notice| notice.kind() == NoticeKind::ClosingSoon);
    notices.reverse();
    notices
}

fn pass(house: &House, hours: u64) {
    house.advance(Duration::from_hours(hours));
    house.db("feedback").notifier().notify("notices");
}

fn has_ended(notice: &Notice) -> bool {
    notice.state() != NoticeState::Pending
}

/// Waits until the first word of a case has come to its end.
async fn ended(house: &House, case: Uuid) -> Notice {
    eventually(async || closing(house, case).await.first().is_some_and(has_ended)).await;
    closing(house, case).await.remove(0)
}

#[tokio::test]
async fn who_has_not_answered_is_told_once_two_days_before_the_end() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = told(&house).await;
    let [owed] = closing(&house, case).await.try_into().unwrap();
    let days = Duration::from_hours(3 * DAY);
    let due = MockClock::default().now() + days;
    assert_eq!(owed.next_attempt_time.map(|time| time.seconds), Some(due.as_second()));
    // The outcome is told once more, word of its end is not.
    house.tell("cases", case, &outcome(case, 0)).await;
    pass(&house, 3 * DAY - 1);
    house.settled().await;
    assert_eq!(closing(&house, case).await[0].state(), NoticeState::Pending);
    pass(&house, 1);
    let notice = ended(&house, case).await;
    assert_eq!((notice.state(), notice.attempts), (NoticeState::Delivered, 1));
    assert_eq!(closing(&house, case).await.len(), 1);
    let is_word = |mail: &&crate::sink::Mail| mail.header("Subject") == notice.subject;
    let mails = sink.mails();
    let sent: Vec<_> = mails.iter().filter(is_word).collect();
    assert_eq!(sent.len(), 1);
    assert!(notice.body.contains("You can do so until"), "{}", notice.body);
    house.done().await;
}

#[tokio::test]
async fn whoever_has_answered_is_not_told_and_nobody_need_see_to_it() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = told(&house).await;
    let answer = RespondToOutcomeRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        response: Response::Accepted.into(),
        ..RespondToOutcomeRequest::default()
    };
    client(&house).respond_to_outcome(answer).await.unwrap();
    pass(&house, 3 * DAY);
    let notice = ended(&house, case).await;
    assert_eq!((notice.state(), notice.failure_reason.as_str()), (NoticeState::Undelivered, "CYCLE_ENDED"));
    assert!(!sink.mails().iter().any(|mail| mail.header("Subject") == notice.subject));
    let waiting = ListNoticesRequest { needs_person: true, ..ListNoticesRequest::default() };
    let waiting = client(&house).list_notices(waiting).await.unwrap().into_inner().notices;
    assert_eq!(waiting, []);
    house.settled().await;
    let settled: Vec<NoticeSettled> = house.published("feedback").await;
    assert!(settled.iter().all(|told| told.kind() != NoticeKind::ClosingSoon), "nobody is told");
    house.done().await;
}

#[tokio::test]
async fn a_corrected_outcome_has_word_of_its_own() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = told(&house).await;
    house.tell("cases", case, &outcome(case, 1)).await;
    told_of(&house, case, 2).await;
    assert_eq!(closing(&house, case).await.len(), 2);
    pass(&house, 3 * DAY);
    eventually(async || closing(&house, case).await.iter().all(has_ended)).await;
    let mut states: Vec<_> =
        closing(&house, case).await.iter().map(|one| (one.state(), one.failure_reason.clone())).collect();
    states.sort();
    let given_up = (NoticeState::Undelivered, "CYCLE_ENDED".to_owned());
    assert_eq!(states, [(NoticeState::Delivered, String::new()), given_up]);
    house.done().await;
}

#[tokio::test]
async fn an_organisation_may_tell_earlier_or_never() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let mut routings = NoticeRoutingServiceClient::new(house.channel());
    let shipped = routings.get_notice_routing(GetNoticeRoutingRequest::default()).await.unwrap();
    let shipped = shipped.into_inner().notice_routing.unwrap();
    assert_eq!(shipped.closing_soon_days, Some(2));
    let made = |days: i32| CreateNoticeRoutingRequest {
        request_id: request_id(),
        notice_routing: Some(NoticeRouting { closing_soon_days: Some(days), ..shipped.clone() }),
    };
    for days in [-1, 31] {
        let status = routings.create_notice_routing(made(days)).await.unwrap_err();
        assert_eq!(violations(&status), ["notice_routing.closing_soon_days"]);
    }
    for (version, days, words) in [(1, 4, 1), (2, 0, 0), (3, 6, 0)] {
        routings.create_notice_routing(made(days)).await.unwrap();
        let put = ActivateNoticeRoutingRequest { request_id: request_id(), version };
        routings.activate_notice_routing(put).await.unwrap();
        let case = told(&house).await;
        assert_eq!(closing(&house, case).await.len(), words, "{days} days before");
    }
    house.done().await;
}
