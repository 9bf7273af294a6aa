//! `LinkService`: read, transact, render.

use fault::Fault;
use kernel::{Caller, CaseId};
use pg::{Db, MutationContext, Tx};
use prost::Message;
use proto::redress::cases::v1::link_service_server::LinkService;
use proto::redress::cases::v1::{
    FindSimilarCasesRequest, FindSimilarCasesResponse, LinkCasesRequest, LinkCasesResponse, ListLinksRequest,
    ListLinksResponse, MergeCaseRequest, MergeCaseResponse, SimilarCase, UnlinkCasesRequest,
    UnlinkCasesResponse, UnmergeCaseRequest, UnmergeCaseResponse,
};
use sameness::{Person, Sketch};
use tonic::{Request, Response, Status};

use super::acting;
use crate::acting::{Act, Actor};
use crate::case::{Case, Joining, Occasion};
use crate::flow::persist;
use crate::links::{Link, Pair};
use crate::refusal::Refusal;
use crate::store;
use crate::wire::CaseTarget;
use crate::wire::links::{self as wire, Merging, Model, Search, ToLink};
use crate::wire::outbound as wire_events;

/// Most merged cases of an answer.
const MAX_MERGED: i64 = 100;
/// Texts less alike than this are not called similar.
const SIMILAR_FROM: f64 = 0.2;

/// The rpcs of `LinkService`.
#[derive(Clone)]
pub(crate) struct LinkRpc {
    db: Db,
}

/// Two cases locked by a transaction.
struct Two {
    case: Case,
    other: Case,
}

impl Two {
    async fn lock(tx: &mut Tx, case: CaseId, other: CaseId) -> Result<Self, Fault> {
        let locked = store::lock_all(tx, &[case.0, other.0]).await?;
        let [one, two] = <[Case; 2]>::try_from(locked).map_err(|_| Refusal::CaseNotFound)?;
        // What is told of them belongs to the first complaint's own trace.
        let first = one.id == case;
        let both = if first { Self { case: one, other: two } } else { Self { case: two, other: one } };
        tx.join_trace(&both.case.origin.traceparent);
        Ok(both)
    }

    async fn actor(&self, tx: &mut Tx, caller: &Caller) -> Result<Actor, Fault> {
        acting::actor(tx, caller, [&self.case, &self.other].into_iter()).await
    }

    /// Whether both name the same order.
    async fn same_order(&self, tx: &mut Tx) -> Result<bool, Fault> {
        let keys = store::sketch::keys(tx, &[self.case.id.0, self.other.id.0]).await?;
        let order = |case: &Case| keys.get(&case.id).and_then(|keys| keys.order);
        Ok(order(&self.case).is_some() && order(&self.case) == order(&self.other))
    }

    /// Whether what is known of their complainants differs.
    async fn people_differ(&self, tx: &mut Tx) -> Result<bool, Fault> {
        let mut keys = store::sketch::keys(tx, &[self.case.id.0, self.other.id.0]).await?;
        let mut person =
            |case: &Case| Person::of(&case.origin.customer_id, &keys.remove(&case.id).unwrap_or_default());
        Ok(person(&self.case).differs_from(&person(&self.other)))
    }

    async fn record(self, tx: &mut Tx) -> Result<Self, Fault> {
        let mut both = [self.case, self.other];
        persist::changed(tx, &mut both).await?;
        let [case, other] = both;
        Ok(Self { case, other })
    }
}

impl LinkRpc {
    /// Serves the links of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Makes one change to two cases and answers with the first.
    async fn change<A: Message + Default>(
        &self,
        context: MutationContext,
        (target, other): (CaseTarget, Other),
        act: impl FnOnce(Changing<'_>, &Occasion<'_>) -> Result<(), Fault> + Send,
        render: fn(&Case) -> A,
    ) -> Result<Response<A>, Status> {
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let other = match other {
                    Other::Named(other) => other,
                    Other::MergedInto => merged_into(&mut tx, target.case).await?,
                };
                let mut both = Two::lock(&mut tx, target.case, other).await?;
                let traceparent = tx.traceparent().to_owned();
                let at = Occasion { now: tx.now(), actor: &caller.subject, traceparent: &traceparent };
                let actor = both.actor(&mut tx, &caller).await?;
                let people_differ = both.people_differ(&mut tx).await?;
                let Two { case, other } = &mut both;
                act(Changing { case, other, actor, people_differ, version: target.version }, &at)?;
                let both = both.record(&mut tx).await?;
                Ok((tx, render(&both.case)))
            })
            .await?;
        Ok(server::reply(done))
    }

    /// Makes, confirms or dismisses the link of two cases.
    async fn say<A: Message + Default>(
        &self,
        context: MutationContext,
        (case, other): (CaseId, CaseId),
        act: impl FnOnce(Option<Link>, (&mut Case, &mut Case), &Occasion<'_>) -> Result<Link, Refusal> + Send,
        render: fn(Link) -> A,
    ) -> Result<Response<A>, Status> {
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let mut both = Two::lock(&mut tx, case, other).await?;
                permit_either(&both.case, &both.other, &both.actor(&mut tx, &caller).await?)?;
                let before = store::links::get(&mut tx, Pair::of(case, other)).await?;
                let traceparent = tx.traceparent().to_owned();
                let at = Occasion { now: tx.now(), actor: &caller.subject, traceparent: &traceparent };
                let link = act(before, (&mut both.case, &mut both.other), &at)?;
                store::links::save(&mut tx, &link).await?;
                let same_order = both.same_order(&mut tx).await?;
                both.record(&mut tx).await?;
                wire_events::publish_link(&mut tx, &link, same_order, traceparent);
                Ok((tx, render(link)))
            })
            .await?;
        Ok(server::reply(done))
    }
}

/// Two cases under change, and who changes them.
struct Changing<'a> {
    case: &'a mut Case,
    other: &'a mut Case,
    actor: Actor,
    people_differ: bool,
    /// The version of the first that the caller has seen; none skips the check.
    version: Option<i64>,
}

impl Changing<'_> {
    /// Refuses who has seen another version.
    fn seen(&self) -> Result<(), Fault> {
        match self.version {
            Some(seen) if seen != self.case.version => Err(Fault::version_mismatch(self.case.version)),
            _ => Ok(()),
        }
    }
}

/// What concerns two cases is for who may sort either, and not for whom either is
/// about.
fn permit_either(one: &Case, other: &Case, actor: &Actor) -> Result<(), Refusal> {
    one.authorize(Act::Assist, actor)?;
    other.authorize(Act::Assist, actor)?;
    one.authorize(Act::Sort, actor).or_else(|_| other.authorize(Act::Sort, actor))
}

/// The other of two cases.
enum Other {
    /// By its id.
    Named(CaseId),
    /// The one the first is merged into.
    MergedInto,
}

/// Read without a lock, as both are locked in their order: the change looks again.
async fn merged_into(tx: &mut Tx, id: CaseId) -> Result<CaseId, Fault> {
    let case = store::get(tx, id).await?.ok_or(Refusal::CaseNotFound)?;
    let merged = case.merged.ok_or(Refusal::InvalidCaseState(case.state))?;
    Ok(merged.into)
}

#[tonic::async_trait]
impl LinkService for LinkRpc {
    async fn list_links(
        &self,
        request: Request<ListLinksRequest>,
    ) -> Result<Response<ListLinksResponse>, Status> {
        let caller = server::caller(&request)?;
        let (id, page) = wire::list(request.into_inner())?;
        let (mut links, merged, page) = self
            .db
            .transact("link.list", &caller.tenant, async move |mut tx| {
                store::get(&mut tx, id).await?.ok_or(Refusal::CaseNotFound)?;
                let links = store::links::list(&mut tx, id, &page).await?;
                let merged = store::links::merged_into(&mut tx, id, MAX_MERGED).await?;
                Ok((tx, (links, merged, page)))
            })
            .await?;
        let next_page_token = page.cut(&mut links, |link| link.pair.other_than(id).to_string());
        Ok(Response::new(ListLinksResponse {
            links: links.into_iter().map(wire::link).collect(),
            next_page_token,
            merged_case_ids: merged.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn link_cases(
        &self,
        request: Request<LinkCasesRequest>,
    ) -> Result<Response<LinkCasesResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let ToLink { case, other, kind, reason } = wire::to_link(request)?;
        let act = |before: Option<Link>, both: (&mut Case, &mut Case), at: &Occasion<'_>| {
            Ok(Link::made(before, both, kind, reason, at))
        };
        let render = |link: Link| LinkCasesResponse { link: Some(wire::link(link)) };
        Box::pin(self.say(context, (case, other), act, render)).await
    }

    async fn unlink_cases(
        &self,
        request: Request<UnlinkCasesRequest>,
    ) -> Result<Response<UnlinkCasesResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (case, other, reason) = wire::to_unlink(request)?;
        let act = |before: Option<Link>, both: (&mut Case, &mut Case), at: &Occasion<'_>| {
            Link::dismissed(before, both, reason, at)
        };
        let render = |link: Link| UnlinkCasesResponse { link: Some(wire::link(link)) };
        Box::pin(self.say(context, (case, other), act, render)).await
    }

    async fn merge_case(
        &self,
        request: Request<MergeCaseRequest>,
    ) -> Result<Response<MergeCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let Merging { target, into, reason, across } = wire::merge(request)?;
        let act = |both: Changing<'_>, at: &Occasion<'_>| {
            both.case.authorize(Act::Sort, &both.actor)?;
            both.other.authorize(Act::Assist, &both.actor)?;
            if across.is_some() {
                both.actor.must_supervise()?;
            }
            both.seen()?;
            let joining = Joining { reason, people_differ: both.people_differ, across };
            Ok(both.case.merge_into(both.other, joining, at)?)
        };
        let render = |case: &Case| MergeCaseResponse { case: Some(crate::wire::case(case)) };
        Box::pin(self.change(context, (target, Other::Named(into)), act, render)).await
    }

    async fn unmerge_case(
        &self,
        request: Request<UnmergeCaseRequest>,
    ) -> Result<Response<UnmergeCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, reason) = wire::unmerge(request)?;
        let act = |both: Changing<'_>, at: &Occasion<'_>| {
            permit_either(both.case, both.other, &both.actor)?;
            both.seen()?;
            Ok(both.case.unmerge(both.other, reason, at)?)
        };
        let render = |case: &Case| UnmergeCaseResponse { case: Some(crate::wire::case(case)) };
        Box::pin(self.change(context, (target, Other::MergedInto), act, render)).await
    }

    async fn find_similar_cases(
        &self,
        request: Request<FindSimilarCasesRequest>,
    ) -> Result<Response<FindSimilarCasesResponse>, Status> {
        let caller = server::caller(&request)?;
        let search = wire::search(request.into_inner())?;
        let cases = self
            .db
            .transact("case.similar", &caller.tenant, async move |mut tx| {
                let cases = similar(&mut tx, search).await?;
                Ok((tx, cases))
            })
            .await?;
        Ok(Response::new(FindSimilarCasesResponse { cases }))
    }
}

/// Closed cases alike, the most alike first; none for a text that says too little.
async fn similar(tx: &mut Tx, search: Search) -> Result<Vec<SimilarCase>, Fault> {
    let Search { model, accepted_only, most } = search;
    let (itself, sketch) = match model {
        Model::Text(text) => (None, Sketch::of(&text)),
        Model::Case(id) => {
            store::get(tx, id).await?.ok_or(Refusal::CaseNotFound)?;
            (Some(id), store::sketch::get(tx, id).await?)
        }
    };
    let Some(sketch) = sketch else { return Ok(Vec::new()) };
    let closed = store::sketch::closed_alike(tx, &sketch).await?;
    let scored = closed.into_iter().map(|closed| (closed.sketch.likeness(&sketch), closed));
    let mut found: Vec<_> =
        scored.filter(|(score, closed)| *score >= SIMILAR_FROM && Some(closed.case) != itself).collect();
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    if !accepted_only {
        found.truncate(most);
    }
    let ids: Vec<CaseId> = found.iter().map(|(_, closed)| closed.case).collect();
    let mut endings = store::timeline::endings(tx, &ids).await?;
    let similar = found.into_iter().map(|(score, closed)| {
        let ending = endings.remove(&closed.case).unwrap_or_default();
        wire::similar(closed, score, ending)
    });
    Ok(similar.filter(|case| case.accepted || !accepted_only).take(most).collect())
}
