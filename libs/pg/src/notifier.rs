//! Notifications wake those who wait for rows: at once in this process; in others
//! (`NOTIFY`) too, unless they were just woken. A lost one costs only time: who waits
//! must still poll.
//!
//! `NOTIFY` is sent after the commit and folded: inside the transaction it would
//! line all commits of the cluster up behind one lock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use uuid::Uuid;

/// Other processes are woken no more often than this: each notification wakes two
/// of Postgres's processes and one of every replica, a tenth of what loaded submissions
/// cost were it a hundred times a second.
const FOLD: Duration = Duration::from_millis(50);
/// Notifies other processes. Nothing of it needs to last, so nobody waits for a disk.
const NOTIFY: &str = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";
/// How long to wait before listening again when the connection is lost.
const LISTEN_RETRY: Duration = Duration::from_secs(1);

/// Topic of the outbox: there are new events.
pub const EVENTS: &str = "events";

/// The notifications of one schema.
#[derive(Clone)]
pub struct Notifier(Arc<Inner>);

struct Inner {
    pool: PgPool,
    channel: String,
    /// Tells its own notifications from others'. No process id: in containers all have the
    /// same.
    id: String,
    topics: Mutex<HashMap<&'static str, watch::Sender<u64>>>,
    unsent: watch::Sender<Vec<&'static str>>,
}

/// Is notified of one topic.
pub struct Listener(watch::Receiver<u64>);

impl Notifier {
    pub(crate) fn new(pool: PgPool, schema: &str, id: Uuid) -> Self {
        let (channel, id) = (format!("redress_{schema}"), id.to_string());
        Self(Arc::new(Inner {
            pool,
            channel,
            id,
            topics: Mutex::default(),
            unsent: watch::Sender::default(),
        }))
    }

    /// Wakes everyone who listens to a topic.
    pub fn notify(&self, topic: &'static str) {
        self.notify_here(topic);
        self.0.unsent.send_if_modified(|topics| {
            let fresh = !topics.contains(&topic);
            if fresh {
                topics.push(topic);
            }
            fresh
        });
    }

    /// Listens to a topic from now on.
    pub fn listen(&self, topic: &'static str) -> Listener {
        Listener(self.with_topic(topic, watch::Sender::subscribe))
    }

    fn notify_here(&self, topic: &'static str) {
        self.with_topic(topic, |count| count.send_modify(|count| *count += 1));
    }

    fn with_topic<T>(&self, topic: &'static str, use_it: impl FnOnce(&watch::Sender<u64>) -> T) -> T {
        let mut topics = self.0.topics.lock().unwrap_or_else(PoisonError::into_inner);
        use_it(topics.entry(topic).or_default())
    }

    /// Carries notifications to and from other processes, and other pools of this one; runs
    /// until dropped.
    pub async fn run(self) {
        tokio::join!(self.send(), self.receive());
    }

    async fn send(&self) {
        let mut unsent = self.0.unsent.subscribe();
        // Looks, rather than waits for a change: there may have been one meanwhile.
        while unsent.wait_for(|topics| !topics.is_empty()).await.is_ok() {
            for topic in self.0.unsent.send_replace(Vec::new()) {
                let sent = sqlx::query(NOTIFY)
                    .bind(&self.0.channel)
                    .bind(format!("{topic} {}", self.0.id))
                    .execute(&self.0.pool)
                    .await;
                if let Err(error) = sent {
                    tracing::debug!(%error, topic, "a notification was lost; who waits for it polls");
                }
            }
            tokio::time::sleep(FOLD).await;
        }
    }

    async fn receive(&self) {
        loop {
            if let Err(error) = self.listen_to_others().await {
                tracing::debug!(%error, "not listening to other processes; polling goes on");
            }
            tokio::time::sleep(LISTEN_RETRY).await;
        }
    }

    async fn listen_to_others(&self) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.0.pool).await?;
        listener.listen(&self.0.channel).await?;
        loop {
            let notification = listener.recv().await?;
            let Some((topic, notifier)) = notification.payload().split_once(' ') else { continue };
            if notifier == self.0.id {
                continue; // told here when it was sent
            }
            let known = {
                let topics = self.0.topics.lock().unwrap_or_else(PoisonError::into_inner);
                topics.keys().find(|known| **known == topic).copied()
            };
            if let Some(topic) = known {
                self.notify_here(topic);
            }
        }
    }
}

impl Listener {
    /// Waits for a notification, or for as long as it is wise not to poll.
    pub async fn notified_within(&mut self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.0.changed()).await;
    }
}
