//! Menus of a telephone system: created, tried, put in force; what they fill in of a call, and
//! that a call told again is the same one whatever menu is in force.

use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::ivr_menu_service_client::IvrMenuServiceClient;
use proto::redress::intake::v1::{
    ActivateIvrMenuRequest, Channel, Complainant, Complaint, ComplaintRegistered, CreateIvrMenuRequest,
    GetComplaintRequest, GetIvrMenuRequest, IvrChoice, IvrLabel, IvrMenu, ListIvrMenusRequest, Matter,
    PhoneDetail, SubmitComplaintRequest, SubmitComplaintResponse, TryIvrMenuRequest,
};
use testkit::{CallerChannel, House, consistency_token, reason, request_id, violations};
use tonic::{Code, Status};

use crate::{complaint, count, submission};

type Client = IvrMenuServiceClient<CallerChannel>;

fn choice(keys: &str, zh: &str, en: &str) -> IvrChoice {
    let label =
        |language: &str, text: &str| IvrLabel { language: language.to_owned(), text: text.to_owned() };
    IvrChoice {
        keys: keys.to_owned(),
        labels: vec![label("zh", zh), label("en", en)],
        ..IvrChoice::default()
    }
}

fn menu() -> IvrMenu {
    IvrMenu {
        note: "as of autumn".to_owned(),
        language: "zh-CN".to_owned(),
        choices: vec![
            IvrChoice { category_hint: "delivery".to_owned(), ..choice("1", "物流", "Delivery") },
            IvrChoice {
                category_hint: "delivery/damaged".to_owned(),
                language: "en".to_owned(),
                ..choice("1.3", "破损", "Damaged")
            },
            IvrChoice { call_back: true, ..choice("1.#", "请回电", "Call me back") },
            IvrChoice { matter: Matter::Report.into(), ..choice("9", "举报", "Report") },
        ],
        ..IvrMenu::default()
    }
}

async fn create(client: &Client, menu: IvrMenu) -> IvrMenu {
    let request = CreateIvrMenuRequest { request_id: request_id(), menu: Some(menu) };
    client.clone().create_ivr_menu(request).await.unwrap().into_inner().menu.expect("a menu")
}

async fn activate(client: &Client, version: i64, expected: Option<i64>) -> Result<i64, Status> {
    let request = ActivateIvrMenuRequest { request_id: request_id(), version, expected_version: expected };
    Ok(client.clone().activate_ivr_menu(request).await?.into_inner().previous_version)
}

/// A call that says something, with keys.
fn call(external_ref: &str, keys: &str) -> Complaint {
    let phone = PhoneDetail { ivr_keys: keys.to_owned(), ..PhoneDetail::default() };
    Complaint {
        channel: Channel::Phone.into(),
        channel_detail: Some(ChannelDetail::Phone(phone)),
        ..complaint(external_ref)
    }
}

/// A call nobody took: nothing is told but the keys and the number.
fn missed(external_ref: &str, keys: &str) -> Complaint {
    let complainant = Complainant { phone: "+86 138 0013 8000".to_owned(), ..Complainant::default() };
    let phone = PhoneDetail { ivr_keys: keys.to_owned(), missed_call: true, ..PhoneDetail::default() };
    Complaint {
        channel: Channel::Phone.into(),
        external_ref: external_ref.to_owned(),
        complainant: Some(complainant),
        channel_detail: Some(ChannelDetail::Phone(phone)),
        ..Complaint::default()
    }
}

fn with_phone(complaint: Complaint, change: impl FnOnce(&mut PhoneDetail)) -> Complaint {
    let mut complaint = complaint;
    if let Some(ChannelDetail::Phone(phone)) = &mut complaint.channel_detail {
        change(phone);
    }
    complaint
}

async fn submit(house: &House, complaint: Complaint) -> Result<SubmitComplaintResponse, Status> {
    let mut client = IntakeServiceClient::new(house.channel());
    Ok(client.submit_complaint(submission(complaint)).await?.into_inner())
}

async fn kept(house: &House, id: &str) -> (Complaint, PhoneDetail) {
    let request = GetComplaintRequest { complaint_id: id.to_owned() };
    let answer = IntakeServiceClient::new(house.channel()).get_complaint(request).await.unwrap();
    let complaint = answer.into_inner().complaint.expect("a complaint");
    let Some(ChannelDetail::Phone(phone)) = complaint.channel_detail.clone() else {
        panic!("{complaint:?}");
    };
    (complaint, phone)
}

async fn registered(house: &House, complaint: Complaint) -> (Complaint, PhoneDetail) {
    let answer = submit(house, complaint).await.unwrap();
    kept(house, &answer.complaint_id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_menu_is_created_tried_and_put_in_force() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let none = client.clone().get_ivr_menu(GetIvrMenuRequest::default()).await.expect_err("none is in force");
    assert_eq!((none.code(), reason(&none).as_str()), (Code::NotFound, "IVR_MENU_NOT_FOUND"));
    let request = CreateIvrMenuRequest { request_id: request_id(), menu: Some(menu()) };
    let first = client.clone().create_ivr_menu(request.clone()).await.unwrap();
    let again = client.clone().create_ivr_menu(request).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&again));
    let made = first.into_inner().menu.unwrap();
    assert_eq!((made.version, made.active, made.creator.as_str()), (1, false, "developer"));
    assert_eq!(made.choices, menu().choices, "as they were written");

    // A call that came before any menu was in force.
    let early = submit(&house, call("c-1", "1.3.7")).await.unwrap().complaint_id;
    let trial = TryIvrMenuRequest {
        version: 1,
        keys: vec!["1.#".to_owned(), "7".to_owned()],
        latest: 10,
        language: String::new(),
    };
    let tried = client.clone().try_ivr_menu(trial).await.unwrap().into_inner();
    let known: Vec<_> =
        tried.resolutions.iter().map(|one| (one.known_keys.as_str(), one.call_back)).collect();
    assert_eq!((tried.version, known), (1, vec![("1.#", true), ("", false), ("1.3", false)]));
    let of_call = &tried.resolutions[2];
    assert_eq!((of_call.complaint_id.as_str(), of_call.keys.as_str()), (early.as_str(), "1.3.7"));
    assert_eq!(of_call.labels, ["Delivery", "Damaged"], "in the complaint's language");
    assert!(of_call.registered_labels.is_empty());

    assert_eq!(activate(&client, 1, Some(0)).await.unwrap(), 0);
    let second = create(&client, IvrMenu { choices: vec![choice("2", "账单", "Billing")], ..menu() }).await;
    let stale = activate(&client, second.version, Some(0)).await.expect_err("another is in force");
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "VERSION_MISMATCH"));
    let in_force = client.clone().get_ivr_menu(GetIvrMenuRequest::default()).await.unwrap().into_inner();
    assert_eq!(in_force.menu.map(|menu| (menu.version, menu.active)), Some((1, true)), "nothing was changed");
    assert_eq!(activate(&client, 2, Some(1)).await.unwrap(), 1);
    let list = client.clone().list_ivr_menus(ListIvrMenusRequest::default()).await.unwrap().into_inner();
    let listed: Vec<_> =
        list.menus.iter().map(|menu| (menu.version, menu.active, menu.choices.len())).collect();
    assert_eq!(listed, [(2, true, 0), (1, false, 0)]);
    assert_eq!(activate(&client, 0, None).await.unwrap(), 2);
    let unknown = activate(&client, 7, None).await.expect_err("there is none");
    assert_eq!(reason(&unknown), "IVR_MENU_NOT_FOUND");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_menu_is_its_tenants_alone() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let theirs = Client::new(house.channel_as("acme", "ada", &["admin"]));
    create(&theirs, menu()).await;
    activate(&theirs, 1, None).await.unwrap();
    let others = Client::new(house.channel_as("bolt", "bob", &["admin"]));
    let list = others.clone().list_ivr_menus(ListIvrMenusRequest::default()).await.unwrap().into_inner();
    assert!(list.menus.is_empty());
    let none = activate(&others, 1, None).await.expect_err("it is another tenant's");
    assert_eq!(reason(&none), "IVR_MENU_NOT_FOUND");
    assert_eq!(create(&others, menu()).await.version, 1, "each counts for itself");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_fills_in_what_a_call_leaves_open_and_nothing_else() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    create(&client, menu()).await;
    activate(&client, 1, None).await.unwrap();

    let open = Complaint { language: String::new(), ..call("c-1", "1.3.49288888#") };
    let (complaint, phone) = registered(&house, open).await;
    assert_eq!(
        (complaint.language.as_str(), complaint.category_hint.as_str(), complaint.matter()),
        ("en", "delivery/damaged", Matter::Unspecified)
    );
    assert_eq!((phone.ivr_result.as_str(), phone.ivr_menu_version), ("Delivery > Damaged", 1));
    assert_eq!(phone.ivr_labels, ["Delivery", "Damaged"]);
    assert!(!phone.call_back_requested);
    assert_eq!(complaint.filled_fields, ["language", "category_hint", "phone.ivr_result"]);
    let told: Vec<ComplaintRegistered> = house.published("intake").await;
    assert_eq!(told[0].complaint.as_ref(), Some(&complaint), "others hear of it as it is kept");

    // What is told stands; what output fields a channel makes up does not.
    let told = with_phone(call("c-2", "9"), |phone| {
        phone.ivr_result = "agent".to_owned();
        phone.ivr_labels = vec!["made up".to_owned()];
        phone.ivr_menu_version = 99;
        phone.call_back_requested = true;
    });
    let told =
        Complaint { category_hint: "fraud".to_owned(), filled_fields: vec!["subject".to_owned()], ..told };
    let (complaint, phone) = registered(&house, told).await;
    assert_eq!((complaint.category_hint.as_str(), complaint.matter()), ("fraud", Matter::Report));
    assert_eq!((phone.ivr_result.as_str(), phone.ivr_labels), ("agent", vec!["Report".to_owned()]));
    assert_eq!((phone.ivr_menu_version, phone.call_back_requested), (1, false));
    assert_eq!(complaint.filled_fields, ["matter"]);

    // Keys that the menu does not know at all lose nothing.
    for keys in ["5.5", "1..3", "abc", "*#06#"] {
        let (complaint, phone) =
            registered(&house, Complaint { language: String::new(), ..call("", keys) }).await;
        assert_eq!((complaint.language.as_str(), phone.ivr_keys.as_str()), ("zh-CN", keys));
    }
    // A choice asks for a call-back where there is a number.
    let silent = with_phone(call("", "1.#"), |_| {});
    assert!(!registered(&house, silent.clone()).await.1.call_back_requested, "there is no number");
    let masked = with_phone(silent, |phone| {
        phone.masked_number = "170 0001 2345".to_owned();
        phone.masked_number_expire_time = Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 });
    });
    assert!(registered(&house, masked).await.1.call_back_requested);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_call_needs_no_words_but_a_number() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    // Without a menu its language must be told.
    let refused = submit(&house, missed("m-0", "1.3")).await.expect_err("no language");
    assert_eq!(
        (reason(&refused).as_str(), violations(&refused)),
        ("INVALID_COMPLAINT", vec!["complaint.language".to_owned()])
    );
    let (complaint, phone) =
        registered(&house, Complaint { language: "zh-CN".to_owned(), ..missed("m-0", "1.3") }).await;
    assert_eq!((complaint.subject.as_str(), complaint.description.as_str()), ("未接来电", "未接来电"));
    assert!(phone.call_back_requested);

    create(&client, menu()).await;
    activate(&client, 1, None).await.unwrap();
    let (complaint, phone) = registered(&house, missed("m-1", "1.3")).await;
    let said = "Missed call; menu: Delivery > Damaged";
    assert_eq!((complaint.subject.as_str(), complaint.description.as_str()), (said, said));
    assert_eq!((phone.call_back_requested, complaint.category_hint.as_str()), (true, "delivery/damaged"));
    // Its own words stand.
    let voicemail = Complaint { description: "Call me, please.".to_owned(), ..missed("m-2", "1.3") };
    let (complaint, _) = registered(&house, voicemail).await;
    assert_eq!((complaint.subject.as_str(), complaint.description.as_str()), (said, "Call me, please."));

    // Neither words nor a number.
    let nobody = Complaint { complainant: None, ..missed("m-3", "1.3") };
    let refused = submit(&house, nobody.clone()).await.expect_err("there is nobody to call");
    assert_eq!(violations(&refused), ["complaint.phone.missed_call"]);
    let words = Complaint { description: "I shall write a letter.".to_owned(), ..nobody };
    assert!(!registered(&house, words).await.1.call_back_requested);
    // A call somebody took says what it is about.
    let taken = with_phone(missed("m-4", "1.3"), |phone| phone.missed_call = false);
    let refused = submit(&house, taken).await.expect_err("words are missing");
    assert_eq!(violations(&refused), ["complaint.subject", "complaint.description"]);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_told_again_is_the_same_whatever_menu_is_in_force() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    create(&client, menu()).await;
    activate(&client, 1, None).await.unwrap();
    let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(missed("m-1", "1.3")) };
    let mut intake = IntakeServiceClient::new(house.channel());
    let first = intake.submit_complaint(request.clone()).await.unwrap().into_inner();
    let before = kept(&house, &first.complaint_id).await;

    // Another menu, where the same keys mean something else in another language.
    let other = vec![choice("1", "账单", "Billing"), choice("1.3", "退款", "Refund")];
    create(&client, IvrMenu { choices: other, ..menu() }).await;
    activate(&client, 2, None).await.unwrap();
    let again = submit(&house, missed("m-1", "1.3")).await.unwrap();
    assert_eq!((again.complaint_id.as_str(), again.already_registered), (first.complaint_id.as_str(), true));
    // What the telephone system learns later of the same call is the same call.
    let later = with_phone(missed("m-1", "1.3"), |phone| {
        phone.recording_uri = "https://calls.example.org/7?signed=1".to_owned();
        phone.wait = Some(prost_types::Duration { seconds: 90, nanos: 0 });
    });
    assert!(submit(&house, later).await.unwrap().already_registered);
    // None in force: the same request is answered as it was.
    activate(&client, 0, None).await.unwrap();
    assert_eq!(intake.submit_complaint(request).await.unwrap().into_inner(), first);
    assert_eq!(kept(&house, &first.complaint_id).await, before, "what was registered stays");
    assert_eq!(count(&house).await, 1);

    // Other keys under the same number are another call.
    let refused = submit(&house, Complaint { language: "en".to_owned(), ..missed("m-1", "1") }).await;
    assert_eq!(reason(&refused.expect_err("another call")), "EXTERNAL_REF_REUSED");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_call_is_told_at_once() {
    let house = House::open(&[intake::SERVICE]).await;
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let bad = with_phone(call("", "1"), |phone| {
        phone.ivr_keys = "1".repeat(201);
        phone.recording_uri = "https://ann:secret@calls.example.org/7".to_owned();
        phone.masked_number = "1".repeat(41);
        phone.call_time = time(4_000_000_000);
        phone.wait = Some(prost_types::Duration { seconds: 86_401, nanos: 0 });
    });
    let mut told = violations(&submit(&house, bad).await.expect_err("all is wrong"));
    told.sort();
    let wrong =
        ["call_time", "ivr_keys", "masked_number", "masked_number_expire_time", "recording_uri", "wait"];
    assert_eq!(told, wrong.map(|field| format!("complaint.phone.{field}")));
    let alone = with_phone(call("", "1"), |phone| phone.masked_number_expire_time = time(4_000_000_000));
    let told = violations(&submit(&house, alone).await.expect_err("there is no number"));
    assert_eq!(told, ["complaint.phone.masked_number_expire_time"]);
    assert_eq!(count(&house).await, 0);
    house.done().await;
}
