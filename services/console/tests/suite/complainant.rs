//! Complainants' pages: nobody signs in, a code is kept and never in an address, the same form
//! is the same complaint, and whoever does too much waits.

use http::StatusCode;
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    Channel, Complaint, CreateFormRequest, Form as WireForm, ListComplaintsRequest,
};
use testkit::request_id;

use crate::browser::{Browser, Desk, Form, Page};

const SCHEMA: &str = r#"{
    "type": "object", "required": ["order"],
    "properties": {
        "order": { "type": "string", "title": "Order number", "pattern": "^[0-9]{6}$", "x-prefill": "order.order_ref" },
        "pieces": { "type": "integer", "title": "Pieces" },
        "opened": { "type": "boolean", "title": "Was it opened?" }
    }
}"#;
const HOSTILE: &str = "<script>alert(1)</script>\"><img onerror=x>{{7*7}}";

async fn with_form(desk: &Desk) {
    let form = WireForm {
        category: "delivery".to_owned(),
        title: "Parcels".to_owned(),
        schema: SCHEMA.to_owned(),
        ..WireForm::default()
    };
    let request = CreateFormRequest { request_id: request_id(), form: Some(form) };
    FormServiceClient::new(desk.house.channel()).create_form(request).await.unwrap();
}

async fn complaints(desk: &Desk) -> Vec<Complaint> {
    let request = ListComplaintsRequest { page_size: 100, ..ListComplaintsRequest::default() };
    let answer = IntakeServiceClient::new(desk.house.channel()).list_complaints(request).await.unwrap();
    answer.into_inner().complaints
}

fn filled(page: &Page) -> Form {
    page.form("/complaints/new")
        .with("subject", "The kettle")
        .with("description", "It came in pieces.\r\nTwo of them.")
        .with("consent", "yes")
}

fn code(page: &Page) -> String {
    let (_, rest) = page.text.split_once("class=\"big-code\"").unwrap();
    rest.split_once('>').unwrap().1.split('<').next().unwrap().to_owned()
}

async fn receipt(browser: &mut Browser, form: Form) -> String {
    let sent = browser.send(form).await;
    assert_eq!(
        (sent.status, sent.location()),
        (StatusCode::SEE_OTHER, "/complaints/receipt"),
        "{}",
        sent.text
    );
    code(&browser.get("/complaints/receipt").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_form_sent_twice_is_one_complaint_with_one_code() {
    let desk = Desk::open().await;
    let mut browser = desk.browser().speaking("zh-CN");
    let page = browser.get("/complaints/new").await;
    let form = filled(&page).with("email", "anna@example.com").with("occurred", "2024-02-29");
    let first = receipt(&mut browser, form.clone()).await;
    assert_eq!(receipt(&mut browser, form).await, first);
    let complaints = complaints(&desk).await;
    assert_eq!(complaints.len(), 1);
    let complaint = &complaints[0];
    assert_eq!((complaint.channel(), complaint.language.as_str()), (Channel::Web, "zh"));
    assert_eq!(complaint.description, "It came in pieces.\nTwo of them.");
    assert!(complaint.consent_given && complaint.occur_time.is_some());
    assert_eq!(complaint.complainant.as_ref().unwrap().email, "anna@example.com");
    // The next page sees what was submitted, however far the case is.
    let page = browser.get("/complaints/mine").await;
    assert_eq!(page.status, StatusCode::OK);
    page.assert_has("aria-current=\"step\"");
    page.assert_lacks(&first);
    page.assert_lacks(&complaint.complaint_id);
    desk.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_says_beside_each_field_what_is_wrong_and_keeps_what_was_written() {
    let desk = Desk::open().await;
    with_form(&desk).await;
    let mut browser = desk.browser();
    let kinds = browser.get("/complaints/new").await;
    kinds.assert_has("/complaints/new?category=delivery");
    let page = browser.get("/complaints/new?category=delivery&order=123456&name=Anna").await;
    let form = filled(&page);
    for (name, value) in [("f.order", "123456"), ("order_ref", "123456"), ("name", "Anna")] {
        assert!(form.fields.contains(&(name.to_owned(), value.to_owned())), "{name}");
    }
    let wrong = form.clone().with("f.pieces", "some").with("f.order", HOSTILE).with("name", HOSTILE);
    let page = browser.send(wrong).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.assert_has("Please enter a whole number");
    page.assert_has("id=\"f1-error\"");
    page.assert_lacks("<script>alert");
    page.assert_lacks("<img");
    let again = page.form("/complaints/new");
    assert!(again.fields.contains(&("name".to_owned(), HOSTILE.to_owned())));
    let empty = browser.send(again.clone().with("subject", " ").with("consent", "")).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    empty.assert_has("id=\"subject-error\"");
    empty.assert_has("id=\"consent-error\"");
    let right = again.with("f.pieces", "3").with("f.order", "654321").with("f.opened", "false");
    receipt(&mut browser, right).await;
    let complaints = complaints(&desk).await;
    let told: serde_json::Value = serde_json::from_str(&complaints[0].form_data).unwrap();
    assert_eq!(told, serde_json::json!({ "order": "654321", "pieces": 3, "opened": false }));
    assert_eq!(complaints[0].category_hint, "delivery");
    desk.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_a_code_the_answer_is_the_same() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    assert_eq!(browser.get("/complaints/mine").await.location(), "/complaints/find");
    let page = browser.get("/complaints/new").await;
    let mine = receipt(&mut browser, filled(&page)).await;
    // To strangers, who bring no consistency token, it opens once there is a case.
    desk.house.settled().await;
    let misspelt = format!("{}{}", &mine[..mine.len() - 1], if mine.ends_with('0') { '1' } else { '0' });
    let mut stranger = desk.browser();
    let page = stranger.get("/complaints/find").await;
    let mut answers = Vec::new();
    for wrong in [misspelt.as_str(), "0000-0000", "' OR 1=1", "x"] {
        let answer = stranger.send(page.form("/complaints/find").with("code", wrong)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        answer.assert_has("There is no complaint with this code.");
        answers.push(answer.text.matches("class=\"error\"").count());
    }
    assert!(answers.iter().all(|one| *one == 1));
    let typed = mine.to_lowercase().replace('-', " ");
    let found = stranger.send(page.form("/complaints/find").with("code", &typed)).await;
    assert_eq!((found.status, found.location()), (StatusCode::SEE_OTHER, "/complaints/mine"));
    let kept = stranger.cookies["redress-complaint"].clone();
    assert!(!kept.contains(&mine) && !found.location().contains(&mine));
    // A cookie of one console is nothing to another, nor one that somebody made up.
    stranger.cookies.insert("redress-complaint".to_owned(), format!("A{kept}"));
    assert_eq!(stranger.get("/complaints/mine").await.location(), "/complaints/find");
    stranger.cookies.insert("redress-complaint".to_owned(), kept);
    let page = stranger.get("/complaints/mine").await;
    let left = stranger.send(page.form("/complaints/forget")).await;
    assert_eq!(left.location(), "/complaints");
    assert!(!stranger.cookies.contains_key("redress-complaint"));
    desk.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_too_much_waits_and_is_told_how_long() {
    let desk = Desk::with(|settings| settings.console.proxies = 1).await;
    let mut browser = desk.browser();
    browser.headers.push(("x-forwarded-for", "203.0.113.7".to_owned()));
    let page = browser.get("/complaints/new").await;
    // Nothing is taken in: it lacks what is required.
    let form = page.form("/complaints/new");
    let mut refused = None;
    for _ in 0..40 {
        let answer = browser.send(form.clone()).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let refused = refused.expect("40 forms at once are too many");
    refused.assert_has("Wait a moment");
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=4).contains(&wait), "{wait} s");
    // Others are not made to wait for it.
    browser.headers.clear();
    browser.headers.push(("x-forwarded-for", "203.0.113.8".to_owned()));
    assert_eq!(browser.send(form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    desk.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_goes_part_by_part_and_is_of_its_session() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    let page = browser.get("/complaints/new").await;
    let token = &page.form("/complaints/new").fields[0].1;
    let announce =
        Form { action: "/complaints/papers".to_owned(), fields: vec![("_token".into(), token.clone())] };
    let refused = browser
        .send(announce.clone().with("name", "a.exe").with("media_type", "x/y").with("bytes", "9"))
        .await;
    let told: serde_json::Value = serde_json::from_str(&refused.text).unwrap();
    assert!(told["refused"].as_str().unwrap().contains("This kind of file is not taken"), "{told}");
    let announced = announce.with("name", "cup.png").with("media_type", "image/png").with("bytes", "16");
    let told: serde_json::Value = serde_json::from_str(&browser.send(announced).await.text).unwrap();
    assert_eq!((told["kept"].as_i64(), told["whole"].as_bool()), (Some(0), Some(false)));
    let paper = told["paper"].as_str().unwrap().to_owned();
    let path = format!("/complaints/papers/part?paper={paper}&offset=0");
    // ASCII enough to be sent by a browser of text: GIF pictures begin with letters.
    let without_token = browser.fetch(http::Method::POST, &path, "GIF89a..........".to_owned()).await;
    assert_eq!(without_token.status, StatusCode::CONFLICT);
    // One of another session is not sent along.
    let mut other = desk.browser();
    let page = other.get("/complaints/new").await;
    receipt(&mut other, filled(&page).with("_paper", &paper)).await;
    assert!(complaints(&desk).await[0].evidence.is_empty());
    desk.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_below_the_base_path_too() {
    let desk = Desk::with(|settings| settings.console.base_path = "/help".to_owned()).await;
    let mut browser = desk.browser();
    let page = browser.get("/help/complaints/new").await;
    let sent = browser.send(filled(&page)).await;
    assert_eq!(sent.location(), "/help/complaints/receipt");
    let page = browser.get(sent.location()).await;
    page.assert_has("/help/complaints,");
    desk.done().await;
}
