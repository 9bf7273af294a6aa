//! The rpcs that read.

use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{
    AddNoteRequest, CaseState, CountCasesRequest, DeclineCaseRequest, EarlierCycle, GetCaseRequest,
    GetTimelineRequest, ListCasesRequest, PublicEntry, RecordFindingsRequest, TimelineEntry, TimelineKind,
    TrackComplaintRequest, Visibility, WatchCaseRequest,
};
use proto::redress::feedback::v1::Response;
use proto::redress::intake::v1::{Channel, Complainant, Complaint};
use testkit::{House, reason, request_id, violations};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::scene::{Scene, assigned, complaint, get, receipt, registered};

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

fn not_found() -> (Code, String) {
    (Code::NotFound, "CASE_NOT_FOUND".to_owned())
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let scene = Scene::open().await;
    let mut cases = scene.cases.clone();
    let case_id = Uuid::from_u128(7).to_string();
    assert_eq!(refused(cases.get_case(GetCaseRequest { case_id: case_id.clone() }).await), not_found());
    assert_eq!(refused(cases.watch_case(WatchCaseRequest { case_id: case_id.clone() }).await), not_found());
    let timeline = GetTimelineRequest { case_id, ..GetTimelineRequest::default() };
    assert_eq!(refused(cases.get_timeline(timeline).await), not_found());
    scene.house.done().await;
}

#[tokio::test]
async fn bad_reads_name_every_violation() {
    let scene = Scene::open().await;
    let mut cases = scene.cases.clone();
    let get = cases.get_case(GetCaseRequest { case_id: "x".to_owned() }).await.unwrap_err();
    assert_eq!((get.code(), reason(&get).as_str()), (Code::InvalidArgument, "INVALID_CASE_ID"));
    assert_eq!(violations(&get), ["case_id"]);
    let watch = cases.watch_case(WatchCaseRequest { case_id: String::new() }).await.unwrap_err();
    assert_eq!((watch.code(), violations(&watch)), (Code::InvalidArgument, vec!["case_id".to_owned()]));
    let timeline = GetTimelineRequest { page_size: 501, ..GetTimelineRequest::default() };
    let timeline = cases.get_timeline(timeline).await.unwrap_err();
    assert_eq!(violations(&timeline), ["page_size", "case_id"]);
    let list = ListCasesRequest {
        page_size: -1,
        page_token: "?".to_owned(),
        state: 99,
        agent_id: "bob".to_owned(),
        customer_id: String::new(),
        ..ListCasesRequest::default()
    };
    let list = cases.list_cases(list).await.unwrap_err();
    assert_eq!((list.code(), reason(&list).as_str()), (Code::InvalidArgument, "INVALID_LIST"));
    assert_eq!(violations(&list), ["state", "page_size", "state"]);
    scene.house.done().await;
}

#[tokio::test]
async fn lists_are_filtered_newest_first_page_by_page() {
    let scene = Scene::open().await;
    let mut ids = Vec::new();
    for place in 0..5 {
        let customer_id = format!("c-{}", place % 2);
        let complainant = Some(Complainant { customer_id, ..Complainant::default() });
        ids.push(scene.register(Complaint { complainant, ..complaint() }).await.to_string());
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    for case in &ids[..2] {
        let case = Uuid::try_parse(case).unwrap();
        scene.house.tell("assignment", case, &assigned(case, 1, "bob")).await;
    }
    scene.house.settled().await;
    ids.reverse();

    let mut request = ListCasesRequest { page_size: 2, ..ListCasesRequest::default() };
    let (mut pages, mut seen) = (0, Vec::new());
    loop {
        let answer = scene.cases.clone().list_cases(request.clone()).await.unwrap().into_inner();
        seen.extend(answer.cases.into_iter().map(|case| case.case_id));
        pages += 1;
        request.page_token = answer.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!((pages, &seen), (3, &ids));

    let listed = async |request: ListCasesRequest| -> Vec<String> {
        let answer = scene.cases.clone().list_cases(request).await.unwrap().into_inner();
        answer.cases.into_iter().map(|case| case.case_id).collect()
    };
    let state = ListCasesRequest { state: CaseState::Triaged.into(), ..ListCasesRequest::default() };
    assert_eq!(listed(state).await, ids[..3]);
    let agent = ListCasesRequest { agent_id: "bob".to_owned(), ..ListCasesRequest::default() };
    assert_eq!(listed(agent).await, ids[3..]);
    let customer = ListCasesRequest { customer_id: "c-1".to_owned(), ..ListCasesRequest::default() };
    assert_eq!(listed(customer).await, [ids[1].clone(), ids[3].clone()]);
    scene.house.done().await;
}

#[tokio::test]
async fn a_timeline_is_read_page_by_page() {
    let scene = Scene::open().await;
    let case = scene.resolved().await;
    let mut request =
        GetTimelineRequest { case_id: case.to_string(), page_size: 4, page_token: String::new() };
    let first = scene.cases.clone().get_timeline(request.clone()).await.unwrap().into_inner();
    assert_eq!(first.entries.iter().map(|entry| entry.ordinal).collect::<Vec<_>>(), [1, 2, 3, 4]);
    request.page_token = first.next_page_token;
    let second = scene.cases.clone().get_timeline(request).await.unwrap().into_inner();
    assert_eq!(second.entries.iter().map(|entry| entry.ordinal).collect::<Vec<_>>(), [5, 6]);
    assert_eq!(second.next_page_token, "");
    scene.house.done().await;
}

#[tokio::test]
async fn counts_and_percentiles_follow_the_cases() {
    let scene = Scene::timed().await;
    let empty = scene.cases.clone().count_cases(CountCasesRequest {}).await.unwrap().into_inner();
    assert_eq!((empty.total, empty.assign_ms_p50, empty.resolve_ms_p99), (0, None, None));
    let (first, second) = (scene.triaged().await, scene.triaged().await);
    scene.register(Complaint { channel: Channel::Phone.into(), ..complaint() }).await;
    scene.advance(jiff::SignedDuration::from_secs(2));
    scene.assign(first, 1).await;
    scene.advance(jiff::SignedDuration::from_secs(8));
    scene.assign(second, 1).await;
    scene.decide(second, false).await;
    let counts = scene.cases.clone().count_cases(CountCasesRequest {}).await.unwrap().into_inner();
    assert_eq!(counts.total, 3);
    let rows: Vec<_> = counts
        .counts
        .iter()
        .map(|count| (count.state(), count.category.as_str(), count.channel(), count.count))
        .collect();
    let damaged = "delivery/damaged";
    assert_eq!(
        rows,
        [
            (CaseState::Triaged, damaged, Channel::Phone, 1),
            (CaseState::Investigating, damaged, Channel::Web, 1),
            (CaseState::Resolved, damaged, Channel::Web, 1),
        ]
    );
    assert_eq!((counts.assign_ms_p50, counts.assign_ms_p99), (Some(2_000), Some(10_000)));
    assert_eq!((counts.resolve_ms_p50, counts.resolve_ms_p99), (Some(10_000), Some(10_000)));
    scene.house.done().await;
}

#[tokio::test]
async fn a_watcher_sees_each_state_until_the_end() {
    let scene = Scene::open().await;
    let case = scene.triaged().await;
    let request = WatchCaseRequest { case_id: case.to_string() };
    let mut stream = scene.cases.clone().watch_case(request).await.unwrap().into_inner();
    let mut next = async || stream.message().await.unwrap().map(|change| change.case.unwrap().state());
    assert_eq!(next().await, Some(CaseState::Triaged));
    scene.assign(case, 1).await;
    assert!(matches!(next().await, Some(CaseState::Assigned | CaseState::Investigating)));
    scene.decide(case, false).await;
    while next().await != Some(CaseState::Resolved) {}
    scene.respond(case, 1, Response::Accepted, "").await;
    assert_eq!(next().await, Some(CaseState::Closed));
    assert_eq!(next().await, None);
    scene.house.done().await;
}

#[tokio::test]
async fn a_receipt_code_shows_public_progress_and_nothing_else() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let track = async |code: String| {
        scene
            .cases
            .clone()
            .track_complaint(TrackComplaintRequest { receipt_code: code, ..Default::default() })
            .await
    };
    scene.decide(case, true).await;
    let sloppy = receipt(case).to_string().to_lowercase().replace('-', " ");
    let progress = track(sloppy).await.unwrap().into_inner();
    assert_eq!((progress.state(), progress.cycle), (CaseState::Decided, 1));
    assert_eq!(progress.outcome, 0, "not before it took effect");
    assert!(progress.receive_time.is_some());
    let kinds: Vec<_> = progress.entries.iter().map(PublicEntry::kind).collect();
    assert_eq!(kinds, [TimelineKind::Opened, TimelineKind::Accepted]);
    let known =
        progress.entries.iter().any(|entry| entry.text.contains("bob") || entry.text.contains("logistics"));
    assert!(!known, "who works on it is not public");

    for code in ["", "nonsense", &receipt(scene.new_id()).to_string()] {
        let refusal = track(code.to_owned()).await.unwrap_err();
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "RECEIPT_CODE_UNKNOWN"));
    }
    scene.house.done().await;
}

#[tokio::test]
async fn wrong_codes_are_limited_for_each_end_user_and_right_ones_always_answered() {
    let scene = Scene::timed().await;
    let case = scene.triaged().await;
    let mut portal = CaseServiceClient::new(scene.house.channel_as("development", "portal", &[]));
    let track = |receipt_code: String, end_user: &str| TrackComplaintRequest {
        receipt_code,
        end_user: end_user.to_owned(),
    };
    let guess = |end_user: &str| track(receipt(scene.new_id()).to_string(), end_user);
    let right = |end_user: &str| track(receipt(case).to_string(), end_user);
    for _ in 0..30 {
        portal.track_complaint(right("ann")).await.expect("the right code is no guess");
        let slip = track(format!("{}0", receipt(case)), "ann");
        assert_eq!(portal.track_complaint(slip).await.unwrap_err().code(), Code::NotFound, "nor is a slip");
    }
    for _ in 0..10 {
        assert_eq!(portal.track_complaint(guess("ann")).await.unwrap_err().code(), Code::NotFound);
    }
    let refusal = portal.track_complaint(guess("ann")).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::ResourceExhausted, "TOO_MANY_GUESSES"));
    let retry = refusal.get_details_retry_info().and_then(|info| info.retry_delay);
    assert_eq!(retry, Some(std::time::Duration::from_secs(6)));

    portal.track_complaint(right("ann")).await.expect("a right code is always answered");
    for end_user in ["bob", ""] {
        portal.track_complaint(right(end_user)).await.expect("nobody pays for another");
        assert_eq!(portal.track_complaint(guess(end_user)).await.unwrap_err().code(), Code::NotFound);
    }
    scene.advance(jiff::SignedDuration::from_secs(6));
    assert_eq!(portal.track_complaint(guess("ann")).await.unwrap_err().code(), Code::NotFound);
    scene.house.done().await;
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let db = house.db("cases");
    let case = db.ids().id(db.clock().now());
    let told = registered(case, complaint(), db.clock().now());
    house.tell_as("tenant-a", "intake", case, &told).await;
    house.settled().await;
    let [a, b] = ["tenant-a", "tenant-b"]
        .map(|tenant| CaseServiceClient::new(house.channel_as(tenant, "ann", &["agent"])));
    assert_eq!(get(&a, case).await.unwrap().case_id, case.to_string());
    assert_eq!(refused(get(&b, case).await), not_found());
    let track = TrackComplaintRequest { receipt_code: receipt(case).to_string(), ..Default::default() };
    assert!(a.clone().track_complaint(track.clone()).await.is_ok());
    assert_eq!(refused(b.clone().track_complaint(track).await).1, "RECEIPT_CODE_UNKNOWN");
    let listed = b.clone().list_cases(ListCasesRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.cases.len(), 0);
    assert_eq!(b.clone().count_cases(CountCasesRequest {}).await.unwrap().into_inner().total, 0);
    let timeline = GetTimelineRequest { case_id: case.to_string(), ..GetTimelineRequest::default() };
    assert_eq!(refused(b.clone().get_timeline(timeline).await), not_found());
    let decline = |request_id: &str| DeclineCaseRequest {
        request_id: request_id.to_owned(),
        case_id: case.to_string(),
        expected_version: None,
        referral: "the ombudsman".to_owned(),
        ground: String::new(),
    };
    let key = request_id();
    assert!(a.clone().decline_case(decline(&key)).await.is_ok());
    assert_eq!(refused(b.clone().decline_case(decline(&key)).await), not_found(), "nor is its key answered");
    // The same complaint id in another tenant is another case.
    house.tell_as("tenant-b", "intake", case, &told).await;
    house.settled().await;
    assert_eq!(get(&b, case).await.unwrap().state(), CaseState::Triaged);
    assert_eq!(get(&a, case).await.unwrap().state(), CaseState::OutOfScope);
    house.done().await;
}

#[tokio::test]
async fn what_was_tried_before_is_put_in_front_of_who_reads_the_case() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let before = async || -> Vec<EarlierCycle> {
        let request = GetCaseRequest { case_id: case.to_string() };
        scene.cases.clone().get_case(request).await.unwrap().into_inner().earlier_cycles
    };
    let findings = RecordFindingsRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        findings: "the box was crushed".to_owned(),
        ..RecordFindingsRequest::default()
    };
    scene.cases.clone().record_findings(findings).await.unwrap();
    let note = AddNoteRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        text: "between us".to_owned(),
        visibility: Visibility::Restricted.into(),
    };
    scene.cases.clone().add_note(note).await.unwrap();
    scene.decide(case, false).await;
    assert_eq!(before().await, [], "the first cycle has none before it");
    scene.respond(case, 1, Response::Disputed, "the handle is loose").await;
    let told = |earlier: &EarlierCycle| earlier.entries.iter().map(TimelineEntry::kind).collect::<Vec<_>>();
    let one_cycle = [
        TimelineKind::Findings,
        TimelineKind::Decided,
        TimelineKind::Resolved,
        TimelineKind::Response,
        TimelineKind::Reopened,
    ];
    let [first] = before().await.try_into().unwrap();
    assert_eq!((first.cycle, told(&first)), (1, one_cycle.to_vec()));
    let texts: Vec<&str> = first.entries.iter().map(|entry| entry.text.as_str()).collect();
    assert!(
        texts[0].contains("the box was crushed") && texts[1].contains("the carrier dropped it"),
        "{texts:?}"
    );
    assert!(texts[4].contains("the handle is loose"), "{texts:?}");

    scene.assign(case, 2).await;
    scene.decide(case, false).await;
    assert_eq!(before().await.len(), 1, "what is tried now is not before");
    scene.respond(case, 2, Response::Disputed, "it fell off").await;
    let all = before().await;
    assert_eq!(all.iter().map(|earlier| earlier.cycle).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(told(&all[1]), one_cycle[1..].to_vec());
    scene.house.done().await;
}
