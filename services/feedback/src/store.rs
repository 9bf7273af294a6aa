//! Every SQL statement of this service.

mod address;
mod call_back;
mod contact;
mod cycle;
mod delivery_report;
mod event_subscription;
mod facts;
mod improvement;
mod kpi_settings;
mod notice;
mod open_case;
mod past;
mod pending_notices;
mod problem;
mod problem_task;
mod process;
mod profile;
mod quality;
mod report;
mod report_files;
mod returns;
mod revision;
mod sending;
mod signal;
mod supervision;
mod survey;
mod tally;
mod totals;
mod trial;

use fault::Fault;
use uuid::Uuid;

pub(crate) use address::{clean_up_addresses, reserve};
pub(crate) use call_back::{
    call_back, call_back_standings, call_backs, cancel_call_backs, count_call_backs, hold_strata,
    lock_call_back, open_call_backs, save_call_back, save_strata, wish_for_call_back,
};
pub(crate) use contact::{contact, contacts, correct, corrections, hold_contacts, lock_contact, meet};
pub(crate) use cycle::{
    AwaitedCycle, ToldCycle, awaited_cycles, close_cycles, cycles, lock_cycles, mark_told, open_cycles, save,
    zones,
};
pub(crate) use delivery_report::{delivery_reports, keep_delivery_report};
pub(crate) use event_subscription::{
    ClaimedFeed, claim_event_feeds, delete_event_subscription, event_progress, event_subscription,
    event_subscriptions, forgive_event_failures, hold_event_subscriptions, is_any_event_feed_due,
    lock_event_subscription, move_event_feed, save_event_progress, save_event_subscription,
};
#[cfg(test)]
pub(crate) use facts::facts_hash;
pub(crate) use facts::keep_facts;
pub(crate) use improvement::{
    action, action_count, actions, lock_action, overdue_tenants, save_action, take_overdue,
};
pub(crate) use kpi_settings::{
    applied_positions, begin_rebuilds, hold_kpi_settings, kpi_settings, lock_rebuild, parked_counts,
    rebuilding_tenants, rebuilds, request_rebuild, save_kpi_settings, save_rebuild, share_kpi_settings,
    throw_facts_away,
};
pub(crate) use notice::{
    Attempt, Claimed, Claims, change, claim, dismiss, end_survey_notices, give_up, go_on, keep_evidence,
    lock_notice, notices, post, settle,
};
pub(crate) use open_case::{
    cycle_of, heard_of, keep_open_cases, open_cycles_of, take_untold, tenants_to_tell,
};
pub(crate) use pending_notices::{put_off, take_up};
pub(crate) use problem::{
    SurgeCases, known_cases, link_cases, link_surges, lock_problem, problem, problem_cases, problem_sizes,
    problems, problems_among, problems_of_series, save_problems, unlink_cases,
};
pub(crate) use problem_task::{
    lock_problem_tasks, lock_waiting_tasks, newest_cases, problem_tasks, save_problem_tasks,
    tasks_of_problems,
};
pub(crate) use process::{ExportedDays, is_rebuilding, process_cases, process_events};
pub(crate) use profile::{case_by_receipt, hold_profiles, keep_origins, keep_progress, profiles};
pub(crate) use quality::{
    case_agents, cycle_agents, lock_quality_review, open_quality_reviews, quality_review, quality_reviews,
    rated_pairs, save_quality_rating, scorecards,
};
pub(crate) use report::{
    ClaimedReport, Progress, claim_report, finish_report, forget_reports, hold_report_schedules,
    insert_report, keep_figures, put_report_off, report, report_schedules, report_tenants, reports,
    save_report_schedules, scheduled_tenants, waiting_reports,
};
pub(crate) use report_files::{keep_report_file, report_chunk, report_files};
pub(crate) use returns::{Place as ReturnPlace, return_records};
pub(crate) use revision::{
    activate_revision, hold_revisions, insert_revision, revision, revisions, revisions_in_force,
};
pub(crate) use sending::{correct_sending, keep_sending, sendings};
pub(crate) use signal::{
    busy_series, followed_signals, hold_signals, note_signal_change, save_next_look, save_signal_settings,
    save_signals, series_counts, signal, signal_settings, signal_tenants, signals, surges_over,
    take_signal_changes,
};
pub(crate) use supervision::{supervised_cases, supervision_overview};
pub(crate) use survey::{cancel_surveys, keep_codes, lock_survey, open_surveys, save_survey, surveys};
pub(crate) use tally::{Part, Wanted, count_facts, count_open};
pub(crate) use totals::{
    add_totals, changed_days, changed_days_since, changed_tenants, hold_totals, make_totals,
    note_changed_days, see_one_moment,
};
pub(crate) use trial::{last_places, latest_places};

/// Facts that no code of this service can have counted.
fn impossible_fact(column: &str) -> Fault {
    Fault::internal(format!("impossible facts: {column}"))
}

/// A row that no code of this service can have written.
fn impossible(table: &str, column: &str, id: Uuid) -> Fault {
    Fault::internal(format!("impossible row: {table}.{column} of {id}"))
}
