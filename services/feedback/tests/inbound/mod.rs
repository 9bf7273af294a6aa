//! What feedback hears: each event, twice, out of step, and where it fits no more.

use proto::redress::cases::v1::{
    CaseDeclined, CaseWithdrawn, CloseReason, ExtensionGranted, HoldingReplySent, Outcome, RemedyDelayed,
};
use proto::redress::feedback::v1::{Notice, NoticeKind, NoticeSettled, NoticeState, Response};
use proto::redress::intake::v1::Representative;
use testkit::eventually;
use tonic::Code;
use uuid::Uuid;

use crate::{
    accept, case, client, closed, dispute, feedback_of, house, list, notices_of, refused, registered,
    reopened, resolved, resolved_case, respond,
};

#[tokio::test]
async fn a_complaint_is_acknowledged_once() {
    let house = house().await;
    let case = case();
    let event = house.tell("intake", case, &registered(case, "ada@example.org")).await;
    house.settled().await;
    house.tell_raw("intake", event.clone()).await;
    house.tell("intake", case, &registered(case, "other@example.org")).await;
    house.settled().await;

    let notices = notices_of(&house, case).await;
    assert_eq!(notices.len(), 1);
    let notice = &notices[0];
    assert_eq!((notice.kind(), notice.state()), (NoticeKind::Acknowledgement, NoticeState::Undelivered));
    assert_eq!(notice.failure_reason, "NO_TRANSPORT", "none is configured");
    assert_eq!((notice.recipient.as_str(), notice.cycle), ("ada@example.org", 1));
    assert_eq!(notice.subject, "We have received your complaint: late parcel");
    assert!(notice.body.starts_with("Dear Ada,") && notice.body.contains(&case.to_string()));
    assert!(notice.create_time.is_some() && notice.end_time == notice.create_time);

    let settled: Vec<NoticeSettled> = house.published("feedback").await;
    assert_eq!(settled.len(), 1);
    assert_eq!(settled[0].notice_id, notice.notice_id);
    assert_eq!((settled[0].state(), settled[0].detail.as_str()), (NoticeState::Undelivered, "NO_TRANSPORT"));
    house.done().await;
}

#[tokio::test]
async fn a_complaint_without_an_address_is_told_from_one_of_nobody() {
    let house = house().await;
    let case = case();
    let mut anonymous = registered(case, "");
    let complaint = anonymous.complaint.as_mut().unwrap();
    complaint.complainant = None;
    complaint.representative =
        Some(Representative { display_name: "Bo".into(), authority: "heir".into(), email: String::new() });
    house.tell("intake", case, &anonymous).await;
    house.settled().await;
    let notices = notices_of(&house, case).await;
    assert_eq!((notices[0].failure_reason.as_str(), notices[0].recipient.as_str()), ("NO_ADDRESS", ""));

    let nobody = crate::case();
    let mut anonymous = registered(nobody, "");
    anonymous.complaint.as_mut().unwrap().complainant = None;
    house.tell("intake", nobody, &anonymous).await;
    house.settled().await;
    let notices = notices_of(&house, nobody).await;
    assert_eq!(notices[0].failure_reason, "ANONYMOUS", "nobody is known, not even a representative");
    house.done().await;
}

#[tokio::test]
async fn an_outcome_is_told_once_and_awaits_an_answer() {
    let house = house().await;
    let case = resolved_case(&house).await;
    house.tell("cases", case, &resolved(case, 1)).await;
    house.settled().await;
    let mut client = client(&house);
    let cycles = feedback_of(&mut client, case).await.unwrap();
    assert_eq!(cycles.len(), 1);
    assert!(cycles[0].open);
    assert_eq!((cycles[0].cycle, cycles[0].outcome()), (1, Outcome::PartlyUpheld));
    assert_eq!(cycles[0].respond_until_time, resolved(case, 1).respond_until_time);
    assert_eq!((cycles[0].response(), cycles[0].response_time), (Response::Unspecified, None));

    let notices = list(&mut client, case).await;
    let outcomes: Vec<_> = notices.iter().filter(|notice| notice.kind() == NoticeKind::Outcome).collect();
    assert_eq!((notices.len(), outcomes.len()), (2, 1));
    assert!(outcomes[0].body.contains("the parcel was late by our fault"));
    assert_eq!(house.published::<NoticeSettled>("feedback").await.len(), 2);
    house.done().await;
}

#[tokio::test]
async fn an_outcome_that_overtakes_its_registration_is_told_after_it() {
    let house = house().await;
    let case = case();
    house.tell("cases", case, &resolved(case, 1)).await;
    house.tell("cases", case, &closed(case, 1, CloseReason::ReopenLimit)).await;
    house.settled().await;
    assert_eq!(notices_of(&house, case).await, []);
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    house.settled().await;
    let mut kinds: Vec<NoticeKind> = notices_of(&house, case).await.iter().map(Notice::kind).collect();
    kinds.sort();
    assert_eq!(kinds, [NoticeKind::Acknowledgement, NoticeKind::Outcome, NoticeKind::Recourse]);
    house.done().await;
}

fn extended(case: Uuid, number: i32, notice_due: bool) -> ExtensionGranted {
    ExtensionGranted {
        case_id: case.to_string(),
        cycle: 1,
        due_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
        reason: "an expert looks at it".to_owned(),
        notice_due,
        number,
        ..ExtensionGranted::default()
    }
}

#[tokio::test]
async fn each_extension_is_told_where_that_is_due() {
    let house = house().await;
    let (known, early) = (case(), case());
    house.tell("intake", known, &registered(known, "ada@example.org")).await;
    house.settled().await;
    for case in [known, early] {
        for (number, notice_due) in [(1, true), (2, false), (3, true)] {
            house.tell("cases", case, &extended(case, number, notice_due)).await;
        }
    }
    house.settled().await;
    assert_eq!(notices_of(&house, early).await, [], "nobody knows yet whom to write to");
    house.tell("intake", early, &registered(early, "bo@example.org")).await;
    house.settled().await;
    for case in [known, early] {
        let notices = notices_of(&house, case).await;
        let told: Vec<_> = notices.iter().filter(|notice| notice.kind() == NoticeKind::Extension).collect();
        assert_eq!(told.len(), 2);
        assert!(told[0].body.contains("an expert looks at it") && told[0].body.contains("15 January 2027"));
    }
    house.done().await;
}

fn held(case: Uuid, ordinal: i32) -> HoldingReplySent {
    HoldingReplySent {
        case_id: case.to_string(),
        cycle: 1,
        ordinal,
        text: "the carrier looks for it".to_owned(),
        reason: "it was sent twice".to_owned(),
        next_update_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
        due_time: Some(prost_types::Timestamp { seconds: 1_802_000_000, nanos: 0 }),
        time_zone: "Asia/Shanghai".to_owned(),
    }
}

#[tokio::test]
async fn each_holding_reply_is_told_once() {
    let house = house().await;
    let (known, early) = (case(), case());
    house.tell("intake", known, &registered(known, "ada@example.org")).await;
    house.settled().await;
    for case in [known, early] {
        for ordinal in [4, 9, 4] {
            house.tell("cases", case, &held(case, ordinal)).await;
        }
    }
    house.settled().await;
    assert_eq!(notices_of(&house, early).await, [], "nobody knows yet whom to write to");
    house.tell("intake", early, &registered(early, "bo@example.org")).await;
    house.settled().await;
    let told = async |case| {
        let notices = notices_of(&house, case).await;
        notices.into_iter().filter(|notice| notice.kind() == NoticeKind::Holding).collect::<Vec<_>>()
    };
    let (known, early) = (told(known).await, told(early).await);
    assert_eq!((known.len(), early.len()), (2, 2));
    for notice in known.iter().chain(&early) {
        for part in ["the carrier looks for it", "it was sent twice", "15 January 2027", "7 February 2027"] {
            assert!(notice.body.contains(part), "{part} is not in {}", notice.body);
        }
    }
    house.done().await;
}

fn delayed(case: Uuid, ordinal: i32) -> RemedyDelayed {
    RemedyDelayed {
        case_id: case.to_string(),
        cycle: 1,
        ordinal,
        sku: format!("CUP-{ordinal}"),
        expect_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
        time_zone: "Asia/Shanghai".to_owned(),
    }
}

#[tokio::test]
async fn each_new_promise_for_lacking_goods_is_told_once() {
    let house = house().await;
    let (known, early) = (case(), case());
    house.tell("intake", known, &registered(known, "ada@example.org")).await;
    house.settled().await;
    for case in [known, early] {
        for ordinal in [6, 8, 6] {
            house.tell("cases", case, &delayed(case, ordinal)).await;
        }
    }
    house.settled().await;
    assert_eq!(notices_of(&house, early).await, [], "nobody knows yet whom to write to");
    house.tell("intake", early, &registered(early, "bo@example.org")).await;
    house.settled().await;
    for case in [known, early] {
        let notices = notices_of(&house, case).await;
        let mut told: Vec<_> =
            notices.iter().filter(|notice| notice.kind() == NoticeKind::Shortage).collect();
        told.sort_by_key(|notice| notice.body.contains("CUP-8"));
        assert_eq!(told.len(), 2);
        for (notice, article) in told.iter().zip(["CUP-6", "CUP-8"]) {
            for part in [article, "15 January 2027, 16:00 (Beijing time)"] {
                assert!(notice.body.contains(part), "{part} is not in {}", notice.body);
            }
        }
    }
    house.done().await;
}

#[tokio::test]
async fn feeds_out_of_step_lose_nothing() {
    let house = house().await;
    let cases: Vec<Uuid> = (0..200).map(|_| case()).collect();
    for case in &cases {
        house.tell("cases", *case, &resolved(*case, 1)).await;
        house.tell("intake", *case, &registered(*case, "ada@example.org")).await;
        // Lets both be read while the other is written.
        tokio::task::yield_now().await;
    }
    house.settled().await;
    let told = house.published::<NoticeSettled>("feedback").await;
    let of = |kind| told.iter().filter(|notice| notice.kind() == kind).count();
    assert_eq!((of(NoticeKind::Acknowledgement), of(NoticeKind::Outcome)), (200, 200));
    let put_off: i64 = sqlx::query_scalar("SELECT count(*) FROM feedback.untold")
        .fetch_one(&mut house.owner().await)
        .await
        .unwrap();
    assert_eq!(put_off, 0);
    house.done().await;
}

#[tokio::test]
async fn a_registration_on_its_way_is_waited_for() {
    let house = house().await;
    let case = case();
    let mut writer = house.owner().await;
    sqlx::raw_sql("BEGIN").execute(&mut writer).await.unwrap();
    sqlx::query(
        "INSERT INTO feedback.contact (tenant_id, case_id, recipient, name, language, subject, traceparent)
         VALUES ('development', $1, '', '', 'en', 'late parcel', '')",
    )
    .bind(case)
    .execute(&mut writer)
    .await
    .unwrap();
    house.tell("cases", case, &resolved(case, 1)).await;
    let waiting =
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'feedback.contact'::regclass)";
    eventually(async || sqlx::query_scalar(waiting).fetch_one(&mut house.owner().await).await.unwrap()).await;
    assert_eq!(notices_of(&house, case).await, []);
    sqlx::raw_sql("COMMIT").execute(&mut writer).await.unwrap();
    house.settled().await;
    let notices = notices_of(&house, case).await;
    assert_eq!(notices.iter().map(Notice::kind).collect::<Vec<_>>(), [NoticeKind::Outcome]);
    house.done().await;
}

#[tokio::test]
async fn a_case_that_moves_on_awaits_no_answer() {
    let house = house().await;
    let mut client = client(&house);
    for (at, how) in ["reopened", "closed", "withdrawn", "declined"].into_iter().enumerate() {
        let case = resolved_case(&house).await;
        let case_id = case.to_string();
        let event = match how {
            "reopened" => house.tell("cases", case, &reopened(case, 2)).await,
            "closed" => house.tell("cases", case, &closed(case, 1, CloseReason::WindowPassed)).await,
            "withdrawn" => {
                let withdrawn = CaseWithdrawn { case_id, cycle: 1, ..Default::default() };
                house.tell("cases", case, &withdrawn).await
            }
            _ => {
                let declined = CaseDeclined { case_id, cycle: 1, referral: String::new() };
                house.tell("cases", case, &declined).await
            }
        };
        house.tell_raw("cases", event).await;
        house.settled().await;
        assert!(!feedback_of(&mut client, case).await.unwrap()[0].open, "{how}");
        let late = respond(&mut client, accept(case)).await;
        assert_eq!(refused(late), (Code::FailedPrecondition, "RESPONSE_WINDOW_CLOSED".into()), "{how}");
        assert_eq!(list(&mut client, case).await.len(), 2, "{how}: nothing else is owed after {at} others");
    }
    house.done().await;
}

#[tokio::test]
async fn a_case_that_staff_have_closed_takes_an_answer_within_the_time_promised() {
    let house = house().await;
    let mut client = client(&house);
    for answer in [accept, dispute] {
        let case = resolved_case(&house).await;
        house.tell("cases", case, &closed(case, 1, CloseReason::Staff)).await;
        house.settled().await;
        assert!(feedback_of(&mut client, case).await.unwrap()[0].open);
        let request = answer(case);
        let taken = respond(&mut client, request.clone()).await.unwrap();
        assert_eq!(taken.response, request.response);
    }
    let late = resolved_case(&house).await;
    house.tell("cases", late, &closed(late, 1, CloseReason::Staff)).await;
    house.settled().await;
    house.advance(crate::WINDOW);
    let refused = refused(respond(&mut client, dispute(late)).await);
    assert_eq!(refused, (Code::FailedPrecondition, "RESPONSE_WINDOW_CLOSED".into()));
    house.done().await;
}

#[tokio::test]
async fn events_that_do_not_fit_are_left_out() {
    let house = house().await;
    let stranger = case();
    house.tell("cases", stranger, &closed(stranger, 1, CloseReason::Accepted)).await;
    house.tell("cases", stranger, &reopened(stranger, 2)).await;
    let case = resolved_case(&house).await;
    house.tell("cases", case, &closed(case, 1, CloseReason::WindowPassed)).await;
    house.tell("cases", case, &reopened(case, 2)).await;
    house.tell("cases", case, &resolved(case, 2)).await;
    // What ended the first cycle, told again under a new position.
    house.tell("cases", case, &closed(case, 1, CloseReason::WindowPassed)).await;
    house.settled().await;
    let open: Vec<bool> =
        feedback_of(&mut client(&house), case).await.unwrap().iter().map(|cycle| cycle.open).collect();
    assert_eq!(open, [false, true]);
    house.done().await;
}

#[tokio::test]
async fn after_the_last_dispute_recourse_is_told() {
    let house = house().await;
    let case = resolved_case(&house).await;
    for _ in 0..2 {
        house.tell("cases", case, &closed(case, 1, CloseReason::ReopenLimit)).await;
    }
    house.settled().await;
    let notices = notices_of(&house, case).await;
    let recourse: Vec<_> = notices.iter().filter(|notice| notice.kind() == NoticeKind::Recourse).collect();
    assert_eq!((notices.len(), recourse.len()), (3, 1));
    assert!(recourse[0].body.contains("ombudsman"));
    house.done().await;
}

#[tokio::test]
async fn what_is_told_stays_in_the_trace_of_the_complaint() {
    let house = house().await;
    let case = case();
    let mut event = house.tell("intake", case, &registered(case, "")).await;
    house.settled().await;
    assert_eq!(house.published_by("feedback").await[0].traceparent, "", "untraced");

    let other = crate::case();
    let complaint = registered(other, "");
    event.position += 1;
    event.id = crate::case().to_string();
    event.subject = other.to_string();
    event.traceparent = format!("00-{}-b7ad6b7169203331-00", other.simple());
    event.payload.as_mut().unwrap().value = prost::Message::encode_to_vec(&complaint);
    house.tell_raw("intake", event).await;
    house.tell("cases", other, &resolved(other, 1)).await;
    house.settled().await;
    respond(&mut client(&house), accept(other)).await.unwrap();
    let told = house.published_by("feedback").await;
    let of = |name: &str| {
        told.iter()
            .rfind(|told| told.type_name.ends_with(name))
            .map(|told| pg::trace::trace_id(&told.traceparent))
    };
    assert_eq!(of("FeedbackReceived"), Some(other.simple().to_string().as_str()));
    house.done().await;
}
