//! What can happen to one case, by kind: each with the entry it is filed under and the
//! sentence people read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vocabulary::{Channel, CloseReason, NoticeKind, Outcome, Priority};

use super::{Information, Kind, SharedOutcome, Spoken, Visibility, Written, closed, in_zone, with_reason};
use Visibility::{Internal, Public};

/// How a timeline tells that the complainant disputed an outcome.
pub(crate) const DISPUTED: &str = "the complainant disputed the outcome";

/// How a case began, and what it is taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Grading {
    Opened { channel: Channel },
    Imported { outcome: Option<Outcome>, reasons: String, resolved: Option<Timestamp>, closed: Timestamp },
    Triaged { category: String, priority: Priority, reasons: Vec<String> },
    Retriaged { category: String, priority: Priority, reasons: Vec<String> },
    Categorised { category: String, previous: String },
}

impl Grading {
    pub(super) fn filed_under(&self) -> (Kind, Visibility) {
        match self {
            Self::Opened { .. } => (Kind::Opened, Public),
            // What old records say is staff's; the state tells the rest.
            Self::Imported { .. } => (Kind::Closed, Internal),
            Self::Triaged { .. } | Self::Retriaged { .. } | Self::Categorised { .. } => {
                (Kind::Triaged, Internal)
            }
        }
    }

    pub(super) fn text(&self, zone: &str) -> String {
        match self {
            Self::Opened { channel } => format!("the complaint came in {channel} and a case was opened"),
            Self::Imported { outcome, reasons, closed, .. } => {
                let outcome = outcome.map(|outcome| format!(", {outcome}")).unwrap_or_default();
                let closed = in_zone(*closed, zone);
                with_reason(format!("imported: it was closed on {closed}{outcome}"), reasons)
            }
            Self::Triaged { category, priority, reasons } => {
                with_reason(format!("triaged as {category}, {priority}"), &reasons.join("; "))
            }
            Self::Retriaged { category, priority, reasons } => {
                with_reason(format!("triaged anew as {category}, {priority}"), &reasons.join("; "))
            }
            Self::Categorised { category, previous } if category == previous => {
                format!("confirmed as {category}")
            }
            Self::Categorised { category, previous } => format!("corrected to {category} from {previous}"),
        }
    }
}

/// Who works on it, and what they write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Handling {
    Queued { department: String, explanation: String },
    Unassignable { department: String, explanation: String },
    Assigned { department: String, agent: String, explanation: String },
    Accepted,
    Note(Written),
    Information(Information),
    Findings { findings: String, root_cause: String },
    Investigation(Investigation),
    Recalled { article: String, lot: String, notice: String },
    Spoken(Spoken),
}

/// What a department is asked about it, and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Investigation {
    Requested { department: String, asked_for: String, question: String },
    Answered { department: String, question: String, findings: String, evidence: Vec<String> },
    Cancelled { department: String, reason: String },
}

impl Investigation {
    fn filed_under(&self) -> (Kind, Visibility) {
        let kind = if matches!(self, Self::Answered { .. }) { Kind::Findings } else { Kind::Note };
        (kind, Internal)
    }

    fn text(&self) -> String {
        match self {
            Self::Requested { department, asked_for, question } => {
                with_reason(format!("{department} is asked for {asked_for}"), question)
            }
            Self::Answered { department, question, findings, evidence } => {
                let evidence = match evidence.join(", ") {
                    all if all.is_empty() => all,
                    all => format!("\nevidence: {all}"),
                };
                format!("{department} found: {findings}{evidence}\nit was asked: {question}")
            }
            Self::Cancelled { department, reason } => {
                with_reason(format!("what {department} was asked is not wanted any more"), reason)
            }
        }
    }
}

impl Handling {
    pub(super) fn filed_under(&self) -> (Kind, Visibility) {
        match self {
            Self::Queued { .. } | Self::Unassignable { .. } => (Kind::Queued, Internal),
            Self::Assigned { .. } => (Kind::Assigned, Internal),
            Self::Accepted => (Kind::Accepted, Public),
            Self::Note(note) => (Kind::Note, note.visibility),
            Self::Information(_) | Self::Spoken(_) => (Kind::Note, Internal),
            Self::Recalled { .. } => (Kind::Note, Public),
            Self::Findings { .. } => (Kind::Findings, Internal),
            Self::Investigation(investigation) => investigation.filed_under(),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Queued { department, explanation } => with_reason(waits(department), explanation),
            Self::Unassignable { department, explanation } => with_reason(
                format!("nobody can take it as things stand; it {}", waits(department)),
                explanation,
            ),
            Self::Assigned { department, agent, explanation } => {
                with_reason(format!("assigned to {agent} of {department}"), explanation)
            }
            Self::Accepted => "a handler has taken the case up".to_owned(),
            Self::Note(note) => note.text.clone(),
            Self::Information(added) => added.what.clone(),
            Self::Findings { findings, root_cause } if root_cause.is_empty() => findings.clone(),
            Self::Findings { findings, root_cause } => format!("{findings}\nroot cause: {root_cause}"),
            Self::Investigation(investigation) => investigation.text(),
            Self::Spoken(spoken) => spoken.text(),
            Self::Recalled { article, lot, notice } => {
                let lot = if lot.is_empty() { String::new() } else { format!(", lot {lot},") };
                with_reason(format!("the article {article}{lot} is recalled"), notice)
            }
        }
    }
}

/// What is decided of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    Decided { outcome: Outcome, reasons: String, remedy_due: bool },
    CorrectionAsked { outcome: Outcome, reason: String },
    CorrectionRefused { reason: String },
    Corrected { outcome: Outcome, previous: Outcome, remedy_due: bool, reason: String, number: i32 },
    Resolved { outcome: Outcome, reasons: String, respond_until: Timestamp },
    SharedOutcome(SharedOutcome),
}

impl Ruling {
    pub(super) fn filed_under(&self) -> (Kind, Visibility) {
        match self {
            // Public once it takes effect: that is the next entry but the remedy.
            Self::Decided { .. }
            | Self::CorrectionAsked { .. }
            | Self::CorrectionRefused { .. }
            | Self::Corrected { .. } => (Kind::Decided, Internal),
            Self::Resolved { .. } | Self::SharedOutcome(_) => (Kind::Resolved, Public),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Decided { outcome, reasons, remedy_due: true } => {
                with_reason(format!("decided: {outcome}, a remedy is due"), reasons)
            }
            Self::Decided { outcome, reasons, .. } => with_reason(format!("decided: {outcome}"), reasons),
            Self::CorrectionAsked { outcome, reason } => with_reason(
                format!("a correction to {outcome} was asked for; a second person must confirm it"),
                reason,
            ),
            Self::CorrectionRefused { reason } => {
                with_reason("the correction was refused, the decision stays".to_owned(), reason)
            }
            Self::Corrected { outcome, previous, remedy_due, reason, .. } => {
                let remedy = if *remedy_due { ", a remedy is due" } else { "" };
                with_reason(
                    format!("the decision was corrected to {outcome} from {previous}{remedy}"),
                    reason,
                )
            }
            Self::Resolved { outcome, reasons, .. }
            | Self::SharedOutcome(SharedOutcome { outcome, reasons, .. }) => {
                with_reason(format!("the complaint is {outcome}"), reasons)
            }
        }
    }
}

/// What is planned and done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    PlanProposed {
        summary: String,
    },
    /// By people, or by a rule of the approval policy that is named.
    PlanApproved {
        rule: String,
    },
    PlanRejected {
        reason: String,
    },
    PlanCancelled {
        reason: String,
    },
    PlanRevised(PlanChange),
    TaskCompleted {
        work: String,
    },
    TaskNeedsAttention {
        department: String,
        reason: String,
    },
    /// What could not be undone was given up.
    WrittenOff {
        department: String,
        work: String,
        reason: String,
    },
    Delayed {
        department: String,
        article: String,
        expected: Timestamp,
    },
    TaskOverdue {
        department: String,
        told: String,
    },
}

/// What becomes of a revision of a plan: what it changes, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PlanChange {
    /// It waits for approval.
    Proposed { changes: String, reason: String },
    /// It took effect; who approved it, empty where nobody had to.
    Applied { changes: String, reason: String, approver: String },
    /// It was rejected.
    Rejected { reason: String },
}

impl PlanChange {
    fn text(&self) -> String {
        match self {
            Self::Proposed { changes, reason } => with_reason(
                format!("the remedy plan is to be revised ({changes}), once that is approved"),
                reason,
            ),
            Self::Applied { changes, reason, approver } if approver.is_empty() => {
                with_reason(format!("the remedy plan was revised ({changes})"), reason)
            }
            Self::Applied { changes, reason, approver } => with_reason(
                format!("the remedy plan was revised ({changes}), approved by {approver}"),
                reason,
            ),
            Self::Rejected { reason } => with_reason("the remedy plan is not revised".to_owned(), reason),
        }
    }
}

impl Remedy {
    pub(super) fn filed_under(&self) -> (Kind, Visibility) {
        match self {
            Self::PlanProposed { .. } => (Kind::PlanProposed, Internal),
            Self::PlanApproved { .. } => (Kind::PlanApproved, Internal),
            Self::PlanRejected { .. } | Self::PlanCancelled { .. } => (Kind::PlanEnded, Internal),
            Self::PlanRevised(_) => (Kind::PlanRevised, Internal),
            Self::TaskCompleted { .. } => (Kind::TaskCompleted, Internal),
            Self::WrittenOff { .. } => (Kind::TaskWrittenOff, Internal),
            Self::TaskNeedsAttention { .. } | Self::Delayed { .. } | Self::TaskOverdue { .. } => {
                (Kind::TaskNeedsAttention, Internal)
            }
        }
    }

    pub(super) fn text(&self, zone: &str) -> String {
        match self {
            Self::PlanProposed { summary } => with_reason("a remedy plan was proposed".to_owned(), summary),
            Self::PlanApproved { rule } if rule.is_empty() => "the remedy plan was approved".to_owned(),
            Self::PlanApproved { rule } => {
                format!("the remedy plan was approved automatically, by {rule} of the approval policy")
            }
            Self::PlanRejected { reason } => with_reason("the remedy plan was rejected".to_owned(), reason),
            Self::PlanCancelled { reason } => {
                with_reason("the remedy plan was cancelled and undone".to_owned(), reason)
            }
            Self::PlanRevised(revised) => revised.text(),
            Self::TaskCompleted { work } => work.clone(),
            Self::TaskNeedsAttention { department, reason } => {
                with_reason(format!("{department} could not carry out its task"), reason)
            }
            Self::WrittenOff { department, work, reason } => {
                with_reason(format!("{department} could not undo the {work}: it is written off"), reason)
            }
            Self::Delayed { department, article, expected } => {
                format!("{department} has no {article}; it is expected on {}", in_zone(*expected, zone))
            }
            Self::TaskOverdue { department, told } => {
                with_reason(format!("{department} is overdue with its task"), told)
            }
        }
    }
}

/// A mail of a notice, which may come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mail {
    /// The notice.
    #[serde(with = "as_text")]
    pub(crate) notice: Uuid,
    /// Which of its sendings, from 1.
    pub(crate) sending: i32,
}

/// How an id is kept in JSON.
mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(id: &Uuid, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Uuid, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// What the complainant is told, and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Contact {
    Notice { kind: NoticeKind, failure: Option<String>, mail: Option<Mail> },
    NoticeBounced { kind: NoticeKind, mail: Mail, status: String },
    NoticeRecorded { kind: NoticeKind, by: String, told: Timestamp },
    Answered { accepted: bool },
}

impl Contact {
    pub(super) fn filed_under(&self) -> (Kind, Visibility) {
        match self {
            Self::Notice { .. } | Self::NoticeBounced { .. } | Self::NoticeRecorded { .. } => {
                (Kind::Notice, Public)
            }
            Self::Answered { .. } => (Kind::Response, Public),
        }
    }

    pub(super) fn text(&self, zone: &str) -> String {
        match self {
            Self::Notice { kind, failure: None, .. } => format!("the {kind} was delivered"),
            Self::Notice { kind, failure: Some(why), .. } => {
                with_reason(format!("the {kind} could not be delivered"), why)
            }
            Self::NoticeBounced { kind, mail: _, status } => {
                with_reason(format!("the {kind} came back and was not delivered after all"), status)
            }
            Self::NoticeRecorded { kind, by, told } => {
                format!("the {kind} was given {by} on {}", in_zone(*told, zone))
            }
            Self::Answered { accepted: true } => "the complainant accepted the outcome".to_owned(),
            Self::Answered { accepted: false } => DISPUTED.to_owned(),
        }
    }
}

kernel::numbered! {
    /// By what it is known that the complainant withdraws.
    WithdrawalSource {
        /// Staff say so.
        Staff = 1 "the complainant withdrew",
        /// A channel says so, which knows who they are.
        Channel = 2 "the complainant withdrew, as the channel says",
        /// They have the receipt code.
        ReceiptCode = 3 "the complainant withdrew, by the receipt code",
    }
}

/// How it ends, and begins again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    Reopened { reason: String, previous_agent: String },
    Closed { reason: CloseReason, remark: String },
    Withdrawn { source: WithdrawalSource, reason: String },
    OutOfScope { referral: String },
}

impl Course {
    pub(super) fn filed_under(&self) -> (Kind, Visibility) {
        match self {
            Self::Reopened { .. } => (Kind::Reopened, Internal),
            // What staff remark on closing is theirs; the state tells the rest.
            Self::Closed { reason: CloseReason::Staff, .. } => (Kind::Closed, Internal),
            Self::Closed { .. } => (Kind::Closed, Public),
            Self::Withdrawn { .. } => (Kind::Withdrawn, Public),
            Self::OutOfScope { .. } => (Kind::OutOfScope, Public),
        }
    }

    pub(super) fn text(&self, cycle: i32) -> String {
        match self {
            Self::Reopened { reason, .. } => with_reason(format!("taken up again as cycle {cycle}"), reason),
            Self::Closed { reason, remark } => with_reason(closed(*reason), remark),
            Self::Withdrawn { source, reason } => with_reason(source.to_string(), reason),
            Self::OutOfScope { referral } => {
                with_reason("this is not ours to decide; please turn to".to_owned(), referral)
            }
        }
    }
}

/// How urgent it is, and who is to see to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    PriorityRaised { priority: Priority, reason: String },
    PrioritySet { priority: Priority, reason: String, raised: bool },
    LowerPriorityAsked { priority: Priority, reason: String },
    Returned { reason: String },
    Escalated { tier: i32, reason: String },
}

impl Urgency {
    pub(super) fn text(&self) -> String {
        match self {
            Self::PriorityRaised { priority, reason }
            | Self::PrioritySet { priority, reason, raised: true } => {
                with_reason(format!("raised to {priority}"), reason)
            }
            Self::PrioritySet { priority, reason, .. } => {
                with_reason(format!("lowered to {priority}"), reason)
            }
            Self::LowerPriorityAsked { priority, reason } => {
                with_reason(format!("{priority} was asked for; a second person must agree"), reason)
            }
            Self::Returned { reason } => with_reason("somebody else is to take it over".to_owned(), reason),
            Self::Escalated { tier, reason } => with_reason(format!("raised to level {tier}"), reason),
        }
    }
}

fn waits(department: &str) -> String {
    match department {
        "" => "waits for a department".to_owned(),
        department => format!("waits in the queue of {department}"),
    }
}
