//! What this service does about events of the others: whole batches at a time,
//! one lock, the pure machine in memory, one save.

use std::sync::Arc;

use events::{Delivered, Follow, Reactor};
use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use pg::Tx;
use proto::redress::assignment::v1::AgentChanged;
use proto::redress::intake::v1::ComplaintRegistered;

use crate::external_event::ExternalEvent;
use crate::flow::classifiers::Classifiers;
use crate::flow::opening::Known;
use crate::flow::rule_sets::RuleSets;
use crate::flow::{hearing, opening};
use crate::reading::HEAVY_BYTES;
use crate::staff::Member;
use crate::store;
use crate::wire::inbound::{self, IntoExternalEvent, Registered};

events::inbound! {
    /// Takes an event into a batch.
    fn take(batch: &mut Batch) {
        intake {
            ComplaintRegistered => Batch::registered,
            InformationAdded => Batch::external,
        }
        assignment {
            CaseAssigned => Batch::external,
            CaseQueued => Batch::external,
            CaseAccepted => Batch::external,
            AssignmentEscalated => Batch::external,
            CaseUnassignable => Batch::external,
            AgentChanged => Batch::agent,
        }
        resolution {
            PlanProposed => Batch::external,
            PlanApproved => Batch::external,
            PlanRejected => Batch::external,
            TaskCompleted => Batch::external,
            TaskNeedsAttention => Batch::external,
            TaskWrittenOff => Batch::external,
            TaskEscalated => Batch::external,
            PlanCompleted => Batch::external,
            PlanCancelled => Batch::external,
            PlanRevisionProposed => Batch::external,
            PlanRevised => Batch::external,
            PlanRevisionRejected => Batch::external,
            ShortageReported => Batch::external,
            InvestigationRequested => Batch::external,
            InvestigationCompleted => Batch::external,
            InvestigationCancelled => Batch::external,
            RecallCaseAdded => Batch::external,
        }
        feedback {
            FeedbackReceived => Batch::external,
            NoticeSettled => Batch::external,
            NoticeBounced => Batch::external,
            ContactCorrected => Batch::external,
        }
    }
}

/// What a batch asks for, in its order: events of one kind that follow each other are
/// taken together.
#[derive(Default)]
struct Batch {
    steps: Vec<Step>,
}

/// What events of one kind ask for: one thing each.
enum Step {
    /// Cases are opened for complaints.
    Open(Vec<Registered>),
    /// Cases take in what happened elsewhere.
    Hear(Vec<ExternalEvent>),
    /// Agents are described.
    Describe(Vec<Member>),
}

impl Batch {
    fn read(events: &[Delivered]) -> Result<Self, Fault> {
        let mut batch = Self::default();
        for event in events {
            take(&mut batch, event)?;
        }
        Ok(batch)
    }

    fn registered(&mut self, event: &Delivered, registered: ComplaintRegistered) -> Result<(), Fault> {
        let registered = inbound::registered(event, registered)?;
        match self.steps.last_mut() {
            Some(Step::Open(run)) => run.push(registered),
            _ => self.steps.push(Step::Open(vec![registered])),
        }
        Ok(())
    }

    fn external(&mut self, _: &Delivered, payload: impl IntoExternalEvent) -> Result<(), Fault> {
        let external = payload.external_event()?;
        match self.steps.last_mut() {
            Some(Step::Hear(run)) => run.push(external),
            _ => self.steps.push(Step::Hear(vec![external])),
        }
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "handlers may fail")]
    fn agent(&mut self, _: &Delivered, changed: AgentChanged) -> Result<(), Fault> {
        let member = inbound::agent(changed);
        match self.steps.last_mut() {
            Some(Step::Describe(run)) => run.push(member),
            _ => self.steps.push(Step::Describe(vec![member])),
        }
        Ok(())
    }
}

impl Step {
    /// How many events it is of.
    fn len(&self) -> usize {
        match self {
            Self::Open(run) => run.len(),
            Self::Hear(run) => run.len(),
            Self::Describe(run) => run.len(),
        }
    }
}

/// Opens cases for complaints and moves them on as the other services tell.
#[derive(Clone)]
pub(crate) struct Reactions {
    known: Known,
}

impl Reactions {
    /// Reactions that triage by these rules and classifiers.
    pub(crate) fn new(rule_sets: Arc<RuleSets>, classifiers: Arc<Classifiers>) -> Self {
        Self { known: Known { rule_sets, classifiers } }
    }

    /// Takes a batch of one source: registrations open cases, the rest are external events
    /// about them.
    async fn take(&self, tx: &mut Tx, mut batch: &[Delivered]) -> Result<(), Fault> {
        let is_heavy = batch.iter().map(|event| event.payload.len()).sum::<usize>() > HEAVY_BYTES;
        for step in server::aside(is_heavy, || Batch::read(batch))?.steps {
            let (run, rest) = batch.split_at(step.len());
            match step {
                Step::Open(registered) => opening::open(tx, &self.known, run, &registered).await?,
                Step::Hear(externals) => hearing::hear(tx, &self.known, run, externals).await?,
                Step::Describe(members) => store::staff::keep(tx, &members).await?,
            }
            batch = rest;
        }
        Ok(())
    }
}

impl Reactor for Reactions {
    fn consumer(&self) -> &'static str {
        crate::NAME
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        self.take(tx, batch).boxed()
    }
}
