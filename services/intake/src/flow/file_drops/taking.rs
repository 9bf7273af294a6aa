//! Takes files that are noted: reads and registers their rows, writes their verdict files, moves
//! them. Each is held by who takes it, who says so every few seconds; who dies is followed when
//! the hold ends.

use std::fs::File;
use std::io::Seek as _;
use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use pg::{Db, Tx};
use work_queue::{Blame, Lease, Queue, Trouble, Work};

use super::place::{DropPlace, Places, Spooled};
use super::rows::Registrar;
use super::{DROPPED_FILES, rows, verdicts};
use crate::dropped_file::{DroppedFile, MAX_ROWS, RowVerdict, State, Step, WhyRefused, cut};
use crate::file_drop::FileDrop;
use crate::flow::submission_queue::SubmissionQueue;
use crate::flow::submissions::Submissions;
use crate::store::dropped_files as store;
use crate::store::file_drops;

/// Files that a process reads at once: each may have 1 GiB on disk, and a workbook half of that in
/// memory. Where there are more, they take turns.
const AT_ONCE: usize = 4;
/// How long a file is read before another has its turn.
const TURN: Duration = Duration::from_secs(30);
/// How long a file is held without a word from who reads it.
const HOLD: Duration = Duration::from_secs(30);

/// Takes files.
pub(crate) struct FileTaker {
    db: Db,
    work: Queue,
    /// Has the key of receipt codes.
    queue: Arc<SubmissionQueue>,
    submissions: Arc<Submissions>,
    places: Arc<Places>,
}

/// A file that is being taken.
struct Reader<'a> {
    taker: &'a FileTaker,
    lease: &'a Lease,
}

/// Whether there is more to be done about a file at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// There is.
    GoOn,
    /// There is not, or others have their turn.
    LetGo,
}

impl Work for FileTaker {
    fn queue(&self) -> &Queue {
        &self.work
    }

    async fn take(&self, lease: &Lease) -> Result<(), Trouble> {
        Reader { taker: self, lease }.take().await
    }

    async fn note(&self, tx: &mut Tx, lease: &Lease, trouble: &Trouble) -> Result<(), Fault> {
        if trouble.blame != Blame::Work {
            return Ok(());
        }
        store::troubled(tx, lease.id(), (trouble.reason, &cut(&trouble.words))).await
    }
}

impl FileTaker {
    /// Takes the files of a schema.
    pub(crate) fn new(
        db: Db,
        queue: Arc<SubmissionQueue>,
        submissions: Arc<Submissions>,
        places: Arc<Places>,
    ) -> Self {
        let work =
            Queue::new(("dropped_file.take", "dropped_file.put_off"), DROPPED_FILES, store::waiting(), HOLD);
        let work = Queue { at_once: AT_ONCE, turn: Some(TURN), ..work };
        Self { db, work, queue, submissions, places }
    }
}

impl Reader<'_> {
    /// Does what there is to do about the file, step by step.
    async fn take(&self) -> Result<(), Trouble> {
        let mut then = Then::GoOn;
        while then == Then::GoOn {
            let Some((file, drop)) = self.file().await? else { return Ok(()) };
            let place = self.taker.places.of(self.lease.tenant(), &drop.settings)?;
            then = match file.step() {
                Step::Read => self.read(file, &drop, &place).await?,
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
        let (id, holder) = (self.lease.id(), self.lease.holder());
        let read = self.taker.db.transact("dropped_file.read", self.lease.tenant(), async move |mut tx| {
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
        let (id, holder) = (self.lease.id(), self.lease.holder());
        let changed = self.taker.db.transact(name, self.lease.tenant(), async move |mut tx| {
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
    async fn read(&self, file: DroppedFile, drop: &FileDrop, place: &DropPlace) -> Result<Then, Trouble> {
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
            return self.register(file, drop, content).await;
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
        self.register(file, drop, again).await
    }

    /// Counts the rows of a file, of which none was read yet.
    async fn begin(
        &self,
        file: &DroppedFile,
        drop: &FileDrop,
        (content, sha256): (File, [u8; 32]),
    ) -> Result<Then, Trouble> {
        let named = (file.lying.name.as_str(), &drop.settings);
        let count = match rows::count(self.lease.tenant(), content, named).await? {
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
    async fn register(&self, mut file: DroppedFile, drop: &FileDrop, content: File) -> Result<Then, Trouble> {
        let tenant = self.lease.tenant();
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
            if self.lease.is_over() {
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
        let (id, holder) = (self.lease.id(), self.lease.holder());
        let forgotten =
            self.taker.db.transact("dropped_file.unnote", self.lease.tenant(), async move |mut tx| {
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
        let content = verdicts::written(&self.taker.db, self.lease.tenant(), &file, key).await?;
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
        let (id, holder) = (self.lease.id(), self.lease.holder());
        let ended = self.taker.db.transact("dropped_file.end", self.lease.tenant(), async move |mut tx| {
            if let Some(file) = store::held(&mut tx, id, holder).await? {
                let now = tx.now();
                store::end(&mut tx, &file, now).await?;
                tx.notify(DROPPED_FILES);
            }
            Ok((tx, Then::LetGo))
        });
        Ok(ended.await?)
    }
}
