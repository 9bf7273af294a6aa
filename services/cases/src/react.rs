//! What this service does about events of the others: whole batches at a time,
//! one lock, the pure machine in memory, one save.

use std::collections::HashMap;
use std::sync::Arc;

use events::{Delivered, Follow, Reactor};
use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::CaseId;
use pg::Tx;
use proto::redress::assignment::v1::AgentChanged;
use proto::redress::intake::v1::ComplaintRegistered;
use uuid::Uuid;

use crate::case::{CASES, Case, FEEDBACK, Occasion};
use crate::external_event::{Event, ExternalEvent};
use crate::flow::classifiers::Classifiers;
use crate::flow::rule_sets::RuleSets;
use crate::flow::{clocks, links, merges, persist, triage_batch};
use crate::reading::{HEAVY_BYTES, Reading};
use crate::refusal::Refusal;
use crate::staff::Member;
use crate::store;
use crate::store::Opening;
use crate::store::early::{self, EarlyNotice};
use crate::timeline::Fact;
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
            AgentChanged => Batch::agent,
        }
        resolution {
            PlanProposed => Batch::external,
            PlanApproved => Batch::external,
            PlanRejected => Batch::external,
            TaskCompleted => Batch::external,
            TaskNeedsAttention => Batch::external,
            PlanCompleted => Batch::external,
            PlanCancelled => Batch::external,
        }
        feedback {
            FeedbackReceived => Batch::external,
            NoticeSettled => Batch::external,
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
    rule_sets: Arc<RuleSets>,
    classifiers: Arc<Classifiers>,
}

impl Reactions {
    /// Reactions that triage by these rules and classifiers.
    pub(crate) fn new(rule_sets: Arc<RuleSets>, classifiers: Arc<Classifiers>) -> Self {
        Self { rule_sets, classifiers }
    }

    /// Takes a batch of one source: registrations open cases, the rest are external events
    /// about them.
    async fn take(&self, tx: &mut Tx, mut batch: &[Delivered]) -> Result<(), Fault> {
        let is_heavy = batch.iter().map(|event| event.payload.len()).sum::<usize>() > HEAVY_BYTES;
        for step in server::aside(is_heavy, || Batch::read(batch))?.steps {
            let (run, rest) = batch.split_at(step.len());
            match step {
                Step::Open(registered) => self.open(tx, run, registered).await?,
                Step::Hear(externals) => self.hear(tx, run, externals).await?,
                Step::Describe(members) => store::staff::keep(tx, &members).await?,
            }
            batch = rest;
        }
        Ok(())
    }

    /// Opens and triages the cases of complaints, those that are not open yet.
    async fn open(&self, tx: &mut Tx, batch: &[Delivered], registered: Vec<Registered>) -> Result<(), Fault> {
        let ids: Vec<Uuid> = batch.iter().map(|event| event.subject).collect();
        early::hold_openings(tx, &ids).await?;
        let mut notices: HashMap<CaseId, Vec<EarlyNotice>> = HashMap::new();
        for notice in early::take(tx, &ids).await? {
            notices.entry(notice.case).or_default().push(notice);
        }
        let readings = self.read(tx, batch, &registered).await?;
        let mut triaged = triage_batch::triage(tx, &self.rule_sets, batch, &registered, &readings).await?;
        let mut openings = Vec::with_capacity(batch.len());
        let mut keys = HashMap::with_capacity(batch.len());
        for ((event, registered), triaged) in batch.iter().zip(&registered).zip(&triaged) {
            let at = Occasion { now: tx.now(), actor: CASES, traceparent: &event.traceparent };
            let (origin, triage) = (registered.origin.clone(), triaged.verdict.triage.clone());
            let id = CaseId(event.subject);
            let mut case = match registered.history.clone() {
                None => Case::open(id, origin, triage, &at),
                Some(history) => Case::import(id, origin, triage, history, &at),
            };
            for notice in notices.remove(&case.id).unwrap_or_default() {
                hear_early(&mut case, notice, &at);
            }
            keys.insert(case.id, registered.keys.clone());
            openings.push(Opening {
                case,
                description: registered.description.clone(),
                receipt_hash: registered.receipt_hash.clone(),
                forwarded: registered.forwarded,
            });
        }
        let begun = clocks::begin(tx, &mut openings).await?;
        let fresh = store::insert(tx, &openings).await?;
        // Told again: the first has opened it.
        let mut first = fresh.clone();
        openings.retain(|opening| first.remove(&opening.case.id.0));
        let mut first = fresh.clone();
        triaged.retain(|triaged| first.remove(&triaged.case));
        // How they ended is not among what a case is opened with.
        let ended = |opening: &&Opening| opening.case.state.is_over();
        let ended: Vec<Case> = openings.iter().filter(ended).map(|opening| opening.case.clone()).collect();
        if !ended.is_empty() {
            store::save(tx, &ended).await?;
        }
        if let Some(event) = batch.first() {
            store::text::keep(tx, &event.tenant, &openings).await?;
        }
        let now = tx.now();
        store::triage::record(tx, &triaged, now).await?;
        let mut first = fresh;
        let read = ids.into_iter().zip(&readings).filter(|(case, _)| first.remove(case));
        store::readings::keep(tx, &read.collect::<Vec<_>>()).await?;
        let cases: Vec<Case> = openings.into_iter().map(|opening| opening.case).collect();
        persist::opened(tx, &cases, begun).await?;
        links::find(tx, &cases, &keys).await
    }
}

impl Reactions {
    /// Reads the texts of complaints.
    async fn read(
        &self,
        tx: &mut Tx,
        batch: &[Delivered],
        registered: &[Registered],
    ) -> Result<Vec<Reading>, Fault> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let classifier = self.classifiers.active(tx, &first.tenant).await?;
        let is_heavy = registered.iter().map(Registered::bytes).sum::<usize>() > HEAVY_BYTES;
        let read = || registered.iter().map(|registered| registered.read(classifier.as_deref())).collect();
        Ok(server::aside(is_heavy, read))
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

fn hear_early(case: &mut Case, notice: EarlyNotice, at: &Occasion<'_>) {
    let EarlyNotice { case: _, kind, cycle, failure, traceparent } = notice;
    let at = Occasion { actor: FEEDBACK, traceparent: &traceparent, ..*at };
    case.note_in(cycle, &at, Fact::Notice { kind, failure });
}

impl Reactions {
    /// Moves cases on by the external events about them, in order.
    async fn hear(
        &self,
        tx: &mut Tx,
        batch: &[Delivered],
        externals: Vec<ExternalEvent>,
    ) -> Result<(), Fault> {
        let mut changed = hear(tx, batch, externals).await?;
        if let Some(first) = batch.first() {
            triage_batch::raise_for_information(tx, &self.rule_sets, &first.tenant, &mut changed).await?;
        }
        persist::changed(tx, &mut changed).await
    }
}

/// Has cases take in the external events about them, in order; answers those that changed.
async fn hear(tx: &mut Tx, batch: &[Delivered], externals: Vec<ExternalEvent>) -> Result<Vec<Case>, Fault> {
    let mut cases = lock(tx, batch.iter().map(|event| event.subject).collect()).await?;
    if batch.iter().any(|event| !cases.contains_key(&event.subject)) {
        let missing = batch.iter().map(|event| event.subject).filter(|id| !cases.contains_key(id));
        let missing: Vec<Uuid> = missing.collect();
        early::hold_openings(tx, &missing).await?;
        let opened_meanwhile = lock(tx, missing).await?;
        cases.extend(opened_meanwhile);
    }
    let passed_on = |(event, external): &(&Delivered, &ExternalEvent)| {
        let merged = cases.get(&event.subject).is_some_and(|case| case.merged.is_some());
        external.event.is_passed_on() && merged
    };
    let passing: Vec<Uuid> =
        batch.iter().zip(&externals).filter(passed_on).map(|(event, _)| event.subject).collect();
    merges::lock_survivors(tx, &mut cases, passing).await?;
    let now = tx.now();
    let mut early = Vec::new();
    for (event, external) in batch.iter().zip(externals) {
        if !cases.contains_key(&event.subject) {
            early.extend(before_its_case(event, external)?);
            continue;
        }
        let actor = external.actor.clone();
        let at = Occasion { now, actor: &actor, traceparent: &event.traceparent };
        if let Err(refusal) = take_in(&mut cases, event.subject, external, &at) {
            let (case, event) = (event.subject, &event.type_name);
            tracing::debug!(case.id = %case, event.type = event, %refusal, "an event that no longer fits is skipped");
        }
    }
    if !early.is_empty() {
        early::keep(tx, &early).await?;
    }
    let mut changed: Vec<Case> = cases.into_values().filter(|case| !case.journal.is_empty()).collect();
    changed.sort_unstable_by_key(|case| case.id);
    Ok(changed)
}

/// Has a case take an event in; what its complainant says while another stands for it goes
/// on to that one.
fn take_in(
    cases: &mut HashMap<Uuid, Case>,
    id: Uuid,
    external: ExternalEvent,
    at: &Occasion<'_>,
) -> Result<(), Refusal> {
    let survivor = if external.event.is_passed_on() { merges::survivor(cases, id) } else { id };
    let mut case = cases.remove(&id).ok_or(Refusal::CaseNotFound)?;
    let heard = match cases.get_mut(&survivor).filter(|_| survivor != id) {
        Some(survivor) => case.pass_on(survivor, external, at),
        None => case.hear(external, at),
    };
    cases.insert(id, case);
    heard
}

async fn lock(tx: &mut Tx, mut ids: Vec<Uuid>) -> Result<HashMap<Uuid, Case>, Fault> {
    ids.sort_unstable();
    ids.dedup();
    let cases = store::lock_all(tx, &ids).await?;
    Ok(cases.into_iter().map(|case| (case.id.0, case)).collect())
}

/// Only feedback does not wait for a case: whatever else is told of one that is
/// not there is a mistake. That its contact was corrected feedback keeps itself.
fn before_its_case(event: &Delivered, external: ExternalEvent) -> Result<Option<EarlyNotice>, Fault> {
    let (kind, failure) = match external.event {
        Event::NoticeSettled { kind, failure } => (kind, failure),
        Event::NoticeRecorded { kind, .. } => (kind, None),
        Event::ContactCorrected { .. } => return Ok(None),
        _ => return Err(Refusal::CaseNotFound.into()),
    };
    Ok(Some(EarlyNotice {
        case: CaseId(event.subject),
        kind,
        cycle: external.cycle,
        failure,
        traceparent: event.traceparent.clone(),
    }))
}
