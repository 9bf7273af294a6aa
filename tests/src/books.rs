//! What is on record when all is over, read through the services' own rpcs.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use client::Client;
use jiff::tz::TimeZone;
use kernel::{Clock as _, Money, SystemClock};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{Case, GetTimelineRequest, ListCasesRequest, TimelineEntry};
use proto::redress::event::v1::event_inbox_client::EventInboxClient;
use proto::redress::event::v1::{ListParkedEventsRequest, ParkedEvent};
use proto::redress::resolution::v1::ledger_service_client::LedgerServiceClient;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{GetPlanRequest, ListBalancesRequest, Plan, PlanState};

use crate::department::{Entry, Ledger};

const PAGE: i32 = 500;
/// How long the last events may be on their way.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);

/// Every case of the tenant.
pub async fn all_cases(client: &Client) -> Result<Vec<Case>> {
    let mut service = CaseServiceClient::new(client.calls());
    let (mut cases, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListCasesRequest { page_size: PAGE, page_token, ..ListCasesRequest::default() };
        let answer = service.list_cases(request).await?.into_inner();
        cases.extend(answer.cases);
        if answer.next_page_token.is_empty() {
            return Ok(cases);
        }
        page_token = answer.next_page_token;
    }
}

/// Waits until there are as many cases as complaints, and makes sure that each
/// complaint has exactly one, and there is none without.
pub async fn one_case_each(client: &Client, complaints: &BTreeSet<String>) -> Result<Vec<Case>> {
    let begun = Instant::now();
    let mut cases = all_cases(client).await?;
    while cases.len() < complaints.len() && begun.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK).await;
        cases = all_cases(client).await?;
    }
    let ids: BTreeSet<String> = cases.iter().map(|case| case.case_id.clone()).collect();
    let lost: Vec<_> = complaints.difference(&ids).collect();
    let unexpected: Vec<_> = ids.difference(complaints).collect();
    ensure!(lost.is_empty(), "{} complaints without a case: {lost:?}", lost.len());
    ensure!(unexpected.is_empty(), "{} cases nobody was told of: {unexpected:?}", unexpected.len());
    ensure!(ids.len() == cases.len(), "{} cases are listed twice", cases.len() - ids.len());
    Ok(cases)
}

/// Events that some service could not apply; at most a page of each.
pub async fn parked(client: &Client) -> Result<Vec<ParkedEvent>> {
    let mut all = Vec::new();
    // Intake follows nobody.
    for consumer in ["cases", "assignment", "resolution", "feedback"] {
        let request = ListParkedEventsRequest {
            consumer: consumer.to_owned(),
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut inbox = EventInboxClient::new(client.calls_at(consumer));
        all.extend(inbox.list_parked_events(request).await?.into_inner().parked_events);
    }
    Ok(all)
}

/// What refunds should be in the ledger: of each plan approved, by task.
pub async fn approved_refunds(client: &Client, plans: &[Plan]) -> Result<HashMap<String, Money>> {
    let mut service = ResolutionServiceClient::new(client.calls());
    let mut refunds = HashMap::new();
    for approved in plans {
        let request = GetPlanRequest { plan_id: approved.plan_id.clone() };
        let plan = service.get_plan(request).await?.into_inner().plan.context("a plan is answered")?;
        ensure!(plan.state() == PlanState::Completed, "plan {} is not completed", plan.plan_id);
        for step in plan.steps {
            if let Some(sum) = step.amount {
                let amount = Money::parse(&sum.currency_code, sum.units, sum.nanos)?;
                let before = refunds.insert(step.task_id, amount);
                ensure!(before.is_none(), "two steps share a task");
            }
        }
    }
    Ok(refunds)
}

/// What Redress has on record as executed and not reversed, in minor units by currency.
pub async fn booked(client: &Client) -> Result<HashMap<String, i64>> {
    let mut ledger = LedgerServiceClient::new(client.calls_at("resolution"));
    // All that was booked lately, wherever the day ends meanwhile.
    let today = SystemClock.now().to_zoned(TimeZone::UTC).date();
    let (start_day, end_day) = (today.yesterday()?.to_string(), today.tomorrow()?.to_string());
    let request =
        ListBalancesRequest { page_size: PAGE, start_day, end_day, ..ListBalancesRequest::default() };
    let answer = ledger.list_balances(request).await?.into_inner();
    ensure!(answer.next_page_token.is_empty(), "there are more currencies than a page holds");
    let net = answer.balances.into_iter().filter_map(|balance| balance.executed_net);
    net.map(|sum| {
        Ok((sum.currency_code.clone(), Money::parse(&sum.currency_code, sum.units, sum.nanos)?.minor))
    })
    .collect()
}

/// What refunds are in the ledger, by task.
pub fn executed_refunds(ledger: &Ledger) -> Result<HashMap<String, Money>> {
    let paid = |Entry { task_id, amount }| amount.map(|amount| (task_id, amount));
    Ok(ledger.entries()?.into_iter().filter_map(paid).collect())
}

/// How many tasks without a sum are in the ledger.
pub fn shipped(ledger: &Ledger) -> Result<usize> {
    Ok(ledger.entries()?.into_iter().filter(|entry| entry.amount.is_none()).count())
}

/// The whole timeline of a case, oldest first.
pub async fn timeline(client: &Client, case_id: &str) -> Result<Vec<TimelineEntry>> {
    let request =
        GetTimelineRequest { case_id: case_id.to_owned(), page_size: PAGE, page_token: String::new() };
    let mut service = CaseServiceClient::new(client.calls());
    let answer = service.get_timeline(request).await?.into_inner();
    ensure!(answer.next_page_token.is_empty(), "the timeline of {case_id} is longer than a page");
    Ok(answer.entries)
}
