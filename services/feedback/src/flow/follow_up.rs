//! Who is called back: who asks for it; once an outcome was told, by rule or by sample; later,
//! who was not satisfied.
//!
//! It happens in the transaction of its cause.

use std::collections::{HashMap, HashSet};
use std::slice;

use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use pg::Tx;

use crate::call_back::{Attempt, CallBack, Cause, Outcome as Called, Policy, RequestedCall, State, Wish};
use crate::flow::sampling::{self, Candidate};
use crate::flow::{after_outcome, posting};
use crate::notice::{Delivery, Missed, Owed, Planned, Word};
use crate::profile::Profile;
use crate::response::{Answer, Outcome, Verdict};
use crate::revision::{Revision, Subject};
use crate::sample::Draw;
use crate::store::ToldCycle;
use crate::{store, wire, working_hours};

/// The policy in force.
pub(crate) async fn policy(tx: &mut Tx) -> Result<Revision<Policy>, Fault> {
    let in_force = store::revisions_in_force(tx, Subject::CallBackPolicy).await?.pop();
    Ok(in_force.map_or_else(|| Revision::shipped(Policy::shipped()), |(_, revision)| revision))
}

/// Outcomes were told: calls back whom a rule names and, of the others, whom chance does.
pub(crate) async fn told(
    tx: &mut Tx,
    delivery: &Delivery,
    cycles: &[ToldCycle],
    profiles: &HashMap<CaseId, Profile>,
) -> Result<(), Fault> {
    let policy = policy(tx).await?;
    let told: Vec<CaseId> = cycles.iter().map(|cycle| cycle.case_id).collect();
    let unknown = out_of_reach(tx, &told).await?;
    let (mut wanted, mut others) = (Vec::new(), Vec::new());
    for cycle in cycles {
        let profile = profiles.get(&cycle.case_id).cloned().unwrap_or_default();
        if profile.standing.ends_call_backs() || unknown.contains(&cycle.case_id) {
            continue;
        }
        let causes = policy.content.causes(&profile);
        if causes.is_empty() {
            others.push((cycle, profile.channel));
        } else {
            wanted.push(due(tx, &policy, (cycle.case_id, cycle.cycle), &cycle.zone, causes));
        }
    }
    for (cycle, draw) in draw(tx, &policy.content, &others).await? {
        let key = (cycle.case_id, cycle.cycle);
        wanted.push(CallBack { draw: Some(draw), ..due(tx, &policy, key, &cycle.zone, vec![Cause::Sample]) });
    }
    open(tx, delivery, &policy, wanted).await
}

/// Complainants answered: calls back who disputed, or is not satisfied.
pub(crate) async fn answered(
    tx: &mut Tx,
    delivery: &Delivery,
    answers: &[(CaseId, i32, &Answer)],
) -> Result<(), Fault> {
    let asked = after_outcome::questionnaire(tx).await?.content;
    let cause = |answer: &Answer| {
        let disputed = answer.verdict == Verdict::Disputed;
        let low = asked.is_low(answer.satisfaction).then_some(Cause::LowScore);
        if disputed { Some(Cause::Dispute) } else { low }
    };
    let caused = answers.iter().filter_map(|(case, cycle, answer)| Some(((*case, *cycle), cause(answer)?)));
    dissatisfied(tx, delivery, &caused.collect::<Vec<_>>()).await
}

/// A survey was answered with a low score.
pub(crate) async fn low_score(
    tx: &mut Tx,
    delivery: &Delivery,
    case: CaseId,
    cycle: i32,
) -> Result<(), Fault> {
    dissatisfied(tx, delivery, &[((case, cycle), Cause::LowScore)]).await
}

async fn dissatisfied(
    tx: &mut Tx,
    delivery: &Delivery,
    caused: &[((CaseId, i32), Cause)],
) -> Result<(), Fault> {
    if caused.is_empty() {
        return Ok(());
    }
    let policy = policy(tx).await?;
    if !policy.content.dissatisfied {
        return Ok(());
    }
    let cycles: Vec<(CaseId, i32)> = caused.iter().map(|(key, _)| *key).collect();
    let zones = store::zones(tx, &cycles).await?;
    let zone = |key: &(CaseId, i32)| zones.get(key).map_or("", String::as_str);
    let wanted = caused.iter().map(|(key, cause)| due(tx, &policy, *key, zone(key), vec![*cause])).collect();
    open(tx, delivery, &policy, wanted).await
}

/// Callers whom nobody took, or who asked for it in a voice menu: their cases are open, each
/// with its cycle, zone and trace.
pub(crate) async fn requested(
    tx: &mut Tx,
    delivery: &Delivery,
    calls: &[RequestedCall],
) -> Result<(), Fault> {
    let policy = policy(tx).await?;
    let call_back = |call: &RequestedCall| {
        due(tx, &policy, (call.case_id, call.cycle), &call.zone, vec![Cause::Requested])
    };
    let wanted: Vec<CallBack> = calls.iter().map(call_back).collect();
    let traces = calls.iter().map(|call| (call.case_id, call.traceparent.clone())).collect();
    open_in(tx, delivery, &policy, wanted, &traces).await
}

/// Somebody asked that the complainant be called; answers the call-back that is due for it.
pub(crate) async fn asked_for(
    tx: &mut Tx,
    delivery: &Delivery,
    (case_id, cycle): (CaseId, i32),
    zone: &str,
    wish: Wish,
    by: Option<Timestamp>,
) -> Result<CallBack, Fault> {
    let policy = policy(tx).await?;
    let usual = due(tx, &policy, (case_id, cycle), zone, vec![Cause::Requested]);
    let wanted = CallBack { wish, due: by.or(usual.due), ..usual };
    open(tx, delivery, &policy, vec![wanted.clone()]).await?;
    let id = store::wish_for_call_back(tx, &wanted).await?;
    let id = id.ok_or_else(|| Fault::internal("the call-back that was asked for is not due"))?;
    let due = store::call_back(tx, id).await?.ok_or_else(|| Fault::internal("the call-back is not there"))?;
    // One that was due before may be due at another time now.
    let traceparent = tx.traceparent().to_owned();
    announce(tx, delivery, &policy.content, slice::from_ref(&due), &|_| traceparent.clone()).await?;
    Ok(due)
}

/// A call-back that is due within the policy's time.
fn due(
    tx: &Tx,
    policy: &Revision<Policy>,
    (case_id, cycle): (CaseId, i32),
    zone: &str,
    causes: Vec<Cause>,
) -> CallBack {
    let zone = working_hours::known(zone).to_owned();
    CallBack {
        id: tx.new_id(),
        case_id,
        cycle,
        state: State::Due,
        causes,
        policy: policy.version,
        draw: None,
        due: Some(working_hours::after(&zone, tx.now(), policy.content.within_working_hours)),
        zone,
        created: tx.now(),
        ended: None,
        wish: Wish::default(),
        attempts: Vec::new(),
    }
}

async fn open(
    tx: &mut Tx,
    delivery: &Delivery,
    policy: &Revision<Policy>,
    wanted: Vec<CallBack>,
) -> Result<(), Fault> {
    if wanted.is_empty() {
        return Ok(());
    }
    let cases: Vec<CaseId> = wanted.iter().map(|call_back| call_back.case_id).collect();
    let contacts = store::contacts(tx, &cases).await?;
    let traces = contacts.into_iter().map(|(case, contact)| (case, contact.traceparent)).collect();
    open_in(tx, delivery, policy, wanted, &traces).await
}

/// Of these cases, those whose complainant nobody can call: they are anonymous, and neither a
/// number nor an address is known.
async fn out_of_reach(tx: &mut Tx, cases: &[CaseId]) -> Result<HashSet<CaseId>, Fault> {
    let contacts = store::contacts(tx, cases).await?;
    let anonymous: Vec<CaseId> =
        contacts.iter().filter(|(_, contact)| contact.is_unknown()).map(|(case, _)| *case).collect();
    if anonymous.is_empty() {
        return Ok(HashSet::new());
    }
    let (profiles, now) = (store::profiles(tx, &anonymous).await?, tx.now());
    let has_number = |case: &CaseId| {
        profiles.get(case).is_some_and(|profile| Wish::default().dialled(profile, now).kind.is_some())
    };
    Ok(anonymous.into_iter().filter(|case| !has_number(case)).collect())
}

async fn open_in(
    tx: &mut Tx,
    delivery: &Delivery,
    policy: &Revision<Policy>,
    mut wanted: Vec<CallBack>,
    traces: &HashMap<CaseId, String>,
) -> Result<(), Fault> {
    let cases: Vec<CaseId> = wanted.iter().map(|call_back| call_back.case_id).collect();
    let unknown = out_of_reach(tx, &cases).await?;
    wanted.retain(|one| !one.wish.phone.is_empty() || !unknown.contains(&one.case_id));
    if wanted.is_empty() {
        return Ok(());
    }
    let kept: HashSet<_> = store::open_call_backs(tx, &wanted).await?.into_iter().collect();
    wanted.retain(|call_back| kept.contains(&call_back.id));
    // A batch serves many: each is told of in the trace of its complaint.
    let trace = |case: CaseId| traces.get(&case).cloned().unwrap_or_default();
    for call_back in &wanted {
        tx.emit_in(trace(call_back.case_id), call_back.case_id.0, &wire::opened(call_back));
    }
    announce(tx, delivery, &policy.content, &wanted, &trace).await
}

/// Tells those who are to be called, and of whom a number is known, when they are: the same
/// promise once.
async fn announce(
    tx: &mut Tx,
    delivery: &Delivery,
    policy: &Policy,
    call_backs: &[CallBack],
    trace: &(dyn Fn(CaseId) -> String + Sync),
) -> Result<(), Fault> {
    if !policy.announced || call_backs.is_empty() {
        return Ok(());
    }
    let cases: Vec<CaseId> = call_backs.iter().map(|call_back| call_back.case_id).collect();
    let (profiles, now) = (store::profiles(tx, &cases).await?, tx.now());
    let owed = call_backs.iter().filter_map(|call_back| {
        call_back.wish.dialled(profiles.get(&call_back.case_id)?, now).kind?;
        let until = call_back.due?;
        let from = call_back.wish.not_before.filter(|from| *from > now);
        let word = Word::CallBackPlanned(Planned { number: minute(until), from, until });
        Some(owed(call_back, word, trace(call_back.case_id)))
    });
    let owed = owed.collect();
    posting::write(tx, delivery, owed).await
}

/// Tells somebody that they were called and not reached, and what they can do.
pub(crate) async fn missed(
    tx: &mut Tx,
    delivery: &Delivery,
    policy: &Policy,
    call_back: &CallBack,
    attempt: &Attempt,
) -> Result<(), Fault> {
    if !policy.announced || attempt.outcome != Called::NotReached {
        return Ok(());
    }
    let missed = Missed { number: minute(attempt.at), tried: attempt.at, again: call_back.due };
    let traceparent = tx.traceparent().to_owned();
    posting::write(tx, delivery, vec![owed(call_back, Word::CallBackMissed(missed), traceparent)]).await
}

fn owed(call_back: &CallBack, word: Word, traceparent: String) -> Owed {
    let &CallBack { case_id, cycle, ref zone, .. } = call_back;
    Owed { case_id, cycle, word, zone: zone.clone(), traceparent }
}

/// What tells promises and attempts of one cycle apart: nobody is called twice in a minute.
pub(crate) fn minute(time: Timestamp) -> i32 {
    i32::try_from(time.as_second() / 60).unwrap_or(i32::MAX)
}

/// Draws the sample among complainants, in the order they are given; answers who is drawn,
/// and how.
async fn draw<'c>(
    tx: &mut Tx,
    policy: &Policy,
    cycles: &[(&'c ToldCycle, i16)],
) -> Result<Vec<(&'c ToldCycle, Draw)>, Fault> {
    let now = tx.now();
    let candidate = |(cycle, channel): &(&'c ToldCycle, i16)| Candidate {
        case_id: cycle.case_id,
        month: sampling::month(now, &cycle.zone),
        stratum: stratum(*channel, cycle.outcome),
    };
    let candidates = cycles.iter().map(candidate).collect();
    let draws = sampling::draw(tx, &policy.seed, policy.sample_percent, candidates).await?;
    let chosen = cycles.iter().zip(draws).filter(|(_, draw)| draw.is_drawn());
    Ok(chosen.map(|((cycle, _), draw)| (*cycle, draw)).collect())
}

fn stratum(channel: i16, outcome: Outcome) -> String {
    format!("{channel}/{}", outcome.number())
}
