//! What facts know of a case, and what a return makes of it.

use jiff::Timestamp;
use jiff::civil::Date;
use kernel::{CaseId, Money};

use super::mapping::Matched;
use super::{Problems, Return};
use crate::fact::Ending;

/// Number of the channel by which a regulator hands over.
const REGULATOR: i16 = 9;

/// A cycle of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cycle {
    /// When its outcome took effect.
    pub resolved: Option<Timestamp>,
    /// When the complainant was told.
    pub told: Option<Timestamp>,
    /// Number of the outcome.
    pub outcome: Option<i16>,
    /// Satisfaction with the outcome, and when it was answered.
    pub satisfaction: Option<(i16, Timestamp)>,
}

/// A sum that was paid; negative where it was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// When.
    pub paid: Timestamp,
    /// How much.
    pub amount: Money,
}

/// Something other than money that was done, or undone, for a complainant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Whether it was undone.
    pub undone: bool,
}

/// What facts know of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that say nothing of each other")]
pub struct Record {
    /// The case.
    pub case_id: CaseId,
    /// When its complaint counts as received.
    pub received: Timestamp,
    /// Number of the channel; 0 when unknown.
    pub channel: i16,
    /// Where the complainant is.
    pub region: String,
    /// Product or service.
    pub product: String,
    /// What it is about.
    pub category: String,
    /// Root cause of a problem it is linked to.
    pub root_cause: String,
    /// Legal entity or brand.
    pub organisation: String,
    /// Branch.
    pub branch: String,
    /// The regulator's or the channel's number.
    pub outside_id: String,
    /// Whether another case has that number too.
    pub is_outside_id_shared: bool,
    /// When a regulator handed it over.
    pub forwarded: Option<Timestamp>,
    /// Whether it had ended before it was brought here.
    pub history: bool,
    /// Whether it is a report of a violation.
    pub is_report: bool,
    /// Whether the complainant needs extra care; none where facts do not know.
    pub vulnerable: Option<bool>,
    /// Whether they are elderly.
    pub older: bool,
    /// Whether they serve in the forces.
    pub servicemember: bool,
    /// Whether it was merged into a case of other people.
    pub merged_apart: bool,
    /// When and how it ended.
    pub ended: Option<(Timestamp, Ending)>,
    /// When a regime's limit was first broken.
    pub limit_breached: Option<Timestamp>,
    /// When the complainant was first told that it takes longer.
    pub held: Option<Timestamp>,
    /// Its cycles, in order.
    pub cycles: Vec<Cycle>,
    /// What was paid, in order.
    pub payments: Vec<Payment>,
    /// What else was done.
    pub deeds: Vec<Deed>,
}

/// That a complaint was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// Number of what was decided by then.
    pub outcome: Option<i16>,
    /// Whether the complainant was told an outcome.
    pub told: bool,
    /// How the case ended, where that closed it.
    pub ending: Option<Ending>,
}

impl Record {
    /// When it was first closed: its first outcome was told, or it ended.
    pub fn closing(&self) -> Option<Closing> {
        let told = self.cycles.iter().filter_map(|cycle| Some((cycle.told?, cycle.outcome)));
        let told = told.min_by_key(|(at, _)| *at);
        let ended = self.ended.filter(|(_, ending)| *ending != Ending::Merged);
        match (told, ended) {
            (Some((at, outcome)), ended) if ended.is_none_or(|(end, _)| at <= end) => {
                Some(Closing { at, outcome, told: true, ending: None })
            }
            (_, Some((at, ending))) => {
                let outcome = self.outcome_at(at);
                Some(Closing { at, outcome, told: self.history && outcome.is_some(), ending: Some(ending) })
            }
            _ => None,
        }
    }

    /// The same, if it was before the end of a return.
    pub fn closed(&self, of: &Return) -> Option<Closing> {
        self.closing().filter(|closing| closing.at < of.as_of)
    }

    /// What the last cycle was decided as that had an outcome in effect by then. When that
    /// was may not be on record of what had ended before it was brought here.
    fn outcome_at(&self, at: Timestamp) -> Option<i16> {
        let in_effect = |cycle: &&Cycle| cycle.resolved.map_or(self.history, |resolved| resolved <= at);
        self.cycles.iter().rev().filter(in_effect).find_map(|cycle| cycle.outcome)
    }

    /// Whether the return tells of it. What names no organisation does, to be refused.
    pub fn belongs_to(&self, of: &Return) -> bool {
        let mapping = &of.mapping;
        let is_merged = self.ended.is_some_and(|(_, ending)| ending == Ending::Merged) && !self.merged_apart;
        let is_ours = mapping.organisations.is_empty()
            || self.organisation.is_empty()
            || mapping
                .organisations
                .iter()
                .any(|ours| ours.to_lowercase() == self.organisation.to_lowercase());
        let is_handed_over = self.channel == REGULATOR;
        !self.is_report
            && !is_merged
            && is_ours
            && (is_handed_over || !mapping.regulator_only)
            && self.is_of_time(of)
    }

    fn is_of_time(&self, of: &Return) -> bool {
        if of.covers(self.received) {
            return true;
        }
        let was_open = self.closing().is_none_or(|closing| closing.at >= of.from);
        let is_paid = of.regime == super::Regime::FcaDisp1Annex1r && self.paid_within(of).next().is_some();
        of.regime.carries_over() && self.received < of.from && (was_open || is_paid)
    }

    /// What is impossible of it, whatever the regime.
    pub fn flaws(&self, of: &Return) -> Problems {
        let mut problems = Problems::new();
        if self.closed(of).is_some_and(|closing| closing.at < self.received) {
            problems.push(("date_closed", "lies before the complaint was received".to_owned()));
        }
        if !of.mapping.organisations.is_empty() && self.organisation.is_empty() {
            problems.push(("organisation", "no legal entity is named by the complaint".to_owned()));
        }
        problems
    }

    /// What rules are matched against.
    pub fn matched(&self, of: &Return) -> Matched<'_> {
        Matched {
            category: &self.category,
            product: &self.product,
            channel: self.channel,
            root_cause: &self.root_cause,
            outcome: self.closed(of).and_then(|closing| closing.outcome).unwrap_or(0),
            region: &self.region,
        }
    }

    /// Payments with the moment they count at: when they were made, and not before it was
    /// closed. So each counts in one period, together with what was decided.
    fn paid_within(&self, of: &Return) -> impl Iterator<Item = &Payment> {
        let closed = self.closing().map(|closing| closing.at);
        let (from, until) = (of.from, of.until.min(of.as_of));
        self.payments.iter().filter(move |payment| {
            closed.is_some_and(|closed| (from..until).contains(&payment.paid.max(closed)))
        })
    }

    /// What was paid that counts in the period, in the smallest unit of a currency.
    pub fn redress(&self, of: &Return, currency: &str, problems: &mut Problems) -> i64 {
        let paid: Vec<&Payment> = self.paid_within(of).collect();
        sum(&paid, currency, problems)
    }

    /// What was paid in all until the end of a return, in the smallest unit of a currency.
    pub fn paid(&self, of: &Return, currency: &str, problems: &mut Problems) -> i64 {
        let paid: Vec<&Payment> = self.payments.iter().filter(|payment| payment.paid < of.as_of).collect();
        sum(&paid, currency, problems)
    }

    /// Whether any money is with the complainant, whatever the currency.
    pub fn is_paid(&self, of: &Return) -> bool {
        let mut left = std::collections::BTreeMap::<&str, i64>::new();
        for payment in self.payments.iter().filter(|payment| payment.paid < of.as_of) {
            *left.entry(&payment.amount.currency).or_default() += payment.amount.minor;
        }
        left.values().any(|minor| *minor > 0)
    }

    /// Whether anything but money was done and not undone.
    pub fn is_otherwise_relieved(&self, of: &Return) -> bool {
        let done = self.deeds.iter().filter(|deed| deed.at < of.as_of);
        done.map(|deed| if deed.undone { -1 } else { 1 }).sum::<i32>() > 0
    }

    /// Whether a regulator handed it over.
    pub fn is_handed_over(&self) -> bool {
        self.channel == REGULATOR
    }

    /// How many days lie between receipt and a day.
    pub fn days_until(&self, of: &Return, day: Date) -> i32 {
        of.date(self.received).until(day).map_or(0, |span| span.get_days())
    }
}

fn sum(paid: &[&Payment], currency: &str, problems: &mut Problems) -> i64 {
    if let Some(other) = paid.iter().find(|payment| payment.amount.currency != currency) {
        let other = &other.amount.currency;
        problems.push(("redress", format!("was paid in {other}; the return is in {currency}")));
        return 0;
    }
    paid.iter().map(|payment| payment.amount.minor).fold(0, i64::saturating_add)
}
