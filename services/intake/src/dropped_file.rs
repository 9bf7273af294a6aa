//! Files that were put into drops: which names are taken, how far a file is, and what became of
//! its rows.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Most bytes of a file, and of what it unpacks to.
pub(crate) const MAX_FILE: u64 = 1 << 30;
/// Most rows of a file.
pub(crate) const MAX_ROWS: u64 = 1_000_000;
/// Longest name of a file, in bytes: file systems mostly have 255, and names of verdict files are
/// longer.
const MAX_NAME: usize = 200;
/// Letters that are shown of a name that cannot be read.
const MAX_SHOWN: usize = 100;
/// Problems that are told of a file, the first.
pub(crate) const MAX_PROBLEMS: usize = 20;
/// Longest text of a problem.
const MAX_PROBLEM: usize = 1_000;
/// How the names of files end that are still being written.
const UNFINISHED: [&str; 3] = [".part", ".filepart", ".tmp"];
/// How the name of a file ends that says that another is complete.
pub(crate) const MARKER: &str = ".done";
/// What keys of rows begin with.
const KEY_VERSION: &[u8] = b"redress.file_drop.1";

/// The folder of a drop that files are put into.
pub(crate) const INCOMING: &str = "incoming";

kernel::numbered! {
    /// What became of a file; numbers of the contract.
    State {
        /// It is noted.
        Waiting = 1,
        /// Its rows are being registered, or their verdicts written.
        Reading = 2,
        /// Each of its rows has a verdict, and it was moved.
        Done = 3,
        /// It was refused whole, and moved.
        Refused = 4,
    }
}

/// Why a file is refused whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhyRefused {
    /// It has more bytes than a file may.
    TooLarge,
    /// It has more rows than a file may.
    TooManyRows,
    /// It is of no kind that is read, or its headings do not fit the mapping.
    Unreadable,
    /// It is another than the one whose rows were registered before.
    Changed,
    /// It is no longer there.
    Gone,
    /// Its drop was set to another place.
    DropMoved,
    /// Its drop was deleted.
    DropDeleted,
}

impl WhyRefused {
    /// A stable name.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "FILE_TOO_LARGE",
            Self::TooManyRows => "TOO_MANY_ROWS",
            Self::Unreadable => "FILE_UNREADABLE",
            Self::Changed => "FILE_CHANGED",
            Self::Gone => "FILE_GONE",
            Self::DropMoved => "FILE_DROP_MOVED",
            Self::DropDeleted => "FILE_DROP_DELETED",
        }
    }

    /// The same in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::TooLarge => "a file may have 1 GiB; send its rows in several",
            Self::TooManyRows => "a file may have 1 000 000 rows; send the rest in another",
            Self::Unreadable => "it cannot be read",
            Self::Changed => "it was replaced by another while its rows were registered",
            Self::Gone => "it was taken away before it was read",
            Self::DropMoved => "its drop was set to another place",
            Self::DropDeleted => "its drop was deleted",
        }
    }
}

/// Name of the status that goes with a reason for which a file is refused whole.
pub(crate) fn code_of(reason: &str) -> &'static str {
    let of_content = [WhyRefused::TooLarge, WhyRefused::TooManyRows, WhyRefused::Unreadable];
    if of_content.iter().any(|why| why.reason() == reason) {
        "INVALID_ARGUMENT"
    } else {
        "FAILED_PRECONDITION"
    }
}

/// What a name is, in a place that files are put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameKind {
    /// A file to be taken.
    File,
    /// It says that another file is complete.
    Marker,
    /// Somebody is still writing it, or it is nothing of ours.
    PassedOver,
    /// It cannot be kept, nor be named to anybody.
    Unreadable,
}

/// What a name is.
pub(crate) fn name_kind(name: &str) -> NameKind {
    let lower = name.to_lowercase();
    let is_unfinished = lower.starts_with('.') || UNFINISHED.iter().any(|end| lower.ends_with(end));
    let is_plain = !name.contains(|c: char| c.is_control() || c == '\\');
    // Keys of a bucket below another.
    if is_unfinished || name.is_empty() || name.contains('/') {
        NameKind::PassedOver
    } else if !is_plain {
        NameKind::Unreadable
    } else if name.ends_with(MARKER) {
        NameKind::Marker
    } else if name.len() > MAX_NAME {
        NameKind::Unreadable
    } else {
        NameKind::File
    }
}

/// A name that cannot be read, as far as it can be shown.
pub(crate) fn shown(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) => text.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect(),
        Err(_) => name.iter().take(MAX_SHOWN).flat_map(|byte| byte.escape_ascii()).map(char::from).collect(),
    }
}

/// A file as it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lying {
    /// Its name.
    pub(crate) name: String,
    /// How many bytes it has.
    pub(crate) size: u64,
    /// What tells it from another, or a later, of the same name.
    pub(crate) mark: String,
}

/// How many rows became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Those that have a verdict.
    pub(crate) read: u64,
    /// Those that became complaints.
    pub(crate) registered: u64,
    /// Those that were registered before.
    pub(crate) known: u64,
    /// Those that were refused.
    pub(crate) refused: u64,
}

impl Counts {
    /// Counts what became of a row.
    pub(crate) fn add(&mut self, verdict: &Verdict) {
        self.read += 1;
        match verdict {
            Verdict::Registered { before: false, .. } => self.registered += 1,
            Verdict::Registered { before: true, .. } => self.known += 1,
            Verdict::Refused(_) => self.refused += 1,
        }
    }
}

/// What became of a row, as it is kept until the verdict file is written.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct RowVerdict {
    /// Its number.
    #[serde(rename = "n")]
    pub(crate) number: u64,
    /// Its channel's own number, where it could be read and has one.
    #[serde(rename = "e")]
    pub(crate) reference: String,
    /// What became of it.
    #[serde(rename = "v")]
    pub(crate) verdict: Verdict,
}

/// What became of a row.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Verdict {
    /// It is a complaint.
    #[serde(rename = "r")]
    Registered {
        /// Its id.
        #[serde(with = "as_text")]
        id: Uuid,
        /// Whether it was one before this file came.
        before: bool,
    },
    /// It was refused.
    #[serde(rename = "x")]
    Refused(Refusal),
}

/// An id as it is kept in JSON.
mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&id.to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Why a row was refused.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub(crate) struct Refusal {
    /// Name of the status, as INVALID_ARGUMENT.
    pub(crate) code: String,
    /// A stable reason.
    pub(crate) reason: String,
    /// The fields at fault, joined; empty where it is the whole row.
    pub(crate) field: String,
    /// What is wrong, in words.
    pub(crate) problem: String,
}

impl Refusal {
    /// Of these fields and sentences: each told once, as far as there is room.
    pub(crate) fn new(code: &str, reason: &str, wrong: &[(String, String)]) -> Self {
        let joined = |texts: Vec<&String>| {
            let mut told: Vec<&str> =
                texts.iter().map(|text| text.as_str()).filter(|text| !text.is_empty()).collect();
            told.dedup();
            cut(&told.join("; "))
        };
        Self {
            code: code.to_owned(),
            reason: reason.to_owned(),
            field: joined(wrong.iter().map(|(field, _)| field).collect()),
            problem: joined(wrong.iter().map(|(_, problem)| problem).collect()),
        }
    }
}

/// A text as far as there is room for it.
pub(crate) fn cut(text: &str) -> String {
    text.chars().filter(|letter| *letter != '\0').take(MAX_PROBLEM).collect()
}

/// A row that was refused, as it is told of a file.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// The row's number.
    pub(crate) row: u64,
    /// Why.
    pub(crate) refusal: Refusal,
}

/// A file that was put into a drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DroppedFile {
    /// Its identity.
    pub(crate) id: Uuid,
    /// Its drop.
    pub(crate) drop_id: String,
    /// As it lies there.
    pub(crate) lying: Lying,
    /// SHA-256 of its content, once it was read.
    pub(crate) sha256: Option<[u8; 32]>,
    /// What became of it.
    pub(crate) state: State,
    /// What it will be once it was moved; none while rows are to be read.
    pub(crate) outcome: Option<State>,
    /// How many rows it has, once they were counted.
    pub(crate) rows: Option<u64>,
    /// How many of them became what.
    pub(crate) counts: Counts,
    /// Why it was refused whole, or cannot go on just now.
    pub(crate) reason: String,
    /// The same in words.
    pub(crate) error: String,
    /// The first rows that were refused.
    pub(crate) problems: Vec<Problem>,
    /// The version of the drop it was read by.
    pub(crate) drop_version: i64,
    /// When it was noted.
    pub(crate) noted: Timestamp,
    /// When its verdict file was written.
    pub(crate) verdict_written: Option<Timestamp>,
    /// When it was done with.
    pub(crate) ended: Option<Timestamp>,
    /// How often in a row it could not be gone on with.
    pub(crate) attempts: i32,
}

/// What is to be done about a file next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Its rows are to be read on.
    Read,
    /// Its verdict file is to be written.
    WriteVerdicts,
    /// It is to be moved.
    Move,
    /// Nothing.
    Nothing,
}

impl DroppedFile {
    /// One that was found.
    pub(crate) fn new(id: Uuid, drop_id: &str, lying: Lying, now: Timestamp) -> Self {
        let too_large = (lying.size > MAX_FILE).then_some(WhyRefused::TooLarge);
        Self {
            id,
            drop_id: drop_id.to_owned(),
            lying,
            sha256: None,
            state: State::Waiting,
            outcome: too_large.map(|_| State::Refused),
            rows: None,
            counts: Counts::default(),
            reason: too_large.map_or("", WhyRefused::reason).to_owned(),
            error: too_large.map_or("", WhyRefused::words).to_owned(),
            problems: Vec::new(),
            drop_version: 0,
            noted: now,
            verdict_written: None,
            ended: None,
            attempts: 0,
        }
    }

    /// What is to be done about it next.
    pub(crate) fn step(&self) -> Step {
        if self.ended.is_some() {
            Step::Nothing
        } else if self.outcome.is_none() {
            Step::Read
        } else if self.verdict_written.is_none() {
            Step::WriteVerdicts
        } else {
            Step::Move
        }
    }

    /// Whether nothing of it was registered yet.
    pub(crate) fn is_untouched(&self) -> bool {
        self.counts.read == 0 && self.outcome.is_none()
    }

    /// Notes rows that were refused among the first.
    pub(crate) fn tell(&mut self, verdicts: &[RowVerdict]) {
        let room = MAX_PROBLEMS.saturating_sub(self.problems.len());
        let refused = verdicts.iter().filter_map(|row| match &row.verdict {
            Verdict::Refused(refusal) => Some(Problem { row: row.number, refusal: refusal.clone() }),
            Verdict::Registered { .. } => None,
        });
        self.problems.extend(refused.take(room));
    }

    /// Name of its verdict file.
    pub(crate) fn verdict_name(&self) -> String {
        format!("{}.verdicts.csv", self.lying.name)
    }

    /// Another name for one of two that would have the same.
    pub(crate) fn other_name(&self, name: &str) -> String {
        let id = self.id.simple().to_string();
        format!("{}.{name}", &id[id.len() - ID_LETTERS..])
    }

    /// Where it may lie: where it was put, or where it was moved to.
    pub(crate) fn places(&self) -> [(&'static str, String); 3] {
        let name = &self.lying.name;
        [(INCOMING, name.clone()), (self.folder(), name.clone()), (self.folder(), self.other_name(name))]
    }

    /// Where it is moved to.
    pub(crate) fn folder(&self) -> &'static str {
        if self.outcome == Some(State::Refused) { "refused" } else { "done" }
    }

    /// Whether a complaint's id was given before this file was noted. Ids tell when they were
    /// given, to the millisecond.
    pub(crate) fn is_after(&self, complaint: Uuid) -> bool {
        let given = complaint.get_timestamp().map(|time| {
            let (seconds, nanos) = time.to_unix();
            i128::from(seconds) * 1_000 + i128::from(nanos / 1_000_000)
        });
        given.is_some_and(|given| given < i128::from(self.noted.as_millisecond()))
    }

    /// The idempotency key of a row: of what the drop, the content and the row's number are.
    pub(crate) fn request_id(&self, number: u64) -> String {
        let mut digest = Sha256::new_with_prefix(KEY_VERSION);
        digest.update((self.drop_id.len() as u64).to_be_bytes());
        digest.update(&self.drop_id);
        digest.update(self.sha256.unwrap_or_default());
        digest.update(number.to_be_bytes());
        let digest = digest.finalize();
        format!("file-drop:{}", hex(&digest[..KEY_BYTES]))
    }
}

/// Bytes of a row's key.
const KEY_BYTES: usize = 16;
/// Letters of an id that tell names apart.
const ID_LETTERS: usize = 12;

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Which files a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only those of a drop.
    pub(crate) drop_id: Option<String>,
    /// Only those of which this became.
    pub(crate) state: Option<State>,
}

#[cfg(test)]
mod tests;
