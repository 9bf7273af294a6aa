//! File drops: places that files of complaints are put into, what is settled about each, and how
//! far it is watched.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::dropped_file::Problem;

/// Most drops of a tenant.
pub(crate) const MAX_FILE_DROPS: i64 = 50;
/// Longest that a drop may be silent before it is told.
pub(crate) const MAX_SILENT: Duration = Duration::from_hours(90 * 24);
/// Longest path of a drop.
pub(crate) const MAX_PATH: usize = 200;
/// When a drop is tried again that could not be looked into, for the first time; the double each
/// time after that.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// Longest until one is tried again.
const LAST_RETRY: Duration = Duration::from_mins(5);

kernel::numbered! {
    /// What kind of place a drop is; numbers of the contract.
    Place {
        /// A folder.
        Folder = 1,
        /// Keys of a bucket.
        Bucket = 2,
    }
}

kernel::numbered! {
    /// How far a drop is; numbers of the contract.
    State {
        /// Nobody looks into it just now.
        Waiting = 1,
        /// It is watched.
        Watching = 2,
        /// It cannot be looked into.
        Failing = 3,
        /// It is watched, and silent for too long.
        Silent = 4,
        /// Somebody said that it is to be left alone.
        Paused = 5,
    }
}

/// What is settled about a drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Its name.
    pub(crate) id: String,
    /// What kind of place it is.
    pub(crate) place: Place,
    /// Where it is, below what is the tenant's.
    pub(crate) path: String,
    /// Number of the contract's channel, by which its complaints come.
    pub(crate) channel: i16,
    /// The authority, of a regulator's.
    pub(crate) authority: String,
    /// Which column becomes which field; empty where headings are fields.
    pub(crate) mapping: String,
    /// The sheet of workbooks; empty for the first.
    pub(crate) sheet: String,
    /// The encoding of texts; empty where each tells.
    pub(crate) encoding: String,
    /// What separates cells; empty where each file tells.
    pub(crate) separator: String,
    /// Who answers for it.
    pub(crate) owner: String,
    /// Language of complaints that name none.
    pub(crate) language: String,
    /// How long it may be silent; none: as long as it likes.
    pub(crate) silent_after: Option<Duration>,
    /// Whether it is left alone.
    pub(crate) paused: bool,
}

/// Why a drop cannot be looked into, or a file not be gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// A stable name.
    pub(crate) reason: String,
    /// In words.
    pub(crate) words: String,
    /// Since when.
    pub(crate) since: Timestamp,
}

/// A drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileDrop {
    /// What is settled about it.
    pub(crate) settings: Settings,
    /// Counts the changes, from 1.
    pub(crate) version: i64,
    /// Who changed it last.
    pub(crate) updater: String,
    /// When.
    pub(crate) updated: Timestamp,
    /// Until when somebody watches it.
    pub(crate) held_until: Option<Timestamp>,
    /// When it was last looked into.
    pub(crate) looked: Option<Timestamp>,
    /// When a file was last found in it.
    pub(crate) last_file: Option<Timestamp>,
    /// Why it cannot be looked into.
    pub(crate) failure: Option<Failure>,
    /// How often in a row it could not be.
    pub(crate) attempts: i32,
}

impl FileDrop {
    /// One that was just set up.
    pub(crate) fn new(settings: Settings, updater: String, now: Timestamp) -> Self {
        Self {
            settings,
            version: 1,
            updater,
            updated: now,
            held_until: None,
            looked: None,
            last_file: None,
            failure: None,
            attempts: 0,
        }
    }

    /// Changes what is settled; whatever was wrong is tried anew.
    pub(crate) fn change(&mut self, settings: Settings, updater: String, now: Timestamp) {
        self.settings = settings;
        self.version += 1;
        (self.updater, self.updated) = (updater, now);
        (self.failure, self.attempts, self.held_until, self.looked) = (None, 0, None, None);
    }

    /// How far it is.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        if self.settings.paused {
            return State::Paused;
        }
        if self.failure.is_some() {
            return State::Failing;
        }
        if self.is_silent(now) {
            return State::Silent;
        }
        let is_watched = self.looked.is_some() && self.held_until.is_some_and(|until| until > now);
        if is_watched { State::Watching } else { State::Waiting }
    }

    /// Whether no file has come for longer than is usual: since the last, or since it was set up.
    fn is_silent(&self, now: Timestamp) -> bool {
        let since = self.last_file.unwrap_or(self.updated);
        let told = self.settings.silent_after.and_then(|after| since.saturating_add(after).ok());
        told.is_some_and(|told| told < now)
    }
}

/// What is tried.
pub(crate) enum On {
    /// A sample: its name, and its bytes.
    Sample(String, Vec<u8>),
    /// A file that was put into a drop.
    Kept(Uuid),
}

/// How a file would be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tried {
    /// Why it would be refused whole.
    pub(crate) refused: Option<String>,
    /// How it is written, and what becomes of its columns.
    pub(crate) layout: imports::Layout,
    /// The first rows that can be read: their numbers, and fields with values.
    pub(crate) first_rows: Vec<(u64, Vec<(String, String)>)>,
    /// What is wrong with the first rows that would be refused.
    pub(crate) problems: Vec<Problem>,
    /// How many rows were read.
    pub(crate) rows: u64,
    /// How many of them would be refused.
    pub(crate) refused_rows: u64,
    /// Whether there are more.
    pub(crate) has_more: bool,
}

impl Settings {
    /// Whether it is in the same place.
    pub(crate) fn lies_where(&self, other: &Self) -> bool {
        (self.place, &self.path) == (other.place, &other.path)
    }

    /// Whether one of two drops would look at what is the other's. There are file systems that
    /// take capitals for small letters.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let (one, two) =
            (format!("{}/", self.path).to_lowercase(), format!("{}/", other.path).to_lowercase());
        self.place == other.place && (one.starts_with(&two) || two.starts_with(&one))
    }
}

/// Whether a text is the path of a drop: parts that no file system resolves, between slashes.
pub(crate) fn is_path(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(is_plain);
    text.len() <= MAX_PATH && text.split('/').all(is_part)
}

/// When a drop is tried again that could not be looked into so often in a row.
pub(crate) fn retry(attempts: i32) -> Duration {
    kernel::time::doubled(FIRST_RETRY, LAST_RETRY, attempts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    fn settings(path: &str) -> Settings {
        Settings {
            id: "partner".to_owned(),
            place: Place::Folder,
            path: path.to_owned(),
            channel: 10,
            authority: String::new(),
            mapping: String::new(),
            sheet: String::new(),
            encoding: String::new(),
            separator: String::new(),
            owner: "ada".to_owned(),
            language: "en".to_owned(),
            silent_after: Some(Duration::from_secs(100)),
            paused: false,
        }
    }

    #[test]
    fn a_drop_is_as_far_as_what_is_known_of_it() {
        let mut one = FileDrop::new(settings("a"), "ada".to_owned(), at(0));
        assert_eq!(one.state(at(1)), State::Waiting);
        (one.held_until, one.looked) = (Some(at(50)), Some(at(2)));
        assert_eq!(one.state(at(49)), State::Watching);
        assert_eq!(one.state(at(50)), State::Waiting, "who watches it has not been heard of");
        assert_eq!(one.state(at(101)), State::Silent);
        one.last_file = Some(at(60));
        assert_eq!(one.state(at(101)), State::Waiting);
        one.failure =
            Some(Failure { reason: "FOLDER_MISSING".to_owned(), words: String::new(), since: at(3) });
        assert_eq!(one.state(at(161)), State::Failing);
        one.settings.paused = true;
        assert_eq!(one.state(at(161)), State::Paused);
        one.change(settings("a"), "bob".to_owned(), at(200));
        assert_eq!((one.version, one.failure.is_none(), one.state(at(201))), (2, true, State::Silent));
    }

    #[test]
    fn drops_overlap_where_one_is_within_the_other() {
        let overlap = |one: &str, two: &str| {
            let both = [settings(one).overlaps(&settings(two)), settings(two).overlaps(&settings(one))];
            assert_eq!(both[0], both[1], "{one} {two}");
            both[0]
        };
        for (one, two) in [("a", "a"), ("a", "A"), ("a", "a/b"), ("a/B", "a/b/c")] {
            assert!(overlap(one, two), "{one} {two}");
        }
        for (one, two) in [("a", "b"), ("a", "ab"), ("a/b", "a/c"), ("a/b", "a/bc")] {
            assert!(!overlap(one, two), "{one} {two}");
        }
        let bucket = Settings { place: Place::Bucket, ..settings("a") };
        assert!(!bucket.overlaps(&settings("a")));
    }

    #[test]
    fn a_path_leads_nowhere_but_down() {
        for path in ["a", "acme/daily", "a.b/c-d_e/F1"] {
            assert!(is_path(path), "{path}");
        }
        let long = "a".repeat(MAX_PATH + 1);
        for path in
            ["", "/", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.b", "a\\b", "a b", "甲", "a\0", &long]
        {
            assert!(!is_path(path), "{path}");
        }
    }
}
