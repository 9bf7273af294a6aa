//! Proto ⇄ domain: how the posts of a source are read.

use fault::{Check, Fault};
use kernel::page::Page;
use posts::limits::MAX_BODY;
use posts::{Content, Field, Mapping, Problem, Rule, Spec, Template};
use proto::redress::intake::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use crate::webhook_source::KeptMapping;

const INVALID: &str = "INVALID_WEBHOOK_MAPPING";
/// Most kept posts that are tried at once.
const MAX_KEPT: i32 = 100;

/// A mapping that is to be written.
pub(crate) struct NewMapping {
    pub(crate) source: String,
    pub(crate) spec: Spec,
}

/// Reads a mapping that is to be written. What is wrong with it takes a while to find.
pub(crate) fn created(request: wire::CreateWebhookMappingRequest) -> Result<NewMapping, Fault> {
    let wire::CreateWebhookMappingRequest { request_id, mapping } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(mapping.is_some(), "mapping", "is required");
    let (source, spec) = spec(mapping.unwrap_or_default());
    let source = check.slug("mapping.source_id", source);
    note(&mut check, &spec);
    check.done(INVALID)?;
    Ok(NewMapping { source, spec })
}

/// Notes everything that is wrong with a mapping.
fn note(check: &mut Check, spec: &Spec) -> Option<Mapping> {
    let wrong = match spec.compile() {
        Ok(mapping) => return Some(mapping),
        Err(wrong) => wrong,
    };
    for posts::Wrong { field, what } in wrong {
        check.fail(&format!("mapping.{field}"), what);
    }
    None
}

/// The source of a mapping, and what it says.
fn spec(mapping: wire::WebhookMapping) -> (String, Spec) {
    let wire::WebhookMapping {
        source_id,
        number: _, // output only
        items,
        fields,
        rules,
        mention_thresholds,
        reach_thresholds,
        templates,
        // Output only, as is what follows.
        active: _,
        create_time: _,
        creator: _,
    } = mapping;
    let field = |one: wire::PostFieldPath| {
        let wire::PostFieldPath { field, path } = one;
        // None is called so: it is refused by its place.
        (Field::of(field).map(|field| field.to_string()).unwrap_or_default(), path)
    };
    let rule = |one: wire::KeywordRule| {
        let wire::KeywordRule { name, any_of, all_of, none_of } = one;
        Rule { name, any_of, all_of, none_of }
    };
    let template = |one: wire::ReplyTemplate| {
        let wire::ReplyTemplate { language, text } = one;
        Template { language, text }
    };
    let spec = Spec {
        items,
        fields: fields.into_iter().map(field).collect(),
        rules: rules.into_iter().map(rule).collect(),
        mention_thresholds,
        reach_thresholds,
        templates: templates.into_iter().map(template).collect(),
    };
    (source_id, spec)
}

/// A mapping that is to be activated.
pub(crate) struct Activation {
    pub(crate) source: String,
    pub(crate) number: i64,
    pub(crate) expected: Option<i64>,
}

/// Reads which mapping is to be activated.
pub(crate) fn activated(request: wire::ActivateWebhookMappingRequest) -> Result<Activation, Fault> {
    let wire::ActivateWebhookMappingRequest { request_id, source_id, number, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let source = check.slug("source_id", source_id);
    check.ensure(number > 0, "number", "must be at least 1");
    check.done(INVALID)?;
    Ok(Activation { source, number, expected: expected_version })
}

/// What a list of mappings asks for.
pub(crate) struct List {
    pub(crate) page: Page,
    pub(crate) source: String,
    pub(crate) before: i64,
}

/// Reads what a list of mappings asks for.
pub(crate) fn list(request: wire::ListWebhookMappingsRequest) -> Result<List, Fault> {
    let wire::ListWebhookMappingsRequest { page_size, page_token, source_id } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &source_id);
    let before = page.after.as_deref().map_or(Some(i64::MAX), |key| key.parse().ok());
    check.ensure(before.is_some(), "page_token", "is not one of this list");
    let source = check.slug("source_id", source_id);
    check.done("INVALID_LIST")?;
    Ok(List { page, source, before: before.unwrap_or(i64::MAX) })
}

/// What is to be tried.
pub(crate) struct Preview {
    pub(crate) source: String,
    pub(crate) mapping: Tried,
    pub(crate) on: On,
}

/// The mapping that is tried.
pub(crate) enum Tried {
    /// One that is kept.
    Kept(i64),
    /// One that is not, yet.
    New(Box<Mapping>),
}

/// What it is tried on.
pub(crate) enum On {
    /// A body.
    Sample(Vec<u8>),
    /// The latest posts that are kept.
    Kept(i64),
}

/// Reads what is to be tried.
pub(crate) fn preview(request: wire::PreviewWebhookMappingRequest) -> Result<Preview, Fault> {
    let wire::PreviewWebhookMappingRequest { source_id, number, mapping, sample, kept_posts } = request;
    let mut check = Check::new();
    let source = check.slug("source_id", source_id);
    check.ensure(number >= 0, "number", "must not be negative");
    check.ensure((number > 0) != mapping.is_some(), "mapping", "is required, unless number says which");
    check.ensure(sample.len() <= MAX_BODY, "sample", "must have at most 262144 bytes");
    check.ensure((0..=MAX_KEPT).contains(&kept_posts), "kept_posts", "must be 0 to 100");
    let is_one = sample.is_empty() != (kept_posts == 0);
    check.ensure(is_one, "sample", "is required, unless kept_posts says how many");
    let new = mapping.map(spec).and_then(|(of, spec)| {
        check.ensure(of.is_empty() || of == source, "mapping.source_id", "must be the source's");
        note(&mut check, &spec)
    });
    check.done(INVALID)?;
    let mapping = new.map_or(Tried::Kept(number), |mapping| Tried::New(Box::new(mapping)));
    let on = if sample.is_empty() { On::Kept(kept_posts.into()) } else { On::Sample(sample) };
    Ok(Preview { source, mapping, on })
}

/// A post that was tried.
pub(crate) struct TriedPost {
    /// Its id, where it is kept.
    pub(crate) id: Option<Uuid>,
    /// What is read of it.
    pub(crate) content: Content,
    /// What had to be left out.
    pub(crate) problems: Vec<Problem>,
    /// The rule that takes it; none where none does.
    pub(crate) rule: Option<String>,
}

/// A post that was tried, as it is shown.
pub(crate) fn previewed(tried: TriedPost) -> wire::PreviewedPost {
    let TriedPost { id, content, problems, rule } = tried;
    let problem =
        |one: Problem| wire::PostProblem { field: i32::from(one.field.number()), description: one.what };
    let taken = rule.is_some() && content.says_something();
    wire::PreviewedPost {
        post_id: id.map(|id| id.to_string()).unwrap_or_default(),
        content: Some(super::posts::content(content)),
        problems: problems.into_iter().map(problem).collect(),
        taken,
        rule: rule.filter(|_| taken).unwrap_or_default(),
    }
}

/// A mapping as it is shown.
pub(crate) fn mapping(source: &str, kept: KeptMapping, active: i64) -> wire::WebhookMapping {
    let KeptMapping { number, spec, creator, created } = kept;
    let Spec { items, fields, rules, mention_thresholds, reach_thresholds, templates } = spec;
    let field = |(name, path): (String, String)| {
        let known = Field::ALL.iter().find(|field| field.to_string() == name);
        wire::PostFieldPath { field: known.map_or(0, |field| i32::from(field.number())), path }
    };
    let rule = |one: Rule| {
        let Rule { name, any_of, all_of, none_of } = one;
        wire::KeywordRule { name, any_of, all_of, none_of }
    };
    let template = |one: Template| {
        let Template { language, text } = one;
        wire::ReplyTemplate { language, text }
    };
    wire::WebhookMapping {
        source_id: source.to_owned(),
        number,
        items,
        fields: fields.into_iter().map(field).collect(),
        rules: rules.into_iter().map(rule).collect(),
        mention_thresholds,
        reach_thresholds,
        templates: templates.into_iter().map(template).collect(),
        active: number == active,
        create_time: Some(timestamp(created)),
        creator,
    }
}
