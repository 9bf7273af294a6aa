//! Approval policies: rules and caps as data, read once and then applied.

use std::collections::{BTreeMap, BTreeSet};

use kernel::person;
use predicate::Condition;
use serde::{Deserialize, Serialize};

use super::words::{Fact, List, View, Words};
use super::{ApprovalEvaluation, Facts, MAX_DAYS, Outcome, Ruling, Sums};
use crate::remedy::Flaw;

/// Most people that a rule may demand.
pub const MAX_APPROVERS: i32 = 5;
/// Most facts that the rules of a policy ask for together.
pub const MAX_FACTS: usize = 2_000;
/// Most versions that a tenant may make.
pub const MAX_POLICIES: i64 = 500;
/// The days that count for a complainant where a policy does not say.
pub const USUAL_DAYS: i32 = 365;

/// What a rule demands, and of whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Demand {
    /// Nobody.
    Automatic,
    /// So many people, each up to a limit.
    Approvers {
        /// How many.
        count: u8,
        /// The most in one plan, by currency, for who has no limit of their own.
        limit: Sums,
    },
    /// The plan is refused.
    Refusal,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is called on plans.
    pub name: String,
    /// When it matches, in CEL.
    pub when: String,
    /// Why, for people.
    pub reason: String,
    /// What it demands.
    pub demand: Demand,
}

/// What one person may approve in one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproverLimit {
    /// Their subject.
    pub approver: String,
    /// The most, by currency.
    pub limits: Sums,
}

/// A policy as data: what a tenant writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The rules, in the order they are tried.
    pub rules: Vec<Rule>,
    /// The most that one approver grants to a complainant, by currency.
    pub complainant_caps: Sums,
    /// The days that count for a complainant.
    pub complainant_days: i32,
    /// What certain people may approve.
    pub approver_limits: Vec<ApproverLimit>,
}

impl Default for Definition {
    /// The policy that is shipped: no rules, no caps.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            complainant_caps: Sums::new(),
            complainant_days: USUAL_DAYS,
            approver_limits: Vec::new(),
        }
    }
}

/// A policy ready to be applied.
#[derive(Clone, Debug, Default)]
pub struct ApprovalPolicy {
    /// Its version; 0 is the one that is shipped.
    pub version: i64,
    definition: Definition,
    conditions: Vec<Condition<Fact>>,
    /// What certain people may approve, by folded subject.
    own_limits: BTreeMap<String, Sums>,
}

impl ApprovalPolicy {
    /// Reads a definition; what cannot be read is told all at once.
    ///
    /// # Errors
    ///
    /// Fails with every flaw of the definition.
    pub fn read(version: i64, definition: Definition) -> Result<Self, Vec<Flaw>> {
        let mut flaws = names(&definition);
        let sources: Vec<&str> = definition.rules.iter().map(|rule| rule.when.as_str()).collect();
        let mut conditions = Vec::with_capacity(sources.len());
        for (at, read) in predicate::conditions(&sources, &Words).into_iter().enumerate() {
            match read {
                Ok(condition) => conditions.push(condition),
                Err(wrong) => {
                    let what = format!("rule {} does not type-check: {wrong}", definition.rules[at].name);
                    flaws.push(Flaw::new(format!("rules[{at}].when"), what));
                }
            }
        }
        let facts: usize = conditions.iter().map(|condition| condition.facts().len()).sum();
        if facts > MAX_FACTS {
            let what = format!("ask for {facts} facts together; {MAX_FACTS} are allowed");
            flaws.push(Flaw::new("rules", what));
        }
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let own = definition.approver_limits.iter();
        let own_limits = own.map(|own| (person::folded(&own.approver), own.limits.clone())).collect();
        Ok(Self { version, definition, conditions, own_limits })
    }

    /// Whether it is the one that is shipped, which looks at neither complainants nor rules.
    pub fn is_shipped(&self) -> bool {
        self.version == 0
    }

    /// How much work it is to judge a plan.
    pub fn weight(&self) -> usize {
        self.conditions.iter().map(|condition| condition.facts().len()).sum()
    }

    /// Judges a plan; the same facts give the same ruling.
    pub fn evaluate(&self, facts: &Facts) -> ApprovalEvaluation {
        let Definition { complainant_caps, complainant_days: days, .. } = &self.definition;
        let (rule, mut outcome, limit) = self.demanded(facts);
        let mut reasons: Vec<String> = rule.iter().map(|rule| rule.reason.clone()).collect();
        if let Some(rule) = rule.filter(|rule| rule.demand == Demand::Automatic)
            && outcome > Outcome::Automatic
        {
            let what = "the plan has a type of remedy that the rule does not name";
            reasons.push(format!("{what}; {} approves only what it names by itself", rule.name));
        }
        let beyond = facts.beyond(complainant_caps, *days);
        if !beyond.is_empty() {
            outcome = outcome.max(Outcome::Approvers(2));
        }
        let refunded = facts.refunded_already();
        if !refunded.is_empty() {
            outcome = outcome.max(Outcome::Approvers(1));
        }
        let second_reason = beyond.join("; ");
        reasons.extend(beyond);
        reasons.extend(refunded);
        let rule = rule.map(|rule| rule.name.clone()).unwrap_or_default();
        ApprovalEvaluation {
            ruling: Ruling { policy: self.version, rule, outcome, reasons, second_reason },
            limit,
        }
    }

    /// What rules demand: of each currency's the strictest, the first where two are even;
    /// and of each currency the limit of its own rule.
    fn demanded(&self, facts: &Facts) -> (Option<&Rule>, Outcome, Sums) {
        let mut currencies: Vec<&str> = facts.total.keys().map(String::as_str).collect();
        if currencies.is_empty() {
            currencies.push("");
        }
        let mut limit = Sums::new();
        let mut strictest: Option<(Option<&Rule>, Outcome)> = None;
        for currency in currencies {
            let (rule, condition) = self.matching(facts, currency).unzip();
            let outcome = match rule.map(|rule| &rule.demand) {
                Some(Demand::Automatic) if !names_all(condition, &facts.remedy_types) => {
                    Outcome::Approvers(1)
                }
                Some(Demand::Automatic) => Outcome::Automatic,
                Some(Demand::Refusal) => Outcome::Refused,
                Some(Demand::Approvers { count, limit: each }) => {
                    limit.extend(each.get_key_value(currency).map(|(of, most)| (of.clone(), *most)));
                    Outcome::Approvers(*count)
                }
                None => Outcome::Approvers(1),
            };
            if strictest.is_none_or(|(_, before)| outcome > before) {
                strictest = Some((rule, outcome));
            }
        }
        let (rule, outcome) = strictest.unwrap_or((None, Outcome::Approvers(1)));
        (rule, outcome, limit)
    }

    /// The first rule that matches, and its condition.
    fn matching(&self, facts: &Facts, currency: &str) -> Option<(&Rule, &Condition<Fact>)> {
        let view = View { facts, currency, days: self.definition.complainant_days };
        let rules = self.definition.rules.iter().zip(&self.conditions);
        let mut matching = rules.filter(|(_, condition)| condition.holds(&|fact| view.holds(fact)));
        matching.next()
    }

    /// The most, by currency, that somebody may approve in a plan judged so: their own
    /// limits, in other currencies what the rule says.
    pub fn limit_of(&self, approver: &str, evaluation: &ApprovalEvaluation) -> Sums {
        let mut limit = evaluation.limit.clone();
        let own = self.own_limits.get(&person::folded(approver));
        limit.extend(own.into_iter().flatten().map(|(currency, most)| (currency.clone(), *most)));
        limit
    }
}

/// Whether a condition names each of these types of remedy: what a tenant's own type moves no
/// cap counts, so that who writes a rule must have meant it.
fn names_all(condition: Option<&Condition<Fact>>, types: &BTreeSet<String>) -> bool {
    let facts = condition.map(Condition::facts).unwrap_or_default();
    let is_named = |name: &String| {
        let named = |fact: &Fact| matches!(fact, Fact::Member(List::RemedyTypes, what) if what == name);
        facts.iter().any(|fact| named(fact))
    };
    types.iter().all(is_named)
}

/// What is wrong with a definition beside its conditions.
fn names(definition: &Definition) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, rule) in definition.rules.iter().enumerate() {
        if !seen.insert(&rule.name) {
            flaws.push(Flaw::new(format!("rules[{at}].name"), format!("{} is there already", rule.name)));
        }
    }
    let mut seen = BTreeSet::new();
    for (at, own) in definition.approver_limits.iter().enumerate() {
        if !seen.insert(person::folded(&own.approver)) {
            let what = format!("{} is there already", own.approver);
            flaws.push(Flaw::new(format!("approver_limits[{at}].approver"), what));
        }
    }
    if !(1..=MAX_DAYS).contains(&definition.complainant_days) {
        flaws.push(Flaw::new("complainant_days", format!("must be 1 to {MAX_DAYS}, or 0")));
    }
    flaws
}
