//! A help desk's event log, replayed event by event as real lifecycles under a clock
//! that says what the log says. How long its tickets took, told by our timelines,
//! must be what the log itself tells.
//!
//! `make real` replays the log of 4 580 cases in the folder `REDRESS_DATA` names; a small
//! log of our own is replayed in any case.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use client::{Client, Token};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{
    AddNoteRequest, CaseState, CloseCaseRequest, GetCaseRequest, ReopenCaseRequest, TimelineEntry,
    TimelineKind,
};
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::{KpiQuery, QueryKpisRequest};
use proto::redress::intake::v1::{Channel, Complaint};
use testkit::{House, MockClock};
use tests::life::{People, seeing};
use tests::{SERVICES, books, client_of, real_data, roster};
use tonic::{Code, Status};

const LOG: &str = "eventlog_helpdesk_4580cases.csv.gz";
/// How many timelines are read at once.
const READERS: usize = 8;
const DAY_SECONDS: f64 = 86_400.0;

/// What a log tells of its cases: days from the first event to the first
/// resolution, and how many went on after it.
#[derive(Debug, PartialEq)]
struct Figures {
    resolved: usize,
    /// P25, P50, P75, P90 and P95.
    percentiles: [f64; 5],
    mean: f64,
    reopened: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_log_takes_as_long_in_our_timelines_as_it_says() {
    // Resolved after 1, 2, 3, 4 and 5 days; one never. 2 is resolved twice in one go;
    // 4 is taken up again before it is closed, 5 after.
    const SMALL: &str = "\
        case_id,activity,resource,group,timestamp\n\
        1,Assign seriousness,a,,2012-10-01T08:00:00.000+02:00\n\
        2,Assign seriousness,a,,2012-10-01T08:00:00.000+02:00\n\
        2,Take in charge ticket,a,,2012-10-01T09:00:00.000+02:00\n\
        3,Insert ticket,a,,2012-10-01T09:30:00.000+02:00\n\
        1,Resolve ticket,a,,2012-10-02T08:00:00.000+02:00\n\
        4,Assign seriousness,b,,2012-10-02T10:00:00.000+02:00\n\
        4,Take in charge ticket,b,,2012-10-02T10:00:00.000+02:00\n\
        5,Take in charge ticket,b,,2012-10-02T12:00:00.000+02:00\n\
        2,Resolve ticket,a,,2012-10-03T08:00:00.000+02:00\n\
        2,Resolve ticket,a,,2012-10-03T08:05:00.000+02:00\n\
        6,Assign seriousness,a,,2012-10-03T10:00:00.000+02:00\n\
        3,Wait,a,,2012-10-03T11:00:00.000+02:00\n\
        6,Wait,a,,2012-10-04T09:00:00.000+02:00\n\
        3,Resolve ticket,a,,2012-10-04T09:30:00.000+02:00\n\
        4,Resolve ticket,b,,2012-10-06T10:00:00.000+02:00\n\
        4,Take in charge ticket,a,,2012-10-06T12:00:00.000+02:00\n\
        4,Resolve ticket,a,,2012-10-06T18:00:00.000+02:00\n\
        5,Resolve ticket,b,,2012-10-07T12:00:00.000+02:00\n\
        5,Closed,b,,2012-10-08T12:00:00.000+02:00\n\
        5,Wait,b,,2012-10-09T12:00:00.000+02:00\n\
        2,Closed,a,,2012-10-27T08:00:00.000+02:00\n\
        4,Closed,a,,2012-10-27T09:00:00.000+02:00\n";
    let log = read(SMALL.as_bytes()).unwrap();
    let figures = replay(log).await.unwrap();
    let expected = Figures { resolved: 5, percentiles: [2.0, 3.0, 4.0, 4.6, 4.8], mean: 3.0, reopened: 2 };
    assert_eq!(figures, expected);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real files: `make real` runs it"]
async fn the_real_help_desk_log_takes_as_long_in_our_timelines_as_it_says() {
    let path = real_data(LOG).unwrap();
    let log = read(flate2::read::GzDecoder::new(File::open(path).unwrap())).unwrap();
    let figures = replay(log).await.unwrap();
    println!("replay: {figures:?}");
    let expected = Figures {
        resolved: 4_569,
        percentiles: [0.78, 5.98, 18.91, 29.87, 36.13],
        mean: 11.12,
        reopened: 154,
    };
    assert_eq!(figures, expected);
}

/// Something that was done to a ticket.
#[derive(Debug)]
struct Step {
    ticket: String,
    activity: String,
    time: Timestamp,
}

/// A log in the order of time.
fn read(log: impl Read) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for row in csv::Reader::from_reader(log).into_deserialize() {
        let row: HashMap<String, String> = row?;
        let cell = |name: &str| row.get(name).cloned().with_context(|| format!("no column {name}"));
        let time = cell("timestamp")?.parse().context("a time")?;
        steps.push(Step { ticket: cell("case_id")?, activity: cell("activity")?, time });
    }
    // Stable: what happened at the same time stays in the order of the log.
    steps.sort_by_key(|step| step.time);
    Ok(steps)
}

async fn replay(log: Vec<Step>) -> Result<Figures> {
    let clock = MockClock::at(log.first().context("a log has events")?.time);
    let house = House::builder(&SERVICES).clock(clock.clone()).open().await;
    let client = client_of(&house)?;
    roster::staff(&client, 4).await?;
    let mut desk = HelpDesk { people: People::new(&client), client, tickets: HashMap::new() };
    let mut day = log[0].time;
    for (number, step) in log.iter().enumerate() {
        clock.set(step.time);
        if step.time.duration_since(day).as_secs_f64() > DAY_SECONDS {
            // Timers look at the clock when they wake.
            house.advance(Duration::ZERO);
            day = step.time;
        }
        let done = desk.take(number, step).await;
        done.with_context(|| format!("row {number}: {step:?}"))?;
    }
    let figures = desk.figures().await?;
    house.settled().await;
    let told = desk.told(log.last().context("a log has events")?.time).await?;
    ensure!(told == figures, "the KPIs tell {told:?}, the timelines {figures:?}");
    house.done().await;
    Ok(figures)
}

/// A ticket as a case.
struct Ticket {
    case_id: String,
    cycle: i32,
    accepted: bool,
    resolved: bool,
    /// What to present to see it as it stands.
    seen: Option<Token>,
}

/// The people of the help desk.
struct HelpDesk {
    client: Client,
    people: People,
    tickets: HashMap<String, Ticket>,
}

impl HelpDesk {
    /// Does what a row of the log tells.
    async fn take(&mut self, number: usize, step: &Step) -> Result<()> {
        if !self.tickets.contains_key(&step.ticket) {
            self.register(step).await?;
        }
        let Self { client, people, tickets } = self;
        let ticket = tickets.get_mut(&step.ticket).context("it is registered")?;
        let at = At { client, people, name: format!("row-{number}"), activity: &step.activity };
        match (step.activity.as_str(), ticket.resolved) {
            ("Resolve ticket", false) => at.resolve(ticket).await,
            ("Closed", true) => at.close(ticket).await,
            ("Resolve ticket" | "Closed", _) => at.note(ticket).await,
            (_, true) => at.reopen(ticket).await,
            ("Take in charge ticket", false) if !ticket.accepted => at.accept(ticket).await,
            (_, false) => at.note(ticket).await,
        }
    }

    async fn register(&mut self, step: &Step) -> Result<()> {
        let complaint = Complaint {
            channel: Channel::Web.into(),
            external_ref: step.ticket.clone(),
            subject: format!("ticket {}", step.ticket),
            description: step.activity.clone(),
            language: "en".to_owned(),
            ..Complaint::default()
        };
        let (case_id, _) = self.people.submit(&step.ticket, complaint).await?;
        let mut ticket = Ticket { case_id, cycle: 1, accepted: false, resolved: false, seen: None };
        wait_assigned(&self.client, &self.people, &mut ticket).await?;
        self.tickets.insert(step.ticket.clone(), ticket);
        Ok(())
    }

    /// What the timelines tell.
    async fn figures(&self) -> Result<Figures> {
        let timelines = stream::iter(self.tickets.values())
            .map(|ticket| books::timeline(&self.client, &ticket.case_id))
            .buffer_unordered(READERS);
        let timelines: Vec<Vec<TimelineEntry>> = timelines.try_collect().await?;
        let mut days = timelines.iter().map(|one| days_to_resolve(one)).collect::<Result<Vec<_>>>()?;
        days.retain(Option::is_some);
        let mut days: Vec<f64> = days.into_iter().flatten().collect();
        days.sort_by(f64::total_cmp);
        let reopened = timelines.iter().filter(|one| first(one, TimelineKind::Reopened).is_some());
        Ok(Figures {
            resolved: days.len(),
            percentiles: [0.25, 0.5, 0.75, 0.9, 0.95].map(|part| rounded(percentile(&days, part))),
            mean: rounded(mean(&days)),
            reopened: reopened.count(),
        })
    }
}

impl HelpDesk {
    /// What the KPIs tell of the years until a time: of as many tickets as were resolved, how
    /// long that took, and how many of them it was not over with.
    async fn told(&self, until: Timestamp) -> Result<Figures> {
        let day = |back: i64| {
            let days = SignedDuration::from_hours(24 * back);
            (until - days).to_zoned(TimeZone::UTC).date().to_string()
        };
        let query = |kpi: &str| KpiQuery {
            name: kpi.to_owned(),
            kpi: kpi.to_owned(),
            start_date: day(1_800),
            end_date: day(-2),
            percentiles: if kpi == "response_time" { vec![0.25, 0.5, 0.75, 0.9, 0.95] } else { Vec::new() },
            ..KpiQuery::default()
        };
        let queries = vec![query("response_time"), query("first_time_resolution")];
        let mut kpis = KpiServiceClient::new(self.client.calls());
        let answers = kpis.query_kpis(QueryKpisRequest { queries }).await?.into_inner().answers;
        let mut figures = answers.into_iter().filter_map(|answer| answer.rows.into_iter().next()?.figure);
        let (response, first) =
            (figures.next().context("a response time")?, figures.next().context("a share")?);
        let days = |seconds: f64| rounded(seconds / DAY_SECONDS);
        let percentiles: Vec<f64> = response.percentiles.iter().map(|one| days(one.value)).collect();
        Ok(Figures {
            resolved: usize::try_from(response.denominator)?,
            percentiles: percentiles.try_into().map_err(|_| anyhow!("five percentiles"))?,
            mean: days(response.value.context("a mean")?),
            reopened: usize::try_from(first.denominator - first.numerator)?,
        })
    }
}

/// Waits, while the clock stands still, until a case has its handler.
async fn wait_assigned(client: &Client, people: &People, ticket: &mut Ticket) -> Result<()> {
    ticket.seen = people.assigned(&ticket.case_id, ticket.cycle).await?.1;
    let request = seeing(ticket.seen.clone(), GetCaseRequest { case_id: ticket.case_id.clone() });
    let case = CaseServiceClient::new(client.calls()).get_case(request).await?.into_inner().case;
    ensure!(case.is_some_and(|case| case.state() == CaseState::Assigned), "it is assigned");
    Ok(())
}

/// A row of the log, about to be acted out.
struct At<'a> {
    client: &'a Client,
    people: &'a People,
    name: String,
    activity: &'a str,
}

impl At<'_> {
    async fn accept(&self, ticket: &mut Ticket) -> Result<()> {
        ticket.seen = self.people.accept(&self.name, &ticket.case_id, ticket.cycle).await?;
        ticket.accepted = true;
        Ok(())
    }

    async fn resolve(&self, ticket: &mut Ticket) -> Result<()> {
        let Ticket { case_id, cycle, seen, .. } = ticket;
        self.people.decide(&self.name, case_id, *cycle, false, seen.take()).await?;
        ticket.resolved = true;
        Ok(())
    }

    async fn reopen(&self, ticket: &mut Ticket) -> Result<()> {
        let request = ReopenCaseRequest {
            request_id: self.name.clone(),
            case_id: ticket.case_id.clone(),
            expected_version: None,
            reason: self.activity.to_owned(),
        };
        self.cases().reopen_case(request).await?;
        (ticket.cycle, ticket.accepted, ticket.resolved) = (ticket.cycle + 1, false, false);
        wait_assigned(self.client, self.people, ticket).await
    }

    /// Closes it, unless the complainant's time to answer has passed and it is closed.
    async fn close(&self, ticket: &Ticket) -> Result<()> {
        let request = CloseCaseRequest {
            request_id: self.name.clone(),
            case_id: ticket.case_id.clone(),
            expected_version: None,
            reason: self.activity.to_owned(),
        };
        match self.cases().close_case(request).await {
            Err(status) if is_over(&status) => Ok(()),
            closed => Ok(closed.map(drop)?),
        }
    }

    async fn note(&self, ticket: &Ticket) -> Result<()> {
        let request = AddNoteRequest {
            request_id: self.name.clone(),
            case_id: ticket.case_id.clone(),
            text: self.activity.to_owned(),
            visibility: 0,
        };
        self.cases().add_note(request).await?;
        Ok(())
    }

    fn cases(&self) -> CaseServiceClient<client::Calls> {
        CaseServiceClient::new(self.client.calls())
    }
}

fn is_over(status: &Status) -> bool {
    status.code() == Code::FailedPrecondition && testkit::reason(status) == "INVALID_CASE_STATE"
}

fn first(timeline: &[TimelineEntry], kind: TimelineKind) -> Option<&TimelineEntry> {
    timeline.iter().find(|entry| entry.kind() == kind)
}

/// From the first entry of a timeline to the first resolution.
fn days_to_resolve(timeline: &[TimelineEntry]) -> Result<Option<f64>> {
    let Some(resolved) = first(timeline, TimelineKind::Resolved) else { return Ok(None) };
    let opened = timeline.first().context("a timeline begins")?;
    let seconds = time_of(resolved)?.duration_since(time_of(opened)?).as_secs_f64();
    Ok(Some(seconds / DAY_SECONDS))
}

fn time_of(entry: &TimelineEntry) -> Result<Timestamp> {
    let time = entry.time.context("an entry has a time")?;
    Ok(Timestamp::new(time.seconds, time.nanos)?)
}

#[expect(clippy::cast_precision_loss, reason = "a log is short")]
fn mean(days: &[f64]) -> f64 {
    days.iter().sum::<f64>() / days.len() as f64
}

/// By linear interpolation between the two nearest of a sorted list.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a place in a short list"
)]
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * part;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

fn rounded(days: f64) -> f64 {
    (days * 100.0).round() / 100.0
}
