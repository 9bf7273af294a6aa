//! The organisation's own words, and the hours in which nobody is written to.

use std::time::Duration;

use proto::redress::feedback::v1::template_service_client::TemplateServiceClient;
use proto::redress::feedback::v1::{
    ActivateTemplateRequest, CreateTemplateRequest, GetQuietHoursRequest, GetTemplateRequest,
    ListTemplatesRequest, NoticeKind, NoticeState, PreviewTemplateRequest, QuietHours, SetQuietHoursRequest,
    Template,
};
use testkit::{CallerChannel, House, consistency_token, eventually, reason, request_id, violations};
use tonic::{Code, Status};

use crate::records::mailing;
use crate::sink::Sink;
use crate::{case, house, notices_of, refused, registered, resolved};

type Templates = TemplateServiceClient<CallerChannel>;

fn templates(house: &House) -> Templates {
    Templates::new(house.channel())
}

fn acknowledgement() -> Template {
    Template {
        kind: NoticeKind::Acknowledgement.into(),
        language: "en".into(),
        subject: "Got it: {{ subject }}".into(),
        body: "{% if name %}Hello {{ name }}{% else %}Hello{% endif %}, we have {{ case }}.\n".into(),
        note: "shorter".into(),
        ..Template::default()
    }
}

fn made(template: Template) -> CreateTemplateRequest {
    CreateTemplateRequest { request_id: request_id(), template: Some(template) }
}

fn put(version: i64) -> ActivateTemplateRequest {
    let (kind, language) = (NoticeKind::Acknowledgement.into(), "en".to_owned());
    ActivateTemplateRequest {
        request_id: request_id(),
        kind,
        language,
        version,
        ..ActivateTemplateRequest::default()
    }
}

async fn get(templates: &mut Templates, version: Option<i64>) -> Result<Template, Status> {
    let (kind, language) = (NoticeKind::Acknowledgement.into(), "en".to_owned());
    let answer = templates.get_template(GetTemplateRequest { kind, language, version }).await?;
    Ok(answer.into_inner().template.unwrap())
}

/// What somebody with this language is told first: subject line and text.
async fn told(house: &House, language: &str) -> (String, String) {
    let case = case();
    let mut event = registered(case, "ada@example.org");
    language.clone_into(&mut event.complaint.as_mut().unwrap().language);
    house.tell("intake", case, &event).await;
    house.settled().await;
    let notice = notices_of(house, case).await.pop().unwrap();
    (notice.subject, notice.body.replace(&case.to_string(), "CASE"))
}

#[tokio::test]
async fn notices_are_written_in_the_words_in_force() {
    let house = house().await;
    let mut templates = templates(&house);
    let shipped = get(&mut templates, None).await.unwrap();
    assert_eq!(
        (shipped.version, shipped.subject.as_str()),
        (0, "We have received your complaint: {{ subject }}")
    );
    let before = told(&house, "en").await;
    let request = made(acknowledgement());
    let first = templates.create_template(request.clone()).await.unwrap();
    let second = templates.create_template(request).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&second));
    let draft = first.into_inner().template.unwrap();
    assert_eq!(
        (draft.version, draft.kind(), draft.language.as_str()),
        (1, NoticeKind::Acknowledgement, "en")
    );
    assert_eq!(told(&house, "en").await, before, "made is not in force");
    let request = put(1);
    let first = templates.activate_template(request.clone()).await.unwrap().into_inner();
    assert_eq!(templates.activate_template(request).await.unwrap().into_inner(), first);
    let own = ("Got it: late parcel".to_owned(), "Hello Ada, we have CASE.\n".to_owned());
    assert_eq!(told(&house, "en-GB").await, own);
    assert!(told(&house, "zh-CN").await.0.starts_with("我们已收到"), "the other language has its own");
    assert_eq!(get(&mut templates, None).await.unwrap().version, 1);

    let back = templates.activate_template(put(0)).await.unwrap().into_inner().template.unwrap();
    assert_eq!((back.version, back.body), (2, shipped.body));
    assert_eq!(told(&house, "en").await, before);
    let mut listed = Vec::new();
    let mut request = ListTemplatesRequest { page_size: 1, ..ListTemplatesRequest::default() };
    loop {
        let page = templates.list_templates(request.clone()).await.unwrap().into_inner();
        listed.extend(page.templates.into_iter().map(|one| one.version));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(listed, [2, 1]);
    house.done().await;
}

#[tokio::test]
async fn a_template_that_is_wrong_is_told_all_that_is_wrong() {
    let house = house().await;
    let mut templates = templates(&house);
    let bad = Template {
        subject: "{{ unknown }}".into(),
        body: "{% if case > 3 %}{{ nothing }}{% endif %}".into(),
        note: "x".repeat(2_001),
        ..acknowledgement()
    };
    let request = CreateTemplateRequest { request_id: String::new(), ..made(bad.clone()) };
    let status = templates.create_template(request).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_TEMPLATE"));
    let body = "template.body";
    assert_eq!(violations(&status), ["request_id", "template.note", "template.subject", body, body, body]);
    let preview = PreviewTemplateRequest { template: Some(bad), ..PreviewTemplateRequest::default() };
    assert_eq!(reason(&templates.preview_template(preview).await.unwrap_err()), "INVALID_TEMPLATE");
    let other = Template { kind: 99, language: "fr".into(), ..acknowledgement() };
    let status = templates.create_template(made(other)).await.unwrap_err();
    assert_eq!(violations(&status), ["template.kind", "template.language"]);
    let french = ActivateTemplateRequest { language: "fr".into(), ..put(0) };
    assert_eq!(refused(templates.activate_template(french).await).1, "TEMPLATE_NOT_FOUND");
    let unknown = refused(templates.activate_template(put(7)).await);
    assert_eq!(unknown, (Code::NotFound, "TEMPLATE_NOT_FOUND".into()));
    assert_eq!(refused(get(&mut templates, Some(7)).await).1, "TEMPLATE_NOT_FOUND");
    assert_eq!(violations(&get(&mut templates, Some(-1)).await.unwrap_err()), ["version"]);
    let bad = ListTemplatesRequest { page_size: 501, ..ListTemplatesRequest::default() };
    assert_eq!(violations(&templates.list_templates(bad).await.unwrap_err()), ["page_size"]);
    house.done().await;
}

#[tokio::test]
async fn a_preview_writes_a_sample_and_keeps_nothing() {
    let house = house().await;
    let mut templates = templates(&house);
    let request =
        PreviewTemplateRequest { template: Some(acknowledgement()), ..PreviewTemplateRequest::default() };
    let sample = templates.preview_template(request).await.unwrap().into_inner();
    assert_eq!(sample.subject, "Got it: late parcel");
    assert_eq!(sample.body, "Hello Ada, we have 00000000-0000-0000-0000-000000000000.\n");
    let listed = templates.list_templates(ListTemplatesRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.templates, []);
    house.done().await;
}

/// Should one ever be kept that stops, by an older process or by hand.
#[tokio::test]
async fn a_template_that_stops_leaves_its_letter_to_a_person() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let mut templates = templates(&house);
    templates.create_template(made(acknowledgement())).await.unwrap();
    templates.activate_template(put(1)).await.unwrap();
    let broken = r#"UPDATE feedback.revision SET content = '{"subject": "{{ missing }}", "body": "x"}'"#;
    sqlx::query(broken).execute(&mut house.owner().await).await.unwrap();
    let status = templates.activate_template(put(1)).await.unwrap_err();
    assert_eq!((reason(&status).as_str(), violations(&status)[0].as_str()), ("INVALID_TEMPLATE", "subject"));
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    house.settled().await;
    let notice = notices_of(&house, case).await.pop().unwrap();
    assert_eq!(
        (notice.state(), notice.failure_reason.as_str()),
        (NoticeState::Undelivered, "TEMPLATE_STOPPED")
    );
    assert!(notice.body.contains("have begun to look into it"), "the shipped letter, for a person to send");
    assert_eq!(sink.asked(), 0);
    house.done().await;
}

#[tokio::test]
async fn what_is_settled_and_cannot_be_read_stops_no_notice() {
    let house = house().await;
    let mut templates = templates(&house);
    let before = told(&house, "en").await;
    templates.create_template(made(acknowledgement())).await.unwrap();
    templates.activate_template(put(1)).await.unwrap();
    templates.set_quiet_hours(quiet("22:00", "07:00", "")).await.unwrap();
    let older = "UPDATE feedback.revision SET content = '{}'";
    sqlx::query(older).execute(&mut house.owner().await).await.unwrap();
    assert_eq!(told(&house, "en").await, before);
    house.done().await;
}

fn quiet(start: &str, end: &str, time_zone: &str) -> SetQuietHoursRequest {
    let hours = QuietHours { start: start.into(), end: end.into(), time_zone: time_zone.into() };
    SetQuietHoursRequest { request_id: request_id(), quiet_hours: Some(hours), note: "nights".into() }
}

#[tokio::test]
async fn nobody_is_written_to_in_quiet_hours() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let mut templates = templates(&house);
    let none = templates.get_quiet_hours(GetQuietHoursRequest {}).await.unwrap().into_inner();
    assert_eq!(none.quiet_hours, None);
    let now = house.db("feedback").clock().now();
    let there = now.to_zoned(calendar::zones::get("Asia/Shanghai").unwrap());
    let at = |hours: i64| (&there + jiff::Span::new().hours(hours)).strftime("%H:%M").to_string();
    let request = quiet(&at(-1), &at(2), "Asia/Shanghai");
    let first = templates.set_quiet_hours(request.clone()).await.unwrap();
    let second = templates.set_quiet_hours(request.clone()).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&second));
    let held = templates.get_quiet_hours(GetQuietHoursRequest {}).await.unwrap().into_inner();
    assert_eq!(
        (held.quiet_hours, first.into_inner().quiet_hours),
        (request.quiet_hours.clone(), request.quiet_hours)
    );

    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    house.tell("cases", case, &resolved(case, 1)).await;
    house.settled().await;
    for notice in notices_of(&house, case).await {
        let wait = notice.next_attempt_time.unwrap().seconds - notice.create_time.unwrap().seconds;
        assert!(notice.state() == NoticeState::Pending && (6_900..=7_200).contains(&wait), "{notice:?}");
    }
    assert_eq!(sink.asked(), 0);
    house.advance(Duration::from_hours(2));
    house.db("feedback").notifier().notify("notices");
    eventually(async || sink.mails().len() == 2).await;

    // Nothing is quiet from a moment until the same.
    templates.set_quiet_hours(quiet("00:00", "00:00", "")).await.unwrap();
    let other = crate::case();
    house.tell("intake", other, &registered(other, "bo@example.org")).await;
    eventually(async || sink.mails().len() == 3).await;
    house.settled().await;
    house.done().await;
}

#[tokio::test]
async fn quiet_hours_that_are_wrong_are_told_all_that_is_wrong() {
    let house = house().await;
    let wrong = SetQuietHoursRequest {
        request_id: String::new(),
        note: "x".repeat(2_001),
        ..quiet("24:00", "7:30", "Mars/Olympus")
    };
    let status = templates(&house).set_quiet_hours(wrong).await.unwrap_err();
    let at = "quiet_hours.";
    let fields: Vec<String> = violations(&status).iter().map(|field| field.replace(at, "")).collect();
    assert_eq!(fields, ["request_id", "start", "end", "time_zone", "note"]);
    assert_eq!(reason(&status), "INVALID_QUIET_HOURS");
    house.done().await;
}

#[tokio::test]
async fn another_tenants_words_and_hours_do_not_exist() {
    let house =
        House::builder(&[feedback::SERVICE]).clock(testkit::MockClock::default()).identified().open().await;
    let mut owner = Templates::new(house.channel_as("tenant-a", "alice", &["admin"]));
    let mut other = Templates::new(house.channel_as("tenant-b", "bob", &["admin"]));
    owner.create_template(made(acknowledgement())).await.unwrap();
    owner.activate_template(put(1)).await.unwrap();
    owner.set_quiet_hours(quiet("22:00", "07:00", "")).await.unwrap();
    assert_eq!(refused(other.activate_template(put(1)).await).1, "TEMPLATE_NOT_FOUND");
    assert_eq!(refused(get(&mut other, Some(1)).await).1, "TEMPLATE_NOT_FOUND");
    assert_eq!(get(&mut other, None).await.unwrap().version, 0);
    let request =
        PreviewTemplateRequest { template: Some(acknowledgement()), ..PreviewTemplateRequest::default() };
    assert!(other.preview_template(request).await.is_ok(), "what is not kept is nobody's");
    assert_eq!(
        other.list_templates(ListTemplatesRequest::default()).await.unwrap().into_inner().templates,
        []
    );
    assert_eq!(other.get_quiet_hours(GetQuietHoursRequest {}).await.unwrap().into_inner().quiet_hours, None);
    house.done().await;
}
