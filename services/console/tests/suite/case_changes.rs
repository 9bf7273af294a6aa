//! What is changed of a case afterwards: clocks, urgency and category, decisions, plans; and the
//! tenant's own types of remedy.

use http::StatusCode;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{
    CaseClock, CaseState, ClockState, DecideCaseRequest, GetTimelineRequest, ListClocksRequest, Outcome,
    Priority, RecordFindingsRequest,
};
use proto::redress::resolution::v1::remedy_type_service_client::RemedyTypeServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{ListPlansRequest, Plan, RemedyType, SetRemedyTypeRequest};
use testkit::request_id;

use crate::browser::Desk;
use crate::case::{case, open};
use crate::work::{HOSTILE, complaint, staff};

#[tokio::test]
async fn clocks_stand_still_run_on_and_are_given_more_time() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let id = complaint(&desk, "Parcel came broken").await;
    let mut ann = desk.browser_as("agent", "ann").await;
    let page = open(&mut ann, &id).await;
    let page = ann.send_and_follow(page.form("/accept")).await;
    let form = page.form("/pause").with("pause_reason", "1").with("remark", "Asked for a photograph.");
    let refused = ann.send(form.clone().with("remark", "")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.assert_has("INVALID_PAUSE");
    // The policy that is shipped lets clocks stand still for this, and gives more time.
    let page = ann.send_and_follow(form).await;
    page.assert_has("The time stands still.");
    let clocks = clocks(&desk, &id).await;
    assert!(clocks.contains(&ClockState::Paused), "{clocks:?}");
    let page = ann.send_and_follow(page.form("/resume").with("remark", "It came.")).await;
    page.assert_has("The time runs on.");
    let form = page
        .form("/extend")
        .with("clock", "6")
        .with("amount", "2")
        .with("reason", "The carrier does not answer.");
    ann.send_and_follow(form.clone()).await.assert_has("More time is asked for.");
    let odd = ann.send(form.with("amount", "some")).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    odd.assert_has("must be a whole number");
    desk.done().await;
}

async fn clocks(desk: &Desk, id: &str) -> Vec<ClockState> {
    let request = ListClocksRequest { case_id: id.into() };
    let answer = ClockServiceClient::new(desk.house.channel()).list_clocks(request).await.unwrap();
    answer.into_inner().clocks.iter().map(CaseClock::state).collect()
}

#[tokio::test]
async fn urgency_and_category_change_with_a_reason() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let id = complaint(&desk, "Parcel came broken").await;
    let mut gu = desk.browser_as("supervisor", "gu").await;
    let before = case(&desk, &id).await.priority;
    let page = open(&mut gu, &id).await;
    let page =
        gu.send_and_follow(page.form("/urgency").with("priority", "1").with("reason", "A child.")).await;
    page.assert_has("The urgency is changed.");
    assert_eq!(case(&desk, &id).await.priority(), Priority::P1);
    let back = page.form("/urgency").with("priority", &before.to_string()).with("reason", "No child.");
    gu.send_and_follow(back).await.assert_has("A second person must ask for the same.");
    let mut lin = desk.browser_as("supervisor", "lin").await;
    let page = open(&mut lin, &id).await;
    let form = page.form("/urgency").with("priority", &before.to_string()).with("reason", "Seen as well.");
    lin.send_and_follow(form).await.assert_has("The urgency is changed.");
    assert_eq!(case(&desk, &id).await.priority, before);
    let page = open(&mut gu, &id).await;
    let form = page.form("/recategorise").with("category", "delivery/late").with("reason", "It says so.");
    let done = gu.send_and_follow(form).await;
    done.assert_has("The category is changed.");
    done.assert_has("delivery/late: It says so.");
    assert_eq!(case(&desk, &id).await.category, "delivery/late");
    let page = open(&mut gu, &id).await;
    gu.send_and_follow(page.form("/retriage")).await.assert_has("The case is triaged anew.");
    desk.done().await;
}

/// A case that is decided with a remedy due.
async fn decided(desk: &Desk) -> String {
    staff(desk, &["ann"]).await;
    let id = complaint(desk, "Parcel came broken").await;
    let mut service = CaseServiceClient::new(desk.house.channel());
    let found = RecordFindingsRequest {
        request_id: request_id(),
        case_id: id.clone(),
        findings: "It broke.".into(),
        ..RecordFindingsRequest::default()
    };
    service.record_findings(found).await.unwrap();
    let decide = DecideCaseRequest {
        request_id: request_id(),
        case_id: id.clone(),
        outcome: Outcome::Upheld.into(),
        reasons: "We packed it badly.".into(),
        remedy_due: true,
        ..DecideCaseRequest::default()
    };
    service.decide_case(decide).await.unwrap();
    desk.house.settled().await;
    id
}

#[tokio::test]
async fn a_decision_is_corrected_by_two_people() {
    let desk = Desk::open().await;
    let id = decided(&desk).await;
    let mut ann = desk.browser_as("agent", "ann").await;
    let page = open(&mut ann, &id).await;
    let form = page.form("/correct").with("outcome", "2").with("reasons", HOSTILE).with("remedy_due", "yes");
    let page = ann.send_and_follow(form.with("reason", HOSTILE)).await;
    page.assert_has("A second person confirms it.");
    page.assert_has("Partly upheld");
    page.assert_lacks("<script>alert");
    assert!(page.find_form("/correct").is_none(), "one at a time");
    let mut gu = desk.browser_as("supervisor", "gu").await;
    let page = open(&mut gu, &id).await;
    gu.send_and_follow(page.form("/confirm-correction")).await.assert_has("The correction is in force.");
    assert_eq!(case(&desk, &id).await.outcome(), Outcome::PartlyUpheld);
    // Each sentence of it reads in Chinese, and what people wrote stays.
    let page = gu.get("/inbox").await;
    gu.send(page.form("/language").with("language", "zh")).await;
    let page = open(&mut gu, &id).await;
    page.assert_has("裁定由投诉成立更正为部分成立，需要补救");
    page.assert_has("投诉经网页表单提交，已立案");
    for english in ["the complaint came in", "decided: upheld", "assigned to ann"] {
        page.assert_lacks(english);
    }
    let timeline = GetTimelineRequest { case_id: id.clone(), ..GetTimelineRequest::default() };
    let entries = CaseServiceClient::new(desk.house.channel()).get_timeline(timeline).await.unwrap();
    assert!(entries.into_inner().entries.len() >= 5);
    desk.done().await;
}

async fn plans(desk: &Desk, id: &str) -> Vec<Plan> {
    let request = ListPlansRequest { case_id: id.into(), ..ListPlansRequest::default() };
    let answer = ResolutionServiceClient::new(desk.house.channel()).list_plans(request).await.unwrap();
    answer.into_inner().plans
}

#[tokio::test]
async fn a_plan_has_types_of_our_own_and_is_revised() {
    let desk = Desk::open().await;
    let id = decided(&desk).await;
    let schema = r#"{ "type": "object", "required": ["value"], "properties": { "value": { "type": "integer", "title": "Value of the card" } } }"#;
    let kind = RemedyType {
        type_id: "gift-card".into(),
        title: HOSTILE.into(),
        department_id: "finance".into(),
        input_schema: schema.into(),
        result_schema: r#"{ "type": "object" }"#.into(),
        ..RemedyType::default()
    };
    let request =
        SetRemedyTypeRequest { request_id: request_id(), expected_version: None, remedy_type: Some(kind) };
    RemedyTypeServiceClient::new(desk.house.channel()).set_remedy_type(request).await.unwrap();
    let mut ann = desk.browser_as("agent", "ann").await;
    let page = open(&mut ann, &id).await;
    page.assert_lacks("<script>alert");
    let part = ann.get(&format!("/cases/{id}/remedy?row=2&step2_kind=own%3Agift-card")).await;
    part.assert_has("Value of the card");
    part.assert_has("name=\"step2_f.value\"");
    part.assert_lacks("<script>alert");
    assert_eq!(ann.get(&format!("/cases/{id}/remedy?row=99")).await.status, StatusCode::NOT_FOUND);
    // Without scripts its questions are asked once it was chosen.
    let asked = ann.send(page.form("/plan").with("step1_kind", "own:gift-card")).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    asked.assert_has("Fill in what this remedy needs");
    let form = asked.form("/plan").with("step1_f.value", "20");
    let form = form.with("step2_kind", "3").with("step2_department", "finance").with("step2_amount", "5.50");
    let page = ann.send_and_follow(form.with("step2_after", "1").with("step2_currency", "EUR")).await;
    page.assert_has("The plan is proposed.");
    let plan = plans(&desk, &id).await.remove(0);
    let types: Vec<&str> = plan.steps.iter().map(|step| step.remedy_type.as_str()).collect();
    assert_eq!(types, ["gift-card", ""]);
    assert_eq!(plan.steps[0].input, r#"{"value":20}"#);
    // As it is there is nothing to revise; with another sum there is.
    let form = page.form("/revise").with("reason", "A little more.");
    let same = ann.send(form.clone()).await;
    assert_eq!(same.status, StatusCode::CONFLICT, "{}", same.text);
    same.assert_has("NOTHING_TO_REVISE");
    let page = ann.send_and_follow(form.with("step2_amount", "7.50")).await;
    page.assert_has("The revision is recorded.");
    page.assert_has("A little more.");
    page.assert_has("<del");
    page.assert_has("EUR 7.50");
    desk.house.settled().await;
    assert_eq!(case(&desk, &id).await.state(), CaseState::Decided);
    desk.done().await;
}
