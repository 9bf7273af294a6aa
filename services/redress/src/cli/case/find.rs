//! Finds and counts cases.

use clap::Args;
use proto::redress::cases::v1::{CaseState, CountCasesRequest, FacetCasesRequest, ListCasesRequest};
use show::{text, words};

use crate::cli::connection::{Caller, Page};

/// What a filter looks like, for people who ask.
const FILTERS: &str = "A filter compares fields and seeks words:\n  \
    --filter 'state = TRIAGED AND priority <= P2'\n  \
    --filter 'open = true AND NOT agent:*' --order-by due_time\n  \
    --filter 'category:\"delivery/*\" AND (breached = true OR tier > 0)'\n  \
    --filter 'text:\"refund late\" receive_time > 2026-11-01T00:00:00Z'\n\
    Fields: state, priority, category, channel, agent, department, customer, tier, outcome, language,\n\
    open, breached, paused, replied, receive_time, open_time, resolve_time, close_time, due_time, text.";

#[derive(Args)]
#[command(after_help = FILTERS)]
pub(super) struct List {
    /// Only those that this means, e.g. `open = true AND priority <= P2`
    #[arg(long, default_value = "")]
    filter: String,
    /// In which order: `receive_time` or `due_time`, with ` desc` for the latest first
    #[arg(long, default_value = "")]
    order_by: String,
    /// Only those in this state, e.g. `out-of-scope`
    #[arg(long, value_parser = words::read::<CaseState>)]
    state: Option<CaseState>,
    /// Only this agent's
    #[arg(long, default_value = "")]
    agent: String,
    /// Only this customer's
    #[arg(long, default_value = "")]
    customer: String,
    #[command(flatten)]
    page: Page,
}

impl List {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let request = ListCasesRequest {
            page_size: self.page.limit,
            page_token: self.page.page,
            state: self.state.unwrap_or_default().into(),
            agent_id: self.agent,
            customer_id: self.customer,
            filter: self.filter,
            order_by: self.order_by,
        };
        let answer = caller.cases().list_cases(request).await?.into_inner();
        show::answer(caller.json, &answer, text::cases)
    }
}

#[derive(Args)]
#[command(after_help = FILTERS)]
pub(super) struct Count {
    /// By what: state, priority, category, channel, agent, department, tier, outcome,
    /// language, open, breached; several with commas
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    by: Vec<String>,
    /// Only those that this means
    #[arg(long, default_value = "", requires = "by")]
    filter: String,
}

impl Count {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        if self.by.is_empty() {
            let answer = caller.cases().count_cases(CountCasesRequest {}).await?.into_inner();
            return show::answer(caller.json, &answer, text::count);
        }
        let request = FacetCasesRequest { filter: self.filter, fields: self.by };
        let answer = caller.search().facet_cases(request).await?.into_inner();
        show::answer(caller.json, &answer, text::facets)
    }
}

#[cfg(test)]
mod tests {
    use super::FILTERS;

    #[test]
    fn the_help_of_filters_names_every_field() {
        let (_, told) = FILTERS.split_once("Fields: ").unwrap();
        let told: Vec<&str> = told.trim_end_matches('.').split([',', '\n']).map(str::trim).collect();
        let every: Vec<&str> = filter::Field::every().map(filter::Field::name).collect();
        assert_eq!(told.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>(), every);
    }
}
