//! Whether a plan needs a second approver: when it grants more than one person may,
//! counted over all cycles of its case. Pure.

use std::collections::BTreeMap;

use kernel::Money;

use crate::plan::Step;

/// Sums in minor units, by currency.
pub type Sums = BTreeMap<String, i64>;

/// What is held against the sums of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// What the complainant asked for; none where no sum was named.
    pub sought: Option<Money>,
    /// What earlier plans of the case have moved and not collected again.
    pub granted: Sums,
    /// The most that one approver grants in a case.
    pub caps: Sums,
}

/// Why a plan needs a second approver; empty when one is enough.
pub fn second_approval(steps: &[Step], grounds: &Grounds) -> String {
    let mut planned = Sums::new();
    for amount in steps.iter().filter_map(|step| step.remedy.amount.as_ref()) {
        let sum = planned.entry(amount.currency.clone()).or_default();
        *sum = sum.saturating_add(amount.minor);
    }
    let mut reasons = Vec::new();
    for (currency, planned) in planned {
        let minor = planned.saturating_add(grounds.granted.get(&currency).copied().unwrap_or(0));
        let total = Money { minor, currency };
        if let Some(cap) = grounds.caps.get(&total.currency).filter(|cap| minor > **cap) {
            let cap = Money { minor: *cap, currency: total.currency.clone() };
            reasons.push(format!("{total} in all is above the cap of {cap}"));
        }
        match &grounds.sought {
            Some(sought) if sought.currency != total.currency => {
                reasons.push(format!("{total} is in another currency than the {sought} sought"));
            }
            Some(sought) if minor > sought.minor => {
                reasons.push(format!("{total} in all is above the {sought} sought"));
            }
            _ => {}
        }
    }
    reasons.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Books;
    use crate::plan::StepState;
    use crate::remedy::{Remedy, RemedyKind};

    fn yuan(units: i64) -> Money {
        Money { minor: units * 100, currency: "CNY".to_owned() }
    }

    fn refund(amount: Money) -> Step {
        Step {
            step_id: "a".to_owned(),
            department_id: "finance".to_owned(),
            remedy: Remedy {
                kind: RemedyKind::Refund,
                amount: Some(amount),
                goods: None,
                instructions: String::new(),
            },
            depends_on: Vec::new(),
            due_time: None,
            state: StepState::Waiting,
            done_order: None,
            moved: None,
            part: String::new(),
            task_id: None,
            books: Books::default(),
        }
    }

    fn sums(units: i64) -> Sums {
        Sums::from([("CNY".to_owned(), units * 100)])
    }

    #[test]
    fn sums_up_to_cap_and_sought_need_one_approver_and_beyond_either_two() {
        let second = |planned: &[i64], granted, cap, sought: Option<i64>| {
            let steps: Vec<Step> = planned.iter().map(|units| refund(yuan(*units))).collect();
            let grounds = Grounds { sought: sought.map(yuan), granted: sums(granted), caps: sums(cap) };
            second_approval(&steps, &grounds)
        };
        assert_eq!(second(&[60, 40], 0, 100, Some(100)), "");
        assert_eq!(second(&[60, 41], 0, 100, None), "CNY 101.00 in all is above the cap of CNY 100.00");
        assert_eq!(second(&[40], 61, 100, None), "CNY 101.00 in all is above the cap of CNY 100.00");
        assert_eq!(second(&[40], 0, 100, Some(39)), "CNY 40.00 in all is above the CNY 39.00 sought");
        let both = second(&[i64::MAX / 100, i64::MAX / 100], 1, 100, Some(100));
        assert_eq!(both.matches("; ").count(), 1, "{both}");
    }

    #[test]
    fn a_currency_without_a_cap_has_none_and_another_than_sought_needs_two() {
        let dollars = Money { minor: 1, currency: "USD".to_owned() };
        let grounds = Grounds { caps: sums(1), ..Grounds::default() };
        assert_eq!(second_approval(&[refund(dollars.clone())], &grounds), "");
        let grounds = Grounds { sought: Some(yuan(1000)), ..grounds };
        let reason = second_approval(&[refund(dollars)], &grounds);
        assert_eq!(reason, "USD 0.01 is in another currency than the CNY 1000.00 sought");
        assert_eq!(second_approval(&[], &grounds), "");
    }
}
