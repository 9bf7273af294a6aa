//! Takes files that are noted: reads and registers their rows, writes their verdict files, moves
//! them. Each is held by who takes it, who says so every few seconds; who dies is followed when
//! the hold ends.

use std::fs::File;
use std::io::Seek as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fault::{Fault, Kind};
use jiff::{SignedDuration, Timestamp};
use kernel::time::later;
use pg::Db;
use server::Stop;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::place::{DropPlace, Places, Spooled, Wrong};
use super::rows::Registrar;
use super::{DROPPED_FILES, rows, verdicts};
use crate::dropped_file::{DroppedFile, MAX_ROWS, RowVerdict, State, Step, WhyRefused, cut, retry};
use crate::file_drop::FileDrop;
use crate::flow::submission_queue::SubmissionQueue;
use crate::flow::submissions::Submissions;
use crate::store::dropped_files::{self as store, Found};
use crate::store::file_drops;

/// How often it is looked for files that nobody was woken for.
const POLL: Duration = Duration::from_secs(1);
/// Files that a process reads at once: each may have 1 GiB on disk, and a workbook half of that in
/// memory. Where there are more, they take turns.
const AT_ONCE: usize = 4;
/// How long a file is read before another has its turn.
const TURN: Duration = Duration::from_secs(30);
/// How long a file is held without a word from who reads it.
const HOLD: SignedDuration = SignedDuration::from_secs(30);
/// How often who reads one says so.
const SAY: Duration = Duration::from_secs(5);

/// Takes files.
#[derive(Clone)]
pub(crate) struct FileTaker {
    db: Db,
    /// Has the key of receipt codes.
    queue: Arc<SubmissionQueue>,
    submissions: Arc<Submissions>,
    places: Arc<Places>,
    /// Whether files wait for a place here.
    others_wait: Arc<AtomicBool>,
}

/// Why a file cannot be gone on with now.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// What it needs of this service or its database.
    Fault(Fault),
    /// What it needs of the place it lies in.
    Place(Wrong),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Wrong> for Trouble {
    fn from(wrong: Wrong) -> Self {
        Self::Place(wrong)
    }
}

/// A file that is being taken, and by whom.
struct Reader {
    taker: FileTaker,
    found: Found,
    holder: Uuid,
}

/// Whether there is more to be done about a file at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// There is.
    GoOn,
    /// There is not, or others have their turn.
    LetGo,
}

impl FileTaker {
    /// Takes the files of a schema.
    pub(crate) fn new(
        db: Db,
        queue: Arc<SubmissionQueue>,
        submissions: Arc<Submissions>,
        places: Arc<Places>,
    ) -> Self {
        Self { db, queue, submissions, places, others_wait: Arc::default() }
    }

    /// Takes files until told to stop.
    pub(crate) async fn run(self, stop: Stop) {
        let mut listener = self.db.notifier().listen(DROPPED_FILES);
        let (mut readers, mut last) = (JoinSet::new(), String::new());
        loop {
            while readers.try_join_next().is_some() {}
            if let Err(fault) = self.fill(&mut readers, &mut last, &stop).await {
                tracing::warn!(fault = fault.chain(), "dropped files cannot be taken; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = readers.join_next(), if !readers.is_empty() => {}
                () = listener.notified_within(POLL) => {}
            }
        }
        while readers.join_next().await.is_some() {}
    }

    /// Takes as many files as there are places for.
    async fn fill(&self, readers: &mut JoinSet<()>, last: &mut String, stop: &Stop) -> Result<(), Fault> {
        while readers.len() < AT_ONCE {
            let (after, holder) = (last.clone(), self.db.ids().token());
            let taken = self.db.transact_as_worker("dropped_file.take", async |mut tx| {
                let now = tx.now();
                let taken = store::take(&mut tx, (&after, holder), (now, now + HOLD)).await?;
                Ok((tx, taken))
            });
            let Some(found) = taken.await? else { break };
            found.tenant.as_str().clone_into(last);
            let reader = Reader { taker: self.clone(), found, holder };
            readers.spawn(reader.run(stop.clone()));
        }
        let is_full = readers.len() >= AT_ONCE;
        let waiting = self.db.transact_as_worker("dropped_file.wait", async move |mut tx| {
            let now = tx.now();
            let waits = is_full && store::is_any_waiting(&mut tx, now).await?;
            Ok((tx, waits))
        });
        self.others_wait.store(waiting.await?, Ordering::Relaxed);
        Ok(())
    }
}

impl Reader {
    async fn run(self, stop: Stop) {
        let taken = tokio::select! {
            taken = Box::pin(self.take()) => taken,
            () = self.lost() => return,
            () = stop.cancelled() => Err(Fault::stopping().into()),
        };
        let noted = match taken {
            Ok(()) => self.let_go().await,
            Err(trouble) => self.put_off(trouble).await,
        };
        // The hold ends by itself.
        if let Err(fault) = noted {
            let Found { tenant, id } = &self.found;
            tracing::warn!(%tenant, file = %id, fault = fault.chain(), "how far a dropped file is cannot be noted");
        }
    }

    /// Says that the file is held, until it is no longer this one's.
    async fn lost(&self) {
        loop {
            tokio::time::sleep(SAY).await;
            let (id, holder) = (self.found.id, self.holder);
            let held =
                self.taker.db.transact("dropped_file.hold", &self.found.tenant, async move |mut tx| {
                    let until = tx.now() + HOLD;
                    let held = store::keep_hold(&mut tx, id, (holder, until)).await?;
                    Ok((tx, held))
                });
            // What cannot be asked now is so until its hold is somebody else's.
            if !held.await.unwrap_or(true) {
                return;
            }
        }
    }

    /// Does what there is to do about the file, step by step.
    async fn take(&self) -> Result<(), Trouble> {
        let begun = Instant::now();
        let mut then = Then::GoOn;
        while then == Then::GoOn {
            let Some((file, drop)) = self.file().await? else { return Ok(()) };
            let place = self.taker.places.of(&self.found.tenant, &drop.settings)?;
            then = match file.step() {
                Step::Read => self.read(file, &drop, &place, begun).await?,
                Step::WriteVerdicts => self.write(file, &place).await?,
                Step::Move => {
                    place.put_away(&file).await?;
                    self.end().await?
                }
                Step::Nothing => Then::LetGo,
            };
        }
        Ok(())
    }

    /// The file, while this one holds it, and its drop.
    async fn file(&self) -> Result<Option<(DroppedFile, FileDrop)>, Fault> {
        let (id, holder) = (self.found.id, self.holder);
        let read = self.taker.db.transact("dropped_file.read", &self.found.tenant, async move |mut tx| {
            let Some(file) = store::held(&mut tx, id, holder).await? else { return Ok((tx, None)) };
            let drop = file_drops::get(&mut tx, &file.drop_id).await?;
            Ok((tx, drop.map(|drop| (file, drop))))
        });
        read.await
    }

    /// Keeps verdicts of the file's next rows, and changes what is known of it, while this one
    /// holds it.
    async fn change(
        &self,
        name: &'static str,
        verdicts: Vec<RowVerdict>,
        change: impl FnOnce(&mut DroppedFile, Timestamp) + Send + 'static,
    ) -> Result<Then, Fault> {
        let (id, holder) = (self.found.id, self.holder);
        let changed = self.taker.db.transact(name, &self.found.tenant, async move |mut tx| {
            let Some(mut file) = store::held(&mut tx, id, holder).await? else {
                return Ok((tx, Then::LetGo));
            };
            if !verdicts.is_empty() {
                store::keep_verdicts(&mut tx, id, file.counts.read, &verdicts).await?;
                for row in &verdicts {
                    file.counts.add(&row.verdict);
                }
                file.tell(&verdicts);
            }
            (file.attempts, file.reason, file.error) = (0, String::new(), String::new());
            change(&mut file, tx.now());
            store::save(&mut tx, &file).await?;
            Ok((tx, Then::GoOn))
        });
        changed.await
    }

    /// Reads and registers rows, until there are no more, or others have their turn.
    async fn read(
        &self,
        file: DroppedFile,
        drop: &FileDrop,
        place: &DropPlace,
        begun: Instant,
    ) -> Result<Then, Trouble> {
        let (content, sha256) = match place.spool(&file.lying).await? {
            Spooled::Content(content, sha256) => (content, sha256),
            Spooled::Gone => return self.refuse(WhyRefused::Gone, None).await,
            Spooled::Changed => return self.changed(&file).await,
        };
        let is_it = file.sha256.is_none_or(|known| known == sha256);
        if !is_it {
            return self.changed(&file).await;
        }
        if file.rows.is_some() {
            return self.register(file, drop, content, begun).await;
        }
        let mut again = content.try_clone().map_err(Fault::internal)?;
        if self.begin(&file, drop, (content, sha256)).await? == Then::LetGo {
            return Ok(Then::LetGo);
        }
        let Some((file, now)) = self.file().await? else { return Ok(Then::LetGo) };
        if file.outcome.is_some() || now.version != drop.version {
            return Ok(Then::GoOn);
        }
        // Whoever counted has read it to its end.
        again.rewind().map_err(Fault::internal)?;
        self.register(file, drop, again, begun).await
    }

    /// Counts the rows of a file, of which none was read yet.
    async fn begin(
        &self,
        file: &DroppedFile,
        drop: &FileDrop,
        (content, sha256): (File, [u8; 32]),
    ) -> Result<Then, Trouble> {
        let named = (file.lying.name.as_str(), &drop.settings);
        let count = match rows::count(&self.found.tenant, content, named).await? {
            Ok(count) if count > MAX_ROWS => {
                return self.refuse(WhyRefused::TooManyRows, Some(sha256)).await;
            }
            Ok(count) => count,
            Err(error) => {
                let words = format!("{}: {error:#}", WhyRefused::Unreadable.words());
                return self.refuse_for(WhyRefused::Unreadable, Some(sha256), words).await;
            }
        };
        let version = drop.version;
        let begun = self.change("dropped_file.begin", Vec::new(), move |file, _| {
            (file.sha256, file.rows, file.drop_version) = (Some(sha256), Some(count), version);
            file.state = State::Reading;
            file.outcome = (count == 0).then_some(State::Done);
        });
        Ok(begun.await?)
    }

    /// Registers the rows of a file from where it is on.
    async fn register(
        &self,
        mut file: DroppedFile,
        drop: &FileDrop,
        content: File,
        begun: Instant,
    ) -> Result<Then, Trouble> {
        let tenant = &self.found.tenant;
        let named = (file.lying.name.as_str(), &drop.settings);
        let mut rows = match rows::from(tenant, content, named, file.counts.read).await? {
            Ok(rows) => rows,
            // It could be read before: the drop says otherwise by now how.
            Err(error) => {
                let words = format!("{}: {error:#}", WhyRefused::Unreadable.words());
                return self.refuse_for(WhyRefused::Unreadable, None, words).await;
            }
        };
        loop {
            let (chunk, rest) = rows::chunk(tenant, rows).await?;
            rows = rest;
            let is_last = chunk.is_empty();
            let registrar = Registrar {
                db: &self.taker.db,
                submissions: &self.taker.submissions,
                tenant,
                settings: &drop.settings,
                file: &file,
            };
            let verdicts = registrar.register(chunk).await?;
            let version = drop.version;
            let noted = self.change("dropped_file.advance", verdicts, move |file, _| {
                file.drop_version = version;
                if is_last || Some(file.counts.read) == file.rows {
                    file.outcome = Some(State::Done);
                }
            });
            if noted.await? == Then::LetGo {
                return Ok(Then::LetGo);
            }
            let Some((now, settled)) = self.file().await? else { return Ok(Then::LetGo) };
            let is_over = self.taker.others_wait.load(Ordering::Relaxed) && begun.elapsed() >= TURN;
            if is_over {
                return Ok(Then::LetGo);
            }
            if now.outcome.is_some() || settled.version != version {
                return Ok(Then::GoOn);
            }
            file = now;
        }
    }

    /// What becomes of a file that is another than the one that was noted: where nothing of that
    /// was registered, it was not complete, and is noted anew once it is.
    async fn changed(&self, file: &DroppedFile) -> Result<Then, Trouble> {
        if !file.is_untouched() {
            return self.refuse(WhyRefused::Changed, None).await;
        }
        let (id, holder) = (self.found.id, self.holder);
        let forgotten =
            self.taker.db.transact("dropped_file.unnote", &self.found.tenant, async move |mut tx| {
                let mine = store::held(&mut tx, id, holder).await?;
                if mine.is_some_and(|file| file.is_untouched()) {
                    store::forget_one(&mut tx, id).await?;
                }
                Ok((tx, Then::LetGo))
            });
        Ok(forgotten.await?)
    }

    async fn refuse(&self, why: WhyRefused, sha256: Option<[u8; 32]>) -> Result<Then, Trouble> {
        self.refuse_for(why, sha256, why.words().to_owned()).await
    }

    /// Notes that a file is refused whole, or from where it is on.
    async fn refuse_for(
        &self,
        why: WhyRefused,
        sha256: Option<[u8; 32]>,
        words: String,
    ) -> Result<Then, Trouble> {
        let refused = self.change("dropped_file.refuse", Vec::new(), move |file, _| {
            file.outcome = Some(State::Refused);
            file.sha256 = sha256.or(file.sha256);
            (file.reason, file.error) = (why.reason().to_owned(), cut(&words));
        });
        Ok(refused.await?)
    }

    /// Writes the verdict file.
    async fn write(&self, file: DroppedFile, place: &DropPlace) -> Result<Then, Trouble> {
        let key = self.taker.queue.key().await?;
        let content = verdicts::written(&self.taker.db, &self.found.tenant, &file, key).await?;
        place.write(&file, content).await?;
        let (reason, error) = (file.reason, file.error);
        let noted = self.change("dropped_file.written", Vec::new(), move |file, now| {
            file.verdict_written = Some(now);
            // What could not be written before is over, why it was refused is not.
            if file.outcome == Some(State::Refused) {
                (file.reason, file.error) = (reason, error);
            }
        });
        Ok(noted.await?)
    }

    /// Notes that the file is done with.
    async fn end(&self) -> Result<Then, Trouble> {
        let (id, holder) = (self.found.id, self.holder);
        let ended = self.taker.db.transact("dropped_file.end", &self.found.tenant, async move |mut tx| {
            if let Some(file) = store::held(&mut tx, id, holder).await? {
                let now = tx.now();
                store::end(&mut tx, &file, now).await?;
                tx.notify(DROPPED_FILES);
            }
            Ok((tx, Then::LetGo))
        });
        Ok(ended.await?)
    }

    /// Lets go of the file: those that wait longer go first.
    async fn let_go(&self) -> Result<(), Fault> {
        let (id, holder) = (self.found.id, self.holder);
        let let_go =
            self.taker.db.transact("dropped_file.let_go", &self.found.tenant, async move |mut tx| {
                let now = tx.now();
                store::let_go(&mut tx, id, (holder, now)).await?;
                Ok((tx, ()))
            });
        let_go.await
    }

    /// Notes why the file cannot be gone on with, and when it is tried again.
    async fn put_off(&self, trouble: Trouble) -> Result<(), Fault> {
        let (id, holder) = (self.found.id, self.holder);
        let is_outage = matches!(&trouble, Trouble::Fault(fault) if fault.kind() == Kind::Unavailable);
        let (reason, words) = match &trouble {
            Trouble::Fault(fault) => (fault.reason(), fault.message().to_owned()),
            Trouble::Place(wrong) => (wrong.reason, wrong.words.clone()),
        };
        let told = cut(&words);
        let put_off =
            self.taker.db.transact("dropped_file.put_off", &self.found.tenant, async move |mut tx| {
                let Some(mut file) = store::held(&mut tx, id, holder).await? else { return Ok((tx, 0)) };
                let wait = retry(if is_outage { 0 } else { file.attempts });
                if !is_outage {
                    file.attempts = file.attempts.saturating_add(1);
                    // Why it was refused whole is told in any case.
                    if file.outcome != Some(State::Refused) {
                        (file.reason, file.error) = (reason.to_owned(), told);
                    }
                    store::save(&mut tx, &file).await?;
                }
                let next = later(tx.now(), wait);
                store::let_go(&mut tx, id, (holder, next)).await?;
                Ok((tx, file.attempts))
            });
        if put_off.await? == 2 {
            let Found { tenant, id } = &self.found;
            let chain = match trouble {
                Trouble::Fault(fault) => fault.chain(),
                Trouble::Place(_) => words,
            };
            tracing::warn!(%tenant, file = %id, reason, error = chain, "a dropped file cannot be gone on with; trying again");
        }
        Ok(())
    }
}
