//! Types of remedy of a tenant's own.

use proto::redress::resolution::v1::{ListRemedyTypesResponse, RemedyType};

use super::{more, none_of};
use crate::lines::{millis, time};
use crate::table::{Table, facts, one_line};

/// One type, its schemas as they were written.
pub fn remedy_type(one: &RemedyType) -> String {
    let seconds = one.attempt_duration.map_or(0, |length| length.seconds);
    let head = facts(&[
        ("type", one.type_id.clone()),
        ("version", one.version.to_string()),
        ("title", one.title.clone()),
        ("department", one.department_id.clone()),
        ("moves value", yes_or_no(one.moves_value)),
        ("an attempt takes at most", millis(seconds.saturating_mul(1_000))),
        ("to undo it", undo(one)),
        ("created", time(one.create_time.as_ref())),
        ("by", one.creator.clone()),
        ("disabled", time(one.disable_time.as_ref())),
    ]);
    let (input, result) = (one.input_schema.trim_end(), one.result_schema.trim_end());
    format!("{head}\ninput:\n{input}\n\nresult:\n{result}\n")
}

fn undo(one: &RemedyType) -> String {
    if one.undo_instructions.is_empty() { "cannot be".to_owned() } else { one.undo_instructions.clone() }
}

fn yes_or_no(is: bool) -> String {
    if is { "yes".to_owned() } else { "no".to_owned() }
}

/// A page of types.
pub fn remedy_types(list: &ListRemedyTypesResponse) -> String {
    if list.remedy_types.is_empty() {
        return none_of("types of remedy", &list.next_page_token);
    }
    let mut table = Table::new(["type", "version", "department", "moves value", "disabled", "title"]);
    for one in &list.remedy_types {
        table.row([
            one.type_id.clone(),
            one.version.to_string(),
            one.department_id.clone(),
            yes_or_no(one.moves_value),
            time(one.disable_time.as_ref()),
            one_line(&one.title),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}
