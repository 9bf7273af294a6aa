//! The tale at the end: what came in, what became of it, one case in full.

mod chart;
mod letter;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use client::Client;
use kernel::Money;
use proto::redress::assignment::v1::routing_service_client::RoutingServiceClient;
use proto::redress::assignment::v1::{ExplainAssignmentRequest, RoutingDecision};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    CaseCount, CaseState, ClockKind, CountCasesRequest, CountCasesResponse, ExplainDeadlineRequest,
    ExplainTriageRequest, GetTimelineRequest, ListClocksRequest, TimelineEntry,
};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{ListNoticesRequest, NoticeKind};
use proto::redress::intake::v1::Channel;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{GetPlanRequest, Plan, RemedyKind};
use show::lines::{millis, money};
use show::{program, table, text, words};
use terminal::style;

use super::USUAL;
use super::departments::Reconciled;
use super::life::End;
use super::tally::Tally;
use chart::chart;
pub(super) use letter::letter;

/// Width where the terminal does not tell.
const WIDTH: usize = 100;
const WIDTH_MIN: usize = 80;
const WIDTH_MAX: usize = 120;
/// Assignments that are looked at, to find one to show.
const EXPLAINED: usize = 24;
/// Rows of a timeline at once: more than any case has.
const TIMELINE_ROWS: i32 = 200;

fn width() -> usize {
    table::width().unwrap_or(WIDTH).clamp(WIDTH_MIN, WIDTH_MAX)
}

/// The tale of all cases.
pub(super) async fn numbers(
    client: &Client,
    tally: &Tally,
    ends: usize,
    took: Duration,
) -> anyhow::Result<String> {
    let mut cases = CaseServiceClient::new(client.calls());
    let counted = cases.count_cases(CountCasesRequest {}).await?.into_inner();
    let mut text = heading(&format!(
        "{} complaints, from submission to their end, in {:.1} s",
        ends,
        took.as_secs_f64()
    ));
    let width = width();
    let half = (width - 4) / 2;
    let by = |key: fn(&CaseCount) -> String| grouped(&counted.counts, key);
    let states = chart("by state", &by(|count| words::word::<CaseState>(count.state)), half);
    let priorities = chart("by priority", &by(|count| words::priority(count.priority)), half);
    let channels = chart("by channel", &by(|count| words::word::<Channel>(count.channel)), half);
    let categories = chart("by category", &by(|count| root(&count.category)), half);
    text.push_str(&chart::beside(&[states, priorities].concat(), &categories, half));
    text.push('\n');
    text.push_str(&chart::beside(&channels, &[times(&counted), satisfaction(tally)].concat(), half));
    text.push_str(&heading("What was done about them"));
    text.push_str(&done(tally));
    Ok(text)
}

fn heading(text: &str) -> String {
    let rule = "─".repeat(width().saturating_sub(terminal::measure_text_width(text) + 4));
    format!("\n{} {} {}\n\n", style("──").dim(), style(text).bold(), style(rule).dim())
}

/// How many there are of each, most first.
fn grouped(counts: &[CaseCount], key: fn(&CaseCount) -> String) -> Vec<(String, u64)> {
    let mut groups: BTreeMap<String, u64> = BTreeMap::new();
    for count in counts {
        *groups.entry(key(count)).or_default() += u64::try_from(count.count).unwrap_or(0);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    groups
}

fn root(category: &str) -> String {
    category.split('/').next().unwrap_or_default().to_owned()
}

fn times(counted: &CountCasesResponse) -> Vec<String> {
    let shown = |time: Option<i64>| time.map_or_else(|| "-".to_owned(), millis);
    vec![
        style("response times").bold().to_string(),
        format!("  {:<16}{:>10}{:>10}", "", "median", "p99"),
        format!(
            "  {:<16}{:>10}{:>10}",
            "until assigned",
            shown(counted.assign_ms_p50),
            shown(counted.assign_ms_p99)
        ),
        format!(
            "  {:<16}{:>10}{:>10}",
            "until resolved",
            shown(counted.resolve_ms_p50),
            shown(counted.resolve_ms_p99)
        ),
        String::new(),
    ]
}

fn satisfaction(tally: &Tally) -> Vec<String> {
    let mut lines = vec![style("satisfaction, 1 to 5 (answers)").bold().to_string()];
    for (name, scores) in [("with the handling", &tally.handling), ("with the outcome", &tally.outcome)] {
        let counts = scores.counts();
        let given: u64 = counts.iter().sum();
        let sum: u64 = counts.iter().zip(1..).map(|(count, score)| count * score).sum();
        // In tenths: exact enough, and no floating point.
        let tenths = (sum * 10 + given / 2).checked_div(given).unwrap_or(0);
        lines.push(format!("  {name:<20}{}.{}   ({given})", tenths / 10, tenths % 10));
    }
    lines
}

fn done(tally: &Tally) -> String {
    let answers =
        format!("{} accepted, {} disputed and taken up again", tally.accepted.get(), tally.disputed.get());
    let plans = format!(
        "{} approved, {} of them by a rule, {} sent back first",
        tally.plans.get(),
        tally.plans_automatic.get(),
        tally.plans_rejected.get()
    );
    let notices = match tally.delivered.get() {
        0 => format!("{} on record, unsent: REDRESS_SMTP_URL names no mail server", tally.undelivered.get()),
        sent => format!("{sent} delivered, {} not{}", tally.undelivered.get(), tally.obstacles()),
    };
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<14}{value}");
    };
    line("answers", answers);
    line("plans", plans);
    line("tasks", format!("{} carried out by the departments' workers", tally.tasks.get()));
    line(
        "payments",
        format!("{} approved, {} made", tally.payments_approved.get(), tally.payments_made.get()),
    );
    line("  approved", sums(&tally.sum_approved.all()));
    line("  paid", sums(&tally.sum_paid.all()));
    line("notices", notices);
    text
}

fn sums(sums: &[Money]) -> String {
    let each: Vec<String> = sums.iter().map(|sum| grouped_digits(&sum.to_string())).collect();
    each.join(" · ")
}

/// `CNY 1234567.80` as people read it: `CNY 1,234,567.80`.
fn grouped_digits(sum: &str) -> String {
    let (whole, decimals) = sum.split_once('.').map_or((sum, None), |(whole, rest)| (whole, Some(rest)));
    let digits = whole.bytes().filter(u8::is_ascii_digit).count();
    let mut text = String::new();
    let mut left = digits;
    for letter in whole.chars() {
        text.push(letter);
        if letter.is_ascii_digit() {
            left -= 1;
            if left > 0 && left % 3 == 0 {
                text.push(',');
            }
        }
    }
    decimals.map_or(text.clone(), |decimals| format!("{text}.{decimals}"))
}

/// The case that is told in full: of two cycles if there is one, with a refund and
/// an exchange.
pub(super) fn telling(ends: &[End]) -> Option<&End> {
    let has = |end: &&End, kind| end.remedies.contains(&kind);
    let both = ends.iter().filter(|end| has(end, RemedyKind::Refund) && has(end, RemedyKind::Exchange));
    both.max_by_key(|end| end.cycles)
}

/// One case in full.
pub(super) async fn story(client: &Client, end: &End) -> anyhow::Result<String> {
    let request =
        GetTimelineRequest { case_id: end.case_id.clone(), page_size: TIMELINE_ROWS, ..Default::default() };
    let mut cases = CaseServiceClient::new(client.calls());
    let entries = cases.get_timeline(request).await?.into_inner().entries;
    let trace = entries.first().map(|entry| entry.trace_id.clone()).context("a timeline")?;
    let within = entries.iter().filter(|entry| entry.trace_id == trace).count();
    let complaint = &end.complaint;
    let sought = complaint.remedy_sought.clone().unwrap_or_default();
    let mut text = heading("One case in full: a refund and an exchange");
    text.push_str(&table::facts(&[
        ("  complaint", complaint.subject.clone()),
        ("  channel", words::word::<Channel>(complaint.channel)),
        ("  asked for", format!("{} {}", sought.text, money(sought.amount.as_ref()))),
        ("  case", end.case_id.clone()),
        ("  trace", format!("{trace}  ({within} of {} entries)", entries.len())),
    ]));
    text.push('\n');
    text.push_str(&timeline(&entries));
    text.push_str(&promises(client, &end.case_id).await?);
    Ok(text)
}

/// Why a case is as urgent as it is, by when what was promised, and how one due
/// time comes about.
async fn promises(client: &Client, case: &str) -> anyhow::Result<String> {
    let case_id = case.to_owned();
    let mut triage = TriageServiceClient::new(client.calls());
    let judged = triage.explain_triage(ExplainTriageRequest { case_id: case_id.clone() }).await?.into_inner();
    let mut clocks = ClockServiceClient::new(client.calls());
    let promised = clocks.list_clocks(ListClocksRequest { case_id: case_id.clone() }).await?.into_inner();
    let decide = ExplainDeadlineRequest { case_id, kind: ClockKind::Decide.into() };
    let explained = clocks.explain_deadline(decide).await?.into_inner();
    let mut told = heading("Why it was that urgent at first, and by when it was due");
    for part in [
        text::triage(&judged.triage.unwrap_or_default()),
        text::clocks(&promised.clocks),
        text::explained(&explained),
    ] {
        told.push_str(&indented(&part));
        told.push('\n');
    }
    Ok(told)
}

fn timeline(entries: &[TimelineEntry]) -> String {
    indented(&text::entries(entries, Some(width() - 2)))
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

/// Of some cases how that one was assigned which the most could have had.
async fn most_contested(client: &Client, ends: &[End]) -> anyhow::Result<Option<RoutingDecision>> {
    let mut routing = RoutingServiceClient::new(client.calls());
    let mut most: Option<RoutingDecision> = None;
    for end in ends.iter().take(EXPLAINED) {
        let request = ExplainAssignmentRequest { case_id: end.case_id.clone(), cycle: 1 };
        let decision = routing.explain_assignment(request).await?.into_inner().decision;
        let decision = decision.context("a decision")?;
        if most.as_ref().is_none_or(|most| decision.eligible > most.eligible) {
            most = Some(decision);
        }
    }
    Ok(most)
}

/// How a case found its agent, and plans and departments their way.
pub(super) async fn doing(
    client: &Client,
    ends: &[End],
    short: Option<&Plan>,
    reconciled: Option<&Reconciled>,
) -> anyhow::Result<String> {
    let mut text = String::new();
    if let Some(decision) = most_contested(client, ends).await? {
        text.push_str(&heading("Who got a case, and why"));
        text.push_str(&indented(&text::decision(&decision)));
    }
    if let Some(plan_id) = ends.iter().find_map(|end| end.automatic.clone()) {
        let request = GetPlanRequest { plan_id };
        let answer = ResolutionServiceClient::new(client.calls()).get_plan(request).await?;
        text.push_str(&heading("A plan that a rule approved"));
        text.push_str(&indented(&text::plan(&answer.into_inner().plan.context("a plan")?)));
    }
    if let Some(plan) = short {
        text.push_str(&heading("Out of stock: what was offered instead, and what the complainant heard"));
        text.push_str(&indented(&text::plan(plan)));
        let request = ListNoticesRequest { case_id: plan.case_id.clone(), ..Default::default() };
        let notices = FeedbackServiceClient::new(client.calls()).list_notices(request).await?.into_inner();
        let of_shortage = notices.notices.iter().find(|notice| notice.kind() == NoticeKind::Shortage);
        text.push('\n');
        text.push_str(&indented(&text::notice(of_shortage.context("a notice of the shortage")?)));
    }
    if let Some(Reconciled { reconciliation, differing }) = reconciled {
        text.push_str(&heading("Finance's statement, with a sum that is wrong and a row that lacks"));
        text.push_str(&indented(&text::reconciliation(reconciliation)));
        for list in differing {
            text.push('\n');
            text.push_str(&indented(&text::reconciled(list)));
        }
    }
    Ok(text)
}

/// Where the report is, and how to open it.
pub(super) fn report(paths: &[PathBuf]) -> String {
    let mut text = String::from("\n  The month as a report, in English and Chinese, is kept:\n\n");
    for path in paths {
        let _ = writeln!(text, "    {}", path.display());
    }
    if let Some(first) = paths.first() {
        let _ =
            writeln!(text, "\n  Open it in a browser: xdg-open {0} (on a Mac: open {0})", first.display());
    }
    text
}

/// What else there is to try.
pub(super) fn next(end: Option<&End>, address: SocketAddr, stays: bool) -> String {
    let mut text = heading("What to try next");
    if !stays {
        text.push_str("  Run it again and let it stay:   KEEP=1 make demo   (or redress demo --keep)\n  Then, at the address it names:\n\n");
    }
    let server = if stays { address.to_string() } else { USUAL.to_owned() };
    let flag = if server == USUAL { String::new() } else { format!(" --server http://{server}") };
    let told = end.filter(|_| stays);
    let (case, code) = told.map_or(("CASE_ID", "RECEIPT_CODE"), |end| (&end.case_id, &end.receipt_code));
    let (redress, indent) = (program(), "      ");
    let lines = [
        format!("{redress} case list --filter 'tier > 0 AND text:\"refund\"'{flag}"),
        format!("{redress} clock explain {case} decide{flag}"),
        format!("{redress} rules explain {case}{flag}"),
        format!("{redress} track {code}{flag}"),
        format!("{redress} events tail --source cases{flag}"),
        format!("grpcurl -plaintext {server} list"),
        format!(
            "grpcurl -plaintext -H 'redress-subject: alice' \\\n{indent}-d '{{\"case_id\":\"{case}\"}}' \\\n\
             {indent}{server} redress.cases.v1.CaseService/GetCase"
        ),
        format!(
            "grpcurl -plaintext -H 'redress-subject: alice' \\\n{indent}-d '{{\"receipt_code\":\"{code}\"}}' \\\n\
             {indent}{server} redress.cases.v1.CaseService/TrackComplaint"
        ),
    ];
    for line in lines {
        let _ = writeln!(text, "    {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_sums_can_be_read() {
        assert_eq!(grouped_digits("CNY 1234567.80"), "CNY 1,234,567.80");
        assert_eq!(grouped_digits("JPY 500"), "JPY 500");
        assert_eq!(grouped_digits("USD -1000.05"), "USD -1,000.05");
    }
}
