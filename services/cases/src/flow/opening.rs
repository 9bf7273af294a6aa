//! Opens cases for complaints: what is read off their texts, how they are graded, what is
//! promised, what they are like. A constant number of statements, however many complaints.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use events::Delivered;
use fault::Fault;
use kernel::CaseId;
use pg::Tx;
use sameness::Keys;
use uuid::Uuid;

use super::classifiers::Classifiers;
use super::clocks::Begun;
use super::directories::LOOKUPS;
use super::rule_sets::RuleSets;
use super::{clocks, links, persist, reopening, triage_batch};
use crate::case::{CASES, Case, FEEDBACK, Occasion};
use crate::directory::Named;
use crate::reading::{HEAVY_BYTES, Reading};
use crate::store::early::{self, EarlyNotice};
use crate::store::{self, Opening};
use crate::timeline::{Contact, Fact};
use crate::triage_record::Triaged;
use crate::wire::inbound::Registered;

/// What complaints are read and triaged by.
#[derive(Clone)]
pub(crate) struct Known {
    /// The rules in use.
    pub(crate) rule_sets: Arc<RuleSets>,
    /// The classifiers in use.
    pub(crate) classifiers: Arc<Classifiers>,
}

/// Opens and triages the cases of complaints, those that are not open yet.
pub(crate) async fn open(
    tx: &mut Tx,
    known: &Known,
    batch: &[Delivered],
    registered: &[Registered],
) -> Result<(), Fault> {
    let ids: Vec<Uuid> = batch.iter().map(|event| event.subject).collect();
    let notices = early(tx, &ids).await?;
    let readings = read(tx, &known.classifiers, batch, registered).await?;
    let mut triaged = triage_batch::triage(tx, &known.rule_sets, batch, registered, &readings).await?;
    let mut openings = opened(tx, batch, registered, &triaged, notices);
    let begun = clocks::begin(tx, &mut openings).await?;
    let fresh = store::insert(tx, &openings).await?;
    // Told again: the first has opened it.
    let mut first = fresh.clone();
    openings.retain(|opening| first.remove(&opening.case.id.0));
    let mut first = fresh.clone();
    triaged.retain(|triaged| first.remove(&triaged.case));
    let mut first = fresh;
    let read = ids.into_iter().zip(&readings).filter(|(case, _)| first.remove(case));
    let read: Vec<(Uuid, &Reading)> = read.collect();
    keep(tx, batch, &openings, &triaged, &read).await?;
    look_up(tx, batch, registered, &openings).await?;
    let keys = batch.iter().zip(registered).map(|(event, one)| (CaseId(event.subject), one.keys.clone()));
    finish(tx, openings, begun, &keys.collect()).await
}

/// The notices that were settled before their cases were opened, by case.
async fn early(tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<CaseId, Vec<EarlyNotice>>, Fault> {
    early::hold_openings(tx, ids).await?;
    let mut notices: HashMap<CaseId, Vec<EarlyNotice>> = HashMap::new();
    for notice in early::take(tx, ids).await? {
        notices.entry(notice.case).or_default().push(notice);
    }
    Ok(notices)
}

/// Reads the texts of complaints.
async fn read(
    tx: &mut Tx,
    classifiers: &Classifiers,
    batch: &[Delivered],
    registered: &[Registered],
) -> Result<Vec<Reading>, Fault> {
    let Some(first) = batch.first() else { return Ok(Vec::new()) };
    let classifier = classifiers.active(tx, &first.tenant).await?;
    let is_heavy = registered.iter().map(Registered::bytes).sum::<usize>() > HEAVY_BYTES;
    let read = || registered.iter().map(|registered| registered.read(classifier.as_deref())).collect();
    Ok(server::aside(is_heavy, read))
}

/// The cases as they begin.
fn opened(
    tx: &Tx,
    batch: &[Delivered],
    registered: &[Registered],
    triaged: &[Triaged<'_>],
    mut notices: HashMap<CaseId, Vec<EarlyNotice>>,
) -> Vec<Opening> {
    let mut openings = Vec::with_capacity(batch.len());
    for ((event, registered), triaged) in batch.iter().zip(registered).zip(triaged) {
        let at = Occasion { now: tx.now(), actor: CASES, traceparent: &event.traceparent };
        let (origin, triage) = (registered.origin.clone(), triaged.verdict.triage.clone());
        let id = CaseId(event.subject);
        let mut case = match registered.history.clone() {
            None => Case::open(id, origin, triage, &at),
            Some(history) => Case::import(id, origin, triage, history, &at),
        };
        for fact in registered.conversation.facts() {
            case.note(&at, fact);
        }
        for notice in notices.remove(&case.id).unwrap_or_default() {
            hear_early(&mut case, notice, &at);
        }
        openings.push(Opening {
            case,
            description: registered.description.clone(),
            product: registered.product.clone(),
            receipt_hash: registered.receipt_hash.clone(),
            forwarded: registered.forwarded,
        });
    }
    openings
}

fn hear_early(case: &mut Case, notice: EarlyNotice, at: &Occasion<'_>) {
    let EarlyNotice { case: _, kind, cycle, failure, mail, traceparent } = notice;
    let at = Occasion { actor: FEEDBACK, traceparent: &traceparent, ..*at };
    case.note_in(cycle, &at, Fact::Contact(Contact::Notice { kind, failure, mail }));
}

/// Keeps what is known of new cases beside themselves.
async fn keep(
    tx: &mut Tx,
    batch: &[Delivered],
    openings: &[Opening],
    triaged: &[Triaged<'_>],
    read: &[(Uuid, &Reading)],
) -> Result<(), Fault> {
    // How they ended is not among what a case is opened with.
    let ended = |opening: &&Opening| opening.case.state.is_over();
    let mut ended: Vec<Case> = openings.iter().filter(ended).map(|opening| opening.case.clone()).collect();
    if !ended.is_empty() {
        reopening::set(tx, &mut ended).await?;
        store::save(tx, &ended).await?;
    }
    if let Some(event) = batch.first() {
        store::text::keep(tx, &event.tenant, openings).await?;
    }
    let now = tx.now();
    store::triage::record(tx, triaged, now).await?;
    store::readings::keep(tx, read).await
}

/// Has the tenant's directory asked about new cases, where it has one: later, and aside.
async fn look_up(
    tx: &mut Tx,
    batch: &[Delivered],
    registered: &[Registered],
    openings: &[Opening],
) -> Result<(), Fault> {
    let going_on = openings.iter().filter(|opening| !opening.case.state.is_over());
    let mut going_on: HashSet<CaseId> = going_on.map(|opening| opening.case.id).collect();
    let named = batch.iter().zip(registered).map(|(event, one)| (CaseId(event.subject), &one.named));
    let named: Vec<(CaseId, &Named)> =
        named.filter(|(case, named)| named.is_something() && going_on.remove(case)).collect();
    if named.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    store::directories::begin(tx, &named, now).await?;
    tx.notify(LOOKUPS);
    Ok(())
}

/// Publishes that cases were opened, and links them to those they are like.
async fn finish(
    tx: &mut Tx,
    openings: Vec<Opening>,
    begun: Begun,
    keys: &HashMap<CaseId, Keys>,
) -> Result<(), Fault> {
    let cases: Vec<Case> = openings.into_iter().map(|opening| opening.case).collect();
    persist::opened(tx, &cases, begun).await?;
    links::find(tx, &cases, keys).await
}
