//! Looks into drops, and notes each file that is complete: one of the same size and time for a
//! settling time, or one that somebody says is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use kernel::time::later;
use pg::Db;
use server::Stop;
use uuid::Uuid;

use super::place::{Look, Places, Wrong};
use super::{DROPPED_FILES, FILE_DROPS};
use crate::dropped_file::{DroppedFile, Lying};
use crate::file_drop::{Failure, retry};
use crate::store::dropped_files;
use crate::store::file_drops::{self as store, Found};

/// How often it is asked whether a drop is to be looked into.
const POLL: Duration = Duration::from_secs(1);
/// How often a drop is looked into.
const EVERY: SignedDuration = SignedDuration::from_secs(5);
/// For how long a drop is watched by one process, without a word from it: what it has seen of a
/// file, another would have to see anew.
const HOLD: SignedDuration = SignedDuration::from_secs(30);
/// Most drops that are looked into at once.
const AT_ONCE: i64 = 8;
/// For how long a file must not have changed.
const SETTLING: SignedDuration = SignedDuration::from_secs(10);
/// Longest words of a failure that are kept.
const MAX_WORDS: usize = 500;

/// Watches drops.
pub(crate) struct Watcher {
    db: Db,
    places: Arc<Places>,
    /// Who this is, among those who watch.
    holder: Uuid,
    /// What was seen in each drop, since when, by name.
    seen: HashMap<Found, HashMap<String, Sight>>,
}

/// A file that has not changed since a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sight {
    mark: String,
    since: Timestamp,
}

impl Watcher {
    /// Watches the drops of a schema.
    pub(crate) fn new(db: Db, places: Arc<Places>) -> Self {
        let holder = db.ids().token();
        Self { db, places, holder, seen: HashMap::new() }
    }

    /// Watches until told to stop.
    pub(crate) async fn run(mut self, stop: Stop) {
        let mut listener = self.db.notifier().listen(FILE_DROPS);
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => break,
                looked = self.look_around() => looked,
            };
            let is_busy = looked.unwrap_or_else(|fault| {
                tracing::warn!(fault = fault.chain(), "file drops cannot be looked into; trying again");
                false
            });
            if is_busy {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = listener.notified_within(POLL) => {}
            }
        }
        let holder = self.holder;
        let let_go = self.db.transact_as_worker("file_drop.let_go", async move |mut tx| {
            store::let_go(&mut tx, holder).await?;
            Ok((tx, ()))
        });
        // The hold ends by itself.
        let _ = let_go.await;
    }

    /// Looks into the drops that are due; whether there may be more.
    async fn look_around(&mut self) -> Result<bool, Fault> {
        let holder = self.holder;
        let claimed = self.db.transact_as_worker("file_drop.claim", async move |mut tx| {
            let now = tx.now();
            let claimed = store::claim(&mut tx, holder, (now, now + HOLD, now + EVERY), AT_ONCE).await?;
            Ok((tx, claimed))
        });
        let claimed = claimed.await?;
        let is_busy = i64::try_from(claimed.len()).unwrap_or(i64::MAX) == AT_ONCE;
        let mut looks = claimed
            .into_iter()
            .map(|found| {
                let (db, places) = (self.db.clone(), self.places.clone());
                let seen = self.seen.remove(&found).unwrap_or_default();
                async move {
                    let looked = look(&db, &places, &found, (holder, seen)).await;
                    (found, looked)
                }
            })
            .collect::<FuturesUnordered<_>>();
        while let Some((found, looked)) = looks.next().await {
            match looked {
                Ok(seen) if !seen.is_empty() => {
                    self.seen.insert(found, seen);
                }
                Ok(_) => {}
                Err(fault) => {
                    let Found { tenant, id } = &found;
                    tracing::warn!(%tenant, drop = id, fault = fault.chain(), "a file drop cannot be looked into");
                }
            }
        }
        Ok(is_busy)
    }
}

/// What is seen of the files of a drop that are not complete.
type Seen = HashMap<String, Sight>;

/// Looks into a drop, and notes what is complete in it; answers what is not yet.
async fn look(db: &Db, places: &Places, found: &Found, (holder, seen): (Uuid, Seen)) -> Result<Seen, Fault> {
    let Some(settings) = settings(db, found).await? else { return Ok(Seen::new()) };
    let looked = match places.of(&found.tenant, &settings) {
        Ok(place) => place.look().await,
        Err(wrong) => Err(wrong),
    };
    match looked {
        Ok(mut look) => {
            let unreadable = unreadable(&std::mem::take(&mut look.unreadable));
            let (complete, seen) = sort(look, seen, db.clock().now());
            note(db, found, holder, (complete, unreadable)).await?;
            Ok(seen)
        }
        Err(wrong) => {
            failed(db, found, holder, wrong).await?;
            Ok(Seen::new())
        }
    }
}

async fn settings(db: &Db, found: &Found) -> Result<Option<crate::file_drop::Settings>, Fault> {
    let id = found.id.clone();
    let read = db.transact("file_drop.read", &found.tenant, async move |mut tx| {
        let drop = store::get(&mut tx, &id).await?;
        Ok((tx, drop))
    });
    Ok(read.await?.map(|drop| drop.settings))
}

/// The files that are complete, and what is seen of the others.
fn sort(look: Look, mut seen: Seen, now: Timestamp) -> (Vec<Lying>, Seen) {
    let Look { files, complete, unreadable: _ } = look;
    let mut still = Seen::new();
    let mut whole = Vec::new();
    for file in files {
        let before = seen.remove(&file.name).filter(|sight| sight.mark == file.mark);
        let sight = before.unwrap_or_else(|| Sight { mark: file.mark.clone(), since: now });
        if complete.contains(&file.name) || now.duration_since(sight.since) >= SETTLING {
            whole.push(file);
        } else {
            still.insert(file.name, sight);
        }
    }
    (whole, still)
}

/// What is wrong where names cannot be read; none where all can. Whoever put the files there has to
/// name them otherwise: nobody else may move them.
fn unreadable(names: &[String]) -> Option<Wrong> {
    let first = names.first()?;
    let more = names.len() - 1;
    let others = if more == 0 { String::new() } else { format!(", and {more} more") };
    let words = format!(
        "a file cannot be taken under its name, which must be UTF-8 of at most 200 bytes without control \
         characters and backslashes: {first}{others}"
    );
    Some(Wrong { reason: "FILE_NAME_UNREADABLE", words })
}

/// Notes files that are complete, but for those that are noted and not done with, and what is wrong
/// with others.
async fn note(
    db: &Db,
    found: &Found,
    holder: Uuid,
    (files, wrong): (Vec<Lying>, Option<Wrong>),
) -> Result<(), Fault> {
    let id = found.id.clone();
    let noted = db.transact("file_drop.note", &found.tenant, async move |mut tx| {
        let open = dropped_files::open_names(&mut tx, &id).await?;
        let new: Vec<Lying> = files.into_iter().filter(|file| !open.contains(&file.name)).collect();
        let now = tx.now();
        // The drop first: it may be another's by now, or somewhere else.
        let failure =
            wrong.map(|Wrong { reason, words }| Failure { reason: reason.to_owned(), words, since: now });
        if !store::looked(&mut tx, &id, holder, (now, !new.is_empty()), failure.as_ref()).await? {
            return Ok((tx, 0));
        }
        let count = new.len();
        for lying in new {
            let file = DroppedFile::new(tx.new_id(), &id, lying, now);
            dropped_files::insert(&mut tx, &file).await?;
        }
        if count > 0 {
            tx.notify(DROPPED_FILES);
        }
        Ok((tx, count))
    });
    let count = noted.await?;
    if count > 0 {
        tracing::info!(tenant = %found.tenant, drop = found.id, files = count, "files were put into a drop");
    }
    Ok(())
}

/// Notes that a drop cannot be looked into, and when it is tried again.
async fn failed(db: &Db, found: &Found, holder: Uuid, wrong: Wrong) -> Result<(), Fault> {
    let id = found.id.clone();
    let words: String = wrong.words.chars().take(MAX_WORDS).collect();
    let (reason, told) = (wrong.reason, words.clone());
    let first = db.transact("file_drop.failed", &found.tenant, async move |mut tx| {
        let Some(drop) = store::lock(&mut tx, &id).await? else { return Ok((tx, false)) };
        let now = tx.now();
        let failure = Failure { reason: reason.to_owned(), words: told, since: now };
        store::failed(&mut tx, &id, holder, (&failure, later(now, retry(drop.attempts)))).await?;
        Ok((tx, drop.failure.is_none()))
    });
    if first.await? {
        tracing::error!(tenant = %found.tenant, drop = found.id, reason, error = words, "a file drop cannot be looked into");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    fn look(files: &[(&str, &str)], complete: &[&str]) -> Look {
        let lying = |(name, mark): &(&str, &str)| Lying {
            name: (*name).to_owned(),
            size: 1,
            mark: (*mark).to_owned(),
        };
        Look {
            files: files.iter().map(lying).collect(),
            complete: complete.iter().map(|name| (*name).to_owned()).collect(),
            unreadable: Vec::new(),
        }
    }

    #[test]
    fn names_that_cannot_be_read_are_told_the_first_by_name() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(unreadable(&[]).map(|wrong| wrong.words), None);
        let one = unreadable(&names(&["caf\\xe9.csv"])).expect("it is told");
        assert!(one.words.ends_with(": caf\\xe9.csv"), "{}", one.words);
        let two = unreadable(&names(&["a", "b", "c"])).expect("they are told");
        assert!(two.words.ends_with(": a, and 2 more"), "{}", two.words);
        assert_eq!(two.reason, "FILE_NAME_UNREADABLE");
    }

    #[test]
    fn a_file_is_complete_once_it_has_not_changed_for_ten_seconds_or_at_once_where_somebody_says_so() {
        let names = |files: &[Lying]| files.iter().map(|file| file.name.clone()).collect::<Vec<_>>();
        let (whole, seen) = sort(look(&[("a", "1"), ("b", "1"), ("c", "1")], &["c"]), Seen::new(), at(0));
        assert_eq!(names(&whole), ["c"]);
        let (whole, seen) = sort(look(&[("a", "1"), ("b", "2")], &[]), seen, at(9));
        assert_eq!((names(&whole), seen.len()), (vec![], 2));
        let (whole, seen) = sort(look(&[("a", "1"), ("b", "2")], &[]), seen, at(10));
        assert_eq!(names(&whole), ["a"]);
        let (whole, seen) = sort(look(&[("b", "2")], &[]), seen, at(18));
        assert_eq!((names(&whole), seen.len()), (vec![], 1));
        // One that was away meanwhile is new.
        let (_, seen) = sort(look(&[], &[]), seen, at(19));
        let (whole, _) = sort(look(&[("b", "2")], &[]), seen, at(20));
        assert_eq!(names(&whole), Vec::<String>::new());
    }
}
