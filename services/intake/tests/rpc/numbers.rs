//! A channel's numbers: told again, given twice, allowed to repeat.

use std::collections::HashSet;

use futures::future::join_all;
use proto::redress::intake::v1::channel_service_client::ChannelServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::row_verdict::Verdict;
use proto::redress::intake::v1::{
    Channel, ChannelHealth, ChannelSettings, ChannelState, Complainant, Complaint, GetChannelSettingsRequest,
    ListChannelSettingsRequest, SubmitComplaintResponse, SubmitComplaintsRequest,
    UpdateChannelSettingsRequest,
};
use testkit::{CallerChannel, House, reason, request_id, violations};
use tonic::{Code, Status};

use crate::{complaint, count, submission, tokio_stream};

/// Somebody else's complaint under the same number.
fn another(external_ref: &str) -> Complaint {
    let complainant = Complainant { customer_id: "C-8".to_owned(), ..Complainant::default() };
    Complaint { complainant: Some(complainant), ..complaint(external_ref) }
}

async fn submit(house: &House, complaint: Complaint) -> Result<SubmitComplaintResponse, Status> {
    let mut client = IntakeServiceClient::new(house.channel());
    Ok(client.submit_complaint(submission(complaint)).await?.into_inner())
}

/// The refusal says nothing of the complaint that stands.
fn expect_reused(answer: Result<SubmitComplaintResponse, Status>, standing: &SubmitComplaintResponse) {
    let refused = answer.expect_err("the number is another's");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "EXTERNAL_REF_REUSED"));
    let told = format!("{refused:?} {:?}", String::from_utf8_lossy(refused.details()));
    assert!(!told.contains(&standing.complaint_id) && !told.contains(&standing.receipt_code), "{told}");
}

async fn settle(client: &mut ChannelServiceClient<CallerChannel>, repeat: bool) -> ChannelSettings {
    let request = UpdateChannelSettingsRequest {
        request_id: request_id(),
        channel: Channel::Web.into(),
        external_refs_repeat: repeat,
        ..UpdateChannelSettingsRequest::default()
    };
    let answer = client.update_channel_settings(request).await.expect("it is settled");
    answer.into_inner().settings.expect("settings")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_with_another_content_is_refused_and_nobody_elses_code_is_told() {
    let house = House::open(&[intake::SERVICE]).await;
    let first = submit(&house, complaint("7")).await.unwrap();
    let others = [
        another("7"),
        Complaint { description: "Something else.".to_owned(), ..complaint("7") },
        Complaint { complainant: None, ..complaint("7") },
    ];
    for other in others {
        expect_reused(submit(&house, other).await, &first);
    }
    // The key of a refused one is free: with a number of its own it is registered.
    let mut client = IntakeServiceClient::new(house.channel());
    let request = submission(another("7"));
    assert!(client.submit_complaint(request.clone()).await.is_err());
    let mended =
        proto::redress::intake::v1::SubmitComplaintRequest { complaint: Some(another("8")), ..request };
    assert!(client.submit_complaint(mended).await.is_ok());
    let again = submit(&house, complaint("7")).await.unwrap();
    assert_eq!(again, SubmitComplaintResponse { already_registered: true, ..first.clone() });

    let row = |key: &str, complaint| SubmitComplaintsRequest {
        request_id: key.to_owned(),
        complaint: Some(complaint),
    };
    let rows = vec![row("a", another("7")), row("b", complaint("7")), row("c", another("9"))];
    let verdicts = client.submit_complaints(tokio_stream(rows)).await.unwrap().into_inner().verdicts;
    let Some(Verdict::Refused(refused)) = &verdicts[0].verdict else { panic!("{:?}", verdicts[0]) };
    assert_eq!(refused.reason, "EXTERNAL_REF_REUSED");
    assert!(!format!("{:?}", verdicts[0]).contains(&first.receipt_code));
    let registered = |place: usize| match &verdicts[place].verdict {
        Some(Verdict::Registered(registered)) => registered.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(registered(1).receipt_code, first.receipt_code);
    assert!(!registered(2).already_registered);
    assert_eq!(count(&house).await, 3);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_number_given_to_many_at_once_is_the_firsts() {
    let house = House::open(&[intake::SERVICE]).await;
    let answers = join_all((0..60).map(|place| {
        let house = &house;
        async move {
            let customer = format!("C-{}", place % 20);
            let complainant = Complainant { customer_id: customer.clone(), ..Complainant::default() };
            let one = Complaint { complainant: Some(complainant), ..complaint("rounded") };
            (customer, submit(house, one).await)
        }
    }))
    .await;
    let registered: HashSet<(String, String)> = answers
        .iter()
        .filter_map(|(customer, answer)| Some((customer.clone(), answer.as_ref().ok()?.receipt_code.clone())))
        .collect();
    assert_eq!(registered.len(), 1, "one person has one code: {registered:?}");
    for (_, answer) in answers.iter().filter(|(_, answer)| answer.is_err()) {
        assert_eq!(reason(answer.as_ref().unwrap_err()), "EXTERNAL_REF_REUSED");
    }
    assert_eq!(answers.iter().filter(|(_, answer)| answer.is_ok()).count(), 3);
    assert_eq!(count(&house).await, 1);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_used_by_another_caller_for_something_else_tells_nothing() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let [ann, bob] = ["ann", "bob"].map(|subject| house.channel_as("acme", subject, &["channel"]));
    let request = submission(complaint(""));
    let first = IntakeServiceClient::new(ann).submit_complaint(request.clone()).await.unwrap().into_inner();
    let other =
        proto::redress::intake::v1::SubmitComplaintRequest { complaint: Some(another("")), ..request };
    let refused = IntakeServiceClient::new(bob).submit_complaint(other).await.unwrap_err();
    assert_eq!(reason(&refused), "IDEMPOTENCY_KEY_REUSED");
    let told = format!("{refused:?} {:?}", String::from_utf8_lossy(refused.details()));
    assert!(!told.contains(&first.complaint_id) && !told.contains(&first.receipt_code));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_of_before_is_compared_by_what_it_says() {
    let house = House::open(&[intake::SERVICE]).await;
    let first = submit(&house, complaint("7")).await.unwrap();
    let mut owner = house.owner().await;
    let forget = "UPDATE intake.complaint SET content_hash = NULL";
    sqlx::query(forget).execute(&mut owner).await.unwrap();
    expect_reused(submit(&house, another("7")).await, &first);
    let again = submit(&house, complaint("7")).await.unwrap();
    assert_eq!(again, SubmitComplaintResponse { already_registered: true, ..first.clone() });
    // Where numbers begin to repeat, it is still known.
    settle(&mut ChannelServiceClient::new(house.channel()), true).await;
    assert_eq!(submit(&house, complaint("7")).await.unwrap(), again);
    assert!(!submit(&house, another("7")).await.unwrap().already_registered);
    assert_eq!(count(&house).await, 2);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_repeat_are_complaints_of_their_own() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut channels = ChannelServiceClient::new(house.channel());
    let before = submit(&house, complaint("7")).await.unwrap();
    assert_eq!(settle(&mut channels, true).await.version, 1);
    let other = submit(&house, another("7")).await.unwrap();
    assert_ne!(other.receipt_code, before.receipt_code);
    // What is told again is known, whether it came before the setting or after.
    let again = |first: &SubmitComplaintResponse| SubmitComplaintResponse {
        already_registered: true,
        ..first.clone()
    };
    assert_eq!(submit(&house, complaint("7")).await.unwrap(), again(&before));
    assert_eq!(submit(&house, another("7")).await.unwrap(), again(&other));
    // Elsewhere numbers are still one complaint's.
    let elsewhere = |one: Complaint| Complaint { channel: Channel::Email.into(), ..one };
    let mail = submit(&house, elsewhere(complaint("7"))).await.unwrap();
    expect_reused(submit(&house, elsewhere(another("7"))).await, &mail);

    assert_eq!(settle(&mut channels, false).await.version, 2);
    assert_eq!(submit(&house, another("7")).await.unwrap(), again(&other), "it came meanwhile");
    let third = Complaint { subject: "A third".to_owned(), ..complaint("7") };
    expect_reused(submit(&house, third).await, &before);
    assert_eq!(count(&house).await, 3);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_channel_are_read_and_changed_by_version() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let client =
        |tenant: &str, role: &str| ChannelServiceClient::new(house.channel_as(tenant, "ann", &[role]));
    let get = GetChannelSettingsRequest { channel: Channel::Web.into() };
    let read = async |tenant: &str| {
        client(tenant, "reader").get_channel_settings(get).await.unwrap().into_inner().settings.unwrap()
    };
    let health = ChannelHealth { state: ChannelState::Unwatched.into(), ..ChannelHealth::default() };
    let default =
        ChannelSettings { channel: Channel::Web.into(), health: Some(health), ..ChannelSettings::default() };
    assert_eq!(read("acme").await, default);
    let request = UpdateChannelSettingsRequest {
        request_id: request_id(),
        channel: Channel::Web.into(),
        external_refs_repeat: true,
        expected_version: Some(0),
        ..UpdateChannelSettingsRequest::default()
    };
    let refused = client("acme", "channel").update_channel_settings(request.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut admin = client("acme", "admin");
    let settled =
        admin.update_channel_settings(request.clone()).await.unwrap().into_inner().settings.unwrap();
    assert_eq!((settled.version, settled.updater.as_str(), settled.external_refs_repeat), (1, "ann", true));
    assert!(settled.update_time.is_some());
    let again = admin.update_channel_settings(request.clone()).await.unwrap().into_inner().settings.unwrap();
    assert_eq!(again, settled, "repeated");
    assert_eq!(read("acme").await, settled);
    assert_eq!(read("globex").await, default, "another tenant's");
    let late = UpdateChannelSettingsRequest { request_id: request_id(), ..request };
    let refused = admin.update_channel_settings(late).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "VERSION_MISMATCH"));
    let listed = client("acme", "reader").list_channel_settings(ListChannelSettingsRequest {}).await.unwrap();
    let listed = listed.into_inner().settings;
    assert_eq!(listed.iter().map(|one| one.channel).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    assert_eq!(listed[4], settled);
    let empty = admin.update_channel_settings(UpdateChannelSettingsRequest::default()).await.unwrap_err();
    assert_eq!(violations(&empty), ["request_id", "channel"]);
    house.done().await;
}
