//! Whom to write to.

use kernel::CaseId;

/// Whom the notices of a case go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The case.
    pub case_id: CaseId,
    /// E-mail address; empty when none is known.
    pub recipient: String,
    /// Telephone number for text messages, as it was given; empty when none is known.
    pub phone: String,
    /// Number of the channel the complaint came by; 0 when unknown.
    pub channel: i16,
    /// Name that belongs to it; empty when unknown.
    pub name: String,
    /// BCP 47 tag of the language to write in.
    pub language: String,
    /// The complaint in one line.
    pub subject: String,
    /// Trace context of the complaint.
    pub traceparent: String,
    /// Nobody is known who could be told.
    pub anonymous: bool,
    /// A program wrote it, the channel says.
    pub automatic: bool,
    /// Token of mails about the case; may be empty.
    pub mail_token: String,
    /// Counts the corrections, from 1.
    pub version: i64,
}

impl Contact {
    /// Whether nobody knows who complained, nor how to reach them.
    pub fn is_unknown(&self) -> bool {
        self.anonymous && self.recipient.is_empty() && self.phone.is_empty()
    }
}
