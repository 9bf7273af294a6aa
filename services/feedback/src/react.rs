//! What this service does about what happens elsewhere.
//!
//! A batch is read into lists first and then applied with a few statements,
//! however mixed it is. That keeps the order that matters: a case's cycles only
//! grow, and what ends a cycle is told after its outcome and names it, so opening
//! all cycles told of and then ending those that are over is the same as one by
//! one.
//!
//! What is heard is counted as well, after all else: see `flow::facts`. Some of it is heard
//! for that alone, of this service's own feed too.
//!
//! The feeds of intake and cases are not in step. A notice owed before it is known
//! whom to write to is put off, and written when the registration arrives.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use events::{Delivered, Follow, Reactor};
use fault::Fault;
use futures::future::BoxFuture;
use kernel::CaseId;
use pg::Tx;
use proto::redress::assignment::v1::CaseAccepted;
use proto::redress::cases::v1::{
    CaseClosed, CaseDecided, CaseDeclined, CaseMerged, CaseOpened, CaseReopened, CaseResolved, CaseUnmerged,
    CaseWithdrawn, DecisionCorrected, ExtensionGranted, HoldingReplySent, RemedyDelayed,
};
use proto::redress::intake::v1::{ComplaintRegistered, DeliveryReportReceived};
use proto::redress::resolution::v1::{ProblemTaskAnswered, ProblemTaskRefused};

use crate::bounce::ReturnPath;
use crate::call_back::RequestedCall;
use crate::flow::{after_outcome, bounces, facts, follow_up, posting, problem_tasks, process, quality};
use crate::notice::{Contact, Delivery, Owed, Word};
use crate::open_case::{Change, Stage};
use crate::problem_task::TaskUpdate;
use crate::profile::{Origin, Progress};
use crate::response::{Cycle, Over};
use crate::store;
use crate::survey::SurveyEligibility;
use crate::wire;

/// Applies events of intake and cases.
pub(crate) struct Reactions {
    /// How notices leave.
    pub(crate) delivery: Delivery,
    /// Where their mails come back to; none where that is not settled.
    pub(crate) path: Option<ReturnPath>,
}

/// What is heard: what something is done about, and what is only counted and told in process
/// logs.
static HEARD: LazyLock<Vec<Follow>> = LazyLock::new(|| events::joined(FOLLOWS, process::FOLLOWS));

events::inbound! {
    /// Takes an event into a batch.
    fn take(batch: &mut Batch) {
        intake {
            ComplaintRegistered => Batch::registered,
            DeliveryReportReceived => Batch::reported,
        }
        cases {
            CaseOpened => Batch::opened,
            CaseDecided => Batch::decided,
            CaseResolved => Batch::resolved,
            CaseReopened => Batch::reopened,
            DecisionCorrected => Batch::corrected,
            CaseClosed => Batch::closed,
            CaseWithdrawn => Batch::withdrawn,
            CaseDeclined => Batch::declined,
            CaseMerged => Batch::merged,
            CaseUnmerged => Batch::unmerged,
            ExtensionGranted => Batch::extended,
            HoldingReplySent => Batch::held,
            RemedyDelayed => Batch::delayed,
        }
        assignment {
            CaseAccepted => Batch::accepted,
        }
        resolution {
            ProblemTaskAnswered => Batch::task_answered,
            ProblemTaskRefused => Batch::task_refused,
        }
    }
}

impl Reactor for Reactions {
    fn consumer(&self) -> &'static str {
        "feedback"
    }

    fn follows(&self) -> &'static [Follow] {
        &HEARD
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let Batch {
                registered,
                origins,
                acknowledged,
                resolved,
                over,
                ended,
                owed,
                progress,
                closed,
                open,
                tasks,
                reports,
                calls,
            } = Batch::read(batch)?;
            if !open.is_empty() {
                let open: Vec<(CaseId, Change)> = open.into_iter().collect();
                store::keep_open_cases(tx, &open).await?;
            }
            if !registered.is_empty() {
                store::keep_origins(tx, &origins).await?;
                self.meet(tx, registered, acknowledged).await?;
            }
            if !owed.is_empty() {
                posting::write(tx, &self.delivery, owed).await?;
            }
            if !resolved.is_empty() {
                store::open_cycles(tx, &resolved).await?;
            }
            if !over.is_empty() {
                store::close_cycles(tx, &over).await?;
            }
            // Before what ends them: a case may be withdrawn in the same batch.
            if !calls.is_empty() {
                follow_up::requested(tx, &self.delivery, &calls).await?;
            }
            if !ended.is_empty() {
                let now = tx.now();
                store::dismiss(tx, &ended, now).await?;
            }
            if !progress.is_empty() {
                let progress: Vec<(CaseId, Progress)> = progress.into_iter().collect();
                store::keep_progress(tx, &progress).await?;
                after_outcome::end(tx, &progress).await?;
            }
            if !closed.is_empty() {
                quality::closed(tx, &closed).await?;
            }
            if !tasks.is_empty() {
                problem_tasks::hear(tx, tasks).await?;
            }
            if let Some(path) = &self.path {
                for report in &reports {
                    bounces::hear(tx, &self.delivery, path, report).await?;
                }
            }
            facts::keep(tx, &facts::read(batch)?).await
        })
    }
}

/// A batch, sorted by what it asks for.
#[derive(Default)]
struct Batch {
    /// Whom to write to about new complaints.
    registered: Vec<Contact>,
    /// What those complaints said of themselves.
    origins: Vec<Origin>,
    /// The acknowledgements owed for them.
    acknowledged: Vec<Owed>,
    /// Cycles that await their answer from now on, and the zones of their times.
    resolved: Vec<(Cycle, String)>,
    /// Cycles that await none any more.
    over: Vec<Over>,
    /// Cases about which nobody need be told any more.
    ended: Vec<CaseId>,
    /// What is owed to those who are known already.
    owed: Vec<Owed>,
    /// How far cases have come, with the last word on each.
    progress: BTreeMap<CaseId, Progress>,
    /// Cycles that were closed, of which some are reviewed.
    closed: Vec<(CaseId, i32)>,
    /// Which cases are worked on, and how far they are.
    open: BTreeMap<CaseId, Change>,
    /// What came of what departments are asked about problems.
    tasks: Vec<TaskUpdate>,
    reports: Vec<DeliveryReportReceived>,
    /// Who asked to be called back as they called.
    calls: Vec<RequestedCall>,
}

#[expect(clippy::needless_pass_by_value, reason = "handlers are given the payload")]
impl Batch {
    fn read(events: &[Delivered]) -> Result<Self, Fault> {
        let mut batch = Self::default();
        // The others are counted, see [`facts`].
        for event in events.iter().filter(|event| event.is_among(FOLLOWS)) {
            take(&mut batch, event)?;
        }
        Ok(batch)
    }

    /// A complaint was registered: it is known whom to write to, and an acknowledgement
    /// is owed.
    fn registered(&mut self, event: &Delivered, registered: ComplaintRegistered) -> Result<(), Fault> {
        let ended = wire::is_history(&registered);
        let origin = wire::origin(&registered)?;
        let contact = wire::contact(registered, &event.traceparent)?;
        // What ended before it came here is acknowledged to nobody.
        self.acknowledged.extend((!ended).then(|| acknowledgement(&contact)));
        self.registered.push(contact);
        self.origins.push(origin);
        Ok(())
    }

    /// An outcome took effect: it is told, and its cycle awaits an answer.
    fn resolved(&mut self, event: &Delivered, resolved: CaseResolved) -> Result<(), Fault> {
        let (case_id, cycle, ruling, zone) = wire::resolved(resolved)?;
        self.resolved.push((Cycle::opened(case_id, cycle, &ruling), zone.clone()));
        self.change(case_id, Change::Rests);
        self.owe(case_id, cycle, Word::Outcome(ruling), zone, event);
        Ok(())
    }

    /// The cycles before take no answer any more.
    fn reopened(&mut self, event: &Delivered, reopened: CaseReopened) -> Result<(), Fault> {
        let over = wire::reopened(&reopened)?;
        self.open(over.case_id, reopened.cycle, Stage::Received, event);
        self.over.push(over);
        self.tell(wire::reopened_progress(&reopened)?);
        Ok(())
    }

    /// Who withdraws without staff is told so: somebody else may have their code.
    fn withdrawn(&mut self, event: &Delivered, withdrawn: CaseWithdrawn) -> Result<(), Fault> {
        let over = wire::withdrawn(&withdrawn)?;
        if wire::needs_confirmation(&withdrawn) {
            self.owe(over.case_id, over.cycle, Word::Withdrawal, String::new(), event);
        }
        self.ended(over, SurveyEligibility::Withdrawn);
        Ok(())
    }

    fn declined(&mut self, _: &Delivered, declined: CaseDeclined) -> Result<(), Fault> {
        self.ended(wire::declined(&declined)?, SurveyEligibility::Declined);
        Ok(())
    }

    fn ended(&mut self, over: Over, standing: SurveyEligibility) {
        self.ended.push(over.case_id);
        self.change(over.case_id, Change::Rests);
        self.stand(over.case_id, standing);
        self.over.push(over);
    }

    /// An outcome is no more what it was; where another takes effect, that opens it anew.
    fn corrected(&mut self, event: &Delivered, corrected: DecisionCorrected) -> Result<(), Fault> {
        if corrected.remedy_due {
            let over = wire::superseded(&corrected)?;
            self.open(over.case_id, corrected.cycle, Stage::CarryingOut, event);
            self.over.push(over);
        }
        self.tell(wire::corrected_progress(&corrected)?);
        Ok(())
    }

    /// A case was closed; after its last dispute, with word of where else to turn. One
    /// that staff have closed may still be answered within the time promised for it.
    fn closed(&mut self, event: &Delivered, closed: CaseClosed) -> Result<(), Fault> {
        let over = wire::closed(&closed)?;
        self.closed.push((over.case_id, over.cycle));
        self.change(over.case_id, Change::Rests);
        if wire::needs_recourse(&closed) {
            self.owe(over.case_id, over.cycle, Word::Recourse, String::new(), event);
        }
        if wire::is_auto_closed(&closed) {
            self.stand(over.case_id, SurveyEligibility::AutoClosed);
        }
        if !wire::may_still_be_answered(&closed) {
            self.over.push(over);
        }
        Ok(())
    }

    /// A mailbox that complaints arrive in received what a mail server reports.
    #[expect(clippy::unnecessary_wraps, reason = "handlers are of one shape")]
    fn reported(&mut self, _: &Delivered, report: DeliveryReportReceived) -> Result<(), Fault> {
        self.reports.push(report);
        Ok(())
    }

    fn opened(&mut self, event: &Delivered, opened: CaseOpened) -> Result<(), Fault> {
        let (case_id, progress) = wire::opened_progress(&opened)?;
        self.open(case_id, opened.cycle, Stage::Received, event);
        self.tell((case_id, progress));
        if opened.call_back_requested {
            let CaseOpened { cycle, time_zone: zone, .. } = opened;
            self.calls.push(RequestedCall { case_id, cycle, zone, traceparent: event.traceparent.clone() });
        }
        Ok(())
    }

    /// Whoever is to handle a case has taken it up.
    fn accepted(&mut self, _: &Delivered, accepted: CaseAccepted) -> Result<(), Fault> {
        let change = Change::Reached { cycle: accepted.cycle, stage: Stage::InHand };
        self.change(wire::case_of(&accepted.case_id)?, change);
        Ok(())
    }

    fn decided(&mut self, _: &Delivered, decided: CaseDecided) -> Result<(), Fault> {
        let (case_id, progress) = wire::decided_progress(&decided)?;
        self.change(case_id, Change::Reached { cycle: decided.cycle, stage: Stage::CarryingOut });
        self.tell((case_id, progress));
        Ok(())
    }

    fn merged(&mut self, _: &Delivered, merged: CaseMerged) -> Result<(), Fault> {
        let case_id = wire::case_of(&merged.case_id)?;
        self.change(case_id, Change::Rests);
        self.stand(case_id, SurveyEligibility::Merged);
        Ok(())
    }

    fn unmerged(&mut self, event: &Delivered, unmerged: CaseUnmerged) -> Result<(), Fault> {
        let case_id = wire::case_of(&unmerged.case_id)?;
        self.open(case_id, unmerged.cycle, Stage::InHand, event);
        self.stand(case_id, SurveyEligibility::Open);
        Ok(())
    }

    fn open(&mut self, case_id: CaseId, cycle: i32, stage: Stage, event: &Delivered) {
        self.change(case_id, Change::Opened { cycle, stage, since: event.occurred });
    }

    fn change(&mut self, case_id: CaseId, change: Change) {
        let change = self.open.get(&case_id).map_or(change, |earlier| earlier.then(change));
        self.open.insert(case_id, change);
    }

    fn stand(&mut self, case_id: CaseId, standing: SurveyEligibility) {
        self.tell((case_id, Progress { standing: Some(standing), ..Progress::default() }));
    }

    fn tell(&mut self, (case_id, told): (CaseId, Progress)) {
        self.progress.entry(case_id).or_default().merge(told);
    }

    /// It takes longer: the complainant is told until when, and why.
    fn extended(&mut self, event: &Delivered, extended: ExtensionGranted) -> Result<(), Fault> {
        if let Some((case_id, cycle, delay, zone)) = wire::extended(extended)? {
            self.owe(case_id, cycle, Word::Extension(delay), zone, event);
        }
        Ok(())
    }

    /// There is no answer yet: the complainant is told why.
    fn held(&mut self, event: &Delivered, held: HoldingReplySent) -> Result<(), Fault> {
        let (case_id, cycle, holding, zone) = wire::held(held)?;
        self.owe(case_id, cycle, Word::Holding(holding), zone, event);
        Ok(())
    }

    /// Goods are lacking: the complainant is told the new promise.
    fn delayed(&mut self, event: &Delivered, delayed: RemedyDelayed) -> Result<(), Fault> {
        let (case_id, cycle, lacking, zone) = wire::delayed(delayed)?;
        self.owe(case_id, cycle, Word::Shortage(lacking), zone, event);
        Ok(())
    }

    fn task_answered(&mut self, event: &Delivered, answered: ProblemTaskAnswered) -> Result<(), Fault> {
        self.tasks.extend(wire::problem_task_answered(answered, event.occurred)?);
        Ok(())
    }

    fn task_refused(&mut self, event: &Delivered, refused: ProblemTaskRefused) -> Result<(), Fault> {
        self.tasks.push(wire::problem_task_refused(refused, event.occurred)?);
        Ok(())
    }

    fn owe(&mut self, case_id: CaseId, cycle: i32, word: Word, zone: String, event: &Delivered) {
        let traceparent = event.traceparent.clone();
        self.owed.push(Owed { case_id, cycle, word, zone, traceparent });
    }
}

impl Reactions {
    /// Keeps whom to write to, acknowledges, and writes what was put off.
    async fn meet(&self, tx: &mut Tx, contacts: Vec<Contact>, mut owed: Vec<Owed>) -> Result<(), Fault> {
        store::meet(tx, &contacts).await?;
        let cases: Vec<CaseId> = contacts.iter().map(|contact| contact.case_id).collect();
        owed.extend(store::take_up(tx, &cases).await?);
        let known = contacts.into_iter().map(|contact| (contact.case_id, contact)).collect();
        posting::post_owed(tx, &self.delivery, owed, &known).await
    }
}

fn acknowledgement(contact: &Contact) -> Owed {
    Owed {
        case_id: contact.case_id,
        cycle: 1,
        word: Word::Acknowledgement,
        zone: String::new(),
        traceparent: contact.traceparent.clone(),
    }
}
