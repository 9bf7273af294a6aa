//! The editor of a plan: a few steps, each with what it needs.

use proto::google::r#type::Money;
use proto::redress::resolution::v1::{Goods, RemedyKind, Step};

use super::load::Loaded;
use crate::form::Posted;
use crate::money;
use crate::problem::Violation;
use crate::words::Words;

/// Steps that a form has room for.
pub(super) const ROWS: usize = 6;
/// Currencies to choose from, beside the one of the complaint.
const CURRENCIES: [&str; 6] = ["CNY", "EUR", "USD", "GBP", "HKD", "JPY"];
/// What can be planned by the form: of the tenant's own types, a program says more.
const KINDS: [RemedyKind; 12] = [
    RemedyKind::Apology,
    RemedyKind::Explanation,
    RemedyKind::Refund,
    RemedyKind::Compensation,
    RemedyKind::Exchange,
    RemedyKind::Repair,
    RemedyKind::Redelivery,
    RemedyKind::ServiceUpgrade,
    RemedyKind::FeeWaiver,
    RemedyKind::RecordCorrection,
    RemedyKind::StaffMeasures,
    RemedyKind::RecallNotice,
];

/// Something to choose.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// A step, as the form has it.
pub(super) struct Row {
    pub(super) number: usize,
    pub(super) kinds: Vec<Choice>,
    pub(super) departments: Vec<Choice>,
    pub(super) currencies: Vec<Choice>,
    pub(super) amount: String,
    pub(super) sku: String,
    pub(super) quantity: String,
    pub(super) after: String,
    pub(super) instructions: String,
    /// Whether it is shown before it is asked for.
    pub(super) is_open: bool,
}

/// The form.
pub(super) struct PlanForm {
    pub(super) rows: Vec<Row>,
}

fn name(row: usize, field: &str) -> String {
    format!("step{row}_{field}")
}

fn choices(all: impl Iterator<Item = (String, String)>, chosen: &str) -> Vec<Choice> {
    all.map(|(value, name)| Choice { is_chosen: value == chosen, value, name }).collect()
}

impl PlanForm {
    /// Empty, or with what was written.
    pub(super) fn new(t: Words, loaded: &Loaded, posted: Option<&Posted>) -> Self {
        let sought = loaded.case.amount_sought.as_ref();
        let usual = sought.map_or(CURRENCIES[0], |sum| sum.currency_code.as_str());
        let row = |number: usize| {
            let text = |field: &str| posted.map_or("", |posted| posted.text(&name(number, field))).to_owned();
            let currency = match text("currency") {
                empty if empty.is_empty() => usual.to_owned(),
                chosen => chosen,
            };
            let kinds = KINDS
                .iter()
                .map(|kind| (i32::from(*kind).to_string(), t.remedy(i32::from(*kind)).to_owned()));
            let departments = loaded.departments.iter().map(|one| {
                let name = if one.display_name.is_empty() { &one.department_id } else { &one.display_name };
                (one.department_id.clone(), name.clone())
            });
            let mut known: Vec<&str> = CURRENCIES.to_vec();
            if !known.contains(&currency.as_str()) {
                known.insert(0, &currency);
            }
            Row {
                number,
                kinds: choices(kinds, &text("kind")),
                departments: choices(departments, &text("department")),
                currencies: choices(
                    known.iter().map(|one| ((*one).to_owned(), (*one).to_owned())),
                    &currency,
                ),
                amount: text("amount"),
                sku: text("sku"),
                quantity: text("quantity"),
                after: text("after"),
                instructions: text("instructions"),
                is_open: number == 1 || !text("kind").is_empty(),
            }
        };
        Self { rows: (1..=ROWS).map(row).collect() }
    }
}

/// The steps of a form; what is wrong with it, all at once.
pub(super) fn steps(posted: &Posted) -> Result<Vec<Step>, Vec<Violation>> {
    let (mut steps, mut wrong) = (Vec::new(), Vec::new());
    let mut violate = |field: String, description: &str| {
        wrong.push(Violation { field, description: description.to_owned() });
    };
    for row in 1..=ROWS {
        let text = |field: &str| posted.text(&name(row, field));
        let Some(kind) = posted.number::<i32>(&name(row, "kind")).filter(|kind| *kind != 0) else { continue };
        let mut amount: Option<Money> = None;
        if !text("amount").is_empty() {
            amount = money::read(text("currency"), text("amount"));
            if amount.is_none() {
                violate(name(row, "amount"), "must be a number such as 39.90");
            }
        }
        let mut goods = None;
        if !text("sku").is_empty() {
            let quantity = if text("quantity").is_empty() { Ok(1) } else { text("quantity").parse() };
            match quantity {
                Ok(quantity) => goods = Some(Goods { sku: text("sku").to_owned(), quantity }),
                Err(_) => violate(name(row, "quantity"), "must be a whole number"),
            }
        }
        let after: Vec<&str> = text("after").split([',', ' ', '，']).filter(|one| !one.is_empty()).collect();
        if after.iter().any(|one| one.parse::<usize>().is_err()) {
            violate(name(row, "after"), "must be numbers of steps such as 1, 2");
        }
        steps.push(Step {
            step_id: format!("step-{row}"),
            kind,
            department_id: text("department").to_owned(),
            amount,
            goods,
            depends_on: after.iter().map(|one| format!("step-{one}")).collect(),
            instructions: text("instructions").to_owned(),
            ..Step::default()
        });
    }
    if wrong.is_empty() { Ok(steps) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(fields: &[(&str, &str)]) -> Posted {
        Posted::of(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn rows_that_are_used_become_steps() {
        let steps = steps(&posted(&[
            ("step1_kind", "3"),
            ("step1_department", "finance"),
            ("step1_amount", "39.90"),
            ("step1_currency", "EUR"),
            ("step2_kind", ""),
            ("step2_amount", "7"),
            ("step3_kind", "5"),
            ("step3_sku", "CUP-1"),
            ("step3_after", "1"),
        ]))
        .unwrap();
        assert_eq!(steps.len(), 2);
        assert_eq!((steps[0].step_id.as_str(), steps[0].kind()), ("step-1", RemedyKind::Refund));
        assert_eq!(steps[0].amount.as_ref().unwrap().units, 39);
        assert_eq!(steps[1].goods.as_ref().unwrap().quantity, 1);
        assert_eq!(steps[1].depends_on, ["step-1"]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = steps(&posted(&[
            ("step1_kind", "3"),
            ("step1_amount", "much"),
            ("step2_kind", "5"),
            ("step2_sku", "CUP-1"),
            ("step2_quantity", "few"),
            ("step2_after", "the first"),
        ]))
        .unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["step1_amount", "step2_quantity", "step2_after"]);
    }
}
