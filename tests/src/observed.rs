//! What happens to cases, heard from the event feeds as an integrating system
//! hears it: a subscription that breaks is taken up again where it broke off.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::{Client, Token};
use prost::{Message, Name};
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::event::v1::{Event, SubscribeRequest};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::Status;

use crate::SERVICES;

/// How long an event may be on its way, services killed and started included: what a
/// process that was killed was bringing to a department is brought by another a minute
/// later, and that can happen again.
const PATIENCE: Duration = Duration::from_mins(4);
/// How soon a broken subscription is taken up again.
const AGAIN: Duration = Duration::from_millis(50);
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// Everything told since the beginning. Copies share one set of subscriptions,
/// which end with the last of them.
#[derive(Clone)]
pub struct ObservedEvents {
    heard: Arc<Log>,
    _subscriptions: Arc<JoinSet<()>>,
}

#[derive(Default)]
struct Log {
    by_case: Mutex<HashMap<String, Vec<Event>>>,
    /// How many events there are, for those who wait.
    count: watch::Sender<u64>,
}

impl ObservedEvents {
    /// Follows the feeds of all services.
    pub fn follow(client: &Client) -> Self {
        let heard = Arc::<Log>::default();
        let mut subscriptions = JoinSet::new();
        for service in SERVICES {
            subscriptions.spawn(follow(client.clone(), service.name, heard.clone()));
        }
        Self { heard, _subscriptions: Arc::new(subscriptions) }
    }

    /// Waits for the first event of a type that was told of a case and is the one
    /// wanted; answers its payload, and what to present to see its effects.
    pub async fn of<M: Message + Name + Default>(
        &self,
        case_id: &str,
        wanted: impl Fn(&M) -> bool,
    ) -> Result<(M, Option<Token>)> {
        let mut count = self.heard.count.subscribe();
        let hear = async {
            loop {
                if let Some(found) = self.first(case_id, &wanted)? {
                    return anyhow::Ok(found);
                }
                count.changed().await?;
            }
        };
        let heard = tokio::time::timeout(PATIENCE, hear).await;
        let Ok(heard) = heard else {
            bail!("{} is not told of case {case_id}; told was {:?}", M::full_name(), self.types(case_id));
        };
        heard
    }

    fn types(&self, case_id: &str) -> Vec<String> {
        let name = |event: Event| event.payload.map(|payload| payload.type_url).unwrap_or_default();
        self.all(case_id).into_iter().map(name).collect()
    }

    /// Everything heard of a case so far; the events of one source are in order.
    pub fn all(&self, case_id: &str) -> Vec<Event> {
        let by_case = self.heard.by_case.lock().unwrap_or_else(PoisonError::into_inner);
        by_case.get(case_id).cloned().unwrap_or_default()
    }

    fn first<M: Message + Name + Default>(
        &self,
        case_id: &str,
        wanted: impl Fn(&M) -> bool,
    ) -> Result<Option<(M, Option<Token>)>> {
        let by_case = self.heard.by_case.lock().unwrap_or_else(PoisonError::into_inner);
        for event in by_case.get(case_id).into_iter().flatten() {
            if let Some(payload) = read::<M>(event)?
                && wanted(&payload)
            {
                return Ok(Some((payload, Token::after(event))));
            }
        }
        Ok(None)
    }
}

/// The payload of an event, if it is of this type.
pub fn read<M: Message + Name + Default>(event: &Event) -> Result<Option<M>> {
    let payload = event.payload.as_ref().context("an event has a payload")?;
    if payload.type_url.rsplit('/').next() != Some(M::full_name().as_str()) {
        return Ok(None);
    }
    Ok(Some(M::decode(payload.value.as_slice())?))
}

async fn follow(client: Client, source: &'static str, heard: Arc<Log>) {
    let mut cursor = 0;
    loop {
        // Broken off, or not there yet: the cursor knows where to go on.
        let _ = read_on(&client, source, &mut cursor, &heard).await;
        tokio::time::sleep(AGAIN).await;
    }
}

async fn read_on(client: &Client, source: &'static str, cursor: &mut i64, heard: &Log) -> Result<(), Status> {
    let request =
        SubscribeRequest { source: source.to_owned(), cursor: *cursor, ..SubscribeRequest::default() };
    let feed = EventFeedClient::new(client.calls_at(source));
    let mut stream = feed.max_decoding_message_size(MAX_MESSAGE_BYTES).subscribe(request).await?.into_inner();
    while let Some(batch) = stream.message().await? {
        for event in batch.events {
            assert!(event.position > *cursor, "the feed of {source} goes back to {}", event.position);
            *cursor = event.position;
            heard.hear(event);
        }
        *cursor = batch.cursor.max(*cursor);
    }
    Ok(())
}

impl Log {
    fn hear(&self, event: Event) {
        let mut by_case = self.by_case.lock().unwrap_or_else(PoisonError::into_inner);
        by_case.entry(event.subject.clone()).or_default().push(event);
        drop(by_case);
        self.count.send_modify(|count| *count += 1);
    }
}
