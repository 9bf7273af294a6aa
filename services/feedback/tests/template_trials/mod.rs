//! Templates tried on real cases before they are put in force.

use proto::redress::cases::v1::{CaseOpened, CaseResolved, Priority};
use proto::redress::feedback::v1::template_service_client::TemplateServiceClient;
use proto::redress::feedback::v1::{
    ActivateTemplateRequest, CreateTemplateRequest, NoticeKind, PreviewTemplateRequest,
    PreviewTemplateResponse, Template,
};
use testkit::{CallerChannel, House, MockClock, reason, request_id, violations};
use tonic::Status;
use uuid::Uuid;

use crate::{case, house, refused, registered, resolved};

type Templates = TemplateServiceClient<CallerChannel>;

fn outcome(subject: &str) -> Template {
    Template {
        kind: NoticeKind::Outcome.into(),
        language: "en".into(),
        subject: subject.into(),
        body: "{{ greeting }} {{ subject }} {{ decision }} {{ reasons }} {{ until }} {{ case }}".into(),
        ..Template::default()
    }
}

fn on(template: Template, case: Uuid) -> PreviewTemplateRequest {
    PreviewTemplateRequest { template: Some(template), case_id: case.to_string(), latest_notices: 0 }
}

async fn preview(
    templates: &Templates,
    request: PreviewTemplateRequest,
) -> Result<PreviewTemplateResponse, Status> {
    Ok(templates.clone().preview_template(request).await?.into_inner())
}

/// A case, and its outcome where there are reasons.
async fn told(house: &House, tenant: &str, reasons: Option<&str>) -> Uuid {
    let case = case();
    house.tell_as(tenant, "intake", case, &registered(case, "ada@example.org")).await;
    let opened = CaseOpened {
        case_id: case.to_string(),
        cycle: 1,
        priority: Priority::P3.into(),
        recused_subjects: vec!["mallory".into()],
        ..CaseOpened::default()
    };
    house.tell_as(tenant, "cases", case, &opened).await;
    if let Some(reasons) = reasons {
        let event = CaseResolved { reasons: reasons.into(), ..resolved(case, 1) };
        house.tell_as(tenant, "cases", case, &event).await;
    }
    house.settled().await;
    case
}

#[tokio::test]
async fn a_preview_on_a_case_is_its_next_letter() {
    let house = house().await;
    let templates = Templates::new(house.channel());
    let decided = told(&house, "development", Some("the carrier dropped it")).await;
    let letter = preview(&templates, on(outcome("{{ name }}: {{ subject }}"), decided)).await.unwrap();
    assert_eq!(letter.subject, "Ada: late parcel");
    let said = "Dear Ada, late parcel your complaint is upheld in part. the carrier dropped it ";
    assert!(letter.body.starts_with(said), "{}", letter.body);
    assert!(letter.body.ends_with(&decided.to_string()), "{}", letter.body);
    assert_eq!((letter.sampled_places.len(), letter.masked, letter.other_language), (0, false, false));

    let open = told(&house, "development", None).await;
    let letter = preview(&templates, on(outcome("{{ name }}: {{ subject }}"), open)).await.unwrap();
    assert_eq!(
        (letter.subject.as_str(), letter.sampled_places.join(" ").as_str()),
        ("Ada: late parcel", "decision reasons until")
    );
    assert!(letter.body.ends_with(&open.to_string()), "{}", letter.body);
    let chinese = Template { language: "zh".into(), ..outcome("{{ subject }}") };
    assert!(preview(&templates, on(chinese, open)).await.unwrap().other_language);
    let unknown = refused(preview(&templates, on(outcome("x"), case())).await);
    assert_eq!(unknown.1, "CONTACT_NOT_FOUND");
    house.done().await;
}

#[tokio::test]
async fn a_letter_that_stops_on_real_words_is_told_by_case_and_not_put_in_force() {
    let house = house().await;
    let mut templates = Templates::new(house.channel());
    let short = told(&house, "development", Some("it was late")).await;
    let long = told(&house, "development", Some("it was late,\nand it was wet")).await;
    // The sample has reasons of one line: it tells nothing.
    let template = outcome("{{ decision }} {{ reasons }}");
    preview(&templates, on(template.clone(), short)).await.unwrap();
    let stopped = preview(&templates, on(template.clone(), long)).await.unwrap_err();
    assert_eq!(
        (reason(&stopped).as_str(), violations(&stopped)),
        ("INVALID_TEMPLATE", vec!["template.subject".to_owned()])
    );
    let request =
        PreviewTemplateRequest { template: Some(template.clone()), latest_notices: 50, ..Default::default() };
    let tried = preview(&templates, request).await.unwrap();
    assert_eq!((tried.tried_count, tried.failures.len()), (2, 1));
    let failure = &tried.failures[0];
    assert_eq!((failure.case_id.as_str(), failure.field.as_str()), (long.to_string().as_str(), "subject"));
    assert!(failure.problem.contains("one line"), "{}", failure.problem);

    let made = CreateTemplateRequest { request_id: request_id(), template: Some(template) };
    let made = templates.create_template(made).await.unwrap().into_inner().template.unwrap();
    let put = |latest_notices| ActivateTemplateRequest {
        request_id: request_id(),
        kind: NoticeKind::Outcome.into(),
        language: "en".into(),
        version: made.version,
        latest_notices,
    };
    let refusal = templates.activate_template(put(50)).await.unwrap_err();
    assert_eq!(
        (reason(&refusal).as_str(), violations(&refusal)),
        ("INVALID_TEMPLATE", vec!["subject".to_owned()])
    );
    assert!(refusal.message().contains(&long.to_string()) || !violations(&refusal).is_empty());
    assert_eq!(violations(&templates.activate_template(put(201)).await.unwrap_err()), ["latest_notices"]);
    templates.activate_template(put(0)).await.expect("who asks for no trial has none");
    house.done().await;
}

#[tokio::test]
async fn who_may_not_see_the_case_sees_a_masked_letter() {
    let house = House::builder(&[feedback::SERVICE]).clock(MockClock::default()).identified().open().await;
    let case = told(&house, "tenant-a", Some("Ada broke it")).await;
    let client = |subject: &str, roles: &[&str]| Templates::new(house.channel_as("tenant-a", subject, roles));
    let template = outcome("{{ subject }}");
    for (subject, roles, shown) in [
        ("alice", &["admin"][..], false),
        ("alice", &["admin", "reader"][..], true),
        ("Mallory", &["admin", "reader"][..], false),
    ] {
        let letter = preview(&client(subject, roles), on(template.clone(), case)).await.unwrap();
        assert_eq!(letter.masked, !shown, "{subject} {roles:?}");
        assert_eq!(letter.body.contains("Ada"), shown, "{}", letter.body);
        assert_eq!(letter.body.contains("••• ••••• ••"), !shown, "{}", letter.body);
        assert!(letter.body.contains("your complaint is upheld in part."), "{}", letter.body);
    }
    let other = Templates::new(house.channel_as("tenant-b", "bob", &["admin", "reader"]));
    assert_eq!(refused(preview(&other, on(template.clone(), case)).await).1, "CONTACT_NOT_FOUND");
    let request =
        PreviewTemplateRequest { template: Some(template), latest_notices: 9, ..Default::default() };
    assert_eq!(preview(&other, request).await.unwrap().tried_count, 0);
    house.done().await;
}
