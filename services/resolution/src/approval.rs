//! How many people approve a plan, and who may. Pure.
//!
//! The tenant's [`policy`] judges what is known of a plan, its [`Facts`]: the first rule
//! that matches demands automatic approval, so many people, or refusal; where none does, one
//! person approves. No rule undercuts the caps: two people at least approve what goes beyond
//! a cap or what was sought, one at least what a linked case holds a refund for already.
//! First match, so that an author reads rules from above; then the caps, so that no order of
//! rules can give away more than they allow.

pub mod policy;
#[cfg(test)]
pub(crate) mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kernel::{CaseId, Money, PlanId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::remedy::Remedy;

/// Sums in minor units, by currency.
pub type Sums = BTreeMap<String, i64>;

/// Most days that are looked back on what was granted to a complainant.
pub const MAX_DAYS: i32 = 366;

/// Most refunds of linked cases that are shown; more change nothing.
pub const MAX_LINKED_REFUNDS: usize = 10;

/// What was granted to a complainant on one day, and stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// How many whole days before.
    pub days: i32,
    /// ISO 4217 code.
    pub currency: String,
    /// In minor units.
    pub minor: i64,
}

/// A refund for the same order, which a linked case holds or waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedRefund {
    /// The linked case.
    pub case_id: String,
    /// ISO 4217 code.
    pub currency: String,
    /// In minor units.
    pub minor: i64,
}

/// What is held against the sums of a case's plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// What it is about.
    pub category: String,
    /// What the complainant asked for; none where no sum was named.
    pub sought: Option<Money>,
    /// What plans of the case have granted, as far as it stands.
    pub granted: Sums,
    /// The most that one approver grants in a case.
    pub caps: Sums,
    /// The complainant's customer number; none where it is not known.
    pub customer: Option<String>,
    /// What was granted to the complainant in all their cases; empty without a number.
    pub complainant: Vec<Grant>,
    /// Cases linked to it that name the same order.
    pub same_order: BTreeSet<CaseId>,
    /// Refunds those hold or wait for.
    pub linked_refunds: Vec<LinkedRefund>,
}

impl Grounds {
    /// A linked case holds a refund.
    pub fn linked(&mut self, refund: LinkedRefund) {
        if self.linked_refunds.len() < MAX_LINKED_REFUNDS {
            self.linked_refunds.push(refund);
        }
    }
}

/// What is known of several cases; what is granted meanwhile is added to it.
#[derive(Clone, Debug, Default)]
pub struct GroundsByCase(BTreeMap<CaseId, Grounds>);

impl GroundsByCase {
    /// Those of cases.
    pub fn of(grounds: BTreeMap<CaseId, Grounds>) -> Self {
        Self(grounds)
    }

    /// Those of one case; nothing where nothing is known of it.
    pub fn get(&self, case: CaseId) -> Grounds {
        self.0.get(&case).cloned().unwrap_or_default()
    }

    /// A plan of a case was proposed with these refunds: its linked cases hold them.
    pub fn propose(&mut self, case: CaseId, refunds: &Sums) {
        for grounds in self.0.values_mut().filter(|grounds| grounds.same_order.contains(&case)) {
            let refunds = refunds.iter().map(|(currency, minor)| (currency.clone(), *minor));
            for (currency, minor) in refunds {
                grounds.linked(LinkedRefund { case_id: case.to_string(), currency, minor });
            }
        }
    }

    /// A plan of a case was approved over these sums.
    pub fn grant(&mut self, case: CaseId, sums: &Sums) {
        let customer = self.get(case).customer;
        if let Some(grounds) = self.0.get_mut(&case) {
            add(&mut grounds.granted, sums);
        }
        let theirs = |grounds: &&mut Grounds| customer.is_some() && grounds.customer == customer;
        for grounds in self.0.values_mut().filter(theirs) {
            let today = |(currency, minor): (&String, &i64)| Grant {
                days: 0,
                currency: currency.clone(),
                minor: *minor,
            };
            grounds.complainant.extend(sums.iter().map(today));
        }
    }
}

fn add(to: &mut Sums, sums: &Sums) {
    for (currency, minor) in sums {
        let sum = to.entry(currency.clone()).or_default();
        *sum = sum.saturating_add(*minor);
    }
}

/// What steps move together, by currency.
pub fn total<'a>(remedies: impl Iterator<Item = &'a Remedy>) -> Sums {
    let mut total = Sums::new();
    for amount in remedies.filter_map(|remedy| remedy.amount.as_ref()) {
        add(&mut total, &Sums::from([(amount.currency.clone(), amount.minor)]));
    }
    total
}

/// Everything a policy looks at of a plan, as it is kept beside it: policies are replayed
/// over it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Kinds of its remedies, as rules name them.
    pub kinds: BTreeSet<String>,
    /// The tenant's own types of them.
    pub remedy_types: BTreeSet<String>,
    /// How many steps it has.
    pub steps: i64,
    /// The largest sum of a step, by currency.
    pub largest: Sums,
    /// All its sums, by currency.
    pub total: Sums,
    /// What the case is about.
    pub category: String,
    /// How urgent it is: 1 (most) to 4.
    pub priority: i16,
    /// Its cycle.
    pub cycle: i32,
    /// Who proposes, folded.
    pub proposer: String,
    /// Their roles, as identities name them.
    pub roles: BTreeSet<String>,
    /// Currency of what was sought; empty where no sum was named.
    pub sought_currency: String,
    /// What was sought, in minor units.
    pub sought_minor: i64,
    /// What was granted in all cycles of the case, as far as it stands.
    pub case_granted: Sums,
    /// The most that one approver grants in a case.
    pub case_caps: Sums,
    /// Whether the complainant has a customer number.
    pub complainant_known: bool,
    /// What was granted to them.
    pub complainant: Vec<Grant>,
    /// Refunds for the same order in linked cases.
    pub linked_refunds: Vec<LinkedRefund>,
}

impl Facts {
    /// Takes in what is held against the plan.
    #[must_use]
    pub fn against(self, grounds: Grounds) -> Self {
        let (sought_currency, sought_minor) =
            grounds.sought.map(|sought| (sought.currency, sought.minor)).unwrap_or_default();
        Self {
            category: grounds.category,
            sought_currency,
            sought_minor,
            case_granted: grounds.granted,
            case_caps: grounds.caps,
            complainant_known: grounds.customer.is_some(),
            complainant: grounds.complainant,
            linked_refunds: grounds.linked_refunds,
            ..self
        }
    }

    /// What was granted in the case, with this plan.
    fn case_total(&self, currency: &str) -> i64 {
        of(&self.case_granted, currency).saturating_add(of(&self.total, currency))
    }

    /// What was granted to the complainant in so many days; without a customer number, what
    /// was in the case.
    fn complainant_granted(&self, currency: &str, days: i32) -> i64 {
        if !self.complainant_known {
            return of(&self.case_granted, currency);
        }
        let theirs = self.complainant.iter().filter(|grant| grant.days < days && grant.currency == currency);
        theirs.fold(0, |sum, grant| sum.saturating_add(grant.minor))
    }

    fn complainant_total(&self, currency: &str, days: i32) -> i64 {
        self.complainant_granted(currency, days).saturating_add(of(&self.total, currency))
    }

    /// What was sought, where a sum was named.
    fn sought(&self) -> Option<Money> {
        let named = !self.sought_currency.is_empty();
        named.then(|| Money { minor: self.sought_minor, currency: self.sought_currency.clone() })
    }

    fn is_above_sought(&self, currency: &str) -> bool {
        self.total.contains_key(currency)
            && self
                .sought()
                .is_some_and(|sought| sought.currency != currency || self.case_total(currency) > sought.minor)
    }

    /// Why two people must approve it; empty when one is enough.
    fn beyond(&self, complainant_caps: &Sums, days: i32) -> Vec<String> {
        let mut reasons = Vec::new();
        for currency in self.total.keys() {
            let sum = |minor| Money { minor, currency: currency.clone() };
            let total = sum(self.case_total(currency));
            if let Some(cap) = self.case_caps.get(currency).filter(|cap| total.minor > **cap) {
                reasons.push(format!("{total} in all is above the cap of {}", sum(*cap)));
            }
            let theirs = sum(self.complainant_total(currency, days));
            if let Some(cap) = complainant_caps.get(currency).filter(|cap| theirs.minor > **cap) {
                let cap = sum(*cap);
                reasons.push(format!("{theirs} to the complainant in {days} days is above the cap of {cap}"));
            }
            match self.sought() {
                Some(sought) if sought.currency != *currency => {
                    reasons.push(format!("{total} is in another currency than the {sought} sought"));
                }
                Some(sought) if total.minor > sought.minor => {
                    reasons.push(format!("{total} in all is above the {sought} sought"));
                }
                _ => {}
            }
        }
        reasons
    }

    /// What linked cases hold for the same order, a sentence each, where this plan moves
    /// money as well.
    fn refunded_already(&self) -> Vec<String> {
        if self.total.is_empty() {
            return Vec::new();
        }
        let told = |refund: &LinkedRefund| {
            let sum = Money { minor: refund.minor, currency: refund.currency.clone() };
            format!("the linked case {} holds a refund of {sum} for the same order", refund.case_id)
        };
        self.linked_refunds.iter().map(told).collect()
    }
}

fn of(sums: &Sums, currency: &str) -> i64 {
    sums.get(currency).copied().unwrap_or(0)
}

/// What is demanded of a plan; what is stricter is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nobody: a rule approves it.
    Automatic,
    /// So many people, one at least.
    Approvers(u8),
    /// It is refused.
    Refused,
}

/// How a plan was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// Version of the policy.
    pub policy: i64,
    /// The rule that decided; empty where none matched.
    pub rule: String,
    /// What is demanded.
    pub outcome: Outcome,
    /// Why, a sentence each.
    pub reasons: Vec<String>,
    /// Why two people must approve it; empty when one is enough.
    pub second_reason: String,
}

impl Ruling {
    /// How many people must approve it; none where nobody can.
    pub fn approvers(&self) -> Option<u8> {
        match self.outcome {
            Outcome::Automatic => Some(0),
            Outcome::Approvers(count) => Some(count),
            Outcome::Refused => None,
        }
    }

    /// The same for a plan that waits for people: one at least.
    #[must_use]
    pub fn by_people(self) -> Self {
        Self { outcome: self.outcome.max(Outcome::Approvers(1)), ..self }
    }
}

/// A ruling, and what whoever approves may approve by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalEvaluation {
    /// The ruling.
    pub ruling: Ruling,
    /// The most, by currency, for who has no limit of their own.
    pub limit: Sums,
}

/// One person's approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who approved.
    pub approver: String,
    /// Whose authority they used; empty for their own.
    pub on_behalf_of: String,
    /// When.
    pub approved_at: Timestamp,
}

impl Approval {
    /// Those who stand for it: whoever approved, and whose authority they used.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        [self.approver.as_str(), self.on_behalf_of.as_str()].into_iter().filter(|one| !one.is_empty())
    }

    /// Whose limits count.
    pub fn authority(&self) -> &str {
        if self.on_behalf_of.is_empty() { &self.approver } else { &self.on_behalf_of }
    }
}

/// A version of a policy as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPolicy {
    /// Its version.
    pub version: i64,
    /// What is new in it.
    pub note: String,
    /// Who created it.
    pub creator: String,
    /// When; none of the one that is shipped.
    pub created_at: Option<Timestamp>,
    /// When it was last activated.
    pub activated_at: Option<Timestamp>,
    /// Whether plans are judged by it.
    pub is_active: bool,
    /// What it says; none in lists.
    pub definition: Option<policy::Definition>,
}

/// What a plan was judged by when it was proposed or revised, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The plan.
    pub plan_id: PlanId,
    /// Its case.
    pub case_id: CaseId,
    /// Which of its revisions; none of the plan as it was proposed.
    pub revision: Option<i16>,
    /// When.
    pub judged_at: Timestamp,
    /// What was known.
    pub facts: Facts,
    /// What came of it.
    pub ruling: Ruling,
}

/// From when, and before when; none where it is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// From then on.
    pub start: Option<Timestamp>,
    /// Before then.
    pub end: Option<Timestamp>,
}

impl Window {
    /// The ids that judgements made in it can have, from the first to the last; they count
    /// milliseconds.
    pub fn ids(&self) -> (Uuid, Uuid) {
        let first = |moment: Timestamp| {
            let millisecond = u128::try_from(moment.as_millisecond()).unwrap_or_default();
            Uuid::from_u128(millisecond << 80)
        };
        let last = |moment: Timestamp| Uuid::from_u128(first(moment).as_u128() | ((1 << 80) - 1));
        (self.start.map_or(Uuid::nil(), first), self.end.map_or(Uuid::max(), last))
    }
}
