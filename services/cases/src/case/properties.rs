//! Whatever people and services do to a case, in whatever order: it stays within
//! the table and its parts agree.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;
use vocabulary::{Channel, Level, Matter, NoticeKind};

use super::*;
use crate::external_event::{Event, ExternalEvent};
use crate::reopening::ReopeningLimits;
use crate::timeline::{
    Contact, Course, Fact, Handling, Information, Investigation, Noted, PlanChange, Ruling, Urgency,
    Visibility, WithdrawalSource,
};

/// Something that may be done to a case at any time.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Note,
    Findings,
    Decide { remedy_due: bool },
    Withdraw,
    Decline,
    Close,
    Reopen,
    PassWindow,
    Merge,
    Unmerge,
    Hear { cycles_ago: i32, event: Event },
    Wait { hours: i64 },
}

pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        1 => Just(Op::Note),
        1 => Just(Op::Findings),
        8 => any::<bool>().prop_map(|remedy_due| Op::Decide { remedy_due }),
        1 => Just(Op::Withdraw),
        1 => Just(Op::Decline),
        1 => Just(Op::Close),
        4 => Just(Op::Reopen),
        2 => Just(Op::PassWindow),
        4 => Just(Op::Merge),
        4 => Just(Op::Unmerge),
        40 => (prop_oneof![9 => Just(0), 1 => 1..3], event())
            .prop_map(|(cycles_ago, event)| Op::Hear { cycles_ago, event }),
        3 => (1..400_i64).prop_map(|hours| Op::Wait { hours }),
    ];
    proptest::collection::vec(op, 0..60)
}

fn event() -> impl Strategy<Value = Event> {
    let text = String::new;
    prop_oneof![
        1 => Just(Event::Queued { department: text(), explanation: text() }),
        6 => Just(Event::Assigned { department: "d".into(), agent: "a".into(), explanation: text() }),
        3 => Just(Event::Accepted),
        1 => Just(Event::PlanProposed { summary: text() }),
        3 => Just(Event::PlanApproved { rule: String::new() }),
        1 => Just(Event::PlanRejected { reason: text() }),
        3 => Just(Event::PlanCompleted),
        1 => Just(Event::PlanCancelled { reason: text() }),
        1 => Just(Event::PlanRevised(PlanChange::Rejected { reason: text() })),
        1 => Just(Event::TaskCompleted { work: text() }),
        1 => Just(Event::TaskNeedsAttention { department: text(), reason: text() }),
        1 => Just(Event::TaskWrittenOff { department: text(), work: text(), reason: text() }),
        1 => Just(Event::GoodsLacking { department: text(), article: text(), expected: Timestamp::UNIX_EPOCH }),
        1 => Just(Event::Investigation(Investigation::Cancelled { department: text(), reason: text() })),
        1 => Just(Event::TaskEscalated { department: text(), told: text() }),
        1 => Just(Event::Escalated { reason: text() }),
        1 => Just(Event::Unassignable { department: text(), explanation: text() }),
        1 => any::<bool>().prop_map(|by_complainant| {
            Event::InformationAdded(Information { what: String::new(), words: String::new(), by_complainant })
        }),
        1 => Just(Event::Accepts { comment: text() }),
        4 => Just(Event::Disputes { comment: text() }),
        1 => Just(Event::NoticeSettled { kind: NoticeKind::Outcome, failure: None, mail: None }),
    ]
}

pub(crate) fn opened(at: &Occasion<'_>) -> Case {
    let origin =
        Origin { subject: "s".to_owned(), language: "en".to_owned(), ..Origin::bare(Channel::Web, at.now) };
    let triage = Triage {
        category: "refund".to_owned(),
        priority: Priority::P4,
        complexity: Level::Medium,
        reasons: Vec::new(),
    };
    Case::open(CaseId(Uuid::nil()), origin, triage, at)
}

/// Why a case is merged, and whether its complainant is known to be another.
fn joining(people_differ: bool) -> Joining {
    Joining { reason: String::new(), people_differ, across: None }
}

/// The case that others are merged into.
fn original(at: &Occasion<'_>) -> Case {
    Case { id: CaseId(Uuid::max()), ..opened(at) }
}

pub(crate) fn occasion(now: Timestamp) -> Occasion<'static> {
    Occasion { now, actor: "ann", traceparent: "" }
}

pub(crate) fn apply(case: &mut Case, op: &Op, at: &Occasion<'_>) -> Result<(), Refusal> {
    let text = String::new;
    match op.clone() {
        Op::Note => {
            case.add_note(Written { text: text(), visibility: Visibility::Internal, request_id: None }, at);
        }
        Op::Findings => case.record_findings("f".to_owned(), text(), at)?,
        Op::Decide { remedy_due } => {
            case.decide(Decision { outcome: Outcome::Upheld, reasons: text(), remedy_due }, at)?;
        }
        Op::Withdraw => case.withdraw(WithdrawalSource::Staff, text(), at)?,
        Op::Decline => case.decline(text(), at)?,
        Op::Close => case.close(text(), at)?,
        Op::Reopen => case.reopen(text(), at)?,
        Op::PassWindow => case.pass_window(at)?,
        Op::Merge => case.merge_into(&mut original(at), joining(false), at)?,
        Op::Unmerge => case.unmerge(&mut original(at), text(), at)?,
        Op::Hear { cycles_ago, event } => {
            let cycle = case.cycle - cycles_ago;
            case.hear(ExternalEvent { cycle, actor: text(), event }, at)?;
        }
        Op::Wait { .. } => {}
    }
    Ok(())
}

/// One step either changes nothing, or is a move of the table.
fn check_step(before: &Case, after: &Case, verdict: Result<(), Refusal>) -> Result<(), TestCaseError> {
    if verdict.is_err() {
        prop_assert_eq!(before, after, "a refusal changes nothing");
    }
    let told = Move::ALL.iter().any(|step| step.from(before.state) == Ok(after.state));
    let unmerged = before.merged.is_some_and(|merged| merged.stood == after.state);
    prop_assert!(told || unmerged || before.state == after.state, "{} -> {}", before.state, after.state);
    prop_assert!(after.version - before.version <= 1);
    if after.state != before.state {
        prop_assert_eq!(after.version, before.version + 1);
    }
    let reopened = after.journal[before.journal.len()..]
        .iter()
        .filter(|noted| matches!(noted.fact, Fact::Course(Course::Reopened { .. })))
        .count();
    prop_assert_eq!(after.cycle - before.cycle, i32::try_from(reopened).unwrap_or(-1));
    prop_assert!(after.cycle == before.cycle || after.priority == before.priority.raised());
    Ok(())
}

/// What always holds of a case.
fn check_case(case: &Case) -> Result<(), TestCaseError> {
    prop_assert!((1..=ReopeningLimits::SHIPPED.maximum + 1).contains(&case.cycle));
    let is_raised = |noted: &&Noted| matches!(noted.fact, Fact::Urgency(Urgency::Escalated { .. }));
    let raised = case.journal.iter().filter(is_raised).count();
    prop_assert_eq!(case.tier, case.cycle - 1 + i32::try_from(raised).unwrap_or(-1));
    let withdrawn = case.state == State::Withdrawn;
    let took_effect = matches!(case.state, State::Resolved | State::Closed);
    prop_assert!(withdrawn || case.resolve_time.is_some() == took_effect, "{:?}", case.state);
    prop_assert_eq!(case.close_time.is_some(), case.state.is_over() || case.merged.is_some());
    let decided = (State::Decided..=State::Closed).contains(&case.state);
    prop_assert!(withdrawn || case.outcome.is_some() == decided, "{:?}", case.state);
    let handled = matches!(case.state, State::Assigned | State::Investigating);
    prop_assert!(!handled || !case.agent_id.is_empty());
    prop_assert!(case.state != State::Received);
    prop_assert_eq!(case.merged.is_some(), case.state == State::Merged);
    let undecided = State::Triaged..=State::Investigating;
    prop_assert!(case.merged.is_none_or(|merged| undecided.contains(&merged.stood)), "{:?}", case.merged);
    prop_assert_eq!(case.first_resolve_time.is_some(), resolutions(case) > 0);
    Ok(())
}

fn resolutions(case: &Case) -> usize {
    case.journal.iter().filter(|noted| matches!(noted.fact, Fact::Ruling(Ruling::Resolved { .. }))).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_events_leaves_the_table(ops in ops()) {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut case = opened(&occasion(now));
        for op in &ops {
            if let Op::Wait { hours } = op {
                now += SignedDuration::from_hours(*hours);
            }
            let before = case.clone();
            let verdict = apply(&mut case, op, &occasion(now));
            check_step(&before, &case, verdict)?;
            check_case(&case)?;
        }
        let dense = case.journal.iter().zip(1..).all(|(noted, place)| noted.ordinal == place);
        prop_assert!(dense && case.entries == i32::try_from(case.journal.len()).unwrap_or(-1));
        prop_assert!(resolutions(&case) <= usize::try_from(case.cycle).unwrap_or(0));
    }

    /// What others tell of a merged case is taken in as if it were not merged, what
    /// people want of it is refused, and unmerging leaves but its two entries.
    #[test]
    fn unmerging_is_the_exact_inverse(before in ops(), meanwhile in ops()) {
        let at = occasion(Timestamp::UNIX_EPOCH);
        let mut case = opened(&at);
        for op in &before {
            let _ = apply(&mut case, op, &at);
        }
        let mut merged = case.clone();
        if merged.merge_into(&mut original(&at), joining(false), &at).is_err() {
            return Ok(());
        }
        for op in &meanwhile {
            match op {
                Op::Hear { .. } | Op::Note => {
                    prop_assert_eq!(apply(&mut merged, op, &at), apply(&mut case, op, &at));
                }
                Op::Wait { .. } | Op::Unmerge => {}
                _ => prop_assert!(apply(&mut merged, op, &at).is_err(), "{:?} moved a merged case", op),
            }
        }
        prop_assert_eq!(merged.state, State::Merged);
        prop_assert_eq!(merged.unmerge(&mut original(&at), String::new(), &at), Ok(()));
        prop_assert_eq!((merged.version, merged.entries), (case.version + 2, case.entries + 2));
        for case in [&mut merged, &mut case] {
            case.journal.retain(|noted| !matches!(noted.fact, Fact::Together(_)));
            case.journal.iter_mut().for_each(|noted| noted.ordinal = 0);
        }
        let unmerged = Case { version: case.version, entries: case.entries, ..merged };
        prop_assert_eq!(unmerged, case);
    }

    #[test]
    fn a_final_state_stays(ops in ops(), withdrawn in any::<bool>()) {
        let at = occasion(Timestamp::UNIX_EPOCH);
        let mut case = opened(&at);
        let last = if withdrawn { Op::Withdraw } else { Op::Decline };
        prop_assert_eq!(apply(&mut case, &last, &at), Ok(()));
        let ended = case.state;
        for op in &ops {
            let _ = apply(&mut case, op, &at);
            prop_assert_eq!(case.state, ended);
            prop_assert_eq!(case.cycle, 1);
        }
    }
}

/// A case brought to RESOLVED at a moment.
fn resolved(now: Timestamp) -> Case {
    let at = occasion(now);
    let mut case = opened(&at);
    resolve(&mut case, &at);
    case
}

fn resolve(case: &mut Case, at: &Occasion<'_>) {
    let event =
        Event::Assigned { department: "d".to_owned(), agent: "ann".to_owned(), explanation: String::new() };
    case.hear(ExternalEvent { cycle: case.cycle, actor: String::new(), event }, at).expect("waits");
    apply(case, &Op::Decide { remedy_due: false }, at).expect("assigned");
}

fn dispute(case: &mut Case, at: &Occasion<'_>) -> Result<(), Refusal> {
    let event = Event::Disputes { comment: "no".to_owned() };
    case.hear(ExternalEvent { cycle: case.cycle, actor: String::new(), event }, at)
}

#[test]
fn the_fourth_dispute_ends_it() {
    let at = occasion(Timestamp::UNIX_EPOCH);
    let mut case = resolved(at.now);
    for cycle in 2..=ReopeningLimits::SHIPPED.maximum + 1 {
        dispute(&mut case, &at).expect("below the limit");
        assert_eq!((case.cycle, case.state), (cycle, State::Triaged));
        resolve(&mut case, &at);
    }
    assert_eq!(case.reopen(String::new(), &at), Err(Refusal::ReopenLimit(ReopeningTerms::SHIPPED)));
    dispute(&mut case, &at).expect("heard all the same");
    assert_eq!(case.state, State::Closed);
    let last = case.journal.last().map(|noted| noted.fact.clone());
    assert_eq!(
        last,
        Some(Fact::Course(Course::Closed { reason: CloseReason::ReopenLimit, remark: String::new() }))
    );
}

/// Resolved under limits.
fn resolved_under(start: Timestamp, window_days: i32, maximum: i32) -> (Case, ReopeningTerms) {
    let limits = ReopeningLimits { window_days, maximum };
    let terms = ReopeningTerms { policy: 2, limits };
    (Case { reopening: Some(terms), ..resolved(start) }, terms)
}

#[test]
fn a_case_is_reopened_by_the_limits_it_was_resolved_under() {
    let start = Timestamp::UNIX_EPOCH;
    let after = |days: i64| start + SignedDuration::from_hours(24 * days);
    let (mut case, terms) = resolved_under(start, 90, 1);
    assert_eq!(case.reopen_until(), Some(after(90)));
    let late = occasion(after(90) + SignedDuration::from_secs(1));
    assert_eq!(case.clone().reopen(String::new(), &late), Err(Refusal::ReopenWindowPassed(terms)));
    assert_eq!(case.reopen(String::new(), &occasion(after(90))), Ok(()));
    assert_eq!(case.reopening, None, "the next outcome has its own");
    resolve(&mut case, &occasion(after(91)));
    case.reopening = Some(terms);
    let once_more = occasion(after(92));
    assert_eq!(case.clone().reopen(String::new(), &once_more), Err(Refusal::ReopenLimit(terms)));
    dispute(&mut case, &once_more).expect("heard all the same");
    assert_eq!((case.state, case.cycle), (State::Closed, 2));
}

#[test]
fn a_dispute_in_time_reopens_what_was_closed_meanwhile() {
    let at = occasion(Timestamp::UNIX_EPOCH);
    let mut case = resolved(at.now);
    case.close("no answer expected".to_owned(), &at).expect("resolved");
    dispute(&mut case, &at).expect("closed cases can be reopened");
    assert_eq!((case.cycle, case.state, case.priority), (2, State::Triaged, Priority::P3));
    let cycles: Vec<_> = case.journal.iter().rev().take(2).map(|noted| noted.cycle).collect();
    assert_eq!(cycles, [2, 1], "the answer belongs to the cycle it answers");
}

#[test]
fn an_acceptance_of_what_staff_have_closed_is_on_record_with_its_words() {
    let at = occasion(Timestamp::UNIX_EPOCH);
    for is_closed in [false, true] {
        let mut case = resolved(at.now);
        if is_closed {
            case.close("no answer expected".to_owned(), &at).expect("resolved");
        }
        let event = Event::Accepts { comment: "but the lid is missing".to_owned() };
        case.hear(ExternalEvent { cycle: 1, actor: String::new(), event }, &at).expect("heard all the same");
        assert_eq!(case.state, State::Closed);
        let facts: Vec<&Fact> = case.journal.iter().map(|noted| &noted.fact).collect();
        assert_eq!(
            facts
                .iter()
                .filter(|fact| matches!(fact, Fact::Contact(Contact::Answered { accepted: true })))
                .count(),
            1
        );
        assert_eq!(
            facts.iter().filter(|fact| matches!(fact, Fact::Course(Course::Closed { .. }))).count(),
            1
        );
        let said = |fact: &&&Fact| matches!(fact, Fact::Handling(Handling::Note(note)) if note.text.ends_with("the lid is missing"));
        assert_eq!(facts.iter().filter(said).count(), 1);
    }
}

#[test]
fn windows_open_and_close_to_the_hour() {
    let start = Timestamp::UNIX_EPOCH;
    let mut case = resolved(start);
    let early = occasion(start + RESPONSE_WINDOW - SignedDuration::from_secs(1));
    assert_eq!(case.pass_window(&early), Err(Refusal::InvalidCaseState(State::Resolved)));
    case.pass_window(&occasion(start + RESPONSE_WINDOW)).expect("the window has passed");
    assert_eq!(case.state, State::Closed);
    let reopen_window = SignedDuration::from_hours(60 * 24);
    let late = occasion(start + reopen_window + SignedDuration::from_secs(1));
    assert_eq!(
        case.clone().reopen(String::new(), &late),
        Err(Refusal::ReopenWindowPassed(ReopeningTerms::SHIPPED))
    );
    assert_eq!(case.reopen(String::new(), &occasion(start + reopen_window)), Ok(()));
}

#[test]
fn only_the_same_complainants_undecided_case_is_merged_into_one_that_goes_on() {
    let at = occasion(Timestamp::UNIX_EPOCH);
    let merge = |case: &mut Case, other: &mut Case| case.merge_into(other, joining(false), &at);
    let of = |matter: Matter| {
        let case = opened(&at);
        Case { origin: Origin { matter, ..case.origin.clone() }, ..case }
    };
    let ann = || of(Matter::Complaint);
    let (mut bob, mut bobs) = (ann(), ann());
    assert_eq!(bob.merge_into(&mut bobs, joining(true), &at), Err(Refusal::ComplainantsDiffer));
    let said = Joining { across: Some("one household".to_owned()), ..joining(true) };
    assert_eq!(bob.merge_into(&mut bobs, said, &at), Ok(()));
    assert!(bob.merged.is_some_and(|merged| merged.across));
    assert_eq!(merge(&mut ann(), &mut of(Matter::Report)), Err(Refusal::MattersDiffer));
    let mut over = ann();
    over.withdraw(WithdrawalSource::Staff, String::new(), &at).expect("open");
    assert_eq!(merge(&mut ann(), &mut over), Err(Refusal::MergeTargetOver(State::Withdrawn)));
    let (mut first, mut second) = (ann(), ann());
    assert_eq!(merge(&mut first, &mut second), Ok(()));
    assert_eq!(merge(&mut ann(), &mut first), Err(Refusal::MergeTargetOver(State::Merged)));
    assert_eq!(merge(&mut first, &mut second), Err(Refusal::InvalidCaseState(State::Merged)));
    let mut decided = ann();
    resolve(&mut decided, &at);
    assert_eq!(merge(&mut decided, &mut second), Err(Refusal::InvalidCaseState(State::Resolved)));
}
