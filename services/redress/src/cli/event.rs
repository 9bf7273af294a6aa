//! `redress events tail` and `redress parked …`: the feeds between services.

use std::time::Duration;

use clap::{Args, Subcommand};
use proto::redress::event::v1::{
    Event, Lane, ListParkedEventsRequest, ListParkedEventsResponse, RedriveParkedEventsRequest,
    SubscribeRequest,
};
use show::{lines, text, words};

use super::connection::{Caller, Connection, Page, passing};

/// Pause before a broken stream is taken up again.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// The services that apply others' events.
const CONSUMERS: [&str; 4] = ["cases", "assignment", "resolution", "feedback"];

#[derive(Args)]
pub(crate) struct Events {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: EventVerb,
}

#[derive(Subcommand)]
enum EventVerb {
    /// Reads a service's events in order, those to come included
    Tail(Tail),
}

#[derive(Args)]
struct Tail {
    /// The service that tells them: intake, cases, assignment, resolution, feedback
    #[arg(long)]
    source: String,
    /// Position of the last event already read; 0 reads from the beginning
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    from: i64,
    /// The feed's epoch that the position is of, as `--json` shows it: a database restored
    /// to an earlier moment is noticed
    #[arg(long, value_name = "EPOCH", default_value = "")]
    epoch: String,
    /// Only events of these types, e.g. `redress.cases.v1.CaseOpened`
    #[arg(long = "type", value_name = "NAME")]
    types: Vec<String>,
    /// Only events of this lane: live, bulk
    #[arg(long, value_parser = words::read::<Lane>)]
    lane: Option<Lane>,
    /// Only events of this tenant
    #[arg(long, value_name = "TENANT", default_value = "")]
    tenant: String,
    /// Stops after so many events
    #[arg(long)]
    count: Option<u64>,
}

impl Events {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let EventVerb::Tail(tail) = self.verb;
        tail.run(&caller).await
    }
}

impl Tail {
    /// Reads on where it was when the stream breaks: a restart of the server is no
    /// end.
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let mut left = self.count.unwrap_or(u64::MAX);
        let mut place = Place { cursor: self.from, epoch: self.epoch.clone() };
        while left > 0 {
            let request = SubscribeRequest {
                source: self.source.clone(),
                cursor: place.cursor,
                epoch: place.epoch.clone(),
                types: self.types.clone(),
                lane: self.lane.unwrap_or_default().into(),
                tenant_id: self.tenant.clone(),
                ..SubscribeRequest::default()
            };
            match caller.feed(&self.source).subscribe(request).await {
                Ok(stream) => read(caller.json, stream.into_inner(), &mut place, &mut left).await?,
                Err(status) => passing(status)?,
            }
            if left > 0 {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }
}

type Stream = tonic::Streaming<proto::redress::event::v1::SubscribeResponse>;

/// Where a feed has been read to.
struct Place {
    cursor: i64,
    epoch: String,
}

async fn read(json: bool, mut stream: Stream, place: &mut Place, left: &mut u64) -> anyhow::Result<()> {
    loop {
        let batch = match stream.message().await {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(()),
            Err(status) => return passing(status),
        };
        for event in &batch.events {
            show::piece(json, event, line)?;
            *left -= 1;
            if *left == 0 {
                return Ok(());
            }
        }
        *place = Place { cursor: batch.cursor, epoch: batch.epoch };
    }
}

fn line(event: &Event) -> String {
    format!(
        "{:>8}  {}  {:<22}  {}  {}",
        event.position,
        lines::time(event.occur_time.as_ref()),
        show::payload_name(event),
        event.subject,
        client::trace::trace_id(&event.traceparent),
    )
    .trim_end()
    .to_owned()
}

#[derive(Args)]
pub(crate) struct Parked {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: ParkedVerb,
}

#[derive(Subcommand)]
enum ParkedVerb {
    /// Lists the events a service could not apply, oldest first
    List {
        /// The consuming service, e.g. `cases`; all of them by default
        #[arg(long)]
        consumer: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Applies a subject's parked events again, in order
    Redrive {
        /// The consuming service, e.g. `cases`
        #[arg(long)]
        consumer: String,
        /// The case
        subject: String,
    },
}

impl Parked {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        match self.verb {
            ParkedVerb::List { consumer: Some(consumer), page } => {
                let answer = list(&caller, &consumer, page.limit, page.page).await?;
                show::answer(caller.json, &answer, text::parked)
            }
            ParkedVerb::List { consumer: None, page } => {
                anyhow::ensure!(page.page.is_empty(), "--page goes on with one list: name its --consumer");
                let answer = list_all(&caller, page.limit).await?;
                show::answer(caller.json, &answer, text::parked)
            }
            ParkedVerb::Redrive { consumer, subject } => {
                let mut inbox = caller.inbox(&consumer);
                let request = RedriveParkedEventsRequest { consumer, subject };
                let answer = inbox.redrive_parked_events(request).await?.into_inner();
                show::answer(caller.json, &answer, |answer| {
                    format!("{} applied, {} remain", answer.applied, answer.remaining)
                })
            }
        }
    }
}

async fn list(
    caller: &Caller,
    consumer: &str,
    page_size: i32,
    page_token: String,
) -> Result<ListParkedEventsResponse, tonic::Status> {
    let request = ListParkedEventsRequest { consumer: consumer.to_owned(), page_size, page_token };
    Ok(caller.inbox(consumer).list_parked_events(request).await?.into_inner())
}

/// The first page of each consumer that the server has.
async fn list_all(caller: &Caller, limit: i32) -> anyhow::Result<ListParkedEventsResponse> {
    let mut all = ListParkedEventsResponse::default();
    for consumer in CONSUMERS {
        match list(caller, consumer, limit, String::new()).await {
            Ok(page) => {
                all.parked_events.extend(page.parked_events);
                if !page.next_page_token.is_empty() {
                    eprintln!("there are more of {consumer}: name it with --consumer");
                }
            }
            // A server that hosts some services only.
            Err(status) if status.code() == tonic::Code::NotFound => {}
            Err(status) => return Err(status.into()),
        }
    }
    Ok(all)
}
