//! How the words of a tenant become the codes of a regulator.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Problems, Regime, cfpb, fca};

/// Most rules.
pub const MAX_RULES: usize = 1_000;
/// Most codes of a rule.
pub const MAX_CODES: usize = 10;
/// Most constants.
pub const MAX_CONSTANTS: usize = 20;
/// Most headings.
pub const MAX_HEADINGS: usize = 40;
/// Most organisations.
pub const MAX_ORGANISATIONS: usize = 50;
/// Most days that are no business days either.
pub const MAX_CLOSED_DATES: usize = 400;
/// Longest name of a field.
pub const MAX_FIELD: usize = 60;
/// Longest value of a field.
pub const MAX_VALUE: usize = 400;
/// Longest condition of a rule.
pub const MAX_CONDITION: usize = 200;
/// Longest region.
pub const MAX_REGION: usize = 20;
/// What parts a category from one below it.
const BELOW: char = '/';

/// Gives codes to the cases that meet every condition; an empty one is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The category, or one below it.
    pub category: String,
    /// The product.
    pub product: String,
    /// Number of the channel; 0 is no condition.
    pub channel: i16,
    /// The root cause, or one below it.
    pub root_cause: String,
    /// Number of the outcome; 0 is no condition.
    pub outcome: i16,
    /// Where the complainant is.
    pub region: String,
    /// What the regulator calls it, by field.
    pub codes: BTreeMap<String, String>,
}

/// What rules are matched against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matched<'a> {
    /// What it is about.
    pub category: &'a str,
    /// Product or service.
    pub product: &'a str,
    /// Number of the channel.
    pub channel: i16,
    /// Root cause of a problem it is linked to.
    pub root_cause: &'a str,
    /// Number of the outcome; 0 while it is open.
    pub outcome: i16,
    /// Where the complainant is.
    pub region: &'a str,
}

/// How cases become records of a return.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The organisations whose complaints belong to it; none takes all.
    pub organisations: Vec<String>,
    /// Takes only what a regulator handed over.
    pub regulator_only: bool,
    /// Name of a calendar that ships with us; empty takes that of the zone.
    pub calendar: String,
    /// Days that are no business days either.
    pub closed_dates: Vec<Date>,
    /// Values that are one for the whole return.
    pub constants: BTreeMap<String, String>,
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// Other headings of columns.
    pub headings: BTreeMap<String, String>,
}

/// Whether a path is another, or lies below it; an empty one is above all.
fn is_within(path: &str, above: &str) -> bool {
    above.is_empty()
        || path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(BELOW))
}

impl Rule {
    /// Whether it holds for a case.
    pub fn matches(&self, case: &Matched<'_>) -> bool {
        let Self { category, product, channel, root_cause, outcome, region, codes: _ } = self;
        let is = |condition: &str, value: &str| condition.is_empty() || condition == value;
        is_within(case.category, category)
            && is(product, case.product)
            && (*channel == 0 || *channel == case.channel)
            && is_within(case.root_cause, root_cause)
            && (*outcome == 0 || *outcome == case.outcome)
            && is(region, case.region)
    }

    /// Whether it matches whatever another does.
    fn covers(&self, other: &Self) -> bool {
        let Self { category, product, channel, root_cause, outcome, region, codes: _ } = other;
        self.matches(&Matched { category, product, channel: *channel, root_cause, outcome: *outcome, region })
    }
}

impl Mapping {
    /// The code of a case, by the first rule that has one.
    pub fn code(&self, field: &str, case: &Matched<'_>) -> Option<&str> {
        let has = |rule: &&Rule| rule.codes.contains_key(field) && rule.matches(case);
        self.rules.iter().find(has).and_then(|rule| rule.codes.get(field)).map(String::as_str)
    }

    /// The same, or what it lacks.
    pub fn needed(&self, field: &'static str, case: &Matched<'_>, problems: &mut Problems) -> String {
        let code = self.code(field, case);
        if code.is_none() {
            let category = if case.category.is_empty() { "none" } else { case.category };
            problems.push((field, format!("no rule of the mapping gives one (category: {category})")));
        }
        code.unwrap_or_default().to_owned()
    }

    /// A value that is one for the whole return.
    pub fn constant(&self, field: &str) -> Option<&str> {
        self.constants.get(field).map(String::as_str)
    }

    /// Constants there must be and are not.
    pub fn lacking(&self, fields: &[&'static str]) -> Problems {
        let missing = fields.iter().filter(|field| self.constant(field).is_none());
        missing.map(|field| (*field, "the mapping names none".to_owned())).collect()
    }

    /// What a column is headed.
    pub fn heading<'a>(&'a self, column: &'a str) -> &'a str {
        self.headings.get(column).map_or(column, String::as_str)
    }

    /// Rules that can never give a code, as those before them match whatever they do: the
    /// place, and the field.
    pub fn shadowed(&self) -> Vec<(usize, &str)> {
        let mut found = Vec::new();
        for (place, rule) in self.rules.iter().enumerate() {
            let before = self.rules.get(..place).unwrap_or_default();
            for field in rule.codes.keys() {
                if before.iter().any(|earlier| earlier.codes.contains_key(field) && earlier.covers(rule)) {
                    found.push((place, field.as_str()));
                }
            }
        }
        found
    }
}

/// What values of a field may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// A text of at most so many characters.
    Text(usize),
    /// One of these, exactly.
    OneOf(&'static [&'static str]),
    /// A firm reference number: 6 or 7 digits.
    Reference,
    /// Such numbers, parted by commas.
    References,
}

impl Values {
    /// What is wrong with a value.
    pub fn flaw(self, value: &str) -> Option<String> {
        let is_reference =
            |text: &str| matches!(text.len(), 6 | 7) && text.bytes().all(|b| b.is_ascii_digit());
        let told = |wrong: bool, told: &str| wrong.then(|| told.to_owned());
        match self {
            Self::Text(most) => {
                (value.chars().count() > most).then(|| format!("must have at most {most} characters"))
            }
            Self::OneOf(all) if all.len() > 20 => {
                told(!all.contains(&value), "is none of the regulator's codes")
            }
            Self::OneOf(all) => {
                (!all.contains(&value)).then(|| format!("must be one of: {}", all.join("; ")))
            }
            Self::Reference => told(!is_reference(value), "must be 6 or 7 digits"),
            Self::References => told(
                !value.split(',').all(is_reference),
                "must be numbers of 6 or 7 digits, parted by commas",
            ),
        }
    }
}

/// Yes or no, as mappings write it.
pub const YES_NO: &[&str] = &["yes", "no"];

type Fields = &'static [(&'static str, Values)];

impl Regime {
    /// The constants a mapping may have.
    pub fn constants(self) -> Fields {
        match self {
            Self::Cfpb => &[("company", Values::Text(200)), ("company_public_response", Values::Text(200))],
            Self::FcaDisp1Annex1r => &[
                ("firm_reference", Values::Reference),
                ("covers_more_than_one_entity", Values::OneOf(YES_NO)),
                ("other_firm_references", Values::References),
                ("early_publication_consent", Values::OneOf(YES_NO)),
                ("accuracy_confirmed", Values::OneOf(YES_NO)),
            ],
            Self::AsicIdr => &[
                ("brand", Values::Text(200)),
                ("status_open", Values::Text(100)),
                ("status_closed", Values::Text(100)),
            ],
            Self::CnBank => &[("institution", Values::Text(200))],
        }
    }

    /// The fields that rules may give codes of.
    pub fn codes(self) -> Fields {
        match self {
            Self::Cfpb => &[
                ("product", Values::Text(200)),
                ("sub_product", Values::Text(200)),
                ("issue", Values::Text(200)),
                ("sub_issue", Values::Text(200)),
                ("submitted_via", Values::OneOf(cfpb::SUBMITTED_VIA)),
                ("state", Values::OneOf(cfpb::STATES)),
                ("company_public_response", Values::Text(200)),
            ],
            Self::FcaDisp1Annex1r => &[
                ("product", Values::Text(100)),
                ("cause", Values::Text(100)),
                (fca::FAILURE, Values::OneOf(YES_NO)),
            ],
            Self::AsicIdr => &[
                ("brand", Values::Text(200)),
                ("complainant_type", Values::Text(100)),
                ("channel", Values::Text(100)),
                ("about_representative", Values::Text(100)),
                ("product", Values::Text(100)),
                ("issue", Values::Text(100)),
                ("outcome", Values::Text(100)),
            ],
            Self::CnBank => &[
                ("channel", Values::Text(100)),
                ("business_type", Values::Text(100)),
                ("cause", Values::Text(100)),
            ],
        }
    }

    /// The columns whose headings a mapping may change.
    pub fn headings(self) -> &'static [&'static str] {
        match self {
            Self::AsicIdr => super::asic::COLUMNS,
            Self::CnBank => super::cn_bank::COLUMNS,
            Self::Cfpb | Self::FcaDisp1Annex1r => &[],
        }
    }
}
