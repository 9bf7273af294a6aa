//! What events add to the facts.
#![expect(clippy::needless_pass_by_value, reason = "handlers are given the payload")]

mod tasks;

use events::Delivered;
use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::time::micros;
use kernel::{CaseId, Money};
use proto::google::r#type::Money as WireMoney;
use proto::redress::assignment::v1 as assignment;
use proto::redress::cases::v1 as cases;
use proto::redress::feedback::v1 as wire;
use proto::redress::intake::v1 as intake;
use sha2::{Digest as _, Sha256};

use super::INVALID_EVENT;
use crate::fact::{
    CallBackFact, CaseFact, CycleFact, Ending, EndingFact, Facts, Filing, OutcomeFact, PauseFact, Ranked,
    ScoreFact, TellingFact, TellingKey,
};
use crate::notice::Kind;
use crate::response::MAX_SCORE;

/// Rank of a score that came with the answer to the outcome.
const WITH_RESPONSE: i64 = 1;
/// Rank of a score that came with the survey: it holds.
const WITH_SURVEY: i64 = 2;

pub(crate) use tasks::{count_overdue, count_task, count_written_off};

type Taken = Result<(), Fault>;

fn id<T: From<uuid::Uuid>>(field: &str, text: &str) -> Result<T, Fault> {
    let mut check = Check::new();
    let id = check.id(field, text);
    check.done(INVALID_EVENT)?;
    Ok(id)
}

fn at(event: &Delivered) -> Timestamp {
    micros(event.occurred)
}

fn time(field: &str, time: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>, Fault> {
    let mut check = Check::new();
    let time = check.time(field, time);
    check.done(INVALID_EVENT)?;
    Ok(time)
}

fn sum(field: &str, sum: Option<WireMoney>) -> Result<Option<Money>, Fault> {
    let mut check = Check::new();
    let sum = check.money(field, sum);
    check.done(INVALID_EVENT)?;
    Ok(sum)
}

fn small(number: i32) -> i16 {
    i16::try_from(number).unwrap_or(0)
}

fn ranked<T>(event: &Delivered, value: T) -> Ranked<T> {
    Ranked::new(value, event.position)
}

/// A complaint was registered: who complains of what, from where, by which road.
pub(crate) fn count_registered(
    facts: &mut Facts,
    event: &Delivered,
    registered: intake::ComplaintRegistered,
) -> Taken {
    let mut complaint = registered.complaint.unwrap_or_default();
    let case = id("complaint_id", &complaint.complaint_id)?;
    let complainant = complaint.complainant.take().unwrap_or_default();
    let received = time("receive_time", complaint.receive_time)?;
    let registered = time("register_time", complaint.register_time)?;
    let filing = Some(filing(&complaint, &complainant)?);
    let complete = is_complete(&complaint, &complainant);
    let recorder = Some(std::mem::take(&mut complaint.recorder)).filter(|name| !name.is_empty());
    let remedy = complaint.remedy_sought.take().unwrap_or_default();
    let sought = sum("remedy_sought.amount", remedy.amount)?;
    let hint = complaint.category_hint.trim();
    let mut fact = CaseFact {
        received: received.or(registered).or(Some(at(event))),
        channel: Some(small(complaint.channel)),
        region: Some(complainant.region.trim().to_owned()),
        product: Some(complaint.respondent.unwrap_or_default().product.trim().to_owned()),
        complainant: complainant_key(&complainant),
        history: Some(complaint.history.is_some()),
        filing,
        sought,
        recorder,
        complete,
        category: (!hint.is_empty()).then(|| Ranked::new(hint.to_owned(), 0)),
        ..CaseFact::default()
    };
    if let Some(history) = complaint.history {
        let closed = time("close_time", history.close_time)?;
        fact.ended = closed.map(|closed| Ranked::new(Some((closed, Ending::Closed)), 0));
        if let Some(at) = closed {
            facts.past.ending(case, 0, EndingFact { at, ending: Some(Ending::Closed) });
        }
        fact.resolved = time("resolve_time", history.resolve_time)?;
        let outcome = (history.outcome != 0).then(|| Ranked::new(small(history.outcome), 0));
        facts.cycle(case, 1, CycleFact { resolved: fact.resolved, outcome, ..CycleFact::default() });
    }
    facts.case(case, fact);
    Ok(())
}

/// Whether a complaint can be worked on as it was recorded: its complainant can be reached,
/// and it says what it is about, as its form asks or by product, order or account. None of
/// complainants who want to stay unknown, and of what had ended before it was brought here.
fn is_complete(complaint: &intake::Complaint, complainant: &intake::Complainant) -> Option<bool> {
    let is_unknown = *complainant == intake::Complainant::default();
    if is_unknown || complaint.history.is_some() {
        return None;
    }
    let is_told = |text: &String| !text.trim().is_empty();
    let reached = [&complainant.email, &complainant.phone].into_iter().any(is_told);
    let about = match (complaint.completeness, &complaint.respondent) {
        (Some(filled), _) => filled == 100,
        (None, Some(about)) => {
            [&about.product, &about.order_ref, &about.account_ref].into_iter().any(is_told)
        }
        (None, None) => false,
    };
    Some(reached && about)
}

/// What regulators ask for. Of what was told of the complainant it has whether, not what.
fn filing(complaint: &intake::Complaint, complainant: &intake::Complainant) -> Result<Filing, Fault> {
    let about = complaint.respondent.as_ref();
    let regulator = match &complaint.channel_detail {
        Some(intake::complaint::ChannelDetail::Regulator(regulator)) => Some(regulator),
        _ => None,
    };
    let numbers =
        regulator.map(|regulator| &regulator.reference).into_iter().chain([&complaint.external_ref]);
    let outside_id = numbers.map(|number| number.trim()).find(|number| is_plain_number(number));
    let care: Vec<String> = complainant.vulnerabilities.iter().map(|told| told.to_lowercase()).collect();
    let tells = |words: &[&str]| care.iter().any(|told| words.iter().any(|word| told.contains(word)));
    Ok(Filing {
        organisation: about.map(|about| about.organisation.trim().to_owned()).unwrap_or_default(),
        branch: about.map(|about| about.branch.trim().to_owned()).unwrap_or_default(),
        is_report: complaint.matter() == intake::Matter::Report,
        vulnerable: care.iter().any(|told| !told.trim().is_empty()),
        older: tells(&["elder", "older", "老年"]),
        servicemember: tells(&["servicemember", "service member", "military", "军人"]),
        outside_id: outside_id.unwrap_or_default().to_owned(),
        forwarded: time("forward_time", regulator.and_then(|regulator| regulator.forward_time))?,
    })
}

/// Whether a number of somebody else's is just that, and nobody's name or address.
fn is_plain_number(number: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '/' | '.' | '_');
    (1..=40).contains(&number.len())
        && number.chars().all(is_plain)
        && number.chars().any(|letter| letter.is_ascii_digit())
}

/// Tells complainants apart without telling who they are: by customer number, else by
/// address, else by telephone number.
fn complainant_key(complainant: &intake::Complainant) -> Option<[u8; 16]> {
    let customer = complainant.customer_id.trim();
    let email = complainant.email.trim().to_lowercase();
    let phone: String = complainant.phone.chars().filter(char::is_ascii_digit).collect();
    let known = if !customer.is_empty() {
        format!("customer/{customer}")
    } else if !email.is_empty() {
        format!("email/{email}")
    } else if !phone.is_empty() {
        format!("phone/{phone}")
    } else {
        return None;
    };
    let hash: [u8; 32] = Sha256::digest(known.as_bytes()).into();
    hash.first_chunk().copied()
}

fn grade(
    facts: &mut Facts,
    event: &Delivered,
    case_id: &str,
    category: Option<String>,
    priority: i32,
) -> Taken {
    let category = category.map(|category| ranked(event, category));
    let priority = (priority != 0).then(|| Ranked::new(small(priority), event.position));
    facts.case(id("case_id", case_id)?, CaseFact { category, priority, ..CaseFact::default() });
    Ok(())
}

/// A case was opened: what it is about, how urgent it is.
pub(crate) fn count_opened(facts: &mut Facts, event: &Delivered, opened: cases::CaseOpened) -> Taken {
    grade(facts, event, &opened.case_id, Some(opened.category), opened.priority)
}

/// It is taken for something else, or for more or less urgent.
pub(crate) fn count_retriaged(facts: &mut Facts, event: &Delivered, told: cases::CaseRetriaged) -> Taken {
    grade(facts, event, &told.case_id, Some(told.category), told.priority)
}

/// It is taken for something else.
pub(crate) fn count_categorised(facts: &mut Facts, event: &Delivered, told: cases::CaseCategorised) -> Taken {
    grade(facts, event, &told.case_id, Some(told.category), 0)
}

/// It is more urgent.
pub(crate) fn count_raised(facts: &mut Facts, event: &Delivered, told: cases::CasePriorityRaised) -> Taken {
    grade(facts, event, &told.case_id, None, told.priority)
}

/// An outcome took effect.
pub(crate) fn count_resolved(facts: &mut Facts, event: &Delivered, told: cases::CaseResolved) -> Taken {
    let case = id("case_id", &told.case_id)?;
    let resolved = Some(at(event));
    let outcome = Some(Ranked::new(small(told.outcome), told.correction.into()));
    facts.case(case, CaseFact { resolved, ..CaseFact::default() });
    facts.cycle(case, told.cycle, CycleFact { resolved, outcome, ..CycleFact::default() });
    decided(facts, event, case, told.cycle, (told.correction, told.outcome));
    Ok(())
}

/// A decision was replaced by another.
pub(crate) fn count_corrected(facts: &mut Facts, event: &Delivered, told: cases::DecisionCorrected) -> Taken {
    let outcome = Some(Ranked::new(small(told.outcome), told.number.into()));
    let fact = CycleFact { outcome, ..CycleFact::default() };
    let case = id("case_id", &told.case_id)?;
    facts.cycle(case, told.cycle, fact);
    decided(facts, event, case, told.cycle, (told.number, told.outcome));
    Ok(())
}

/// A cycle has an outcome from now on, by a correction.
fn decided(
    facts: &mut Facts,
    event: &Delivered,
    case: CaseId,
    cycle: i32,
    (correction, outcome): (i32, i32),
) {
    let told = OutcomeFact { at: at(event), outcome: small(outcome) };
    facts.past.outcome(case, cycle, correction, told);
}

/// A case goes on as its next cycle.
pub(crate) fn count_reopened(facts: &mut Facts, event: &Delivered, told: cases::CaseReopened) -> Taken {
    let case = id("case_id", &told.case_id)?;
    let reopened = Some(at(event));
    grade(facts, event, &told.case_id, Some(told.category), told.priority)?;
    facts.case(case, CaseFact { reopened, ..CaseFact::default() });
    end(facts, event, &told.case_id, None)?;
    facts.cycle(case, told.cycle - 1, CycleFact { reopened, ..CycleFact::default() });
    Ok(())
}

fn end(facts: &mut Facts, event: &Delivered, case_id: &str, ending: Option<Ending>) -> Taken {
    let ended = Some(ranked(event, ending.map(|ending| (at(event), ending))));
    let case = id("case_id", case_id)?;
    facts.case(case, CaseFact { ended, ..CaseFact::default() });
    facts.past.ending(case, event.position, EndingFact { at: at(event), ending });
    Ok(())
}

/// A case was closed.
pub(crate) fn count_closed(facts: &mut Facts, event: &Delivered, told: cases::CaseClosed) -> Taken {
    end(facts, event, &told.case_id, Some(Ending::Closed))
}

/// A case was withdrawn.
pub(crate) fn count_withdrawn(facts: &mut Facts, event: &Delivered, told: cases::CaseWithdrawn) -> Taken {
    end(facts, event, &told.case_id, Some(Ending::Withdrawn))
}

/// A case is another organisation's matter.
pub(crate) fn count_declined(facts: &mut Facts, event: &Delivered, told: cases::CaseDeclined) -> Taken {
    end(facts, event, &told.case_id, Some(Ending::Declined))
}

/// A case was merged into another.
pub(crate) fn count_merged(facts: &mut Facts, event: &Delivered, told: cases::CaseMerged) -> Taken {
    let merged_apart = told.complainants_differ.then_some(true);
    facts.case(id("case_id", &told.case_id)?, CaseFact { merged_apart, ..CaseFact::default() });
    end(facts, event, &told.case_id, Some(Ending::Merged))
}

/// A merge was undone.
pub(crate) fn count_unmerged(facts: &mut Facts, event: &Delivered, told: cases::CaseUnmerged) -> Taken {
    end(facts, event, &told.case_id, None)
}

fn escalate(facts: &mut Facts, event: &Delivered, case_id: &str) -> Taken {
    let escalated = Some(at(event));
    facts.case(id("case_id", case_id)?, CaseFact { escalated, ..CaseFact::default() });
    Ok(())
}

/// A case went one level up: its time ran out.
pub(crate) fn count_escalated(facts: &mut Facts, event: &Delivered, told: cases::CaseEscalated) -> Taken {
    escalate(facts, event, &told.case_id)
}

/// A case went one level up: it went to and fro.
pub(crate) fn count_tossed(
    facts: &mut Facts,
    event: &Delivered,
    told: assignment::AssignmentEscalated,
) -> Taken {
    escalate(facts, event, &told.case_id)
}

/// A promise was broken. What counts is when it was due: it is told a while later.
pub(crate) fn count_breached(facts: &mut Facts, event: &Delivered, told: cases::ClockBreached) -> Taken {
    use cases::ClockKind::{Decide, Final, Tell};
    if ![Decide, Tell, Final].contains(&told.kind()) {
        return Ok(());
    }
    let breached = time("due_time", told.due_time)?.or(Some(at(event)));
    let limit_breached = breached.filter(|_| !told.own_target);
    let case = id("case_id", &told.case_id)?;
    facts.case(case, CaseFact { breached, limit_breached, ..CaseFact::default() });
    if told.cycle > 0 {
        facts.cycle(case, told.cycle, CycleFact { breached, ..CycleFact::default() });
    }
    Ok(())
}

fn pause(
    facts: &mut Facts,
    event: &Delivered,
    (case_id, kind): (&str, i32),
    ordinal: i32,
    pauses: bool,
) -> Taken {
    if kind != i32::from(cases::ClockKind::Decide) {
        return Ok(());
    }
    let case = id("case_id", case_id)?;
    facts.pause(case, ordinal, PauseFact { at: at(event), pauses });
    facts.case(case, CaseFact { paused: Some(true), ..CaseFact::default() });
    Ok(())
}

/// A promise stands still.
pub(crate) fn count_paused(facts: &mut Facts, event: &Delivered, told: cases::ClockPaused) -> Taken {
    pause(facts, event, (&told.case_id, told.kind), told.ordinal, true)
}

/// A promise runs on.
pub(crate) fn count_resumed(facts: &mut Facts, event: &Delivered, told: cases::ClockResumed) -> Taken {
    pause(facts, event, (&told.case_id, told.kind), told.ordinal, false)
}

fn lies_with(facts: &mut Facts, event: &Delivered, case_id: &str, department: String) -> Taken {
    if department.is_empty() {
        return Ok(());
    }
    let department = Some(ranked(event, department));
    facts.case(id("case_id", case_id)?, CaseFact { department, ..CaseFact::default() });
    Ok(())
}

/// A handler was found.
pub(crate) fn count_assigned(facts: &mut Facts, event: &Delivered, told: assignment::CaseAssigned) -> Taken {
    let case = id("case_id", &told.case_id)?;
    holds(facts, event, case, told.agent_id.clone());
    if told.cycle > 0 && !told.agent_id.is_empty() {
        let agent = Some(ranked(event, told.agent_id));
        facts.cycle(case, told.cycle, CycleFact { agent, ..CycleFact::default() });
    }
    lies_with(facts, event, &told.case_id, told.department_id)
}

fn holds(facts: &mut Facts, event: &Delivered, case: CaseId, agent: String) {
    let holder = Some(ranked(event, agent));
    facts.case(case, CaseFact { holder, ..CaseFact::default() });
}

/// A case waits for a handler.
pub(crate) fn count_queued(facts: &mut Facts, event: &Delivered, told: assignment::CaseQueued) -> Taken {
    holds(facts, event, id("case_id", &told.case_id)?, String::new());
    lies_with(facts, event, &told.case_id, told.department_id)
}

/// The telling of a notice that is counted; none of other kinds.
fn telling(
    case: &str,
    kind: i32,
    cycle: i32,
    notice: &str,
    sending: i32,
) -> Result<Option<TellingKey>, Fault> {
    let (case, notice) = (id("case_id", case)?, id("notice_id", notice)?);
    let kind = Kind::of(kind).filter(|kind| matches!(kind, Kind::Acknowledgement | Kind::Outcome));
    Ok(kind.map(|kind| (case, kind.number(), cycle, notice, sending)))
}

/// A notice was delivered, or was not: when the complainant was told is when that was.
/// What a person recorded does not come back.
pub(crate) fn count_notice(facts: &mut Facts, event: &Delivered, told: wire::NoticeSettled) -> Taken {
    if told.state() != wire::NoticeState::Delivered {
        return Ok(());
    }
    let recorded = time("tell_time", told.tell_time)?;
    let sending = if recorded.is_some() { 0 } else { told.sending_number };
    if let Some(key) = telling(&told.case_id, told.kind, told.cycle, &told.notice_id, sending)? {
        facts.telling(key, TellingFact { told: recorded.or(Some(at(event))), bounced: None });
    }
    Ok(())
}

/// A delivery is taken back: nobody was told by it.
pub(crate) fn count_bounce(facts: &mut Facts, event: &Delivered, told: wire::NoticeBounced) -> Taken {
    let key = telling(&told.case_id, told.kind, told.cycle, &told.notice_id, told.sending_number)?;
    if let Some(key) = key {
        facts.telling(key, TellingFact { told: None, bounced: Some(at(event)) });
    }
    Ok(())
}

fn score(
    facts: &mut Facts,
    event: &Delivered,
    case_id: &str,
    cycle: i32,
    (handling, outcome, rank): (i32, i32, i64),
) -> Taken {
    let answered = |score: i32| {
        let is_score = (1..=i32::from(MAX_SCORE)).contains(&score);
        is_score.then(|| Ranked::new((small(score), at(event)), rank))
    };
    let (handling, satisfaction) = (answered(handling), answered(outcome));
    if handling.is_some() || satisfaction.is_some() {
        let case = id("case_id", case_id)?;
        let told = ScoreFact {
            at: at(event),
            handling: handling.as_ref().map(|told| told.value.0),
            satisfaction: satisfaction.as_ref().map(|told| told.value.0),
        };
        facts.past.score(case, cycle, rank, told);
        facts.cycle(case, cycle, CycleFact { handling, satisfaction, ..CycleFact::default() });
    }
    Ok(())
}

/// The complainant answered the outcome, perhaps with a score.
pub(crate) fn count_response(facts: &mut Facts, event: &Delivered, told: wire::FeedbackReceived) -> Taken {
    if told.response() == wire::Response::Disputed {
        let fact = CycleFact { disputed: Some(true), ..CycleFact::default() };
        facts.cycle(id("case_id", &told.case_id)?, told.cycle, fact);
    }
    let wire::Satisfaction { handling, outcome } = told.satisfaction.unwrap_or_default();
    score(facts, event, &told.case_id, told.cycle, (handling, outcome, WITH_RESPONSE))
}

/// The survey of a cycle was answered.
pub(crate) fn count_survey(facts: &mut Facts, event: &Delivered, told: wire::SurveyAnswered) -> Taken {
    let wire::SurveyAnswer { handling, outcome, .. } = told.answer.unwrap_or_default();
    score(facts, event, &told.case_id, told.cycle, (handling, outcome, WITH_SURVEY))
}

/// It was tried to call a complainant back.
pub(crate) fn count_call(facts: &mut Facts, event: &Delivered, told: wire::CallBackAttempted) -> Taken {
    if !told.ended {
        return Ok(());
    }
    let case_id: CaseId = id("case_id", &told.case_id)?;
    let outcome = Some(Ranked::new(small(told.outcome), told.number.into()));
    let fact = CallBackFact { case_id, ended: Some(at(event)), outcome };
    facts.call_back(id("call_back_id", &told.call_back_id)?, fact);
    Ok(())
}
