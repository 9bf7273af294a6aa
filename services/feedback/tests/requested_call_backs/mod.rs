//! Call-backs that complainants ask for: by a call nobody took, and by any channel later.

use std::time::Duration;

use proto::redress::cases::v1::{CaseDeclined, CaseMerged, CaseOpened, CaseWithdrawn, Priority};
use proto::redress::feedback::v1::call_back_service_client::CallBackServiceClient;
use proto::redress::feedback::v1::{
    CallBack, CallBackCause, CallBackOpened, CallBackOutcome, CallBackPhone, CallBackState,
    CountCallBacksRequest, ListCallBacksRequest, RecordCallBackAttemptRequest, RequestCallBackRequest,
};
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{Channel, ComplaintRegistered, PhoneDetail};
use testkit::{CallerChannel, House, consistency_token, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::records::called;
use crate::{case, client, house, list, refused, registered, reopened, resolved};

const HOUR: i64 = 3_600;

type CallBacks = CallBackServiceClient<CallerChannel>;

fn call_backs(house: &House) -> CallBacks {
    CallBacks::new(house.channel())
}

fn now(house: &House) -> i64 {
    house.db("feedback").clock().now().as_second()
}

#[expect(clippy::unnecessary_wraps, reason = "as requests have times")]
fn time(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

async fn listed(house: &House, case: Uuid) -> Vec<CallBack> {
    let request = ListCallBacksRequest { case_id: case.to_string(), ..ListCallBacksRequest::default() };
    call_backs(house).list_call_backs(request).await.unwrap().into_inner().call_backs
}

fn causes(call_back: &CallBack) -> Vec<CallBackCause> {
    call_back.causes().collect()
}

/// A call nobody took, by a number of an intermediary that leads to them for so many seconds.
fn missed(house: &House, case: Uuid, masked_for: Option<i64>) -> ComplaintRegistered {
    let mut event = registered(case, "");
    let complaint = event.complaint.as_mut().unwrap();
    complaint.complainant.as_mut().unwrap().phone = "+86 138".into();
    complaint.channel = Channel::Phone.into();
    let phone = PhoneDetail {
        missed_call: true,
        call_back_requested: true,
        masked_number: masked_for.map(|_| "170 0001".to_owned()).unwrap_or_default(),
        masked_number_expire_time: masked_for.and_then(|seconds| time(now(house) + seconds)),
        ..PhoneDetail::default()
    };
    complaint.channel_detail = Some(ChannelDetail::Phone(phone));
    event
}

fn opened(case: Uuid, call_back_requested: bool) -> CaseOpened {
    CaseOpened {
        case_id: case.to_string(),
        cycle: 1,
        priority: Priority::P4.into(),
        time_zone: "Asia/Shanghai".into(),
        call_back_requested,
        ..CaseOpened::default()
    }
}

/// The case of a call nobody took.
async fn missed_case(house: &House) -> Uuid {
    let case = case();
    house.tell("intake", case, &missed(house, case, None)).await;
    house.tell("cases", case, &opened(case, true)).await;
    house.settled().await;
    case
}

/// A case whose complainant has told their number and asked for nothing.
async fn quiet_case(house: &House) -> Uuid {
    let case = case();
    let mut event = registered(case, "");
    event.complaint.as_mut().unwrap().complainant.as_mut().unwrap().phone = "+86 138".into();
    house.tell("intake", case, &event).await;
    house.tell("cases", case, &opened(case, false)).await;
    house.settled().await;
    case
}

fn asked(case: Uuid) -> RequestCallBackRequest {
    RequestCallBackRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        note: "where is my parcel?".into(),
        ..RequestCallBackRequest::default()
    }
}

async fn ask(house: &House, request: RequestCallBackRequest) -> Result<CallBack, Status> {
    Ok(call_backs(house).request_call_back(request).await?.into_inner().call_back.unwrap())
}

async fn record(
    house: &House,
    call_back: &CallBack,
    outcome: CallBackOutcome,
    satisfied: Option<bool>,
) -> Result<CallBack, Status> {
    let request = RecordCallBackAttemptRequest {
        request_id: request_id(),
        call_back_id: call_back.call_back_id.clone(),
        outcome: outcome.into(),
        satisfied,
        note: "as agreed".into(),
    };
    Ok(call_backs(house).record_call_back_attempt(request).await?.into_inner().call_back.unwrap())
}

#[tokio::test]
async fn who_was_not_taken_is_called_back_in_working_hours() {
    let house = house().await;
    // The registration comes after the opening: feeds are not in step.
    let case = case();
    house.tell("cases", case, &opened(case, true)).await;
    house.settled().await;
    house.tell("intake", case, &missed(&house, case, Some(8 * HOUR))).await;
    house.settled().await;
    let due = listed(&house, case).await.pop().unwrap();
    assert_eq!((due.state(), causes(&due)), (CallBackState::Due, vec![CallBackCause::Requested]));
    assert_eq!(
        (due.time_zone.as_str(), due.draw.clone(), due.requester.as_str()),
        ("Asia/Shanghai", None, "")
    );
    let by = due.due_time.unwrap().seconds;
    assert!(by - now(&house) >= 16 * HOUR, "sixteen working hours");
    let there =
        jiff::Timestamp::from_second(by).unwrap().to_zoned(calendar::zones::get("Asia/Shanghai").unwrap());
    assert!((9..=18).contains(&there.hour()), "{there}");
    let number =
        |due: &CallBack| (due.phone.clone(), due.phone_kind(), due.phone_expire_time.map(|at| at.seconds));
    let until = Some(now(&house) + 8 * HOUR);
    assert_eq!(number(&due), ("170 0001".to_owned(), CallBackPhone::Masked, until));
    house.advance(Duration::from_hours(8));
    let due = listed(&house, case).await.pop().unwrap();
    assert_eq!(number(&due), ("+86 138".to_owned(), CallBackPhone::Complainant, None), "it has expired");

    // Nobody asks whether they are satisfied: nothing was told yet.
    let done = record(&house, &due, CallBackOutcome::Reached, None).await.unwrap();
    assert_eq!((done.state(), done.attempts[0].satisfied), (CallBackState::Done, None));
    let told: Vec<CallBackOpened> = house.published("feedback").await;
    assert_eq!(told.len(), 1);
    let period =
        CountCallBacksRequest { start_time: time(now(&house) - 24 * HOUR), end_time: time(now(&house) + 1) };
    let count = call_backs(&house).count_call_backs(period).await.unwrap().into_inner();
    assert_eq!((count.owed, count.reached, count.satisfied), (1, 1, 0));
    house.done().await;
}

#[tokio::test]
async fn only_who_withdraws_or_is_merged_is_not_called() {
    let house = house().await;
    let [kept, declined, withdrawn, merged] = [
        missed_case(&house).await,
        missed_case(&house).await,
        missed_case(&house).await,
        missed_case(&house).await,
    ];
    let event = CaseDeclined { case_id: declined.to_string(), cycle: 1, ..CaseDeclined::default() };
    house.tell("cases", declined, &event).await;
    let event = CaseWithdrawn { case_id: withdrawn.to_string(), cycle: 1, ..Default::default() };
    house.tell("cases", withdrawn, &event).await;
    let event = CaseMerged {
        case_id: merged.to_string(),
        cycle: 1,
        into_case_id: kept.to_string(),
        ..CaseMerged::default()
    };
    house.tell("cases", merged, &event).await;
    // Its outcome, a dispute, another cycle: the ordinary course.
    house.tell("cases", kept, &resolved(kept, 1)).await;
    house.tell("cases", kept, &reopened(kept, 2)).await;
    house.settled().await;
    for (case, state) in [
        (kept, CallBackState::Due),
        (declined, CallBackState::Due),
        (withdrawn, CallBackState::Cancelled),
        (merged, CallBackState::Cancelled),
    ] {
        assert_eq!(listed(&house, case).await[0].state(), state);
    }
    for case in [withdrawn, merged] {
        let refusal = refused(ask(&house, asked(case)).await);
        assert_eq!(refusal, (Code::FailedPrecondition, "CALL_BACK_UNWANTED".into()));
    }
    house.done().await;
}

#[tokio::test]
async fn what_is_asked_for_last_holds() {
    let house = house().await;
    let case = quiet_case(&house).await;
    assert!(listed(&house, case).await.is_empty(), "nobody asked");
    let request = RequestCallBackRequest { phone: "021 6666".into(), ..asked(case) };
    let first = call_backs(&house).request_call_back(request.clone()).await.unwrap();
    let again = call_backs(&house).request_call_back(request).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&again));
    let first = first.into_inner().call_back.unwrap();
    assert_eq!((causes(&first), first.requester.as_str()), (vec![CallBackCause::Requested], "developer"));
    assert_eq!((first.phone.as_str(), first.phone_kind()), ("021 6666", CallBackPhone::Requested));
    assert_eq!((first.note.as_str(), first.prefer_start_time), ("where is my parcel?", None));

    // A time they prefer: from now for 48 hours has working moments, wherever it begins.
    let (start, end) = (now(&house) + HOUR, now(&house) + 96 * HOUR);
    let wished = RequestCallBackRequest {
        prefer_start_time: time(start),
        prefer_end_time: time(end),
        note: String::new(),
        ..asked(case)
    };
    let second = ask(&house, wished.clone()).await.unwrap();
    assert_eq!(second.call_back_id, first.call_back_id, "one for a cycle");
    let due = second.due_time.unwrap().seconds;
    assert!(start < due && due <= end, "{start} < {due} <= {end}");
    assert_eq!(second.prefer_start_time.unwrap().seconds, start);
    assert_eq!((second.phone.as_str(), second.note.as_str()), ("021 6666", "where is my parcel?"), "kept");
    assert_eq!(house.published::<CallBackOpened>("feedback").await.len(), 1);

    // Asked again without a time: as soon as may be, and not later than before.
    let third = ask(&house, asked(case)).await.unwrap();
    assert_eq!(third.prefer_start_time, None);
    assert!(third.due_time.unwrap().seconds <= due);
    // The same request, told again long after, is answered as it was.
    house.advance(Duration::from_hours(2));
    assert_eq!(ask(&house, wished).await.unwrap(), second);

    // The outcome is told: there is a cause more, and they are asked.
    house.tell("cases", case, &CaseOpened { priority: Priority::P1.into(), ..opened(case, false) }).await;
    house.tell("cases", case, &resolved(case, 1)).await;
    house.settled().await;
    let mut client = client(&house);
    for notice in list(&mut client, case).await {
        client.record_notice(called(&house, &notice)).await.unwrap();
    }
    let due = listed(&house, case).await.pop().unwrap();
    assert_eq!(causes(&due), [CallBackCause::Requested, CallBackCause::Priority]);
    let silent = record(&house, &due, CallBackOutcome::Reached, None).await.unwrap_err();
    assert_eq!(
        (reason(&silent).as_str(), violations(&silent)),
        ("INVALID_ATTEMPT", vec!["satisfied".to_owned()])
    );
    let done = record(&house, &due, CallBackOutcome::Reached, Some(true)).await.unwrap();
    assert_eq!(done.state(), CallBackState::Done);
    // Who asks again is called again.
    let next = ask(&house, asked(case)).await.unwrap();
    assert_ne!(next.call_back_id, done.call_back_id);
    assert_eq!(causes(&next), [CallBackCause::Requested]);
    house.done().await;
}

#[tokio::test]
async fn who_was_not_reached_when_they_wished_is_tried_again() {
    let house = house().await;
    let case = quiet_case(&house).await;
    let wished = RequestCallBackRequest {
        prefer_start_time: time(now(&house)),
        prefer_end_time: time(now(&house) + 96 * HOUR),
        ..asked(case)
    };
    let due = ask(&house, wished).await.unwrap();
    let tried = record(&house, &due, CallBackOutcome::NotReached, None).await.unwrap();
    assert_eq!((tried.state(), tried.prefer_start_time), (CallBackState::Due, None));
    assert_eq!(listed(&house, case).await, [tried]);
    house.done().await;
}

#[tokio::test]
async fn a_request_that_cannot_be_kept_is_refused() {
    let house = house().await;
    let case = quiet_case(&house).await;
    let refusal = refused(ask(&house, asked(Uuid::from_u128(7))).await);
    assert_eq!(refusal, (Code::NotFound, "CONTACT_NOT_FOUND".into()));
    let within = |start: i64, end: i64| RequestCallBackRequest {
        prefer_start_time: time(now(&house) + start),
        prefer_end_time: time(now(&house) + end),
        ..asked(case)
    };
    for (request, fields) in [
        (within(HOUR, HOUR), vec!["prefer_end_time"]),
        (within(HOUR, 15 * 24 * HOUR + HOUR), vec!["prefer_end_time"]),
        (within(-HOUR, 24 * HOUR), vec!["prefer_start_time"]),
        (within(31 * 24 * HOUR, 34 * 24 * HOUR), vec!["prefer_start_time"]),
        (
            RequestCallBackRequest { phone: "1".repeat(41), note: "x".repeat(2_001), ..asked(case) },
            vec!["phone", "note"],
        ),
    ] {
        let refused = ask(&house, request).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), violations(&refused)),
            ("INVALID_CALL_BACK_REQUEST", fields.iter().map(ToString::to_string).collect())
        );
    }
    // At night nobody works: the next midnight in Shanghai, for four hours.
    let midnight =
        (now(&house) + 8 * HOUR).div_euclid(24 * HOUR) * 24 * HOUR + 24 * HOUR - 8 * HOUR - now(&house);
    let night = ask(&house, within(midnight, midnight + 4 * HOUR)).await.unwrap_err();
    assert_eq!(violations(&night), ["prefer_end_time"]);

    let unknown = crate::case();
    house.tell("intake", unknown, &registered(unknown, "")).await;
    house.settled().await;
    let refusal = refused(ask(&house, asked(unknown)).await);
    assert_eq!(refusal, (Code::FailedPrecondition, "PHONE_UNKNOWN".into()));
    let about = crate::case();
    let recused = vec!["developer".to_owned()];
    house.tell("intake", about, &missed(&house, about, None)).await;
    house.tell("cases", about, &CaseOpened { recused_subjects: recused, ..opened(about, false) }).await;
    house.settled().await;
    let refusal = refused(ask(&house, asked(about)).await);
    assert_eq!(refusal, (Code::PermissionDenied, "CALLER_RECUSED".into()));
    assert!(listed(&house, about).await.is_empty());
    house.done().await;
}
