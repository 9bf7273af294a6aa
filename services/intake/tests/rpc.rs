//! Intake's rpcs over a real Postgres: good, bad, repeated, raced, and another
//! tenant's.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

#[path = "rpc/chats.rs"]
mod chats;
#[path = "rpc/forms.rs"]
mod forms;
#[path = "rpc/ivr_menus.rs"]
mod ivr_menus;
#[path = "rpc/lanes.rs"]
mod lanes;
#[path = "rpc/numbers.rs"]
mod numbers;
#[path = "rpc/receipt_codes.rs"]
mod receipt_codes;
#[path = "rpc/times.rs"]
mod times;

use std::collections::HashSet;

use futures::future::join_all;
use kernel::receipt::ReceiptCode;
use proto::google::r#type::Money;
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::row_verdict::Verdict;
use proto::redress::intake::v1::{
    Channel, ChatDetail, Complainant, Complaint, Evidence, GetComplaintRequest, ListComplaintsRequest,
    RemedySought, SocialDetail, SubmitComplaintRequest, SubmitComplaintResponse, SubmitComplaintsRequest,
    SubmitComplaintsResponse,
};
use testkit::{House, reason, request_id, violations};
use tonic::{Code, Request};

fn complaint(external_ref: &str) -> Complaint {
    Complaint {
        channel: Channel::Web.into(),
        external_ref: external_ref.to_owned(),
        complainant: Some(Complainant { customer_id: "C-7".to_owned(), ..Complainant::default() }),
        subject: "The parcel came broken".to_owned(),
        description: "The box was open and one cup in pieces.".to_owned(),
        language: "en".to_owned(),
        ..Complaint::default()
    }
}

fn submission(complaint: Complaint) -> SubmitComplaintRequest {
    SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) }
}

async fn count(house: &House) -> i64 {
    let mut owner = house.owner().await;
    let count = sqlx::query_scalar("SELECT count(*) FROM intake.complaint").fetch_one(&mut owner).await;
    count.expect("the table is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_is_kept_word_for_word() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    // Who recorded it is the caller, whoever it says it was.
    let sent = Complaint { automatic: true, recorder: "mallory".to_owned(), ..complaint("ref-1") };
    let response = client.submit_complaint(submission(sent.clone())).await.unwrap();
    let token = response.metadata().get("redress-consistency-token").expect("a token").clone();
    assert!(token.to_str().unwrap().starts_with("intake:"));
    let SubmitComplaintResponse { complaint_id, receipt_code, receive_time, already_registered } =
        response.into_inner();
    assert!(ReceiptCode::parse(&receipt_code).is_some());
    assert!(!already_registered);

    let mut read = Request::new(GetComplaintRequest { complaint_id: complaint_id.clone() });
    read.metadata_mut().insert("redress-consistency-token", token);
    let stored = client.get_complaint(read).await.unwrap().into_inner().complaint.unwrap();
    let (register_time, recorder) = (receive_time, "developer".to_owned());
    assert_eq!(stored, Complaint { complaint_id, receive_time, register_time, recorder, ..sent });
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_violation_is_told_at_once_and_nothing_stored() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let bad = Complaint {
        channel: 99,
        subject: " ".to_owned(),
        description: "x".repeat(20_001),
        language: "not a tag".to_owned(),
        remedy_sought: Some(RemedySought {
            amount: Some(Money { currency_code: "CNY".to_owned(), units: -5, nanos: 0 }),
            ..RemedySought::default()
        }),
        complainant: Some(Complainant { email: "nobody".to_owned(), ..Complainant::default() }),
        evidence: vec![Evidence { uri: "photo".to_owned(), sha256: "XYZ".to_owned(), ..Evidence::default() }],
        channel_detail: Some(ChannelDetail::Chat(ChatDetail::default())),
        ..Complaint::default()
    };
    let request = SubmitComplaintRequest { request_id: String::new(), complaint: Some(bad) };
    let refused = client.submit_complaint(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(reason(&refused), "INVALID_COMPLAINT");
    let fields: HashSet<String> = violations(&refused).into_iter().collect();
    let expected = [
        "request_id",
        "complaint.channel",
        "complaint.subject",
        "complaint.description",
        "complaint.language",
        "complaint.remedy_sought.amount",
        "complaint.complainant.email",
        "complaint.evidence[0].uri",
        "complaint.evidence[0].sha256",
        "complaint.chat",
    ];
    assert_eq!(fields, expected.iter().map(ToString::to_string).collect());
    let empty = SubmitComplaintRequest { request_id: request_id(), complaint: None };
    assert_eq!(violations(&client.submit_complaint(empty).await.unwrap_err()), ["complaint"]);
    assert_eq!(count(&house).await, 0);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_submission_is_one_complaint() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let request = submission(complaint("ref-1"));
    let first = client.submit_complaint(request.clone()).await.unwrap();
    let again = client.submit_complaint(request.clone()).await.unwrap();
    assert_eq!(
        first.metadata().get("redress-consistency-token"),
        again.metadata().get("redress-consistency-token")
    );
    assert_eq!(first.into_inner(), again.into_inner());

    let changed = SubmitComplaintRequest {
        complaint: Some(Complaint { subject: "Another".to_owned(), ..complaint("ref-9") }),
        ..request
    };
    let refused = client.submit_complaint(changed).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED"));
    assert_eq!(count(&house).await, 1);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_channels_own_number_is_the_same_complaint() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let first = client.submit_complaint(submission(complaint("ref-1"))).await.unwrap().into_inner();
    let request = submission(Complaint { category_hint: "told/again".to_owned(), ..complaint("ref-1") });
    let second = client.submit_complaint(request.clone()).await.unwrap().into_inner();
    assert_eq!(second, SubmitComplaintResponse { already_registered: true, ..first.clone() });
    assert_eq!(client.submit_complaint(request.clone()).await.unwrap().into_inner(), second);

    // The second key stands for its request, although no complaint bears it.
    let changed = SubmitComplaintRequest { complaint: Some(complaint("ref-2")), ..request };
    let refused = client.submit_complaint(changed.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "IDEMPOTENCY_KEY_REUSED");
    // Without end: not only for as long as answers are kept.
    let mut owner = house.owner().await;
    sqlx::query("DELETE FROM intake.idempotency").execute(&mut owner).await.unwrap();
    assert_eq!(reason(&client.submit_complaint(changed).await.unwrap_err()), "IDEMPOTENCY_KEY_REUSED");
    // Another channel's number is another complaint.
    let elsewhere = Complaint { channel: Channel::Email.into(), ..complaint("ref-1") };
    let third = client.submit_complaint(submission(elsewhere)).await.unwrap().into_inner();
    assert_ne!(third.complaint_id, first.complaint_id);
    assert_eq!(count(&house).await, 2);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_twins_get_one_answer_and_their_neighbours_are_untouched() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = IntakeServiceClient::new(house.channel());
    let twin = submission(complaint("twin"));
    let calls = (0..60).map(|place| {
        let mut client = client.clone();
        let request = match place % 3 {
            0 => twin.clone(),
            1 => submission(complaint("")),
            _ => SubmitComplaintRequest { request_id: request_id(), complaint: None },
        };
        async move { client.submit_complaint(request).await }
    });
    let answers = join_all(calls).await;
    let of = |kind: usize| answers.iter().skip(kind).step_by(3);
    let twins: HashSet<String> =
        of(0).map(|answer| format!("{:?}", answer.as_ref().unwrap().get_ref())).collect();
    assert_eq!(twins.len(), 1, "one answer for all twins");
    assert!(of(1).all(Result::is_ok));
    assert!(of(2).all(|answer| answer.as_ref().is_err_and(|status| status.code() == Code::InvalidArgument)));
    assert_eq!(count(&house).await, 21);
    let mut owner = house.owner().await;
    let told: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM intake.feed_page(0, 1000, 1000, 0::smallint, '', '{}', '{}') f JOIN intake.complaint c USING (position)",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert_eq!(told, 21, "each told of once, at its own position");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_matter_told_by_many_at_once_is_one_complaint() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = IntakeServiceClient::new(house.channel());
    let calls = (0..40).map(|place| {
        let mut client = client.clone();
        // Keys of their own: only the channel's number tells that it is the same.
        let request = submission(complaint(if place % 2 == 0 { "same" } else { "" }));
        async move { client.submit_complaint(request).await.unwrap().into_inner() }
    });
    let answers = join_all(calls).await;
    let same: HashSet<&str> = answers.iter().step_by(2).map(|answer| answer.complaint_id.as_str()).collect();
    assert_eq!(same.len(), 1);
    let first = answers.iter().step_by(2).filter(|answer| !answer.already_registered).count();
    assert_eq!(first, 1, "the others hear that it is registered already");
    assert!(answers.iter().skip(1).step_by(2).all(|answer| !answer.already_registered));
    assert_eq!(count(&house).await, 21);
    house.done().await;
}

#[tokio::test]
async fn a_complaint_whose_event_is_in_the_outbox_is_read_and_told_once() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let id = client.submit_complaint(submission(complaint("old"))).await.unwrap().into_inner().complaint_id;
    let get = GetComplaintRequest { complaint_id: id };
    let registered = client.get_complaint(get.clone()).await.unwrap().into_inner();
    let told = house.published_by("intake").await;
    let mut owner = house.owner().await;
    // As versions before wrote it.
    for statement in [
        "INSERT INTO intake.outbox (position, tenant_id, event_id, subject, type, occurred_at, traceparent, payload)
         SELECT position, tenant_id, event_id, subject, type, occurred_at, traceparent, payload
         FROM intake.feed_page(0, 1000, 1000, 0::smallint, '', '{}', '{}')",
        "UPDATE intake.complaint SET event = NULL, traceparent = NULL, record = ''",
    ] {
        sqlx::query(statement).execute(&mut owner).await.unwrap();
    }
    assert_eq!(client.get_complaint(get).await.unwrap().into_inner(), registered);
    let listed = client.list_complaints(ListComplaintsRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.complaints, [registered.complaint.unwrap()]);
    assert_eq!(house.published_by("intake").await, told);
    assert_eq!(told.len(), 1);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_stream_has_a_verdict_per_row() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let rows: Vec<SubmitComplaintsRequest> = (0..600)
        .map(|row| SubmitComplaintsRequest {
            request_id: format!("row-{}", row % 599), // the last repeats the first
            complaint: (row % 100 != 50).then(|| complaint(&format!("ref-{}", row % 599))),
        })
        .collect();
    let answer = client.submit_complaints(tokio_stream(rows.clone())).await.unwrap().into_inner();
    assert_eq!(answer.verdicts.len(), 600);
    for (row, verdict) in answer.verdicts.iter().enumerate() {
        assert_eq!(verdict.request_id, rows[row].request_id);
        match verdict.verdict.as_ref().unwrap() {
            Verdict::Registered(_) => assert_ne!(row % 100, 50),
            Verdict::Refused(refused) => {
                assert_eq!(row % 100, 50);
                assert_eq!((refused.code, refused.reason.as_str()), (3, "INVALID_COMPLAINT"));
                assert_eq!(refused.violations[0].field, "complaint");
            }
        }
    }
    assert_eq!(answer.verdicts[0].verdict, answer.verdicts[599].verdict);
    let before = |answer: &SubmitComplaintsResponse| {
        answer.verdicts.iter().filter(|verdict| verdict.registered_before).count()
    };
    assert_eq!((before(&answer), answer.verdicts[599].registered_before), (1, true));
    assert_eq!(count(&house).await, 593);
    let again = client.submit_complaints(tokio_stream(rows)).await.unwrap().into_inner();
    assert_eq!(before(&again), 594, "and says so");
    let verdicts = |answer: &SubmitComplaintsResponse| {
        answer.verdicts.iter().map(|one| one.verdict.clone()).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&again), verdicts(&answer), "a stream sent again registers nothing twice");
    assert_eq!(count(&house).await, 593);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_fit_into_an_answer_however_much_is_wrong() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let nowhere = Evidence { uri: "nowhere".to_owned(), sha256: "none".to_owned(), ..Evidence::default() };
    let evidence = vec![nowhere; 50];
    let wrong = Complaint { evidence, ..complaint("") };
    let row = |row| SubmitComplaintsRequest {
        request_id: format!("row-{row}"),
        complaint: Some(if row == 999 { complaint("") } else { wrong.clone() }),
    };
    let rows = (0..1_000).map(row).collect();
    let answer = client.submit_complaints(tokio_stream(rows)).await.unwrap().into_inner();
    let violations = |row: usize| match answer.verdicts[row].verdict.as_ref().unwrap() {
        Verdict::Refused(refused) => {
            assert_eq!((refused.code, refused.reason.as_str()), (3, "INVALID_COMPLAINT"));
            Some(refused.violations.len())
        }
        Verdict::Registered(_) => None,
    };
    assert_eq!((violations(0), violations(998), violations(999)), (Some(100), Some(0), None));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_stop_before_an_answer_is_too_large() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    for place in 0..80 {
        let description = "很".repeat(20_000);
        let one = Complaint { description, ..complaint(&format!("ref-{place}")) };
        client.submit_complaint(submission(one)).await.unwrap();
    }
    let list = |page_token| ListComplaintsRequest { page_size: 500, page_token, ..Default::default() };
    let first = client.list_complaints(list(String::new())).await.unwrap().into_inner();
    assert!((40..60).contains(&first.complaints.len()), "{}", first.complaints.len());
    let rest = client.list_complaints(list(first.next_page_token)).await.unwrap().into_inner();
    assert_eq!((first.complaints.len() + rest.complaints.len(), rest.next_page_token.as_str()), (80, ""));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_longer_than_allowed_is_refused_after_what_was_allowed() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let rows =
        (0..10_001).map(|row| SubmitComplaintsRequest { request_id: format!("row-{row}"), complaint: None });
    let refused = client.submit_complaints(tokio_stream(rows.collect())).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "TOO_MANY_ROWS"));
    house.done().await;
}

fn tokio_stream<T: Send + 'static>(rows: Vec<T>) -> impl futures::Stream<Item = T> + Send + 'static {
    futures::stream::iter(rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_page_by_page_newest_first() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let mut ids = Vec::new();
    for place in 0..5 {
        let channel = if place % 2 == 0 { Channel::Web } else { Channel::Email };
        let one = Complaint { channel: channel.into(), ..complaint("") };
        ids.push(client.submit_complaint(submission(one)).await.unwrap().into_inner().complaint_id);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await; // ids sort by the millisecond
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListComplaintsRequest { page_size: 2, page_token, ..ListComplaintsRequest::default() };
        let page = client.list_complaints(request).await.unwrap().into_inner();
        seen.extend(page.complaints.into_iter().map(|complaint| complaint.complaint_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ids);

    let list = |channel: Channel, customer_id: &str| ListComplaintsRequest {
        channel: channel.into(),
        customer_id: customer_id.to_owned(),
        ..ListComplaintsRequest::default()
    };
    let emails = client.list_complaints(list(Channel::Email, "")).await.unwrap().into_inner().complaints;
    assert_eq!(emails.len(), 2);
    let mine =
        client.list_complaints(list(Channel::Unspecified, "C-7")).await.unwrap().into_inner().complaints;
    assert_eq!(mine.len(), 5);
    let refused = client.list_complaints(list(Channel::Email, "C-7")).await.unwrap_err();
    assert_eq!(violations(&refused), ["customer_id"]);
    let bad =
        ListComplaintsRequest { page_size: 9_999, page_token: "?".to_owned(), ..list(Channel::Web, "") };
    assert_eq!(client.list_complaints(bad).await.unwrap_err().code(), Code::InvalidArgument);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_sees_nothing_and_may_use_the_same_keys() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let mut one = IntakeServiceClient::new(house.channel_as("one", "alice", &["channel", "reader"]));
    let mut two = IntakeServiceClient::new(house.channel_as("two", "bob", &["channel", "reader"]));
    let request = submission(complaint("ref-1"));
    let first = one.submit_complaint(request.clone()).await.unwrap().into_inner();
    let read = GetComplaintRequest { complaint_id: first.complaint_id.clone() };
    let refused = two.get_complaint(read.clone()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "COMPLAINT_NOT_FOUND"));
    assert!(
        two.list_complaints(ListComplaintsRequest::default())
            .await
            .unwrap()
            .into_inner()
            .complaints
            .is_empty()
    );

    let second = two.submit_complaint(request).await.unwrap().into_inner();
    assert_ne!(second.complaint_id, first.complaint_id);
    assert_ne!(second.receipt_code, first.receipt_code);
    assert!(!second.already_registered);
    assert!(one.get_complaint(read).await.is_ok());

    let mut nobody = IntakeServiceClient::new(house.channel_of_nobody());
    let refused = nobody.list_complaints(ListComplaintsRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_refuse_what_is_no_id() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let read = |id: &str| GetComplaintRequest { complaint_id: id.to_owned() };
    let refused = client.get_complaint(read("seven")).await.unwrap_err();
    assert_eq!(
        (refused.code(), violations(&refused)),
        (Code::InvalidArgument, vec!["complaint_id".to_owned()])
    );
    let unknown = client.get_complaint(read("00000000-0000-7000-8000-000000000000")).await.unwrap_err();
    assert_eq!(reason(&unknown), "COMPLAINT_NOT_FOUND");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uri_that_is_no_web_address_is_refused_in_every_field() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let with = |uri: &str| {
        let (uri, reach) = (uri.to_owned(), 1);
        let post = SocialDetail { uri: uri.clone(), reach, ..SocialDetail::default() };
        Complaint {
            channel: Channel::Social.into(),
            evidence: vec![Evidence { uri, ..Evidence::default() }],
            channel_detail: Some(ChannelDetail::Social(post)),
            ..complaint("")
        }
    };
    let bad = [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "mailto:ann@example.org",
        "https:",
        "https://",
        "//example.org/x",
        "photo.jpg",
        "https://example.org/\u{1b}[2J",
    ];
    for uri in bad {
        let refused = client.submit_complaint(submission(with(uri))).await.expect_err(uri);
        assert_eq!(reason(&refused), "INVALID_COMPLAINT", "{uri}");
        assert_eq!(violations(&refused), ["complaint.evidence[0].uri", "complaint.social.uri"], "{uri}");
    }
    for uri in ["https://example.org/photo?id=1#x", "http://10.0.0.1:8080/a", "https://例子.中国/图"] {
        client.submit_complaint(submission(with(uri))).await.expect(uri);
    }
    house.done().await;
}
