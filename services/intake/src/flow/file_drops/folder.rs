//! A drop that is a folder.
//!
//! Whoever may write into it may be anybody: each part of the path is opened by itself, from the
//! one before, and no symbolic link is followed, so that nothing outside of the folder is ever
//! read, written or moved.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek as _, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{self, AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::path::Arg;
use sha2::{Digest as _, Sha256};

use super::VERDICTS;
use super::place::{Look, Spooled, Wrong};
use crate::dropped_file::{DroppedFile, INCOMING, Lying, MARKER, MAX_FILE, NameKind, name_kind, shown};

/// Most names that one look goes through.
const MAX_NAMES: usize = 100_000;
/// Most files that one look finds: others are found when those were moved.
const MAX_FOUND: usize = 1_000;
/// Bytes copied at once.
const BLOCK: usize = 1 << 20;
/// How folders and files are made: the rest is for the umask.
const FOLDER_MODE: Mode = Mode::RWXU.union(Mode::RWXG);
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP).union(Mode::WGRP);

/// A folder, and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// The operator's folder.
    pub(crate) root: PathBuf,
    /// The parts below it: the tenant's, then the drop's.
    pub(crate) below: Vec<String>,
}

/// What went wrong with something in it.
fn wrong(what: &str, error: Errno) -> Wrong {
    let reason = match error {
        Errno::NOENT => "FOLDER_MISSING",
        Errno::NOTDIR | Errno::LOOP => "NO_FOLDER",
        Errno::ACCESS | Errno::PERM | Errno::ROFS => "FOLDER_FORBIDDEN",
        Errno::NOSPC | Errno::DQUOT => "FOLDER_FULL",
        _ => "FOLDER_FAILS",
    };
    let words = match error {
        Errno::NOTDIR | Errno::LOOP => format!("{what} is no folder, or a symbolic link"),
        error => format!("{what}: {error}"),
    };
    Wrong { reason, words }
}

fn io_wrong(what: &str, error: &std::io::Error) -> Wrong {
    match Errno::from_io_error(error) {
        Some(errno) => wrong(what, errno),
        None => Wrong { reason: "FOLDER_FAILS", words: format!("{what}: {error}") },
    }
}

/// What tells a file from another, or a later, of the same name.
fn mark(stat: &Stat) -> String {
    format!("{}.{}:{}", stat.st_mtime, stat.st_mtime_nsec, stat.st_size)
}

fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

fn open_folder(at: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(at, name, flags, Mode::empty())
}

/// A file of a folder as it lies there, if it does.
fn lying(at: &OwnedFd, name: impl Arg) -> Result<Option<Stat>, Errno> {
    match fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Folder {
    /// The drop's own folder.
    fn open(&self) -> Result<OwnedFd, Wrong> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut at = fs::open(&self.root, flags, Mode::empty())
            .map_err(|error| wrong("the folder REDRESS_DROP_FOLDER", error))?;
        for (place, part) in self.below.iter().enumerate() {
            at = open_folder(&at, part).map_err(|error| wrong(&self.below[..=place].join("/"), error))?;
        }
        Ok(at)
    }

    fn incoming(&self, drop: &OwnedFd) -> Result<OwnedFd, Wrong> {
        open_folder(drop, INCOMING).map_err(|error| wrong(&self.named(INCOMING), error))
    }

    /// A folder beside it, made where it is not there.
    fn beside(&self, drop: &OwnedFd, name: &str) -> Result<OwnedFd, Wrong> {
        let told = |error| wrong(&self.named(name), error);
        match open_folder(drop, name) {
            Err(Errno::NOENT) => match fs::mkdirat(drop, name, FOLDER_MODE) {
                Ok(()) | Err(Errno::EXIST) => open_folder(drop, name).map_err(told),
                Err(error) => Err(told(error)),
            },
            opened => opened.map_err(told),
        }
    }

    fn named(&self, name: &str) -> String {
        format!("{}/{name}", self.below.join("/"))
    }

    /// The files that lie there, by name.
    pub(crate) fn look(&self) -> Result<Look, Wrong> {
        let incoming = self.incoming(&self.open()?)?;
        let told = |error| wrong(&self.named(INCOMING), error);
        let (mut files, mut complete, mut unreadable) = (Vec::new(), HashSet::new(), Vec::new());
        for entry in Dir::read_from(&incoming).map_err(told)?.take(MAX_NAMES) {
            let entry = entry.map_err(told)?;
            let name = entry.file_name();
            let text = name.to_str();
            let kind = name_kind(&name.to_string_lossy());
            // It may have been moved meanwhile.
            let found = || Ok(lying(&incoming, name).map_err(told)?.filter(is_file));
            match (kind, text) {
                (NameKind::PassedOver, _) => {}
                (NameKind::Marker, Ok(name)) => {
                    complete.extend(name.strip_suffix(MARKER).map(str::to_owned));
                }
                (NameKind::File, Ok(name)) => files.extend(found()?.map(|stat| Lying {
                    name: name.to_owned(),
                    size: u64::try_from(stat.st_size).unwrap_or(0),
                    mark: mark(&stat),
                })),
                (NameKind::Unreadable, _) | (_, Err(_)) => {
                    unreadable.extend(found()?.map(|_| shown(name.to_bytes())));
                }
            }
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        files.truncate(MAX_FOUND);
        unreadable.sort();
        Ok(Look { files, complete, unreadable })
    }

    /// Copies a file to where nobody else writes, if it is still the one that was noted.
    pub(crate) fn spool(&self, noted: &Lying) -> Result<Spooled, Wrong> {
        let incoming = self.incoming(&self.open()?)?;
        let what = self.named(&format!("{INCOMING}/{}", noted.name));
        copied(&incoming, (&noted.name, &what), &noted.mark)
    }

    /// Copies a file from where it was put, or moved to; none where it is not there, or is another.
    pub(crate) fn kept(&self, file: &DroppedFile) -> Result<Option<File>, Wrong> {
        let drop = self.open()?;
        for (folder, name) in file.places() {
            let what = self.named(&format!("{folder}/{name}"));
            let at = match open_folder(&drop, folder) {
                Ok(at) => at,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(wrong(&what, error)),
            };
            if let Spooled::Content(content, sha256) = copied(&at, (&name, &what), &file.lying.mark)?
                && file.sha256.is_none_or(|known| known == sha256)
            {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }

    /// Writes a verdict file: under another name, and under its own once it is whole. What has
    /// its name and says something else is kept.
    pub(crate) fn write(&self, file: &DroppedFile, mut content: File) -> Result<(), Wrong> {
        let drop = self.open()?;
        let verdicts = self.beside(&drop, VERDICTS)?;
        let name = file.verdict_name();
        let (what, unfinished) = (self.named(&format!("{VERDICTS}/{name}")), format!(".{name}.part"));
        let told = |error| wrong(&what, error);
        match fs::unlinkat(&verdicts, unfinished.as_str(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(told(error)),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut to = File::from(fs::openat(&verdicts, unfinished.as_str(), flags, FILE_MODE).map_err(told)?);
        content.rewind().map_err(|error| spool_wrong(&error))?;
        let sha256 = copy(&mut content, &mut to, &what)?;
        fs::fsync(&to).map_err(told)?;
        if lying(&verdicts, &name).map_err(told)?.is_some() && !self.says(&verdicts, &name, sha256)? {
            let other = file.other_name(&name);
            fs::renameat(&verdicts, name.as_str(), &verdicts, other.as_str()).map_err(told)?;
        }
        fs::renameat(&verdicts, unfinished.as_str(), &verdicts, name.as_str()).map_err(told)?;
        fs::fsync(&verdicts).map_err(told)
    }

    /// Whether what lies there is a file of this content.
    fn says(&self, at: &OwnedFd, name: &str, sha256: [u8; 32]) -> Result<bool, Wrong> {
        let what = self.named(name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = fs::openat(at, name, flags, Mode::empty()) else { return Ok(false) };
        let is_one = fs::fstat(&file).is_ok_and(|stat| is_file(&stat));
        Ok(is_one && copy(&mut File::from(file), &mut std::io::sink(), &what)? == sha256)
    }

    /// Moves a file, and what says that it is complete, to where its kind goes; nothing where it is
    /// no longer there, or another. What has its name there is kept.
    pub(crate) fn put_away(&self, file: &DroppedFile) -> Result<(), Wrong> {
        let drop = self.open()?;
        let incoming = self.incoming(&drop)?;
        let (name, folder) = (file.lying.name.as_str(), file.folder());
        let told = |error| wrong(&self.named(&format!("{folder}/{name}")), error);
        let found = lying(&incoming, name).map_err(told)?;
        if found.is_none_or(|stat| !is_file(&stat) || mark(&stat) != file.lying.mark) {
            return Ok(());
        }
        let to = self.beside(&drop, folder)?;
        // First, so that it never says of the next file of this name that it is complete.
        let marker = format!("{name}{MARKER}");
        for name in [marker.as_str(), name] {
            let taken = lying(&to, name).map_err(told)?.is_some();
            let target = if taken { file.other_name(name) } else { name.to_owned() };
            match fs::renameat(&incoming, name, &to, target.as_str()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(told(error)),
            }
        }
        fs::fsync(&to).map_err(told)?;
        fs::fsync(&incoming).map_err(told)
    }
}

/// A copy of a file, if it has a mark.
fn copied(at: &OwnedFd, (name, what): (&str, &str), marked: &str) -> Result<Spooled, Wrong> {
    // What is no file would never end, or wait for somebody to write.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut from = match fs::openat(at, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(Spooled::Gone),
        Err(Errno::LOOP) => return Ok(Spooled::Changed),
        Err(error) => return Err(wrong(what, error)),
    };
    let is_it = |file: &File| {
        let stat = fs::fstat(file).map_err(|error| wrong(what, error))?;
        Ok(is_file(&stat) && mark(&stat) == marked)
    };
    if !is_it(&from)? {
        return Ok(Spooled::Changed);
    }
    let mut spool = tempfile::tempfile().map_err(|error| spool_wrong(&error))?;
    let sha256 = copy(&mut from, &mut spool, what)?;
    spool.rewind().map_err(|error| spool_wrong(&error))?;
    Ok(if is_it(&from)? { Spooled::Content(spool, sha256) } else { Spooled::Changed })
}

fn spool_wrong(error: &std::io::Error) -> Wrong {
    Wrong { reason: "SPOOL_FAILS", words: format!("the folder of temporary files: {error}") }
}

/// Copies to the end; answers the SHA-256 of it.
fn copy(from: &mut impl Read, to: &mut impl Write, what: &str) -> Result<[u8; 32], Wrong> {
    let (mut digest, mut block, mut copied) = (Sha256::new(), vec![0; BLOCK], 0_u64);
    loop {
        let read = from.read(&mut block).map_err(|error| io_wrong(what, &error))?;
        copied += read as u64;
        // It grows: who noted it will find that it is another.
        if read == 0 || copied > MAX_FILE {
            return Ok(digest.finalize().into());
        }
        digest.update(&block[..read]);
        to.write_all(&block[..read]).map_err(|error| io_wrong(what, &error))?;
    }
}
