//! News of cases that stay open.

use std::time::Duration;

use proto::redress::assignment::v1::CaseAccepted;
use proto::redress::cases::v1::{
    CaseDecided, CaseMerged, CaseOpened, CaseUnmerged, CaseWithdrawn, HoldingReplySent,
};
use proto::redress::feedback::v1::notice_routing_service_client::NoticeRoutingServiceClient;
use proto::redress::feedback::v1::{
    ActivateNoticeRoutingRequest, CreateNoticeRoutingRequest, GetNoticeRoutingRequest, ListNoticesRequest,
    Notice, NoticeKind, NoticeRouting, NoticeSettled, NoticeState,
};
use testkit::{House, eventually, request_id, violations};
use uuid::Uuid;

use crate::records::mailing;
use crate::sink::Sink;
use crate::{case, client, notices_of, registered, reopened, resolved};

const DAY: u64 = 24;
/// How long it takes until there is news, as shipped.
const FORTNIGHT: u64 = 14 * DAY;

fn opened(case: Uuid) -> CaseOpened {
    CaseOpened { case_id: case.to_string(), cycle: 1, ..CaseOpened::default() }
}

fn accepted(case: Uuid, cycle: i32) -> CaseAccepted {
    CaseAccepted { case_id: case.to_string(), cycle, ..CaseAccepted::default() }
}

/// An open case whose acknowledgement was delivered.
async fn open(house: &House, address: &str) -> Uuid {
    let case = case();
    house.tell("intake", case, &registered(case, address)).await;
    house.tell("cases", case, &opened(case)).await;
    eventually(async || {
        let notices = notices_of(house, case).await;
        !notices.is_empty() && notices.iter().all(|notice| notice.state() != NoticeState::Pending)
    })
    .await;
    house.settled().await;
    case
}

/// News of a case, the earliest first.
async fn news(house: &House, case: Uuid) -> Vec<Notice> {
    let mut notices = notices_of(house, case).await;
    notices.retain(|notice| notice.kind() == NoticeKind::Progress);
    notices.sort_by_key(|notice| notice.create_time.map(|time| time.seconds));
    notices
}

/// Lets time pass and has it looked for those who have heard nothing.
fn pass(house: &House, hours: u64) {
    house.advance(Duration::from_hours(hours));
    house.db("feedback").notifier().notify("progress");
    house.db("feedback").notifier().notify("notices");
}

/// Waits until so many news of a case have come to their end.
async fn ended(house: &House, case: Uuid, count: usize) -> Vec<Notice> {
    eventually(async || {
        let news = news(house, case).await;
        news.len() == count && news.iter().all(|notice| notice.state() != NoticeState::Pending)
    })
    .await;
    news(house, case).await
}

/// Lets time pass, after which another case, that is due, has news, and this one has no more than
/// before. Those of the other are counted first: they may be there as soon as the time has passed.
async fn pass_without_news(house: &House, hours: u64, due: Uuid, case: Uuid, before: usize) {
    let count = news(house, due).await.len();
    pass(house, hours);
    eventually(async || {
        house.db("feedback").notifier().notify("progress");
        news(house, due).await.len() > count
    })
    .await;
    assert_eq!(news(house, case).await.len(), before);
}

#[tokio::test]
async fn whoever_hears_nothing_of_an_open_case_has_news_of_it_until_it_is_resolved() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = open(&house, "ada@example.org").await;
    pass(&house, FORTNIGHT);
    let [first] = ended(&house, case, 1).await.try_into().unwrap();
    assert_eq!((first.state(), first.cycle, first.attempts), (NoticeState::Delivered, 1, 1));
    assert!(first.body.contains("How far it is: it waits to be taken up.\n"), "{}", first.body);
    assert!(first.body.contains("and within 14 days in any case"), "{}", first.body);
    house.tell("assignment", case, &accepted(case, 1)).await;
    house.settled().await;
    pass(&house, FORTNIGHT);
    let second = ended(&house, case, 2).await.pop().unwrap();
    assert!(second.body.contains("How far it is: it is being looked into.\n"), "{}", second.body);
    let decided = CaseDecided { case_id: case.to_string(), cycle: 1, ..CaseDecided::default() };
    house.tell("cases", case, &decided).await;
    house.settled().await;
    pass(&house, FORTNIGHT);
    let third = ended(&house, case, 3).await.pop().unwrap();
    assert!(third.body.contains("what it demands is being carried out"), "{}", third.body);
    let is_news = |mail: &&crate::sink::Mail| mail.header("Subject") == third.subject;
    assert_eq!(sink.mails().iter().filter(is_news).count(), 3, "each was sent once");

    let other = open(&house, "bob@example.org").await;
    house.tell("cases", case, &resolved(case, 1)).await;
    house.settled().await;
    pass_without_news(&house, FORTNIGHT, other, case, 3).await;
    // What is heard late of the cycle before does not wake it.
    house.tell("assignment", case, &accepted(case, 1)).await;
    house.settled().await;
    pass_without_news(&house, FORTNIGHT, other, case, 3).await;
    house.tell("cases", case, &reopened(case, 2)).await;
    house.settled().await;
    pass(&house, FORTNIGHT);
    let anew = ended(&house, case, 4).await.pop().unwrap();
    assert_eq!((anew.state(), anew.cycle), (NoticeState::Delivered, 2));
    assert!(anew.body.contains("it waits to be taken up"), "{}", anew.body);
    house.done().await;
}

#[tokio::test]
async fn word_of_something_else_puts_news_off() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = open(&house, "ada@example.org").await;
    let other = open(&house, "bob@example.org").await;
    house.advance(Duration::from_hours(10 * DAY));
    let held = HoldingReplySent {
        case_id: case.to_string(),
        cycle: 1,
        ordinal: 4,
        text: "The carrier looks for it.".into(),
        reason: "It was sent twice.".into(),
        ..HoldingReplySent::default()
    };
    house.tell("cases", case, &held).await;
    house.settled().await;
    pass_without_news(&house, 4 * DAY, other, case, 0).await;
    // What is told once more is no news.
    house.tell("cases", case, &held).await;
    house.settled().await;
    pass(&house, 10 * DAY);
    ended(&house, case, 1).await;
    house.done().await;
}

#[tokio::test]
async fn there_is_no_news_of_what_nobody_works_on() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let (merged, withdrawn) = (open(&house, "ada@example.org").await, open(&house, "eve@example.org").await);
    let other = open(&house, "bob@example.org").await;
    let merge = CaseMerged { case_id: merged.to_string(), cycle: 1, ..CaseMerged::default() };
    house.tell("cases", merged, &merge).await;
    let withdraw = CaseWithdrawn { case_id: withdrawn.to_string(), cycle: 1, ..CaseWithdrawn::default() };
    house.tell("cases", withdrawn, &withdraw).await;
    house.settled().await;
    pass_without_news(&house, FORTNIGHT, other, merged, 0).await;
    assert_eq!(news(&house, withdrawn).await, []);
    let unmerge = CaseUnmerged { case_id: merged.to_string(), cycle: 1, ..CaseUnmerged::default() };
    house.tell("cases", merged, &unmerge).await;
    house.settled().await;
    pass(&house, FORTNIGHT);
    let news = ended(&house, merged, 1).await;
    assert!(news[0].body.contains("it is being looked into"), "{}", news[0].body);
    house.done().await;
}

#[tokio::test]
async fn news_that_could_not_be_sent_in_time_are_not_sent_of_what_has_moved_on() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = open(&house, "ada@example.org").await;
    sink.script("ada@example.org", &["450 4.2.0 later"]);
    pass(&house, FORTNIGHT);
    eventually(async || news(&house, case).await.first().is_some_and(|one| one.attempts == 1)).await;
    assert_eq!(news(&house, case).await[0].state(), NoticeState::Pending);
    house.tell("cases", case, &resolved(case, 1)).await;
    house.settled().await;
    pass(&house, 2);
    let [given_up] = ended(&house, case, 1).await.try_into().unwrap();
    let state = (given_up.state(), given_up.failure_reason.as_str());
    assert_eq!(state, (NoticeState::Undelivered, "CASE_MOVED_ON"));
    assert!(!sink.mails().iter().any(|mail| mail.header("Subject") == given_up.subject));
    let waiting = ListNoticesRequest { needs_person: true, ..ListNoticesRequest::default() };
    assert_eq!(client(&house).list_notices(waiting).await.unwrap().into_inner().notices, []);
    house.settled().await;
    let settled: Vec<NoticeSettled> = house.published("feedback").await;
    assert!(settled.iter().all(|told| told.kind() != NoticeKind::Progress), "nobody is told");
    house.done().await;
}

#[tokio::test]
async fn whom_no_means_reaches_has_no_news_and_nobody_need_see_to_it() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let nobody = open(&house, "").await;
    let other = open(&house, "bob@example.org").await;
    pass_without_news(&house, FORTNIGHT, other, nobody, 0).await;
    house.done().await;
}

#[tokio::test]
async fn an_organisation_may_tell_news_more_often_or_never() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let mut routings = NoticeRoutingServiceClient::new(house.channel());
    let shipped = routings.get_notice_routing(GetNoticeRoutingRequest::default()).await.unwrap();
    let shipped = shipped.into_inner().notice_routing.unwrap();
    assert_eq!(shipped.progress_days, Some(14));
    let made = |days: i32| CreateNoticeRoutingRequest {
        request_id: request_id(),
        notice_routing: Some(NoticeRouting { progress_days: Some(days), ..shipped.clone() }),
    };
    for days in [-1, 91] {
        let status = routings.create_notice_routing(made(days)).await.unwrap_err();
        assert_eq!(violations(&status), ["notice_routing.progress_days"]);
    }
    let case = open(&house, "ada@example.org").await;
    for (version, days, count) in [(1, 0, 0), (2, 3, 1)] {
        routings.create_notice_routing(made(days)).await.unwrap();
        let put = ActivateNoticeRoutingRequest { request_id: request_id(), version };
        routings.activate_notice_routing(put).await.unwrap();
        pass(&house, 40 * DAY);
        tokio::time::sleep(Duration::from_millis(300)).await;
        ended(&house, case, count).await;
    }
    pass(&house, 3 * DAY - 1);
    let later = open(&house, "bob@example.org").await;
    pass(&house, 1);
    ended(&house, case, 2).await;
    assert_eq!(news(&house, later).await, []);
    house.done().await;
}

#[tokio::test]
async fn two_replicas_tell_each_news_once() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let replica = house.replica(&[feedback::SERVICE]).await;
    let mut cases = Vec::new();
    for number in 0..60 {
        let case = case();
        house.tell("intake", case, &registered(case, &format!("c{number}@example.org"))).await;
        house.tell("cases", case, &opened(case)).await;
        cases.push(case);
    }
    house.settled().await;
    pass(&house, FORTNIGHT);
    let filter = ListNoticesRequest { page_size: 500, ..ListNoticesRequest::default() };
    eventually(async || {
        house.db("feedback").notifier().notify("progress");
        let listed = client(&house).list_notices(filter.clone()).await.unwrap().into_inner().notices;
        listed.iter().filter(|notice| notice.kind() == NoticeKind::Progress).count() >= cases.len()
    })
    .await;
    for case in &cases {
        assert_eq!(news(&house, *case).await.len(), 1);
    }
    replica.done().await;
    house.done().await;
}
