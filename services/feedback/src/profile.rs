//! What decides who is surveyed and called back: what a complaint said of itself, and how
//! far its case is.

use jiff::Timestamp;
use kernel::CaseId;

use crate::survey::SurveyEligibility;

/// What a complaint said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The case.
    pub case_id: CaseId,
    /// Number of the channel it came by.
    pub channel: i16,
    /// Its complainant was told or seen to need extra care.
    pub vulnerable: bool,
    /// It is about a member of staff.
    pub about_staff: bool,
    /// Telephone number of its complainant; empty when unknown.
    pub phone: String,
    /// Number of an intermediary that leads to them, and until when.
    pub masked_phone: Option<(String, Timestamp)>,
    /// Hash of its receipt code; empty when unknown.
    pub receipt_hash: Vec<u8>,
}

/// How far a case is; what is none was not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How urgent it is, from 1.
    pub priority: Option<i16>,
    /// Whether anybody is to be asked about it.
    pub standing: Option<SurveyEligibility>,
    /// Whom it is about, in lower case.
    pub recused: Option<Vec<String>>,
    /// IANA name of its zone.
    pub time_zone: Option<String>,
}

impl Progress {
    /// Takes in what was told later.
    pub fn merge(&mut self, later: Self) {
        let Self { priority, standing, recused, time_zone } = later;
        self.priority = priority.or(self.priority);
        self.standing = standing.or(self.standing);
        self.recused = recused.or(self.recused.take());
        self.time_zone = time_zone.or(self.time_zone.take());
    }
}

/// What is known of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Number of the channel it came by; 0 when unknown.
    pub channel: i16,
    /// Its complainant was told or seen to need extra care.
    pub vulnerable: bool,
    /// It is about a member of staff.
    pub about_staff: bool,
    /// Telephone number of its complainant; empty when unknown.
    pub phone: String,
    /// Number of an intermediary that leads to them, and until when.
    pub masked_phone: Option<(String, Timestamp)>,
    /// How urgent it is, from 1; 0 when unknown.
    pub priority: i16,
    /// Whether anybody is to be asked about it.
    pub standing: SurveyEligibility,
    /// Whom it is about, in lower case.
    pub recused: Vec<String>,
    /// IANA name of its zone; empty when unknown.
    pub time_zone: String,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            channel: 0,
            vulnerable: false,
            about_staff: false,
            phone: String::new(),
            masked_phone: None,
            priority: 0,
            standing: SurveyEligibility::Open,
            recused: Vec::new(),
            time_zone: String::new(),
        }
    }
}
