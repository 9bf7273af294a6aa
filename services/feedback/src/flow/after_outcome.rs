//! What follows once the outcome of a cycle was told: its survey is open. And what ends
//! that again.
//!
//! It happens in the transaction that writes the evidence of the delivery, once per cycle:
//! nobody has to remember it, and no crash loses it.

use std::collections::HashMap;

use fault::Fault;
use kernel::{CaseId, NoticeId};
use pg::Tx;

use crate::flow::{follow_up, posting};
use crate::notice::{Closing, Contact, Delivery, Dispatch, Kind, Notice, Owed, State, Word};
use crate::profile::{Profile, Progress};
use crate::revision::{Revision, Subject};
use crate::store;
use crate::store::{AwaitedCycle, ToldCycle};
use crate::survey::{Invitation, Questionnaire, Reply, State as SurveyState, Survey, SurveyEligibility};

/// Takes in which notices were delivered: of those that told an outcome, what follows.
pub(crate) async fn outcomes(tx: &mut Tx, delivery: &Delivery, ended: &[&Notice]) -> Result<(), Fault> {
    let is_told = |notice: &&&Notice| notice.kind == Kind::Outcome && notice.state == State::Delivered;
    let told: Vec<&Notice> = ended.iter().filter(is_told).copied().collect();
    if told.is_empty() {
        return Ok(());
    }
    let cycles: Vec<(CaseId, i32)> = told.iter().map(|notice| (notice.case_id, notice.cycle)).collect();
    tell_closing(tx, delivery, &cycles, &told).await?;
    let now = tx.now();
    let fresh = store::mark_told(tx, &cycles, now).await?;
    if fresh.is_empty() {
        return Ok(());
    }
    let cases: Vec<CaseId> = fresh.iter().map(|cycle| cycle.case_id).collect();
    let profiles = store::hold_profiles(tx, &cases).await?;
    let contacts = store::contacts(tx, &cases).await?;
    follow_up::told(tx, delivery, &fresh, &profiles).await?;
    let traces = told.iter().map(|notice| (notice.case_id, notice.traceparent.as_str())).collect();
    open_surveys(tx, delivery, &fresh, &profiles, &contacts, &traces).await
}

/// Has those told be told again before the time to answer ends, if they do not: once per
/// outcome. The worker looks whether they have, as it sends it. Nobody who is not reached
/// need be told by a person: the outcome has told it.
async fn tell_closing(
    tx: &mut Tx,
    delivery: &Delivery,
    cycles: &[(CaseId, i32)],
    told: &[&Notice],
) -> Result<(), Fault> {
    let now = tx.now();
    let routing = posting::routing(tx).await?;
    let awaited = store::awaited_cycles(tx, cycles, now).await?;
    let owed = awaited.into_iter().filter_map(|one| Some((routing.closing_soon(one.until, now)?, one)));
    let owed: Vec<_> = owed.collect();
    if owed.is_empty() {
        return Ok(());
    }
    let letters = posting::letters(tx).await?;
    let dispatch = Dispatch { delivery, letters: &letters, routing: &routing };
    let contacts = store::contacts(tx, &owed.iter().map(|(_, one)| one.case_id).collect::<Vec<_>>()).await?;
    let mut notices = Vec::new();
    for (send, AwaitedCycle { case_id, cycle, until, correction, zone }) in owed {
        let Some(contact) = contacts.get(&case_id) else { continue };
        let traceparent = told.iter().find(|notice| notice.case_id == case_id);
        let traceparent = traceparent.map(|notice| notice.traceparent.clone()).unwrap_or_default();
        let word = Word::ClosingSoon(Closing { number: correction, until });
        let owed = Owed { case_id, cycle, word, zone: zone.clone(), traceparent };
        let notice = Notice::new(NoticeId(tx.new_id()), owed, contact, dispatch, now);
        if notice.state == State::Pending {
            notices.push((notice.at(send), zone));
        }
    }
    posting::post(tx, notices).await
}

/// The questionnaire in force.
pub(crate) async fn questionnaire(tx: &mut Tx) -> Result<Revision<Questionnaire>, Fault> {
    let in_force = store::revisions_in_force(tx, Subject::Questionnaire).await?.pop();
    Ok(in_force.map_or_else(|| Revision::shipped(Questionnaire::shipped()), |(_, revision)| revision))
}

/// Opens the survey of each cycle, unless nobody is to be asked, and posts its mails.
async fn open_surveys(
    tx: &mut Tx,
    delivery: &Delivery,
    told: &[ToldCycle],
    profiles: &HashMap<CaseId, Profile>,
    contacts: &HashMap<CaseId, Contact>,
    traces: &HashMap<CaseId, &str>,
) -> Result<(), Fault> {
    let asked = questionnaire(tx).await?;
    let (letters, routing) = (posting::letters(tx).await?, posting::routing(tx).await?);
    let dispatch = Dispatch { delivery, letters: &letters, routing: &routing };
    let (mut surveys, mut notices) = (Vec::new(), Vec::new());
    for cycle in told {
        let ended = profiles.get(&cycle.case_id).and_then(|profile| profile.standing.cancels());
        let contact = contacts.get(&cycle.case_id).filter(|_| ended.is_none());
        let Some(contact) = contact else { continue };
        let Some(wording) = asked.content.wording(&contact.language) else { continue };
        let times = asked.content.times(tx.now());
        surveys.push(Survey {
            id: tx.new_id(),
            case_id: cycle.case_id,
            cycle: cycle.cycle,
            questionnaire: asked.version,
            language: contact.language.clone(),
            state: SurveyState::Open,
            cancel_reason: String::new(),
            reply: Reply::default(),
            created: tx.now(),
            expires: times.expire,
            ended: None,
        });
        let mails = [Some((false, times.send)), times.remind.map(|remind| (true, remind))];
        for (reminder, send) in mails.into_iter().flatten() {
            let word = Word::Survey(Invitation { reminder, until: times.expire, wording: wording.clone() });
            let traceparent = traces.get(&cycle.case_id).copied().unwrap_or_default().to_owned();
            let (case_id, zone) = (cycle.case_id, cycle.zone.clone());
            let owed = Owed { case_id, cycle: cycle.cycle, word, zone, traceparent };
            let notice = Notice::new(NoticeId(tx.new_id()), owed, contact, dispatch, tx.now());
            notices.push((notice.at(send), cycle.zone.clone()));
        }
    }
    if surveys.is_empty() {
        return Ok(());
    }
    store::open_surveys(tx, &surveys).await?;
    posting::post(tx, notices).await
}

/// Cancels what nobody is to be asked any more.
pub(crate) async fn end(tx: &mut Tx, progress: &[(CaseId, Progress)]) -> Result<(), Fault> {
    let ended = |(case, progress): &(CaseId, Progress)| Some((*case, progress.standing?.cancels()?));
    let ended: Vec<(CaseId, &'static str)> = progress.iter().filter_map(ended).collect();
    if ended.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let cases = |is_over: fn(SurveyEligibility) -> bool| -> Vec<CaseId> {
        let is_over = |(_, progress): &&(CaseId, Progress)| progress.standing.is_some_and(is_over);
        progress.iter().filter(is_over).map(|(case, _)| *case).collect()
    };
    let (over, unwanted) =
        (cases(SurveyEligibility::ends_call_backs), cases(SurveyEligibility::ends_requested_call_backs));
    store::cancel_call_backs(tx, &over, &unwanted, now).await?;
    let cycles = store::cancel_surveys(tx, &ended, now).await?;
    give_up(tx, &cycles).await
}

/// Gives up the mails of surveys that have ended. Nobody is told: to the complainant it
/// is nothing that they were owed.
pub(crate) async fn give_up(tx: &mut Tx, cycles: &[(CaseId, i32)]) -> Result<(), Fault> {
    if cycles.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    store::end_survey_notices(tx, cycles, now).await
}
