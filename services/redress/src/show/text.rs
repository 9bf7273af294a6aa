//! How each thing of the contracts reads for people.

mod alike;
mod calendars;
mod cases;
mod classifiers;
mod clocks;
mod forms;
#[cfg(test)]
mod hostile;
mod ledger;
mod notices;
mod people;
mod remedies;
mod triage;

pub(crate) use alike::{group, group_policy, groups, link, links, members, similar};
pub(crate) use calendars::{calendar, calendar_in_short, calendars, moved, recount, zones};
pub(crate) use cases::{case, cases, correction, count, entries, facets, progress, timeline};
pub(crate) use classifiers::{classified, classifier, classifiers, reading, unconfirmed};
pub(crate) use clocks::{activated, clocks, explained, extension, extensions, policies, policy};
pub(crate) use forms::{added, checked, form, forms, information};
pub(crate) use ledger::{balances, entry_list, reconciled, reconciliation};
pub(crate) use notices::{contact, notice, notices};
pub(crate) use people::{agent, agents, assignment, department, departments, feedback, parked, queue};
pub(crate) use remedies::{approval_limits, in_short, plan, plans, task, tasks};
pub(crate) use triage::{categories, category, replayed, rule_set, rule_sets, triage};

/// What a list says below its rows when there are more.
pub(crate) fn more(next_page_token: &str) -> String {
    let token: String = next_page_token.split_whitespace().collect();
    if token.is_empty() { String::new() } else { format!("more: --page {token}\n") }
}

fn none_of(what: &str, next_page_token: &str) -> String {
    format!("no {what}\n{}", more(next_page_token))
}
