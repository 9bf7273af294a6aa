//! The board of figures: what came in, how long it took, what is open; each chart with its table,
//! each number with its cases.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use charts::{Bar, BarRow, Chart};
use kernel::Role;
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::{
    KpiAnswer, KpiComparison, KpiDimension, KpiFigure, KpiPeriod, KpiQuery, KpiRow, KpiTime, KpiUnit,
    QueryKpisRequest,
};
use proto::redress::intake::v1::Channel;

use super::ask::{Ask, Counted, FiguresQuery, of_value};
use super::{funnel, sees, tabs, told};
use crate::boards::cases::path;
use crate::boards::{Tab, freshness};
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::session::Visitor;
use crate::words::Words;

/// The figures that stand large, in their order.
const HEADLINES: [&str; 12] = [
    "received",
    "closed",
    "backlog",
    "response_time",
    "on_time_rate",
    "kept_promise_rate",
    "first_time_resolution",
    "satisfaction",
    "reopen_rate",
    "escalation_rate",
    "upheld_rate",
    "redress_paid",
];
/// What counts are told apart by, and what the question is called.
const GROUPS: [(KpiDimension, &str); 3] = [
    (KpiDimension::Channel, "by-channel"),
    (KpiDimension::Category, "by-category"),
    (KpiDimension::Region, "by-region"),
];
/// Most rows of a chart; the table has more.
const BARS: usize = 12;
/// Most rows of a table.
const ROWS: usize = 60;

/// A figure that stands large.
struct Card {
    name: &'static str,
    value: String,
    before: String,
    path: Option<String>,
}

/// A cell of a table.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) path: Option<String>,
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), path: None }
    }

    pub(super) fn to(text: impl Into<String>, path: Option<String>) -> Self {
        Self { text: text.into(), path }
    }
}

/// A chart with its table.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) lead: String,
    /// The chart with its legend, as HTML: `charts` escapes what is in it. Empty for none.
    pub(super) chart: String,
    pub(super) columns: Vec<String>,
    /// The first cell of a row says what it is of.
    pub(super) rows: Vec<Vec<Cell>>,
    /// Whether something is not told, being of too few.
    pub(super) hides: bool,
    /// Whether the table is shown only when it is asked for, being long.
    pub(super) is_long: bool,
}

impl Section {
    /// Draws its chart.
    pub(super) fn drawn(mut self, chart: &Chart) -> Self {
        let drawn = charts::chart(chart, self.id, &self.title, &self.lead);
        self.chart = drawn + &charts::legend(chart);
        self
    }
}

#[derive(Template)]
#[template(path = "figures/board.html")]
struct Page {
    f: Frame,
    tabs: Vec<Tab>,
    ask: Ask,
    channels: Vec<(String, &'static str)>,
    cards: Vec<Card>,
    compared: &'static str,
    sections: Vec<Section>,
    fresh: Vec<(String, bool)>,
    hides: bool,
}

/// Shows the board.
pub(super) async fn board(visitor: Visitor, Query(asked): Query<FiguresQuery>) -> Result<Response, Problem> {
    sees(&visitor, Role::Reader)?;
    let client = visitor.client()?;
    let ask = Ask::of(&visitor, &asked).await?;
    let mut service = KpiServiceClient::new(client.calls());
    let (answer, funnel) = tokio::join!(
        service.query_kpis(QueryKpisRequest { queries: queries(&ask) }),
        funnel::section(&client, &visitor, &ask),
    );
    let answer = answer?.into_inner();
    let told = Told { answers: &answer.answers, ask: &ask, visitor: &visitor, t: visitor.words };
    let mut sections = vec![told.trend()];
    sections.extend(funnel?);
    sections.push(told.ages());
    sections.push(told.on_time());
    sections.extend(GROUPS.map(|(dimension, name)| told.group(dimension, name)));
    let t = visitor.words;
    let hides = answer.answers.iter().take(HEADLINES.len()).any(|answer| told::hides(&answer.rows));
    let channels = (1..=10).filter_map(|number| Channel::try_from(number).ok());
    let channels = channels.map(|channel| (channel_key(channel), t.channel(i32::from(channel))));
    let compared = match ask.comparison() {
        KpiComparison::Year => t.compared_year(),
        _ => t.compared_month(),
    };
    Ok(html(&Page {
        f: Frame::new(&visitor, t.figures_title(), "figures"),
        tabs: tabs(&visitor, "/figures"),
        channels: channels.collect(),
        cards: told.cards(),
        compared,
        sections,
        fresh: freshness(answer.state.as_ref(), &visitor),
        hides,
        ask,
    }))
}

/// All that is asked, of one moment.
fn queries(ask: &Ask) -> Vec<KpiQuery> {
    let mut all = Vec::new();
    for kpi in HEADLINES {
        let query = ask.query(kpi);
        all.push(match kpi {
            "backlog" => KpiQuery { start_date: String::new(), end_date: String::new(), ..query },
            _ => KpiQuery { comparison: ask.comparison().into(), ..query },
        });
    }
    for kpi in ["received", "closed"] {
        let name = format!("{kpi}-trend");
        all.push(KpiQuery { name, period: ask.period().into(), ..ask.query(kpi) });
    }
    for (dimension, name) in GROUPS {
        all.push(KpiQuery { name: name.to_owned(), dimension: dimension.into(), ..ask.query("received") });
    }
    let name = "on-time-by-department".to_owned();
    all.push(KpiQuery { name, dimension: KpiDimension::Department.into(), ..ask.query("on_time_rate") });
    all
}

/// A channel as figures name it.
fn channel_key(channel: Channel) -> String {
    channel.as_str_name().trim_start_matches("CHANNEL_").to_ascii_lowercase()
}

/// The channel of a name of figures.
fn channel_of(name: &str) -> Option<Channel> {
    Channel::from_str_name(&format!("CHANNEL_{}", name.to_ascii_uppercase()))
}

/// What a KPI is called.
pub(super) fn kpi_name(kpi: &str, t: Words) -> &'static str {
    match kpi {
        "received" => t.kpi_received(),
        "closed" => t.kpi_closed(),
        "backlog" => t.kpi_backlog(),
        "response_time" => t.kpi_response_time(),
        "on_time_rate" => t.kpi_on_time(),
        "kept_promise_rate" => t.kpi_kept(),
        "first_time_resolution" => t.kpi_first_time(),
        "satisfaction" => t.kpi_satisfaction(),
        "reopen_rate" => t.kpi_reopened(),
        "escalation_rate" => t.kpi_escalated(),
        "upheld_rate" => t.kpi_upheld(),
        _ => t.kpi_paid(),
    }
}

/// The answers, put together.
struct Told<'a> {
    answers: &'a [KpiAnswer],
    ask: &'a Ask,
    visitor: &'a Visitor,
    t: Words,
}

#[expect(clippy::cast_precision_loss, reason = "drawn some hundred units wide")]
fn size(count: i64) -> f64 {
    count as f64
}

impl Told<'_> {
    fn answer(&self, name: &str) -> Option<&KpiAnswer> {
        self.answers.iter().find(|answer| answer.name == name)
    }

    fn rows(&self, name: &str) -> &[KpiRow] {
        self.answer(name).map_or(&[], |answer| answer.rows.as_slice())
    }

    /// Where the cases of a figure are; nowhere where there is nothing to tell, or it is of so
    /// few that it is not told.
    fn told_to(&self, figure: Option<&KpiFigure>, filter: Option<String>) -> Option<String> {
        self.to(filter.filter(|_| figure.is_some_and(|figure| !figure.suppressed)))
    }

    /// Where the cases are that a filter means; nowhere where it cannot say it.
    fn to(&self, filter: Option<String>) -> Option<String> {
        filter.map(|filter| path(self.visitor, &filter))
    }

    fn cards(&self) -> Vec<Card> {
        let card = |kpi: &&'static str| {
            let answer = self.answer(kpi);
            let (unit, time) = answer
                .map_or((KpiUnit::Count, KpiTime::Unspecified), |answer| (answer.unit(), answer.time()));
            let rows = self.rows(kpi);
            let (value, before) = if *kpi == "backlog" {
                let open: i64 =
                    rows.iter().filter_map(|row| row.figure.as_ref()).map(|one| one.denominator).sum();
                let hidden = told::hides(rows);
                (if hidden { told::SUPPRESSED.to_owned() } else { told::grouped(open) }, String::new())
            } else {
                let row = rows.first();
                let told = |figure| told::figure(figure, unit, time, self.t);
                (
                    told(row.and_then(|row| row.figure.as_ref())),
                    told(row.and_then(|row| row.previous.as_ref())),
                )
            };
            let filter = match *kpi {
                "received" => self.ask.filter(Counted::Received),
                "closed" | "on_time_rate" | "kept_promise_rate" => self.ask.filter(Counted::Closed),
                "backlog" => self.ask.open_filter(self.visitor.app.clock.now(), "0+"),
                _ => None,
            };
            let is_told = ![told::NOTHING, told::SUPPRESSED].contains(&value.as_str());
            Card { name: kpi_name(kpi, self.t), value, before, path: self.to(filter.filter(|_| is_told)) }
        };
        HEADLINES.iter().map(card).collect()
    }

    fn trend(&self) -> Section {
        let (t, of) = (self.t, |name: &str| self.rows(name));
        let (received, closed) = (of("received-trend"), of("closed-trend"));
        let count = |rows: &[KpiRow], period: &str| {
            let row = rows.iter().find(|row| row.period == period)?;
            row.figure.clone()
        };
        let labels: Vec<String> = received.iter().map(|row| row.period.clone()).collect();
        let values = |rows: &[KpiRow]| {
            let value = |period: &String| {
                count(rows, period).filter(|figure| !figure.suppressed).map(|figure| size(figure.denominator))
            };
            labels.iter().map(value).collect::<Vec<_>>()
        };
        let chart = Chart::Lines {
            series: vec![
                (t.kpi_received().to_owned(), values(received)),
                (t.kpi_closed().to_owned(), values(closed)),
            ],
            labels: labels.clone(),
        };
        let is_daily = self.ask.period() == KpiPeriod::Day;
        let day = |period: &str, counted: Counted| {
            let day = period.parse().ok().filter(|_| is_daily)?;
            Ask { from: day, to: day, ..self.ask.clone() }.filter(counted)
        };
        let told = |figure: Option<&KpiFigure>| told::figure(figure, KpiUnit::Count, KpiTime::Unspecified, t);
        let row = |period: &String| {
            let cell = |rows: &[KpiRow], counted: Counted| {
                let figure = count(rows, period);
                Cell::to(told(figure.as_ref()), self.told_to(figure.as_ref(), day(period, counted)))
            };
            vec![Cell::text(period), cell(received, Counted::Received), cell(closed, Counted::Closed)]
        };
        Section {
            id: "trend",
            title: t.section_trend().to_owned(),
            lead: t.section_trend_lead().to_owned(),
            chart: String::new(),
            columns: vec![t.column_day().to_owned(), t.kpi_received().to_owned(), t.kpi_closed().to_owned()],
            rows: labels.iter().rev().map(row).collect(),
            hides: told::hides(received) || told::hides(closed),
            is_long: true,
        }
        .drawn(&chart)
    }

    fn ages(&self) -> Section {
        let t = self.t;
        let (mut rows, mut bars) = (Vec::new(), Vec::new());
        let now = self.visitor.app.clock.now();
        for row in self.rows("backlog") {
            let figure = row.figure.clone().unwrap_or_default();
            let label = t.days(row.period.replace('-', "–"));
            let to = self.told_to(Some(&figure), self.ask.open_filter(now, &row.period));
            let open = told::figure(Some(&figure), KpiUnit::Count, KpiTime::Unspecified, t);
            let late =
                if figure.suppressed { told::SUPPRESSED.to_owned() } else { told::grouped(figure.numerator) };
            rows.push(vec![Cell::text(&label), Cell::to(&open, to), Cell::text(late)]);
            let (open_count, late) = (size(figure.denominator), size(figure.numerator));
            let bars_of_row = if figure.suppressed {
                Vec::new()
            } else {
                vec![
                    Bar { size: late, from: 0.0, interval: None, series: 1 },
                    Bar { size: open_count - late, from: late, interval: None, series: 0 },
                ]
            };
            bars.push(BarRow { label, value: open, bars: bars_of_row });
        }
        let series = vec![t.open_in_time().to_owned(), t.overdue().to_owned()];
        Section {
            id: "ages",
            title: t.section_ages().to_owned(),
            lead: t.section_ages_lead().to_owned(),
            chart: String::new(),
            columns: vec![t.column_age().to_owned(), t.kpi_backlog().to_owned(), t.overdue().to_owned()],
            rows,
            hides: told::hides(self.rows("backlog")),
            is_long: false,
        }
        .drawn(&Chart::Bars { series, rows: bars, whole: None, stacked: true })
    }

    fn on_time(&self) -> Section {
        let t = self.t;
        let told = self.rows("on-time-by-department");
        let (mut rows, mut bars) = (Vec::new(), Vec::new());
        for row in told.iter().take(ROWS) {
            let Some(figure) = &row.figure else { continue };
            let label = if row.value.is_empty() { t.no_department().to_owned() } else { row.value.clone() };
            let value = told::figure(Some(figure), KpiUnit::Share, KpiTime::Unspecified, t);
            let interval = told::interval(figure);
            let range =
                interval.map(|(lower, upper)| format!("{}–{}", told::share(lower), told::share(upper)));
            let closed = if figure.suppressed {
                told::SUPPRESSED.to_owned()
            } else {
                told::grouped(figure.denominator)
            };
            let filter = self.ask.filter(Counted::Closed).and_then(|filter| {
                Some(format!("{filter} AND {}", of_value(KpiDimension::Department, &row.value)?))
            });
            rows.push(vec![
                Cell::text(&label),
                Cell::text(&value),
                Cell::text(range.unwrap_or_else(|| told::NOTHING.to_owned())),
                Cell::to(closed, self.told_to(Some(figure), filter)),
            ]);
            if bars.len() < BARS {
                let bar = told::value(figure, KpiUnit::Share).map(|size| Bar {
                    size,
                    from: 0.0,
                    interval,
                    series: 0,
                });
                bars.push(BarRow { label, value, bars: bar.into_iter().collect() });
            }
        }
        Section {
            id: "on-time",
            title: t.section_on_time().to_owned(),
            lead: t.section_on_time_lead().to_owned(),
            chart: String::new(),
            columns: vec![
                t.department().to_owned(),
                t.kpi_on_time().to_owned(),
                t.column_interval().to_owned(),
                t.kpi_closed().to_owned(),
            ],
            rows,
            hides: told::hides(told),
            is_long: false,
        }
        .drawn(&Chart::Bars { series: Vec::new(), rows: bars, whole: Some(1.0), stacked: false })
    }

    fn group(&self, dimension: KpiDimension, name: &str) -> Section {
        let t = self.t;
        let (id, title, column) = match dimension {
            KpiDimension::Channel => ("channels", t.section_channels(), t.channel_word()),
            KpiDimension::Category => ("categories", t.section_categories(), t.category()),
            _ => ("regions", t.section_regions(), t.column_region()),
        };
        let all = self.rows(name);
        let mut told: Vec<&KpiRow> = all.iter().collect();
        let count = |row: &KpiRow| row.figure.as_ref().map_or(0, |figure| figure.denominator);
        told.sort_by_key(|row| std::cmp::Reverse(count(row)));
        let (mut rows, mut bars) = (Vec::new(), Vec::new());
        for row in told.into_iter().take(ROWS) {
            let Some(figure) = &row.figure else { continue };
            let label = match (dimension, row.value.as_str()) {
                (_, "") => t.unknown().to_owned(),
                (KpiDimension::Channel, value) => channel_of(value)
                    .map_or_else(|| value.to_owned(), |channel| t.channel(i32::from(channel)).to_owned()),
                (_, value) => value.to_owned(),
            };
            let value = told::figure(Some(figure), KpiUnit::Count, KpiTime::Unspecified, t);
            let filter = self
                .ask
                .filter(Counted::Received)
                .and_then(|filter| Some(format!("{filter} AND {}", of_value(dimension, &row.value)?)));
            let narrower = (!row.value.is_empty())
                .then(|| self.ask.path(self.visitor, "/figures", dimension, &row.value));
            rows.push(vec![Cell::to(&label, narrower), Cell::to(&value, self.told_to(Some(figure), filter))]);
            if bars.len() < BARS {
                let bar = told::value(figure, KpiUnit::Count).map(|size| Bar {
                    size,
                    from: 0.0,
                    interval: None,
                    series: 0,
                });
                bars.push(BarRow { label, value, bars: bar.into_iter().collect() });
            }
        }
        Section {
            id,
            title: title.to_owned(),
            lead: t.section_groups_lead().to_owned(),
            chart: String::new(),
            columns: vec![column.to_owned(), t.kpi_received().to_owned()],
            rows,
            hides: told::hides(all),
            is_long: false,
        }
        .drawn(&Chart::Bars { series: Vec::new(), rows: bars, whole: None, stacked: false })
    }
}
