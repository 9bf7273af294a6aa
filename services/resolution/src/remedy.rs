//! What can be done to put a complaint right, and what each kind needs.

use std::fmt;
use std::time::Duration;

use kernel::Money;

kernel::numbered! {
    /// What a department is asked for.
    Inquiry {
        /// References to evidence.
        Evidence = 1,
        /// What it has to say.
        Statement = 2,
    }
}

kernel::numbered! {
    /// What a department is asked about a problem.
    Hint {
        /// To see to the stock.
        Stock = 1,
        /// To find out whether something must be recalled.
        Recall = 2,
    }
}

impl Hint {
    /// As its department reads it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stock => "see to the stock of what this is about",
            Self::Recall => "find out whether what this is about must be recalled",
        }
    }
}

kernel::numbered! {
    /// A kind of remedy.
    RemedyKind {
        /// A written apology.
        Apology = 1,
        /// An explanation of what happened.
        Explanation = 2,
        /// Money paid is given back.
        Refund = 3,
        /// Money for a loss.
        Compensation = 4,
        /// Goods are exchanged.
        Exchange = 5,
        /// Goods are repaired.
        Repair = 6,
        /// Goods are delivered again.
        Redelivery = 7,
        /// A better service for a time.
        ServiceUpgrade = 8,
        /// A fee is not charged.
        FeeWaiver = 9,
        /// Wrong records are corrected.
        RecordCorrection = 10,
        /// Staff are trained, moved or disciplined.
        StaffMeasures = 11,
        /// A product recall is announced.
        RecallNotice = 12,
        /// Something of a type of the tenant's own.
        Custom = 13,
        /// A department is asked for evidence or a statement: no remedy.
        Investigation = 20,
        /// A department is to see to its stock of an article: no remedy.
        StockAlert = 21,
        /// A department is asked about a problem: no remedy.
        ProblemHint = 22,
    }
}

/// The first number of the kinds that are no remedies.
const FIRST_OF_NO_PLAN: i16 = 20;
/// Largest sum of a remedy, in minor units: thousands of them can be added up.
pub const MAX_MINOR: i64 = 1_000_000_000_000_000;

impl RemedyKind {
    /// Whether it puts a complaint right, and may be a step of a plan.
    pub fn is_remedy(self) -> bool {
        self.number() < FIRST_OF_NO_PLAN
    }

    /// As rules name it: `refund`, `fee_waiver`.
    pub fn word(self) -> String {
        self.to_string().replace(' ', "_")
    }

    /// Whether it moves a sum of money.
    pub fn needs_amount(self) -> bool {
        matches!(self, Self::Refund | Self::Compensation | Self::FeeWaiver)
    }

    /// Whether it moves goods.
    pub fn needs_goods(self) -> bool {
        matches!(self, Self::Exchange | Self::Redelivery)
    }

    /// Whether it takes goods or parts, which its department may lack.
    pub fn takes_goods(self) -> bool {
        self.needs_goods() || self == Self::Repair
    }

    /// What could be done instead, where it takes goods that there are none of.
    pub fn instead(self) -> &'static [Self] {
        match self {
            Self::Exchange => &[Self::Repair, Self::Redelivery, Self::Refund],
            Self::Repair => &[Self::Exchange, Self::Redelivery, Self::Refund],
            Self::Redelivery => &[Self::Exchange, Self::Refund],
            _ => &[],
        }
    }

    /// Whether doing it twice costs twice; of a type of the tenant's own, see [`Remedy`].
    pub fn moves_value(self) -> bool {
        self.needs_amount() || self.needs_goods()
    }

    /// How long one attempt may go on, heartbeats or not; of a type of the tenant's own, see
    /// [`Remedy`].
    pub fn start_to_close(self) -> Duration {
        match self {
            _ if self.needs_amount() => Duration::from_hours(4),
            Self::Repair | Self::StaffMeasures => Duration::from_hours(30 * 24),
            _ => Duration::from_hours(3 * 24),
        }
    }

    /// Whether it can be undone once done: an apology cannot. Of a type of the tenant's own, see
    /// [`Remedy`].
    pub fn can_be_undone(self) -> bool {
        self.moves_value() || self == Self::ServiceUpgrade
    }
}

impl fmt::Display for RemedyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apology => "apology",
            Self::Explanation => "explanation",
            Self::Refund => "refund",
            Self::Compensation => "compensation",
            Self::Exchange => "exchange",
            Self::Repair => "repair",
            Self::Redelivery => "redelivery",
            Self::ServiceUpgrade => "service upgrade",
            Self::FeeWaiver => "fee waiver",
            Self::RecordCorrection => "record correction",
            Self::StaffMeasures => "staff measures",
            Self::RecallNotice => "recall notice",
            Self::Custom => "custom",
            Self::Investigation => "investigation",
            Self::StockAlert => "stock alert",
            Self::ProblemHint => "problem hint",
        })
    }
}

/// Goods to exchange or deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goods {
    /// Article number.
    pub sku: String,
    /// How many.
    pub quantity: i32,
}

/// What is done, and with what: the part of a step that its task repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What is done.
    pub kind: RemedyKind,
    /// The sum, for kinds that need one.
    pub amount: Option<Money>,
    /// The goods, for kinds that need them.
    pub goods: Option<Goods>,
    /// What the department should know.
    pub instructions: String,
    /// What its type says, where it is of one of the tenant's own.
    pub custom: Option<CustomRemedy>,
}

/// A remedy of a type of the tenant's own, under the version it was proposed by: later ones
/// change nothing about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomRemedy {
    /// The type.
    pub type_id: String,
    /// Its version.
    pub version: i64,
    /// What is needed for it, a JSON object.
    pub input: String,
    /// Whether doing it twice costs twice.
    pub moves_value: bool,
    /// How long one attempt may go on.
    pub attempt: Duration,
    /// What the department is told when it is to be undone; none where it cannot be.
    pub undo_instructions: Option<String>,
}

impl Remedy {
    /// Whether doing it twice costs twice.
    pub fn moves_value(&self) -> bool {
        self.custom.as_ref().map_or_else(|| self.kind.moves_value(), |custom| custom.moves_value)
    }

    /// How long one attempt may go on, heartbeats or not.
    pub fn start_to_close(&self) -> Duration {
        self.custom.as_ref().map_or_else(|| self.kind.start_to_close(), |custom| custom.attempt)
    }

    /// Whether it can be undone once done.
    pub fn can_be_undone(&self) -> bool {
        match &self.custom {
            Some(custom) => custom.undo_instructions.is_some(),
            None => self.kind.can_be_undone(),
        }
    }

    /// What undoes it: the same, under the instructions that its type has for that.
    #[must_use]
    pub fn undoing(&self) -> Self {
        let told = self.custom.as_ref().and_then(|custom| custom.undo_instructions.as_ref());
        Self { instructions: told.unwrap_or(&self.instructions).clone(), ..self.clone() }
    }

    /// What is missing of what its kind needs, and what it has that its kind does
    /// not take.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if !self.kind.is_remedy() {
            flaws.push(Flaw::new("kind", "is not for plans"));
        }
        match &self.amount {
            None if self.kind.needs_amount() => flaws.push(Flaw::new("amount", "is required for this kind")),
            Some(_) if !self.kind.needs_amount() => flaws.push(Flaw::new("amount", "is not for this kind")),
            Some(amount) if amount.minor <= 0 => flaws.push(Flaw::new("amount", "must be more than zero")),
            Some(amount) if amount.minor > MAX_MINOR => {
                let most = Money { minor: MAX_MINOR, currency: amount.currency.clone() };
                flaws.push(Flaw::new("amount", format!("must not be above {most}")));
            }
            _ => {}
        }
        if self.goods.is_none() && self.kind.needs_goods() {
            flaws.push(Flaw::new("goods", "are required for this kind"));
        }
        if self.goods.is_some() && !self.kind.needs_goods() {
            flaws.push(Flaw::new("goods", "are not for this kind"));
        }
        if self.custom.is_none() && self.kind == RemedyKind::Custom {
            flaws.push(Flaw::new("remedy_type", "is required for this kind"));
        }
        if self.custom.is_some() && self.kind != RemedyKind::Custom {
            flaws.push(Flaw::new("remedy_type", "is not for this kind"));
        }
        flaws
    }
}

/// As people would say it: `refund of CNY 199.90`, `exchange of 2 × A-17`, `custom gift-card`.
impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if let Some(custom) = &self.custom {
            write!(f, " {}", custom.type_id)?;
        }
        if let Some(amount) = &self.amount {
            write!(f, " of {amount}")?;
        }
        if let Some(Goods { sku, quantity }) = &self.goods {
            write!(f, " of {quantity} × {sku}")?;
        }
        Ok(())
    }
}

/// Something wrong with what was asked: the field, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Path of the field.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
}

impl Flaw {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self { field: field.into(), what: what.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(kind: RemedyKind, minor: Option<i64>, goods: bool) -> Remedy {
        Remedy {
            kind,
            amount: minor.map(|minor| Money { minor, currency: "CNY".to_owned() }),
            goods: goods.then(|| Goods { sku: "A-17".to_owned(), quantity: 2 }),
            instructions: String::new(),
            custom: (kind == RemedyKind::Custom).then(gift_card),
        }
    }

    fn gift_card() -> CustomRemedy {
        let attempt = Duration::from_mins(10);
        CustomRemedy { type_id: "gift-card".to_owned(), version: 3, attempt, ..CustomRemedy::default() }
    }

    fn fields(remedy: &Remedy) -> Vec<String> {
        remedy.flaws().into_iter().map(|flaw| flaw.field).collect()
    }

    #[test]
    fn each_kind_needs_its_own() {
        assert!(fields(&remedy(RemedyKind::Refund, Some(100), false)).is_empty());
        assert!(fields(&remedy(RemedyKind::Exchange, None, true)).is_empty());
        assert!(fields(&remedy(RemedyKind::Apology, None, false)).is_empty());
        assert_eq!(fields(&remedy(RemedyKind::Refund, None, false)), ["amount"]);
        assert_eq!(fields(&remedy(RemedyKind::Refund, Some(0), true)), ["amount", "goods"]);
        assert!(fields(&remedy(RemedyKind::Refund, Some(MAX_MINOR), false)).is_empty());
        assert_eq!(fields(&remedy(RemedyKind::Refund, Some(MAX_MINOR + 1), false)), ["amount"]);
        assert_eq!(fields(&remedy(RemedyKind::Redelivery, Some(1), false)), ["amount", "goods"]);
        assert_eq!(fields(&remedy(RemedyKind::Investigation, None, false)), ["kind"]);
        assert!(fields(&remedy(RemedyKind::Custom, None, false)).is_empty());
        assert_eq!(fields(&remedy(RemedyKind::Custom, Some(1), true)), ["amount", "goods"]);
        let typeless = Remedy { custom: None, ..remedy(RemedyKind::Custom, None, false) };
        assert_eq!(fields(&typeless), ["remedy_type"]);
        let typed = Remedy { custom: Some(gift_card()), ..remedy(RemedyKind::Apology, None, false) };
        assert_eq!(fields(&typed), ["remedy_type"]);
    }

    #[test]
    fn what_a_type_of_the_tenants_own_says_goes_before_its_kind() {
        let mut custom = remedy(RemedyKind::Custom, None, false);
        custom.instructions = "make it nice".to_owned();
        assert!(!custom.moves_value() && !custom.can_be_undone());
        assert_eq!(custom.start_to_close(), Duration::from_mins(10));
        assert_eq!(custom.undoing(), custom);
        let undo_instructions = Some("void it".to_owned());
        custom.custom = Some(CustomRemedy { moves_value: true, undo_instructions, ..gift_card() });
        assert!(custom.moves_value() && custom.can_be_undone());
        assert_eq!(custom.undoing().instructions, "void it");
        let refund = remedy(RemedyKind::Refund, Some(1), false);
        assert!(refund.moves_value() && refund.can_be_undone() && refund.undoing() == refund);
    }

    #[test]
    fn reads_as_people_say_it() {
        assert_eq!(remedy(RemedyKind::Refund, Some(19_990), false).to_string(), "refund of CNY 199.90");
        assert_eq!(remedy(RemedyKind::Exchange, None, true).to_string(), "exchange of 2 × A-17");
        assert_eq!(remedy(RemedyKind::Apology, None, false).to_string(), "apology");
        assert_eq!(remedy(RemedyKind::Custom, None, false).to_string(), "custom gift-card");
    }
}
