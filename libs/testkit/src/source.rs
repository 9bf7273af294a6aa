//! A service that is not there: its feed, told by the test.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use events::{Batch, MAX_BATCH, Source, Subscription};
use fault::Fault;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use jiff::Timestamp;
use kernel::{Ids as _, Lane, RandomIds, TenantId};
use prost::Name;
use prost_types::Any;
use proto::redress::event::v1::Event;
use tokio::sync::watch;
use uuid::Uuid;

/// A reader hears at least this often, so that it soon stores a cursor that moved
/// over events it does not follow.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// Positions between two events: a feed is not dense.
const STEP: i64 = 3;

/// The feed of a service that is not hosted. Copies are the same feed.
#[derive(Clone)]
pub struct FakeSource(Arc<Inner>);

struct Inner {
    name: &'static str,
    told: Mutex<Vec<Arc<Event>>>,
    count: watch::Sender<usize>,
}

impl FakeSource {
    /// A feed that has told nothing yet.
    pub fn new(name: &'static str) -> Self {
        Self(Arc::new(Inner { name, told: Mutex::default(), count: watch::Sender::default() }))
    }

    /// Last position told; 0 if none was.
    pub fn head(&self) -> i64 {
        self.with_told(|told| told.iter().map(|event| event.position).max().unwrap_or(0))
    }

    /// Tells what happened to a subject, in the live lane; answers the event.
    pub fn tell<M: Name>(&self, tenant: &TenantId, subject: Uuid, now: Timestamp, payload: &M) -> Event {
        let event = self.made((tenant, Lane::Live), subject, now, payload);
        self.tell_raw(event.clone());
        event
    }

    /// The next event, which is not told yet.
    pub fn made<M: Name>(
        &self,
        (tenant, lane): (&TenantId, Lane),
        subject: Uuid,
        now: Timestamp,
        payload: &M,
    ) -> Event {
        Event {
            id: RandomIds.id(now).to_string(),
            source: self.0.name.to_owned(),
            position: self.head() + STEP,
            tenant_id: tenant.to_string(),
            subject: subject.to_string(),
            occur_time: Some(proto::timestamp(now)),
            traceparent: pg::trace::current(),
            payload: Some(Any {
                type_url: format!("type.googleapis.com/{}", M::full_name()),
                value: payload.encode_to_vec(),
            }),
            lane: lane.number().into(),
            follows_position: 0,
        }
    }

    /// Delivers an event as it is, to whoever subscribes: again, out of order, or
    /// broken.
    pub fn tell_raw(&self, event: Event) {
        let count = self.with_told(|told| {
            told.push(Arc::new(event));
            told.len()
        });
        self.0.count.send_replace(count);
    }

    /// The place of the first event a reader with this cursor has not seen.
    fn after(&self, cursor: i64) -> usize {
        self.with_told(|told| told.iter().position(|event| event.position > cursor).unwrap_or(told.len()))
    }

    fn with_told<T>(&self, use_it: impl FnOnce(&mut Vec<Arc<Event>>) -> T) -> T {
        use_it(&mut self.0.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Up to a batch of what was told from a place on, in the order of telling, and
    /// the place to go on from.
    fn read(&self, from: usize, wanted: &Subscription) -> (Vec<Arc<Event>>, usize, i64) {
        self.with_told(|told| {
            let to = told.len().min(from + MAX_BATCH);
            let reached = told[..to].iter().map(|event| event.position).max().unwrap_or(0);
            let events = told[from..to].iter().filter(|event| wanted.wants(event)).cloned().collect();
            (events, to, reached)
        })
    }
}

impl Source for FakeSource {
    fn subscribe(&self, wanted: Subscription) -> BoxStream<'static, Result<Batch, Fault>> {
        let feed = self.clone();
        let mut count = self.0.count.subscribe();
        let mut cursor = wanted.cursor;
        let mut place = self.after(cursor);
        async_stream::try_stream! {
            loop {
                let (events, next, reached) = feed.read(place, &wanted);
                place = next;
                cursor = cursor.max(reached);
                let is_idle = events.is_empty();
                let head = feed.head();
                yield Batch { events, cursor, head, ..Batch::default() };
                if is_idle {
                    let more = count.wait_for(|count| *count > place);
                    let _ = tokio::time::timeout(HEARTBEAT, more).await;
                }
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::CaseOpened;
    use proto::redress::intake::v1::ComplaintRegistered;

    use super::*;
    use crate::MockClock;
    use kernel::Clock as _;

    #[tokio::test]
    async fn readers_resume_after_their_cursor_and_hear_what_they_want() {
        let feed = FakeSource::new("intake");
        let tell = |subject| {
            let now = MockClock::default().now();
            feed.tell(&TenantId::development(), subject, now, &ComplaintRegistered::default())
        };
        let (first, second) = (tell(Uuid::from_u128(1)), tell(Uuid::from_u128(2)));
        let wanted: &[&str] = &["redress.intake.v1.ComplaintRegistered"];
        let mut stream = feed.subscribe(Subscription::after(first.position, wanted));
        let batch = stream.next().await.unwrap().unwrap();
        assert_eq!(batch.events.iter().map(|event| event.position).collect::<Vec<_>>(), [second.position]);
        assert_eq!(batch.cursor, feed.head());

        let now = MockClock::default().now();
        feed.tell(&TenantId::development(), Uuid::from_u128(1), now, &CaseOpened::default());
        let batch = stream.next().await.unwrap().unwrap();
        assert!(batch.events.is_empty(), "it was left out");
        assert_eq!(batch.cursor, feed.head());

        feed.tell_raw(first.clone());
        let batch = stream.next().await.unwrap().unwrap();
        assert_eq!(batch.events[0].id, first.id, "told again");
        assert_eq!(batch.cursor, feed.head(), "a cursor never goes back");
    }
}
