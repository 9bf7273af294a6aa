//! What a policy promises for a clock: its budget, what may pause it, how far it
//! may be extended.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::budget::{Budget, Length};
use crate::pack::Kind;

/// Reasons for which the law lets time stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The complainant was asked for what only they have.
    AwaitingComplainant,
    /// An expert appraisal, test or inspection is under way (鉴定、检测).
    Appraisal,
    /// A court, arbitrator or authority has the matter.
    Proceedings,
    /// Nobody could act: disaster, epidemic, outage.
    ForceMajeure,
    /// The case was resolved, until it was reopened. Nobody asks for it: see
    /// [`Reopening::StandsStill`].
    Resolved,
}

impl Reason {
    /// Every reason, as data names it.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::AwaitingComplainant, "awaiting-complainant"),
        (Self::Appraisal, "appraisal"),
        (Self::Proceedings, "proceedings"),
        (Self::ForceMajeure, "force-majeure"),
        (Self::Resolved, "resolved"),
    ];
}

/// What becomes of a promise that was kept when its case is reopened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reopening {
    /// It runs on from its first start: the time the case was resolved counts.
    Counts,
    /// It runs on, and the time the case was resolved does not count.
    StandsStill,
    /// It is over; what is promised next begins with what starts it.
    Anew,
}

impl Reopening {
    /// What is usual of a promise that says nothing: the answer a regime asks for is
    /// counted on, and the rest is over.
    pub fn usual(kind: Kind, own_target: bool) -> Self {
        let counts = !own_target && matches!(kind, Kind::Decide | Kind::Final);
        if counts { Self::Counts } else { Self::Anew }
    }
}

/// Whether and how a clock may be paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pausing {
    /// For which reasons; not for others.
    pub reasons: Vec<Reason>,
    /// Most elapsed time it may stand still in all, as `60 days` of 24 hours;
    /// then it runs on by itself. Without it there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Length>,
}

impl Pausing {
    /// The cap as a stretch of time. A cap of months counts 30 days each.
    pub fn cap(&self) -> Option<SignedDuration> {
        let cap = self.cap?;
        Some(cap.fixed().unwrap_or_else(|| {
            let months = if cap.unit() == crate::Unit::Years { 12 } else { 1 };
            SignedDuration::from_hours(i64::from(cap.amount()) * months * 30 * 24)
        }))
    }
}

/// How far a clock may be extended, in the unit of its budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "data: each is a yes or no of its own")]
pub struct Extension {
    /// Most that may be added in all.
    pub most: u32,
    /// Most the budget may be with what is added, whatever it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// How often it may be extended.
    #[serde(default = "once")]
    pub times: u32,
    /// Whether somebody else than the handler must approve.
    #[serde(default = "yes")]
    pub approval: bool,
    /// Whether the complainant must be told, with the reason.
    #[serde(default = "yes")]
    pub notice: bool,
    /// Whether a holding reply to the complainant gives it, sent before the clock is
    /// due, and nothing else does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holding_reply: bool,
    /// The causes for which more time is lawful, in the pack's own words; one of them
    /// must be named. None where any reason will do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// Whether the complainant must be told the day of the final answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub names_date: bool,
    /// Not read in a source.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
}

/// Who asks for an extension, who approves it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval<'a> {
    /// Why more time is needed.
    pub reason: &'a str,
    /// Who handles the case; empty when nobody does.
    pub handler: &'a str,
    /// Who approves; empty when nobody did.
    pub approver: &'a str,
}

/// What a policy promises for a clock. A clock keeps the terms it was started
/// or last changed under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// How much time there is.
    pub budget: Budget,
    /// Another limit for the same that stands beside it: the earlier of the two holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Budget>,
    /// What becomes of it when its case is reopened; without, what is usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<Reopening>,
    /// How it may be paused; without, it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pausing>,
    /// How it may be extended; without, it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
}

impl Terms {
    /// A budget that may be neither paused nor extended.
    pub fn of(budget: Budget) -> Self {
        Self { budget, beside: None, reopened: None, pause: None, extension: None }
    }

    /// The most that may be added to the budget in all.
    pub fn most_extension(&self) -> u32 {
        let Some(extension) = &self.extension else { return 0 };
        let room = extension.total.map(|total| total.saturating_sub(self.budget.length().amount()));
        room.map_or(extension.most, |room| room.min(extension.most))
    }
}

fn once() -> u32 {
    1
}

fn yes() -> bool {
    true
}
