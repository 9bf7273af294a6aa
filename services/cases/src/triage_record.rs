//! What is kept of triage: the sets of rules, the versions that hold, and of each
//! complaint what was looked at and decided. Pure.

use jiff::Timestamp;
use kernel::{CaseId, Money};
use language::Threat;
use sameness::Person;
use triage::definition::Definition;
use triage::{Conversation, Facts, Named, Surroundings, Traffic, Verdict};
use uuid::Uuid;
use vocabulary::Channel;

use crate::conversation::TurnMood;

/// A rule set as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct KeptSet {
    /// Its version; 0 is the set that is shipped.
    pub(crate) version: i64,
    /// What is new in it.
    pub(crate) note: String,
    /// Who created it.
    pub(crate) creator: String,
    /// When; none for the set that is shipped.
    pub(crate) create_time: Option<Timestamp>,
    /// When it was last activated.
    pub(crate) activate_time: Option<Timestamp>,
    /// Whether cases are triaged by it.
    pub(crate) active: bool,
    /// Its rules and words; none in a list.
    pub(crate) definition: Option<Definition>,
}

/// What rules and tree hold now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ActiveVersions {
    /// Version of the rules; 0 is the set that is shipped.
    pub(crate) rule_set: i64,
    /// Version of the tree of categories; none when there is no tree.
    pub(crate) tree: Option<i64>,
}

/// A complaint about to be triaged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming<'a> {
    /// Its id.
    pub(crate) case: Uuid,
    /// Whose it is, as far as it is known.
    pub(crate) person: Person,
    /// When it counts as received.
    pub(crate) received: Timestamp,
    /// The road it came by.
    pub(crate) channel: Channel,
    /// What the channel believes it is about.
    pub(crate) hint: &'a str,
}

/// What was going on around a complaint, as stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around {
    /// Cases the same person had before.
    pub(crate) repeats: i64,
    /// What its channel brought.
    pub(crate) traffic: Traffic,
    /// Whether the tree has the hint.
    pub(crate) hint_known: bool,
}

/// What triage looked at, and what it decided.
#[derive(Clone, Debug)]
pub(crate) struct Triaged<'a> {
    /// The case.
    pub(crate) case: Uuid,
    /// What it looked at.
    pub(crate) facts: Facts<'a>,
    /// How angry each of the customer's turns is.
    pub(crate) moods: &'a [TurnMood],
    /// What it decided.
    pub(crate) verdict: Verdict,
    /// Whether it counts for what its channel brings now: not what ended before it
    /// came here.
    pub(crate) counts: bool,
}

/// The facts of a case as they were when it came.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// The case.
    pub(crate) case: CaseId,
    /// One line, in the complainant's words.
    pub(crate) subject: String,
    /// What the channel believed it is about.
    pub(crate) hint: String,
    /// When it was triaged last.
    pub(crate) triage_time: Timestamp,
    /// What was decided then.
    pub(crate) verdict: Verdict,
    /// The road it came by.
    pub(crate) channel: Channel,
    /// Language to answer in.
    pub(crate) language: String,
    /// What happened, in the complainant's words.
    pub(crate) description: String,
    /// Vulnerabilities told or seen.
    pub(crate) vulnerabilities: Vec<String>,
    /// How many may have seen a public post; 0 elsewhere.
    pub(crate) reach: i64,
    /// How angry the text is.
    pub(crate) anger: language::Level,
    /// What the text threatens.
    pub(crate) threats: Vec<Threat>,
    /// What is known of the call or chat.
    pub(crate) conversation: Conversation,
    /// How angry each of the customer's turns is.
    pub(crate) moods: Vec<TurnMood>,
    /// The sum asked for, where one was named.
    pub(crate) amount_sought: Option<Money>,
    /// What a person or the classifier says it is about, why, and whether a person does.
    pub(crate) named: Option<(String, String, bool)>,
    /// What was going on around it.
    pub(crate) around: Surroundings,
}

impl Past {
    /// How long its texts are.
    pub(crate) fn bytes(&self) -> usize {
        self.subject.len() + self.description.len()
    }

    /// The same with what was added later, and how that is meant.
    pub(crate) fn with(mut self, added: &str) -> Self {
        let emotion = language::emotion(added);
        self.description = format!("{}\n{added}", self.description);
        self.anger = self.anger.max(emotion.level);
        self.threats.extend(emotion.threats);
        self.threats.sort_unstable();
        self.threats.dedup();
        self
    }

    /// What triage looked at.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            channel: self.channel,
            subject: &self.subject,
            description: &self.description,
            language: &self.language,
            category_hint: &self.hint,
            vulnerabilities: &self.vulnerabilities,
            reach: self.reach,
            anger: self.anger,
            threats: &self.threats,
            conversation: self.conversation,
            amount_sought: self.amount_sought.as_ref(),
            named: self.named.as_ref().map(|(category, why, by_person)| Named {
                category,
                why,
                by_person: *by_person,
            }),
            around: self.around,
        }
    }
}

/// A time in which cases were registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// From this moment on.
    pub(crate) start: Option<Timestamp>,
    /// Before this moment.
    pub(crate) end: Option<Timestamp>,
}
