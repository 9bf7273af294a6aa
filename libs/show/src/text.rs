//! How each thing of the contracts reads for people.

mod alike;
mod approvals;
mod attachments;
mod calendars;
mod call_backs;
mod cases;
mod channels;
mod classifiers;
mod clocks;
mod directories;
mod endpoints;
mod event_subscriptions;
mod file_drops;
mod forms;
#[cfg(test)]
mod hostile;
mod improvement;
mod ivr_menus;
mod knowledge;
mod kpis;
mod ledger;
mod mailboxes;
mod notices;
mod people;
mod posts;
mod problem_tasks;
mod problems;
mod quality;
mod recalls;
mod remedies;
mod remedy_types;
mod reports;
mod returns;
mod revisions;
mod routing;
mod signals;
mod supervised;
mod supervision;
mod surveys;
mod templates;
mod topics;
mod training;
mod triage;
mod webhooks;

pub use alike::{complainant_history, group, group_policy, groups, link, links, members, similar};
pub use approvals::{approval_policies, approval_policy, approvals_replayed, delegation, delegations};
pub use attachments::{attachment, attachment_settings, attachments, download_token};
pub use calendars::{calendar, calendar_in_short, calendars, moved, recount, zones};
pub use call_backs::{call_back, call_back_count, call_back_policy, call_backs};
pub use cases::{
    case, case_in_full, cases, correction, count, entries, facets, progress, timeline, withdrawn,
};
pub use channels::{channel, channels};
pub use classifiers::{classified, classifier, classifiers, reading, unconfirmed};
pub use clocks::{activated, clocks, explained, extension, extensions, policies, policy};
pub use directories::{case_directory, directory, looked_up};
pub use endpoints::{deliveries, delivery, endpoint, endpoints};
pub use event_subscriptions::{event_subscription, event_subscriptions};
pub use file_drops::{drop_trial, dropped_file, dropped_files, file_drop, file_drops};
pub use forms::{added, checked, form, forms, information, prefilled};
pub use improvement::{improvement_action, improvement_actions};
pub use ivr_menus::{ivr_menu, ivr_menus, ivr_trial};
pub use knowledge::{article, articles, solved_clusters, suggestions};
pub use kpis::{fact_state, kpi, kpi_answers, kpi_settings, kpis};
pub use ledger::{balances, entry_list, reconciled, reconciliation};
pub use mailboxes::{mail, mailbox, mailboxes, mails};
pub use notices::{bounce, contact, notice, notice_routing, notices};
pub use people::{agent, agents, assignment, department, departments, feedback, parked, queue};
pub use posts::{post, posts, reply_draft, reply_drafts};
pub use problem_tasks::{problem_task, problem_tasks};
pub use problems::{problem, problem_cases, problems, root_causes};
pub use quality::{quality_agreement, quality_policy, quality_review, quality_reviews, scorecards};
pub use recalls::{recall, recall_candidates, recall_cases, recall_progress, recall_verdicts, recalls};
pub use remedies::{
    approval_limits, department_queue, in_short, investigations, pause, plan, plans, proposal, stock_alerts,
    task, task_history, tasks,
};
pub use remedy_types::{remedy_type, remedy_types};
pub use reports::{report, report_schedules, reports};
pub use returns::{return_check, return_mapping};
pub use revisions::{plan_revision, plan_revisions};
pub use routing::{
    absence, agent_verdicts, decision, offboarded, routing_policies, routing_policy, routing_replay,
    unassignable,
};
pub use signals::{signal, signal_settings, signals};
pub use supervised::{supervised_cases, supervision_overview};
pub use supervision::{department_board, supervision};
pub use surveys::{questionnaire, survey_answered, survey_questions, surveys};
pub use templates::{quiet_hours, template, template_sample, templates};
pub use topics::{topic, topics};
pub use training::{training_case, training_cases, training_picks};
pub use triage::{categories, category, explained_triage, replayed, rule_set, rule_sets, triage};
pub use webhooks::{webhook_mapping, webhook_mappings, webhook_preview, webhook_source, webhook_sources};

/// What a list says below its rows when there are more.
pub fn more(next_page_token: &str) -> String {
    let token: String = next_page_token.split_whitespace().collect();
    if token.is_empty() { String::new() } else { format!("more: --page {token}\n") }
}

fn none_of(what: &str, next_page_token: &str) -> String {
    format!("no {what}\n{}", more(next_page_token))
}
