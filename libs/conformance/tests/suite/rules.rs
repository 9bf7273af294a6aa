//! Each rule: kept by an honest worker, and seen broken by one that breaks it.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use conformance::{Options, Rule, Runner, Verdict};
use proto::google::r#type::Money;
use proto::redress::resolution::v1::{RemedyKind, Task};
use tokio::task::JoinSet;

use crate::worker::{Asks, Fault, Worker};

/// Faults, the rule each breaks, and what is said of it.
const FAULTS: [(Fault, Rule, &str); 16] = [
    (Fault::Nameless, Rule::ValidPoll, "worker is missing"),
    (Fault::NoReference, Rule::FittingResult, "no reference"),
    (Fault::PaysTooMuch, Rule::FittingResult, "above that of the task"),
    (Fault::NewPollId, Rule::LostPollAnswer, "stranded"),
    (Fault::NewReportId, Rule::LostReportAnswer, "another request_id"),
    (Fault::Impatient, Rule::SlowReportAnswer, "another request_id"),
    (Fault::PaysTwice, Rule::DuplicateDelivery, "two effects"),
    (Fault::LooksThenPays, Rule::ConcurrentDelivery, "several effects"),
    (Fault::OldToken, Rule::LateToken, "the token it had lost"),
    (Fault::Nags, Rule::LateToken, "told is lost"),
    (Fault::IgnoresCancel, Rule::Cancel, "nobody wanted it"),
    (Fault::DeniesDone, Rule::CancelAfterDone, "CANCELLED"),
    (Fault::Silent, Rule::HeldLease, "ran out"),
    (Fault::GivesUp, Rule::BrokenConnection, "did not"),
    (Fault::Storms, Rule::Overload, "polls within"),
    (Fault::PaysTwiceInSecret, Rule::EffectsOnce, "2 effects instead of 1"),
];

/// The same for a worker that has its tasks streamed.
const STREAM_FAULTS: [(Fault, Rule, &str); 19] = [
    (Fault::Nameless, Rule::ValidStream, "worker is missing"),
    (Fault::NewPollId, Rule::CutStream, "stranded"),
    (Fault::PaysTwice, Rule::CutStream, "two effects"),
    (Fault::TwoStreams, Rule::StreamCredits, "tasks at once"),
    (Fault::BeatsOne, Rule::StreamCredits, "ran out"),
    (Fault::IgnoresCancel, Rule::StreamCancel, "nobody wanted it"),
    (Fault::NoReference, Rule::FittingResult, "no reference"),
    (Fault::NewReportId, Rule::LostReportAnswer, "another request_id"),
    (Fault::Impatient, Rule::SlowReportAnswer, "another request_id"),
    (Fault::PaysTwice, Rule::DuplicateDelivery, "two effects"),
    (Fault::LooksThenPays, Rule::ConcurrentDelivery, "several effects"),
    (Fault::OldToken, Rule::LateToken, "the token it had lost"),
    (Fault::Nags, Rule::LateToken, "told is lost"),
    (Fault::IgnoresCancel, Rule::Cancel, "nobody wanted it"),
    (Fault::DeniesDone, Rule::CancelAfterDone, "CANCELLED"),
    (Fault::Silent, Rule::HeldLease, "ran out"),
    (Fault::GivesUp, Rule::BrokenConnection, "did not"),
    (Fault::Storms, Rule::Overload, "polls within"),
    (Fault::PaysTwiceInSecret, Rule::EffectsOnce, "2 effects instead of 1"),
];

async fn runner(patience: Duration) -> Runner {
    let amount = Money { currency_code: "EUR".into(), units: 39, nanos: 900_000_000 };
    let task = Task {
        department_id: "finance".into(),
        kind: RemedyKind::Refund.into(),
        amount: Some(amount),
        ..Task::default()
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Runner::bind(address, Options { task, patience }).await.expect("a port")
}

/// Tries a worker by some rules, and its books where it is to be judged by them.
async fn tried(fault: Fault, asks: Asks, rules: &[Rule], patience: Duration) -> Vec<Verdict> {
    let runner = runner(patience).await;
    let worker = Worker::new(runner.address(), fault);
    let mut at_work = JoinSet::new();
    at_work.spawn(worker.clone().run(asks));
    let mut verdicts = runner.run(rules).await;
    verdicts.push(runner.judge_effects(&worker.books()));
    verdicts
}

async fn is_kept_whole(asks: Asks, rules: &[Rule]) {
    let verdicts = tried(Fault::Nothing, asks, rules, Duration::from_secs(20)).await;
    let broken: Vec<_> = verdicts.iter().filter(|verdict| !verdict.passed).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let kept: Vec<Rule> = verdicts.iter().map(|verdict| verdict.rule).collect();
    assert_eq!(kept, [rules, &[Rule::EffectsOnce]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_worker_keeps_every_rule() {
    is_kept_whole(Asks::ByPoll, &Rule::ATTACKS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_worker_that_has_tasks_streamed_keeps_every_rule_of_streams() {
    is_kept_whole(Asks::ByStream, &Rule::STREAM_ATTACKS).await;
}

/// Tried with a patience that an honest worker keeps, too.
async fn are_seen_broken(asks: Asks, faults: &'static [(Fault, Rule, &str)], rules: &[Rule]) {
    let mut trials = JoinSet::new();
    for (fault, rule, said) in faults {
        trials.spawn(async move {
            // What the books tell needs something to have come twice.
            let attack = if *rule == Rule::EffectsOnce { Rule::DuplicateDelivery } else { *rule };
            let verdicts = tried(*fault, asks, &[attack], Duration::from_secs(5)).await;
            let verdict = verdicts.into_iter().find(|verdict| verdict.rule == *rule).expect("a verdict");
            let told = !verdict.passed && verdict.seen.contains(said);
            (!told).then(|| format!("{fault:?}: {verdict:?}"))
        });
    }
    let wrong: Vec<String> = trials.join_all().await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let shown = |rule: &&Rule| !faults.iter().any(|(_, broken, _)| broken == *rule);
    let never: Vec<&Rule> = rules.iter().filter(shown).collect();
    assert!(never.is_empty(), "nothing breaks {never:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_is_seen_broken_by_a_worker_that_breaks_it() {
    are_seen_broken(Asks::ByPoll, &FAULTS, &Rule::ATTACKS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_of_streams_is_seen_broken_by_a_worker_that_breaks_it() {
    are_seen_broken(Asks::ByStream, &STREAM_FAULTS, &Rule::STREAM_ATTACKS).await;
}

#[tokio::test]
async fn a_worker_that_never_asks_is_told_so() {
    let runner = runner(Duration::from_millis(50)).await;
    let verdict = runner.attack(Rule::ValidPoll).await;
    assert_eq!((verdict.passed, verdict.seen.as_str()), (false, "within 50ms it did not ask for tasks"));
    let verdict = runner.attack(Rule::CutStream).await;
    assert_eq!(
        (verdict.passed, verdict.seen.as_str()),
        (false, "within 50ms it did not begin a stream of tasks")
    );
}

/// Each once.
fn all_rules() -> Vec<Rule> {
    let all = [&Rule::ATTACKS[..], &Rule::STREAM_ATTACKS, &[Rule::EffectsOnce]].concat();
    all.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn rules_have_names_of_their_own_and_say_what_is_promised() {
    let all = all_rules();
    let mut names: Vec<&str> = all.iter().map(|rule| rule.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all.len());
    assert!(all.iter().all(|rule| rule.promise().len() > 20));
}

#[test]
fn the_guide_to_workers_names_every_rule_and_its_promise() {
    let guide = include_str!("../../../../deploy/examples/README.md");
    for rule in all_rules() {
        assert!(guide.contains(&format!("| `{}` | {} |", rule.name(), rule.promise())), "{rule:?}");
    }
}
