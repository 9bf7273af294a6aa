//! Forms, answers to them, and what was added later.

use proto::redress::intake::v1::{
    AddInformationResponse, Attachment, Form, GetInformationResponse, InformationSource, ListFormsResponse,
    PrefillFormResponse, ValidateFormResponse,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

fn category(category: &str) -> String {
    if category.is_empty() { "(all)".to_owned() } else { category.to_owned() }
}

/// One form, its schema as it was written.
pub fn form(form: &Form) -> String {
    let head = facts(&[
        ("category", category(&form.category)),
        ("version", form.version.to_string()),
        ("title", form.title.clone()),
        ("created", time(form.create_time.as_ref())),
        ("by", form.creator.clone()),
    ]);
    format!("{head}\n{}\n", form.schema.trim_end())
}

/// A page of forms.
pub fn forms(list: &ListFormsResponse) -> String {
    if list.forms.is_empty() {
        return none_of("forms", &list.next_page_token);
    }
    let mut table = Table::new(["category", "version", "created", "title"]);
    for form in &list.forms {
        table.row([
            category(&form.category),
            form.version.to_string(),
            time(form.create_time.as_ref()),
            form.title.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What an answer came to.
pub fn checked(answer: &ValidateFormResponse) -> String {
    let head = facts(&[
        ("form", format!("{}, version {}", category(&answer.form_category), answer.form_version)),
        ("complete", format!("{} %", answer.completeness)),
        ("missing", answer.missing_fields.join(", ")),
    ]);
    let mut table = Table::new(["field", "what is wrong"]);
    for violation in &answer.violations {
        table.row([violation.field.clone(), violation.description.clone()]);
    }
    if answer.violations.is_empty() { head } else { format!("{head}\n{}", table.render()) }
}

/// What a form is with what is known filled in.
pub fn prefilled(answer: &PrefillFormResponse) -> String {
    facts(&[
        ("form", format!("{}, version {}", category(&answer.form_category), answer.form_version)),
        ("filled in", answer.filled_fields.join(", ")),
        ("complete", format!("{} %", answer.completeness)),
        ("missing", answer.missing_fields.join(", ")),
        ("answer", answer.form_data.clone()),
    ])
}

/// What was just added.
pub fn added(answer: &AddInformationResponse) -> String {
    let addition = answer.addition.clone().unwrap_or_default();
    facts(&[
        ("addition", addition.ordinal.to_string()),
        ("complete", answer.completeness.map_or_else(String::new, |score| format!("{score} %"))),
        ("missing", answer.missing_fields.join(", ")),
    ])
}

/// What was added to a complaint, and its form. Files are named that are among those given, and
/// are told by their ids otherwise.
pub fn information(all: &GetInformationResponse, files: &[Attachment]) -> String {
    let named = |id: &str| {
        let file = files.iter().find(|file| file.attachment_id == id && !file.file_name.is_empty());
        file.map_or_else(|| id.to_owned(), |file| format!("{} ({id})", file.file_name))
    };
    let form = match all.form_version {
        0 => String::new(),
        version => format!("{}, version {version}", category(&all.form_category)),
    };
    let head = facts(&[
        ("form", form),
        ("complete", all.completeness.map_or_else(String::new, |score| format!("{score} %"))),
        ("missing", all.missing_fields.join(", ")),
        ("answer", all.form_data.clone()),
    ]);
    if all.additions.is_empty() {
        return head + "nothing was added\n";
    }
    let mut table = Table::new(["", "from", "at", "what"]);
    for addition in &all.additions {
        let proof = addition.evidence.iter().map(|one| [one.uri.clone(), named(&one.attachment_id)].concat());
        let said = [addition.text.clone(), addition.form_data.clone()];
        let what: Vec<String> = said.into_iter().chain(proof).filter(|part| !part.is_empty()).collect();
        table.row([
            addition.ordinal.to_string(),
            word::<InformationSource>(addition.source),
            time(addition.add_time.as_ref()),
            what.join(" "),
        ]);
    }
    format!("{head}\n{}", table.render())
}
