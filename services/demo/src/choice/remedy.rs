//! What is done to put a complaint right, by what it is about.

use kernel::Money;
use proto::google::r#type::Money as WireMoney;
use proto::redress::cases::v1::Outcome;
use proto::redress::intake::v1::Complaint;
use proto::redress::resolution::v1::{Goods, RemedyKind, Step};

use crate::words::say;

/// Share of the sum paid where the complaint is upheld in part.
const PART_PERCENT: i64 = 60;
/// What is added for the trouble of asking twice.
const TROUBLE_PERCENT: i64 = 10;

/// Everything asked for.
pub(super) fn in_full(complaint: &Complaint) -> Vec<Step> {
    plan(complaint, sum(complaint))
}

/// The part that is owed.
pub(super) fn in_part(complaint: &Complaint) -> Vec<Step> {
    plan(complaint, sum(complaint).and_then(|sum| share(&sum, PART_PERCENT)))
}

/// What lacked the first time, and something for the trouble.
pub(super) fn on_second_look(complaint: &Complaint, before: Outcome) -> Vec<Step> {
    let missing = match before {
        Outcome::Upheld => TROUBLE_PERCENT,
        Outcome::PartlyUpheld => 100 - PART_PERCENT + TROUBLE_PERCENT,
        _ => return plan(complaint, sum(complaint)),
    };
    let mut steps = Vec::new();
    if let Some(sum) = sum(complaint).and_then(|sum| share(&sum, missing)) {
        steps.push(paid("rest", RemedyKind::Compensation, &sum));
    }
    finish(steps, complaint)
}

/// What a complaint of this kind takes, with the sum that is owed, if any.
fn plan(complaint: &Complaint, sum: Option<Money>) -> Vec<Step> {
    let (root, leaf) = complaint.category_hint.split_once('/').unwrap_or((&complaint.category_hint, ""));
    let mut steps = Vec::new();
    match root {
        "delivery" if matches!(leaf, "lost" | "not-delivered" | "wrong-address") => {
            steps.extend(sum.map(|sum| paid("money", RemedyKind::Refund, &sum)));
            steps.push(shipped("again", RemedyKind::Redelivery, complaint));
        }
        "delivery" | "product" | "stock" => {
            steps.extend(sum.map(|sum| paid("money", RemedyKind::Refund, &sum)));
            steps.push(shipped("swap", RemedyKind::Exchange, complaint));
        }
        "banking" => {
            steps.extend(sum.map(|sum| paid("money", RemedyKind::FeeWaiver, &sum)));
            steps.push(done("record", RemedyKind::RecordCorrection, "banking"));
        }
        "telecom" => {
            steps.extend(sum.map(|sum| paid("money", RemedyKind::Refund, &sum)));
            steps.push(done("line", RemedyKind::ServiceUpgrade, "networks"));
        }
        "utility" => {
            steps.extend(sum.map(|sum| paid("money", RemedyKind::Compensation, &sum)));
            steps.push(done("repair", RemedyKind::Repair, "utilities"));
        }
        "privacy" => steps.push(done("record", RemedyKind::RecordCorrection, "compliance")),
        "conduct" | "service" => steps.push(done("staff", RemedyKind::StaffMeasures, "compliance")),
        "safety" => {
            steps.extend(sum.map(|sum| paid("money", RemedyKind::Compensation, &sum)));
            steps.push(done("recall", RemedyKind::RecallNotice, "quality"));
        }
        _ => steps.extend(sum.map(|sum| paid("money", RemedyKind::Refund, &sum))),
    }
    finish(steps, complaint)
}

/// A letter closes every plan, once all else is done.
fn finish(mut steps: Vec<Step>, complaint: &Complaint) -> Vec<Step> {
    let depends_on = steps.iter().map(|step| step.step_id.clone()).collect();
    let letter = done("letter", RemedyKind::Apology, "customer-care");
    let note = say(&complaint.language, "请附处理说明", "say what was done, and by whom");
    steps.push(Step { depends_on, instructions: note.to_owned(), ..letter });
    steps
}

fn done(step: &str, kind: RemedyKind, department: &str) -> Step {
    Step {
        step_id: step.to_owned(),
        kind: kind.into(),
        department_id: department.to_owned(),
        ..Step::default()
    }
}

fn paid(step: &str, kind: RemedyKind, sum: &Money) -> Step {
    let (units, nanos) = sum.units_and_nanos();
    let amount = Some(WireMoney { currency_code: sum.currency.clone(), units, nanos });
    Step { amount, ..done(step, kind, "finance") }
}

fn shipped(step: &str, kind: RemedyKind, complaint: &Complaint) -> Step {
    let respondent = complaint.respondent.clone().unwrap_or_default();
    let named = [respondent.product, respondent.order_ref, complaint.external_ref.clone()];
    let sku = named.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned());
    Step { goods: Some(Goods { sku, quantity: 1 }), ..done(step, kind, "warehouse") }
}

fn sum(complaint: &Complaint) -> Option<Money> {
    let asked = complaint.remedy_sought.as_ref()?.amount.as_ref()?;
    Money::parse(&asked.currency_code, asked.units, asked.nanos).ok().filter(|sum| sum.minor > 0)
}

/// A share of a sum, if it comes to anything.
fn share(sum: &Money, percent: i64) -> Option<Money> {
    let minor = sum.minor.checked_mul(percent)? / 100;
    (minor > 0).then(|| Money { minor, currency: sum.currency.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast::Cast;
    use crate::complaints;

    #[test]
    fn every_plan_can_be_carried_out() {
        let cast = Cast::read().unwrap();
        for complaint in complaints(false).unwrap() {
            let plans = [
                in_full(&complaint),
                in_part(&complaint),
                on_second_look(&complaint, Outcome::Upheld),
                on_second_look(&complaint, Outcome::PartlyUpheld),
                on_second_look(&complaint, Outcome::NotUpheld),
            ];
            for step in plans.iter().flatten() {
                let known = cast.departments.iter().any(|d| d.department_id == step.department_id);
                assert!(known, "{} has no worker", step.department_id);
            }
        }
    }

    #[test]
    fn a_share_of_next_to_nothing_is_nothing() {
        let fen = Money { minor: 1, currency: "CNY".into() };
        assert_eq!(share(&fen, 60), None);
        let yuan = Money { minor: 100, currency: "CNY".into() };
        assert_eq!(share(&yuan, 60).map(|sum| sum.minor), Some(60));
    }
}
