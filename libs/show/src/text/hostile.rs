//! What complainants, and whoever else writes into the suite, may write: no text of theirs
//! moves the cursor of who reads it, colours a word, or passes for a line of ours.

use std::collections::BTreeSet;

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use proto::redress::cases::v1::{
    ClockRecount, GetTimelineResponse, ImportHolidaysResponse, ListClocksResponse,
};

use proto::redress::feedback::v1::QuietHours;

use super::*;
use crate::{escaped, is_treacherous, json};

/// Clears the screen, rings, returns, turns the direction, and forges a line.
const HOSTILE: &str = "x\u{1b}[2J\u{7}\r\u{9b}31m\u{202e}\u{2066}\u{2028}\nFORGED";
/// How deep messages lie in each other.
const DEPTH: u8 = 6;

fn hostile<M: Message + Name + Default>() -> M {
    fill(&json::descriptor::<M>().unwrap(), DEPTH).transcode_to().unwrap()
}

fn fill(descriptor: &MessageDescriptor, depth: u8) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        let Some(value) = value(&field, depth) else { continue };
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        message.set_field(&field, value);
    }
    message
}

fn value(field: &FieldDescriptor, depth: u8) -> Option<Value> {
    if field.is_map() {
        return None;
    }
    Some(match field.kind() {
        Kind::String => Value::String(HOSTILE.to_owned()),
        Kind::Bool => Value::Bool(true),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(1),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(1),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(1),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(1),
        Kind::Double => Value::F64(0.5),
        Kind::Float => Value::F32(0.5),
        Kind::Bytes => Value::Bytes(HOSTILE.into()),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Message(_) if depth == 0 => return None,
        Kind::Message(message) => Value::Message(fill(&message, depth - 1)),
    })
}

/// How a message full of hostile text reads on a terminal.
fn shown<M: Message + Name + Default>(render: impl FnOnce(&M) -> String) -> String {
    escaped(&render(&hostile())).into_owned()
}

fn moved_by_import(answer: &ImportHolidaysResponse) -> String {
    moved(answer.calendar.as_ref(), &answer.moved, 1, false)
}

/// Each way a thing of the contracts reads, by its name.
fn all() -> Vec<(&'static str, String)> {
    [of_feedback(), of_routing(), of_resolution(), of_what_is_alike(), of_the_others()].concat()
}

/// What complainants are told, asked and answer.
fn of_feedback() -> Vec<(&'static str, String)> {
    vec![
        ("feedback", shown(feedback)),
        ("notices", shown(notices)),
        ("notice", shown(notice)),
        ("bounce", shown(bounce)),
        ("contact", shown(contact)),
        ("notice_routing", shown(notice_routing)),
        ("questionnaire", shown(questionnaire)),
        ("survey_answered", shown(survey_answered)),
        ("survey_questions", shown(survey_questions)),
        ("surveys", shown(surveys)),
        ("fact_state", shown(fact_state)),
        ("kpi", shown(kpi)),
        ("kpi_answers", shown(kpi_answers)),
        ("kpi_settings", shown(kpi_settings)),
        ("kpis", shown(kpis)),
        ("improvement_action", shown(improvement_action)),
        ("improvement_actions", shown(improvement_actions)),
        ("problem", shown(problem)),
        ("quality_agreement", shown(quality_agreement)),
        ("quality_policy", shown(quality_policy)),
        ("quality_review", shown(quality_review)),
        ("quality_reviews", shown(quality_reviews)),
        ("scorecards", shown(scorecards)),
        ("supervised_cases", shown(supervised_cases)),
        ("supervision_overview", shown(supervision_overview)),
        ("problem_cases", shown(problem_cases)),
        ("problem_task", shown(problem_task)),
        ("problem_tasks", shown(problem_tasks)),
        ("problems", shown(problems)),
        ("root_causes", shown(root_causes)),
        ("signal", shown(signal)),
        ("signal_settings", shown(signal_settings)),
        ("signals", shown(signals)),
        ("report", shown(report)),
        ("report_schedules", shown(report_schedules)),
        ("reports", shown(reports)),
        ("return_check", shown(return_check)),
        ("return_mapping", shown(return_mapping)),
        ("call_back", shown(call_back)),
        ("call_back_count", shown(call_back_count)),
        ("call_back_policy", shown(call_back_policy)),
        ("call_backs", shown(call_backs)),
        (
            "quiet_hours",
            shown(|quiet: &QuietHours| quiet_hours(&QuietHours { end: "x".to_owned(), ..quiet.clone() })),
        ),
        ("template", shown(template)),
        ("template_sample", shown(template_sample)),
        ("templates", shown(templates)),
    ]
}

fn of_routing() -> Vec<(&'static str, String)> {
    vec![
        ("absence", shown(absence)),
        ("agent_verdicts", shown(agent_verdicts)),
        ("decision", shown(decision)),
        ("offboarded", shown(offboarded)),
        ("routing_policies", shown(routing_policies)),
        ("routing_policy", shown(routing_policy)),
        ("routing_replay", shown(routing_replay)),
        ("unassignable", shown(unassignable)),
    ]
}

fn of_resolution() -> Vec<(&'static str, String)> {
    vec![
        ("approval_limits", shown(approval_limits)),
        ("approval_policies", shown(approval_policies)),
        ("approval_policy", shown(approval_policy)),
        ("approvals_replayed", shown(approvals_replayed)),
        ("delegation", shown(delegation)),
        ("delegations", shown(delegations)),
        ("plan", shown(plan)),
        ("plan_revision", shown(plan_revision)),
        ("plan_revisions", shown(plan_revisions)),
        ("plans", shown(plans)),
        ("task", shown(task)),
        ("task_history", shown(task_history)),
        ("department_queue", shown(department_queue)),
        ("department_board", shown(department_board)),
        ("supervision", shown(supervision)),
        ("pause", shown(pause)),
        ("proposal", shown(proposal)),
        ("in_short", shown(in_short)),
        ("tasks", shown(tasks)),
        ("stock_alerts", shown(stock_alerts)),
        ("investigations", shown(investigations)),
        ("recall", shown(recall)),
        ("recall_candidates", shown(recall_candidates)),
        ("recall_cases", shown(recall_cases)),
        ("recall_progress", shown(recall_progress)),
        ("recall_verdicts", shown(recall_verdicts)),
        ("recalls", shown(recalls)),
        ("entry_list", shown(entry_list)),
        ("balances", shown(balances)),
        ("reconciliation", shown(reconciliation)),
        ("reconciled", shown(reconciled)),
        ("endpoint", shown(endpoint)),
        ("endpoints", shown(endpoints)),
        ("delivery", shown(delivery)),
        ("remedy_type", shown(remedy_type)),
        ("remedy_types", shown(remedy_types)),
        ("deliveries", shown(deliveries)),
        ("channel", shown(channel)),
        ("channels", shown(channels)),
        ("mailbox", shown(mailbox)),
        ("mailboxes", shown(mailboxes)),
        ("mail", shown(mail)),
        ("mails", shown(mails)),
        ("webhook_source", shown(webhook_source)),
        ("webhook_sources", shown(webhook_sources)),
        ("webhook_mapping", shown(webhook_mapping)),
        ("webhook_mappings", shown(webhook_mappings)),
        ("webhook_preview", shown(webhook_preview)),
        ("post", shown(post)),
        ("posts", shown(posts)),
        ("reply_draft", shown(reply_draft)),
        ("reply_drafts", shown(reply_drafts)),
        ("file_drop", shown(file_drop)),
        ("file_drops", shown(file_drops)),
        ("dropped_file", shown(dropped_file)),
        ("dropped_files", shown(dropped_files)),
        ("drop_trial", shown(drop_trial)),
        ("ivr_menu", shown(ivr_menu)),
        ("ivr_menus", shown(ivr_menus)),
        ("ivr_trial", shown(ivr_trial)),
    ]
}

/// Cases that are alike, their complainants, and what the company knows of them.
fn of_what_is_alike() -> Vec<(&'static str, String)> {
    vec![
        ("link", shown(link)),
        ("links", shown(|list: &_| links(HOSTILE, list))),
        ("complainant_history", shown(complainant_history)),
        ("similar", shown(similar)),
        ("directory", shown(directory)),
        ("case_directory", shown(case_directory)),
        ("looked_up", shown(looked_up)),
        ("group", shown(group)),
        ("members", shown(members)),
        ("groups", shown(groups)),
        ("group_policy", shown(group_policy)),
    ]
}

fn of_the_others() -> Vec<(&'static str, String)> {
    vec![
        ("calendar", shown(calendar)),
        ("calendar_in_short", shown(calendar_in_short)),
        ("calendars", shown(calendars)),
        ("moved", shown(moved_by_import)),
        ("case", shown(case)),
        ("case_in_full", shown(case_in_full)),
        ("cases", shown(cases)),
        ("correction", shown(correction)),
        ("count", shown(count)),
        ("facets", shown(facets)),
        ("timeline", shown(timeline)),
        ("entries", shown(|page: &GetTimelineResponse| entries(&page.entries, Some(60)))),
        ("progress", shown(progress)),
        ("withdrawn", shown(withdrawn)),
        ("article", shown(article)),
        ("articles", shown(articles)),
        ("solved_clusters", shown(solved_clusters)),
        ("suggestions", shown(suggestions)),
        ("topic", shown(topic)),
        ("topics", shown(topics)),
        ("training_case", shown(training_case)),
        ("training_cases", shown(training_cases)),
        ("training_picks", shown(training_picks)),
        ("classifier", shown(classifier)),
        ("classifiers", shown(classifiers)),
        ("classified", shown(classified)),
        ("unconfirmed", shown(unconfirmed)),
        ("reading", shown(reading)),
        ("clocks", shown(|list: &ListClocksResponse| clocks(&list.clocks))),
        ("explained", shown(explained)),
        ("extension", shown(extension)),
        ("extensions", shown(extensions)),
        ("policy", shown(policy)),
        ("policies", shown(policies)),
        ("activated", shown(activated)),
        ("attachment", shown(attachment)),
        ("attachment_settings", shown(attachment_settings)),
        ("attachments", shown(attachments)),
        ("download_token", shown(download_token)),
        ("form", shown(form)),
        ("forms", shown(forms)),
        ("checked", shown(checked)),
        ("prefilled", shown(prefilled)),
        ("added", shown(added)),
        ("information", shown(|all: &_| information(all, &[hostile()]))),
        ("agent", shown(agent)),
        ("agents", shown(agents)),
        ("department", shown(department)),
        ("departments", shown(departments)),
        ("assignment", shown(assignment)),
        ("queue", shown(queue)),
        ("recount", shown(|one: &ClockRecount| recount(Some(one)))),
        ("parked", shown(parked)),
        ("rule_set", shown(rule_set)),
        ("rule_sets", shown(rule_sets)),
        ("replayed", shown(replayed)),
        ("triage", shown(triage)),
        ("explained_triage", shown(explained_triage)),
        ("event_subscription", shown(event_subscription)),
        ("event_subscriptions", shown(event_subscriptions)),
        ("categories", shown(categories)),
        ("category", shown(category)),
        ("zones", shown(zones)),
    ]
}

/// Renderers that show a text as it was written, over its own lines, and why.
const AS_WRITTEN: [&str; 2] = ["form", "remedy_type"]; // their schemas are JSON, to be saved

#[test]
fn no_text_of_theirs_is_obeyed_or_passes_for_ours() {
    let all = all();
    let showing = all.iter().filter(|(_, text)| text.contains("FORGED")).count();
    assert!(showing >= 40, "{showing} of {} show any text: is it filled?", all.len());
    for (name, text) in all {
        assert!(!text.contains(is_treacherous), "{name}: {text:?}");
        let forged = text.lines().any(|line| line.starts_with("FORGED"));
        assert_eq!(forged, AS_WRITTEN.contains(&name), "{name}: {text}");
    }
}

#[test]
fn every_renderer_is_tried() {
    let folder = format!("{}/src/text", env!("CARGO_MANIFEST_DIR"));
    let mut written = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let names = text.lines().filter_map(|line| line.strip_prefix("pub fn "));
        written.extend(names.filter_map(|rest| rest.split_once(['(', '<'])).map(|(name, _)| name.to_owned()));
    }
    let tried: BTreeSet<_> = all().into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(tried, written);
}
