//! How each thing of the contracts reads for people.

mod calendars;
mod cases;
mod clocks;
mod people;
mod remedies;

pub(crate) use calendars::{calendar, calendar_in_short, calendars, moved};
pub(crate) use cases::{case, cases, count, entries, facets, progress, timeline};
pub(crate) use clocks::{activated, clocks, explained, extension, extensions, policies, policy};
pub(crate) use people::{
    agent, agents, assignment, department, departments, feedback, notices, parked, queue,
};
pub(crate) use remedies::{in_short, plan, plans, task, tasks};

/// What a list says below its rows when there are more.
pub(crate) fn more(next_page_token: &str) -> String {
    if next_page_token.is_empty() { String::new() } else { format!("more: --page {next_page_token}\n") }
}

fn none_of(what: &str, next_page_token: &str) -> String {
    format!("no {what}\n{}", more(next_page_token))
}
