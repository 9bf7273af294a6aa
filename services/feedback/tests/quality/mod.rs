//! Reviews of closed cases, how far raters agree, and scorecards.

use std::time::Duration;

use proto::redress::assignment::v1::CaseAssigned;
use proto::redress::cases::v1::{
    CaseDecided, CaseOpened, CaseResolved, ClockBreached, ClockKind, CloseReason, Outcome,
};
use proto::redress::feedback::v1::quality_service_client::QualityServiceClient;
use proto::redress::feedback::v1::{
    GetQualityAgreementRequest, GetQualityPolicyRequest, GetQualityReviewRequest, KappaState,
    ListQualityReviewsRequest, ListScorecardsRequest, QualityCriterion, QualityPolicy, QualityRatingItem,
    QualityReview, QualityReviewState, RateQualityReviewRequest, Scorecard, UpdateQualityPolicyRequest,
};
use testkit::{CallerChannel, House, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{accept, case, client, closed, house, refused, registered, reopened, resolved, respond};

type Quality = QualityServiceClient<CallerChannel>;

fn quality(house: &House, subject: &str) -> Quality {
    Quality::new(house.channel_as("development", subject, &["supervisor"]))
}

fn policy(sample_percent: i32) -> QualityPolicy {
    let criterion = |id: &str, weight| QualityCriterion {
        criterion_id: id.to_owned(),
        question: "Was it well done?".to_owned(),
        classes: ["bad", "fair", "good"].map(str::to_owned).to_vec(),
        weight,
    };
    QualityPolicy {
        sample_percent,
        seed: "known".to_owned(),
        criteria: vec![criterion("fairness", 3), criterion("clarity", 1)],
        note: "for a test".to_owned(),
        ..QualityPolicy::default()
    }
}

fn updating(expected_version: i64, policy: QualityPolicy) -> UpdateQualityPolicyRequest {
    UpdateQualityPolicyRequest { request_id: request_id(), expected_version, policy: Some(policy) }
}

async fn update(house: &House, request: UpdateQualityPolicyRequest) -> Result<QualityPolicy, Status> {
    Ok(quality(house, "admin").update_quality_policy(request).await?.into_inner().policy.unwrap())
}

async fn reviews(house: &House, state: QualityReviewState) -> Vec<QualityReview> {
    let request = ListQualityReviewsRequest { page_size: 500, state: state.into(), ..Default::default() };
    quality(house, "su").list_quality_reviews(request).await.unwrap().into_inner().reviews
}

async fn get(house: &House, subject: &str, id: &str) -> Result<QualityReview, Status> {
    let request = GetQualityReviewRequest { review_id: id.to_owned() };
    Ok(quality(house, subject).get_quality_review(request).await?.into_inner().review.unwrap())
}

fn rating(review: &QualityReview, classes: [&str; 2]) -> RateQualityReviewRequest {
    let item = |(id, class): (&str, &str)| QualityRatingItem {
        criterion_id: id.to_owned(),
        rated_class: class.to_owned(),
    };
    RateQualityReviewRequest {
        request_id: request_id(),
        review_id: review.review_id.clone(),
        items: ["fairness", "clarity"].into_iter().zip(classes).map(item).collect(),
        note: "as seen".to_owned(),
    }
}

async fn rate(
    house: &House,
    subject: &str,
    request: RateQualityReviewRequest,
) -> Result<QualityReview, Status> {
    Ok(quality(house, subject).rate_quality_review(request).await?.into_inner().review.unwrap())
}

fn assigned(case: Uuid, cycle: i32, agent: &str) -> CaseAssigned {
    CaseAssigned {
        case_id: case.to_string(),
        cycle,
        department_id: "service".to_owned(),
        agent_id: agent.to_owned(),
        ..CaseAssigned::default()
    }
}

/// A case that an agent handled and that was closed.
async fn handled(house: &House, agent: &str) -> Uuid {
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    house.tell("assignment", case, &assigned(case, 1, agent)).await;
    house.settled().await;
    house.tell("cases", case, &resolved(case, 1)).await;
    house.tell("cases", case, &closed(case, 1, CloseReason::Staff)).await;
    house.settled().await;
    case
}

#[tokio::test]
async fn of_each_handler_the_share_is_drawn_as_cases_are_closed() {
    let house = house().await;
    update(&house, updating(0, policy(50))).await.unwrap();
    for agent in ["ann", "bo"] {
        for _ in 0..6 {
            handled(&house, agent).await;
        }
    }
    let drawn = reviews(&house, QualityReviewState::Open).await;
    let of = |agent: &str| drawn.iter().filter(|review| review.agent_id == agent).count();
    assert_eq!((of("ann"), of("bo"), drawn.len()), (3, 3, 6));
    assert!(drawn.iter().all(|review| review.policy_version == 1 && review.cycle == 1));
    assert!(drawn.iter().all(|review| (0.0..1.0).contains(&review.draw_ticket) && review.score.is_none()));
    update(&house, updating(1, policy(0))).await.unwrap();
    handled(&house, "ann").await;
    assert_eq!(reviews(&house, QualityReviewState::Unspecified).await.len(), 6);
    house.done().await;
}

#[tokio::test]
async fn a_cycle_is_drawn_once_and_the_next_one_again() {
    let house = house().await;
    update(&house, updating(0, policy(100))).await.unwrap();
    let case = handled(&house, "ann").await;
    house.tell("cases", case, &closed(case, 1, CloseReason::Staff)).await;
    house.settled().await;
    assert_eq!(reviews(&house, QualityReviewState::Open).await.len(), 1);
    house.advance(Duration::from_secs(1));
    house.tell("cases", case, &reopened(case, 2)).await;
    house.tell("cases", case, &closed(case, 2, CloseReason::Staff)).await;
    house.settled().await;
    let drawn = reviews(&house, QualityReviewState::Open).await;
    assert_eq!(drawn.iter().map(|review| review.cycle).collect::<Vec<_>>(), [2, 1], "newest first");
    house.done().await;
}

#[tokio::test]
async fn two_who_did_not_handle_the_case_rate_it_and_neither_sees_the_other_before() {
    let house = house().await;
    update(&house, updating(0, policy(100))).await.unwrap();
    let case = handled(&house, "ann").await;
    let recused = CaseDecided { recused_subjects: vec!["wu".to_owned()], ..decided(case) };
    house.tell("cases", case, &recused).await;
    house.settled().await;
    let review = reviews(&house, QualityReviewState::Open).await.remove(0);
    let refusal =
        async |subject: &str| refused(rate(&house, subject, rating(&review, ["good", "good"])).await);
    assert_eq!(refusal("Ann").await, (Code::PermissionDenied, "OWN_QUALITY_REVIEW".to_owned()));
    assert_eq!(refusal("wu").await, (Code::PermissionDenied, "CALLER_RECUSED".to_owned()));

    let request = rating(&review, ["good", "bad"]);
    let first = rate(&house, "su", request.clone()).await.unwrap();
    assert_eq!(rate(&house, "su", request).await.unwrap(), first, "repeated");
    assert_eq!((first.state(), first.rating_count, first.ratings.len()), (QualityReviewState::Open, 1, 1));
    assert_eq!((first.ratings[0].score, first.score), (75.0, None));
    let unseen = get(&house, "xi", &review.review_id).await.unwrap();
    assert_eq!((unseen.rating_count, unseen.ratings.len()), (1, 0));
    assert_eq!(refusal("SU").await, (Code::FailedPrecondition, "QUALITY_REVIEW_RATED".to_owned()));

    let second = rate(&house, "xi", rating(&review, ["good", "good"])).await.unwrap();
    assert_eq!(
        (second.state(), second.ratings.len(), second.score),
        (QualityReviewState::Completed, 2, Some(87.5))
    );
    assert_eq!(second.ratings[0].items[1].rated_class, "bad");
    assert_eq!(get(&house, "su", &review.review_id).await.unwrap(), second);
    assert_eq!(refusal("yi").await, (Code::FailedPrecondition, "QUALITY_REVIEW_COMPLETED".to_owned()));
    assert_eq!(reviews(&house, QualityReviewState::Open).await, []);
    assert_eq!(reviews(&house, QualityReviewState::Completed).await, [second]);
    house.done().await;
}

fn decided(case: Uuid) -> CaseDecided {
    CaseDecided {
        case_id: case.to_string(),
        cycle: 1,
        outcome: Outcome::Upheld.into(),
        ..CaseDecided::default()
    }
}

#[tokio::test]
async fn two_who_rate_at_once_complete_it_once() {
    let house = house().await;
    update(&house, updating(0, policy(100))).await.unwrap();
    handled(&house, "ann").await;
    let review = reviews(&house, QualityReviewState::Open).await.remove(0);
    let (one, other, third) = tokio::join!(
        rate(&house, "su", rating(&review, ["good", "good"])),
        rate(&house, "xi", rating(&review, ["bad", "bad"])),
        rate(&house, "yi", rating(&review, ["bad", "bad"])),
    );
    let taken = [&one, &other, &third].into_iter().filter(|rated| rated.is_ok()).count();
    assert_eq!(taken, 2, "{one:?} {other:?} {third:?}");
    let known = get(&house, "su", &review.review_id).await.unwrap();
    assert_eq!((known.rating_count, known.ratings.len()), (2, 2));
    house.done().await;
}

#[tokio::test]
async fn a_rating_is_of_every_criterion_once_in_words_of_its_classes() {
    let house = house().await;
    update(&house, updating(0, policy(100))).await.unwrap();
    handled(&house, "ann").await;
    let review = reviews(&house, QualityReviewState::Open).await.remove(0);
    let mut request = rating(&review, ["superb", "good"]);
    request.items[1].criterion_id = "taste".to_owned();
    let status = rate(&house, "su", request).await.unwrap_err();
    assert_eq!(violations(&status), ["items[0].rated_class", "items[1].criterion_id", "items"]);
    let mut request = rating(&review, ["good", "good"]);
    request.items[1].criterion_id = "fairness".to_owned();
    let status = rate(&house, "su", request).await.unwrap_err();
    assert_eq!(violations(&status), ["items[1].criterion_id", "items"]);
    house.done().await;
}

#[tokio::test]
async fn a_policy_follows_the_latest_and_bad_ones_are_refused_whole() {
    let house = house().await;
    let shipped = quality(&house, "su").get_quality_policy(GetQualityPolicyRequest { version: None }).await;
    let shipped = shipped.unwrap().into_inner().policy.unwrap();
    assert_eq!((shipped.version, shipped.sample_percent, shipped.criteria.len()), (0, 5, 5));
    let request = updating(0, QualityPolicy { seed: String::new(), ..policy(10) });
    let made = update(&house, request.clone()).await.unwrap();
    assert_eq!(update(&house, request.clone()).await.unwrap(), made, "repeated");
    assert!(made.version == 1 && made.seed.len() == 32 && made.creator == "admin", "{made:?}");
    let again = UpdateQualityPolicyRequest { request_id: request_id(), ..request };
    assert_eq!(refused(update(&house, again).await), (Code::Aborted, "VERSION_MISMATCH".to_owned()));
    let mut bad = policy(101);
    bad.criteria[0].classes = vec!["good".to_owned()];
    bad.criteria[0].weight = 0;
    bad.criteria[1] = QualityCriterion { criterion_id: "Fair ness".to_owned(), ..bad.criteria[1].clone() };
    bad.criteria[1].classes[2] = "bad".to_owned();
    bad.criteria.push(bad.criteria[0].clone());
    let status = update(&house, updating(1, bad)).await.unwrap_err();
    let expected = [
        "policy.sample_percent",
        "policy.criteria[0].classes",
        "policy.criteria[0].weight",
        "policy.criteria[1].criterion_id",
        "policy.criteria[1].classes[2]",
        "policy.criteria[2].criterion_id",
        "policy.criteria[2].classes",
        "policy.criteria[2].weight",
    ];
    assert_eq!(violations(&status), expected);
    house.done().await;
}

#[tokio::test]
async fn agreement_is_told_beyond_chance_and_says_where_there_is_none() {
    let house = house().await;
    update(&house, updating(0, policy(100))).await.unwrap();
    let ask = async || {
        let request = GetQualityAgreementRequest {
            start_date: "2026-11-01".to_owned(),
            end_date: "2027-11-01".to_owned(),
            policy_version: None,
        };
        quality(&house, "su").get_quality_agreement(request).await.unwrap().into_inner()
    };
    let none = ask().await;
    assert_eq!(none.criteria[0].kappa_state(), KappaState::NoReviews);
    // Fairness: agreed on three of four; of clarity both always say good.
    for (one, other) in [("good", "good"), ("good", "good"), ("bad", "bad"), ("good", "bad")] {
        handled(&house, "ann").await;
        let review = reviews(&house, QualityReviewState::Open).await.remove(0);
        rate(&house, "su", rating(&review, [one, "good"])).await.unwrap();
        rate(&house, "xi", rating(&review, [other, "good"])).await.unwrap();
    }
    let told = ask().await;
    let [fairness, clarity] = told.criteria.as_slice() else { panic!("{told:?}") };
    assert_eq!((fairness.review_count, fairness.counts.as_slice()), (4, &[1, 0, 0, 0, 0, 0, 1, 0, 2][..]));
    let near = |told: Option<f64>, value: f64| (told.unwrap() - value).abs() < 1e-12;
    assert!(near(fairness.observed, 0.75) && near(fairness.expected, 0.5) && near(fairness.kappa, 0.5));
    assert_eq!(fairness.kappa_state(), KappaState::Measured);
    assert_eq!(
        (clarity.kappa_state(), clarity.kappa, clarity.observed),
        (KappaState::OneClass, None, Some(1.0))
    );
    assert_eq!(told.policy_version, 1);
    house.done().await;
}

async fn cards(house: &House, request: ListScorecardsRequest) -> Vec<Scorecard> {
    quality(house, "su").list_scorecards(request).await.unwrap().into_inner().scorecards
}

fn of_november(page_size: i32) -> ListScorecardsRequest {
    ListScorecardsRequest {
        page_size,
        start_date: "2026-11-01".to_owned(),
        end_date: "2026-12-01".to_owned(),
        ..ListScorecardsRequest::default()
    }
}

/// A case of a category that an agent takes hours to resolve.
async fn worked(house: &House, agent: &str, category: &str, hours: u64) -> Uuid {
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    let opened =
        CaseOpened { case_id: case.to_string(), category: category.to_owned(), ..CaseOpened::default() };
    house.tell("cases", case, &opened).await;
    house.tell("assignment", case, &assigned(case, 1, agent)).await;
    house.advance(Duration::from_hours(hours));
    let far = Some(prost_types::Timestamp { seconds: 1_900_000_000, nanos: 0 });
    let resolved = CaseResolved { respond_until_time: far, ..resolved(case, 1) };
    house.tell("cases", case, &resolved).await;
    house.settled().await;
    case
}

#[tokio::test]
async fn scorecards_weigh_what_is_hard_and_say_how_sure_they_are() {
    let house = house().await;
    update(&house, updating(0, policy(0))).await.unwrap();
    // Within working hours of the mock clock's day: what is hard takes three times as long.
    for _ in 0..10 {
        worked(&house, "ann", "hard", 72).await;
        worked(&house, "bo", "easy", 24).await;
    }
    let case = worked(&house, "bo", "easy", 24).await;
    respond(&mut client(&house), accept(case)).await.unwrap();
    house.tell("cases", case, &reopened(case, 2)).await;
    house.advance(Duration::from_secs(1));
    let breach = ClockBreached {
        case_id: case.to_string(),
        kind: ClockKind::Decide.into(),
        ..ClockBreached::default()
    };
    house.tell("cases", case, &breach).await;
    house.settled().await;
    let request = ListScorecardsRequest { end_date: "2027-10-01".to_owned(), ..of_november(0) };
    let told = cards(&house, request.clone()).await;
    let [ann, bo] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((ann.agent_id.as_str(), ann.resolved_count, ann.few), ("ann", 10, true));
    assert_eq!((bo.agent_id.as_str(), bo.resolved_count), ("bo", 11));
    assert!(ann.adjusted_count > 11.0 && bo.adjusted_count < 10.0, "{ann:?} {bo:?}");
    let reopened = bo.reopened.unwrap();
    assert_eq!((reopened.count, reopened.total), (1, 11));
    assert!(reopened.lower.unwrap() > 0.0 && reopened.upper.unwrap() < 0.5);
    // A promise that was broken after the outcome was not in its way.
    assert_eq!(bo.on_time.map(|share| (share.count, share.total)), Some((11, 11)));
    let satisfaction = bo.satisfaction.unwrap();
    assert_eq!((satisfaction.count, satisfaction.mean, satisfaction.lower), (1, Some(5.0), None));
    assert_eq!(ann.satisfaction.unwrap().mean, None);

    let mut paged = Vec::new();
    let mut page = ListScorecardsRequest { page_size: 1, ..request.clone() };
    loop {
        let answer = quality(&house, "su").list_scorecards(page.clone()).await.unwrap().into_inner();
        paged.extend(answer.scorecards);
        if answer.next_page_token.is_empty() {
            break;
        }
        page.page_token = answer.next_page_token;
    }
    assert_eq!(paged, told);
    let only = ListScorecardsRequest { agent_id: "bo".to_owned(), ..request };
    assert_eq!(cards(&house, only).await, std::slice::from_ref(bo));
    let status = quality(&house, "su").list_scorecards(of_november(501)).await.unwrap_err();
    assert_eq!(violations(&status), ["page_size"]);
    house.done().await;
}

#[tokio::test]
async fn scores_of_reviews_stand_on_the_card_of_who_handled() {
    let house = house().await;
    update(&house, updating(0, policy(100))).await.unwrap();
    for classes in [["good", "good"], ["bad", "bad"]] {
        handled(&house, "ann").await;
        let review = reviews(&house, QualityReviewState::Open).await.remove(0);
        rate(&house, "su", rating(&review, classes)).await.unwrap();
        rate(&house, "xi", rating(&review, classes)).await.unwrap();
    }
    let card = cards(&house, of_november(0)).await.remove(0);
    let told = card.quality.unwrap();
    assert_eq!((told.count, told.mean), (2, Some(50.0)));
    // Two values of 0 and 100 say next to nothing: 12.706 standard errors either way.
    assert!((told.upper.unwrap() - 50.0 - 12.706_205 * 50.0).abs() < 1e-3, "{told:?}");
    house.done().await;
}
