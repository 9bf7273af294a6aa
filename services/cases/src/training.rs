//! Cases to learn from: closed ones, with placeholders where their texts say who somebody is.
//! When a revision is in force, `review` says. Pure.

pub(crate) mod picking;

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::{CaseId, person};
use language::{Anonymiser, IdentifyingKind, Party};
use vocabulary::{Outcome, Priority};

use crate::case::Case;
use crate::review::{self, ReviewState, Reviewed};
use crate::timeline::{Entry, Kind};

/// Most training cases of a tenant that are not retired.
pub(crate) const MAX_TRAINING_CASES: i64 = 2_000;
/// Longest title.
pub(crate) const MAX_TITLE: usize = 300;
/// Longest text.
pub(crate) const MAX_TEXT: usize = 20_000;
/// Most steps.
pub(crate) const MAX_STEPS: usize = 60;
/// Longest text of a step.
pub(crate) const MAX_STEP: usize = 1_000;
/// A step after more cycles than this is none.
pub(crate) const MAX_CYCLE: i32 = 100;
/// A step later than this is none: 50 years.
pub(crate) const MAX_AFTER_S: i64 = 50 * 366 * 24 * 60 * 60;
/// How far beyond its end a long step is looked through, so that no number is cut in two.
const BEYOND: usize = 300;

/// What is told of a timeline: what was done, and not who was told or which clock ran.
pub(crate) const TOLD_KINDS: [Kind; 17] = [
    Kind::Opened,
    Kind::Triaged,
    Kind::Assigned,
    Kind::Accepted,
    Kind::Note,
    Kind::Findings,
    Kind::Decided,
    Kind::PlanProposed,
    Kind::PlanApproved,
    Kind::PlanEnded,
    Kind::PlanRevised,
    Kind::TaskCompleted,
    Kind::TaskNeedsAttention,
    Kind::Resolved,
    Kind::Response,
    Kind::Reopened,
    Kind::Escalated,
];

kernel::numbered! {
    /// What made a case hard to handle.
    Challenge {
        /// A step could not be carried out, or a plan was ended or revised.
        Rework = 1,
        /// It was reopened.
        Reopened = 2,
        /// The complainant disputed an outcome.
        Disputed = 3,
        /// Its decision was corrected.
        Corrected = 4,
        /// It was raised a level up without being reopened.
        Escalated = 5,
    }
}

/// What is known of a training case as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    /// Language of the complaint.
    pub(crate) language: String,
    /// What it was about.
    pub(crate) category: String,
    /// How urgent it was.
    pub(crate) priority: Priority,
    /// What was decided.
    pub(crate) outcome: Option<Outcome>,
    /// What made it hard.
    pub(crate) challenges: Vec<Challenge>,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Seconds since the complaint was received.
    pub(crate) after_s: i64,
    /// The attempt at resolution it belongs to.
    pub(crate) cycle: i32,
    /// What it is.
    pub(crate) kind: Kind,
    /// What was done.
    pub(crate) text: String,
}

/// What a training case tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// What it is about, in one line.
    pub(crate) title: String,
    /// What happened, in the complainant's words.
    pub(crate) description: String,
    /// What was found out.
    pub(crate) findings: String,
    /// Why it happened.
    pub(crate) root_cause: String,
    /// Why it was decided so.
    pub(crate) decision_reasons: String,
    /// What is to be learnt from it.
    pub(crate) lesson: String,
    /// What was done, oldest first.
    pub(crate) steps: Vec<Step>,
}

/// One revision of a training case.
pub(crate) type Revision = review::Revision<Content>;

impl Content {
    /// Its texts, each with the name of its field in the contract.
    pub(crate) fn texts(&self) -> Vec<(String, &str)> {
        let Self { title, description, findings, root_cause, decision_reasons, lesson, steps } = self;
        let fields = [
            ("title", title),
            ("description", description),
            ("findings", findings),
            ("root_cause", root_cause),
            ("decision_reasons", decision_reasons),
            ("lesson", lesson),
        ];
        let fields = fields.into_iter().map(|(field, text)| (field.to_owned(), text.as_str()));
        let steps = steps.iter().enumerate().map(|(at, step)| (format!("steps[{at}].text"), &*step.text));
        fields.chain(steps).collect()
    }
}

/// A training case with one of its revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrainingCase {
    /// What is done to it.
    pub(crate) reviewed: Reviewed,
    /// What is known of it as a whole.
    pub(crate) about: About,
    /// The revision.
    pub(crate) revision: Revision,
    /// The case it was made of, while that is known.
    pub(crate) source: Option<CaseId>,
}

/// Which training cases are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrainingCaseFilter {
    /// Only those in this state.
    pub(crate) state: Option<ReviewState>,
    /// Only those in force, as they are then.
    pub(crate) in_force: bool,
    /// Only those of this category or one below it; empty for all.
    pub(crate) category: String,
    /// Only those in this language, whatever the region; empty for all.
    pub(crate) language: String,
    /// Only those that were hard in this way.
    pub(crate) challenge: Option<Challenge>,
}

/// A case as it is known here, to find in texts who it is about.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The case.
    pub(crate) case: Case,
    /// What happened, in the complainant's words.
    pub(crate) description: String,
    /// What the number of its order is known by; none where unknown.
    pub(crate) order_key: Option<i64>,
    /// What was done about it, in the order of the timeline.
    pub(crate) entries: Vec<Entry>,
    /// The names of agents by their subjects, both folded: of those who have had to do with it,
    /// and of those who are mentioned.
    pub(crate) names: HashMap<String, String>,
}

impl Source {
    /// Everybody who has had to do with a case, folded.
    pub(crate) fn subjects(case: &Case, entries: &[Entry]) -> Vec<String> {
        let actors = entries.iter().map(|entry| entry.actor.as_str()).filter(|actor| !actor.starts_with('<'));
        let named = case.origin.identifying().into_iter().filter(|(kind, _)| *kind == IdentifyingKind::Name);
        let named = named.map(|(_, name)| name).chain([case.agent_id.as_str()]);
        let all: BTreeSet<String> = actors.chain(named).map(person::folded).collect();
        all.into_iter().filter(|subject| !subject.is_empty()).collect()
    }

    /// With what is known of the case, and what somebody told of it besides, as it is found in
    /// these texts.
    pub(crate) fn anonymiser<'a>(
        &self,
        told: Vec<Party>,
        texts: impl Iterator<Item = &'a str>,
    ) -> Anonymiser {
        let mut parties = told;
        let identifying = self.case.origin.identifying();
        // Names are those of staff, who are known by more than one.
        let others = identifying.into_iter().filter(|(kind, _)| *kind != IdentifyingKind::Name);
        parties.extend(others.map(|(kind, form)| Party { kind, forms: vec![form.to_owned()] }));
        let mut staff: BTreeSet<String> = Self::subjects(&self.case, &self.entries).into_iter().collect();
        staff.extend(self.names.keys().cloned());
        for subject in staff {
            let name = self.names.get(&subject).cloned();
            let forms = [subject].into_iter().chain(name).collect();
            parties.push(Party { kind: IdentifyingKind::Name, forms });
        }
        if let Some(key) = self.order_key {
            let orders: BTreeSet<&str> = texts.flat_map(|text| numbers_of(text, key)).collect();
            let forms: Vec<String> = orders.into_iter().map(str::to_owned).collect();
            if !forms.is_empty() {
                parties.push(Party { kind: IdentifyingKind::Order, forms });
            }
        }
        Anonymiser::new(parties, Some(day(self.case.origin.receive_time)))
    }

    /// The case without those it is about. `told` is what somebody knows of them besides.
    pub(crate) fn anonymous(self, told: Vec<Party>, challenges: Vec<Challenge>) -> (About, Content) {
        let case = &self.case;
        let (subject, description) = (case.origin.subject.as_str(), self.description.as_str());
        let own = [subject, description, &case.findings, &case.root_cause, &case.decision_reasons];
        let entries = self.entries.iter().map(|entry| entry.text.as_str());
        let mut anonymiser = self.anonymiser(told, own.into_iter().chain(entries.clone()));
        let steps: Vec<String> = entries.map(|text| beginning(&anonymiser, text)).collect();
        let texts = own.into_iter().map(str::to_owned).chain(steps).collect();
        let mut texts = anonymiser.anonymise(texts).into_iter();
        let mut next = |max: usize| shortened(texts.next().unwrap_or_default(), max);
        let mut content = Content {
            title: next(MAX_TITLE),
            description: next(MAX_TEXT),
            findings: next(MAX_TEXT),
            root_cause: next(MAX_TEXT),
            decision_reasons: next(MAX_TEXT),
            lesson: String::new(),
            steps: Vec::new(),
        };
        let step = |entry: &Entry| Step {
            after_s: entry.time.duration_since(case.origin.receive_time).as_secs().clamp(0, MAX_AFTER_S),
            cycle: entry.cycle.clamp(1, MAX_CYCLE),
            kind: entry.kind,
            text: next(MAX_STEP),
        };
        content.steps = self.entries.iter().map(step).filter(|step| !step.text.trim().is_empty()).collect();
        let about = About {
            language: case.origin.language.clone(),
            category: case.category.clone(),
            priority: case.priority,
            outcome: case.outcome,
            challenges,
        };
        (about, content)
    }
}

/// The day of a moment, in UTC.
fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

/// The words of a text that are the number of this key.
fn numbers_of(text: &str, key: i64) -> impl Iterator<Item = &str> {
    let is_between = |c: char| !c.is_ascii_alphanumeric() && !"-_/.".contains(c);
    let words = text.split(is_between).map(|word| word.trim_matches(['-', '_', '/', '.']));
    words.filter(move |word| word.len() > 1 && sameness::number(word) == Some(key))
}

/// The beginning of a long text; what tells who somebody is is not cut in two.
fn beginning(anonymiser: &Anonymiser, text: &str) -> String {
    let window: String = text.chars().take(MAX_STEP + BEYOND).collect();
    if window.chars().count() <= MAX_STEP {
        return window;
    }
    let details = anonymiser.identifying(&window);
    let cut = details.iter().find(|detail| detail.characters.contains(&MAX_STEP));
    window.chars().take(cut.map_or(MAX_STEP, |detail| detail.characters.start)).collect()
}

/// A text that is no longer than this; a placeholder is not cut in two.
fn shortened(text: String, max: usize) -> String {
    if text.chars().count() <= max {
        return text;
    }
    let kept: String = text.chars().take(max).collect();
    match kept.rfind('[').filter(|at| !kept[*at..].contains(']')) {
        Some(at) => kept[..at].to_owned(),
        None => kept,
    }
}

/// Challenges that are told of a case as a whole and in its timeline.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Course {
    /// Which attempt at resolution it was.
    pub(crate) cycle: i32,
    /// How many levels up it was.
    pub(crate) tier: i32,
    /// Whether its decision was corrected.
    pub(crate) corrected: bool,
    /// Whether something had to be done again.
    pub(crate) reworked: bool,
    /// Whether the complainant disputed.
    pub(crate) disputed: bool,
}

impl Course {
    /// What made the case hard.
    pub(crate) fn challenges(self) -> Vec<Challenge> {
        let all = [
            (Challenge::Rework, self.reworked),
            (Challenge::Reopened, self.cycle > 1),
            (Challenge::Disputed, self.disputed),
            (Challenge::Corrected, self.corrected),
            (Challenge::Escalated, self.tier > self.cycle - 1),
        ];
        all.into_iter().filter(|(_, holds)| *holds).map(|(challenge, _)| challenge).collect()
    }
}

/// Kinds of entries by which something had to be done again.
pub(crate) const REWORK_KINDS: [Kind; 3] = [Kind::TaskNeedsAttention, Kind::PlanEnded, Kind::PlanRevised];

#[cfg(test)]
mod tests;
