//! One function per rpc: read, transact, render.

mod acting;
pub(crate) mod calendars;
pub(crate) mod categories;
mod change;
pub(crate) mod classifiers;
pub(crate) mod clocks;
pub(crate) mod complainants;
pub(crate) mod decisions;
pub(crate) mod directories;
pub(crate) mod groups;
pub(crate) mod knowledge;
pub(crate) mod links;
pub(crate) mod policies;
mod search;
pub(crate) mod topics;
mod track;
pub(crate) mod training;
pub(crate) mod triage;
mod watch;

pub(crate) use search::Search;

use std::sync::Arc;

use pg::{Db, Group, MutationContext};
use prost::Message;
use proto::redress::cases::v1::case_service_server::CaseService;
use proto::redress::cases::v1::{
    AddNoteRequest, AddNoteResponse, CloseCaseRequest, CloseCaseResponse, CountCasesRequest,
    CountCasesResponse, DecideCaseRequest, DecideCaseResponse, DeclineCaseRequest, DeclineCaseResponse,
    GetCaseRequest, GetCaseResponse, GetTimelineRequest, GetTimelineResponse, ListCasesRequest,
    ListCasesResponse, RecordFindingsRequest, RecordFindingsResponse, ReopenCaseRequest, ReopenCaseResponse,
    TrackComplaintRequest, TrackComplaintResponse, WatchCaseRequest, WithdrawCaseRequest,
    WithdrawCaseResponse, WithdrawComplaintRequest, WithdrawComplaintResponse,
};
use tonic::{Request, Response, Status};

use crate::acting::Act;
use crate::case::{Case, Decision, Occasion};
use crate::ground::{Claim, with_ground};
use crate::refusal::Refusal;
use crate::store;
use crate::timeline::WithdrawalSource;
use crate::wire::{self, CaseTarget};
use change::{Change, Changes, Render};
use watch::Watchers;

/// Most entries of earlier cycles that are shown with a case.
const MAX_TRIED: i64 = 200;

/// The rpcs of `CaseService`.
#[derive(Clone)]
pub(crate) struct Rpc {
    db: Db,
    changes: Arc<Group<Changes>>,
    receipt_rate_limit: server::CodeRateLimit,
    watchers: Arc<Watchers>,
}

impl Rpc {
    /// Serves the cases of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self {
            changes: Group::new(db.clone(), Changes),
            receipt_rate_limit: server::CodeRateLimit::new(db.clone()),
            watchers: Arc::new(Watchers::new(db.clone())),
            db,
        }
    }

    /// Makes one change to one case and answers with it.
    async fn change<A: Message + Default + 'static>(
        &self,
        context: MutationContext,
        (takes, target): (Act, CaseTarget),
        act: impl Fn(&mut Case, &Occasion<'_>) -> Result<(), Refusal> + Send + Sync + 'static,
        render: fn(&Case) -> A,
    ) -> Result<Response<A>, Status> {
        let act = move |case: &mut Case, at: &Occasion<'_>, _: Option<&str>| act(case, at);
        let change =
            Change { target, takes, note: None, claim: None, act: Box::new(act), render: encoded(render) };
        Ok(server::reply(self.changes.mutate(context, change).await?))
    }

    /// Makes one change that may need a ground, and answers with the case.
    async fn end<A: Message + Default + 'static>(
        &self,
        context: MutationContext,
        (takes, target, claim): (Act, CaseTarget, Option<Claim>),
        act: impl Fn(&mut Case, &Occasion<'_>, Option<&str>) -> Result<(), Refusal> + Send + Sync + 'static,
        render: fn(&Case) -> A,
    ) -> Result<Response<A>, Status> {
        let change = Change { target, takes, note: None, claim, act: Box::new(act), render: encoded(render) };
        Ok(server::reply(self.changes.mutate(context, change).await?))
    }
}

/// An answer about a case, as bytes.
fn encoded<A: Message + 'static>(render: impl Fn(&Case) -> A + Send + Sync + 'static) -> Render {
    Box::new(move |case| render(case).encode_to_vec())
}

#[tonic::async_trait]
impl CaseService for Rpc {
    type WatchCaseStream = watch::Changes;

    async fn get_case(&self, request: Request<GetCaseRequest>) -> Result<Response<GetCaseResponse>, Status> {
        let caller = server::caller(&request)?;
        let GetCaseRequest { case_id } = request.into_inner();
        let id = wire::case_id(&case_id)?;
        let (case, before) = self
            .db
            .transact("case.get", &caller.tenant, async move |mut tx| {
                let case = store::get(&mut tx, id).await?.ok_or(Refusal::CaseNotFound)?;
                let before = match case.cycle {
                    1 => Vec::new(),
                    cycle => store::timeline::tried_before(&mut tx, id, cycle, MAX_TRIED).await?,
                };
                Ok((tx, (case, before)))
            })
            .await?;
        let earlier_cycles = wire::earlier_cycles(before);
        Ok(Response::new(GetCaseResponse { case: Some(wire::case(&case)), earlier_cycles }))
    }

    async fn list_cases(
        &self,
        request: Request<ListCasesRequest>,
    ) -> Result<Response<ListCasesResponse>, Status> {
        let caller = server::caller(&request)?;
        let (listing, page) = wire::search::list(request.into_inner())?;
        let (condition, order) = (listing.search.condition, listing.order);
        let tenant = caller.tenant.clone();
        let (cases, page) = self
            .db
            .transact("case.list", &caller.tenant, async move |mut tx| {
                let context = store::search::SearchContext { tenant, now: tx.now() };
                let cases = store::search::list(&mut tx, &context, &condition, order, &page).await?;
                Ok((tx, (cases, page)))
            })
            .await?;
        let cases = cases.iter().map(|case| (store::search::page_key(order, case), wire::case(case)));
        let (cases, next_page_token) = server::page(&page, cases);
        Ok(Response::new(ListCasesResponse { cases, next_page_token }))
    }

    async fn watch_case(
        &self,
        request: Request<WatchCaseRequest>,
    ) -> Result<Response<Self::WatchCaseStream>, Status> {
        let caller = server::caller(&request)?;
        let WatchCaseRequest { case_id } = request.into_inner();
        let id = wire::case_id(&case_id)?;
        Ok(Response::new(self.watchers.changes(caller.tenant, id).await?))
    }

    async fn get_timeline(
        &self,
        request: Request<GetTimelineRequest>,
    ) -> Result<Response<GetTimelineResponse>, Status> {
        let caller = server::caller(&request)?;
        let (id, page) = wire::timeline(request.into_inner())?;
        let reader = caller.clone();
        let (entries, page) = self
            .db
            .transact("timeline.list", &caller.tenant, async move |mut tx| {
                let case = store::get(&mut tx, id).await?.ok_or(Refusal::CaseNotFound)?;
                let actor = acting::actor(&mut tx, &reader, std::iter::once(&case)).await?;
                let restricted = case.restricted_for(&actor);
                let entries = store::timeline::list(&mut tx, id, restricted, &page).await?;
                Ok((tx, (entries, page)))
            })
            .await?;
        let entries = entries.into_iter().map(|entry| (entry.ordinal.to_string(), wire::entry(entry)));
        let (entries, next_page_token) = server::page(&page, entries);
        Ok(Response::new(GetTimelineResponse { entries, next_page_token }))
    }

    async fn count_cases(
        &self,
        request: Request<CountCasesRequest>,
    ) -> Result<Response<CountCasesResponse>, Status> {
        let caller = server::caller(&request)?;
        let CountCasesRequest {} = request.into_inner();
        let (counts, durations) = self
            .db
            .transact("case.count", &caller.tenant, async move |mut tx| {
                let counts = store::counts::by_kind(&mut tx).await?;
                let durations = store::counts::durations(&mut tx).await?;
                Ok((tx, (counts, durations)))
            })
            .await?;
        Ok(Response::new(wire::counts(counts, &durations)))
    }

    async fn add_note(&self, request: Request<AddNoteRequest>) -> Result<Response<AddNoteResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, note) = wire::note(request)?;
        let takes = Act::noting(note.visibility);
        let written = note.clone();
        let add = move |case: &mut Case, at: &Occasion<'_>, _: Option<&str>| {
            case.add_note(written.clone(), at);
            Ok(())
        };
        let render = |case: &Case| AddNoteResponse {
            entry: case.journal.last().map(|noted| wire::entry(noted.entry(&case.time_zone))),
        };
        let (act, render) = (Box::new(add), encoded(render));
        let change = Change { target, takes, note: Some(note), claim: None, act, render };
        Ok(server::reply(self.changes.mutate(context, change).await?))
    }

    async fn record_findings(
        &self,
        request: Request<RecordFindingsRequest>,
    ) -> Result<Response<RecordFindingsResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, findings, root_cause) = wire::findings(request)?;
        let act = move |case: &mut Case, at: &Occasion<'_>| {
            case.record_findings(findings.clone(), root_cause.clone(), at)
        };
        let render = |case: &Case| RecordFindingsResponse { case: Some(wire::case(case)) };
        self.change(context, (Act::Handle, target), act, render).await
    }

    async fn decide_case(
        &self,
        request: Request<DecideCaseRequest>,
    ) -> Result<Response<DecideCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, decision, claim) = wire::decision(request)?;
        let act = move |case: &mut Case, at: &Occasion<'_>, ground: Option<&str>| {
            let reasons = with_ground(decision.reasons.clone(), ground);
            case.decide(Decision { reasons, ..decision.clone() }, at)
        };
        let render = |case: &Case| DecideCaseResponse { case: Some(wire::case(case)) };
        self.end(context, (Act::Handle, target, claim), act, render).await
    }

    async fn withdraw_case(
        &self,
        request: Request<WithdrawCaseRequest>,
    ) -> Result<Response<WithdrawCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, reason) = wire::withdrawal(request)?;
        let staff = WithdrawalSource::Staff;
        let act = move |case: &mut Case, at: &Occasion<'_>| case.withdraw(staff, reason.clone(), at);
        let render = |case: &Case| WithdrawCaseResponse { case: Some(wire::case(case)) };
        self.change(context, (Act::Withdraw, target), act, render).await
    }

    async fn withdraw_complaint(
        &self,
        request: Request<WithdrawComplaintRequest>,
    ) -> Result<Response<WithdrawComplaintResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (reference, source, reason) = wire::complainant_withdrawal(request)?;
        let case = track::withdrawn(&self.db, &self.receipt_rate_limit, &context.caller, reference).await?;
        let target = CaseTarget { case, version: None };
        let act = move |case: &mut Case, at: &Occasion<'_>| case.withdraw(source, reason.clone(), at);
        let render = |case: &Case| WithdrawComplaintResponse {
            state: case.state.number().into(),
            withdraw_time: case.close_time.map(proto::timestamp),
        };
        self.change(context, (Act::WithdrawAsComplainant, target), act, render).await
    }

    async fn decline_case(
        &self,
        request: Request<DeclineCaseRequest>,
    ) -> Result<Response<DeclineCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, referral, claim) = wire::referral(request)?;
        let act = move |case: &mut Case, at: &Occasion<'_>, ground: Option<&str>| {
            case.decline(with_ground(referral.clone(), ground), at)
        };
        let render = |case: &Case| DeclineCaseResponse { case: Some(wire::case(case)) };
        self.end(context, (Act::Sort, target, Some(claim)), act, render).await
    }

    async fn close_case(
        &self,
        request: Request<CloseCaseRequest>,
    ) -> Result<Response<CloseCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, reason) = wire::closure(request)?;
        let act = move |case: &mut Case, at: &Occasion<'_>| case.close(reason.clone(), at);
        let render = |case: &Case| CloseCaseResponse { case: Some(wire::case(case)) };
        self.change(context, (Act::Handle, target), act, render).await
    }

    async fn reopen_case(
        &self,
        request: Request<ReopenCaseRequest>,
    ) -> Result<Response<ReopenCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, reason) = wire::reopening(request)?;
        let act = move |case: &mut Case, at: &Occasion<'_>| case.reopen(reason.clone(), at);
        let render = |case: &Case| ReopenCaseResponse { case: Some(wire::case(case)) };
        self.change(context, (Act::Handle, target), act, render).await
    }

    async fn track_complaint(
        &self,
        request: Request<TrackComplaintRequest>,
    ) -> Result<Response<TrackComplaintResponse>, Status> {
        let caller = server::caller(&request)?;
        let request = request.into_inner();
        Ok(Response::new(track::progress(&self.db, &self.receipt_rate_limit, &caller, request).await?))
    }
}
