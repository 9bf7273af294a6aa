//! What this service does about what happens elsewhere.
//!
//! A batch is read into lists first and then applied with a few statements,
//! however mixed it is. That keeps the order that matters: a case's cycles only
//! grow, and what ends a cycle is told after its outcome and names it, so opening
//! all cycles told of and then ending those that are over is the same as one by
//! one.
//!
//! The feeds of intake and cases are not in step. A notice owed before it is known
//! whom to write to is put off, and written when the registration arrives.

use std::collections::{BTreeMap, HashMap};

use events::{Delivered, Follow, Reactor};
use fault::Fault;
use futures::future::BoxFuture;
use kernel::{CaseId, NoticeId};
use pg::Tx;
use proto::redress::cases::v1::{
    CaseClosed, CaseDeclined, CaseReopened, CaseResolved, CaseWithdrawn, DecisionCorrected, ExtensionGranted,
    HoldingReplySent,
};
use proto::redress::intake::v1::ComplaintRegistered;

use crate::address::{normal, send_at};
use crate::flow::deliver;
use crate::notice::{Contact, Kind, Notice, Owed, Road, State, Word};
use crate::response::{Cycle, Over};
use crate::store;
use crate::wire;

/// Applies events of intake and cases.
pub(crate) struct Reactions {
    /// How notices leave.
    pub(crate) road: Road,
}

events::inbound! {
    /// Takes an event into a batch.
    fn take(batch: &mut Batch) {
        intake {
            ComplaintRegistered => Batch::registered,
        }
        cases {
            CaseResolved => Batch::resolved,
            CaseReopened => Batch::reopened,
            DecisionCorrected => Batch::corrected,
            CaseClosed => Batch::closed,
            CaseWithdrawn => Batch::withdrawn,
            CaseDeclined => Batch::declined,
            ExtensionGranted => Batch::extended,
            HoldingReplySent => Batch::held,
        }
    }
}

impl Reactor for Reactions {
    fn consumer(&self) -> &'static str {
        "feedback"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let Batch { registered, acknowledged, resolved, over, ended, owed } = Batch::read(batch)?;
            if !registered.is_empty() {
                self.meet(tx, registered, acknowledged).await?;
            }
            if !owed.is_empty() {
                self.write(tx, owed).await?;
            }
            if !resolved.is_empty() {
                store::open_cycles(tx, &resolved).await?;
            }
            if !over.is_empty() {
                store::close_cycles(tx, &over).await?;
            }
            if !ended.is_empty() {
                let now = tx.now();
                store::dismiss(tx, &ended, now).await?;
            }
            Ok(())
        })
    }
}

/// A batch, sorted by what it asks for.
#[derive(Default)]
struct Batch {
    /// Whom to write to about new complaints.
    registered: Vec<Contact>,
    /// The acknowledgements owed for them.
    acknowledged: Vec<Owed>,
    /// Cycles that await their answer from now on.
    resolved: Vec<Cycle>,
    /// Cycles that await none any more.
    over: Vec<Over>,
    /// Cases about which nobody need be told any more.
    ended: Vec<CaseId>,
    /// What is owed to those who are known already.
    owed: Vec<Owed>,
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

    /// A complaint was registered: it is known whom to write to, and an acknowledgement
    /// is owed.
    fn registered(&mut self, event: &Delivered, registered: ComplaintRegistered) -> Result<(), Fault> {
        let ended = wire::is_history(&registered);
        let contact = wire::contact(registered, &event.traceparent)?;
        // What ended before it came here is acknowledged to nobody.
        self.acknowledged.extend((!ended).then(|| acknowledgement(&contact)));
        self.registered.push(contact);
        Ok(())
    }

    /// An outcome took effect: it is told, and its cycle awaits an answer.
    fn resolved(&mut self, event: &Delivered, resolved: CaseResolved) -> Result<(), Fault> {
        let (case_id, cycle, ruling, zone) = wire::resolved(resolved)?;
        self.resolved.push(Cycle::opened(case_id, cycle, &ruling));
        self.owe(case_id, cycle, Word::Outcome(ruling), zone, event);
        Ok(())
    }

    /// The cycles before take no answer any more.
    fn reopened(&mut self, _: &Delivered, reopened: CaseReopened) -> Result<(), Fault> {
        self.over.push(wire::reopened(&reopened)?);
        Ok(())
    }

    fn withdrawn(&mut self, _: &Delivered, withdrawn: CaseWithdrawn) -> Result<(), Fault> {
        self.ended(wire::withdrawn(&withdrawn)?);
        Ok(())
    }

    fn declined(&mut self, _: &Delivered, declined: CaseDeclined) -> Result<(), Fault> {
        self.ended(wire::declined(&declined)?);
        Ok(())
    }

    fn ended(&mut self, over: Over) {
        self.ended.push(over.case_id);
        self.over.push(over);
    }

    /// An outcome is no more what it was; where another takes effect, that opens it anew.
    fn corrected(&mut self, _: &Delivered, corrected: DecisionCorrected) -> Result<(), Fault> {
        if corrected.remedy_due {
            self.over.push(wire::superseded(&corrected)?);
        }
        Ok(())
    }

    /// A case was closed; after its last dispute, with word of where else to turn. One
    /// that staff have closed may still be answered within the time promised for it.
    fn closed(&mut self, event: &Delivered, closed: CaseClosed) -> Result<(), Fault> {
        let over = wire::closed(&closed)?;
        if wire::needs_recourse(&closed) {
            self.owe(over.case_id, over.cycle, Word::Recourse, String::new(), event);
        }
        if !wire::may_still_be_answered(&closed) {
            self.over.push(over);
        }
        Ok(())
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
        self.post(tx, owed, &known).await
    }

    /// Writes what is owed to those who are known, and puts the rest off.
    async fn write(&self, tx: &mut Tx, owed: Vec<Owed>) -> Result<(), Fault> {
        let cases: Vec<CaseId> = owed.iter().map(|owed| owed.case_id).collect();
        let mut known = store::contacts(tx, &cases).await?;
        if cases.iter().any(|case| !known.contains_key(case)) {
            // A registration may be on its way into the table: wait for it, and keep
            // others out until what is put off is there for them to find.
            store::hold_contacts(tx).await?;
            known = store::contacts(tx, &cases).await?;
        }
        let (owed, put_off): (Vec<_>, Vec<_>) =
            owed.into_iter().partition(|owed| known.contains_key(&owed.case_id));
        if !put_off.is_empty() {
            store::put_off(tx, &put_off).await?;
        }
        self.post(tx, owed, &known).await
    }

    /// Makes notices of what is owed; tells of those that can go nowhere, and
    /// wakes the worker for those that can.
    async fn post(
        &self,
        tx: &mut Tx,
        owed: Vec<Owed>,
        known: &HashMap<CaseId, Contact>,
    ) -> Result<(), Fault> {
        let mut notices = Vec::with_capacity(owed.len());
        for owed in owed {
            if let Some(contact) = known.get(&owed.case_id) {
                notices.push(Notice::new(NoticeId(tx.new_id()), owed, contact, &self.road, tx.now()));
            }
        }
        put_apart(tx, &mut notices).await?;
        let lane = tx.lane();
        let fresh = store::post(tx, &notices, lane).await?;
        for notice in notices.iter().filter(|notice| fresh.contains(&notice.id)) {
            if notice.state == State::Pending {
                tx.notify(deliver::TOPIC);
            } else {
                tx.emit_in(notice.traceparent.clone(), notice.case_id.0, &wire::settled(notice));
            }
        }
        Ok(())
    }
}

/// Lets acknowledgements wait whose address was sent many of late: a program that
/// answers each with another complaint is answered ever more slowly, and whoever has
/// much to complain of is told all the same. Counted in the database, hence for all
/// replicas together.
async fn put_apart(tx: &mut Tx, notices: &mut [Notice]) -> Result<(), Fault> {
    let is_counted = |notice: &Notice| notice.kind == Kind::Acknowledgement && notice.state == State::Pending;
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    for notice in notices.iter().filter(|notice| is_counted(notice)) {
        *counts.entry(normal(&notice.recipient)).or_default() += 1;
    }
    if counts.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let free_at = store::reserve(tx, &counts, now).await?;
    let mut sent: HashMap<String, i32> = HashMap::new();
    for notice in notices.iter_mut().filter(|notice| is_counted(notice)) {
        let address = normal(&notice.recipient);
        if let Some(free_at) = free_at.get(&address) {
            let nth = sent.entry(address).or_default();
            notice.due = Some(send_at(*free_at, *nth, now));
            *nth += 1;
        }
    }
    Ok(())
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
