//! What happened to each case, read from the event feeds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use client::{Client, Token};
use prost::{Message, Name};
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::event::v1::{Event, SubscribeRequest};
use tokio::sync::Notify;

/// Longest that anything may be waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// Pause before a broken stream is taken up again.
const PAUSE: Duration = Duration::from_millis(200);

/// What happened to each case.
#[derive(Default)]
pub(super) struct Board(Mutex<HashMap<String, Arc<Slot>>>);

#[derive(Default)]
struct Slot {
    events: Mutex<Vec<Event>>,
    changed: Notify,
}

impl Board {
    fn slot(&self, case: &str) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(case.to_owned()).or_default().clone()
    }

    /// Notes a service's events without end, and shows each to somebody.
    pub(super) async fn follow(self: Arc<Self>, client: Client, source: &'static str, see: impl Fn(&Event)) {
        let mut cursor = 0;
        loop {
            let request = SubscribeRequest { source: source.to_owned(), cursor, ..Default::default() };
            if let Ok(stream) = EventFeedClient::new(client.calls_at(source)).subscribe(request).await {
                let mut stream = stream.into_inner();
                while let Ok(Some(batch)) = stream.message().await {
                    cursor = batch.cursor;
                    for event in batch.events {
                        see(&event);
                        let slot = self.slot(&event.subject);
                        slot.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                        slot.changed.notify_waiters();
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits for something to have happened to a case; with it the token that makes
    /// later reads see it.
    pub(super) async fn wait<M: Message + Name + Default>(
        &self,
        case: &str,
        wanted: impl Fn(&M) -> bool,
    ) -> anyhow::Result<(M, Token)> {
        let slot = self.slot(case);
        let find = async {
            loop {
                let changed = slot.changed.notified();
                tokio::pin!(changed);
                // Heard from here on, so that nothing falls between look and wait.
                changed.as_mut().enable();
                if let Some(found) = slot.find(&wanted) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, find).await.with_context(|| format!("{} did not come", M::NAME))
    }
}

impl Slot {
    fn find<M: Message + Name + Default>(&self, wanted: &impl Fn(&M) -> bool) -> Option<(M, Token)> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().find_map(|event| {
            let message = read::<M>(event).filter(wanted)?;
            Some((message, Token::after(event)?))
        })
    }
}

/// What an event carries, if it is this.
pub(super) fn read<M: Message + Name + Default>(event: &Event) -> Option<M> {
    event.payload.as_ref().and_then(|payload| payload.to_msg().ok())
}
