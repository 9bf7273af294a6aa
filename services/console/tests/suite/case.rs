//! What a handler does with a case, from the inbox to its plan, and what they see of it.

use http::{Method, StatusCode};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{Case, CaseState, GetCaseRequest, GetTimelineRequest, RecordFindingsRequest};
use testkit::request_id;

use crate::browser::{Browser, Desk, Page};
use crate::work::{HOSTILE, complaint, staff};

pub(crate) async fn case(desk: &Desk, id: &str) -> Case {
    let request = GetCaseRequest { case_id: id.into() };
    CaseServiceClient::new(desk.house.channel()).get_case(request).await.unwrap().into_inner().case.unwrap()
}

pub(crate) async fn open(browser: &mut Browser, id: &str) -> Page {
    let page = browser.get(&format!("/cases/{id}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page
}

#[tokio::test]
async fn a_case_is_worked_from_the_inbox_to_its_plan() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let id = complaint(&desk, "Parcel came broken").await;
    let mut ann = desk.browser_as("agent", "ann").await;
    let inbox = ann.get("/inbox").await;
    inbox.assert_has("Parcel came broken");
    inbox.assert_has(&format!("/cases/{id}"));

    let page = open(&mut ann, &id).await;
    let page = ann.send_and_follow(page.form("/accept")).await;
    page.assert_has("You accepted the case.");
    page.assert_has("Investigating");
    assert_eq!(case(&desk, &id).await.state(), CaseState::Investigating, "the page waited for it");

    page.assert_lacks("could not be loaded");
    let page = open(&mut ann, &id).await;
    let form = page.form("/findings").with("findings", "Packed without padding.\r\nTwice.");
    let page = ann.send_and_follow(form.with("root_cause", "packing")).await;
    page.assert_has("The findings are recorded.");
    assert_eq!(case(&desk, &id).await.findings, "Packed without padding.\nTwice.");

    let form = page.form("/decide").with("outcome", "1").with("reasons", "We packed it badly.");
    let page = ann.send_and_follow(form.with("remedy_due", "yes")).await;
    page.assert_has("The case is decided.");
    page.assert_lacks("could not be loaded");
    desk.house.settled().await;

    let page = open(&mut ann, &id).await;
    let form = page.form("/plan").with("step1_kind", "3").with("step1_department", "finance");
    let page = ann.send_and_follow(form.with("step1_amount", "39.90").with("step1_currency", "EUR")).await;
    page.assert_has("The plan is proposed.");
    page.assert_lacks("could not be loaded");
    let odd = ann.get(&format!("/cases/{id}?after=nonsense:-1&done=%3Cb%3E")).await;
    assert_eq!(odd.status, StatusCode::OK, "what an address says is no reason to fail");
    assert_eq!(ann.get(&format!("/cases/{id}/plan")).await.location(), format!("/cases/{id}"));
    page.assert_has("EUR 39.90");
    assert!(page.find_form("/approve").is_none(), "who proposed it does not approve it");

    let mut gu = desk.browser_as("supervisor", "gu").await;
    let page = open(&mut gu, &id).await;
    let page = gu.send_and_follow(page.form("/approve")).await;
    page.assert_has("The plan is approved.");
    page.assert_has("Being carried out");
    desk.house.settled().await;
    assert_eq!(case(&desk, &id).await.state(), CaseState::Remedying);
    desk.done().await;
}

#[tokio::test]
async fn what_somebody_writes_is_shown_as_it_is() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let id = complaint(&desk, HOSTILE).await;
    let mut ann = desk.browser_as("agent", "ann").await;
    for page in
        [ann.get("/inbox").await, open(&mut ann, &id).await, ann.get(&format!("/cases/{id}/similar")).await]
    {
        page.assert_lacks("<script>alert");
        page.assert_lacks("<img src=x");
        page.assert_lacks("\"'><");
    }
    let page = open(&mut ann, &id).await;
    page.assert_has("&#60;script&#62;alert(1)&#60;/script&#62;");
    // Nor what is searched for, and given back when it is refused.
    ann.get("/inbox?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await.assert_lacks("<script>alert");
    let page = ann.send(page.form("/note").with("text", HOSTILE).with("visibility", "99")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.assert_lacks("<script>alert");
    page.assert_has("INVALID_NOTE");
    desk.done().await;
}

#[tokio::test]
async fn a_form_that_is_sent_twice_is_done_once() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let id = complaint(&desk, "Parcel came broken").await;
    let mut ann = desk.browser_as("agent", "ann").await;
    let page = open(&mut ann, &id).await;
    let form = page.form("/note").with("text", "Called, nobody answered.");
    let (mut one, mut two) = (ann.clone(), ann.clone());
    let (first, second) = tokio::join!(one.send(form.clone()), two.send(form));
    assert_eq!((first.status, second.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    let request = GetTimelineRequest { case_id: id.clone(), ..GetTimelineRequest::default() };
    let timeline = CaseServiceClient::new(desk.house.channel()).get_timeline(request).await.unwrap();
    let notes =
        timeline.into_inner().entries.iter().filter(|entry| entry.text.contains("nobody answered")).count();
    assert_eq!(notes, 1);
    desk.done().await;
}

#[tokio::test]
async fn who_is_slower_sees_what_changed_and_loses_nothing() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let id = complaint(&desk, "Parcel came broken").await;
    let mut ann = desk.browser_as("agent", "ann").await;
    let mut gu = desk.browser_as("supervisor", "gu").await;
    let (slow, fast) = (open(&mut ann, &id).await, open(&mut gu, &id).await);
    gu.send_and_follow(fast.form("/findings").with("findings", "Found by Gu.")).await;
    let form = slow.form("/findings").with("findings", "Ann's long and careful text.");
    let page = ann.send(form).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    page.assert_has("Somebody else was faster");
    page.assert_has("What changed since you began");
    page.assert_has("Found by Gu.");
    page.assert_has("Ann&#39;s long and careful text.");
    // Sent again, knowingly, it is done.
    let page = ann.send_and_follow(page.form("/findings")).await;
    page.assert_has("The findings are recorded.");
    assert_eq!(case(&desk, &id).await.findings, "Ann's long and careful text.");
    desk.done().await;
}

#[tokio::test]
async fn what_is_refused_says_every_violation_and_keeps_what_was_written() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let id = complaint(&desk, "Parcel came broken").await;
    let mut ann = desk.browser_as("agent", "ann").await;
    let page = open(&mut ann, &id).await;
    let form = page.form("/decide").with("reasons", "").with("outcome", "");
    let page = ann.send(form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.assert_has("<code>reasons</code>");
    page.assert_has("<code>outcome</code>");
    page.assert_has("INVALID_DECISION");
    // Somebody who does not handle it.
    let mut bob = desk.browser_as("agent", "bob").await;
    let page = open(&mut bob, &id).await;
    assert!(page.find_form("/decide").is_none());
    let form = page.form("/note");
    let forged =
        crate::browser::Form { action: format!("/cases/{id}/findings"), ..form }.with("findings", "x");
    let page = bob.send(forged).await;
    // Where callers prove nothing, services let everybody do everything.
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    let unknown = ann.get("/cases/01890000-0000-7000-8000-000000000000").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    unknown.assert_has("There is no such case.");
    assert_eq!(ann.get("/cases/nonsense").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    desk.done().await;
}

#[tokio::test]
async fn many_cases_are_done_at_once_and_each_has_its_verdict() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let (one, two) = (complaint(&desk, "First").await, complaint(&desk, "Second").await);
    let mut ann = desk.browser_as("agent", "ann").await;
    let inbox = ann.get("/inbox").await;
    let form = inbox.form("/inbox/bulk").with("action", "accept");
    let missing = "01890000-0000-7000-8000-000000000000";
    let form = form
        .and("case", &format!("{one}||First"))
        .and("case", &format!("{two}||Second"))
        .and("case", &format!("{missing}||Third"));
    let page = ann.send(form.clone()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.assert_has("Done for 2");
    page.assert_has("Not done for 1");
    page.assert_has("ASSIGNMENT_NOT_FOUND");
    let again = ann.send(form).await;
    again.assert_has("Done for 2");
    desk.house.settled().await;
    assert_eq!(case(&desk, &two).await.state(), CaseState::Investigating);
    let none = ann.send(inbox.form("/inbox/bulk").with("action", "accept")).await;
    none.assert_has("Choose at least one case.");
    desk.done().await;
}

#[tokio::test]
async fn a_page_is_told_when_its_case_changes() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let id = complaint(&desk, "Parcel came broken").await;
    let ann = desk.browser_as("agent", "ann").await;
    let mut events = ann.clone().stream(&format!("/cases/{id}/events")).await;
    let before = case(&desk, &id).await.version;
    events.until(&format!("event: change\ndata: {before}\n\n")).await;
    let found = RecordFindingsRequest {
        request_id: request_id(),
        case_id: id.clone(),
        findings: "News.".into(),
        ..RecordFindingsRequest::default()
    };
    CaseServiceClient::new(desk.house.channel()).record_findings(found).await.unwrap();
    let now = case(&desk, &id).await.version;
    assert!(now > before);
    events.until(&format!("data: {now}\n\n")).await;
    let stranger = desk.browser().fetch(Method::GET, &format!("/cases/{id}/events"), String::new()).await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
    drop(events);
    desk.done().await;
}
