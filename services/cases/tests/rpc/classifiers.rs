//! Classifiers: trained from what people said, looked at, activated; what is read off
//! new complaints, and how a person has the last word.

use proto::redress::cases::v1::classifier_service_client::ClassifierServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    ActivateClassifierRequest, Case, CaseCategorised, CaseOpened, Classifier, ClassifyTextRequest,
    CloseCaseRequest, ConfirmCategoryRequest, DeactivateClassifierRequest, EmotionLevel,
    GetClassifierRequest, GetReadingRequest, ListClassifiersRequest, ListUnconfirmedRequest, Reading,
    RetriageCaseRequest, Threat, TimelineKind, TrainClassifierRequest,
};
use proto::redress::intake::v1::Complaint;
use sqlx::{AssertSqlSafe, Executor as _};
use testkit::{CallerChannel, House, consistency_token, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::{Scene, complaint, registered};

type Client = ClassifierServiceClient<CallerChannel>;

/// What complaints of two categories of this tenant's own say.
const LESSONS: [(&str, [&str; 10]); 2] = [
    (
        "parcels",
        [
            "the courier lost my parcel",
            "parcel late, courier rude",
            "courier never rang, parcel gone",
            "no parcel, no courier",
            "the courier broke the parcel",
            "快递丢了包裹",
            "包裹太慢,快递不送",
            "快递把包裹扔在门口",
            "快递没有送包裹",
            "包裹破了,快递不赔",
        ],
    ),
    (
        "money/invoice",
        [
            "a fee on the invoice charged twice",
            "wrong fee on the invoice",
            "charged a fee, no invoice",
            "the invoice has a fee",
            "what is this fee on my invoice",
            "发票费用错误",
            "发票多收费用",
            "费用很多,没有发票",
            "发票的费用太高",
            "重复的费用,发票错误",
        ],
    ),
];

fn client(scene: &Scene) -> Client {
    ClassifierServiceClient::new(scene.house.channel())
}

fn about(description: &str) -> Complaint {
    Complaint { subject: "A complaint".to_owned(), description: description.to_owned(), ..complaint() }
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

fn confirmation(case: Uuid, category: &str) -> ConfirmCategoryRequest {
    ConfirmCategoryRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        category: category.to_owned(),
    }
}

async fn confirm(client: &Client, case: Uuid, category: &str) -> Result<Case, Status> {
    let answer = client.clone().confirm_category(confirmation(case, category)).await?;
    Ok(answer.into_inner().case.expect("a case"))
}

async fn train(client: &Client, threshold: Option<f64>) -> Result<Classifier, Status> {
    let request = TrainClassifierRequest { request_id: request_id(), threshold };
    Ok(client.clone().train_classifier(request).await?.into_inner().classifier.expect("a classifier"))
}

async fn activate(client: &Client, version: i64) -> Result<Classifier, Status> {
    let request = ActivateClassifierRequest { request_id: request_id(), version };
    Ok(client.clone().activate_classifier(request).await?.into_inner().classifier.expect("a classifier"))
}

async fn get(client: &Client, version: i64) -> Result<Classifier, Status> {
    let answer = client.clone().get_classifier(GetClassifierRequest { version }).await?;
    Ok(answer.into_inner().classifier.expect("a classifier"))
}

async fn reading(client: &Client, case: Uuid) -> Result<Reading, Status> {
    let request = GetReadingRequest { case_id: case.to_string() };
    Ok(client.clone().get_reading(request).await?.into_inner().reading.expect("a reading"))
}

async fn unconfirmed(client: &Client) -> Vec<String> {
    let request = ListUnconfirmedRequest::default();
    let answer = client.clone().list_unconfirmed(request).await.expect("it can be listed");
    answer.into_inner().readings.into_iter().map(|reading| reading.case_id).collect()
}

/// Opens a case for every lesson and says what it is about.
async fn teach(scene: &Scene, client: &Client) -> Vec<Uuid> {
    let mut cases = Vec::new();
    for (category, texts) in LESSONS {
        for text in texts {
            let case = scene.new_id();
            scene.house.tell("intake", case, &registered(case, about(text), scene.now())).await;
            cases.push((case, category));
        }
    }
    scene.house.settled().await;
    for (case, category) in &cases {
        confirm(client, *case, category).await.expect("it can be confirmed");
    }
    cases.into_iter().map(|(case, _)| case).collect()
}

#[tokio::test]
async fn what_people_said_is_learnt_and_new_complaints_are_classified() {
    let scene = Scene::open().await;
    let client = client(&scene);
    let text = |text: &str, version| ClassifyTextRequest { text: text.to_owned(), version };
    let nothing = (Code::NotFound, "CLASSIFIER_NOT_FOUND".to_owned());
    let too_little = (Code::FailedPrecondition, "TOO_LITTLE_TO_LEARN".to_owned());
    assert_eq!(refused(train(&client, None).await), too_little);
    assert_eq!(refused(client.clone().classify_text(text("x", 0)).await), nothing);
    teach(&scene, &client).await;

    let trained = train(&client, Some(0.01)).await.unwrap();
    assert_eq!((trained.version, trained.active, trained.trainer.as_str()), (1, false, "developer"));
    assert_eq!((trained.learnt_count, trained.held_out_count), (16, 4));
    let categories: Vec<&str> =
        trained.categories.iter().map(|category| category.category.as_str()).collect();
    assert_eq!(categories, ["money/invoice", "parcels"]);
    for row in &trained.categories {
        assert_eq!((row.confusion.iter().sum::<i32>(), row.held_out_count), (2, 2));
    }
    assert_eq!(get(&client, 1).await.unwrap(), trained);
    assert_eq!(refused(get(&client, 0).await), nothing, "none is active yet");

    // Tried out before it is active; the same words mean the same then.
    let tried = client.clone().classify_text(text("my parcel! the courier lost it", 1)).await.unwrap();
    assert_eq!(tried.get_ref().guesses[0].category, "parcels");
    let before = scene.register(about("the courier was late")).await;
    assert!(reading(&client, before).await.unwrap().guess.is_none());

    assert!(activate(&client, 1).await.unwrap().active);
    let english = scene.register(about("where is the parcel, says the courier")).await;
    let chinese = scene.register(about("发票的费用不对")).await;
    for (case, category) in [(english, "parcels"), (chinese, "money/invoice")] {
        let (opened, read) = (scene.case(case).await, reading(&client, case).await.unwrap());
        assert_eq!((opened.category.as_str(), read.category.as_str()), (category, category));
        assert_eq!((read.guess.unwrap().category.as_str(), read.classifier_version), (category, 1));
        assert!(!read.unconfirmed);
        assert!(opened.triage_reasons[0].starts_with(&format!("category {category}: classifier 1 is")));
    }
    let told = scene.house.published::<CaseOpened>("cases").await;
    assert_eq!(told.last().unwrap().category, "money/invoice");

    // The channel knows better.
    let hinted = Complaint { category_hint: "loans".to_owned(), ..about("the courier lost my parcel") };
    let hinted = scene.register(hinted).await;
    assert_eq!(scene.case(hinted).await.category, "loans");
    assert!(reading(&client, hinted).await.unwrap().guess.is_none());

    let request = DeactivateClassifierRequest { request_id: request_id() };
    let was = client.clone().deactivate_classifier(request).await.unwrap().into_inner().previous_version;
    assert_eq!(was, 1);
    let after = scene.register(about("the courier lost my parcel")).await;
    assert!(reading(&client, after).await.unwrap().guess.is_none());
    scene.house.done().await;
}

#[tokio::test]
async fn below_the_threshold_a_person_confirms_and_that_is_learnt() {
    let scene = Scene::open().await;
    let client = client(&scene);
    teach(&scene, &client).await;
    train(&client, Some(1.0)).await.unwrap();
    activate(&client, 1).await.unwrap();
    let first = scene.register(about("the courier lost my parcel")).await;
    let second = scene.register(about("a fee on the invoice")).await;
    assert_eq!(unconfirmed(&client).await, [first.to_string(), second.to_string()]);
    let page = ListUnconfirmedRequest { page_size: 1, ..ListUnconfirmedRequest::default() };
    let page = client.clone().list_unconfirmed(page).await.unwrap().into_inner();
    let next = ListUnconfirmedRequest { page_size: 1, page_token: page.next_page_token };
    let next = client.clone().list_unconfirmed(next).await.unwrap().into_inner();
    assert_eq!((next.readings[0].case_id.clone(), next.next_page_token), (second.to_string(), String::new()));

    // A doubtful guess of a closed case teaches nothing; one that was confirmed does.
    let sql = format!("UPDATE cases.cases SET state = 8 WHERE case_id IN ('{first}', '{second}')");
    scene.house.owner().await.execute(AssertSqlSafe(sql)).await.unwrap();
    let trained = train(&client, None).await.unwrap();
    assert_eq!(trained.learnt_count + trained.held_out_count, 20);
    confirm(&client, first, "parcels").await.unwrap();
    assert_eq!(unconfirmed(&client).await, [second.to_string()]);
    let trained = train(&client, None).await.unwrap();
    assert_eq!((trained.version, trained.learnt_count + trained.held_out_count), (3, 21));
    assert!((trained.threshold - 0.6).abs() < 1e-9);

    let list = ListClassifiersRequest { page_size: 2, ..ListClassifiersRequest::default() };
    let page = client.clone().list_classifiers(list.clone()).await.unwrap().into_inner();
    assert_eq!(page.classifiers.iter().map(|kept| kept.version).collect::<Vec<_>>(), [3, 2]);
    assert!(page.classifiers[0].categories.is_empty());
    let list = ListClassifiersRequest { page_token: page.next_page_token, ..list };
    let page = client.clone().list_classifiers(list).await.unwrap().into_inner();
    assert_eq!((page.classifiers[0].version, page.classifiers[0].active), (1, true));
    scene.house.done().await;
}

#[tokio::test]
async fn a_closed_case_teaches_what_the_channel_said() {
    let scene = Scene::open().await;
    let client = client(&scene);
    teach(&scene, &client).await;
    let hinted = Complaint { category_hint: "parcels".to_owned(), ..about("no parcel, no courier") };
    let case = scene.register(hinted).await;
    scene.assign(case, 1).await;
    scene.decide(case, false).await;
    let before = train(&client, None).await.unwrap();
    let close = CloseCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        reason: "settled by telephone".to_owned(),
        ..CloseCaseRequest::default()
    };
    scene.cases.clone().close_case(close).await.unwrap();
    let after = train(&client, None).await.unwrap();
    let texts = |kept: &Classifier| kept.learnt_count + kept.held_out_count;
    assert_eq!((texts(&before), texts(&after)), (20, 21));
    scene.house.done().await;
}

#[tokio::test]
async fn a_person_has_the_last_word() {
    let scene = Scene::open().await;
    let client = client(&scene);
    let case = scene.triaged().await;
    let opened = scene.case(case).await;
    let stale =
        ConfirmCategoryRequest { expected_version: Some(opened.version + 1), ..confirmation(case, "x") };
    let refusal = refused(client.clone().confirm_category(stale).await);
    assert_eq!(refusal, (Code::Aborted, "VERSION_MISMATCH".to_owned()));

    let request = ConfirmCategoryRequest {
        expected_version: Some(opened.version),
        ..confirmation(case, " lids/kettle ")
    };
    let first = client.clone().confirm_category(request.clone()).await.unwrap();
    let again = client.clone().confirm_category(request.clone()).await.unwrap();
    assert_eq!(consistency_token(&again), consistency_token(&first));
    let corrected = first.into_inner().case.unwrap();
    assert_eq!(again.into_inner().case.as_ref(), Some(&corrected));
    assert_eq!((corrected.category.as_str(), corrected.version), ("lids/kettle", opened.version + 1));
    assert_eq!(scene.case(case).await, corrected);
    let altered = ConfirmCategoryRequest { category: "other".to_owned(), ..request };
    let reused = (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned());
    assert_eq!(refused(client.clone().confirm_category(altered).await), reused);

    confirm(&client, case, "lids/kettle").await.unwrap();
    let told: Vec<CaseCategorised> = scene.house.published("cases").await;
    let from: Vec<&str> = told.iter().map(|told| told.previous_category.as_str()).collect();
    assert_eq!(from, [opened.category.as_str(), "lids/kettle"]);
    let timeline = scene.timeline(case).await;
    let last: Vec<_> = timeline.iter().rev().take(2).map(|entry| entry.text.as_str()).collect();
    let correction = format!("corrected to lids/kettle from {}", opened.category);
    assert_eq!(last, ["confirmed as lids/kettle", correction.as_str()]);
    assert!(timeline.iter().skip(1).all(|entry| entry.kind() == TimelineKind::Triaged));
    let read = reading(&client, case).await.unwrap();
    assert_eq!((read.confirmer.as_str(), read.category.as_str()), ("developer", "lids/kettle"));
    assert!(read.confirm_time.is_some());

    // Triage does not overrule the person.
    let request =
        RetriageCaseRequest { request_id: request_id(), case_id: case.to_string(), expected_version: None };
    let mut triage = TriageServiceClient::new(scene.house.channel());
    let after = triage.retriage_case(request).await.unwrap().into_inner().case.unwrap();
    assert_eq!(after.category, "lids/kettle");
    assert_eq!(after.triage_reasons[0], "category lids/kettle: as a person says");
    let unknown = (Code::NotFound, "CASE_NOT_FOUND".to_owned());
    assert_eq!(refused(confirm(&client, Uuid::from_u128(7), "x").await), unknown);
    scene.house.done().await;
}

#[tokio::test]
async fn how_a_text_is_meant_is_read_off_every_complaint() {
    let scene = Scene::open().await;
    let client = client(&scene);
    let calm = scene.register(about("Please tell me where my kettle is.")).await;
    let angry = about("This is unacceptable, you are liars! I will tell the ombudsman and my lawyer.");
    let angry = scene.register(angry).await;
    let read = reading(&client, calm).await.unwrap();
    assert_eq!((read.emotion(), read.threats().count()), (EmotionLevel::Calm, 0));
    let read = reading(&client, angry).await.unwrap();
    assert!(read.emotion() >= EmotionLevel::Angry, "{read:?}");
    assert_eq!(read.threats().collect::<Vec<_>>(), [Threat::Regulator, Threat::Court]);
    // A case of before says that it was not read; a person can confirm it all the same.
    let sql = format!("DELETE FROM cases.case_reading WHERE case_id = '{calm}'");
    scene.house.owner().await.execute(AssertSqlSafe(sql)).await.unwrap();
    assert_eq!(reading(&client, calm).await.unwrap().emotion(), EmotionLevel::Unspecified);
    confirm(&client, calm, "questions").await.unwrap();
    assert_eq!(reading(&client, calm).await.unwrap().confirmer, "developer");
    assert_eq!(refused(reading(&client, Uuid::from_u128(7)).await).0, Code::NotFound);
    scene.house.done().await;
}

#[tokio::test]
async fn a_complaint_told_twice_is_read_once() {
    let scene = Scene::open().await;
    let client = client(&scene);
    teach(&scene, &client).await;
    train(&client, Some(1.0)).await.unwrap();
    activate(&client, 1).await.unwrap();
    let case = scene.new_id();
    let complaint = registered(case, about("the courier lost my parcel"), scene.now());
    let event = scene.house.tell("intake", case, &complaint).await;
    scene.house.tell_raw("intake", event.clone()).await;
    scene.house.tell("intake", case, &complaint).await;
    scene.house.settled().await;
    confirm(&client, case, "parcels").await.unwrap();
    scene.house.tell("intake", case, &complaint).await;
    scene.house.settled().await;
    let read = reading(&client, case).await.unwrap();
    assert_eq!((read.unconfirmed, read.confirmer.as_str()), (false, "developer"));
    assert!(unconfirmed(&client).await.is_empty());
    scene.house.done().await;
}

#[tokio::test]
async fn one_training_at_a_time_and_one_that_died_holds_nobody_up() {
    let scene = Scene::timed().await;
    let mut client = client(&scene);
    teach(&scene, &client).await;
    let sql = format!(
        "INSERT INTO cases.classifier_state VALUES ('development', 0, 0, '{}', '{}')",
        Uuid::from_u128(7),
        scene.now() + jiff::SignedDuration::from_mins(10)
    );
    scene.house.owner().await.execute(AssertSqlSafe(sql)).await.unwrap();
    let request = TrainClassifierRequest { request_id: request_id(), threshold: None };
    let refusal = client.train_classifier(request.clone()).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::Aborted, "TRAINING_UNDER_WAY"));
    assert!(tonic_types::StatusExt::get_details_retry_info(&refusal).is_some());
    scene.advance(jiff::SignedDuration::from_mins(10));
    let first = client.train_classifier(request.clone()).await.unwrap().into_inner();
    // Repeated, it is not trained again; altered, it is refused.
    assert_eq!(client.train_classifier(request.clone()).await.unwrap().into_inner(), first);
    let altered = TrainClassifierRequest { threshold: Some(0.9), ..request };
    let reused = (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned());
    assert_eq!(refused(client.train_classifier(altered).await), reused);
    assert_eq!(refused(activate(&client, 2).await), (Code::NotFound, "CLASSIFIER_NOT_FOUND".to_owned()));
    // Sent at once, one is trained, the other told to wait; then the next follows.
    let (one, other) = tokio::join!(train(&client, None), train(&client, None));
    let trained = [&one, &other].into_iter().filter(|answer| answer.is_ok()).count();
    assert!(trained >= 1, "{one:?} {other:?}");
    for refusal in [one, other].into_iter().filter_map(Result::err) {
        assert_eq!(reason(&refusal), "TRAINING_UNDER_WAY");
    }
    let next = train(&client, None).await.unwrap().version;
    assert_eq!(usize::try_from(next).unwrap(), 2 + trained);
    // What comes of the same cases is the same, to the figure.
    let (a, b) = (get(&client, 1).await.unwrap(), get(&client, next).await.unwrap());
    assert_eq!((a.categories, a.macro_f1.to_bits()), (b.categories, b.macro_f1.to_bits()));
    scene.house.done().await;
}

#[tokio::test]
async fn bad_requests_are_refused_with_everything_wrong() {
    let scene = Scene::open().await;
    let mut client = client(&scene);
    let training = TrainClassifierRequest { request_id: String::new(), threshold: Some(f64::NAN) };
    let refusal = client.train_classifier(training).await.unwrap_err();
    assert_eq!(violations(&refusal), ["request_id", "threshold"]);
    let activation = ActivateClassifierRequest { request_id: String::new(), version: -1 };
    assert_eq!(
        violations(&client.activate_classifier(activation).await.unwrap_err()),
        ["request_id", "version"]
    );
    let text = ClassifyTextRequest { text: " ".to_owned(), version: -1 };
    assert_eq!(violations(&client.classify_text(text).await.unwrap_err()), ["text", "version"]);
    let refusal = client.confirm_category(ConfirmCategoryRequest::default()).await.unwrap_err();
    assert_eq!(violations(&refusal), ["request_id", "case_id", "category"]);
    let list = ListUnconfirmedRequest { page_size: -1, page_token: "x".to_owned() };
    assert_eq!(violations(&client.list_unconfirmed(list).await.unwrap_err()).len(), 1);
    scene.house.done().await;
}

#[tokio::test]
async fn each_tenant_learns_from_its_own() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let [a, b] = ["tenant-a", "tenant-b"]
        .map(|tenant| ClassifierServiceClient::new(house.channel_as(tenant, "alice", &["agent", "admin"])));
    let db = house.db("cases");
    for (category, texts) in LESSONS {
        for text in texts {
            let now = db.clock().now();
            let case = db.ids().id(now);
            house.tell_as("tenant-a", "intake", case, &registered(case, about(text), now)).await;
            house.settled().await;
            confirm(&a, case, category).await.unwrap();
            assert_eq!(refused(confirm(&b, case, category).await).0, Code::NotFound);
        }
    }
    assert_eq!(train(&a, None).await.unwrap().version, 1);
    activate(&a, 1).await.unwrap();
    assert_eq!(refused(train(&b, None).await).1, "TOO_LITTLE_TO_LEARN");
    assert_eq!(refused(activate(&b, 1).await).1, "CLASSIFIER_NOT_FOUND");
    assert_eq!(refused(get(&b, 1).await).1, "CLASSIFIER_NOT_FOUND");
    let text = ClassifyTextRequest { text: "parcel".to_owned(), version: 0 };
    assert_eq!(refused(b.clone().classify_text(text).await).1, "CLASSIFIER_NOT_FOUND");
    house.done().await;
}
