//! What this service does about what happens to cases, about new departments, and about what
//! departments are asked about problems.

use events::{Delivered, Follow, Reactor};
use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::CaseId;
use pg::Tx;
use proto::redress::assignment::v1::{CaseAssigned, CaseQueued, DepartmentCreated};
use proto::redress::cases::v1::{
    CaseClosed, CaseDecided, CaseDeclined, CaseDueTimeChanged, CaseLinked, CaseOpened, CasePriorityRaised,
    CaseReopened, CaseRetriaged, CaseUnlinked, CaseWithdrawn, DecisionCorrected,
};
use proto::redress::feedback::v1::ProblemTaskRequested;

use crate::case::{CaseView, Redate, Regrade};
use crate::flow::{self, department_watch, investigations, progress, urgency};
use crate::problem_hint::HintRequest;
use crate::store;
use crate::wire::{inbound, problem_hints};

events::inbound! {
    /// Takes an event into a batch.
    fn take(batch: &mut Batch) {
        cases {
            CaseOpened => Batch::opened,
            CaseDecided => Batch::decided,
            DecisionCorrected => Batch::corrected,
            CasePriorityRaised => Batch::raised,
            CaseRetriaged => Batch::retriaged,
            CaseDueTimeChanged => Batch::redated,
            CaseReopened => Batch::reopened,
            CaseWithdrawn => Batch::withdrawn,
            CaseDeclined => Batch::declined,
            CaseClosed => Batch::closed,
            CaseLinked => Batch::linked,
            CaseUnlinked => Batch::unlinked,
        }
        feedback {
            ProblemTaskRequested => Batch::problem_task,
        }
        assignment {
            CaseAssigned => Batch::assigned,
            CaseQueued => Batch::queued,
            DepartmentCreated => Batch::department,
        }
    }
}

/// Follows the cases service, who handles its cases, which departments there are, and what
/// feedback asks of them.
pub(crate) struct Reactions;

impl Reactor for Reactions {
    fn consumer(&self) -> &'static str {
        "resolution"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        async move {
            for step in Batch::read(batch)?.steps {
                step.apply(tx).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

/// What a batch asks for, in its order: events of one kind that follow each other are
/// applied together.
#[derive(Debug, Default)]
struct Batch {
    steps: Vec<Step>,
}

/// What events of one kind ask for.
#[derive(Debug)]
enum Step {
    /// Cases are open, of these customers where they are known.
    Open(Vec<(CaseView, String)>),
    /// Plans may be proposed now, where a remedy is due.
    Decide(Vec<CaseView>),
    /// Other decisions hold, each with its number.
    Correct(Vec<(CaseView, i32)>),
    /// Cases are found more urgent or less.
    Regrade(Vec<Regrade>),
    /// Cases are due sooner or later, or at no time.
    Redate(Vec<Redate>),
    /// Next cycles begin: no plans until they are decided.
    Reopen(Vec<CaseView>),
    /// Cycles ended, all for this reason.
    End(&'static str, Vec<(CaseId, i32)>),
    /// Others handle cases now, or nobody does.
    Handle(Vec<(CaseId, String)>),
    /// These cases are linked and name the same order.
    Link(Vec<(CaseId, CaseId)>),
    /// These cases are not linked any more.
    Unlink(Vec<(CaseId, CaseId)>),
    /// There are these departments.
    Departments(Vec<String>),
    /// Departments are asked about problems.
    AskAboutProblems(Vec<HintRequest>),
}

#[expect(clippy::needless_pass_by_value, reason = "handlers are given the payload")]
impl Batch {
    fn read(events: &[Delivered]) -> Result<Self, Fault> {
        let mut batch = Self::default();
        for event in events {
            take(&mut batch, event)?;
        }
        Ok(batch)
    }

    #[expect(clippy::unnecessary_wraps, reason = "what its callers answer")]
    fn push(&mut self, step: Step) -> Result<(), Fault> {
        let apart = match self.steps.last_mut() {
            Some(last) => last.join(step),
            None => Some(step),
        };
        self.steps.extend(apart);
        Ok(())
    }

    fn opened(&mut self, event: &Delivered, opened: CaseOpened) -> Result<(), Fault> {
        let view = inbound::opened(CaseId(event.subject), &opened, &event.traceparent);
        self.push(Step::Open(vec![(view, opened.customer_id)]))
    }

    fn decided(&mut self, event: &Delivered, decided: CaseDecided) -> Result<(), Fault> {
        let view = inbound::decided(CaseId(event.subject), &decided, &event.traceparent);
        self.push(Step::Decide(vec![view]))
    }

    fn corrected(&mut self, event: &Delivered, corrected: DecisionCorrected) -> Result<(), Fault> {
        let view = inbound::corrected(CaseId(event.subject), &corrected, &event.traceparent);
        self.push(Step::Correct(vec![(view, corrected.number)]))
    }

    fn raised(&mut self, event: &Delivered, raised: CasePriorityRaised) -> Result<(), Fault> {
        self.regraded(event, raised.ordinal, raised.priority)
    }

    fn retriaged(&mut self, event: &Delivered, retriaged: CaseRetriaged) -> Result<(), Fault> {
        self.regraded(event, retriaged.ordinal, retriaged.priority)
    }

    fn regraded(&mut self, event: &Delivered, ordinal: i32, priority: i32) -> Result<(), Fault> {
        let regrade = inbound::regraded(CaseId(event.subject), ordinal, priority);
        self.push(Step::Regrade(regrade.into_iter().collect()))
    }

    fn redated(&mut self, event: &Delivered, redated: CaseDueTimeChanged) -> Result<(), Fault> {
        self.push(Step::Redate(vec![inbound::redated(CaseId(event.subject), &redated)]))
    }

    fn reopened(&mut self, event: &Delivered, reopened: CaseReopened) -> Result<(), Fault> {
        let view = inbound::reopened(CaseId(event.subject), &reopened, &event.traceparent);
        self.push(Step::Reopen(vec![view]))
    }

    fn withdrawn(&mut self, event: &Delivered, withdrawn: CaseWithdrawn) -> Result<(), Fault> {
        let end = (CaseId(event.subject), withdrawn.cycle);
        self.push(Step::End("the complaint was withdrawn", vec![end]))
    }

    fn declined(&mut self, event: &Delivered, declined: CaseDeclined) -> Result<(), Fault> {
        let end = (CaseId(event.subject), declined.cycle);
        self.push(Step::End("the case was found to be another organisation's", vec![end]))
    }

    fn closed(&mut self, event: &Delivered, closed: CaseClosed) -> Result<(), Fault> {
        self.push(Step::End("the case was closed", vec![(CaseId(event.subject), closed.cycle)]))
    }

    fn assigned(&mut self, event: &Delivered, assigned: CaseAssigned) -> Result<(), Fault> {
        self.push(Step::Handle(vec![(CaseId(event.subject), assigned.agent_id)]))
    }

    fn queued(&mut self, event: &Delivered, _: CaseQueued) -> Result<(), Fault> {
        self.push(Step::Handle(vec![(CaseId(event.subject), String::new())]))
    }

    fn linked(&mut self, event: &Delivered, linked: CaseLinked) -> Result<(), Fault> {
        let pair = inbound::linked(&linked, CaseId(event.subject));
        self.push(Step::Link(pair.into_iter().collect()))
    }

    fn unlinked(&mut self, event: &Delivered, unlinked: CaseUnlinked) -> Result<(), Fault> {
        let pair = inbound::unlinked(&unlinked, CaseId(event.subject));
        self.push(Step::Unlink(pair.into_iter().collect()))
    }

    fn problem_task(&mut self, event: &Delivered, requested: ProblemTaskRequested) -> Result<(), Fault> {
        let request = problem_hints::requested(requested, &event.traceparent)?;
        self.push(Step::AskAboutProblems(request.into_iter().collect()))
    }

    fn department(&mut self, _: &Delivered, created: DepartmentCreated) -> Result<(), Fault> {
        self.push(Step::Departments(vec![created.department_id]))
    }
}

impl Step {
    /// Takes what follows in; answers it where it is of another kind.
    fn join(&mut self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Decide(run), Self::Decide(more)) | (Self::Reopen(run), Self::Reopen(more)) => {
                run.extend(more);
            }
            (Self::Correct(run), Self::Correct(more)) => run.extend(more),
            (Self::Regrade(run), Self::Regrade(more)) => run.extend(more),
            (Self::Redate(run), Self::Redate(more)) => run.extend(more),
            (Self::End(reason, run), Self::End(next, more)) if *reason == next => run.extend(more),
            (Self::Handle(run), Self::Handle(more)) => run.extend(more),
            (Self::Open(run), Self::Open(more)) => run.extend(more),
            (Self::Link(run), Self::Link(more)) | (Self::Unlink(run), Self::Unlink(more)) => {
                run.extend(more);
            }
            (Self::Departments(run), Self::Departments(more)) => run.extend(more),
            (Self::AskAboutProblems(run), Self::AskAboutProblems(more)) => run.extend(more),
            (_, next) => return Some(next),
        }
        None
    }

    async fn apply(self, tx: &mut Tx) -> Result<(), Fault> {
        match self {
            Self::Open(cases) => open(tx, cases).await,
            Self::Decide(views) | Self::Reopen(views) => urgency::keep(tx, &views).await,
            Self::Correct(views) => correct(tx, &views).await,
            Self::Regrade(regrades) => urgency::regrade(tx, &regrades).await,
            Self::Redate(redates) => urgency::redate(tx, &redates).await,
            Self::End(reason, ends) => end(tx, &ends, reason).await,
            Self::Handle(handlers) => store::cases::keep_handlers(tx, &handlers).await,
            Self::Link(pairs) => store::approvals::link(tx, &pairs).await,
            Self::Unlink(pairs) => store::approvals::unlink(tx, &pairs).await,
            Self::Departments(departments) => {
                let new = store::departments::keep(tx, &departments).await?;
                department_watch::begin(tx, &new).await
            }
            Self::AskAboutProblems(requests) => flow::problem_hints::ask(tx, requests).await,
        }
    }
}

/// Cases are known from when they are opened: departments may be asked about them.
async fn open(tx: &mut Tx, cases: Vec<(CaseView, String)>) -> Result<(), Fault> {
    let told = cases.iter().filter(|(_, customer)| !customer.is_empty());
    let complainants: Vec<_> = told.map(|(case, customer)| (case.case_id, customer.clone())).collect();
    if !complainants.is_empty() {
        store::cases::keep_complainants(tx, &complainants).await?;
    }
    let views: Vec<CaseView> = cases.into_iter().map(|(case, _)| case).collect();
    store::cases::keep(tx, &views).await
}

/// Another decision holds: what is planned for the one before is cancelled, and what was
/// begun of it meanwhile is undone. A plan that is completed stays.
async fn correct(tx: &mut Tx, views: &[(CaseView, i32)]) -> Result<(), Fault> {
    let ids = store::cases::correct(tx, views).await?;
    cancel(tx, &ids, "the decision was corrected").await
}

/// No plan may be proposed any more; what is planned or under way is cancelled, what was
/// done is undone, and what departments were asked is not wanted any more.
async fn end(tx: &mut Tx, ends: &[(CaseId, i32)], reason: &str) -> Result<(), Fault> {
    let closed = store::cases::close(tx, ends).await?;
    if closed.is_empty() {
        return Ok(());
    }
    cancel(tx, &closed, reason).await?;
    investigations::cancel(tx, &closed, reason).await
}

async fn cancel(tx: &mut Tx, cases: &[CaseId], reason: &str) -> Result<(), Fault> {
    let mut plans = store::plans::lock_uncancelled(tx, cases).await?;
    if plans.is_empty() { Ok(()) } else { progress::cancel(tx, &mut plans, reason).await }
}
