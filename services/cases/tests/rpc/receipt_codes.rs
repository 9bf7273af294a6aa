//! Complaints withdrawn as their complainants: by receipt code, or by a channel for them.

use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::cases::v1::{
    CaseState, CaseWithdrawn, MergeCaseRequest, TrackComplaintRequest, WithdrawComplaintRequest,
    WithdrawalSource,
};
use proto::redress::intake::v1::Complainant;
use testkit::{House, reason, request_id, violations};
use tonic::Code;
use uuid::Uuid;

use crate::scene::{Client, Scene, complaint, get, receipt, registered};

fn by_code(case: Uuid) -> WithdrawComplaintRequest {
    WithdrawComplaintRequest {
        request_id: request_id(),
        receipt_code: receipt(case).to_string(),
        end_user: "session 7".to_owned(),
        reason: "it turned up".to_owned(),
        confirmed: true,
        ..WithdrawComplaintRequest::default()
    }
}

fn portal(house: &House) -> Client {
    CaseServiceClient::new(house.channel_as("development", "portal", &["channel"]))
}

async fn told(scene: &Scene, case: Uuid) -> Vec<(i32, WithdrawalSource)> {
    let told: Vec<CaseWithdrawn> = scene.house.published("cases").await;
    let told = told.iter().filter(|event| event.case_id == case.to_string());
    told.map(|event| (event.cycle, event.source())).collect()
}

#[tokio::test]
async fn who_has_the_code_withdraws_the_complaint_and_sees_that_it_is() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    let request = WithdrawComplaintRequest {
        receipt_code: receipt(case).to_string().to_lowercase().replace('-', " "),
        ..by_code(case)
    };
    let answer = portal(&scene.house).withdraw_complaint(request.clone()).await.unwrap().into_inner();
    assert_eq!(answer.state(), CaseState::Withdrawn);
    assert_eq!(answer.withdraw_time, Some(proto::timestamp(scene.now())));
    let again = portal(&scene.house).withdraw_complaint(request).await.unwrap().into_inner();
    assert_eq!(again, answer, "sent again it is the same");
    assert_eq!(told(&scene, case).await, [(1, WithdrawalSource::ReceiptCode)]);
    let timeline = scene.timeline(case).await;
    let last = timeline.last().unwrap();
    assert_eq!(last.text, "the complainant withdrew, by the receipt code: it turned up");
    let refusal = portal(&scene.house).withdraw_complaint(by_code(case)).await.unwrap_err();
    let expected = (Code::FailedPrecondition, "INVALID_CASE_STATE".to_owned());
    assert_eq!((refusal.code(), reason(&refusal)), expected, "once over it is over");
    scene.house.done().await;
}

#[tokio::test]
async fn a_channel_withdraws_for_whom_it_knows_and_nobody_without_being_asked() {
    let scene = Scene::open().await;
    let case = scene.resolved().await;
    let request = WithdrawComplaintRequest {
        case_id: case.to_string(),
        receipt_code: String::new(),
        confirmed: false,
        ..by_code(case)
    };
    let refusal = portal(&scene.house).withdraw_complaint(request.clone()).await.unwrap_err();
    assert_eq!((refusal.code(), violations(&refusal)), (Code::InvalidArgument, vec!["confirmed".to_owned()]));
    assert_eq!(scene.case(case).await.state(), CaseState::Resolved);
    let request = WithdrawComplaintRequest { confirmed: true, ..request };
    portal(&scene.house).withdraw_complaint(request).await.unwrap();
    assert_eq!(told(&scene, case).await, [(1, WithdrawalSource::Channel)]);

    let bad = WithdrawComplaintRequest {
        case_id: case.to_string(),
        reason: "x".repeat(2_001),
        request_id: String::new(),
        ..by_code(case)
    };
    let refusal = portal(&scene.house).withdraw_complaint(bad).await.unwrap_err();
    assert_eq!(violations(&refusal), ["request_id", "receipt_code", "reason"], "one of the two, not both");
    scene.house.done().await;
}

#[tokio::test]
async fn staff_and_whom_it_is_about_withdraw_nothing_so() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let db = house.db("cases");
    let case = db.ids().id(db.clock().now());
    house.tell_as("tenant-a", "intake", case, &registered(case, complaint(), db.clock().now())).await;
    house.settled().await;
    let client = |tenant: &str, subject: &str, role: &str| {
        CaseServiceClient::new(house.channel_as(tenant, subject, &[role]))
    };
    for (subject, role, refused) in [
        ("boss", "supervisor", "ROLE_REQUIRED"),
        ("bob", "agent", "ROLE_REQUIRED"),
        ("Mallory", "channel", "CALLER_RECUSED"),
    ] {
        let refusal = client("tenant-a", subject, role).withdraw_complaint(by_code(case)).await.unwrap_err();
        assert_eq!(
            (refusal.code(), reason(&refusal).as_str()),
            (Code::PermissionDenied, refused),
            "{subject}"
        );
    }
    let refusal =
        client("tenant-b", "portal", "channel").withdraw_complaint(by_code(case)).await.unwrap_err();
    assert_eq!(reason(&refusal), "RECEIPT_CODE_UNKNOWN", "another tenant's");
    let reader = client("tenant-a", "ann", "agent");
    assert_eq!(get(&reader, case).await.unwrap().state(), CaseState::Triaged);
    client("tenant-a", "portal", "channel").withdraw_complaint(by_code(case)).await.unwrap();
    assert_eq!(get(&reader, case).await.unwrap().state(), CaseState::Withdrawn);
    house.done().await;
}

#[tokio::test]
async fn a_wrong_code_tells_nothing_and_counts_as_one_that_tracks() {
    let scene = Scene::timed().await;
    let case = scene.triaged().await;
    let mut portal = portal(&scene.house);
    let wrong =
        || WithdrawComplaintRequest { receipt_code: receipt(scene.new_id()).to_string(), ..by_code(case) };
    let track = || TrackComplaintRequest {
        receipt_code: receipt(scene.new_id()).to_string(),
        end_user: "session 7".to_owned(),
    };
    for _ in 0..5 {
        let refusal = portal.withdraw_complaint(wrong()).await.unwrap_err();
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "RECEIPT_CODE_UNKNOWN"));
        assert_eq!(portal.track_complaint(track()).await.unwrap_err().code(), Code::NotFound);
        let slip = WithdrawComplaintRequest { receipt_code: "nonsense".to_owned(), ..by_code(case) };
        let refusal = portal.withdraw_complaint(slip).await.unwrap_err();
        assert_eq!(reason(&refusal), "RECEIPT_CODE_UNKNOWN", "a slip is no guess");
    }
    for refusal in [
        portal.withdraw_complaint(wrong()).await.unwrap_err(),
        portal.track_complaint(track()).await.unwrap_err(),
    ] {
        assert_eq!(
            (refusal.code(), reason(&refusal).as_str()),
            (Code::ResourceExhausted, "TOO_MANY_GUESSES")
        );
    }
    portal.withdraw_complaint(by_code(case)).await.expect("a right code is always taken");
    scene.house.done().await;
}

/// Merges a case into another; where they are of different people, why so.
async fn merge(scene: &Scene, case: Uuid, into: Uuid, across: &str) {
    let request = MergeCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        into_case_id: into.to_string(),
        reason: "told twice".to_owned(),
        different_complainants_reason: across.to_owned(),
        ..MergeCaseRequest::default()
    };
    LinkServiceClient::new(scene.house.channel()).merge_case(request).await.expect("merged");
}

#[tokio::test]
async fn of_a_merged_case_the_one_that_stands_for_it_is_withdrawn_unless_it_is_of_others() {
    let scene = Scene::open().await;
    let (first, second) = (scene.triaged().await, scene.triaged().await);
    merge(&scene, second, first, "").await;
    portal(&scene.house).withdraw_complaint(by_code(second)).await.unwrap();
    assert_eq!(scene.case(first).await.state(), CaseState::Withdrawn);
    assert_eq!(scene.case(second).await.state(), CaseState::Merged);

    let mine = scene.triaged().await;
    let other = Complainant { customer_id: "c-2".to_owned(), ..Complainant::default() };
    let theirs = scene
        .register(proto::redress::intake::v1::Complaint { complainant: Some(other), ..complaint() })
        .await;
    merge(&scene, mine, theirs, "one broken batch").await;
    for case in [mine, theirs] {
        let refusal = portal(&scene.house).withdraw_complaint(by_code(case)).await.unwrap_err();
        assert_eq!(reason(&refusal), "STANDS_FOR_OTHERS");
    }
    assert_eq!(scene.case(theirs).await.state(), CaseState::Triaged);
    scene.house.done().await;
}
