//! The words of letters: a subject and a text, by kind and language; tried on a sample and on the
//! latest letters there were.

use proto::redress::feedback::v1::template_service_client::TemplateServiceClient;
use proto::redress::feedback::v1::{
    ActivateTemplateRequest, CreateTemplateRequest, GetTemplateRequest, ListTemplatesRequest, NoticeKind,
    PreviewTemplateRequest, PreviewTemplateResponse, Template,
};

use super::input::{Input, InputKind, Placed};
use super::trial::{Cell, Trial};
use super::versioned::{Letter, Row, Rows, Version, Versioned};
use super::{Admin, ROWS};
use crate::form::Posted;
use crate::moment::Moment;
use crate::problem::Problem;
use crate::words::Words;

/// On how many of the latest letters a version is tried.
const LATEST: i32 = 100;
/// Between the kind, the language and the version of a key.
const DOT: char = '.';
/// What a new one begins as, where nothing is said.
const FIRST: (NoticeKind, &str) = (NoticeKind::Acknowledgement, "zh");
/// Languages that templates are shipped in.
const LANGUAGES: [&str; 2] = ["en", "zh"];
/// Kinds of letters there are.
const KINDS: std::ops::RangeInclusive<i32> = 1..=12;

pub(super) struct Templates;

/// The kind, the language and the version of a key: `2.en.3`; the version is absent for the one
/// in force.
fn parts(key: &str) -> Result<(i32, String, Option<i64>), Problem> {
    if key.is_empty() {
        return Ok((FIRST.0.into(), FIRST.1.to_owned(), None));
    }
    let mut parts = key.split(DOT);
    let kind = parts.next().and_then(|kind| kind.parse().ok()).ok_or_else(Problem::not_found)?;
    let language = parts.next().ok_or_else(Problem::not_found)?.to_owned();
    match parts.next() {
        None | Some("") => Ok((kind, language, None)),
        Some(version) => Ok((kind, language, Some(version.parse().map_err(|_| Problem::not_found())?))),
    }
}

fn key(template: &Template) -> String {
    format!("{}{DOT}{}{DOT}{}", template.kind, template.language, template.version)
}

fn row(admin: &Admin, template: &Template) -> Row {
    let t = admin.words();
    let number = match template.version {
        0 => t.shipped_version().to_owned(),
        version => t.version_number(version),
    };
    Row {
        key: key(template),
        name: format!("{} ({}) · {number}", t.notice_kind(template.kind), template.language),
        note: template.note.clone(),
        creator: template.creator.clone(),
        created: Moment::of(template.create_time.as_ref(), &admin.visitor),
        activated: Moment::of(template.activate_time.as_ref(), &admin.visitor),
        is_active: false,
    }
}

fn edited(posted: &Posted) -> Template {
    Template {
        kind: posted.number("kind").unwrap_or_default(),
        language: posted.text("language").to_owned(),
        subject: posted.text("subject").to_owned(),
        body: posted.text("body").to_owned(),
        note: posted.text("note").to_owned(),
        ..Template::default()
    }
}

async fn get(admin: &Admin, of: &str) -> Result<Template, Problem> {
    let (kind, language, version) = parts(of)?;
    let request = GetTemplateRequest { kind, language, version };
    let answer = TemplateServiceClient::new(admin.client.calls()).get_template(request).await?;
    answer.into_inner().template.ok_or_else(|| Problem::broken("a template is missing from its answer"))
}

async fn written(
    admin: &Admin,
    template: Template,
    case_id: String,
    latest_notices: i32,
) -> Result<PreviewTemplateResponse, Problem> {
    let request = PreviewTemplateRequest { template: Some(template), case_id, latest_notices };
    Ok(TemplateServiceClient::new(admin.client.calls()).preview_template(request).await?.into_inner())
}

impl Versioned for Templates {
    const KEY: &'static str = "templates";
    const HAS_PREVIEW: bool = true;

    fn title(t: Words) -> &'static str {
        t.templates()
    }

    fn about(t: Words) -> &'static str {
        t.templates_about()
    }

    fn inputs(t: Words) -> Vec<Input> {
        let kinds = KINDS.map(|kind| (kind.to_string(), t.notice_kind(kind).to_owned())).collect();
        let languages = LANGUAGES.map(|language| (language.to_owned(), language.to_owned())).to_vec();
        vec![
            Input::new("kind", t.letter_kind(), InputKind::Choice(kinds)).required(),
            Input::new("language", t.letter_language(), InputKind::Choice(languages)).required(),
            Input::new("note", t.version_note(), InputKind::Line(2_000)),
            Input::new("subject", t.letter_subject(), InputKind::Line(300)).required(),
            Input::new("body", t.letter_body(), InputKind::Text { rows: 18, max: 100_000 })
                .saying(t.letter_help())
                .required(),
            Input::new("case_id", t.letter_case(), InputKind::Line(36)).saying(t.letter_case_help()),
        ]
    }

    fn place(path: &str, _: &[Input]) -> Option<Placed> {
        let known = ["kind", "language", "note", "subject", "body", "case_id"];
        let name = path.strip_prefix("template.").unwrap_or(path);
        known.into_iter().find(|one| *one == name).map(|input| Placed { input, line: None })
    }

    async fn list(admin: &Admin) -> Result<Rows, Problem> {
        let mut service = TemplateServiceClient::new(admin.client.calls());
        let request = ListTemplatesRequest { page_size: ROWS, page_token: String::new() };
        let answer = service.list_templates(request).await?.into_inner();
        let all = answer.templates;
        let mut rows = Vec::new();
        for (kind, language) in KINDS.flat_map(|kind| LANGUAGES.map(|language| (kind, language))) {
            let of: Vec<&Template> =
                all.iter().filter(|one| one.kind == kind && one.language == language).collect();
            let active = in_force(&of);
            rows.extend(
                of.iter().map(|one| Row { is_active: Some(one.version) == active, ..row(admin, one) }),
            );
            let shipped = Template { kind, language: language.to_owned(), ..Template::default() };
            rows.push(Row { is_active: active.is_none(), ..row(admin, &shipped) });
        }
        Ok(Rows { rows, has_more: !answer.next_page_token.is_empty() })
    }

    async fn get(admin: &Admin, key: &str) -> Result<Version, Problem> {
        let template = get(admin, key).await?;
        let values = vec![
            ("kind", template.kind.to_string()),
            ("language", template.language.clone()),
            ("note", template.note.clone()),
            ("subject", template.subject.clone()),
            ("body", template.body.clone()),
        ];
        let row = row(admin, &template);
        let is_active = Self::list(admin).await?.rows.iter().any(|one| one.is_active && one.key == row.key);
        Ok(Version { row: Row { is_active, ..row }, values, also: Vec::new() })
    }

    async fn create(admin: &Admin, posted: &Posted) -> Result<String, Problem> {
        let request =
            CreateTemplateRequest { request_id: posted.request_id(), template: Some(edited(posted)) };
        let answer = TemplateServiceClient::new(admin.client.calls()).create_template(request).await?;
        Ok(answer.into_inner().template.map(|template| key(&template)).unwrap_or_default())
    }

    async fn trial(admin: &Admin, key: &str) -> Result<Trial, Problem> {
        let template = get(admin, key).await?;
        let told = written(admin, template, String::new(), LATEST).await?;
        let t = admin.words();
        let row = |case: &str, field: &str, problem: &str| {
            let path = Some(admin.path(&format!("/cases/{case}")));
            vec![Cell { text: case.to_owned(), path }, field.into(), problem.into()]
        };
        let failures = told.failures.iter();
        let rows: Vec<_> = failures.map(|one| row(&one.case_id, &one.field, &one.problem)).collect();
        Ok(Trial {
            said: vec![t.templates_trial().to_owned(), told.subject, told.body],
            facts: vec![
                (t.letters_tried().to_owned(), told.tried_count.to_string()),
                (t.letters_failed().to_owned(), rows.len().to_string()),
            ],
            columns: vec![t.case_word(), t.field_word(), t.why_word()],
            blocked: if rows.is_empty() { Vec::new() } else { vec![t.letters_block().to_owned()] },
            rows,
            stand: Self::list(admin).await?.stand(),
        })
    }

    async fn activate(admin: &Admin, key: &str, request_id: String) -> Result<(), Problem> {
        let (kind, language, version) = parts(key)?;
        let version = version.unwrap_or_default();
        let request = ActivateTemplateRequest { request_id, kind, language, version, latest_notices: LATEST };
        TemplateServiceClient::new(admin.client.calls()).activate_template(request).await?;
        Ok(())
    }

    async fn letter(admin: &Admin, posted: &Posted) -> Result<Letter, Problem> {
        let told = written(admin, edited(posted), posted.text("case_id").to_owned(), 0).await?;
        let t = admin.words();
        let mut said = Vec::new();
        if !told.sampled_places.is_empty() {
            said.push(t.letter_sampled(told.sampled_places.join(", ")));
        }
        if told.masked {
            said.push(t.letter_masked().to_owned());
        }
        if told.other_language {
            said.push(t.letter_other_language().to_owned());
        }
        Ok(Letter { subject: told.subject, body: told.body, said })
    }
}

/// Which of the versions of a kind and language is in force: the one activated last.
fn in_force(of: &[&Template]) -> Option<i64> {
    let activated = of.iter().filter_map(|one| Some((one.activate_time?, one.version)));
    activated.max_by_key(|(time, version)| (time.seconds, time.nanos, *version)).map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_a_kind_a_language_and_a_version() {
        let template = Template { kind: 2, language: "en".into(), version: 3, ..Template::default() };
        assert_eq!(parts(&key(&template)).unwrap(), (2, "en".to_owned(), Some(3)));
        assert_eq!(parts("2.zh").unwrap(), (2, "zh".to_owned(), None));
        for odd in ["x", "2", "2.en.x", "two.en.1"] {
            assert!(parts(odd).is_err(), "{odd}");
        }
    }
}
