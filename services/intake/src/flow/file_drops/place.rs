//! Where the files of drops lie.

use std::collections::HashSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, TenantId};
use objects::Bucket;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use work_queue::Trouble;

use super::bucket::Keys;
use super::folder::Folder;
use crate::dropped_file::{DroppedFile, Lying};
use crate::file_drop::{Place, Settings};

/// Calls of file systems under way at once: one that hangs keeps its thread.
const MAX_CALLS: usize = 16;
/// Longest that a look may take, and a move.
const QUICK: Duration = Duration::from_secs(30);
/// Longest that a file may take to be copied.
const LONG: Duration = Duration::from_mins(10);

/// Why a place cannot be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// A stable name.
    pub(crate) reason: &'static str,
    /// In words.
    pub(crate) words: String,
}

impl From<Wrong> for Trouble {
    fn from(wrong: Wrong) -> Self {
        Self::of_work(wrong.reason, wrong.words)
    }
}

/// What lies in a drop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// The files, by name.
    pub(crate) files: Vec<Lying>,
    /// The names of those that somebody says are complete.
    pub(crate) complete: HashSet<String>,
    /// Names of files that cannot be taken, as far as they can be shown.
    pub(crate) unreadable: Vec<String>,
}

/// A file that was to be copied.
#[derive(Debug)]
pub(crate) enum Spooled {
    /// Its content, and the SHA-256 of it.
    Content(File, [u8; 32]),
    /// It is no longer there.
    Gone,
    /// It is another than the one that was noted.
    Changed,
}

/// The places that the operator has set.
pub(crate) struct Places {
    clock: Arc<dyn Clock>,
    folder: Option<PathBuf>,
    bucket: Option<Bucket>,
    calls: Arc<Semaphore>,
}

impl Places {
    /// Those of the settings.
    pub(crate) fn new(clock: Arc<dyn Clock>, settings: &server::Settings) -> anyhow::Result<Self> {
        let drops = &settings.drops;
        let bucket = settings.objects.bucket_of(drops.bucket.as_deref(), "REDRESS_DROP_BUCKET")?;
        let folder = drops.folder.clone().filter(|folder| !folder.as_os_str().is_empty());
        Ok(Self { clock, folder, bucket, calls: Arc::new(Semaphore::new(MAX_CALLS)) })
    }

    /// Whether there is such a place.
    pub(crate) fn has(&self, place: Place) -> bool {
        match place {
            Place::Folder => self.folder.is_some(),
            Place::Bucket => self.bucket.is_some(),
        }
    }

    /// That of a drop. Each tenant has a folder, or keys, of its own, so that none looks into
    /// another's.
    pub(crate) fn of(&self, tenant: &TenantId, settings: &Settings) -> Result<DropPlace, Wrong> {
        let unset = || Wrong {
            reason: "PLACE_UNSET",
            words: "the operator has set no such place any more".to_owned(),
        };
        match settings.place {
            Place::Folder => {
                let root = self.folder.clone().ok_or_else(unset)?;
                let parts = settings.path.split('/').map(str::to_owned);
                let below = std::iter::once(tenant.as_str().to_owned()).chain(parts).collect();
                Ok(DropPlace::Folder(Folder { root, below }, self.calls.clone()))
            }
            Place::Bucket => Ok(DropPlace::Bucket(Box::new(Keys {
                bucket: self.bucket.clone().ok_or_else(unset)?,
                below: format!("{tenant}/{}", settings.path),
                clock: self.clock.clone(),
            }))),
        }
    }
}

/// Where the files of one drop lie.
#[derive(Clone)]
pub(crate) enum DropPlace {
    /// In a folder; and who may call the file system.
    Folder(Folder, Arc<Semaphore>),
    /// In a bucket.
    Bucket(Box<Keys>),
}

impl DropPlace {
    /// What lies there.
    pub(crate) async fn look(&self) -> Result<Look, Wrong> {
        match self {
            Self::Folder(folder, calls) => call((folder, calls), QUICK, Folder::look).await,
            Self::Bucket(keys) => keys.look().await,
        }
    }

    /// Copies a file to where nobody else writes, if it is still the one that was noted.
    pub(crate) async fn spool(&self, noted: &Lying) -> Result<Spooled, Wrong> {
        match self {
            Self::Folder(folder, calls) => {
                let noted = noted.clone();
                call((folder, calls), LONG, move |folder| folder.spool(&noted)).await
            }
            Self::Bucket(keys) => keys.spool(noted).await,
        }
    }

    /// Copies a file from where it was put, or moved to; none where it is not there, or is another.
    pub(crate) async fn kept(&self, file: &DroppedFile) -> Result<Option<File>, Wrong> {
        match self {
            Self::Folder(folder, calls) => {
                let file = file.clone();
                call((folder, calls), QUICK, move |folder| folder.kept(&file)).await
            }
            Self::Bucket(keys) => keys.kept(file).await,
        }
    }

    /// Writes the verdict file of a file.
    pub(crate) async fn write(&self, file: &DroppedFile, content: File) -> Result<(), Wrong> {
        match self {
            Self::Folder(folder, calls) => {
                let file = file.clone();
                call((folder, calls), LONG, move |folder| folder.write(&file, content)).await
            }
            Self::Bucket(keys) => keys.write(file, content).await,
        }
    }

    /// Moves a file to where those go that are done with.
    pub(crate) async fn put_away(&self, file: &DroppedFile) -> Result<(), Wrong> {
        match self {
            Self::Folder(folder, calls) => {
                let file = file.clone();
                call((folder, calls), QUICK, move |folder| folder.put_away(&file)).await
            }
            Self::Bucket(keys) => keys.put_away(file).await,
        }
    }
}

/// Does something with the file system, on a thread of its own: a share may hang, and is not to
/// keep other work of the process waiting, as it would where what computes has its places.
async fn call<T: Send + 'static>(
    (folder, calls): (&Folder, &Arc<Semaphore>),
    patience: Duration,
    job: impl FnOnce(&Folder) -> Result<T, Wrong> + Send + 'static,
) -> Result<T, Wrong> {
    let late = || Wrong { reason: "FOLDER_HANGS", words: "the folder does not answer in time".to_owned() };
    let calling = async {
        let place = calls.clone().acquire_owned().await.map_err(|_| late())?;
        let folder = folder.clone();
        let job = tokio::task::spawn_blocking(move || {
            let done = job(&folder);
            drop(place);
            done
        });
        job.await.map_err(|error| Wrong { reason: "FOLDER_FAILS", words: error.to_string() })?
    };
    timeout(patience, calling).await.unwrap_or_else(|_| Err(late()))
}
