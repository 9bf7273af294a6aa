//! Rules decide as they are written, and no rule, order of events or person gets round the
//! caps and the number of people.

use proptest::prelude::*;
use uuid::Uuid;

use super::policy::{ApprovalPolicy, ApproverLimit, Definition, Demand, MAX_FACTS, Rule};
use super::*;
use crate::plan::tests::{plan, step};
use crate::plan::{Plan, PlanState};
use crate::refusal::Refusal;
use crate::remedy::RemedyKind;

pub(crate) fn by(approver: &str) -> Approval {
    Approval {
        approver: approver.to_owned(),
        on_behalf_of: String::new(),
        approved_at: Timestamp::UNIX_EPOCH,
    }
}

fn outcome(outcome: Outcome) -> Ruling {
    Ruling { policy: 1, rule: "r".to_owned(), outcome, reasons: Vec::new(), second_reason: String::new() }
}

pub(crate) fn needs(people: u8) -> Ruling {
    outcome(Outcome::Approvers(people))
}

fn yuan(units: i64) -> Sums {
    Sums::from([("CNY".to_owned(), units * 100)])
}

fn rule(name: &str, when: &str, demand: Demand) -> Rule {
    Rule { name: name.to_owned(), when: when.to_owned(), reason: format!("because of {name}"), demand }
}

fn people(count: u8) -> Demand {
    Demand::Approvers { count, limit: Sums::new() }
}

fn policy(rules: Vec<Rule>) -> ApprovalPolicy {
    ApprovalPolicy::read(7, Definition { rules, ..Definition::default() }).unwrap()
}

/// A plan that refunds sums of so many yuan.
fn refunds(units: &[i64]) -> Plan {
    let refund = |(at, units): (usize, &i64)| {
        let mut refund = step(&format!("s{at}"), RemedyKind::Refund, &[]);
        refund.remedy.amount = Some(Money { minor: units * 100, currency: "CNY".to_owned() });
        refund
    };
    plan(units.iter().enumerate().map(refund).collect())
}

fn facts(units: &[i64], grounds: Grounds) -> Facts {
    refunds(units).facts().against(grounds)
}

fn sought(units: i64) -> Money {
    Money { minor: units * 100, currency: "CNY".to_owned() }
}

#[test]
fn the_shipped_policy_asks_one_person_and_beyond_cap_or_sought_two() {
    let shipped = ApprovalPolicy::default();
    let second = |units: &[i64], granted, cap, asked: Option<i64>| {
        let sought = asked.map(sought);
        let grounds = Grounds { sought, granted: yuan(granted), caps: yuan(cap), ..Grounds::default() };
        let ruling = shipped.evaluate(&facts(units, grounds)).ruling;
        let two = Outcome::Approvers(if ruling.second_reason.is_empty() { 1 } else { 2 });
        assert_eq!((ruling.outcome, ruling.policy, ruling.rule.as_str()), (two, 0, ""));
        ruling.second_reason
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
    let dollars = |grounds| {
        let mut plan = refunds(&[1]);
        plan.steps[0].remedy.amount = Some(Money { minor: 1, currency: "USD".to_owned() });
        ApprovalPolicy::default().evaluate(&plan.facts().against(grounds)).ruling.second_reason
    };
    let grounds = Grounds { caps: yuan(1), ..Grounds::default() };
    assert_eq!(dollars(grounds.clone()), "");
    let reason = dollars(Grounds { sought: Some(sought(1000)), ..grounds });
    assert_eq!(reason, "USD 0.01 is in another currency than the CNY 1000.00 sought");
    let nothing = ApprovalPolicy::default().evaluate(&facts(&[], Grounds::default())).ruling;
    assert_eq!((nothing.outcome, nothing.second_reason.as_str()), (Outcome::Approvers(1), ""));
}

#[test]
fn the_first_rule_that_matches_decides_and_says_why() {
    let policy = policy(vec![
        rule("staff", "'staff_measures' in kinds", Demand::Refusal),
        rule("small", "total_minor <= 5000 && 'refund' in kinds && size(kinds) == 1", Demand::Automatic),
        rule("large", "total_minor > 100000", people(3)),
    ]);
    let judged = |units: &[i64]| policy.evaluate(&facts(units, Grounds::default())).ruling;
    let small = judged(&[50]);
    assert_eq!((small.outcome, small.rule.as_str(), small.policy), (Outcome::Automatic, "small", 7));
    assert_eq!(small.reasons, ["because of small"]);
    assert_eq!(judged(&[51]).outcome, Outcome::Approvers(1), "no rule");
    assert_eq!(judged(&[1001]).outcome, Outcome::Approvers(3));
    let mut staff = refunds(&[50]);
    staff.steps.push(step("train", RemedyKind::StaffMeasures, &[]));
    assert_eq!(policy.evaluate(&staff.facts()).ruling.outcome, Outcome::Refused);
}

#[test]
fn every_variable_means_what_the_contract_says() {
    let grounds = Grounds {
        category: "delivery/late".to_owned(),
        sought: Some(sought(90)),
        granted: yuan(20),
        caps: yuan(1_000),
        customer: Some("C-1".to_owned()),
        complainant: vec![
            Grant { days: 0, currency: "CNY".to_owned(), minor: 3_000 },
            Grant { days: 364, currency: "CNY".to_owned(), minor: 400 },
            Grant { days: 365, currency: "CNY".to_owned(), minor: 50 },
            Grant { days: 0, currency: "USD".to_owned(), minor: 5 },
        ],
        ..Grounds::default()
    };
    let mut plan = refunds(&[60, 20]);
    plan.proposer = "Ann Lee".to_owned();
    plan.proposer_roles = vec!["agent".to_owned()];
    let facts = plan.facts().against(grounds.clone());
    let holds = |when: &str| {
        let policy = policy(vec![rule("r", when, people(5))]);
        policy.evaluate(&facts).ruling.rule == "r"
    };
    for when in [
        "amount_minor == 6000 && total_minor == 8000 && currency == 'CNY' && steps == 2",
        "case_granted_minor == 2000 && case_total_minor == 10000",
        "complainant_granted_minor == 3400 && complainant_total_minor == 11400 && complainant_known",
        "sought_minor == 9000 && has_sought && above_sought",
        "category.startsWith('delivery/') && priority == P3 && priority > P2 && priority < 4 && cycle == 1",
        "proposer == 'ann lee' && 'agent' in proposer_roles && !('supervisor' in proposer_roles)",
        "'refund' in kinds && size(kinds) == 1 && size(proposer_roles) == 1 && !linked_refund",
    ] {
        assert!(holds(when), "{when}");
        assert!(!holds(&format!("!({when})")), "not {when}");
    }
    let unknown = plan.facts().against(Grounds { customer: None, ..grounds });
    let by_case =
        policy(vec![rule("r", "!complainant_known && complainant_total_minor == 10000", people(5))]);
    assert_eq!(by_case.evaluate(&unknown).ruling.rule, "r", "without a number the case counts");
}

#[test]
fn a_complainants_cap_counts_days_and_needs_two() {
    let definition =
        Definition { complainant_caps: yuan(100), complainant_days: 30, ..Definition::default() };
    let policy = ApprovalPolicy::read(7, definition).unwrap();
    let judged = |days: i32, units: i64| {
        let grant = Grant { days, currency: "CNY".to_owned(), minor: 6_000 };
        let customer = Some("C-1".to_owned());
        let grounds = Grounds { customer, complainant: vec![grant], ..Grounds::default() };
        policy.evaluate(&facts(&[units], grounds)).ruling.second_reason
    };
    assert_eq!(judged(29, 40), "");
    assert_eq!(judged(30, 100), "", "that was before");
    let above = "CNY 101.00 to the complainant in 30 days is above the cap of CNY 100.00";
    assert_eq!(judged(29, 41), above);
}

#[test]
fn a_refund_for_the_same_order_in_a_linked_case_stops_at_a_person_who_is_shown_it() {
    let policy = policy(vec![rule("all", "true", Demand::Automatic)]);
    let refund = LinkedRefund { case_id: "c-2".to_owned(), currency: "CNY".to_owned(), minor: 500 };
    let grounds = Grounds { linked_refunds: vec![refund], ..Grounds::default() };
    let ruling = policy.evaluate(&facts(&[5], grounds.clone())).ruling;
    assert_eq!(ruling.outcome, Outcome::Approvers(1));
    let shown = "the linked case c-2 holds a refund of CNY 5.00 for the same order";
    assert_eq!(ruling.reasons, ["because of all", shown]);
    let apology = plan(vec![step("sorry", RemedyKind::Apology, &[])]);
    let ruling = policy.evaluate(&apology.facts().against(grounds)).ruling;
    assert_eq!(ruling.outcome, Outcome::Automatic, "it moves no money");
}

#[test]
fn of_several_currencies_the_strictest_holds_each_with_its_own_limit() {
    let limited = |count, minor, currency: &str| Demand::Approvers {
        count,
        limit: Sums::from([(currency.to_owned(), minor)]),
    };
    let policy = policy(vec![
        rule("euro", "currency == 'EUR'", limited(2, 700, "EUR")),
        rule("yuan", "currency == 'CNY' && total_minor < 100", Demand::Automatic),
        rule("more", "currency == 'CNY'", limited(1, 900, "CNY")),
    ]);
    let mut plan = refunds(&[5, 1]);
    plan.steps[1].remedy.amount = Some(Money { minor: 10, currency: "EUR".to_owned() });
    let evaluation = policy.evaluate(&plan.facts());
    assert_eq!((evaluation.ruling.outcome, evaluation.ruling.rule.as_str()), (Outcome::Approvers(2), "euro"));
    let both = Sums::from([("CNY".to_owned(), 900), ("EUR".to_owned(), 700)]);
    assert_eq!(evaluation.limit, both);
}

#[test]
fn a_persons_own_limit_goes_before_the_rules() {
    let limit = Demand::Approvers { count: 1, limit: yuan(50) };
    let own = ApproverLimit { approver: "Head".to_owned(), limits: yuan(500) };
    let rules = vec![rule("r", "true", limit)];
    let definition = Definition { rules, approver_limits: vec![own], ..Definition::default() };
    let policy = ApprovalPolicy::read(7, definition).unwrap();
    let plan = refunds(&[30, 30]);
    let evaluation = policy.evaluate(&plan.facts());
    let approve = |approval: Approval| {
        let limit = policy.limit_of(approval.authority(), &evaluation);
        plan.clone().approve(approval, &limit, evaluation.ruling.clone())
    };
    assert_eq!(approve(by("bob")), Err(Refusal::ApproverLimitExceeded));
    assert_eq!(approve(by("HEAD")), Ok(()));
    assert_eq!(approve(Approval { on_behalf_of: "head".to_owned(), ..by("bob") }), Ok(()));
    assert_eq!(
        approve(Approval { on_behalf_of: "bob".to_owned(), ..by("head") }),
        Err(Refusal::ApproverLimitExceeded),
        "who stands in has the limit of whom they stand in for"
    );
}

#[test]
fn a_policy_is_refused_with_everything_that_is_wrong_with_it() {
    let chain = format!("steps > 0{}", " || steps > 0".repeat(119));
    let rules = vec![
        rule("a", "total_minor <= 'x'", Demand::Automatic),
        rule("a", "'bribe' in kinds", people(1)),
        rule("b", "nothing", people(1)),
        rule("c", "proposer == 'Ann'", people(1)),
        rule("d", "'boss' in proposer_roles", people(1)),
        rule("e", &format!("{}true{}", "(".repeat(60), ")".repeat(60)), people(1)),
        rule("f", "priority == LOW", people(1)),
    ];
    let own = |approver: &str| ApproverLimit { approver: approver.to_owned(), limits: yuan(1) };
    let approver_limits = vec![own("ann"), own(" ANN")];
    let definition = Definition { rules, complainant_days: 367, approver_limits, ..Definition::default() };
    let flaws = ApprovalPolicy::read(1, definition).unwrap_err();
    let fields: Vec<_> = flaws.iter().map(|flaw| flaw.field.as_str()).collect();
    let mut expected = vec!["rules[1].name", "approver_limits[1].approver", "complainant_days"];
    let whens: Vec<String> = (0..7).map(|at| format!("rules[{at}].when")).collect();
    expected.extend(whens.iter().map(String::as_str));
    assert_eq!(fields, expected);
    let name = |at: usize| rule(&format!("r{at}"), &chain, Demand::Automatic);
    let costly = (0..=MAX_FACTS / 120).map(name).collect();
    let flaws = ApprovalPolicy::read(1, Definition { rules: costly, ..Definition::default() }).unwrap_err();
    assert_eq!(flaws.iter().map(|flaw| flaw.field.as_str()).collect::<Vec<_>>(), ["rules"]);
}

#[test]
fn a_record_of_facts_is_read_back_as_it_was() {
    let refund = LinkedRefund { case_id: "c-2".to_owned(), currency: "CNY".to_owned(), minor: 500 };
    let grant = Grant { days: 3, currency: "CNY".to_owned(), minor: 500 };
    let grounds = Grounds {
        linked_refunds: vec![refund],
        complainant: vec![grant],
        sought: Some(sought(3)),
        ..Grounds::default()
    };
    let facts = facts(&[5], grounds);
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
    for outcome in [Outcome::Automatic, Outcome::Approvers(3), Outcome::Refused] {
        let ruling = self::outcome(outcome);
        let text = serde_json::to_string(&ruling).unwrap();
        assert_eq!(serde_json::from_str::<Ruling>(&text).unwrap(), ruling);
    }
}

/// Somebody's attempt to approve, and what the policy says just then.
fn attempts() -> impl Strategy<Value = Vec<(Approval, Outcome)>> {
    let people = ["ann", "ANN", "bob", "Bob", "carl", "dora", "eve", "finn"];
    let person = prop::sample::select(people.to_vec());
    let behalf = prop_oneof![3 => Just(""), 1 => prop::sample::select(people.to_vec())];
    let outcome = prop_oneof![
        6 => (1..=5_u8).prop_map(Outcome::Approvers),
        1 => Just(Outcome::Refused),
        1 => Just(Outcome::Automatic),
    ];
    let attempt = (person, behalf, outcome).prop_map(|(person, behalf, outcome)| {
        (Approval { on_behalf_of: behalf.to_owned(), ..by(person) }, outcome)
    });
    prop::collection::vec(attempt, 0..12)
}

proptest! {
    #[test]
    fn no_plan_is_approved_by_fewer_people_than_the_policy_asks_nor_by_its_proposer(attempts in attempts()) {
        let mut plan = refunds(&[5]);
        plan.proposer = "ann".to_owned();
        for (approval, outcome) in attempts {
            let before = plan.clone();
            let taken = plan.approve(approval, &Sums::new(), self::outcome(outcome)).is_ok();
            prop_assert_eq!(plan.approvals.len(), before.approvals.len() + usize::from(taken));
            prop_assert!(taken || plan == before, "a refused approval leaves it as it was");
            let stands = plan.approvals.iter().map(|one| {
                one.people().map(kernel::person::folded).collect::<BTreeSet<_>>()
            });
            let stands: Vec<_> = stands.collect();
            prop_assert!(stands.iter().all(|people| !people.contains("ann")), "the proposer never counts");
            for (at, people) in stands.iter().enumerate() {
                prop_assert!(stands[..at].iter().all(|others| others.is_disjoint(people)), "each counts once");
            }
            if taken {
                let needed = outcome.max(Outcome::Approvers(1));
                let Outcome::Approvers(needed) = needed else { panic!("a refused plan was approved") };
                let enough = stands.len() >= usize::from(needed);
                prop_assert_eq!(plan.state == PlanState::Executing, enough);
            }
            for people in &stands {
                for one in people {
                    prop_assert_eq!(plan.may_be_paid_by(&one.to_uppercase()), Err(Refusal::ExecutorIsPlanner));
                }
            }
        }
    }

    /// Cases of two complainants, in any order, each plan granted by a rule, by people, or not.
    #[test]
    fn no_order_of_events_has_more_approved_automatically_than_the_cap(
        events in prop::collection::vec((0..4_u128, 1..60_i64, 0..4_u8), 0..30),
    ) {
        let policy = policy(vec![rule("small", "complainant_total_minor <= 10000", Demand::Automatic)]);
        let customer = |case: u128| Some(format!("C-{}", case % 2));
        let case = |case: u128| CaseId(Uuid::from_u128(case));
        let of = |at| (case(at), Grounds { customer: customer(at), ..Grounds::default() });
        let mut known = GroundsByCase::of((0..4).map(of).collect());
        let mut automatic: BTreeMap<Option<String>, i64> = BTreeMap::new();
        for (at, units, people) in events {
            let plan = refunds(&[units]);
            let ruling = policy.evaluate(&plan.facts().against(known.get(case(at)))).ruling;
            match ruling.outcome {
                Outcome::Automatic => *automatic.entry(customer(at)).or_default() += units * 100,
                // People may grant it, and then it counts as well; or nobody does.
                _ if people == 0 => {}
                _ => continue,
            }
            known.grant(case(at), &plan.total());
        }
        prop_assert!(automatic.values().all(|sum| *sum <= 10_000), "{automatic:?}");
    }

    #[test]
    fn a_rule_never_undercuts_the_caps(units in 1..200_i64, granted in 0..200_i64, cap in 1..200_i64, count in 1..=5_u8) {
        let grounds = Grounds { granted: yuan(granted), caps: yuan(cap), ..Grounds::default() };
        for (demand, least) in [(Demand::Automatic, 0), (people(count), count)] {
            let ruling = policy(vec![rule("r", "true", demand)]).evaluate(&facts(&[units], grounds.clone())).ruling;
            let floor = if units + granted > cap { 2 } else { 0 };
            prop_assert_eq!(ruling.approvers(), Some(least.max(floor)));
        }
    }
}

#[test]
fn a_type_of_the_tenants_own_is_approved_by_itself_only_by_a_rule_that_names_it() {
    let of = |types: &[&str]| Facts {
        kinds: BTreeSet::from(["custom".to_owned()]),
        remedy_types: types.iter().map(|&name| name.to_owned()).collect(),
        steps: 1,
        ..Facts::default()
    };
    let judged = |when: &str, types: &[&str]| {
        policy(vec![rule("small", when, Demand::Automatic)]).evaluate(&of(types)).ruling
    };
    for when in [
        "steps < 5",
        "'custom' in kinds",
        "size(remedy_types) == 1",
        "'voucher' in remedy_types || steps < 5",
    ] {
        let ruling = judged(when, &["gift-card"]);
        assert_eq!((ruling.rule.as_str(), ruling.outcome), ("small", Outcome::Approvers(1)), "{when}");
        assert_eq!(ruling.reasons.len(), 2, "{:?}", ruling.reasons);
    }
    assert_eq!(judged("'gift-card' in remedy_types", &["gift-card"]).outcome, Outcome::Automatic);
    let both = ["gift-card", "voucher"];
    assert_eq!(judged("'gift-card' in remedy_types", &both).outcome, Outcome::Approvers(1));
    let names_both = "'gift-card' in remedy_types && 'voucher' in remedy_types";
    assert_eq!(judged(names_both, &both).outcome, Outcome::Automatic);
    assert_eq!(judged("steps < 5", &[]).outcome, Outcome::Automatic, "it has none");
    let odd = rule("odd", "'Gift Card' in remedy_types", Demand::Automatic);
    let flaws =
        ApprovalPolicy::read(1, Definition { rules: vec![odd], ..Definition::default() }).unwrap_err();
    assert_eq!(flaws[0].field, "rules[0].when");
}
