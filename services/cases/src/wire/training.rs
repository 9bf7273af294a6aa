//! Training cases: how they are picked, made, written and asked for, and how they read.

use fault::{Check, Fault};
use jiff::civil::Date;
use kernel::CaseId;
use kernel::page::Page;
use language::{Anonymiser, IdentifyingKind, Party};
use proto::redress::cases::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::review::{self, ReviewTarget};
use super::{MAX_REASON, day};
use crate::article::MAX_NAME;
use crate::review::{ReviewState, Reviewed};
use crate::timeline::Kind;
use crate::training::picking::{Candidate, Pick};
use crate::training::{
    About, Challenge, Content, MAX_AFTER_S, MAX_CYCLE, MAX_STEP, MAX_STEPS, MAX_TEXT, MAX_TITLE, Revision,
    Step, TrainingCase, TrainingCaseFilter,
};

/// Reason of a training case, or a move of one, that cannot be read.
const INVALID_TRAINING_CASE: &str = "INVALID_TRAINING_CASE";
/// Most details that are told with a request.
const MAX_DETAILS: usize = 50;
/// Longest of them.
const MAX_DETAIL: usize = 200;
/// Longest seed.
const MAX_SEED: usize = 100;
/// Most cases that are picked, and as many as are picked if nobody says.
const PICKS: (usize, usize) = (10, 100);
/// Most days that cases are picked from.
const MAX_DAYS: i32 = 366;

/// From what cases are picked, and how many.
#[derive(Clone, Debug)]
pub(crate) struct PickQuery {
    /// The first day on which they were closed, and the day after the last.
    pub(crate) days: (Date, Date),
    /// Only those of this category or one below it; empty for all.
    pub(crate) category: String,
    /// Most cases.
    pub(crate) most: usize,
    /// What the lots are drawn by.
    pub(crate) seed: String,
}

/// Reads from what cases are picked.
pub(crate) fn picked(request: wire::PickTrainingCasesRequest) -> Result<PickQuery, Fault> {
    let wire::PickTrainingCasesRequest { start_date, end_date, category, max_results, seed } = request;
    let mut check = Check::new();
    let start = day(&mut check, "start_date", &start_date);
    let end = day(&mut check, "end_date", &end_date);
    let days = start.zip(end).unwrap_or_default();
    if start.is_some() && end.is_some() {
        let count = days.0.until(days.1).map_or(0, |span| span.get_days());
        let is_within = (1..=MAX_DAYS).contains(&count);
        check.ensure(is_within, "end_date", &format!("must be 1 to {MAX_DAYS} days after start_date"));
    }
    let category = check.text("category", category.trim().to_owned(), MAX_NAME);
    let most = super::knowledge::most(&mut check, max_results, PICKS.0, PICKS.1);
    let seed = check.text("seed", seed, MAX_SEED);
    check.done("INVALID_SEARCH")?;
    Ok(PickQuery { days, category, most, seed })
}

/// Reads of which case a training case is made, and what is known of those in it.
pub(crate) fn created(request: wire::CreateTrainingCaseRequest) -> Result<(CaseId, Vec<Party>), Fault> {
    let wire::CreateTrainingCaseRequest { request_id, case_id, details } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let case = check.id("case_id", &case_id);
    let details = check.list("details", details, MAX_DETAILS);
    let mut parties = Vec::with_capacity(details.len());
    for (at, wire::PersonalDetail { kind, value }) in details.into_iter().enumerate() {
        let known = IdentifyingKind::of(kind);
        check.ensure(known.is_some(), &format!("details[{at}].kind"), "must be a kind of personal detail");
        let field = format!("details[{at}].value");
        let value = check.required(&field, value, MAX_DETAIL);
        let is_something = value.chars().filter(|c| c.is_alphanumeric()).count() >= 2;
        check.ensure(is_something, &field, "must have two letters or digits at least");
        parties.extend(known.map(|kind| Party { kind, forms: vec![value] }));
    }
    check.done(INVALID_TRAINING_CASE)?;
    Ok((case, parties))
}

fn step(check: &mut Check, at: usize, step: wire::TrainingStep) -> Option<Step> {
    let wire::TrainingStep { after, cycle, kind, text } = step;
    let field = |name: &str| format!("content.steps[{at}].{name}");
    let after =
        proto::duration(&after.unwrap_or_default()).and_then(|after| i64::try_from(after.as_secs()).ok());
    let after = after.filter(|after_s| *after_s <= MAX_AFTER_S);
    check.ensure(after.is_some(), &field("after"), "must be 0 to 50 years");
    check.ensure((1..=MAX_CYCLE).contains(&cycle), &field("cycle"), &format!("must be 1 to {MAX_CYCLE}"));
    let kind = Kind::of(kind);
    check.ensure(kind.is_some(), &field("kind"), "must be what a timeline entry records");
    let text = check.required(&field("text"), text, MAX_STEP);
    Some(Step { after_s: after?, cycle, kind: kind?, text })
}

/// Notes what still tells who somebody is, by kind and place.
fn impersonal(check: &mut Check, content: &Content, anonymiser: &Anonymiser) {
    for (field, text) in content.texts() {
        review::impersonal(check, &format!("content.{field}"), anonymiser.identifying(text));
    }
}

/// Refuses what still tells who somebody is, as far as the case it was made of lets know.
pub(crate) fn without_details(content: &Content, anonymiser: &Anonymiser) -> Result<(), Fault> {
    let mut check = Check::new();
    impersonal(&mut check, content, anonymiser);
    check.done(INVALID_TRAINING_CASE)
}

fn content(check: &mut Check, given: Option<wire::TrainingContent>) -> Content {
    check.ensure(given.is_some(), "content", "is required");
    let Some(given) = given else { return Content::default() };
    let wire::TrainingContent { title, description, findings, root_cause, decision_reasons, lesson, steps } =
        given;
    let before = check.violations().count();
    let content = Content {
        title: check.required("content.title", title, MAX_TITLE),
        description: check.required("content.description", description, MAX_TEXT),
        findings: check.text("content.findings", findings, MAX_TEXT),
        root_cause: check.text("content.root_cause", root_cause, MAX_TEXT),
        decision_reasons: check.text("content.decision_reasons", decision_reasons, MAX_TEXT),
        lesson: check.text("content.lesson", lesson, MAX_TEXT),
        steps: {
            let steps = check.list("content.steps", steps, MAX_STEPS);
            steps.into_iter().enumerate().filter_map(|(at, one)| step(check, at, one)).collect()
        },
    };
    // What is too long is not looked at.
    if check.violations().count() == before {
        impersonal(check, &content, &Anonymiser::new([], None));
    }
    content
}

/// Reads the next revision of a training case.
pub(crate) fn edited(request: wire::EditTrainingCaseRequest) -> Result<(ReviewTarget, Content), Fault> {
    let wire::EditTrainingCaseRequest { request_id, training_case_id, expected_version, content: given } =
        request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &training_case_id, expected_version);
    let read = content(&mut check, given);
    check.done(INVALID_TRAINING_CASE)?;
    Ok((target, read))
}

fn target(check: &mut Check, request_id: String, id: &str, version: i64) -> ReviewTarget {
    review::target(check, request_id, ("training_case_id", id), version)
}

/// Reads which training case is handed in.
pub(crate) fn submitted(request: wire::SubmitTrainingCaseRequest) -> Result<ReviewTarget, Fault> {
    let wire::SubmitTrainingCaseRequest { request_id, training_case_id, expected_version } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &training_case_id, expected_version);
    check.done(INVALID_TRAINING_CASE)?;
    Ok(target)
}

/// Reads which training case is published.
pub(crate) fn published(request: wire::PublishTrainingCaseRequest) -> Result<ReviewTarget, Fault> {
    let wire::PublishTrainingCaseRequest { request_id, training_case_id, expected_version } = request;
    submitted(wire::SubmitTrainingCaseRequest { request_id, training_case_id, expected_version })
}

/// Reads which training case is taken out of use, and why.
pub(crate) fn retired(request: wire::RetireTrainingCaseRequest) -> Result<(ReviewTarget, String), Fault> {
    let wire::RetireTrainingCaseRequest { request_id, training_case_id, expected_version, reason } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &training_case_id, expected_version);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_TRAINING_CASE)?;
    Ok((target, reason))
}

/// Reads which revision of which training case is wanted; none is the latest.
pub(crate) fn wanted(request: wire::GetTrainingCaseRequest) -> Result<(Uuid, Option<i32>), Fault> {
    let wire::GetTrainingCaseRequest { training_case_id, revision: number } = request;
    let mut check = Check::new();
    let id = check.id("training_case_id", &training_case_id);
    let wanted = (id, review::revision(&mut check, number));
    check.done("INVALID_REQUEST")?;
    Ok(wanted)
}

/// Reads which training cases are to be listed, how many, and after which.
pub(crate) fn listed(
    request: wire::ListTrainingCasesRequest,
) -> Result<(TrainingCaseFilter, Page, Option<Uuid>), Fault> {
    let wire::ListTrainingCasesRequest {
        page_size,
        page_token,
        state,
        in_force,
        category,
        language,
        challenge,
    } = request;
    let mut check = Check::new();
    let same = format!("{state} {in_force} {challenge} {language} {category}");
    let page = check.page(page_size, &page_token, &same);
    let by_state = ReviewState::of(state);
    check.ensure(state == 0 || by_state.is_some(), "state", "is not a state of a training case");
    let by_challenge = Challenge::of(challenge);
    check.ensure(challenge == 0 || by_challenge.is_some(), "challenge", "is nothing that makes a case hard");
    let (category, language) = review::of_kind(&mut check, &category, language);
    let before = review::before(&mut check, &page);
    check.done("INVALID_LIST")?;
    Ok((
        TrainingCaseFilter { state: by_state, in_force, category, language, challenge: by_challenge },
        page,
        before,
    ))
}

/// Reads which training cases are to be exported.
pub(crate) fn exported(request: wire::ExportTrainingCasesRequest) -> Result<TrainingCaseFilter, Fault> {
    let wire::ExportTrainingCasesRequest { category, language } = request;
    let mut check = Check::new();
    let (category, language) = review::of_kind(&mut check, &category, language);
    check.done("INVALID_LIST")?;
    Ok(TrainingCaseFilter { in_force: true, category, language, ..TrainingCaseFilter::default() })
}

fn challenges(challenges: &[Challenge]) -> Vec<i32> {
    challenges.iter().map(|one| one.number().into()).collect()
}

fn content_view(content: Content) -> wire::TrainingContent {
    let Content { title, description, findings, root_cause, decision_reasons, lesson, steps } = content;
    let step = |Step { after_s, cycle, kind, text }| wire::TrainingStep {
        after: Some(prost_types::Duration { seconds: after_s, nanos: 0 }),
        cycle,
        kind: kind.number().into(),
        text,
    };
    let steps = steps.into_iter().map(step).collect();
    wire::TrainingContent { title, description, findings, root_cause, decision_reasons, lesson, steps }
}

/// A training case as callers see it.
pub(crate) fn training_case(read: TrainingCase) -> wire::TrainingCase {
    let TrainingCase { reviewed, about, revision, source } = read;
    let Reviewed { kind: _, id, version, state, latest, in_force, retired } = reviewed;
    let About { language, category, priority, outcome, challenges: hard } = about;
    let Revision { number, content, author, revise_time, published } = revision;
    let (reviewer, publish_time) =
        published.map_or_else(Default::default, |(by, at)| (by, Some(timestamp(at))));
    let (retirer, retire_reason) = retired.unwrap_or_default();
    wire::TrainingCase {
        training_case_id: id.to_string(),
        version,
        state: state.number().into(),
        revision: number,
        latest_revision: latest,
        published_revision: in_force.unwrap_or_default(),
        language,
        category,
        priority: priority.number().into(),
        outcome: super::outcome(outcome),
        challenges: challenges(&hard),
        content: Some(content_view(content)),
        source_case_id: source.map(|case| case.to_string()).unwrap_or_default(),
        author,
        revise_time: Some(timestamp(revise_time)),
        reviewer,
        publish_time,
        retirer,
        retire_reason,
    }
}

/// A training case as lists show it.
pub(crate) fn in_short(mut read: TrainingCase) -> wire::TrainingCase {
    read.revision.content =
        Content { title: std::mem::take(&mut read.revision.content.title), ..Content::default() };
    training_case(read)
}

/// A training case as it is given to others.
pub(crate) fn exported_case(read: TrainingCase) -> wire::ExportedTrainingCase {
    let TrainingCase { reviewed, about, revision, source: _ } = read;
    let About { language, category, priority, outcome, challenges: hard } = about;
    wire::ExportedTrainingCase {
        training_case_id: reviewed.id.to_string(),
        revision: revision.number,
        language,
        category,
        priority: priority.number().into(),
        outcome: super::outcome(outcome),
        challenges: challenges(&hard),
        content: Some(content_view(revision.content)),
    }
}

/// A pick as callers see it.
pub(crate) fn pick(pick: Pick) -> wire::TrainingPick {
    let Pick { candidate, round, stratum, drawn_from } = pick;
    let Candidate { case, category, priority, outcome, challenges: hard } = candidate;
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    wire::TrainingPick {
        case_id: case.to_string(),
        category,
        priority: priority.number().into(),
        outcome: super::outcome(outcome),
        challenges: challenges(&hard),
        round: count(round),
        stratum_case_count: count(stratum),
        drawn_from_count: count(drawn_from),
    }
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::{CaseChallenge, PersonalDetailKind, TrainingCaseState};

    use super::*;

    #[test]
    fn our_numbers_are_the_contracts() {
        for kind in IdentifyingKind::ALL {
            let theirs = PersonalDetailKind::try_from(i32::from(kind.number()));
            assert_eq!(theirs.map(|theirs| format!("{theirs:?}")), Ok(format!("{kind:?}")));
        }
        for challenge in Challenge::ALL {
            let theirs = CaseChallenge::try_from(i32::from(challenge.number()));
            assert_eq!(theirs.map(|theirs| format!("{theirs:?}")), Ok(format!("{challenge:?}")));
        }
        for state in ReviewState::ALL {
            let theirs = TrainingCaseState::try_from(i32::from(state.number()));
            assert_eq!(theirs.map(|theirs| format!("{theirs:?}")), Ok(format!("{state:?}")));
        }
    }
}
