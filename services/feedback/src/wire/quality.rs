//! Reviews of closed cases, and scorecards: how they are asked for, and how they read.

use std::collections::BTreeSet;

use fault::{Check, Fault};
use jiff::civil::Date;
use kernel::page::Page;
use proto::redress::feedback::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::INVALID_REQUEST;
use super::kpis::days_between;
use super::surveys::within;
use crate::call_back::MAX_SEED;
use crate::kpi::window::MAX_DAYS;
use crate::quality::agreement::{Chance, Matrix};
use crate::quality::scorecard::{self, Scorecard, Share, Sums};
use crate::quality::{
    Criterion, MAX_CLASS, MAX_CLASSES, MAX_CRITERIA, MAX_CRITERION_ID, MAX_NOTE, MAX_QUESTION, Policy,
    Rating, Review, State, WEIGHTS,
};
use crate::revision::{self, Revision};

const INVALID_QUALITY_POLICY: &str = "INVALID_QUALITY_POLICY";
const INVALID_QUALITY_RATING: &str = "INVALID_QUALITY_RATING";
/// Longest name of a handler.
const MAX_AGENT: usize = 200;

/// A policy somebody wants, why, and the version it follows; a seed is drawn where none is
/// named.
pub(crate) fn wanted_quality_policy(
    request: wire::UpdateQualityPolicyRequest,
    seed_drawn: &str,
) -> Result<(Policy, String, i64), Fault> {
    let wire::UpdateQualityPolicyRequest { request_id, expected_version, policy } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(expected_version >= 0, "expected_version", "must not be negative");
    check.ensure(policy.is_some(), "policy", "is required");
    let given = policy.is_some();
    let wire::QualityPolicy { version: _, sample_percent, seed, criteria, note, create_time: _, creator: _ } =
        policy.unwrap_or_default();
    within(&mut check, "policy.sample_percent", sample_percent, 0..=100);
    let seed = check.text("policy.seed", seed, MAX_SEED);
    let note = check.text("policy.note", note, revision::MAX_NOTE);
    let criteria = if given { check.some("policy.criteria", criteria, MAX_CRITERIA) } else { criteria };
    let mut met = BTreeSet::new();
    let mut read = Vec::new();
    for (place, criterion) in criteria.into_iter().enumerate() {
        let path = format!("policy.criteria[{place}]");
        let is_new = met.insert(criterion.criterion_id.clone());
        check.ensure(is_new, &format!("{path}.criterion_id"), "is named already");
        read.push(read_criterion(&mut check, &path, criterion));
    }
    check.done(INVALID_QUALITY_POLICY)?;
    let policy = Policy {
        sample_percent: i16::try_from(sample_percent).map_err(Fault::internal)?,
        seed: if seed.is_empty() { seed_drawn.to_owned() } else { seed },
        criteria: read,
    };
    Ok((policy, note, expected_version))
}

fn read_criterion(check: &mut Check, path: &str, criterion: wire::QualityCriterion) -> Criterion {
    let wire::QualityCriterion { criterion_id, question, classes, weight } = criterion;
    let at = |field: &str| format!("{path}.{field}");
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let is_id = (1..=MAX_CRITERION_ID).contains(&criterion_id.len()) && criterion_id.chars().all(is_plain);
    check.ensure(is_id, &at("criterion_id"), "must be 1 to 50 lower case letters, digits or `_`");
    let question = check.required(&at("question"), question, MAX_QUESTION);
    check.ensure(classes.len() > 1, &at("classes"), "must be at least two");
    let classes = check.list(&at("classes"), classes, MAX_CLASSES);
    let mut met = BTreeSet::new();
    let mut read = Vec::new();
    for (place, class) in classes.into_iter().enumerate() {
        let field = format!("{path}.classes[{place}]");
        let class = check.required(&field, class, MAX_CLASS);
        check.ensure(met.insert(class.clone()), &field, "is named already");
        read.push(class);
    }
    within(check, &at("weight"), weight, WEIGHTS);
    Criterion { id: criterion_id, question, classes: read, weight }
}

/// A policy, as it is told.
pub(crate) fn quality_policy(revision: Revision<Policy>) -> wire::QualityPolicy {
    let Revision { version, content, note, created, activated: _ } = revision;
    let Policy { sample_percent, seed, criteria } = content;
    let (create_time, creator) = created.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    let criterion = |Criterion { id, question, classes, weight }: Criterion| wire::QualityCriterion {
        criterion_id: id,
        question,
        classes,
        weight,
    };
    wire::QualityPolicy {
        version,
        sample_percent: sample_percent.into(),
        seed,
        criteria: criteria.into_iter().map(criterion).collect(),
        note,
        create_time,
        creator,
    }
}

pub(crate) fn review_of(request: wire::GetQualityReviewRequest) -> Result<Uuid, Fault> {
    let wire::GetQualityReviewRequest { review_id } = request;
    let mut check = Check::new();
    let id = check.id("review_id", &review_id);
    check.done(INVALID_REQUEST)?;
    Ok(id)
}

/// Which reviews to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct ReviewListQuery {
    pub(crate) state: Option<State>,
    pub(crate) page: Page,
    pub(crate) after: Option<Uuid>,
}

pub(crate) fn reviews_of(request: wire::ListQualityReviewsRequest) -> Result<ReviewListQuery, Fault> {
    let wire::ListQualityReviewsRequest { page_size, page_token, state } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &format!("state={state}"));
    let by_state = State::of(state);
    check.ensure(state == 0 || by_state.is_some(), "state", "is not a state of a review");
    let after = page.after.as_deref().map(|key| key.parse().ok());
    check.ensure(after != Some(None), "page_token", "is not of this list");
    check.done(INVALID_REQUEST)?;
    Ok(ReviewListQuery { state: by_state, page, after: after.flatten() })
}

/// What somebody says of a case.
#[derive(Clone, Debug)]
pub(crate) struct Rated {
    pub(crate) review: Uuid,
    pub(crate) items: Vec<wire::QualityRatingItem>,
    pub(crate) note: String,
}

pub(crate) fn rated(request: wire::RateQualityReviewRequest) -> Result<Rated, Fault> {
    let wire::RateQualityReviewRequest { request_id, review_id, items, note } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let review = check.id("review_id", &review_id);
    let items = check.some("items", items, MAX_CRITERIA);
    let note = check.text("note", note, MAX_NOTE);
    check.done(INVALID_QUALITY_RATING)?;
    Ok(Rated { review, items, note })
}

/// The places of the classes, criterion by criterion: each must be rated, once.
pub(crate) fn classes(items: &[wire::QualityRatingItem], policy: &Policy) -> Result<Vec<i16>, Fault> {
    let mut check = Check::new();
    let mut places: Vec<Option<usize>> = vec![None; policy.criteria.len()];
    for (number, item) in items.iter().enumerate() {
        let at = |field: &str| format!("items[{number}].{field}");
        let known = policy.criteria.iter().zip(&mut places).find(|(one, _)| one.id == item.criterion_id);
        let Some((criterion, place)) = known else {
            check.fail(&at("criterion_id"), "is no criterion of this review");
            continue;
        };
        check.ensure(place.is_none(), &at("criterion_id"), "is rated already");
        *place = criterion.classes.iter().position(|class| *class == item.rated_class);
        let description = format!("must be one of: {}", criterion.classes.join(", "));
        check.ensure(place.is_some(), &at("rated_class"), &description);
    }
    for criterion in &policy.criteria {
        let is_rated = items.iter().any(|item| item.criterion_id == criterion.id);
        check.ensure(is_rated, "items", &format!("must rate `{}`", criterion.id));
    }
    check.done(INVALID_QUALITY_RATING)?;
    places.into_iter().map(|place| i16::try_from(place.unwrap_or(0)).map_err(Fault::internal)).collect()
}

/// A review, the ratings of it that are seen, and the policy it is by.
#[derive(Clone, Debug)]
pub(crate) struct Reviewed<'a> {
    pub(crate) review: Review,
    pub(crate) policy: &'a Policy,
    /// Subject of who looks at it.
    pub(crate) viewer: &'a str,
}

/// A review, as somebody sees it.
pub(crate) fn quality_review(reviewed: Reviewed<'_>) -> wire::QualityReview {
    let Reviewed { review, policy, viewer } = reviewed;
    let ratings = review.seen_by(viewer).into_iter().map(|rating| quality_rating(rating, policy)).collect();
    wire::QualityReview {
        review_id: review.id.to_string(),
        case_id: review.case_id.to_string(),
        cycle: review.cycle,
        state: review.state().number().into(),
        rating_count: i32::try_from(review.ratings.len()).unwrap_or(i32::MAX),
        agent_id: review.agent,
        policy_version: review.policy,
        ratings,
        score: review.completed.map(|(_, score)| score),
        create_time: Some(timestamp(review.created)),
        complete_time: review.completed.map(|(at, _)| timestamp(at)),
        draw_month: review.draw.month,
        draw_ticket: review.draw.ticket,
    }
}

fn quality_rating(rating: Rating, policy: &Policy) -> wire::QualityRating {
    let score = policy.score(&rating.classes);
    let Rating { rater, classes, note, at } = rating;
    let item = |(criterion, class): (&Criterion, i16)| {
        let rated_class = usize::try_from(class).ok().and_then(|place| criterion.classes.get(place)).cloned();
        let criterion_id = criterion.id.clone();
        wire::QualityRatingItem { criterion_id, rated_class: rated_class.unwrap_or_default() }
    };
    let items = policy.criteria.iter().zip(classes).map(item).collect();
    wire::QualityRating { rater, items, note, rate_time: Some(timestamp(at)), score }
}

/// Days from the first on, without the last.
type Days = (Date, Date);

/// Of which days agreement is asked, and of which version of the policy.
pub(crate) fn agreement_of(request: wire::GetQualityAgreementRequest) -> Result<(Days, Option<i64>), Fault> {
    let wire::GetQualityAgreementRequest { start_date, end_date, policy_version } = request;
    let mut check = Check::new();
    let days = days_between(&mut check, "", (&start_date, &end_date), MAX_DAYS);
    let is_version = policy_version.is_none_or(|version| version >= 0);
    check.ensure(is_version, "policy_version", "must not be negative");
    check.done(INVALID_REQUEST)?;
    Ok((days.unwrap_or_default(), policy_version))
}

/// How far raters agree on each criterion.
pub(crate) fn agreement(policy: &Policy, pairs: &[(i64, i16, i16, i64)]) -> Vec<wire::CriterionAgreement> {
    let one = |(place, criterion): (i64, &Criterion)| {
        let mut matrix = Matrix::new(criterion.classes.len());
        for (_, first, second, count) in pairs.iter().filter(|(of, ..)| *of == place) {
            let class = |class: i16| usize::try_from(class).unwrap_or(usize::MAX);
            matrix.add((class(*first), class(*second)), *count);
        }
        criterion_agreement(criterion, &matrix)
    };
    (1..).zip(&policy.criteria).map(one).collect()
}

fn criterion_agreement(criterion: &Criterion, matrix: &Matrix) -> wire::CriterionAgreement {
    use wire::KappaState as State;
    let (state, kappa) = match matrix.kappa() {
        Chance::Measured(kappa) => (State::Measured, Some(kappa)),
        Chance::Nothing => (State::NoReviews, None),
        Chance::OneClass => (State::OneClass, None),
    };
    let observed = matrix.observed();
    wire::CriterionAgreement {
        criterion_id: criterion.id.clone(),
        classes: criterion.classes.clone(),
        review_count: matrix.total(),
        counts: matrix.counts().to_vec(),
        observed: observed.map(|(share, ..)| share),
        observed_lower: observed.map(|(_, lower, _)| lower),
        observed_upper: observed.map(|(.., upper)| upper),
        expected: matrix.expected(),
        kappa_state: state.into(),
        kappa: kappa.map(|kappa| kappa.value),
        kappa_lower: kappa.map(|kappa| kappa.lower),
        kappa_upper: kappa.map(|kappa| kappa.upper),
    }
}

/// Whose scorecards to list, of which days, from where on.
#[derive(Clone, Debug)]
pub(crate) struct ScorecardQuery {
    pub(crate) days: Days,
    pub(crate) agent: Option<String>,
    pub(crate) page: Page,
}

pub(crate) fn scorecards_of(request: wire::ListScorecardsRequest) -> Result<ScorecardQuery, Fault> {
    let wire::ListScorecardsRequest { page_size, page_token, start_date, end_date, agent_id } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &format!("{start_date} {end_date} {agent_id}"));
    let days = days_between(&mut check, "", (&start_date, &end_date), scorecard::MAX_DAYS);
    let agent = check.text("agent_id", agent_id, MAX_AGENT);
    check.done(INVALID_REQUEST)?;
    let agent = (!agent.is_empty()).then_some(agent);
    Ok(ScorecardQuery { days: days.unwrap_or_default(), agent, page })
}

/// A scorecard, as it is told. Takes its time: its intervals are computed.
pub(crate) fn scorecard(card: Scorecard) -> wire::Scorecard {
    let Scorecard { agent, resolved, adjusted, on_time, reopened, satisfaction, quality } = card;
    wire::Scorecard {
        agent_id: agent,
        resolved_count: resolved,
        adjusted_count: adjusted,
        on_time: Some(share(on_time)),
        reopened: Some(share(reopened)),
        satisfaction: Some(mean(&satisfaction)),
        quality: Some(mean(&quality)),
        few: resolved < scorecard::FEW,
    }
}

fn share(of: Share) -> wire::ScoreShare {
    let estimate = of.estimate();
    wire::ScoreShare {
        count: of.count,
        total: of.total,
        share: estimate.map(|(share, ..)| share),
        lower: estimate.map(|(_, lower, _)| lower),
        upper: estimate.map(|(.., upper)| upper),
    }
}

fn mean(of: &Sums) -> wire::ScoreMean {
    let interval = of.interval();
    wire::ScoreMean {
        count: of.count,
        mean: of.mean(),
        lower: interval.map(|(lower, _)| lower),
        upper: interval.map(|(_, upper)| upper),
    }
}
