//! What a department does on its board: takes tasks, does them, hands them back, asks for time,
//! and holds a statement against the ledger.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use proto::google::r#type::Money;
use proto::redress::resolution::v1::remedy_type_service_client::RemedyTypeServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    Goods, ListTasksRequest, RemedyKind, RemedyType, SetRemedyTypeRequest, Step, Task, TaskState,
};
use testkit::{House, MockClock, PATIENCE, request_id};

use crate::browser::{ALL, Browser, Desk, Page};
use crate::work::{HOSTILE, planned, staff};

fn step(id: &str, kind: RemedyKind) -> Step {
    Step {
        step_id: id.into(),
        kind: kind.into(),
        department_id: "finance".into(),
        instructions: format!("Be quick. {HOSTILE}"),
        ..Step::default()
    }
}

fn refund(id: &str, units: i64) -> Step {
    let amount = Some(Money { currency_code: "EUR".into(), units, nanos: 0 });
    Step { amount, ..step(id, RemedyKind::Refund) }
}

async fn tasks(desk: &Desk) -> Vec<Task> {
    let request = ListTasksRequest { department_id: "finance".into(), ..ListTasksRequest::default() };
    let answer = ResolutionServiceClient::new(desk.house.channel()).list_tasks(request).await.unwrap();
    answer.into_inner().tasks
}

async fn task(desk: &Desk, id: &str) -> Task {
    tasks(desk).await.into_iter().find(|task| task.task_id == id).unwrap()
}

fn id_of(page: &Page) -> String {
    let rest = page.location().rsplit("/tasks/").next().unwrap();
    rest.split('?').next().unwrap().to_owned()
}

/// Takes the next task once there is one, and opens its page.
async fn take(browser: &mut Browser) -> (String, Page) {
    let taking = async {
        loop {
            let board = browser.get("/department").await;
            let taken = browser.send(board.form("/department/take")).await;
            assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.text);
            if taken.location().contains("/tasks/") {
                return taken;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let taken = tokio::time::timeout(PATIENCE, taking).await.expect("a task waits");
    let page = browser.follow(taken.location()).await;
    page.assert_has("The task is yours.");
    (id_of(&taken), page)
}

#[tokio::test]
async fn a_refund_is_taken_and_done_and_another_handed_back() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    planned(&desk, "Broken cups", vec![refund("one", 39), refund("two", 7)]).await;
    let mut fay = desk.browser_as("finance", "fay").await;
    let home = fay.get("/").await;
    assert_eq!(home.location(), "/department", "who has no cases begins at the board");
    let board = fay.get("/department").await;
    board.assert_has("Refund");
    board.assert_has("EUR 39.00");
    board.assert_lacks("<script>alert");
    board.assert_lacks("href=\"/inbox\"");

    let (id, page) = take(&mut fay).await;
    page.assert_lacks("<script>alert");
    page.assert_has("&#60;script&#62;alert(1)&#60;/script&#62;");
    fay.get("/department").await.assert_has("In your hands");
    // Without its number it is not done, and nothing is lost.
    let form = page.form("/complete").with("reference", "").with("remark", HOSTILE);
    let refused = fay.send(form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.assert_has("INVALID_RESULT");
    refused.assert_has("id=\"reference-error\"");
    refused.assert_lacks("<script>alert");
    assert_eq!(task(&desk, &id).await.state(), TaskState::Leased);
    let form = refused.form("/complete").with("reference", "PAY 1");
    assert!(form.fields.contains(&("remark".to_owned(), HOSTILE.trim().to_owned())));
    // A double click is one report.
    let mut other = fay.clone();
    let (one, two) = tokio::join!(fay.send(form.clone()), other.send(form));
    assert_eq!((one.status, two.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    fay.follow(one.location()).await.assert_has("Reported as done.");
    let done = task(&desk, &id).await;
    assert_eq!((done.state(), done.result.unwrap().reference), (TaskState::Completed, "PAY 1".to_owned()));

    let (second, page) = take(&mut fay).await;
    assert_ne!(second, id);
    let page = fay.send_and_follow(page.form("/reject").with("reason", "No such account.")).await;
    page.assert_has("Handed back.");
    page.assert_has("No such account.");
    assert_eq!(task(&desk, &second).await.state(), TaskState::NeedsAttention);
    let board = fay.get("/department").await;
    let none = fay.send_and_follow(board.form("/department/take")).await;
    none.assert_has("No task is waiting for you now.");
    desk.done().await;
}

#[tokio::test]
async fn a_task_fails_is_settled_and_given_more_time() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    planned(&desk, "Broken cups", vec![refund("one", 39)]).await;
    let mut fay = desk.browser_as("finance", "fay").await;
    let (id, page) = take(&mut fay).await;
    let page = fay.send_and_follow(page.form("/renew")).await;
    page.assert_has("It is yours for another hour.");

    let unsaid = fay.send(page.form("/fail").with("message", "The bank was away.")).await;
    assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY);
    unsaid.assert_has("The bank was away.");
    let failing = unsaid.form("/fail").with("retry", "unknown").with("code", "SYSTEM_UNAVAILABLE");
    let page = fay.send_and_follow(failing).await;
    page.assert_has("Reported as failed.");
    assert_eq!(task(&desk, &id).await.state(), TaskState::OutcomeUnknown);
    assert!(page.find_form("/complete").is_none());

    // More time than the case has is not to be had.
    let asked = page.form("/extend").with("due", "2999-01-01T12:00").with("reason", "Bank holiday.");
    let refused = fay.send(asked).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.assert_has("Bank holiday.");
    let settling = page.form("/settle").with("done", "yes").with("reference", "PAY 2");
    let page = fay.send_and_follow(settling.with("reason", "The bank says so.")).await;
    page.assert_has("It is settled.");
    page.assert_has("PAY 2");
    assert_eq!(task(&desk, &id).await.state(), TaskState::Completed);
    desk.done().await;
}

#[tokio::test]
async fn who_does_not_hold_a_task_any_more_is_told_and_loses_nothing() {
    let house = House::builder(&ALL).clock(MockClock::default()).open().await;
    let desk = Desk::before(house, |_| {}).await;
    staff(&desk, &["ann"]).await;
    let goods = Some(Goods { sku: "CUP-1".into(), quantity: 2 });
    let exchange = Step { goods, ..step("one", RemedyKind::Exchange) };
    planned(&desk, "Broken cups", vec![exchange]).await;
    let mut fay = desk.browser_as("finance", "fay").await;
    let (id, page) = take(&mut fay).await;
    page.assert_has("CUP-1");
    desk.house.advance(Duration::from_hours(2));
    let mut bo = desk.browser_as("finance", "bo").await;
    let (taken, _) = take(&mut bo).await;
    assert_eq!(taken, id);

    let late = fay.send(page.form("/complete").with("reference", "SHIP 1").with("remark", "Sent.")).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    late.assert_has("LEASE_LOST");
    late.assert_has("You do not hold this task any more");
    late.assert_has("value=\"SHIP 1\"");
    late.assert_has("bo holds it now.");
    late.assert_has("Late reports");
    let held = task(&desk, &id).await;
    assert_eq!((held.state(), held.worker.as_str()), (TaskState::Leased, "bo"));
    // What proves it is the browser's alone.
    let mut stranger = desk.browser_as("finance", "cy").await;
    let page = stranger.get(&format!("/department/tasks/{id}")).await;
    assert!(page.find_form("/complete").is_none());
    page.assert_has("bo holds it now.");
    desk.done().await;
}

#[tokio::test]
async fn what_a_type_asks_is_a_form() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let remedy_type = RemedyType {
        type_id: "gift-card".into(),
        title: format!("Gift card {HOSTILE}"),
        department_id: "finance".into(),
        input_schema: r#"{"type":"object","properties":{"to":{"type":"string","title":"To whom"}}}"#.into(),
        result_schema: r#"{"type":"object","required":["code"],"properties":
            {"code":{"type":"string","title":"Code of the card","description":"Four letters","pattern":"^[A-Z]{4}$"}}}"#
            .into(),
        ..RemedyType::default()
    };
    let request = SetRemedyTypeRequest {
        request_id: request_id(),
        remedy_type: Some(remedy_type),
        expected_version: None,
    };
    RemedyTypeServiceClient::new(desk.house.channel()).set_remedy_type(request).await.unwrap();
    let input = serde_json::json!({ "to": HOSTILE }).to_string();
    let custom = Step { remedy_type: "gift-card".into(), input, ..step("one", RemedyKind::Custom) };
    planned(&desk, "Broken cups", vec![custom]).await;
    let mut fay = desk.browser_as("finance", "fay").await;
    let (id, page) = take(&mut fay).await;
    page.assert_has("To whom");
    page.assert_has("Code of the card");
    page.assert_lacks("<script>alert");
    let refused = fay.send(page.form("/complete").with("f.code", "abc")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.assert_has("This is not written as it must be: Four letters");
    refused.assert_has("value=\"abc\"");
    fay.send_and_follow(refused.form("/complete").with("f.code", "ABCD"))
        .await
        .assert_has("Reported as done.");
    assert_eq!(task(&desk, &id).await.result.unwrap().output, r#"{"code":"ABCD"}"#);
    desk.done().await;
}

/// Sends a statement as a browser does.
async fn upload(browser: &mut Browser, page: &Page, token: &str, file: &str) -> Page {
    let form = page.form("/department/statements");
    let mut body = String::new();
    for (name, value) in &form.fields {
        let value = if name == "_token" { token } else { value };
        if name != "statement" {
            body.extend([
                "--xx\r\ncontent-disposition: form-data; name=\"",
                name,
                "\"\r\n\r\n",
                value,
                "\r\n",
            ]);
        }
    }
    body += "--xx\r\ncontent-disposition: form-data; name=\"statement\"; filename=\"s.csv\"\r\n\r\n";
    body.extend([file, "\r\n--xx--\r\n"]);
    let mut sending = browser.clone();
    sending.headers.push(("origin", browser.origin.clone()));
    sending.headers.push(("content-type", "multipart/form-data; boundary=xx".to_owned()));
    sending.fetch(Method::POST, &form.action, body).await
}

#[tokio::test]
async fn a_statement_is_held_against_the_ledger() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    planned(&desk, "Broken cups", vec![refund("one", 39), refund("two", 7), refund("three", 5)]).await;
    let mut fay = desk.browser_as("finance", "fay").await;
    for number in 1..=3 {
        let (_, page) = take(&mut fay).await;
        let form = page.form("/complete").with("reference", &format!("PAY {number}"));
        fay.send_and_follow(form).await.assert_has("Reported as done.");
    }
    let today = "2020-01-01";
    let page = fay.get("/department/statements").await;
    assert!(
        page.form("/statements")
            .fields
            .iter()
            .any(|(name, value)| name == "start" && value > &today.to_owned())
    );
    let file = format!(
        "reference,amount,currency\r\nPAY 1,39.00,EUR\r\nPAY 2,7.50,EUR\r\n\"{}\",1.00,EUR\r\nPAY 1,x,EUR\r\n",
        HOSTILE.replace('"', "\"\"")
    );
    let forged = upload(&mut fay, &page, "a.b", &file).await;
    assert_eq!(forged.status, StatusCode::CONFLICT, "{}", forged.text);
    forged.assert_has("FORM_EXPIRED");
    let token = page.form("/statements").fields.iter().find(|(name, _)| name == "_token").unwrap().1.clone();
    let unreadable = upload(&mut fay, &page, &token, "<html>").await;
    assert_eq!(unreadable.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", unreadable.text);
    unreadable.assert_has("STATEMENT_UNREADABLE");
    let sent = upload(&mut fay, &page, &token, &file).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let rows = fay.follow(sent.location()).await;
    rows.assert_has("4 rows");
    rows.assert_has("Different amount <span class=\"count\">1</span>");
    rows.assert_has("Matched <span class=\"count\">1</span>");
    rows.assert_has("Unreadable <span class=\"count\">1</span>");
    rows.assert_has("EUR 7.50");
    let unknown = fay.get(&sent.location().replace('?', "?verdict=unknown&")).await;
    unknown.assert_has("&#60;script&#62;alert(1)");
    unknown.assert_lacks("<script>alert");
    let tampered = sent.location().split("counts=").next().unwrap().to_owned() + "counts=AAAA";
    fay.get(&tampered).await.assert_lacks("4 rows");
    desk.done().await;
}

#[tokio::test]
async fn who_does_not_work_for_a_department_is_offered_none() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let mut ann = desk.browser_as("agent", "ann").await;
    ann.get("/inbox").await.assert_lacks("href=\"/department\"");
    let page = ann.get("/department/statements").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    page.assert_has("ROLE_REQUIRED");
    let seen = ann.get("/department?department=finance").await;
    assert_eq!(seen.status, StatusCode::OK, "whoever reads cases may look");
    assert!(seen.find_form("/department/take").is_none());
    for path in ["/department", "/department/statements"] {
        let nobody = desk.browser().get(path).await;
        assert_eq!(nobody.status, StatusCode::SEE_OTHER, "who is nobody signs in first");
    }
    let mut fay = desk.browser_as("finance", "fay").await;
    let missing = fay.get("/department/tasks/01890000-0000-7000-8000-000000000000").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    let odd = fay.get("/department?department=%3Cscript%3Ealert(1)%3C/script%3E&view=x&order=y").await;
    odd.assert_lacks("<script>alert");
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(odd.headers[CONTENT_TYPE], "text/html; charset=utf-8");
    desk.done().await;
}
