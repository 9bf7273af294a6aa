//! Forms: created, answered, filled in further.

use proto::google::r#type::Money;
use proto::redress::directory::v1::{Customer, Order};
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    AddInformationRequest, AddInformationResponse, Complaint, ComplaintRegistered, CreateFormRequest, Form,
    GetComplaintRequest, GetFormRequest, GetInformationRequest, InformationAdded, InformationSource,
    ListFormsRequest, PrefillFormRequest, SubmitComplaintRequest, ValidateFormRequest,
};
use testkit::{CallerChannel, House, consistency_token, reason, request_id, violations};
use tonic::{Code, Status};

use crate::{complaint, submission};

type Client = FormServiceClient<CallerChannel>;

const DELIVERY: &str = r#"{
    "type": "object",
    "required": ["order"],
    "properties": {
        "order": { "type": "string", "pattern": "^[0-9]{6}$", "x-weight": 3 },
        "carrier": { "type": "string", "enum": ["fast", "cheap"] },
        "photos": { "type": "array", "items": { "type": "string", "format": "uri" } }
    }
}"#;

async fn create(client: &Client, category: &str, schema: &str) -> Result<Form, Status> {
    let form = Form { category: category.to_owned(), schema: schema.to_owned(), ..Form::default() };
    let request = CreateFormRequest { request_id: request_id(), form: Some(form) };
    Ok(client.clone().create_form(request).await?.into_inner().form.expect("a form"))
}

async fn get(client: &Client, category: &str, version: i64) -> Result<Form, Status> {
    let request = GetFormRequest { category: category.to_owned(), version };
    Ok(client.clone().get_form(request).await?.into_inner().form.expect("a form"))
}

fn filled(category: &str, form_data: &str) -> Complaint {
    let (category_hint, form_data) = (category.to_owned(), form_data.to_owned());
    Complaint { category_hint, form_data, ..complaint("") }
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

async fn submit(house: &House, complaint: Complaint) -> Result<String, Status> {
    let answer = IntakeServiceClient::new(house.channel()).submit_complaint(submission(complaint)).await?;
    Ok(answer.into_inner().complaint_id)
}

fn addition(complaint_id: &str, text: &str, form_data: &str) -> AddInformationRequest {
    AddInformationRequest {
        request_id: request_id(),
        complaint_id: complaint_id.to_owned(),
        source: InformationSource::Complainant.into(),
        text: text.to_owned(),
        form_data: form_data.to_owned(),
        evidence: Vec::new(),
        ..AddInformationRequest::default()
    }
}

async fn add(client: &Client, request: AddInformationRequest) -> Result<AddInformationResponse, Status> {
    Ok(client.clone().add_information(request).await?.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_are_versions_and_the_nearest_holds() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = FormServiceClient::new(house.channel());
    let nothing = (Code::NotFound, "FORM_NOT_FOUND".to_owned());
    assert_eq!(refused(get(&client, "delivery", 0).await), nothing);
    let first = create(&client, "delivery", DELIVERY).await.unwrap();
    assert_eq!((first.version, first.creator.as_str(), first.schema.as_str()), (1, "developer", DELIVERY));
    let second = create(&client, "delivery", r#"{"type": "object"}"#).await.unwrap();
    create(&client, "", r#"{"type": "object", "title": "all"}"#).await.unwrap();
    assert_eq!(get(&client, "delivery/damaged", 0).await.unwrap(), second);
    assert_eq!(get(&client, "delivery", 1).await.unwrap(), first);
    assert_eq!(get(&client, "loan", 0).await.unwrap().category, "");
    assert_eq!(refused(get(&client, "delivery", 3).await), nothing);
    assert_eq!(refused(get(&client, "delivery/damaged", 1).await), nothing, "a version is of one category");
    let list = ListFormsRequest { page_size: 1, ..ListFormsRequest::default() };
    let page = client.clone().list_forms(list.clone()).await.unwrap().into_inner();
    assert_eq!((page.forms[0].category.as_str(), page.forms[0].schema.as_str()), ("", ""));
    let list = ListFormsRequest { page_token: page.next_page_token, ..list };
    let page = client.clone().list_forms(list).await.unwrap().into_inner();
    assert_eq!((page.forms[0].version, page.next_page_token.as_str()), (2, ""));
    // Created at once, each is a version of its own.
    let (one, other) = tokio::join!(create(&client, "a", DELIVERY), create(&client, "a", DELIVERY));
    let mut versions = [one.unwrap().version, other.unwrap().version];
    versions.sort_unstable();
    assert_eq!(versions, [1, 2]);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_forms_and_repeated_ones() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = FormServiceClient::new(house.channel());
    let refusal = create(&client, "a//b", r#"{"type": "object", "properties": 3}"#).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_FORM"));
    assert_eq!(violations(&refusal), ["form.category", "form.schema"]);
    let empty = client.create_form(CreateFormRequest::default()).await.unwrap_err();
    assert_eq!(violations(&empty), ["request_id", "form"]);
    let form = Form { schema: DELIVERY.to_owned(), ..Form::default() };
    let request = CreateFormRequest { request_id: request_id(), form: Some(form.clone()) };
    let first = client.create_form(request.clone()).await.unwrap();
    let again = client.create_form(request.clone()).await.unwrap();
    assert_eq!(consistency_token(&again), consistency_token(&first));
    assert_eq!(again.into_inner(), first.into_inner());
    let altered = CreateFormRequest { form: Some(Form { title: "!".to_owned(), ..form }), ..request };
    let reused = (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned());
    assert_eq!(refused(client.create_form(altered).await), reused);
    assert_eq!(get(&client, "x", 0).await.unwrap().version, 1);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_checked_against_its_form() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = FormServiceClient::new(house.channel());
    create(&client, "delivery", DELIVERY).await.unwrap();
    let bad = r#"{"order": "12", "carrier": "slow", "photos": ["https://example.org/1", 3]}"#;
    let bad = Complaint { subject: String::new(), ..filled("delivery/damaged", bad) };
    let refusal = submit(&house, bad).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_COMPLAINT"));
    let mut fields = violations(&refusal);
    fields.sort_unstable();
    let expected = [
        "complaint.form_data.carrier",
        "complaint.form_data.order",
        "complaint.form_data.photos.1",
        "complaint.subject",
    ];
    assert_eq!(fields, expected, "with what else is wrong");
    let missing = submit(&house, filled("delivery", "{}")).await.unwrap_err();
    assert_eq!(violations(&missing), ["complaint.form_data.order"]);
    for (category, data) in [("loan", "{}"), ("delivery", "[]"), ("delivery", "{")] {
        let refusal = submit(&house, filled(category, data)).await.unwrap_err();
        assert_eq!(violations(&refusal), ["complaint.form_data"], "{category} {data}");
    }

    let id = submit(&house, filled("delivery/damaged", r#"{"order": "123456"}"#)).await.unwrap();
    let mut intake = IntakeServiceClient::new(house.channel());
    let stored = intake.get_complaint(GetComplaintRequest { complaint_id: id }).await.unwrap().into_inner();
    let stored = stored.complaint.unwrap();
    let form = (stored.form_category.as_str(), stored.form_version, stored.completeness);
    assert_eq!(form, ("delivery", 1, Some(60)));
    let told: Vec<ComplaintRegistered> = house.published("intake").await;
    assert_eq!(told[0].complaint, Some(stored));
    // Without an answer nothing is asked.
    let plain = submit(&house, filled("delivery", "")).await.unwrap();
    let plain = intake.get_complaint(GetComplaintRequest { complaint_id: plain }).await.unwrap().into_inner();
    assert_eq!(plain.complaint.unwrap().completeness, None);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_form_does_not_unmake_what_was_answered() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = FormServiceClient::new(house.channel());
    create(&client, "", DELIVERY).await.unwrap();
    let request = submission(filled("x", r#"{"order": "123456"}"#));
    let mut intake = IntakeServiceClient::new(house.channel());
    let first = intake.submit_complaint(request.clone()).await.unwrap().into_inner();
    create(&client, "", r#"{"type": "object", "required": ["birthday"]}"#).await.unwrap();
    assert_eq!(intake.submit_complaint(request.clone()).await.unwrap().into_inner(), first);
    let changed = SubmitComplaintRequest { complaint: Some(filled("x", "{}")), ..request };
    let reused = (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned());
    assert_eq!(refused(intake.submit_complaint(changed).await), reused);
    let other = submit(&house, filled("x", r#"{"order": "123456"}"#)).await.unwrap_err();
    assert_eq!(violations(&other), ["complaint.form_data.birthday"]);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_tried_before_it_is_submitted() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = FormServiceClient::new(house.channel());
    create(&client, "delivery", DELIVERY).await.unwrap();
    let tried = async |category: &str, form_data: &str| {
        let request = ValidateFormRequest { category: category.to_owned(), form_data: form_data.to_owned() };
        client.clone().validate_form(request).await.map(tonic::Response::into_inner)
    };
    let nothing = tried("delivery", "").await.unwrap();
    assert_eq!((nothing.form_version, nothing.completeness), (1, 0));
    assert_eq!(nothing.violations[0].field, "order");
    assert_eq!(nothing.missing_fields, ["order", "carrier", "photos"]);
    let some = tried("delivery/late", r#"{"order": "123456", "carrier": "fast"}"#).await.unwrap();
    assert_eq!((some.violations.len(), some.completeness, some.form_category.as_str()), (0, 80, "delivery"));
    let unreadable = tried("delivery", "{").await.unwrap();
    assert_eq!((unreadable.violations[0].field.as_str(), unreadable.completeness), ("", 0));
    assert_eq!(refused(tried("loan", "").await), (Code::NotFound, "FORM_NOT_FOUND".to_owned()));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_added_later() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = FormServiceClient::new(house.channel());
    create(&client, "delivery", DELIVERY).await.unwrap();
    let id = submit(&house, filled("delivery", r#"{"order": "123456"}"#)).await.unwrap();
    // A form that asks for more later asks others.
    create(&client, "delivery", r#"{"type": "object", "required": ["birthday"]}"#).await.unwrap();
    let request = addition(&id, "I found the photo", r#"{"photos": ["https://example.org/1"]}"#);
    let first = add(&client, request.clone()).await.unwrap();
    assert_eq!((first.completeness, first.missing_fields.join(" ").as_str()), (Some(80), "carrier"));
    assert_eq!(add(&client, request.clone()).await.unwrap(), first, "repeated");
    let altered = AddInformationRequest { text: "another".to_owned(), ..request };
    let reused = (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned());
    assert_eq!(refused(add(&client, altered).await), reused);
    let wrong = add(&client, addition(&id, "", r#"{"carrier": "slow", "order": null}"#)).await.unwrap_err();
    assert_eq!(reason(&wrong), "INVALID_INFORMATION");
    let mut fields = violations(&wrong);
    fields.sort_unstable();
    assert_eq!(fields, ["form_data.carrier", "form_data.order"]);
    let second = add(&client, addition(&id, "and it was raining", "")).await.unwrap();
    assert_eq!((second.addition.unwrap().ordinal, second.completeness), (2, Some(80)));

    let request = GetInformationRequest { complaint_id: id.clone() };
    let all = client.clone().get_information(request).await.unwrap().into_inner();
    assert_eq!((all.additions.len(), all.form_version, all.completeness), (2, 1, Some(80)));
    assert!(all.form_data.contains("123456") && all.form_data.contains("example.org"), "{}", all.form_data);
    let told: Vec<InformationAdded> = house.published("intake").await;
    let fields: Vec<_> = told.iter().map(|one| one.form_fields.join(" ")).collect();
    assert_eq!((fields, told[0].completeness), (vec!["photos".to_owned(), String::new()], Some(80)));
    assert_eq!((told[0].author.as_str(), told[0].ordinal, told[1].ordinal), ("developer", 1, 2));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addition_repeated_after_answers_are_forgotten_is_added_once() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = FormServiceClient::new(house.channel());
    create(&client, "delivery", DELIVERY).await.unwrap();
    let id = submit(&house, filled("delivery", r#"{"order": "123456"}"#)).await.unwrap();
    let request = addition(&id, "the carrier", r#"{"carrier": "fast"}"#);
    let first = add(&client, request.clone()).await.unwrap();
    let later = addition(&id, "", r#"{"photos": ["https://example.org/1"]}"#);
    add(&client, later).await.unwrap();
    let mut owner = house.owner().await;
    sqlx::query("DELETE FROM intake.idempotency").execute(&mut owner).await.unwrap();

    assert_eq!(add(&client, request.clone()).await.unwrap(), first, "with the form as it then was");
    sqlx::query("DELETE FROM intake.idempotency").execute(&mut owner).await.unwrap();
    let reused = (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned());
    let altered = AddInformationRequest { text: "another".to_owned(), ..request.clone() };
    assert_eq!(refused(add(&client, altered).await), reused);
    let elsewhere = submit(&house, filled("delivery", "")).await.unwrap();
    let elsewhere = AddInformationRequest { complaint_id: elsewhere, ..request.clone() };
    assert_eq!(refused(add(&client, elsewhere).await), reused);
    let many = (0..20).map(|_| add(&client, request.clone()));
    assert!(futures::future::join_all(many).await.into_iter().all(|one| one.is_ok_and(|one| one == first)));
    let told: Vec<InformationAdded> = house.published("intake").await;
    assert_eq!(told.len(), 2);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_without_a_form_may_begin_one() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = FormServiceClient::new(house.channel());
    let id = submit(&house, filled("delivery", "")).await.unwrap();
    let plain = add(&client, addition(&id, "more", "")).await.unwrap();
    assert_eq!((plain.completeness, plain.missing_fields.len()), (None, 0));
    let refusal = add(&client, addition(&id, "", "{}")).await.unwrap_err();
    assert_eq!(violations(&refusal), ["form_data"], "there is no form");
    create(&client, "", DELIVERY).await.unwrap();
    // What is required and still missing does not keep the rest out.
    let begun = add(&client, addition(&id, "", r#"{"carrier": "fast"}"#)).await.unwrap();
    assert_eq!((begun.completeness, begun.missing_fields.join(" ")), (Some(20), "order photos".to_owned()));

    let empty = add(&client, AddInformationRequest::default()).await.unwrap_err();
    assert_eq!(violations(&empty), ["request_id", "complaint_id", "source", "text"]);
    let nobody = "01890000-0000-7000-8000-000000000000";
    let unknown = (Code::NotFound, "COMPLAINT_NOT_FOUND".to_owned());
    assert_eq!(refused(add(&client, addition(nobody, "x", "")).await), unknown);
    let request = GetInformationRequest { complaint_id: nobody.to_owned() };
    assert_eq!(refused(client.clone().get_information(request).await), unknown);
    // Added at once, each has its place.
    let (one, other) =
        tokio::join!(add(&client, addition(&id, "one", "")), add(&client, addition(&id, "other", "")));
    let mut places = [one, other].map(|added| added.unwrap().addition.unwrap().ordinal);
    places.sort_unstable();
    assert_eq!(places, [3, 4]);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_has_forms_of_its_own() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let [a, b] =
        ["tenant-a", "tenant-b"].map(|tenant| house.channel_as(tenant, "alice", &["channel", "admin"]));
    let (forms_a, forms_b) = (FormServiceClient::new(a.clone()), FormServiceClient::new(b));
    create(&forms_a, "", DELIVERY).await.unwrap();
    assert_eq!(refused(get(&forms_b, "", 0).await), (Code::NotFound, "FORM_NOT_FOUND".to_owned()));
    let request = submission(filled("x", r#"{"order": "123456"}"#));
    let answer = IntakeServiceClient::new(a).submit_complaint(request).await.unwrap().into_inner();
    let refusal = add(&forms_b, addition(&answer.complaint_id, "x", "")).await;
    assert_eq!(refused(refusal), (Code::NotFound, "COMPLAINT_NOT_FOUND".to_owned()));
    house.done().await;
}

/// A form knows what the company knows, and asks only the rest.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_customer_order_and_product_is_filled_in() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let schema = r#"{"type": "object", "properties": {
        "order": { "type": "string", "pattern": "^[0-9]{6}$", "x-prefill": "order.order_ref" },
        "paid": { "type": "number", "x-prefill": "order.total_amount" },
        "reach": { "type": "string", "x-prefill": ["customer.phone", "customer.email"] },
        "photos": { "type": "array" } }}"#;
    create(&client, "delivery", schema).await.expect("a form");
    let total = Money { currency_code: "EUR".to_owned(), units: 39, nanos: 900_000_000 };
    let request = PrefillFormRequest {
        category: "delivery/damaged".to_owned(),
        form_data: r#"{"remark": "x"}"#.to_owned(),
        customer: Some(Customer { email: "ada@example.org".to_owned(), ..Customer::default() }),
        order: Some(Order { order_ref: "123456".to_owned(), total: Some(total), ..Order::default() }),
        product: None,
    };
    let answer = client.clone().prefill_form(request.clone()).await.expect("filled in").into_inner();
    assert_eq!((answer.form_category.as_str(), answer.form_version), ("delivery", 1));
    assert_eq!(answer.filled_fields, ["order", "paid", "reach"]);
    assert_eq!(answer.form_data, r#"{"order":"123456","paid":39.9,"reach":"ada@example.org","remark":"x"}"#);
    assert_eq!((answer.completeness, answer.missing_fields), (75, vec!["photos".to_owned()]));
    // What the form would refuse is left to be asked, and what somebody wrote stays.
    let order = Order { order_ref: "A-1".to_owned(), ..Order::default() };
    let other =
        PrefillFormRequest { form_data: r#"{"paid": 1}"#.to_owned(), order: Some(order), ..request.clone() };
    let answer = client.clone().prefill_form(other).await.expect("filled in").into_inner();
    assert_eq!(answer.form_data, r#"{"paid":1,"reach":"ada@example.org"}"#);
    let wrong = PrefillFormRequest { form_data: "[]".to_owned(), ..request };
    assert_eq!(refused(client.clone().prefill_form(wrong).await).1, "INVALID_FORM_NAME");
    let misspelt = r#"{"type": "object", "properties": {"a": {"x-prefill": "customer.shoe_size"}}}"#;
    let refused = create(&client, "x", misspelt).await.expect_err("nobody knows that");
    assert_eq!(violations(&refused), ["form.schema"]);
    assert!(refused.message().contains("customer.shoe_size") || format!("{refused:?}").contains("shoe_size"));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_looked_for_by_a_category_or_a_key_that_cannot_be_kept() {
    let house = House::open(&[intake::SERVICE]).await;
    // Each part of it would be looked for: gigabytes of them.
    for category in ["a\0b".to_owned(), "/".repeat(100_000)] {
        let mut request = submission(filled(&category, "{}"));
        request.request_id = "k\0".to_owned();
        let answer = IntakeServiceClient::new(house.channel()).submit_complaint(request).await;
        let status = answer.expect_err("it is refused");
        assert_eq!(
            (reason(&status).as_str(), violations(&status)),
            ("INVALID_COMPLAINT", vec!["request_id".to_owned(), "complaint.category_hint".to_owned()])
        );
    }
    house.done().await;
}
