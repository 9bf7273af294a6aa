//! Templates of notices, and when nobody is written to.

use proto::redress::feedback::v1::{
    ListTemplatesResponse, NoticeKind, PreviewTemplateResponse, QuietHours, Template,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// A page of templates.
pub fn templates(list: &ListTemplatesResponse) -> String {
    if list.templates.is_empty() {
        return none_of("templates of the organisation's own", &list.next_page_token);
    }
    let mut table =
        Table::new(["kind", "language", "version", "made", "by", "in force since", "subject", "note"]);
    for template in &list.templates {
        table.row([
            word::<NoticeKind>(template.kind),
            template.language.clone(),
            template.version.to_string(),
            time(template.create_time.as_ref()),
            template.creator.clone(),
            time(template.activate_time.as_ref()),
            template.subject.clone(),
            template.note.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One template.
pub fn template(template: &Template) -> String {
    let head = facts(&[
        ("kind", word::<NoticeKind>(template.kind)),
        ("language", template.language.clone()),
        ("version", template.version.to_string()),
        ("note", template.note.clone()),
        ("made", time(template.create_time.as_ref())),
        ("by", template.creator.clone()),
        ("in force since", time(template.activate_time.as_ref())),
        ("put so by", template.activator.clone()),
        ("subject", template.subject.clone()),
    ]);
    format!("{head}\n{}", quoted(&template.body))
}

/// A sample that a template wrote.
pub fn template_sample(sample: &PreviewTemplateResponse) -> String {
    let tried = match (sample.tried_count, sample.failures.len()) {
        (0, _) => String::new(),
        (tried, 0) => format!("{tried} of the latest notices: it writes each"),
        (tried, failed) => format!("{tried} of the latest notices: it cannot write {failed}"),
    };
    let head = facts(&[
        ("subject", sample.subject.clone()),
        ("filled from a sample", sample.sampled_places.join(", ")),
        ("hidden", if sample.masked { "whom and what it is about" } else { "" }.to_owned()),
        ("language", if sample.other_language { "not that of the case" } else { "" }.to_owned()),
        ("tried on", tried),
    ]);
    let mut text = format!("{head}\n{}", quoted(&sample.body));
    if !sample.failures.is_empty() {
        let mut table = Table::new(["case", "stops in", "why"]);
        for failure in &sample.failures {
            table.row([failure.case_id.clone(), failure.field.clone(), failure.problem.clone()]);
        }
        text.push('\n');
        text.push_str(&table.render());
    }
    text
}

/// A text over its own lines, none of which passes for one of ours.
fn quoted(body: &str) -> String {
    body.lines().flat_map(|line| ["  | ", line, "\n"]).collect()
}

/// When nobody is written to.
pub fn quiet_hours(quiet: &QuietHours) -> String {
    if quiet.start == quiet.end {
        return "people are written to at any hour\n".to_owned();
    }
    facts(&[
        ("quiet from", quiet.start.clone()),
        ("until", quiet.end.clone()),
        ("where no zone is known", quiet.time_zone.clone()),
    ])
}
