//! A drop that is a bucket's keys.
//!
//! There is no moving in a bucket: a file is copied by the store to where those go that are done
//! with, and what lay there is deleted then. Left where they are and known by their tags, files
//! would be listed at each look, for ever.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::sync::Arc;

use kernel::Clock;
use objects::{Bucket, Failure, Listed, MAX_OBJECT};
use sha2::{Digest as _, Sha256};

use super::VERDICTS;
use super::place::{Look, Spooled, Wrong};
use crate::dropped_file::{DroppedFile, INCOMING, Lying, MARKER, MAX_FILE, NameKind, name_kind, shown};

/// Most pages that one look goes through.
const MAX_PAGES: usize = 40;
/// Most files that one look finds: others are found when those were moved.
const MAX_FOUND: usize = 1_000;
/// Bytes copied at once.
const BLOCK: u64 = MAX_OBJECT as u64;

/// The keys of a drop.
#[derive(Clone)]
pub(crate) struct Keys {
    /// The bucket.
    pub(crate) bucket: Bucket,
    /// What they begin with.
    pub(crate) below: String,
    /// Calls are signed with the time.
    pub(crate) clock: Arc<dyn Clock>,
}

fn wrong(what: &str, failure: &Failure) -> Wrong {
    let reason = match failure {
        Failure::Unreachable(_) | Failure::TooLate => "STORE_UNREACHABLE",
        Failure::Unreadable(_) => "SPOOL_FAILS",
        Failure::Missing => "OBJECT_MISSING",
        Failure::Refused(..) | Failure::OtherLength | Failure::NoList => "STORE_REFUSED",
    };
    Wrong { reason, words: format!("{what}: {failure}") }
}

fn spool_wrong(error: &std::io::Error) -> Wrong {
    Wrong { reason: "SPOOL_FAILS", words: format!("the folder of temporary files: {error}") }
}

/// What tells an object from another, or a later, of the same key.
fn mark(object: &Listed) -> String {
    format!("{}:{}", object.tag, object.size)
}

impl Keys {
    fn key(&self, folder: &str, name: &str) -> String {
        format!("{}/{folder}/{name}", self.below)
    }

    /// The object of a key, if there is one.
    async fn find(&self, key: &str) -> Result<Option<Listed>, Wrong> {
        let listed = self.bucket.list(self.clock.now(), key, None).await;
        let listed = listed.map_err(|failure| wrong(key, &failure))?;
        Ok(listed.objects.into_iter().find(|object| object.key == key))
    }

    /// The files that lie there, by name.
    pub(crate) async fn look(&self) -> Result<Look, Wrong> {
        let prefix = self.key(INCOMING, "");
        let (mut files, mut complete, mut unreadable) = (Vec::new(), HashSet::new(), Vec::new());
        let mut next: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page = self.bucket.list(self.clock.now(), &prefix, next.as_deref()).await;
            let page = page.map_err(|failure| wrong(&prefix, &failure))?;
            for object in page.objects {
                let Some(name) = object.key.strip_prefix(&prefix) else { continue };
                match name_kind(name) {
                    NameKind::PassedOver => {}
                    NameKind::Unreadable => unreadable.push(shown(name.as_bytes())),
                    NameKind::Marker => {
                        complete.extend(name.strip_suffix(MARKER).map(str::to_owned));
                    }
                    NameKind::File => {
                        files.push(Lying { name: name.to_owned(), size: object.size, mark: mark(&object) });
                    }
                }
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        files.truncate(MAX_FOUND);
        Ok(Look { files, complete, unreadable })
    }

    /// Copies a file to where nobody else writes, if it is still the one that was noted.
    pub(crate) async fn spool(&self, noted: &Lying) -> Result<Spooled, Wrong> {
        let key = self.key(INCOMING, &noted.name);
        let is_it = |object: &Listed| mark(object) == noted.mark;
        match self.find(&key).await? {
            None => return Ok(Spooled::Gone),
            Some(object) if !is_it(&object) => return Ok(Spooled::Changed),
            Some(_) => {}
        }
        let (file, sha256) = match self.fetch(&key, noted.size).await {
            // It may be a shorter one by now.
            Err(wrong) if self.find(&key).await?.is_some_and(|object| is_it(&object)) => return Err(wrong),
            Err(_) => return Ok(Spooled::Changed),
            Ok(fetched) => fetched,
        };
        let still = self.find(&key).await?.is_some_and(|object| is_it(&object));
        Ok(if still { Spooled::Content(file, sha256) } else { Spooled::Changed })
    }

    /// Copies a file from where it was put, or moved to; none where it is not there, or is another.
    pub(crate) async fn kept(&self, file: &DroppedFile) -> Result<Option<File>, Wrong> {
        for (folder, name) in file.places() {
            let key = self.key(folder, &name);
            let Some(found) = self.find(&key).await? else { continue };
            if found.size != file.lying.size {
                continue;
            }
            // Copied, it may have another tag: then what it says tells it.
            let (content, sha256) = self.fetch(&key, found.size).await?;
            if file.sha256.map_or(mark(&found) == file.lying.mark, |known| known == sha256) {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }

    /// An object as a file, and the SHA-256 of it.
    async fn fetch(&self, key: &str, size: u64) -> Result<(File, [u8; 32]), Wrong> {
        let mut file = tempfile::tempfile().map_err(|error| spool_wrong(&error))?;
        let (mut digest, mut from) = (Sha256::new(), 0);
        while from < size.min(MAX_FILE) {
            let to = size.min(from + BLOCK);
            let block = self.bucket.get(self.clock.now(), key, from..to).await;
            let block = block.map_err(|failure| wrong(key, &failure))?;
            let written = tokio::task::spawn_blocking(move || {
                digest.update(&block);
                file.write_all(&block).map(|()| (file, digest))
            });
            let written = written.await.map_err(|error| spool_wrong(&std::io::Error::other(error)))?;
            (file, digest) = written.map_err(|error| spool_wrong(&error))?;
            from = to;
        }
        file.rewind().map_err(|error| spool_wrong(&error))?;
        Ok((file, digest.finalize().into()))
    }

    /// Writes a verdict file, whole. What has its name and says something else is kept.
    pub(crate) async fn write(&self, file: &DroppedFile, content: File) -> Result<(), Wrong> {
        let name = file.verdict_name();
        let key = self.key(VERDICTS, &name);
        let size = content.metadata().map_err(|error| spool_wrong(&error))?.len();
        if let Some(there) = self.find(&key).await? {
            let copy = content.try_clone().map_err(|error| spool_wrong(&error))?;
            let sha256 = async {
                let mine = tokio::task::spawn_blocking(move || sha256_of(copy)).await;
                mine.map_err(std::io::Error::other)?
            };
            let sha256 = sha256.await.map_err(|error| spool_wrong(&error))?;
            if there.size == size && self.fetch(&key, size).await?.1 == sha256 {
                return Ok(());
            }
            let other = self.key(VERDICTS, &file.other_name(&name));
            self.copy(&key, &other).await?;
        }
        let put = self.bucket.put_file(self.clock.now(), &key, content).await;
        put.map_err(|failure| wrong(&key, &failure))
    }

    async fn copy(&self, from: &str, to: &str) -> Result<(), Wrong> {
        let copied = self.bucket.copy(self.clock.now(), from, to).await;
        copied.map_err(|failure| wrong(to, &failure))
    }

    /// Moves a file, and what says that it is complete, to where its kind goes; nothing where it is
    /// no longer there, or another. What has its name there is kept.
    pub(crate) async fn put_away(&self, file: &DroppedFile) -> Result<(), Wrong> {
        let name = file.lying.name.as_str();
        let found = self.find(&self.key(INCOMING, name)).await?;
        if found.is_none_or(|object| mark(&object) != file.lying.mark) {
            return Ok(());
        }
        // First, so that it never says of the next file of this name that it is complete.
        let marker = format!("{name}{MARKER}");
        for name in [marker.as_str(), name] {
            let from = self.key(INCOMING, name);
            let Some(object) = self.find(&from).await? else { continue };
            let mut to = self.key(file.folder(), name);
            let there = self.find(&to).await?;
            if there.is_some_and(|there| mark(&there) != mark(&object)) {
                to = self.key(file.folder(), &file.other_name(name));
            }
            self.copy(&from, &to).await?;
            let deleted = self.bucket.delete(self.clock.now(), &from).await;
            deleted.map_err(|failure| wrong(&from, &failure))?;
        }
        Ok(())
    }
}

/// The SHA-256 of a file, from its beginning.
fn sha256_of(mut file: File) -> std::io::Result<[u8; 32]> {
    file.rewind()?;
    let mut digest = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        let read = std::io::Read::read(&mut file, &mut block)?;
        if read == 0 {
            return Ok(digest.finalize().into());
        }
        digest.update(&block[..read]);
    }
}
