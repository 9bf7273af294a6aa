//! What those see and decide who answer for the work of others.

use http::StatusCode;
use proto::google::r#type::Money;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{ClockKind, ExtensionState, ListExtensionsRequest, RequestExtensionRequest};
use proto::redress::resolution::v1::proposal_service_client::ProposalServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{
    GetPlanRequest, ListTasksRequest, Plan, PlanState, ProposeTaskCompletionRequest, RemedyKind, Step,
    TaskResult, TaskState,
};
use testkit::request_id;

use crate::browser::{Browser, Desk, Page};
use crate::work::{HOSTILE, complaint, decided, planned, proposed, staff};

fn refund(units: i64) -> Step {
    Step {
        step_id: "one".into(),
        kind: RemedyKind::Refund.into(),
        department_id: "finance".into(),
        amount: Some(Money { currency_code: "EUR".into(), units, nanos: 0 }),
        ..Step::default()
    }
}

async fn plan(desk: &Desk, plan_id: &str) -> Plan {
    let request = GetPlanRequest { plan_id: plan_id.into() };
    let answer = ResolutionServiceClient::new(desk.house.channel()).get_plan(request).await.unwrap();
    answer.into_inner().plan.unwrap()
}

async fn open(browser: &mut Browser, path: &str) -> Page {
    let page = browser.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page
}

#[tokio::test]
async fn a_supervisor_sees_what_waits_and_who_has_room() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    planned(&desk, "Broken cups", vec![refund(39)]).await;
    for number in 0..21 {
        complaint(&desk, &format!("Parcel {number} {HOSTILE}")).await;
    }
    let mut gu = desk.browser_as("supervisor", "gu").await;
    let page = open(&mut gu, "/team").await;
    page.assert_lacks("<script>alert");
    page.assert_has("ANN");
    page.assert_has(">20</a> / 20");
    page.assert_has("full");
    page.assert_has("Takes cases");
    // What waits is of one department and fresh, and leads to its cases.
    let waits = page.text.split("<h2 id=\"waiting-title\">").nth(1).unwrap();
    let link = waits.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let cases = open(&mut gu, &link).await;
    cases.assert_has("NOT agent:*");
    cases.assert_has("&#60;script&#62;alert(1)");
    cases.assert_lacks("<script>alert");
    assert!(cases.text.matches("data-row-link").count() >= 1);
    page.assert_has("/department?department=finance");

    let climbed = open(&mut gu, "/team/escalations?reason=overdue").await;
    climbed.assert_has("Overdue <span class=\"count\">0</span>");
    climbed.assert_has("No case is here.");
    let mut ann = desk.browser_as("agent", "ann").await;
    for path in ["/team", "/team/escalations", "/team/decisions"] {
        assert_eq!(ann.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    ann.get("/inbox").await.assert_lacks("href=\"/team\"");
    let odd = ann.get("/boards/cases?filter=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    odd.assert_lacks("<script>alert");
    desk.done().await;
}

#[tokio::test]
async fn plans_are_approved_and_refused_where_they_are_listed() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let one = decided(&desk, &format!("First {HOSTILE}")).await;
    let two = decided(&desk, "Second").await;
    let (one, two) =
        (proposed(&desk, &one, vec![refund(39)]).await, proposed(&desk, &two, vec![refund(7)]).await);
    let mut gu = desk.browser_as("supervisor", "gu").await;
    let page = open(&mut gu, "/team/decisions").await;
    page.assert_has("EUR 39.00");
    page.assert_has("Asked for by ann");
    page.assert_lacks("<script>alert");
    let form = page.form(&format!("/plan/{}/approve", one.plan_id));
    let page = gu.send_and_follow(form.clone()).await;
    page.assert_has("Approved.");
    page.assert_lacks("EUR 39.00");
    assert_eq!(plan(&desk, &one.plan_id).await.state(), PlanState::Executing);
    // A second click is the same one; without a reason nothing is refused.
    assert_eq!(gu.send(form).await.status, StatusCode::SEE_OTHER);
    let refuse = page.form(&format!("/plan/{}/refuse", two.plan_id));
    let unsaid = gu.send(refuse.with("reason", " ")).await;
    assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY);
    unsaid.assert_has("INVALID_REASON");
    let refuse = unsaid.form(&format!("/plan/{}/refuse", two.plan_id));
    gu.send_and_follow(refuse.with("reason", "Too little.")).await.assert_has("Refused.");
    assert_eq!(plan(&desk, &two.plan_id).await.state(), PlanState::Rejected);
    // Somebody else was faster: it is said, above what is left.
    let late = gu.send(page.form("/refuse").with("reason", "Once more.")).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    late.assert_has("id=\"problem\"");
    desk.done().await;
}

#[tokio::test]
async fn who_asked_does_not_decide() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let case_id = decided(&desk, "Broken cups").await;
    let own = proposed(&desk, &case_id, vec![refund(39)]).await;
    // Ann is a supervisor too.
    let mut ann = desk.browser_as("supervisor", "ann").await;
    let page = open(&mut ann, "/team/decisions").await;
    page.assert_has("You asked for it, so somebody else decides.");
    assert!(page.find_form("/approve").is_none());
    let mut gu = desk.browser_as("supervisor", "gu").await;
    let other = open(&mut gu, "/team/decisions").await;
    let token = page.form("/language").fields.iter().find(|(name, _)| name == "_token").unwrap().1.clone();
    let forged = other.form("/approve").with("_token", &token);
    let refused = ann.send(forged).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    refused.assert_has("APPROVER_IS_PROPOSER");
    refused.assert_has("Whoever proposed a plan does not approve it.");
    assert_eq!(plan(&desk, &own.plan_id).await.state(), PlanState::Proposed);
    desk.done().await;
}

#[tokio::test]
async fn more_time_and_what_is_proposed_of_tasks_is_decided() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let case_id = complaint(&desk, "Slow parcel").await;
    let channel = desk.house.channel_as("development", "ann", &["agent"]);
    let request = RequestExtensionRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        expected_version: None,
        kind: ClockKind::Decide.into(),
        amount: 1,
        reason: format!("The carrier is slow. {HOSTILE}"),
    };
    let asked = ClockServiceClient::new(channel.clone()).request_extension(request).await;
    let extension = asked.unwrap().into_inner().extension.unwrap();
    planned(&desk, "Broken cups", vec![refund(39)]).await;
    let request = ListTasksRequest { department_id: "finance".into(), ..ListTasksRequest::default() };
    let mut resolution = ResolutionServiceClient::new(desk.house.channel());
    let task = resolution.list_tasks(request.clone()).await.unwrap().into_inner().tasks.remove(0);
    let result =
        TaskResult { reference: "PAY 1".into(), amount: task.amount.clone(), ..TaskResult::default() };
    let proposal = ProposeTaskCompletionRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        result: Some(result),
        reason: format!("The bank says so. {HOSTILE}"),
    };
    let cy = desk.house.channel_as("development", "cy", &["supervisor"]);
    ProposalServiceClient::new(cy).propose_task_completion(proposal).await.unwrap();

    let mut gu = desk.browser_as("supervisor", "gu").await;
    let page = open(&mut gu, "/team/decisions").await;
    page.assert_lacks("<script>alert");
    page.assert_has("PAY 1");
    page.assert_has("The carrier is slow.");
    let form = page.form(&format!("/extension/{}/refuse", extension.extension_id));
    gu.send_and_follow(form.with("reason", "No.")).await.assert_has("Refused.");
    let of_case = ListExtensionsRequest { case_id };
    let all =
        ClockServiceClient::new(channel).list_extensions(of_case).await.unwrap().into_inner().extensions;
    assert_eq!(all[0].state(), ExtensionState::Refused);
    let proposal =
        page.text.split("/team/decisions/proposal/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    // Gu approved the money, so another says that it was moved.
    let refused = gu.send(page.form(&format!("/proposal/{proposal}/approve"))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    refused.assert_has("EXECUTOR_IS_PLANNER");
    let mut hu = desk.browser_as("supervisor", "hu").await;
    let page = open(&mut hu, "/team/decisions").await;
    let form = page.form(&format!("/proposal/{proposal}/approve"));
    hu.send_and_follow(form).await.assert_has("Approved.");
    let done = resolution.list_tasks(request).await.unwrap().into_inner().tasks.remove(0);
    assert_eq!((done.state(), done.result.unwrap().reference), (TaskState::Completed, "PAY 1".to_owned()));
    desk.done().await;
}
