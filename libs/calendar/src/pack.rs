//! Policy packs: what a regime promises, as data with its source.
//!
//! A pack is never legal advice. What was not read in a source is marked
//! `unverified`, and whoever shows a promise must show that mark.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use vocabulary::Channel;

use crate::budget::{Budget, Length};
use crate::draft::Flaw;
use crate::shipped::versions;
use crate::terms::{Extension, Pausing, Reason, Reopening, Terms};

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// To say that the complaint arrived.
    Acknowledge,
    /// To say whether it is taken on.
    Accept,
    /// To object to having been sent it by mistake.
    Object,
    /// To answer for the first time in substance.
    FirstResponse,
    /// To end a stage of the handling.
    Stage,
    /// To decide and tell the complainant.
    Decide,
    /// To tell the complainant what was decided.
    Tell,
    /// To send the final response a regulator asks for.
    Final,
    /// To tell how it goes.
    Update,
    /// To carry out what was decided.
    Remedy,
    /// To review a decision.
    Review,
    /// To finish a department's task.
    Task,
}

/// What starts a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Starts {
    /// The complaint is received.
    #[default]
    Receipt,
    /// It is taken on.
    Acceptance,
    /// It is decided.
    Decision,
    /// A remedy is approved.
    Approval,
    /// A review is asked for.
    ReviewRequest,
    /// An authority hands it over; it is received, where none did.
    HandOver,
    /// The complainant is told that it arrived; where nobody can be told, or nobody was
    /// in time, the moment when that was certain.
    Acknowledgement,
}

/// How hard a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Complexity {
    /// The facts are plain.
    Simple,
    /// They are not.
    Complex,
}

/// What a promise depends on; what is not named does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// How hard the case is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Complexity>,
    /// How urgent it is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// What the region's name begins with.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// What kind of matter it is, in the pack's own word: the case's category.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub matter: String,
    /// At which stage it is, from 1: the case's cycle. A reopened case is at the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<u8>,
    /// By which channel it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

/// What is known of a case when its promises are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    /// How hard it is, once somebody has said so.
    pub complexity: Option<Complexity>,
    /// How urgent it is, from 1.
    pub priority: Option<u8>,
    /// Where.
    pub region: &'a str,
    /// What kind of matter.
    pub matter: &'a str,
    /// At which stage, from 1; 0 where there are none.
    pub stage: u8,
    /// By which channel it came; none where that is not known.
    pub channel: Option<Channel>,
}

/// One promise of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// What is promised.
    pub kind: Kind,
    /// From when.
    #[serde(default)]
    pub starts: Starts,
    /// Within how much time.
    pub budget: Budget,
    /// Another limit that stands beside it: the earlier of the two holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Budget>,
    /// What becomes of it when its case is reopened; without, what is usual: the answer
    /// a regime asks for is counted on, and the rest is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<Reopening>,
    /// In which cases.
    #[serde(default)]
    pub when: When,
    /// What may pause it; without, nothing may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pausing>,
    /// How it may be extended; without, it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    /// Set by the organisation itself, not by the regime.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_target: bool,
    /// Not read in a source.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// What else there is to know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Promise {
    /// What a clock for it is started with.
    pub fn terms(&self) -> Terms {
        let (pause, extension) = (self.pause.clone(), self.extension.clone());
        Terms { budget: self.budget, beside: self.beside, reopened: self.reopened, pause, extension }
    }

    /// What becomes of it when its case is reopened.
    pub fn reopening(&self) -> Reopening {
        self.reopened.unwrap_or_else(|| Reopening::usual(self.kind, self.own_target))
    }
}

/// A duty that is no clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// What must be done.
    pub text: String,
    /// Not read in a source.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
}

/// One of the grounds a regime knows, by its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// What it is called by, as `no-dispute`; unique in its list.
    pub code: String,
    /// What it says, with the article.
    pub text: String,
}

/// Limits other than time limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// From how many complainants on a complaint of a group is major.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_alarm: Option<u32>,
    /// How many may speak for a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representatives: Option<u32>,
    /// How long ago the matter may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Length>,
    /// Complaints (投诉) and reports of a violation (举报) are kept apart.
    pub reports_apart: bool,
    /// A withdrawn complaint is ended the same day.
    pub withdrawn_same_day: bool,
    /// Settled within this time, a lighter form of answer is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_settlement: Option<Budget>,
}

/// A regime's promises in one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// As `uk-fca-disp`.
    pub name: String,
    /// Counts its versions, from 1.
    pub version: u32,
    /// What it is, in one line.
    pub title: String,
    /// Where it was read.
    pub source: String,
    /// Name of the calendar its days are counted by.
    pub calendar: String,
    /// First day it applies to complaints received.
    pub effective_from: Date,
    /// Day from which it applies no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_until: Option<Date>,
    /// The dates it applies between were not read in a source.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub effective_unverified: bool,
    /// Nothing in it was read in a source.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// What is promised.
    pub promises: Vec<Promise>,
    /// What else must be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<Duty>,
    /// Limits other than time limits.
    #[serde(default)]
    pub limits: Limits,
    /// The grounds on which a complaint may be refused; any, where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusal_grounds: Vec<Ground>,
    /// The grounds on which its handling may end without a settlement; any, where there
    /// are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ending_grounds: Vec<Ground>,
    /// What may be a sign for a person to look at. Never a ground: nothing is refused
    /// because of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Ground>,
}

/// How many promises and duties a pack may have, each.
const MAX_ENTRIES: usize = 100;

fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl Pack {
    /// Reads and checks a pack written in TOML.
    ///
    /// # Errors
    ///
    /// Fails if the text is no TOML of a pack, else with all of its [`Self::flaws`].
    pub fn from_toml(text: &str) -> Result<Self, Vec<Flaw>> {
        let pack: Self = toml::from_str(text)
            .map_err(|error| vec![Flaw { field: String::new(), problem: error.message().to_owned() }])?;
        let flaws = pack.flaws();
        if flaws.is_empty() { Ok(pack) } else { Err(flaws) }
    }

    /// What is wrong with it, all at once.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let mut unless = |right: bool, field: &str, problem: &str| {
            if !right {
                flaws.push(Flaw { field: field.to_owned(), problem: problem.to_owned() });
            }
        };
        unless(is_slug(&self.name), "name", "must be 1 to 64 letters, digits and hyphens");
        unless(self.version > 0, "version", "counts from 1");
        unless(is_slug(&self.calendar), "calendar", "must be the name of a calendar");
        let in_order = self.effective_until.is_none_or(|until| self.effective_from < until);
        unless(in_order, "effective_until", "is not after effective_from");
        unless((1..=MAX_ENTRIES).contains(&self.promises.len()), "promises", "must be 1 to 100");
        unless(self.duties.len() <= MAX_ENTRIES, "duties", "must be at most 100");
        let always: BTreeSet<Kind> = self
            .promises
            .iter()
            .filter(|promise| promise.when == When::default())
            .map(|promise| promise.kind)
            .collect();
        for (index, promise) in self.promises.iter().enumerate() {
            let earlier = &self.promises[..index];
            let twice = earlier.iter().any(|other| other.kind == promise.kind && other.when == promise.when);
            unless(!twice, &format!("promises[{index}].when"), "is that of another promise of this kind");
            let covered = always.contains(&promise.kind);
            unless(
                covered,
                &format!("promises[{index}].kind"),
                "has no promise for the case that nothing else fits",
            );
            let sound = promise.pause.as_ref().is_none_or(|pause| !pause.reasons.is_empty());
            unless(sound, &format!("promises[{index}].pause.reasons"), "must be at least one");
            let asked_for =
                promise.pause.as_ref().is_none_or(|pause| !pause.reasons.contains(&Reason::Resolved));
            unless(
                asked_for,
                &format!("promises[{index}].pause.reasons"),
                "`resolved` is no reason to ask for: say `reopened = \"stands-still\"`",
            );
            let alone = promise.beside.is_none() || promise.extension.is_none();
            unless(
                alone,
                &format!("promises[{index}].beside"),
                "may not stand beside a limit that is extended",
            );
            let told = promise
                .extension
                .as_ref()
                .is_none_or(|more| more.holding_reply || (more.causes.is_empty() && !more.names_date));
            unless(
                told,
                &format!("promises[{index}].extension.holding_reply"),
                "must be true where causes or the date of the answer are told",
            );
            let waits = promise.extension.as_ref().is_some_and(|more| more.holding_reply && more.approval);
            unless(
                !waits,
                &format!("promises[{index}].extension.approval"),
                "must be false where a holding reply gives more time",
            );
        }
        flaws.extend(self.flaws_of_grounds());
        flaws
    }

    fn flaws_of_grounds(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let mut unless = |right: bool, field: &str, problem: &str| {
            if !right {
                flaws.push(Flaw { field: field.to_owned(), problem: problem.to_owned() });
            }
        };
        for (list, grounds) in [
            ("refusal_grounds", &self.refusal_grounds),
            ("ending_grounds", &self.ending_grounds),
            ("hints", &self.hints),
        ] {
            unless(grounds.len() <= MAX_ENTRIES, list, "must be at most 100");
            for (index, ground) in grounds.iter().enumerate() {
                let field = format!("{list}[{index}].code");
                unless(is_slug(&ground.code), &field, "must be 1 to 64 letters, digits and hyphens");
                let twice = grounds[..index].iter().any(|other| other.code == ground.code);
                unless(!twice, &field, "is that of another of them");
            }
        }
        flaws
    }

    /// As clocks note it: `uk-fca-disp@1`.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The versions of a shipped pack, as it was kept when somebody chose it: that one,
    /// and those that are shipped under its name now, the latest first. Of those that
    /// apply to a day, the first holds.
    pub fn with_shipped(&self) -> Vec<Self> {
        let mut all = vec![self.clone()];
        all.extend(versions(&self.name).filter(|pack| pack.version != self.version).cloned());
        all.sort_by_key(|pack| std::cmp::Reverse(pack.version));
        all
    }

    /// Whether it applies to a complaint received on a day.
    pub fn applies_on(&self, date: Date) -> bool {
        self.effective_from <= date && self.effective_until.is_none_or(|until| date < until)
    }

    /// The promises that hold for a case, one of each kind: the one with most
    /// conditions that all fit.
    pub fn promises_for(&self, facts: &Facts<'_>) -> Vec<&Promise> {
        let mut chosen: Vec<&Promise> = Vec::new();
        for promise in self.promises.iter().filter(|promise| promise.when.fits(facts)) {
            match chosen.iter_mut().find(|other| other.kind == promise.kind) {
                Some(other) if other.when.weight() < promise.when.weight() => *other = promise,
                Some(_) => {}
                None => chosen.push(promise),
            }
        }
        chosen
    }

    /// The promise of one kind that holds for a case.
    pub fn promise_for(&self, kind: Kind, facts: &Facts<'_>) -> Option<&Promise> {
        self.promises_for(facts).into_iter().find(|promise| promise.kind == kind)
    }
}

impl When {
    fn fits(&self, facts: &Facts<'_>) -> bool {
        self.complexity.is_none_or(|complexity| facts.complexity == Some(complexity))
            && self.priority.is_none_or(|priority| facts.priority == Some(priority))
            && facts.region.starts_with(&self.region)
            && (self.matter.is_empty() || self.matter == facts.matter)
            && self.stage.is_none_or(|stage| facts.stage == stage)
            && self.channel.is_none_or(|channel| facts.channel == Some(channel))
    }

    /// How many conditions it has; where it is as many, the earlier one wins.
    fn weight(&self) -> usize {
        let conditions = [
            self.complexity.is_some(),
            self.priority.is_some(),
            !self.region.is_empty(),
            !self.matter.is_empty(),
            self.stage.is_some(),
            self.channel.is_some(),
        ];
        conditions.into_iter().filter(|named| *named).count()
    }
}

#[cfg(test)]
mod tests;
