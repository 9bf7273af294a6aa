//! What a recall decides, whatever is asked of it.

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::remedy::{Goods, RemedyKind};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn measure(department: &str, kind: RemedyKind) -> Measure {
    let goods = kind.needs_goods().then(|| Goods { sku: "A-18".to_owned(), quantity: 1 });
    let remedy = Remedy { kind, amount: None, goods, custom: None, instructions: "tell them".to_owned() };
    Measure { department_id: department.to_owned(), remedy }
}

fn recall() -> Recall {
    let measures =
        vec![measure("service", RemedyKind::RecallNotice), measure("warehouse", RemedyKind::Exchange)];
    let defect = Defect {
        sku: "A-17".to_owned(),
        lot: String::new(),
        reason: "it burns".to_owned(),
        notice: "do not use it".to_owned(),
        measures,
    };
    Recall::open(RecallId(Uuid::from_u128(1)), defect, "boss", NOW)
}

fn case(number: u128, standing: RemedyStatus, recused: &[&str]) -> CaseView {
    CaseView {
        case_id: CaseId(Uuid::from_u128(number)),
        cycle: 2,
        priority: 1,
        standing,
        category: String::new(),
        sought: None,
        due_time: None,
        priority_ordinal: 0,
        due_number: 0,
        traceparent: "trace".to_owned(),
        recused: recused.iter().map(|&one| one.to_owned()).collect(),
        handler: "ann".to_owned(),
    }
}

fn end(by: &str) -> End {
    End { by: by.to_owned(), at: NOW, reason: "all are told".to_owned() }
}

fn standing() -> impl Strategy<Value = RemedyStatus> {
    (1..=4_i16).prop_map(|number| RemedyStatus::of(number).unwrap())
}

fn state() -> impl Strategy<Value = TaskState> {
    (0..TaskState::ALL.len()).prop_map(|index| TaskState::ALL[index])
}

proptest! {
    #[test]
    fn each_case_is_added_once_and_only_what_may_be(
        asked in prop::collection::vec(1..12_u128, 1..30),
        known in prop::collection::vec((1..12_u128, standing(), any::<bool>()), 0..12),
        inside in prop::collection::hash_set(1..12_u128, 0..6),
    ) {
        let mut recall = recall();
        recall.cases = i32::try_from(inside.len()).unwrap();
        let views = known.iter().map(|(number, standing, about)| {
            let recused: &[&str] = if *about { &["boss"] } else { &[] };
            let view = case(*number, *standing, recused);
            (view.case_id, view)
        });
        let known = KnownCases {
            views: views.collect(),
            inside: inside.iter().map(|number| CaseId(Uuid::from_u128(*number))).collect(),
        };
        let asked: Vec<CaseId> = asked.into_iter().map(|number| CaseId(Uuid::from_u128(number))).collect();
        let verdicts = recall.add(&asked, &known, "Boss").unwrap();
        prop_assert_eq!(verdicts.iter().map(|(case, _)| *case).collect::<Vec<_>>(), asked);
        let added: Vec<CaseId> = verdicts
            .iter()
            .filter(|(_, verdict)| *verdict == RecallVerdict::Added)
            .map(|(case, _)| *case)
            .collect();
        let once: HashSet<CaseId> = added.iter().copied().collect();
        prop_assert_eq!(once.len(), added.len(), "each once");
        for added in &added {
            let view = &known.views[added];
            prop_assert!(!known.inside.contains(added));
            prop_assert!(view.standing != RemedyStatus::Closed && view.recused.is_empty());
        }
        prop_assert_eq!(usize::try_from(recall.cases).unwrap(), known.inside.len() + added.len());
        prop_assert_eq!(recall.version, if added.is_empty() { 1 } else { 2 });
        for (case, verdict) in &verdicts {
            let there = known.views.contains_key(case) || known.inside.contains(case);
            prop_assert_eq!(*verdict == RecallVerdict::CaseNotFound, !there);
        }
    }

    #[test]
    fn a_hundred_percent_means_that_all_that_was_not_cancelled_is_done(
        counted in prop::collection::vec(("[a-c]", state(), 0..40_i64), 0..20),
    ) {
        let progress = Progress::of(counted.clone());
        let of = |wanted: &dyn Fn(TaskState) -> bool| -> i64 {
            counted.iter().filter(|row| wanted(row.1)).map(|row| row.2).sum()
        };
        let ended = |state| matches!(state, TaskState::Completed | TaskState::Cancelled | TaskState::Reassigned | TaskState::WrittenOff);
        let (done, open) = (of(&|state| state == TaskState::Completed), of(&|state| !ended(state)));
        prop_assert_eq!((progress.counts.done, progress.counts.open()), (done, open));
        prop_assert_eq!(progress.counts.done_percent() == 100, done > 0 && open == 0);
        prop_assert!((0..=100).contains(&progress.counts.done_percent()));
        let sum: i64 = progress.departments.values().map(|counts| counts.open() + counts.done).sum();
        prop_assert_eq!(sum, done + open, "departments add up");
    }

    #[test]
    fn it_is_closed_only_with_nothing_open_and_ends_once(open in 0..3_i64, first_cancelled in any::<bool>()) {
        let mut recall = recall();
        if first_cancelled {
            prop_assert_eq!(recall.cancel(end("ann")), Ok(true));
            prop_assert_eq!(recall.cancel(end("bob")), Ok(false));
            prop_assert_eq!(recall.close(end("bob"), 0), Err(Refusal::InvalidRecallState));
            prop_assert_eq!((recall.end, recall.version), (Some(end("ann")), 2));
        } else if open > 0 {
            let before = recall.clone();
            prop_assert_eq!(recall.close(end("ann"), open), Err(Refusal::RecallTasksOpen(open)));
            prop_assert_eq!(recall, before);
        } else {
            prop_assert_eq!(recall.close(end("ann"), 0), Ok(()));
            prop_assert_eq!(recall.cancel(end("bob")), Err(Refusal::InvalidRecallState));
            let late = recall.add(&[], &KnownCases::default(), "boss");
            prop_assert_eq!(late, Err(Refusal::InvalidRecallState));
        }
    }
}

#[test]
fn a_recall_has_so_many_cases_at_most_and_takes_all_of_a_call_or_none() {
    let mut full = recall();
    full.cases = MAX_CASES - 1;
    let views: Vec<CaseView> = (1..=2).map(|number| case(number, RemedyStatus::Undecided, &[])).collect();
    let asked: Vec<CaseId> = views.iter().map(|view| view.case_id).collect();
    let known = KnownCases {
        views: views.into_iter().map(|view| (view.case_id, view)).collect(),
        inside: HashSet::new(),
    };
    assert_eq!(full.add(&asked, &known, "boss"), Err(Refusal::TooManyRecallCases(MAX_CASES)));
    assert_eq!((full.cases, full.version), (MAX_CASES - 1, 1));
    assert!(full.add(&asked[..1], &known, "boss").is_ok());
    assert_eq!(full.cases, MAX_CASES);
}

#[test]
fn a_case_has_a_task_for_each_measure_that_belongs_to_no_plan() {
    let recall = recall();
    let case = case(7, RemedyStatus::Undecided, &[]);
    let mut ids = 0..;
    let tasks = recall.tasks(&case, "boss", NOW, || TaskId(Uuid::from_u128(ids.next().unwrap())));
    let departments: Vec<&str> = tasks.iter().map(|task| task.department_id.as_str()).collect();
    assert_eq!(departments, ["service", "warehouse"]);
    for task in &tasks {
        assert_eq!((task.plan_id, task.recall_id), (None, Some(recall.recall_id)));
        assert_eq!((task.case_id, task.cycle, task.requester.as_str()), (case.case_id, 2, "boss"));
    }
}

#[test]
fn a_measure_moves_no_money_and_is_one_of_its_department_and_kind() {
    let fields = |measures: &[Measure]| -> Vec<String> {
        flaws(measures.iter().enumerate()).into_iter().map(|flaw| flaw.field).collect()
    };
    assert!(fields(&recall().defect.measures).is_empty());
    for kind in RemedyKind::ALL.iter().filter(|kind| kind.needs_amount()) {
        assert_eq!(fields(&[measure("finance", *kind)]), ["measures[0].kind"]);
    }
    for kind in [RemedyKind::Investigation, RemedyKind::Custom] {
        assert_eq!(fields(&[measure("audit", kind)]), ["measures[0].kind"]);
    }
    let mut bare = measure("warehouse", RemedyKind::Exchange);
    bare.remedy.goods = None;
    assert_eq!(fields(&[bare]), ["measures[0].goods"]);
    let twice = [measure("service", RemedyKind::Repair), measure("service", RemedyKind::Repair)];
    assert_eq!(fields(&twice), ["measures[1]"]);
}
