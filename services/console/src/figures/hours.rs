//! When complaints come: by weekday and hour, counted among the cases themselves.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use charts::{Chart, HeatMap};
use client::Client;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::Role;
use proto::redress::cases::v1::ListCasesRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;

use super::ask::{Ask, Counted, FiguresQuery};
use super::{sees, tabs};
use crate::boards::Tab;
use crate::boards::cases::path;
use crate::moment::timestamp;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::session::Visitor;

/// Cases of a page of the list, and most pages read: those received last.
const PAGE: i32 = 500;
const PAGES_MAX: usize = 10;
const WEEKDAYS: usize = 7;
const HOURS: usize = 24;

/// How many came in each hour of each weekday, Monday first.
type Counts = [[i64; HOURS]; WEEKDAYS];

#[derive(Template)]
#[template(path = "figures/hours.html")]
struct Page {
    f: Frame,
    tabs: Vec<Tab>,
    ask: Ask,
    /// The chart as HTML; empty where nothing came.
    chart: String,
    days: Vec<(&'static str, [i64; HOURS], i64)>,
    total: i64,
    cases: Option<String>,
    is_whole: bool,
}

/// Shows when complaints come.
pub(super) async fn hours(visitor: Visitor, Query(asked): Query<FiguresQuery>) -> Result<Response, Problem> {
    sees(&visitor, Role::Reader)?;
    let client = visitor.client()?;
    let t = visitor.words;
    // Of a region nothing is known here.
    let ask = Ask::of(&visitor, &FiguresQuery { region: String::new(), ..asked }).await?;
    let filter = ask.filter(Counted::Received);
    let zone = calendar::zones::get(&ask.settings.time_zone).unwrap_or(TimeZone::UTC);
    let (times, is_whole) = match &filter {
        Some(filter) => received(&client, filter).await?,
        None => (Vec::new(), true),
    };
    let counts = counted(&times, &zone);
    let names = weekdays(&visitor);
    let map = HeatMap {
        columns: (0..HOURS).map(|hour| hour.to_string()).collect(),
        rows: names.iter().zip(counts).map(|(name, row)| ((*name).to_owned(), row.to_vec())).collect(),
    };
    let chart = Chart::Heat(map);
    let chart = if times.is_empty() {
        String::new()
    } else {
        charts::chart(&chart, "hours", t.hours_title(), t.hours_lead()) + &charts::legend(&chart)
    };
    Ok(html(&Page {
        f: Frame::new(&visitor, t.hours_title(), "figures"),
        tabs: tabs(&visitor, "/figures/hours"),
        chart,
        days: names.into_iter().zip(counts).map(|(name, row)| (name, row, row.iter().sum())).collect(),
        total: counts.iter().flatten().sum(),
        cases: filter.map(|filter| path(&visitor, &filter)),
        is_whole,
        ask,
    }))
}

impl Page {
    /// Nothing is chosen by channel here.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn no_channels(&self) -> Vec<(String, &'static str)> {
        Vec::new()
    }
}

fn weekdays(visitor: &Visitor) -> [&'static str; WEEKDAYS] {
    let t = visitor.words;
    [t.monday(), t.tuesday(), t.wednesday(), t.thursday(), t.friday(), t.saturday(), t.sunday()]
}

/// When the cases of a filter were received, the latest first, and whether that is all.
async fn received(client: &Client, filter: &str) -> Result<(Vec<Timestamp>, bool), Problem> {
    let mut times = Vec::new();
    let mut request =
        ListCasesRequest { page_size: PAGE, filter: filter.to_owned(), ..ListCasesRequest::default() };
    for _ in 0..PAGES_MAX {
        let answer = CaseServiceClient::new(client.calls()).list_cases(request.clone()).await?.into_inner();
        times.extend(answer.cases.iter().filter_map(|case| timestamp(case.receive_time.as_ref()?)));
        if answer.next_page_token.is_empty() {
            return Ok((times, true));
        }
        request.page_token = answer.next_page_token;
    }
    Ok((times, false))
}

fn counted(times: &[Timestamp], zone: &TimeZone) -> Counts {
    let mut counts = [[0; HOURS]; WEEKDAYS];
    for time in times {
        let local = time.to_zoned(zone.clone());
        let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or_default();
        let hour = usize::try_from(local.hour()).unwrap_or_default();
        if let Some(count) = counts.get_mut(day).and_then(|hours| hours.get_mut(hour)) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_those_of_the_tenant() {
        let zone = calendar::zones::get("Asia/Shanghai").unwrap();
        let times: Vec<Timestamp> = ["2026-11-29T16:30:00Z", "2026-11-29T16:59:59Z", "2026-11-29T15:59:00Z"]
            .map(|one| one.parse().unwrap())
            .into();
        let counts = counted(&times, &zone);
        // Monday just after midnight, and Sunday just before.
        assert_eq!((counts[0][0], counts[6][23]), (2, 1));
        assert_eq!(counts.iter().flatten().sum::<i64>(), 3);
    }
}
