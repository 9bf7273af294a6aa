//! `redress events tail` and `redress parked …`: the roads between services.

use std::time::Duration;

use clap::{Args, Subcommand};
use proto::redress::event::v1::{
    Event, ListParkedEventsRequest, RedriveParkedEventsRequest, SubscribeRequest,
};

use super::connection::{Caller, Connection, Page};
use crate::show::{self, lines, text};

/// Pause before a broken stream is taken up again.
const PAUSE: Duration = Duration::from_secs(1);

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
    /// Only events of these types, e.g. `redress.cases.v1.CaseOpened`
    #[arg(long = "type", value_name = "NAME")]
    types: Vec<String>,
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
        let mut cursor = self.from;
        while left > 0 {
            let request = SubscribeRequest {
                source: self.source.clone(),
                cursor,
                types: self.types.clone(),
                max_batch: 0,
            };
            match caller.feed(&self.source).subscribe(request).await {
                Ok(stream) => read(caller.json, stream.into_inner(), &mut cursor, &mut left).await?,
                Err(status) if status.code() == tonic::Code::Unavailable => {}
                Err(status) => return Err(status.into()),
            }
            if left > 0 {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }
}

type Stream = tonic::Streaming<proto::redress::event::v1::SubscribeResponse>;

async fn read(json: bool, mut stream: Stream, cursor: &mut i64, left: &mut u64) -> anyhow::Result<()> {
    while let Ok(Some(batch)) = stream.message().await {
        for event in &batch.events {
            show::piece(json, event, line)?;
            *left -= 1;
            if *left == 0 {
                return Ok(());
            }
        }
        *cursor = batch.cursor;
    }
    Ok(())
}

fn line(event: &Event) -> String {
    format!(
        "{:>8}  {}  {:<22}  {}  {}",
        event.position,
        lines::clock(event.occur_time.as_ref()),
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
        /// The consuming service, e.g. `cases`
        #[arg(long)]
        consumer: String,
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
            ParkedVerb::List { consumer, page } => {
                let mut inbox = caller.inbox(&consumer);
                let request =
                    ListParkedEventsRequest { consumer, page_size: page.limit, page_token: page.page };
                let answer = inbox.list_parked_events(request).await?.into_inner();
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
