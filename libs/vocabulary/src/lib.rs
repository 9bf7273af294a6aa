//! The words of complaint handling that nouns of many kinds share: where a case stands,
//! how urgent it is, by which road it came, what was decided. Each bears the number that
//! rows and the contract have, and the words people read. Pure.
#![warn(clippy::missing_errors_doc)]

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Category when nothing matched.
pub const UNCLASSIFIED: &str = "unclassified";

kernel::numbered! {
    /// Where a case stands within its cycle.
    State {
        /// Opened; left within the same transaction by triage.
        Received = 1 "received",
        /// Waits for a handler.
        Triaged = 2 "triaged",
        /// Waits for its handler to accept.
        Assigned = 3 "assigned",
        /// Its handler looks into it.
        Investigating = 4 "being investigated",
        /// Waits for a remedy plan.
        Decided = 5 "decided",
        /// Departments carry the remedy out.
        Remedying = 6 "being remedied",
        /// The complainant may accept or dispute.
        Resolved = 7 "resolved",
        /// Over, unless reopened within its window.
        Closed = 8 "closed",
        /// Over for good: the complainant withdrew.
        Withdrawn = 9 "withdrawn",
        /// Over for good: somebody else's matter.
        OutOfScope = 10 "out of scope",
        /// Another case stands for it; it waits where it stood.
        Merged = 11 "merged",
    }
}

impl State {
    /// Whether work on the case has ended: who watches it may leave.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Withdrawn | Self::OutOfScope)
    }
}

kernel::numbered! {
    /// How urgent a case is.
    Priority {
        /// Personal safety or major loss.
        P1 = 1 "P1",
        /// Regulator, media or a vulnerable person.
        P2 = 2 "P2",
        /// The usual case.
        P3 = 3 "P3",
        /// Minor; no loss.
        P4 = 4 "P4",
    }
}

impl Priority {
    /// One level up; P1 stays.
    #[must_use]
    pub fn raised(self) -> Self {
        match self {
            Self::P1 | Self::P2 => Self::P1,
            Self::P3 => Self::P2,
            Self::P4 => Self::P3,
        }
    }
}

kernel::numbered! {
    /// What was decided about the complaint.
    Outcome {
        /// The complainant is right.
        Upheld = 1 "upheld",
        /// Right in part.
        PartlyUpheld = 2 "partly upheld",
        /// Not right.
        NotUpheld = 3 "not upheld",
    }
}

kernel::numbered! {
    /// Why a case was closed.
    CloseReason {
        /// The complainant accepted the outcome.
        Accepted = 1 "the complainant accepted the outcome",
        /// The complainant did not answer in time.
        WindowPassed = 2 "the time to answer has passed",
        /// An authorised person closed it.
        Staff = 3 "closed by staff",
        /// Disputed once more than reopening is allowed.
        ReopenLimit = 4 "it was reopened as often as is allowed",
    }
}

kernel::numbered! {
    /// The road a complaint came by.
    Channel {
        /// Telephone.
        Phone = 1 "by telephone",
        /// Online chat.
        Chat = 2 "by chat",
        /// The organisation's app.
        InApp = 3 "through the app",
        /// E-mail.
        Email = 4 "by e-mail",
        /// A form on the web.
        Web = 5 "through the web form",
        /// Social media.
        Social = 6 "through social media",
        /// Letter or fax.
        Letter = 7 "by letter",
        /// In person.
        Branch = 8 "at a branch",
        /// Handed over by a regulator.
        Regulator = 9 "through a regulator",
        /// Handed over by a partner.
        Partner = 10 "through a partner",
    }
}

impl Channel {
    /// What rules and promises call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Chat => "chat",
            Self::InApp => "in_app",
            Self::Email => "email",
            Self::Web => "web",
            Self::Social => "social",
            Self::Letter => "letter",
            Self::Branch => "branch",
            Self::Regulator => "regulator",
            Self::Partner => "partner",
        }
    }

    /// The channel that rules and promises call so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|channel| channel.name() == name)
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::named(&name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|channel| channel.name()).collect();
            serde::de::Error::custom(format!("{name} is no channel: it is one of {}", names.join(", ")))
        })
    }
}

kernel::numbered! {
    /// What kind of matter is brought forward.
    Matter {
        /// Somebody was wronged and wants it put right.
        Complaint = 1 "complaint",
        /// Somebody reports a violation.
        Report = 2 "report of a violation",
    }
}

kernel::numbered! {
    /// Why a bot handed a chat over to a person.
    HandOverReason {
        /// The bot did not understand.
        NotUnderstood = 1 "the bot did not understand",
        /// The customer asked for a person.
        Requested = 2 "the customer asked for a person",
        /// The customer was upset.
        Emotion = 3 "the customer was upset",
        /// A rule wants a person for such matters.
        Policy = 4 "a rule wants a person for it",
        /// The bot, or what it asks, failed.
        Failure = 5 "the bot failed",
        /// Another reason.
        Other = 6 "for another reason",
    }
}

kernel::numbered! {
    /// How much of an attribute a complaint has.
    Level {
        /// Little.
        Low = 1 "low",
        /// The usual, and what holds before a rule says otherwise.
        Medium = 2 "medium",
        /// Much.
        High = 3 "high",
        /// As much as there can be.
        Critical = 4 "critical",
    }
}

kernel::numbered! {
    /// What a notice to the complainant is for.
    NoticeKind {
        /// We have the complaint.
        Acknowledgement = 1 "acknowledgement",
        /// The outcome, and the question whether it is accepted.
        Outcome = 2 "notice of the outcome",
        /// Where else to turn.
        Recourse = 3 "notice of further recourse",
        /// It takes longer.
        Extension = 4 "notice of more time",
        /// There is no answer yet.
        Holding = 5 "holding reply",
        /// How did you find it?
        Survey = 6 "survey",
        /// Goods are lacking: when the remedy goes on.
        Shortage = 7 "notice of a delay",
        /// The time to answer ends.
        ClosingSoon = 8 "notice that the time to answer ends",
        /// It is still being worked on.
        Progress = 9 "news of an open case",
        /// It was withdrawn.
        Withdrawal = 10 "confirmation of the withdrawal",
        /// When we shall call.
        CallBackPlanned = 11 "announcement of a call",
        /// We called, and did not reach them.
        CallBackMissed = 12 "word of a call that was missed",
    }
}

/// Kept by the words people read.
macro_rules! kept_by_words {
    ($($name:ty),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let words = String::deserialize(from)?;
                let known = Self::ALL.iter().copied().find(|value| value.to_string() == words);
                known.ok_or_else(|| serde::de::Error::custom(format!("{words} is unknown")))
            }
        }
    )+};
}

kept_by_words!(Level, Priority);
