//! Who is called back: once an outcome was told, by rule or by sample; later, who was not
//! satisfied.
//!
//! It happens in the transaction of its cause. The samples of a month and stratum are drawn
//! one after the other: who draws holds how far they are.

use std::collections::{HashMap, HashSet};

use fault::Fault;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::CaseId;
use pg::Tx;

use crate::call_back::{CallBack, Cause, Policy, State};
use crate::flow::told;
use crate::profile::Profile;
use crate::response::{Answer, Outcome, Verdict};
use crate::revision::{Revision, Subject};
use crate::sample::{Draw, ticket};
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
    cycles: &[ToldCycle],
    profiles: &HashMap<CaseId, Profile>,
) -> Result<(), Fault> {
    let policy = policy(tx).await?;
    let (mut wanted, mut others) = (Vec::new(), Vec::new());
    for cycle in cycles {
        let profile = profiles.get(&cycle.case_id).cloned().unwrap_or_default();
        if profile.standing.ends_call_backs() {
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
    open(tx, wanted).await
}

/// Complainants answered: calls back who disputed, or is not satisfied.
pub(crate) async fn answered(tx: &mut Tx, answers: &[(CaseId, i32, &Answer)]) -> Result<(), Fault> {
    let asked = told::questionnaire(tx).await?.content;
    let cause = |answer: &Answer| {
        let disputed = answer.verdict == Verdict::Disputed;
        let low = asked.is_low(answer.satisfaction).then_some(Cause::LowScore);
        if disputed { Some(Cause::Dispute) } else { low }
    };
    let caused = answers.iter().filter_map(|(case, cycle, answer)| Some(((*case, *cycle), cause(answer)?)));
    dissatisfied(tx, &caused.collect::<Vec<_>>()).await
}

/// A survey was answered with a low score.
pub(crate) async fn low_score(tx: &mut Tx, case: CaseId, cycle: i32) -> Result<(), Fault> {
    dissatisfied(tx, &[((case, cycle), Cause::LowScore)]).await
}

async fn dissatisfied(tx: &mut Tx, caused: &[((CaseId, i32), Cause)]) -> Result<(), Fault> {
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
    open(tx, wanted).await
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
        attempts: Vec::new(),
    }
}

async fn open(tx: &mut Tx, wanted: Vec<CallBack>) -> Result<(), Fault> {
    if wanted.is_empty() {
        return Ok(());
    }
    let kept: HashSet<_> = store::open_call_backs(tx, &wanted).await?.into_iter().collect();
    let cases: Vec<CaseId> = wanted.iter().map(|call_back| call_back.case_id).collect();
    let contacts = store::contacts(tx, &cases).await?;
    for call_back in wanted.iter().filter(|call_back| kept.contains(&call_back.id)) {
        // A batch serves many: each is told of in the trace of its complaint.
        let traceparent = contacts.get(&call_back.case_id).map(|contact| contact.traceparent.clone());
        tx.emit_in(traceparent.unwrap_or_default(), call_back.case_id.0, &wire::opened(call_back));
    }
    Ok(())
}

/// Draws the sample among complainants, in the order they are given; answers who is drawn,
/// and how.
async fn draw<'c>(
    tx: &mut Tx,
    policy: &Policy,
    cycles: &[(&'c ToldCycle, i16)],
) -> Result<Vec<(&'c ToldCycle, Draw)>, Fault> {
    if cycles.is_empty() {
        return Ok(Vec::new());
    }
    let now = tx.now();
    let keys: Vec<(String, String)> = cycles
        .iter()
        .map(|(cycle, channel)| (month(now, &cycle.zone), stratum(*channel, cycle.outcome)))
        .collect();
    let mut strata = store::hold_strata(tx, &keys).await?;
    let mut drawn = Vec::new();
    for ((cycle, _), key) in cycles.iter().zip(keys) {
        let (owed_before, drawn_before) = strata.get(&key).copied().unwrap_or_default();
        let (month, stratum) = key.clone();
        let ticket = ticket(&policy.seed, cycle.case_id);
        let percent = policy.sample_percent;
        let draw = Draw { month, stratum, owed_before, drawn_before, ticket, percent };
        let is_drawn = draw.is_drawn();
        strata.insert(key, (owed_before + i64::from(percent), drawn_before + i64::from(is_drawn)));
        if is_drawn {
            drawn.push((*cycle, draw));
        }
    }
    store::save_strata(tx, &strata).await?;
    Ok(drawn)
}

/// The month it is in a zone.
fn month(now: Timestamp, zone: &str) -> String {
    let zone = calendar::zones::get(working_hours::known(zone)).unwrap_or(TimeZone::UTC);
    now.to_zoned(zone).strftime("%Y-%m").to_string()
}

fn stratum(channel: i16, outcome: Outcome) -> String {
    format!("{channel}/{}", outcome.number())
}
