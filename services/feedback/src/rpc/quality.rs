//! The rpcs of `QualityService`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use fault::Fault;
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::Caller;
use pg::{Db, Tx};
use proto::redress::feedback::v1::quality_service_server::QualityService;
use proto::redress::feedback::v1::{
    GetQualityAgreementRequest, GetQualityAgreementResponse, GetQualityPolicyRequest,
    GetQualityPolicyResponse, GetQualityReviewRequest, GetQualityReviewResponse, ListQualityReviewsRequest,
    ListQualityReviewsResponse, ListScorecardsRequest, ListScorecardsResponse, QualityReview as ReviewView,
    RateQualityReviewRequest, RateQualityReviewResponse, UpdateQualityPolicyRequest,
    UpdateQualityPolicyResponse,
};
use tonic::{Request, Response, Status};

use super::revisions::{self, Settled};
use crate::flow::figures;
use crate::kpi::window;
use crate::quality::{Policy, Rating, Review};
use crate::refusal::Refusal;
use crate::revision::{Revision, Subject};
use crate::wire::{Rated, Reviewed};
use crate::{store, wire};

const POLICY: Settled<'static> =
    Settled { subject: Subject::QualityPolicy, name: "", missing: Refusal::QualityPolicyNotFound };

/// Serves reviews and scorecards.
pub(crate) struct Quality {
    db: Db,
}

impl Quality {
    /// Serves the reviews of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

async fn policy(tx: &mut Tx, version: Option<i64>) -> Result<Revision<Policy>, Fault> {
    revisions::read(tx, POLICY, version, Policy::shipped()).await
}

/// Makes the next version, which is in force at once.
async fn update(
    tx: &mut Tx,
    (wanted, note, expected): (Policy, String, i64),
    caller: &Caller,
) -> Result<Revision<Policy>, Fault> {
    let latest = store::hold_revisions(tx, Subject::QualityPolicy, "").await?;
    if latest != expected {
        return Err(Fault::version_mismatch(latest));
    }
    let made = revisions::create(tx, POLICY, wanted, note, &caller.subject).await?;
    revisions::activate(tx, POLICY, made.version, Policy::shipped(), &caller.subject).await
}

/// Reviews as somebody sees them, by their policies.
async fn shown(tx: &mut Tx, reviews: Vec<Review>, viewer: &str) -> Result<Vec<(String, ReviewView)>, Fault> {
    let mut policies = BTreeMap::new();
    for review in &reviews {
        if let Entry::Vacant(unknown) = policies.entry(review.policy) {
            unknown.insert(policy(tx, Some(review.policy)).await?.content);
        }
    }
    let view = |review: Review| {
        let policy = policies.get(&review.policy).ok_or_else(|| Fault::internal("a policy is gone"))?;
        Ok((review.id.to_string(), wire::quality_review(Reviewed { review, policy, viewer })))
    };
    reviews.into_iter().map(view).collect()
}

async fn shown_one(tx: &mut Tx, review: Review, viewer: &str) -> Result<ReviewView, Fault> {
    let view = shown(tx, vec![review], viewer).await?.pop();
    view.map(|(_, view)| view).ok_or_else(|| Fault::internal("nothing is shown"))
}

async fn rate(tx: &mut Tx, rated: Rated, caller: &Caller) -> Result<ReviewView, Fault> {
    let Rated { review: id, items, note } = rated;
    let mut review = store::lock_quality_review(tx, id).await?.ok_or(Refusal::QualityReviewNotFound)?;
    let profiles = store::profiles(tx, &[review.case_id]).await?;
    let is_recused = profiles
        .get(&review.case_id)
        .is_some_and(|profile| profile.recused.contains(&caller.subject.to_lowercase()));
    if is_recused {
        return Err(Refusal::CallerRecused.into());
    }
    let policy = policy(tx, Some(review.policy)).await?.content;
    let classes = wire::classes(&items, &policy)?;
    let handlers = store::case_agents(tx, review.case_id).await?;
    let rating = Rating { rater: caller.subject.to_string(), classes, note, at: tx.now() };
    review.rate(rating, &policy, &handlers)?;
    store::save_quality_rating(tx, &review).await?;
    shown_one(tx, review, &caller.subject).await
}

/// When days of the tenant's zone begin and end.
async fn times(tx: &mut Tx, (start, end): (Date, Date)) -> Result<(Timestamp, Timestamp), Fault> {
    let zone = figures::zone(&store::kpi_settings(tx).await?);
    Ok((window::begin(start, &zone), window::begin(end, &zone)))
}

#[tonic::async_trait]
impl QualityService for Quality {
    async fn update_quality_policy(
        &self,
        request: Request<UpdateQualityPolicyRequest>,
    ) -> Result<Response<UpdateQualityPolicyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let seed = self.db.ids().token().simple().to_string();
        let wanted = wire::wanted_quality_policy(request, &seed)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let made = update(&mut tx, wanted, &caller).await?;
            Ok((tx, UpdateQualityPolicyResponse { policy: Some(wire::quality_policy(made)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_quality_policy(
        &self,
        request: Request<GetQualityPolicyRequest>,
    ) -> Result<Response<GetQualityPolicyResponse>, Status> {
        let caller = server::caller(&request)?;
        let version = wire::version_of(request.into_inner().version)?;
        let read = self.db.transact("quality_policy.get", &caller.tenant, async move |mut tx| {
            let read = policy(&mut tx, version).await?;
            Ok((tx, read))
        });
        Ok(Response::new(GetQualityPolicyResponse { policy: Some(wire::quality_policy(read.await?)) }))
    }

    async fn list_quality_reviews(
        &self,
        request: Request<ListQualityReviewsRequest>,
    ) -> Result<Response<ListQualityReviewsResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::ReviewListQuery { state, page, after } = wire::reviews_of(request.into_inner())?;
        let (wanted, viewer) = (page.clone(), caller.subject.clone());
        let listed = self.db.transact("quality_reviews.list", &caller.tenant, async move |mut tx| {
            let reviews = store::quality_reviews(&mut tx, state, &wanted, after).await?;
            let shown = shown(&mut tx, reviews, &viewer).await?;
            Ok((tx, shown))
        });
        let (reviews, next_page_token) = server::page(&page, listed.await?);
        Ok(Response::new(ListQualityReviewsResponse { reviews, next_page_token }))
    }

    async fn get_quality_review(
        &self,
        request: Request<GetQualityReviewRequest>,
    ) -> Result<Response<GetQualityReviewResponse>, Status> {
        let caller = server::caller(&request)?;
        let id = wire::review_of(request.into_inner())?;
        let viewer = caller.subject.clone();
        let read = self.db.transact("quality_reviews.get", &caller.tenant, async move |mut tx| {
            let review = store::quality_review(&mut tx, id).await?.ok_or(Refusal::QualityReviewNotFound)?;
            let review = shown_one(&mut tx, review, &viewer).await?;
            Ok((tx, review))
        });
        Ok(Response::new(GetQualityReviewResponse { review: Some(read.await?) }))
    }

    async fn rate_quality_review(
        &self,
        request: Request<RateQualityReviewRequest>,
    ) -> Result<Response<RateQualityReviewResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let rated = wire::rated(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let review = Some(rate(&mut tx, rated, &caller).await?);
            Ok((tx, RateQualityReviewResponse { review }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_quality_agreement(
        &self,
        request: Request<GetQualityAgreementRequest>,
    ) -> Result<Response<GetQualityAgreementResponse>, Status> {
        let caller = server::caller(&request)?;
        let (days, version) = wire::agreement_of(request.into_inner())?;
        let read = self.db.transact("quality_agreement.get", &caller.tenant, async move |mut tx| {
            let policy = policy(&mut tx, version).await?;
            let times = times(&mut tx, days).await?;
            let pairs = store::rated_pairs(&mut tx, policy.version, times).await?;
            Ok((tx, (policy, pairs)))
        });
        let (policy, pairs) = read.await?;
        let criteria = wire::agreement(&policy.content, &pairs);
        Ok(Response::new(GetQualityAgreementResponse { criteria, policy_version: policy.version }))
    }

    async fn list_scorecards(
        &self,
        request: Request<ListScorecardsRequest>,
    ) -> Result<Response<ListScorecardsResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::ScorecardQuery { days, agent, page } = wire::scorecards_of(request.into_inner())?;
        let wanted = page.clone();
        let listed = self.db.transact("scorecards.list", &caller.tenant, async move |mut tx| {
            let times = times(&mut tx, days).await?;
            let (agent, after) = (agent.as_deref(), wanted.after.as_deref());
            let cards = store::scorecards(&mut tx, times, agent, &wanted, after).await?;
            Ok((tx, cards))
        });
        let cards = listed.await?;
        let shown = move || {
            let shown =
                |card: crate::quality::scorecard::Scorecard| (card.agent.clone(), wire::scorecard(card));
            Ok::<_, Fault>(cards.into_iter().map(shown).collect::<Vec<_>>())
        };
        let length = server::Length::Quick;
        let cards = server::blocking(&caller.tenant, length, "scorecards", shown).await??;
        let (scorecards, next_page_token) = server::page(&page, cards);
        Ok(Response::new(ListScorecardsResponse { scorecards, next_page_token }))
    }
}
