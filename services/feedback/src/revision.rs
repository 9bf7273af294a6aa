//! What a tenant has settled, version by version: it never changes but for its activation.

use jiff::Timestamp;

/// Most versions of one thing.
pub const MAX_VERSIONS: i64 = 500;
/// Most characters of why there is a version.
pub const MAX_NOTE: usize = 2_000;

kernel::numbered! {
    /// What is settled.
    Subject {
        /// What surveys ask.
        Questionnaire = 1,
        /// Who is called back.
        CallBackPolicy = 2,
        /// The words of notices, by kind and language.
        Template = 3,
        /// When nobody is written to.
        QuietHours = 4,
        /// By which means notices go.
        NoticeRouting = 5,
        /// The root causes of problems.
        RootCauses = 9,
        /// Which closed cases are reviewed, and by what.
        QualityPolicy = 10,
        /// How cases become records of a return, by regime and entity.
        ReturnMapping = 20,
    }
}

/// A version of something settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision<T> {
    /// Counts from 1; 0 is the shipped one.
    pub version: i64,
    /// What is settled.
    pub content: T,
    /// Why there is this version.
    pub note: String,
    /// When it was made, and who made it; none of the shipped one.
    pub created: Option<(Timestamp, String)>,
    /// When it was last activated, and who did.
    pub activated: Option<(Timestamp, String)>,
}

impl<T> Revision<T> {
    /// What everybody has who has settled nothing.
    pub fn shipped(content: T) -> Self {
        Self { version: 0, content, note: String::new(), created: None, activated: None }
    }
}
