//! Templates and quiet hours.

use fault::{Check, Fault};
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::feedback::v1 as wire;
use proto::timestamp;

use super::INVALID_REQUEST;
use crate::letter::template::{Flaw, Template};
use crate::letter::trial::{MAX_TRIED, Places, write_of};
use crate::letter::{self, languages, samples};
use crate::notice::Kind;
use crate::quiet::{self, QuietHours};
use crate::revision::{MAX_NOTE, Revision};

/// Reason of a template that is none.
const INVALID_TEMPLATE: &str = "INVALID_TEMPLATE";
/// Most characters of a language tag.
const MAX_LANGUAGE: usize = 35;
/// Most characters of a zone's name.
const MAX_ZONE: usize = 100;

/// Which notices a template is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemplateKey {
    pub(crate) kind: Kind,
    pub(crate) language: &'static str,
}

impl TemplateKey {
    /// As its versions are kept.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.kind.number(), self.language)
    }

    /// That of notices in a language; none where there is no such language.
    pub(crate) fn find(kind: Kind, language: &str) -> Option<Self> {
        let language = languages().find(|subtag| *subtag == language)?;
        Some(Self { kind, language })
    }

    fn named(name: &str) -> Option<Self> {
        let (kind, language) = name.split_once('/')?;
        Self::find(Kind::of(kind.parse::<i16>().ok()?)?, language)
    }
}

fn key(check: &mut Check, kind: i32, language: &str) -> Option<TemplateKey> {
    let kind = Kind::of(kind);
    check.ensure(kind.is_some(), "template.kind", "is required");
    let known = TemplateKey::find(Kind::Acknowledgement, language);
    check.ensure(known.is_some(), "template.language", "must be en or zh");
    TemplateKey::find(kind?, language)
}

/// Which versions are asked for: those of a language there is none of are none.
#[derive(Clone, Debug)]
pub(crate) struct TemplateVersionRef<V> {
    pub(crate) key: Option<TemplateKey>,
    pub(crate) version: V,
}

fn asked<V>(
    mut check: Check,
    kind: i32,
    language: String,
    version: V,
    is_negative: bool,
) -> Result<TemplateVersionRef<V>, Fault> {
    let kind = Kind::of(kind);
    check.ensure(kind.is_some(), "kind", "is required");
    let language = check.required("language", language, MAX_LANGUAGE);
    check.ensure(!is_negative, "version", "must not be negative");
    check.done(INVALID_TEMPLATE)?;
    Ok(TemplateVersionRef { key: kind.and_then(|kind| TemplateKey::find(kind, &language)), version })
}

/// A template somebody wants, and why.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) key: TemplateKey,
    pub(crate) template: Template,
    pub(crate) note: String,
}

pub(crate) fn made_template(request: wire::CreateTemplateRequest) -> Result<Wanted, Fault> {
    let wire::CreateTemplateRequest { request_id, template } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    wanted(check, template)
}

/// What a template is tried on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial {
    /// The case whose next notice is written.
    pub(crate) case: Option<CaseId>,
    /// How many of the latest notices.
    pub(crate) latest: i32,
}

pub(crate) fn previewed(request: wire::PreviewTemplateRequest) -> Result<(Wanted, Trial), Fault> {
    let wire::PreviewTemplateRequest { template, case_id, latest_notices } = request;
    let mut check = Check::new();
    let case = check.optional_id("case_id", &case_id);
    let latest = latest(&mut check, latest_notices);
    Ok((wanted(check, template)?, Trial { case, latest }))
}

/// Reads on how many of the latest notices a template is tried.
fn latest(check: &mut Check, notices: i32) -> i32 {
    let known = (0..=MAX_TRIED).contains(&notices);
    check.ensure(known, "latest_notices", &format!("must be 0 to {MAX_TRIED}"));
    if known { notices } else { 0 }
}

/// What a template cannot write of these notices.
pub(crate) fn failures(
    key: &TemplateKey,
    template: &Template,
    notices: &[(CaseId, Places)],
) -> Vec<wire::TemplateFailure> {
    let failure = |(case, places): &(CaseId, Places)| {
        let Flaw { field, problem } = write_of(template, key.kind, places).err()?;
        Some(wire::TemplateFailure { case_id: case.to_string(), field: field.to_owned(), problem })
    };
    notices.iter().filter_map(failure).collect()
}

/// Refuses a template that cannot write one of these notices.
pub(crate) fn all_written(failures: &[wire::TemplateFailure]) -> Result<(), Fault> {
    let mut check = Check::new();
    for wire::TemplateFailure { case_id, field, problem } in failures {
        check.fail(field, format!("of case {case_id}: {problem}"));
    }
    check.done(INVALID_TEMPLATE)
}

/// What stops the letter of a case.
pub(crate) fn stopped(flaw: Flaw) -> Fault {
    let mut check = Check::new();
    check.fail(&format!("template.{}", flaw.field), flaw.problem);
    check.done(INVALID_TEMPLATE).err().unwrap_or_else(|| Fault::internal("a flaw that is none"))
}

/// Whether notices to somebody with this language are written in another than a template's.
pub(crate) fn is_in_another(key: &TemplateKey, language: &str) -> bool {
    letter::language(language) != key.language
}

fn wanted(mut check: Check, template: Option<wire::Template>) -> Result<Wanted, Fault> {
    check.ensure(template.is_some(), "template", "is required");
    let is_given = template.is_some();
    let wire::Template {
        kind,
        language,
        subject,
        body,
        note,
        version: _,
        create_time: _,
        creator: _,
        activate_time: _,
        activator: _,
    } = template.unwrap_or_default();
    let note = check.text("template.note", note, MAX_NOTE);
    let template = Template { subject, body };
    let key = if is_given { key(&mut check, kind, &language) } else { None };
    if let Some(key) = &key {
        for flaw in template.flaws(key.kind, &samples(key.kind, key.language)) {
            check.fail(&format!("template.{}", flaw.field), flaw.problem);
        }
    }
    check.done(INVALID_TEMPLATE)?;
    let key = key.ok_or_else(|| Fault::internal("a template of nothing"))?;
    Ok(Wanted { key, template, note })
}

pub(crate) fn put_template(
    request: wire::ActivateTemplateRequest,
) -> Result<(TemplateVersionRef<i64>, i32), Fault> {
    let wire::ActivateTemplateRequest { request_id, kind, language, version, latest_notices } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let latest = latest(&mut check, latest_notices);
    Ok((asked(check, kind, language, version, version < 0)?, latest))
}

pub(crate) fn template_of(
    request: wire::GetTemplateRequest,
) -> Result<TemplateVersionRef<Option<i64>>, Fault> {
    let wire::GetTemplateRequest { kind, language, version } = request;
    asked(Check::new(), kind, language, version, version.is_some_and(|version| version < 0))
}

/// A template that was kept, tried once more.
pub(crate) fn still_sound(key: &TemplateKey, template: &Template) -> Result<(), Fault> {
    let mut check = Check::new();
    for flaw in template.flaws(key.kind, &samples(key.kind, key.language)) {
        check.fail(flaw.field, flaw.problem);
    }
    check.done(INVALID_TEMPLATE)
}

/// The page of a list of templates, and the version it begins after.
pub(crate) fn templates_of(
    request: wire::ListTemplatesRequest,
) -> Result<(Page, Option<(String, i64)>), Fault> {
    let wire::ListTemplatesRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "templates");
    let read = |key: &str| {
        let (name, version) = key.split_once(' ')?;
        Some((name.to_owned(), version.parse().ok()?))
    };
    let after = page.after.as_deref().map(read);
    check.ensure(after != Some(None), "page_token", "is not of this list");
    check.done(INVALID_REQUEST)?;
    Ok((page, after.flatten()))
}

/// Where a version stands in the list.
pub(crate) fn template_key(name: &str, revision: &Revision<Template>) -> String {
    format!("{name} {}", revision.version)
}

pub(crate) fn template(name: &str, revision: Revision<Template>) -> wire::Template {
    let key = TemplateKey::named(name);
    let Revision { version, content, note, created, activated } = revision;
    let Template { subject, body } = content;
    let (create_time, creator) = created.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    let (activate_time, activator) =
        activated.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    wire::Template {
        kind: key.as_ref().map_or(0, |key| key.kind.number().into()),
        language: key.map_or("", |key| key.language).to_owned(),
        version,
        subject,
        body,
        note,
        create_time,
        creator,
        activate_time,
        activator,
    }
}

pub(crate) fn quieted(request: wire::SetQuietHoursRequest) -> Result<(QuietHours, String), Fault> {
    let wire::SetQuietHoursRequest { request_id, quiet_hours, note } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(quiet_hours.is_some(), "quiet_hours", "is required");
    let is_given = quiet_hours.is_some();
    let wire::QuietHours { start, end, time_zone } = quiet_hours.unwrap_or_default();
    let (from, until) = (quiet::minute(&start), quiet::minute(&end));
    let is_zone = time_zone.is_empty() || calendar::zones::get(&time_zone).is_some();
    if is_given {
        check.ensure(from.is_some(), "quiet_hours.start", "must be a time of the day, as 22:00");
        check.ensure(until.is_some(), "quiet_hours.end", "must be a time of the day, as 07:30");
        check.ensure(is_zone, "quiet_hours.time_zone", "is not a time zone");
    }
    let zone = check.text("quiet_hours.time_zone", time_zone, MAX_ZONE);
    let note = check.text("note", note, MAX_NOTE);
    check.done("INVALID_QUIET_HOURS")?;
    Ok((QuietHours { from: from.unwrap_or(0), until: until.unwrap_or(0), zone }, note))
}

pub(crate) fn quiet_hours(quiet: QuietHours) -> wire::QuietHours {
    let QuietHours { from, until, zone } = quiet;
    wire::QuietHours { start: quiet::written(from), end: quiet::written(until), time_zone: zone }
}
