//! What fails around each step of a saga, enumerated: at every hand-out of a plan that is
//! cancelled after every number of its steps, each way in which a worker, an answer or a
//! department can fail. Whatever it was, the plan ends, each department has done once
//! what it was given and undone it once, in the reverse order, and the ledger says so.

use std::collections::BTreeMap;

use proto::redress::resolution::v1::{
    Lease, ListBalancesRequest, Plan, PlanState, RemedyKind, RequeueTaskRequest, Step, Task, TaskState,
};
use testkit::request_id;
use tonic::Code;

use crate::world::{
    LEASE, World, completion, failure, refund, refused, settlement, step, task_id, unknown_outcome,
};

/// How a hand-out goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    /// It does not.
    None,
    /// The worker dies before it does anything.
    CrashBefore,
    /// It dies after it has done it, before it says so.
    CrashAfter,
    /// Every worker dies after it has done it, so often that nobody is given it any more.
    CrashAlways,
    /// Its report arrives, the answer does not: it reports again under the same key.
    AnswerLost,
    /// It restarts after that, and reports again under another key: it holds nothing now.
    Restart,
    /// The one before comes back after another was handed it, and reports.
    LateReport,
    /// The department cannot just now, and says so.
    Retryable,
    /// The department cannot at all; a person tries once more.
    Final,
    /// It cannot say whether it did it, and it did.
    UnknownDone,
    /// It cannot say whether it did it, and it did not.
    UnknownNotDone,
    /// What it was given is delivered to it twice.
    Twice,
}

pub(crate) const FAILURES: [Failure; 12] = [
    Failure::None,
    Failure::CrashBefore,
    Failure::CrashAfter,
    Failure::CrashAlways,
    Failure::AnswerLost,
    Failure::Restart,
    Failure::LateReport,
    Failure::Retryable,
    Failure::Final,
    Failure::UnknownDone,
    Failure::UnknownNotDone,
    Failure::Twice,
];

/// What departments have done, each task under its key: once, however often it is asked.
#[derive(Default)]
pub(crate) struct Effects {
    done: Vec<(String, bool)>,
    keys: BTreeMap<String, usize>,
}

impl Effects {
    fn apply(&mut self, task: &Task) {
        let times = self.keys.entry(task.task_id.clone()).or_default();
        *times += 1;
        if *times == 1 {
            self.done.push((task.step_id.clone(), task.compensation));
        }
    }

    fn has(&self, task: &Task) -> bool {
        self.keys.contains_key(&task.task_id)
    }

    pub(crate) fn of(&self, compensation: bool) -> Vec<&str> {
        let wanted = self.done.iter().filter(|(_, undoes)| *undoes == compensation);
        wanted.map(|(step, _)| step.as_str()).collect()
    }
}

/// A plan on its way, and what its departments have done.
pub(crate) struct Saga<'a> {
    pub(crate) world: &'a World,
    pub(crate) plan: Plan,
    pub(crate) effects: Effects,
}

/// Money, goods, words, money: each after the one before; the words cannot be undone.
pub(crate) fn steps() -> Vec<Step> {
    vec![
        refund("a"),
        step("b", RemedyKind::Exchange, &["a"]),
        step("c", RemedyKind::Apology, &["b"]),
        step("d", RemedyKind::Compensation, &["c"]),
    ]
}

impl Saga<'_> {
    /// The one task that waits, of any department; none once the plan has ended.
    pub(crate) async fn next(&self) -> Option<Lease> {
        for department in ["finance", "warehouse", "service"] {
            let mut leases = self.world.poll(department).await;
            assert!(leases.len() <= 1, "one step at a time");
            if let Some(lease) = leases.pop() {
                return Some(lease);
            }
        }
        None
    }

    async fn again(&self) -> Lease {
        self.next().await.unwrap()
    }

    /// Does what a lease asks for, and reports it.
    async fn finish(&mut self, lease: &Lease) {
        self.effects.apply(lease.task.as_ref().unwrap());
        self.world.complete(lease).await.unwrap();
    }

    /// A department settles what nobody could say, by what its own books have.
    async fn settle(&mut self, task: &Task) {
        let task = self.world.task(&task.task_id).await;
        assert_eq!(task.state(), TaskState::OutcomeUnknown);
        let done = self.effects.has(&task);
        self.world.client("worker").settle_task(settlement(&task, done)).await.unwrap();
        if !done {
            let lease = self.again().await;
            self.finish(&lease).await;
        }
    }

    /// One hand-out to its end, past a failure.
    pub(crate) async fn pass(&mut self, lease: Lease, failure: Failure) {
        let task = lease.task.clone().unwrap();
        let mut worker = self.world.client("worker");
        match failure {
            Failure::None => self.finish(&lease).await,
            Failure::CrashBefore | Failure::CrashAfter => {
                if matches!(failure, Failure::CrashAfter) {
                    self.effects.apply(&task);
                }
                self.world.house.advance(LEASE);
                let lease = self.again().await;
                assert_eq!(task_id(&lease), task.task_id, "under the same key");
                self.finish(&lease).await;
            }
            Failure::CrashAlways => self.crash_always(lease).await,
            Failure::AnswerLost | Failure::Restart => {
                self.effects.apply(&task);
                let report = completion(&lease);
                worker.complete_task(report.clone()).await.unwrap();
                match failure {
                    Failure::Restart => {
                        let again = worker.complete_task(completion(&lease)).await;
                        refused(again, Code::FailedPrecondition, "LEASE_LOST");
                    }
                    _ => drop(worker.complete_task(report).await.unwrap()),
                }
            }
            Failure::LateReport => {
                self.world.house.advance(LEASE);
                let other = self.again().await;
                self.effects.apply(&task);
                let late = worker.complete_task(completion(&lease)).await;
                refused(late, Code::FailedPrecondition, "LEASE_LOST");
                self.finish(&other).await;
            }
            Failure::Retryable => {
                worker.fail_task(self::failure(&lease, "BANK_BUSY", true)).await.unwrap();
                self.world.house.advance(LEASE * 10);
                let lease = self.again().await;
                self.finish(&lease).await;
            }
            Failure::Final => self.fail_for_good(&lease).await,
            Failure::UnknownDone | Failure::UnknownNotDone => {
                if matches!(failure, Failure::UnknownDone) {
                    self.effects.apply(&task);
                }
                worker.fail_task(unknown_outcome(&lease)).await.unwrap();
                self.settle(&task).await;
            }
            Failure::Twice => {
                self.effects.apply(&task);
                self.finish(&lease).await;
            }
        }
    }

    /// Each worker does it and dies. What moves value is settled by its department's
    /// word, anything else tried once more by a person.
    async fn crash_always(&mut self, first: Lease) {
        let task = first.task.unwrap();
        self.effects.apply(&task);
        for _ in 1..resolution::task::MAX_ATTEMPTS {
            self.world.house.advance(LEASE);
            let lease = self.again().await;
            self.effects.apply(lease.task.as_ref().unwrap());
        }
        self.world.house.advance(LEASE);
        assert!(self.next().await.is_none(), "nobody is given it any more");
        match self.world.task(&task.task_id).await.state() {
            TaskState::OutcomeUnknown => self.settle(&task).await,
            TaskState::NeedsAttention => self.requeue(&task).await,
            other => panic!("{other:?}"),
        }
    }

    /// The department refuses for good: a person has what is needed to decide, and tries
    /// once more. Nothing else begins or is undone meanwhile.
    async fn fail_for_good(&mut self, lease: &Lease) {
        let given = lease.task.as_ref().unwrap();
        let mut worker = self.world.client("worker");
        worker.fail_task(failure(lease, "ACCOUNT_CLOSED", false)).await.unwrap();
        let task = self.world.task(&given.task_id).await;
        assert_eq!(task.state(), TaskState::NeedsAttention);
        assert!(task.last_error.contains("ACCOUNT_CLOSED"), "{}", task.last_error);
        assert_eq!(
            (&task.amount, &task.goods, &task.compensates_task_id, &task.department_id),
            (&given.amount, &given.goods, &given.compensates_task_id, &given.department_id)
        );
        assert!(self.next().await.is_none());
        self.requeue(&task).await;
    }

    async fn requeue(&mut self, task: &Task) {
        let request = RequeueTaskRequest {
            request_id: request_id(),
            task_id: task.task_id.clone(),
            department_id: String::new(),
            reason: "the account is open again".to_owned(),
        };
        self.world.approver().requeue_task(request).await.unwrap();
        let lease = self.again().await;
        self.finish(&lease).await;
    }

    /// What the ledger has of the case: executed and reversed, in yuan.
    pub(crate) async fn booked(&self) -> (i64, i64) {
        let case_id = self.plan.case_id.clone();
        let request = ListBalancesRequest { case_id, ..ListBalancesRequest::default() };
        let balances = self.world.balances(request).await;
        let [balance] = balances.as_slice() else { panic!("one currency: {balances:?}") };
        let units = |sum: &Option<proto::google::r#type::Money>| sum.as_ref().map_or(0, |sum| sum.units);
        (units(&balance.executed), units(&balance.reversed))
    }
}

/// Carries a plan out until so many steps are done, cancels it unless all are, and undoes
/// it; the hand-out of this place goes wrong. Answers how many hand-outs there were.
async fn run(world: &World, cancelled_after: usize, place: usize, failure: Failure) -> usize {
    let plan = world.approved(steps()).await;
    let mut saga = Saga { world, plan, effects: Effects::default() };
    let mut handed_out = 0;
    let what = format!("{failure:?} at {place}, cancelled after {cancelled_after}");
    loop {
        if handed_out == cancelled_after && cancelled_after < steps().len() {
            world.cancel(&saga.plan).await;
        }
        let Some(lease) = saga.next().await else { break };
        let failure = if handed_out == place { failure } else { Failure::None };
        saga.pass(lease, failure).await;
        handed_out += 1;
    }
    let all = ["a", "b", "c", "d"];
    let done = &all[..cancelled_after];
    assert_eq!(saga.effects.of(false), done, "{what}");
    let is_cancelled = cancelled_after < all.len();
    let undone: Vec<&str> = done.iter().rev().copied().filter(|step| is_cancelled && *step != "c").collect();
    assert_eq!(saga.effects.of(true), undone, "{what}");
    let expected = if is_cancelled { PlanState::Cancelled } else { PlanState::Completed };
    assert_eq!(world.plan(&saga.plan).await.state(), expected, "{what}");
    let paid = 100 * i64::try_from(done.iter().filter(|step| ["a", "d"].contains(step)).count()).unwrap();
    assert_eq!(saga.booked().await, (paid, if is_cancelled { paid } else { 0 }), "{what}");
    handed_out
}

#[tokio::test]
async fn every_failure_at_every_step_of_a_saga_ends_in_each_effect_once() {
    let world = World::open().await;
    let mut runs = 0;
    for cancelled_after in 0..=steps().len() {
        let hand_outs = run(&world, cancelled_after, usize::MAX, Failure::None).await;
        for place in 0..hand_outs {
            for failure in FAILURES {
                assert_eq!(run(&world, cancelled_after, place, failure).await, hand_outs);
                runs += 1;
            }
        }
    }
    assert_eq!(runs, 15 * FAILURES.len(), "no hand-out was left out");
    world.house.done().await;
}
