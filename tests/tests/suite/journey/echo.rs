//! Roads between services that say everything twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_stream::try_stream;
use events::{Batch, Source, Subscription};
use fault::Fault;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use sqlx::AssertSqlSafe;
use testkit::{House, eventually};
use tests::SERVICES;
use tokio::sync::watch;

/// Delivers each batch twice, and everything again when asked to. Copies are the
/// same echo.
#[derive(Clone, Default)]
pub(crate) struct Echo(Arc<Inner>);

#[derive(Default)]
struct Inner {
    asked: watch::Sender<()>,
    /// Subscriptions that live.
    listening: AtomicUsize,
    /// Subscriptions that have applied everything again.
    heard: AtomicUsize,
    delivered_again: AtomicUsize,
}

struct Echoing {
    source: Arc<dyn Source>,
    echo: Echo,
}

/// A subscription that lives until it is dropped.
struct Listening(Echo);

impl Listening {
    fn to(echo: &Echo) -> Self {
        echo.0.listening.fetch_add(1, Ordering::Relaxed);
        Self(echo.clone())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.0.listening.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Echo {
    /// Stands between a feed and its readers.
    pub(crate) fn between(&self, source: Arc<dyn Source>) -> Arc<dyn Source> {
        Arc::new(Echoing { source, echo: self.clone() })
    }

    /// Delivers everything since the beginning again, to everyone who listens;
    /// answers how many events that were, once they have been taken.
    pub(crate) async fn again(&self) -> usize {
        self.0.asked.send_replace(());
        eventually(async || {
            let listening = self.0.listening.load(Ordering::Relaxed);
            listening > 0 && self.0.heard.load(Ordering::Relaxed) == listening
        })
        .await;
        self.0.delivered_again.load(Ordering::Relaxed)
    }
}

/// What a subscription waits for.
enum Step {
    Next(Option<Result<Batch, Fault>>),
    Again,
}

impl Source for Echoing {
    fn subscribe(&self, wanted: Subscription) -> BoxStream<'static, Result<Batch, Fault>> {
        let mut cursor = wanted.cursor;
        let mut source = self.source.subscribe(wanted);
        let mut asked = self.echo.0.asked.subscribe();
        let listening = Listening::to(&self.echo);
        let mut all = Vec::new();
        try_stream! {
            loop {
                let step = tokio::select! {
                    next = source.next() => Step::Next(next),
                    Ok(()) = asked.changed() => Step::Again,
                };
                match step {
                    Step::Next(None) => break,
                    Step::Next(Some(batch)) => {
                        let batch = batch?;
                        cursor = batch.cursor;
                        all.extend(batch.events.iter().cloned());
                        yield batch.clone();
                        yield batch;
                    }
                    Step::Again => {
                        yield Batch { events: all.clone(), cursor, ..Batch::default() };
                        // The reader asks for more: it has taken these.
                        listening.0.0.delivered_again.fetch_add(all.len(), Ordering::Relaxed);
                        listening.0.0.heard.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
        .boxed()
    }
}

/// A hash of each table of each service. Left out are only how far each feed has been
/// read (over events that nobody here follows, that is stored now and then) and what the
/// facts of a day come to: they are made anew now and then, of tables that are compared.
pub(crate) async fn state(house: &House) -> BTreeMap<String, String> {
    let mut owner = house.owner().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND n.nspname = ANY ($1) AND c.relname <> ALL (ARRAY['feed_cursor', 'fact_change', 'fact_total', 'fact_sample', 'signal_change'])",
    )
    .bind(SERVICES.map(|service| service.name.to_owned()).to_vec())
    .fetch_all(&mut owner)
    .await
    .unwrap();
    let mut state = BTreeMap::new();
    for table in tables {
        let hash =
            format!("SELECT md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) FROM {table} t");
        let hash = sqlx::query_scalar(AssertSqlSafe(hash)).fetch_one(&mut owner).await.unwrap();
        state.insert(table, hash);
    }
    state
}
