//! Administrators: everything is tried before it is put in force, what is wrong stands at its
//! line with what was written, and who is slower is told.

use http::StatusCode;
use proto::redress::cases::v1::category_service_client::CategoryServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{Category, GetRuleSetRequest, ImportCategoriesRequest};
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::{CreateFormRequest, Form as WireForm, GetFormRequest};
use testkit::request_id;

use crate::browser::{Browser, Desk, Form, Page};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}";
/// Every page of administrators that needs nothing to be there first.
const PAGES: [&str; 20] = [
    "/admin",
    "/admin/categories",
    "/admin/categories/edit?id=tree",
    "/admin/forms",
    "/admin/forms/edit",
    "/admin/rules",
    "/admin/rules/new",
    "/admin/rules/version/0",
    "/admin/routing",
    "/admin/routing/new",
    "/admin/routing/version/0/trial",
    "/admin/approvals",
    "/admin/approvals/new",
    "/admin/policies",
    "/admin/policies/version/0",
    "/admin/calendars",
    "/admin/calendars/show/cn?year=2026",
    "/admin/templates",
    "/admin/templates/new?from=2.en",
    "/admin/roster",
];

async fn ada(desk: &Desk) -> Browser {
    desk.browser_as("admin", "ada").await
}

async fn open(browser: &mut Browser, path: &str) -> Page {
    let page = browser.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
    page
}

/// The value of a field of a form.
fn value(form: &Form, name: &str) -> String {
    form.fields.iter().find(|(named, _)| named == name).unwrap_or_else(|| panic!("no {name}")).1.clone()
}

#[tokio::test]
async fn pages_of_administrators_are_for_nobody_else() {
    let desk = Desk::open().await;
    let mut ada = ada(&desk).await;
    let mut ann = desk.browser_as("agent", "ann").await;
    for path in PAGES {
        let page = open(&mut ada, path).await;
        for inline in ["<style", " style=", " onclick=", "javascript:", "hx-on"] {
            page.assert_lacks(inline);
        }
        assert_eq!(ann.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    ann.get("/inbox").await.assert_lacks("/admin\"");
    open(&mut ada, "/inbox").await.assert_has("/admin\"");
    for path in ["/admin/rules/version/x", "/admin/templates/version/2", "/admin/calendars/show/nowhere"] {
        assert_eq!(ada.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    desk.done().await;
}

#[tokio::test]
async fn rules_are_kept_tried_and_then_put_in_force() {
    let desk = Desk::open().await;
    let mut ada = ada(&desk).await;
    let page = open(&mut ada, "/admin/rules/new").await;
    let form = page.form("/admin/rules").with("note", "Children first");
    // Everything that is wrong is told at its line, and nothing that was written is lost.
    let text = "{\n  \"rules\": [\n    { \"name\": \"one\", \"when\": \"true\", \"priority\": \"PRIORITY_P1\" },\n    { \"name\": \"two\", \"when\": \"true\" }\n  ]\n}";
    let wrong = ada.send(form.clone().with("rule_set", text)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.assert_has("INVALID_RULE_SET");
    wrong.assert_has("Line 3");
    wrong.assert_has("Line 4");
    assert_eq!(value(&wrong.form("/admin/rules"), "rule_set"), text);
    let nonsense = "{\n\"rules\": [\n{ \"name\": \"one\",\n\"when\": \"nonsense ==\", \"reason\": \"r\", \"priority\": \"PRIORITY_P1\" }]\n}";
    let wrong_condition = ada.send(form.clone().with("rule_set", nonsense)).await;
    wrong_condition.assert_has("Line 4");
    wrong_condition.assert_has("rules[0].when");
    let misspelt = ada.send(form.clone().with("rule_set", "{\n\"rulse\": []}")).await;
    misspelt.assert_has("rule_set.rulse");
    let none = ada.send(form.clone().with("rule_set", "{ nonsense")).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);

    let text = "{ \"rules\": [{ \"name\": \"hurt\", \"when\": \"is_regulator\", \"reason\": \"a regulator asks\", \"priority\": \"PRIORITY_P1\" }] }";
    let form = form.with("rule_set", text);
    let kept = ada.send(form.clone()).await;
    assert_eq!(kept.location(), "/admin/rules/version/1?done=created&over=admin%2Frules%2F");
    assert_eq!(ada.send(form).await.location(), kept.location(), "the same form is the same version");
    let page = open(&mut ada, kept.location()).await;
    page.assert_has("The version is kept.");
    assert!(page.find_form("/trial").is_none(), "it is put in force where its trial is shown");
    let trial = open(&mut ada, "/admin/rules/version/1/trial").await;
    trial.assert_has("Would come out otherwise");
    let form = trial.form("/admin/rules/version/1/trial");
    for proof in ["", "AAAA", &value(&form, "request_id")] {
        let refused = ada.send(form.clone().with("proof", proof)).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{proof}");
        refused.assert_has("TRY_IT_FIRST");
    }
    assert_eq!(active(&desk).await, 0);
    let other = Form { action: "/admin/rules/version/0/trial".to_owned(), ..form.clone() };
    ada.send(other).await.assert_has("TRY_IT_FIRST");
    let done_path = ada.send(form.clone()).await.location().to_owned();
    open(&mut ada, &done_path).await.assert_has("The version is in force.");
    assert_eq!(active(&desk).await, 1);
    // Twice is once; where another was put in force meanwhile, the trial is one of another time.
    assert_eq!(ada.send(form).await.location(), done_path);
    let early = open(&mut ada, "/admin/rules/version/0/trial").await.form("/version/0/trial");
    let page = open(&mut ada, "/admin/rules/new?from=1").await;
    let kept = ada.send(page.form("/admin/rules").with("note", "Again")).await;
    assert!(kept.location().starts_with("/admin/rules/version/2?"), "{}", kept.location());
    let trial = open(&mut ada, "/admin/rules/version/2/trial").await;
    ada.send_and_follow(trial.form("/version/2/trial")).await.assert_has("The version is in force.");
    let late = ada.send(early).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    late.assert_has("VERSION_MISMATCH");
    desk.done().await;
}

async fn active(desk: &Desk) -> i64 {
    let mut service = TriageServiceClient::new(desk.house.channel());
    let answer = service.get_rule_set(GetRuleSetRequest { version: None }).await.unwrap();
    answer.into_inner().rule_set.unwrap().version
}

#[tokio::test]
async fn a_tree_that_somebody_else_changed_is_not_overwritten() {
    let desk = Desk::open().await;
    let mut ada = ada(&desk).await;
    let page = open(&mut ada, "/admin/categories/edit?id=tree").await;
    let form =
        page.form("/admin/categories/trial").with("categories", "delivery | Delivery\ndelivery/late\n");
    let trial = ada.send(form.clone()).await;
    assert_eq!(trial.status, StatusCode::OK, "{}", trial.text);
    trial.assert_has("delivery/late");
    let apply = trial.form("/admin/categories/apply");
    // Somebody is faster.
    let category = Category { path: "billing".into(), ..Category::default() };
    let request = ImportCategoriesRequest {
        request_id: request_id(),
        expected_version: Some(0),
        categories: vec![category],
    };
    CategoryServiceClient::new(desk.house.channel()).import_categories(request).await.unwrap();
    let refused = ada.send(apply.clone()).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    refused.assert_has("VERSION_MISMATCH");
    let again = refused.form("/admin/categories/trial");
    assert_eq!(value(&again, "categories"), "delivery | Delivery\ndelivery/late");
    // What was tried is what is kept, to the letter.
    let other = ada.send(apply.with("categories", "other")).await;
    other.assert_has("TRY_IT_FIRST");
    let trial = ada.send(again).await;
    trial.assert_has("billing");
    let done = ada.send_and_follow(trial.form("/admin/categories/apply")).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    done.assert_has("delivery/late");
    done.assert_lacks("billing");
    let page = open(&mut ada, "/admin/categories/edit?id=tree").await;
    let wrong = page.form("/admin/categories/trial").with("categories", "delivery\n\ndelivery\norphan/below");
    let trial = ada.send(wrong).await;
    let wrong = ada.send(trial.form("/admin/categories/apply")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.assert_has("Line 3");
    wrong.assert_has("Line 4");
    desk.done().await;
}

#[tokio::test]
async fn a_form_is_seen_as_complainants_see_it_before_it_holds() {
    let desk = Desk::open().await;
    let mut ada = ada(&desk).await;
    let page = open(&mut ada, "/admin/forms/edit").await;
    let schema = r#"{ "type": "object", "required": ["pieces"], "properties": { "pieces": { "type": "integer", "title": "How many pieces?" } } }"#;
    let form = page.form("/admin/forms/trial").with("category", "delivery").with("title", "Parcels");
    let form = form.with("schema", schema);
    let mut htmx = ada.clone();
    htmx.headers.push(("hx-request", "true".to_owned()));
    let preview = Form { action: "/admin/forms/preview".to_owned(), ..form.clone() };
    let part = htmx.send(preview.clone()).await;
    part.assert_has("How many pieces?");
    part.assert_lacks("<html");
    let whole = ada.send(preview).await;
    whole.assert_has("How many pieces?");
    assert_eq!(value(&whole.form("/admin/forms/trial"), "schema"), schema);
    let wrong = ada.send(form.clone().with("schema", "{ nonsense")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let trial = ada.send(form).await;
    trial.assert_has("How many pieces?");
    let apply = trial.form("/admin/forms/apply");
    let done = ada.send_and_follow(apply.clone()).await;
    done.assert_has("Parcels");
    let mut service = FormServiceClient::new(desk.house.channel());
    let request = GetFormRequest { category: "delivery".into(), version: 0 };
    assert_eq!(service.get_form(request).await.unwrap().into_inner().form.unwrap().schema, schema);
    assert_eq!(ada.send(apply.clone()).await.status, StatusCode::SEE_OTHER, "twice is once");
    let other = WireForm {
        category: "delivery".into(),
        schema: r#"{ "type": "object" }"#.into(),
        ..WireForm::default()
    };
    let request = CreateFormRequest { request_id: request_id(), form: Some(other) };
    service.create_form(request).await.unwrap();
    ada.send(apply).await.assert_has("VERSION_MISMATCH");
    open(&mut ada, "/admin/forms/history?id=of%3Adelivery").await.assert_has("In force");
    let page = open(&mut ada, "/admin/forms/edit?id=of%3Adelivery&version=1").await;
    let form = page.form("/admin/forms/trial").with("schema", r#"{ "type": "nonsense" }"#);
    let trial = ada.send(form).await;
    let wrong = ada.send(trial.form("/admin/forms/apply")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    wrong.assert_has("INVALID_FORM");
    desk.done().await;
}

#[tokio::test]
async fn a_calendar_is_looked_at_over_a_year_and_edited_by_the_day() {
    let desk = Desk::open().await;
    let mut ada = ada(&desk).await;
    let page = open(&mut ada, "/admin/calendars/show/cn?year=2026").await;
    page.assert_has("day makeup");
    page.assert_has("2026-10-10");
    let page = open(&mut ada, "/admin/calendars/edit?id=cn").await;
    let form = page.form("/admin/calendars/trial");
    let days = value(&form, "days");
    assert!(days.contains("2026-10-10 workday"), "{days}");
    let wrong = ada.send(form.clone().with("days", &format!("{days}\nnonsense"))).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.assert_has("<code>nonsense</code>");
    let wrong = ada.send(form.clone().with("days", &format!("2026-02-30 holiday\n{days}"))).await;
    wrong.assert_has("INVALID_CALENDAR");
    wrong.assert_has("Line 1");
    let trial = ada.send(form.clone().with("days", &format!("{days}\n2026-12-31 holiday House day"))).await;
    trial.assert_has("Due times that move");
    let done = ada.send_and_follow(trial.form("/admin/calendars/apply")).await;
    done.assert_has("House day");
    // Somebody who began before that tries and is told.
    let late = ada.send(form).await;
    late.assert_has("version 1 holds now");
    let made = open(&mut ada, "/admin/calendars/edit").await;
    let form = made.form("/admin/calendars/trial").with("name", "house").with("title", "The house's");
    let trial = ada.send(form).await;
    let done = ada.send_and_follow(trial.form("/admin/calendars/apply")).await;
    done.assert_has("The house&#39;s");
    desk.done().await;
}

#[tokio::test]
async fn weights_policies_and_letters_have_versions_too() {
    let desk = Desk::open().await;
    let mut ada = ada(&desk).await;
    for (key, fields) in [
        ("routing", vec![("load", "70"), ("note", "Room counts less")]),
        (
            "approvals",
            vec![(
                "policy",
                r#"{ "rules": [{ "name": "small", "when": "total_minor < 5000", "reason": "it is little", "demand": "APPROVAL_DEMAND_AUTOMATIC" }] }"#,
            )],
        ),
        ("policies", vec![("shipped_pack", "uk-fca-disp")]),
        ("templates", vec![("kind", "1"), ("language", "en"), ("subject", "We have it: {{ subject }}")]),
    ] {
        let page = open(&mut ada, &format!("/admin/{key}/new")).await;
        let mut form = page.form(&format!("/admin/{key}"));
        if key == "templates" {
            let english = open(&mut ada, "/admin/templates/new?from=1.en").await;
            form = english.form("/admin/templates");
        }
        for (name, value) in fields {
            form = form.with(name, value);
        }
        let kept = ada.send(form).await;
        assert_eq!(kept.status, StatusCode::SEE_OTHER, "{key}: {}", kept.text);
        let page = open(&mut ada, kept.location()).await;
        page.assert_has("/trial\"");
        let path = kept.location().split('?').next().unwrap().to_owned();
        let trial = open(&mut ada, &format!("{path}/trial")).await;
        let done = ada.send_and_follow(trial.form("/trial")).await;
        done.assert_has("The version is in force.");
        open(&mut ada, &format!("/admin/{key}")).await.assert_has("class=\"active\"");
    }
    let page = open(&mut ada, "/admin/routing/new").await;
    assert_eq!(value(&page.form("/admin/routing"), "load"), "70", "a new one begins as that in force");
    let wrong = ada.send(page.form("/admin/routing").with("load", "much").with("skill", "1001")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(value(&wrong.form("/admin/routing"), "load"), "much");
    let page = open(&mut ada, "/admin/templates/new?from=1.en").await;
    let form = page.form("/admin/templates").with("body", "{{ nowhere }}");
    let preview = Form { action: "/admin/templates/preview".to_owned(), ..form.clone() };
    ada.send(preview).await.assert_has("nowhere");
    ada.send(form).await.assert_has("INVALID_TEMPLATE");
    desk.done().await;
}

#[tokio::test]
async fn the_roster_is_kept_and_who_is_slower_sees_what_it_says_now() {
    let desk = Desk::open().await;
    let mut ada = ada(&desk).await;
    let page = open(&mut ada, "/admin/departments/edit").await;
    let form =
        page.form("/admin/departments/apply").with("department_id", "care").with("display_name", "Care");
    let done = ada.send_and_follow(form.with("categories", "*")).await;
    done.assert_has("Care");
    let page = open(&mut ada, "/admin/agents/edit").await;
    let form = page.form("/admin/agents/apply").with("agent_id", "ann").with("display_name", "Ann");
    let form = form.with("department_id", "care").with("skills", "delivery 4").with("languages", "en, zh");
    let wrong = ada.send(form.clone().with("skills", "delivery").with("capacity", "many")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.assert_has("Line 1");
    assert_eq!(value(&wrong.form("/admin/agents/apply"), "capacity"), "many");
    ada.send_and_follow(form).await.assert_has("Ann");
    let first = open(&mut ada, "/admin/agents/edit?id=ann").await.form("/admin/agents/apply");
    assert_eq!(
        (value(&first, "skills").as_str(), value(&first, "languages").as_str()),
        ("delivery 4", "en, zh")
    );
    ada.send_and_follow(first.clone().with("display_name", "Ann A.")).await.assert_has("Ann A.");
    let late = ada.send(first.with("request_id", &request_id()).with("display_name", "Ann B.")).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    late.assert_has("What it says now");
    late.assert_has("Ann A.");
    let again = late.form("/admin/agents/apply");
    assert_eq!(value(&again, "display_name"), "Ann B.");
    ada.send_and_follow(again).await.assert_has("Ann B.");
    let page = open(&mut ada, "/admin/roster").await;
    let form = page.form("/admin/roster/leave").with("reason", "moves abroad").with("action", "leave");
    let page = ada.send_and_follow(form).await;
    page.assert_has("Leaves");
    let page = ada.send_and_follow(page.form("/admin/roster/leave").with("action", "remove")).await;
    page.assert_lacks("Ann B.");
    desk.done().await;
}

/// A category and its form, with nothing but what pages must not act on.
async fn hostile_category_and_form(desk: &Desk) {
    let category = Category { path: "delivery".into(), title: HOSTILE.into(), leaf: false };
    let request = ImportCategoriesRequest {
        request_id: request_id(),
        expected_version: None,
        categories: vec![category],
    };
    CategoryServiceClient::new(desk.house.channel()).import_categories(request).await.unwrap();
    let schema = serde_json::json!({ "type": "object", "properties": {
        HOSTILE: { "type": "string", "title": HOSTILE, "description": HOSTILE },
        "one": { "title": HOSTILE, "oneOf": [{ "const": HOSTILE, "title": HOSTILE }] },
    } });
    let form = WireForm {
        category: "delivery".into(),
        title: HOSTILE.into(),
        schema: schema.to_string(),
        ..WireForm::default()
    };
    let request = CreateFormRequest { request_id: request_id(), form: Some(form) };
    FormServiceClient::new(desk.house.channel()).create_form(request).await.unwrap();
}

#[tokio::test]
async fn what_is_kept_is_shown_as_it_is_on_every_page() {
    let desk = Desk::open().await;
    let mut ada = ada(&desk).await;
    hostile_category_and_form(&desk).await;
    let mut made = Vec::new();
    let rules = serde_json::json!({ "rules": [{ "name": "x", "when": "true", "reason": HOSTILE, "priority": "PRIORITY_P2" }] });
    let approvals = serde_json::json!({ "rules": [{ "name": "x", "when": "true", "reason": HOSTILE, "demand": "APPROVAL_DEMAND_REFUSAL" }] });
    for (key, field, text) in [
        ("rules", "rule_set", rules.to_string()),
        ("approvals", "policy", approvals.to_string()),
        ("routing", "load", "1".to_owned()),
        ("policies", "shipped_pack", "uk-fca-disp".to_owned()),
        ("templates", "subject", format!("{} {{{{ subject }}}}", HOSTILE.replace("{{7*7}}", ""))),
    ] {
        let page = open(&mut ada, &format!("/admin/{key}/new")).await;
        let kept =
            ada.send(page.form(&format!("/admin/{key}")).with("note", HOSTILE).with(field, &text)).await;
        assert_eq!(kept.status, StatusCode::SEE_OTHER, "{key}: {}", kept.text);
        let path = kept.location().split('?').next().unwrap().to_owned();
        made.extend([
            format!("{path}/trial"),
            format!("/admin/{key}/new?from={}", path.rsplit('/').next().unwrap()),
            path,
        ]);
    }
    let page = open(&mut ada, "/admin/calendars/edit").await;
    let form = page.form("/admin/calendars/trial").with("name", "house").with("title", HOSTILE);
    let form = form.with("days", &format!("2026-10-10 workday {HOSTILE}"));
    let trial = ada.send(form).await;
    ada.send_and_follow(trial.form("/admin/calendars/apply")).await;
    let page = open(&mut ada, "/admin/departments/edit").await;
    let form =
        page.form("/admin/departments/apply").with("department_id", "care").with("display_name", HOSTILE);
    ada.send_and_follow(form).await;
    made.extend([
        "/admin/calendars/show/house?year=2026".to_owned(),
        "/admin/calendars/edit?id=house".to_owned(),
    ]);
    made.extend([
        "/admin/forms/edit?id=of%3Adelivery".to_owned(),
        "/admin/departments/edit?id=care".to_owned(),
    ]);
    made.push("/admin/forms/history?id=of%3Adelivery".to_owned());
    for path in PAGES.iter().map(|path| (*path).to_owned()).chain(made) {
        harmless(&open(&mut ada, &path).await);
    }
    // Nor what is written and given back.
    for (path, action) in
        [("/admin/forms/edit", "/admin/forms/trial"), ("/admin/agents/edit", "/admin/agents/apply")]
    {
        let page = open(&mut ada, path).await;
        let mut form = page.form(action);
        for (name, value) in &mut form.fields {
            if !["_token", "request_id", "is_new", "version"].contains(&name.as_str()) {
                HOSTILE.clone_into(value);
            }
        }
        harmless(&ada.send(form).await);
    }
    desk.done().await;
}

fn harmless(page: &Page) {
    page.assert_lacks("<script>alert");
    page.assert_lacks("<img src=x");
    page.assert_lacks("\"'><");
}
