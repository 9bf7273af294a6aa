//! Figures: each with its table and its cases; signals, actions, reports, scorecards.

use http::StatusCode;
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::problem_service_client::ProblemServiceClient;
use proto::redress::feedback::v1::{KpiSettings, OpenProblemRequest, UpdateKpiSettingsRequest};
use testkit::{PATIENCE, request_id};

use crate::browser::{Browser, Desk, Page};
use crate::work::{HOSTILE, complaint, staff};

async fn open(browser: &mut Browser, path: &str) -> Page {
    let page = browser.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page
}

/// The first link within a section.
fn link(page: &Page, section: &str) -> String {
    let rest = page.text.split(&format!("id=\"{section}-title\"")).nth(1).unwrap();
    let table = rest.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    let link = table.split("/boards/cases?").nth(1).unwrap_or_else(|| panic!("no link in {table}"));
    format!("/boards/cases?{}", link.split('"').next().unwrap().replace("&#38;", "&"))
}

#[tokio::test]
async fn every_number_leads_to_its_cases() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    for number in 0..6 {
        complaint(&desk, &format!("Parcel {number} {HOSTILE}")).await;
    }
    let mut gu = desk.browser_as("supervisor", "gu").await;
    gu.get("/inbox").await.assert_has("href=\"/figures\"");
    let page = open(&mut gu, "/figures").await;
    page.assert_has("aria-label=\"Received: 6\"");
    page.assert_has("aria-label=\"Open: 6\"");
    page.assert_has("Up to date");
    page.assert_lacks("<script>alert");
    for inline in [" style=", "<style", " onclick="] {
        page.assert_lacks(inline);
    }
    for (section, count) in [("funnel", 6), ("ages", 6), ("channels", 6)] {
        page.assert_has("<svg viewBox=\"0 0 420");
        let cases = open(&mut gu, &link(&page, section)).await;
        assert_eq!(cases.text.matches("data-row-link").count(), count, "{section}: {}", cases.text);
        cases.assert_lacks("<script>alert");
    }
    // Chosen by channel: what there is none of leads nowhere and is nothing.
    let phone = open(&mut gu, "/figures?channel=phone").await;
    phone.assert_lacks("aria-label=\"Received: 6\"");
    let region = open(&mut gu, "/figures?region=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
    region.assert_lacks("<script>alert");
    region.assert_has("Cases cannot be listed by region");
    region.assert_lacks("/boards/cases?");
    let odd = gu.get("/figures?from=x").await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);

    let hours = open(&mut gu, "/figures/hours").await;
    hours.assert_has("6 complaints");
    hours.assert_has("class=\"h h5\"");
    let mut chinese = gu.clone().speaking("zh-CN");
    open(&mut chinese, "/figures/hours").await.assert_has("共 6 件投诉");
    open(&mut chinese, "/figures").await.assert_has("办理进度漏斗");
    desk.done().await;
}

#[tokio::test]
async fn small_groups_are_shown_as_not_told() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let settings = KpiSettings {
        time_zone: "UTC".into(),
        min_group_size: 5,
        note: "x".into(),
        ..KpiSettings::default()
    };
    let request =
        UpdateKpiSettingsRequest { request_id: request_id(), expected_version: 0, settings: Some(settings) };
    KpiServiceClient::new(desk.house.channel()).update_kpi_settings(request).await.unwrap();
    complaint(&desk, "Parcel").await;
    let mut gu = desk.browser_as("supervisor", "gu").await;
    let page = open(&mut gu, "/figures").await;
    page.assert_has("aria-label=\"Received: 1\"");
    page.assert_has(">–*<");
    page.assert_has("fewer than 5");
    desk.done().await;
}

#[tokio::test]
async fn actions_are_created_done_and_assessed_by_another() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let request = OpenProblemRequest {
        request_id: request_id(),
        title: format!("Cups break {HOSTILE}"),
        description: HOSTILE.into(),
        ..OpenProblemRequest::default()
    };
    ProblemServiceClient::new(desk.house.channel()).open_problem(request).await.unwrap();
    let mut gu = desk.browser_as("supervisor", "gu").await;
    let page = open(&mut gu, "/figures/actions").await;
    page.assert_lacks("<script>alert");
    let form = page.form("/figures/actions").with("title", HOSTILE).with("owner", "ann").with("kind", "1");
    let refused = gu.send(form.clone().with("due", "")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.assert_lacks("<script>alert");
    refused.assert_has("INVALID_IMPROVEMENT_ACTION");
    let page = gu.send_and_follow(form.with("due", "2999-01-01")).await;
    page.assert_has("The action is created.");
    page.assert_lacks("<script>alert");
    let path = page.text.split("/figures/actions/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let path = format!("/figures/actions/{path}");

    let mut ann = desk.browser_as("agent", "ann").await;
    let page = open(&mut ann, &path).await;
    let page = ann.send_and_follow(page.form("/complete").with("note", HOSTILE)).await;
    page.assert_has("The action is done");
    page.assert_lacks("<script>alert");
    assert!(page.find_form("/assess").is_none());
    let mut own = desk.browser_as("supervisor", "ann").await;
    open(&mut own, &path).await.assert_has("somebody else says whether it works");
    let page = open(&mut gu, &path).await;
    let undecided = gu.send(page.form("/assess").with("finding", "It holds.")).await;
    assert_eq!(undecided.status, StatusCode::UNPROCESSABLE_ENTITY);
    undecided.assert_has("It holds.");
    let page = gu.send_and_follow(undecided.form("/assess").with("effective", "yes")).await;
    page.assert_has("The action is assessed.");
    page.assert_has("Works");
    desk.done().await;
}

#[tokio::test]
async fn a_report_is_asked_for_and_fetched() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let mut gu = desk.browser_as("supervisor", "gu").await;
    let page = open(&mut gu, "/figures/reports").await;
    let refused = gu.send(page.form("/figures/reports").with("start", "2999-01-01")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.assert_has("INVALID_REPORT");
    let form = page.form("/figures/reports");
    gu.send_and_follow(form).await.assert_has("The report is being made.");
    let made = async {
        loop {
            let page = open(&mut gu, "/figures/reports").await;
            if page.text.contains("/zh/csv") {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let page = tokio::time::timeout(PATIENCE, made).await.expect("it is made");
    let rest = page.text.split("/figures/reports/").find(|rest| rest.contains("/zh/csv\"")).unwrap();
    let file = gu.get(&format!("/figures/reports/{}", rest.split('"').next().unwrap())).await;
    assert_eq!(file.status, StatusCode::OK);
    assert_eq!(file.headers["content-type"], "text/csv");
    assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename*="));
    assert!(file.text.starts_with('\u{feff}') && file.text.len() > 100);
    let mut ann = desk.browser_as("agent", "ann").await;
    assert!(open(&mut ann, "/figures/reports").await.find_form("/figures/reports").is_none());
    desk.done().await;
}

#[tokio::test]
async fn signals_and_scorecards_are_for_whom_they_are() {
    let desk = Desk::open().await;
    staff(&desk, &["ann"]).await;
    let mut gu = desk.browser_as("supervisor", "gu").await;
    open(&mut gu, "/figures/signals").await.assert_has("No signal is here.");
    let missing = gu.get("/figures/signals/01890000-0000-7000-8000-000000000000").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    open(&mut gu, "/figures/scorecards").await.assert_has("In no order of rank.");
    let mut ann = desk.browser_as("agent", "ann").await;
    open(&mut ann, "/figures").await.assert_lacks("/figures/scorecards");
    assert_eq!(ann.get("/figures/scorecards").await.status, StatusCode::FORBIDDEN);
    let mut fay = desk.browser_as("finance", "fay").await;
    fay.get("/department").await.assert_lacks("href=\"/figures\"");
    assert_eq!(fay.get("/figures").await.status, StatusCode::FORBIDDEN);
    desk.done().await;
}
