//! Contract ⇄ domain: what is asked, and what is answered.

pub(crate) mod calendars;
pub(crate) mod categories;
pub(crate) mod classifiers;
pub(crate) mod clocks;
pub(crate) mod complainants;
pub(crate) mod decisions;
pub(crate) mod directories;
pub(crate) mod groups;
pub(crate) mod inbound;
pub(crate) mod knowledge;
pub(crate) mod links;
pub(crate) mod outbound;
pub(crate) mod policies;
pub(crate) mod review;
pub(crate) mod search;
pub(crate) mod topics;
pub(crate) mod training;
pub(crate) mod triage;

use std::collections::BTreeMap;

use fault::{Check, Fault};
use jiff::civil::Date;
use kernel::page::Page;
use kernel::{CaseId, Money};
use proto::google::r#type::Money as WireMoney;
use proto::redress::cases::v1::{
    AddNoteRequest, Case as WireCase, CaseCount, CaseReopening, CloseCaseRequest, CountCasesResponse,
    DecideCaseRequest, DeclineCaseRequest, EarlierCycle, GetTimelineRequest, PublicEntry,
    RecordFindingsRequest, ReopenCaseRequest, TimelineEntry, TrackComplaintResponse, WithdrawCaseRequest,
    WithdrawComplaintRequest,
};
use proto::timestamp;
use server::CaseReference;
use vocabulary::Outcome;

use crate::case::{Case, Decision};
use crate::counts::{Count, Durations};
use crate::ground::{Claim, Ending};
use crate::reopening::ReopeningTerms;
use crate::timeline::{Entry, Kind, Visibility, WithdrawalSource, Written};

/// Longest note, and longest reasons of a decision.
const MAX_TEXT: usize = 10_000;
/// Longest findings.
const MAX_FINDINGS: usize = 20_000;
/// Longest root cause.
const MAX_ROOT_CAUSE: usize = 300;
/// Longest reason to withdraw, decline, close, reopen, link, merge.
const MAX_REASON: usize = 2_000;
/// Length of a day as it is written.
const DAY: usize = 10;
/// Reason of a decision that cannot be read, or has no ground its policy knows.
const INVALID_DECISION: &str = "INVALID_DECISION";
/// Reason of a referral that cannot be read, or has no ground its policy knows.
const INVALID_REFERRAL: &str = "INVALID_REFERRAL";

/// The case a change is meant for, as the caller has seen it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CaseTarget {
    /// The case.
    pub(crate) case: CaseId,
    /// The version seen; none skips the check.
    pub(crate) version: Option<i64>,
}

pub(crate) fn target(
    check: &mut Check,
    request_id: String,
    case_id: &str,
    version: Option<i64>,
) -> CaseTarget {
    check.request_id(request_id);
    CaseTarget { case: check.id("case_id", case_id), version }
}

/// Reads the id of the case a read is about.
pub(crate) fn case_id(text: &str) -> Result<CaseId, Fault> {
    let mut check = Check::new();
    let id = check.id("case_id", text);
    check.done("INVALID_CASE_ID")?;
    Ok(id)
}

/// Reads which part of which timeline is wanted.
pub(crate) fn timeline(request: GetTimelineRequest) -> Result<(CaseId, Page), Fault> {
    let GetTimelineRequest { case_id, page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &case_id);
    let id = check.id("case_id", &case_id);
    check.done("INVALID_LIST")?;
    Ok((id, page))
}

/// Reads a note.
pub(crate) fn note(request: AddNoteRequest) -> Result<(CaseTarget, Written), Fault> {
    let AddNoteRequest { request_id, case_id, text, visibility } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id.clone(), &case_id, None);
    let text = check.required("text", text, MAX_TEXT);
    let visibility = match visibility {
        0 => Visibility::Internal,
        code => Visibility::of(code).unwrap_or_else(|| {
            check.fail("visibility", "is not a known visibility");
            Visibility::Restricted
        }),
    };
    check.done("INVALID_NOTE")?;
    Ok((target, Written { text, visibility, request_id: Some(request_id) }))
}

/// Reads findings and root cause.
pub(crate) fn findings(request: RecordFindingsRequest) -> Result<(CaseTarget, String, String), Fault> {
    let RecordFindingsRequest { request_id, case_id, expected_version, findings, root_cause } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &case_id, expected_version);
    let findings = check.required("findings", findings, MAX_FINDINGS);
    let root_cause = check.text("root_cause", root_cause, MAX_ROOT_CAUSE);
    check.done("INVALID_FINDINGS")?;
    Ok((target, findings, root_cause))
}

/// Reads a decision.
pub(crate) fn decision(request: DecideCaseRequest) -> Result<(CaseTarget, Decision, Option<Claim>), Fault> {
    let DecideCaseRequest { request_id, case_id, expected_version, outcome, reasons, remedy_due, ground } =
        request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &case_id, expected_version);
    let decision = decided(&mut check, outcome, reasons, remedy_due);
    let claim = claimed(&mut check, decision.outcome, ground, INVALID_DECISION);
    check.done(INVALID_DECISION)?;
    Ok((target, decision, claim))
}

/// The ground that a decision ends a complaint on; none unless it is not upheld.
fn claimed(check: &mut Check, outcome: Outcome, code: String, invalid: &'static str) -> Option<Claim> {
    let in_vain = outcome == Outcome::NotUpheld;
    check.ensure(in_vain || code.is_empty(), "ground", "must be empty unless the complaint is not upheld");
    in_vain.then_some(Claim { ending: Ending::InVain, code, invalid })
}

/// What is decided and why, and that it goes with whether a remedy is due.
fn decided(check: &mut Check, outcome: i32, reasons: String, remedy_due: bool) -> Decision {
    let outcome = Outcome::of(outcome).unwrap_or_else(|| {
        check.fail("outcome", if outcome == 0 { "is required" } else { "is not a known outcome" });
        Outcome::Upheld
    });
    let reasons = check.required("reasons", reasons, MAX_TEXT);
    let in_vain = outcome == Outcome::NotUpheld && remedy_due;
    check.ensure(!in_vain, "remedy_due", "must be false when the complaint is not upheld");
    Decision { outcome, reasons, remedy_due }
}

/// What was tried in the cycles before the last, each with why it was taken up again: that is
/// told in the cycle which began with it.
pub(crate) fn earlier_cycles(entries: Vec<Entry>) -> Vec<EarlierCycle> {
    let mut cycles: BTreeMap<i32, Vec<TimelineEntry>> = BTreeMap::new();
    for told in entries {
        let cycle = if told.kind == Kind::Reopened { told.cycle - 1 } else { told.cycle };
        cycles.entry(cycle).or_default().push(entry(told));
    }
    cycles.into_iter().map(|(cycle, entries)| EarlierCycle { cycle, entries }).collect()
}

/// Reads a withdrawal.
pub(crate) fn withdrawal(request: WithdrawCaseRequest) -> Result<(CaseTarget, String), Fault> {
    let WithdrawCaseRequest { request_id, case_id, expected_version, reason } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &case_id, expected_version);
    let reason = check.text("reason", reason, MAX_REASON);
    check.done("INVALID_WITHDRAWAL")?;
    Ok((target, reason))
}

/// Reads a withdrawal by the complainant: of which case, by what their wish is known, why.
pub(crate) fn complainant_withdrawal(
    request: WithdrawComplaintRequest,
) -> Result<(CaseReference, WithdrawalSource, String), Fault> {
    let WithdrawComplaintRequest { request_id, case_id, receipt_code, end_user, reason, confirmed } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let reference = CaseReference::read(&mut check, "case_id", &case_id, &receipt_code, end_user);
    let reason = check.text("reason", reason, MAX_REASON);
    check.ensure(confirmed, "confirmed", "must be true: they have to be asked whether they mean it");
    check.done("INVALID_WITHDRAWAL")?;
    let by_code = reference.is_code();
    let source = if by_code { WithdrawalSource::ReceiptCode } else { WithdrawalSource::Channel };
    Ok((reference, source, reason))
}

/// Reads a referral.
pub(crate) fn referral(request: DeclineCaseRequest) -> Result<(CaseTarget, String, Claim), Fault> {
    let DeclineCaseRequest { request_id, case_id, expected_version, referral, ground } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &case_id, expected_version);
    let referral = check.required("referral", referral, MAX_REASON);
    check.done(INVALID_REFERRAL)?;
    Ok((target, referral, Claim { ending: Ending::Refusal, code: ground, invalid: INVALID_REFERRAL }))
}

/// Reads why a case is closed.
pub(crate) fn closure(request: CloseCaseRequest) -> Result<(CaseTarget, String), Fault> {
    let CloseCaseRequest { request_id, case_id, expected_version, reason } = request;
    reason_of(request_id, &case_id, expected_version, reason)
}

/// Reads why a case is taken up again.
pub(crate) fn reopening(request: ReopenCaseRequest) -> Result<(CaseTarget, String), Fault> {
    let ReopenCaseRequest { request_id, case_id, expected_version, reason } = request;
    reason_of(request_id, &case_id, expected_version, reason)
}

fn reason_of(
    request_id: String,
    case_id: &str,
    version: Option<i64>,
    reason: String,
) -> Result<(CaseTarget, String), Fault> {
    let mut check = Check::new();
    let target = target(&mut check, request_id, case_id, version);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_REASON")?;
    Ok((target, reason))
}

/// A case as callers see it.
pub(crate) fn case(case: &Case) -> WireCase {
    let origin = &case.origin;
    WireCase {
        case_id: case.id.to_string(),
        version: case.version,
        state: case.state.number().into(),
        cycle: case.cycle,
        tier: case.tier,
        priority: case.priority.number().into(),
        category: case.category.clone(),
        triage_reasons: case.triage_reasons.clone(),
        channel: origin.channel.number().into(),
        subject: origin.subject.clone(),
        language: origin.language.clone(),
        customer_id: origin.customer_id.clone(),
        amount_sought: origin.amount_sought.as_ref().map(money),
        department_id: case.department_id.clone(),
        agent_id: case.agent_id.clone(),
        findings: case.findings.clone(),
        root_cause: case.root_cause.clone(),
        outcome: outcome(case.outcome),
        decision_reasons: case.decision_reasons.clone(),
        receive_time: Some(timestamp(origin.receive_time)),
        open_time: Some(timestamp(case.open_time)),
        resolve_time: case.resolve_time.map(timestamp),
        close_time: case.close_time.map(timestamp),
        trace_id: pg::trace::trace_id(&origin.traceparent).to_owned(),
        due_time: case.due_time.map(timestamp),
        merged_into_case_id: case.merged.map(|merged| merged.into.to_string()).unwrap_or_default(),
        matter: origin.matter.number().into(),
        complexity: case.complexity.number().into(),
        region: origin.region.clone(),
        reopening: case.reopening.map(|terms| reopening_terms(case, terms)),
    }
}

/// Until when and how often a case may be taken up again, as callers see it.
fn reopening_terms(case: &Case, terms: ReopeningTerms) -> CaseReopening {
    CaseReopening {
        policy_version: terms.policy,
        limits: Some(policies::reopening(terms.limits)),
        until_time: case.reopen_until().map(timestamp),
        left: terms.left(case.cycle),
    }
}

/// An entry of a timeline as callers see it.
pub(crate) fn entry(entry: Entry) -> TimelineEntry {
    let Entry { ordinal, time: happened, cycle, kind, visibility, actor, text, trace_id } = entry;
    TimelineEntry {
        ordinal,
        time: Some(timestamp(happened)),
        cycle,
        kind: kind.number().into(),
        visibility: visibility.number().into(),
        actor,
        text,
        trace_id,
    }
}

/// What the public may know of a case, and of those that it stands for; its outcome once it took effect.
pub(crate) fn progress(
    case: &Case,
    received: jiff::Timestamp,
    entries: Vec<Entry>,
) -> TrackComplaintResponse {
    let public = |entry: Entry| PublicEntry {
        time: Some(timestamp(entry.time)),
        kind: entry.kind.number().into(),
        text: entry.public_text(),
    };
    TrackComplaintResponse {
        state: case.state.number().into(),
        cycle: case.cycle,
        receive_time: Some(timestamp(received)),
        outcome: outcome(case.outcome.filter(|_| case.resolve_time.is_some())),
        entries: entries.into_iter().map(public).collect(),
    }
}

/// The counts as callers see them.
pub(crate) fn counts(counts: Vec<Count>, durations: &Durations) -> CountCasesResponse {
    let count = |Count { state, category, priority, channel, cases }: Count| CaseCount {
        state: state.number().into(),
        category,
        priority: priority.number().into(),
        channel: channel.number().into(),
        count: cases,
    };
    CountCasesResponse {
        total: counts.iter().map(|count| count.cases).sum(),
        counts: counts.into_iter().map(count).collect(),
        assign_ms_p50: durations.assign_p50,
        assign_ms_p99: durations.assign_p99,
        resolve_ms_p50: durations.resolve_p50,
        resolve_ms_p99: durations.resolve_p99,
    }
}

/// A day, as `2026-11-29`.
fn day(check: &mut Check, field: &str, text: &str) -> Option<Date> {
    let day = text.parse::<Date>().ok().filter(|day| text.len() == DAY && (1970..9999).contains(&day.year()));
    check.ensure(day.is_some(), field, "must be a day, as `2026-11-29`");
    day
}

fn outcome(outcome: Option<Outcome>) -> i32 {
    outcome.map_or(0, |outcome| outcome.number().into())
}

pub(crate) fn money(money: &Money) -> WireMoney {
    let (units, nanos) = money.units_and_nanos();
    WireMoney { currency_code: money.currency.clone(), units, nanos }
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::{
        CaseState, ClockKind, CloseReason, CorrectionState, EmotionLevel, ExtensionState, Level, LinkKind,
        LinkStanding, Outcome, Priority, TimelineKind, Visibility, WithdrawalSource,
    };
    use proto::redress::feedback::v1::NoticeKind;
    use proto::redress::intake::v1::{Channel, HandOverReason, Matter};

    #[test]
    fn our_numbers_are_the_contracts() {
        testkit::same_numbers! {
            vocabulary::State, CaseState;
            vocabulary::Priority, Priority;
            vocabulary::Outcome, Outcome;
            crate::case::CorrectionState, CorrectionState;
            vocabulary::CloseReason, CloseReason;
            vocabulary::Channel, Channel;
            vocabulary::Level, Level;
            vocabulary::Matter, Matter;
            vocabulary::HandOverReason, HandOverReason;
            sameness::LinkKind, LinkKind;
            sameness::LinkStanding, LinkStanding;
            crate::timeline::Kind, TimelineKind;
            crate::timeline::Visibility, Visibility;
            crate::timeline::WithdrawalSource, WithdrawalSource;
            vocabulary::NoticeKind, NoticeKind;
            crate::clocks::pauses_and_extensions::ExtensionState, ExtensionState;
        }
    }

    #[test]
    fn kinds_of_promises_and_levels_of_emotion_bear_the_contracts_numbers() {
        for (at, (kind, _)) in crate::promise::KINDS.iter().enumerate() {
            let number = crate::promise::number(*kind);
            assert_eq!(usize::try_from(number).ok(), Some(at + 1));
            let theirs = ClockKind::try_from(i32::from(number)).map(|theirs| format!("{theirs:?}"));
            assert_eq!(theirs, Ok(format!("{kind:?}")));
        }
        assert!(ClockKind::try_from(i32::try_from(crate::promise::KINDS.len() + 1).unwrap_or(0)).is_err());
        for (stored, level) in (0..).zip(crate::reading::LEVELS) {
            let theirs = EmotionLevel::try_from(stored + 1).map(|theirs| format!("{theirs:?}"));
            assert_eq!(theirs, Ok(format!("{level:?}")));
        }
        assert!(EmotionLevel::try_from(6).is_err());
    }
}
