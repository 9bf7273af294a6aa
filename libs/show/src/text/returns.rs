//! Returns to regulators: mappings, and how complete returns are.

use proto::redress::cases::v1::Outcome;
use proto::redress::feedback::v1::{ReturnCheck, ReturnMapping, ReturnRegime, ReturnRule, ReturnValue};
use proto::redress::intake::v1::Channel;

use crate::lines::time;
use crate::table::{Table, facts, one_line};
use crate::words::word;

fn values(values: &[ReturnValue]) -> String {
    let all: Vec<String> = values.iter().map(|one| format!("{}={}", one.field, one.value)).collect();
    one_line(&all.join("; "))
}

/// What must hold for a rule to.
fn conditions(rule: &ReturnRule) -> String {
    let ReturnRule { category, product, channel, root_cause, outcome, region, codes: _ } = rule;
    let text = |name: &str, value: &String| (!value.is_empty()).then(|| format!("{name} {value}"));
    let channel = (*channel != 0).then(|| format!("channel {}", word::<Channel>(*channel)));
    let outcome = (*outcome != 0).then(|| word::<Outcome>(*outcome));
    let all = [
        text("category", category),
        text("product", product),
        channel,
        text("root cause", root_cause),
        outcome,
        text("region", region),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    if all.is_empty() { "always".to_owned() } else { one_line(&all.join(", ")) }
}

/// How cases become records of a return.
pub fn return_mapping(one: &ReturnMapping) -> String {
    let head = facts(&[
        ("regime", word::<ReturnRegime>(one.regime)),
        ("entity", one.entity_id.clone()),
        ("version", one.version.to_string()),
        ("organisations", one.organisations.join(", ")),
        ("handed over only", if one.regulator_only { "yes" } else { "no" }.to_owned()),
        ("calendar", one.calendar.clone()),
        ("closed on", one.closed_dates.join(", ")),
        ("constants", values(&one.constants)),
        ("headings", values(&one.headings)),
        ("note", one.note.clone()),
        ("made", time(one.create_time.as_ref())),
        ("by", one.creator.clone()),
    ]);
    if one.rules.is_empty() {
        return head + "no rules\n";
    }
    let mut table = Table::new(["where", "codes"]);
    for rule in &one.rules {
        table.row([conditions(rule), values(&rule.codes)]);
    }
    head + "\n" + &table.render()
}

/// How complete a return is.
pub fn return_check(check: &ReturnCheck) -> String {
    let head = facts(&[
        ("records", check.record_count.to_string()),
        ("incomplete", check.incomplete_record_count.to_string()),
        ("missing or wrong", check.issue_count.to_string()),
        ("mapping", check.mapping_version.to_string()),
        ("as of", time(check.as_of_time.as_ref())),
    ]);
    if check.issues.is_empty() {
        return head;
    }
    let mut table = Table::new(["case", "field", "what is wrong"]);
    for issue in &check.issues {
        let case = if issue.case_id.is_empty() { "the return" } else { &issue.case_id };
        table.row([case.to_owned(), issue.field.clone(), one_line(&issue.description)]);
    }
    let shown = i64::try_from(check.issues.len()).unwrap_or(i64::MAX);
    let more = check.issue_count.saturating_sub(shown);
    let rest = if more > 0 { format!("and {more} more\n") } else { String::new() };
    head + "\n" + &table.render() + &rest
}
