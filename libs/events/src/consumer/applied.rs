//! How far a source is applied, and waiting for it: what lets a caller read what
//! happened elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fault::{Fault, Kind};
use kernel::{Lane, TenantId};
use opentelemetry::KeyValue;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::Consumer;
use crate::cursor::{self, Cursor, FeedProgress, Part};
use crate::parked;

/// How often a replica that does not hold the feed looks how far it is applied.
const LOOK: Duration = Duration::from_millis(20);
/// How often one that does looks all the same: it may have lost its hold.
const RARE_LOOK: Duration = Duration::from_secs(1);
/// When a caller is told to come back for an event that is not applied yet.
const NOT_YET_RETRY: Duration = Duration::from_millis(100);

/// How far this replica knows a source to be applied.
#[derive(Default)]
pub(super) struct Applied {
    progress: watch::Sender<FeedProgress>,
    /// Whether this replica applies a lane, and so need not ask the database.
    is_held: [AtomicBool; Lane::ALL.len()],
    /// When the database was last asked: one look serves all who wait.
    looked: Mutex<Option<Instant>>,
}

impl Applied {
    fn is_held(&self, lane: Lane) -> bool {
        self.is_held[place(lane)].load(Ordering::Relaxed)
    }

    /// How long to wait for news of lanes before looking into the database.
    fn patience(&self, lanes: &[Lane]) -> Duration {
        if lanes.iter().all(|lane| self.is_held(*lane)) { RARE_LOOK } else { LOOK }
    }
}

fn place(lane: Lane) -> usize {
    match lane {
        Lane::Live => 0,
        Lane::Bulk => 1,
    }
}

/// The lanes that must have been applied up to the position of a token: one of the bulk
/// lane may stand for live events too.
fn lanes_of(token: Lane) -> &'static [Lane] {
    match token {
        Lane::Live => &[Lane::Live],
        Lane::Bulk => &Lane::ALL,
    }
}

fn is_at(progress: &FeedProgress, lanes: &[Lane], tenant: &TenantId, position: i64) -> bool {
    lanes.iter().all(|lane| progress.position(*lane, tenant) >= position)
}

impl Consumer {
    /// Notes where a lane stands, as the database says.
    pub(super) fn note(&self, source: &'static str, lane: Lane, stored: &FeedProgress) {
        self.change(source, |progress| {
            progress.cursors.retain(|cursor| cursor.lane != lane.number());
            let of_lane = stored.cursors.iter().filter(|cursor| cursor.lane == lane.number());
            progress.cursors.extend(of_lane.cloned());
            progress.aside = stored.aside;
        });
    }

    /// Notes that a part was applied up to a position, with so many events set aside.
    pub(super) fn note_applied(&self, part: &Part, position: i64, aside: i64) {
        self.change(part.source, |progress| {
            progress.aside = aside;
            advance(progress, part, position);
        });
    }

    /// Notes that there is nothing of interest up to a position.
    pub(super) fn note_position(&self, part: &Part, position: i64) {
        if let Some(applied) = self.applied.get(part.source) {
            applied.progress.send_if_modified(|progress| advance(progress, part, position));
        }
    }

    /// Notes that the number of events that are set aside has changed.
    pub(crate) fn note_aside(&self, source: &'static str, aside: i64) {
        self.change(source, |progress| progress.aside = aside);
    }

    fn change(&self, source: &'static str, change: impl FnOnce(&mut FeedProgress)) {
        let Some(applied) = self.applied.get(source) else { return };
        applied.progress.send_modify(change);
        let labels = [KeyValue::new("consumer", self.name()), KeyValue::new("source", source)];
        self.parked.record(applied.progress.borrow().aside, &labels);
    }

    pub(super) fn set_held(&self, source: &'static str, lane: Lane, is_held: bool) {
        if let Some(applied) = self.applied.get(source) {
            applied.is_held[place(lane)].store(is_held, Ordering::Relaxed);
        }
    }

    /// Whether there is nothing to be tried again here: nothing is set aside, or another
    /// replica works the feed.
    pub(super) fn is_idle(&self, source: &'static str) -> bool {
        self.applied.get(source).is_none_or(|applied| {
            let is_held = Lane::ALL.iter().any(|lane| applied.is_held(*lane));
            !is_held || applied.progress.borrow().aside == 0
        })
    }

    /// Waits until an event of a source has taken effect here, whichever replica
    /// applied it.
    ///
    /// # Errors
    ///
    /// Fails with `INVALID_CONSISTENCY_TOKEN` if this service does not follow the source, and
    /// with `NOT_YET_APPLIED` if the patience ends first.
    pub async fn wait_applied(
        &self,
        source: &str,
        (position, lane): (i64, Lane),
        tenant: &TenantId,
        patience: Duration,
    ) -> Result<(), Fault> {
        let Some((&source, applied)) = self.applied.get_key_value(source) else {
            let sentence = "this service does not follow the token's source";
            return Err(Fault::new(Kind::Invalid, "INVALID_CONSISTENCY_TOKEN", sentence));
        };
        let lanes = lanes_of(lane);
        let mut progresses = applied.progress.subscribe();
        let seen = async {
            let is_held = lanes.iter().all(|lane| applied.is_held(*lane));
            if !is_held && !is_at(&progresses.borrow(), lanes, tenant, position) {
                self.look(source, applied).await;
            }
            loop {
                let (is_at, aside) = {
                    let progress = progresses.borrow_and_update();
                    (is_at(&progress, lanes, tenant, position), progress.aside)
                };
                if is_at && !self.is_aside(source, position, tenant, aside).await {
                    return;
                }
                if tokio::time::timeout(applied.patience(lanes), progresses.changed()).await.is_err() {
                    self.look(source, applied).await;
                }
            }
        };
        tokio::time::timeout(patience, seen).await.map_err(|_| {
            Fault::new(
                Kind::Unavailable,
                "NOT_YET_APPLIED",
                "what the consistency token stands for is not applied yet",
            )
            .retry_after(NOT_YET_RETRY)
        })
    }

    /// Looks how far another replica has applied a source; one look serves all who
    /// wait, and a database that is away is looked at again.
    async fn look(&self, source: &'static str, applied: &Applied) {
        let mut looked = applied.looked.lock().await;
        if looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        if let Ok(stored) = self.look_now(source).await {
            applied.progress.send_if_modified(|progress| {
                let seen = merged(progress, stored);
                let is_news = *progress != seen;
                *progress = seen;
                is_news
            });
        }
        *looked = Some(Instant::now());
    }

    /// Where a feed stands, as the database says.
    pub(super) async fn look_now(&self, source: &'static str) -> Result<FeedProgress, Fault> {
        self.db
            .transact_shared("inbox.look", async move |mut tx| {
                let progress = cursor::look(&mut tx, source).await?;
                Ok((tx, progress))
            })
            .await
    }

    async fn is_aside(&self, source: &'static str, position: i64, tenant: &TenantId, aside: i64) -> bool {
        aside > 0
            && self
                .db
                .transact("inbox.is_parked", tenant, async move |mut tx| {
                    let parked = parked::has(&mut tx, source, position).await?;
                    Ok((tx, parked))
                })
                .await
                .unwrap_or(true)
    }
}

/// What is known here, and what the database said: it is behind where this replica has
/// moved on while it was asked, and lacks the lanes' own cursors where they were made meanwhile.
fn merged(known: &FeedProgress, stored: FeedProgress) -> FeedProgress {
    let mut seen = stored;
    for mine in &known.cursors {
        match seen.cursor_mut(Lane::of(mine.lane.into()), &mine.apart) {
            Some(cursor) => cursor.position = cursor.position.max(mine.position),
            None if mine.apart.is_empty() => seen.cursors.push(mine.clone()),
            None => {}
        }
    }
    seen
}

/// Moves a part's cursor on, if it is known; answers whether it has moved.
fn advance(progress: &mut FeedProgress, part: &Part, position: i64) -> bool {
    let apart = part.apart.as_ref().map_or("", TenantId::as_str);
    match progress.cursor_mut(part.lane, apart) {
        Some(Cursor { position: known, .. }) if *known < position => {
            *known = position;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(lane: Lane, apart: &str, position: i64) -> Cursor {
        Cursor { lane: lane.number(), apart: apart.to_owned(), position, ..Cursor::default() }
    }

    fn progress(cursors: &[Cursor]) -> FeedProgress {
        FeedProgress { cursors: cursors.to_vec(), aside: 0 }
    }

    #[test]
    fn a_look_from_before_a_lane_was_held_does_not_forget_its_cursor() {
        let held = progress(&[cursor(Lane::Live, "", 7), cursor(Lane::Bulk, "", 3)]);
        assert_eq!(merged(&held, progress(&[])), held);
        let stored = progress(&[cursor(Lane::Live, "", 5), cursor(Lane::Bulk, "", 9)]);
        let expected = progress(&[cursor(Lane::Live, "", 7), cursor(Lane::Bulk, "", 9)]);
        assert_eq!(merged(&held, stored), expected, "the farther of both");
    }

    #[test]
    fn a_tenant_that_is_read_with_the_others_again_is_forgotten() {
        let known = progress(&[cursor(Lane::Live, "", 7), cursor(Lane::Live, "acme", 4)]);
        let stored = progress(&[cursor(Lane::Live, "", 7)]);
        assert_eq!(merged(&known, stored.clone()), stored);
    }
}
