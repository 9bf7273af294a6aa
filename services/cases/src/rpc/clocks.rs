//! The rpcs of `ClockService`.

use calendar::Kind;
use fault::Fault;
use kernel::CaseId;
use pg::{Db, Tx};
use proto::redress::cases::v1::clock_service_server::ClockService;
use proto::redress::cases::v1::{
    ApproveExtensionRequest, ApproveExtensionResponse, CaseClock as WireClock, ExplainDeadlineRequest,
    ExplainDeadlineResponse, ListClocksRequest, ListClocksResponse, ListExtensionsRequest,
    ListExtensionsResponse, PauseClocksRequest, PauseClocksResponse, RefuseExtensionRequest,
    RefuseExtensionResponse, RequestExtensionRequest, RequestExtensionResponse, ResumeClocksRequest,
    ResumeClocksResponse, SendHoldingReplyRequest, SendHoldingReplyResponse,
};
use tonic::{Request, Response, Status};

use super::acting;
use crate::acting::Act;
use crate::case::{Case, Occasion};
use crate::clocks::Clocks;
use crate::clocks::holding::Granting;
use crate::clocks::pauses_and_extensions::{Extension, ExtensionState};
use crate::clocks::policy::Policy;
use crate::flow::clocks::{CaseClocks, jobs};
use crate::flow::persist;
use crate::refusal::Refusal;
use crate::wire::CaseTarget;
use crate::{store, wire};
use kernel::Caller;

/// Serves clocks.
#[derive(Clone)]
pub(crate) struct Rpc {
    db: Db,
}

impl Rpc {
    /// Serves the clocks of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// The clocks of a case, and the present.
    async fn clocks(&self, caller: &Caller, case: CaseId) -> Result<(Clocks, jiff::Timestamp), Fault> {
        self.db
            .transact("clock.list", &caller.tenant, async move |mut tx| {
                let case = store::get(&mut tx, case).await?.ok_or(Refusal::CaseNotFound)?;
                let clocks = jobs::look(&mut tx, &case).await?;
                let now = tx.now();
                Ok((tx, (clocks, now)))
            })
            .await
    }
}

/// A case under change, with its clocks.
struct LockedCase {
    case: Case,
    case_clocks: CaseClocks,
}

impl LockedCase {
    /// Locks a case and reads its clocks; what is told belongs to its trace.
    /// Only who works the case may change them.
    async fn open(tx: &mut Tx, target: CaseTarget, caller: &Caller) -> Result<Self, Fault> {
        let mut case = store::lock_all(tx, &[target.case.0]).await?.pop().ok_or(Refusal::CaseNotFound)?;
        case.authorize(Act::Handle, &acting::actor(tx, caller, std::iter::once(&case)).await?)?;
        if target.version.is_some_and(|seen| seen != case.version) {
            return Err(Fault::version_mismatch(case.version));
        }
        tx.join_trace(&case.origin.traceparent);
        let case_clocks = CaseClocks::open(tx, &[case.id.0]).await?;
        // What was put in force may have reached it just now.
        if let Some(clocks) = case_clocks.clocks.get(&case.id) {
            clocks.date(&mut case);
        }
        Ok(Self { case, case_clocks })
    }

    /// Changes the case and its clocks.
    fn act<T>(
        &mut self,
        tx: &Tx,
        by: &str,
        act: impl FnOnce(&mut Clocks, &mut Case, &Occasion<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Fault> {
        self.act_by_policy(tx, by, |clocks, _, case, at| act(clocks, case, at))
    }

    /// Changes the case and its clocks, looking at what is promised.
    fn act_by_policy<T>(
        &mut self,
        tx: &Tx,
        by: &str,
        act: impl FnOnce(&mut Clocks, &[Policy], &mut Case, &Occasion<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Fault> {
        // Another case stands for it, and its promises are as they were.
        if self.case.merged.is_some() {
            return Err(Refusal::InvalidCaseState(self.case.state).into());
        }
        let traceparent = tx.traceparent().to_owned();
        let clocks = self.case_clocks.clocks.entry(self.case.id).or_default();
        let at = Occasion { now: tx.now(), actor: by, traceparent: &traceparent };
        Ok(act(clocks, &self.case_clocks.policies, &mut self.case, &at)?)
    }

    /// Puts what was changed on record.
    async fn close(mut self, tx: &mut Tx) -> Result<Vec<WireClock>, Fault> {
        let now = tx.now();
        let clocks = self.case_clocks.clocks.entry(self.case.id).or_default();
        let rendered = clocks.0.iter().map(|clock| wire::clocks::clock(clock, now)).collect();
        self.case_clocks.arm(&self.case);
        let cases = std::slice::from_mut(&mut self.case);
        persist::changed_with_clocks(tx, cases, self.case_clocks).await?;
        Ok(rendered)
    }
}

/// An extension under decision: its case is locked.
async fn decide(
    tx: &mut Tx,
    id: uuid::Uuid,
    version: Option<i64>,
    caller: &Caller,
) -> Result<(LockedCase, Extension, i32), Fault> {
    let case = store::extensions::case_of(tx, id).await?.ok_or(Refusal::ExtensionNotFound)?;
    let locked = LockedCase::open(tx, CaseTarget { case, version }, caller).await?;
    let all = store::extensions::of(tx, case).await?;
    let number = next_number(&all);
    let extension = all.into_iter().find(|one| one.id == id).ok_or(Refusal::ExtensionNotFound)?;
    Ok((locked, extension, number))
}

/// The number the next extension of a case that is granted gets.
fn next_number(all: &[Extension]) -> i32 {
    let granted = all.iter().filter(|one| one.state == ExtensionState::Granted).count();
    i32::try_from(granted).unwrap_or(i32::MAX).saturating_add(1)
}

/// A request for more time that nobody has answered.
fn pending(tx: &Tx, case: CaseId, by: &str, kind: Kind, amount: u32, reason: String) -> Extension {
    Extension {
        id: tx.new_id(),
        case,
        kind,
        cycle: 0,
        state: ExtensionState::Pending,
        amount,
        reason,
        requester: by.to_owned(),
        requested: tx.now(),
        approver: String::new(),
        decided: None,
        refusal: String::new(),
    }
}

#[tonic::async_trait]
impl ClockService for Rpc {
    async fn list_clocks(
        &self,
        request: Request<ListClocksRequest>,
    ) -> Result<Response<ListClocksResponse>, Status> {
        let caller = server::caller(&request)?;
        let ListClocksRequest { case_id } = request.into_inner();
        let id = wire::case_id(&case_id)?;
        let (clocks, now) = self.clocks(&caller, id).await?;
        let clocks = clocks.0.iter().map(|clock| wire::clocks::clock(clock, now)).collect();
        Ok(Response::new(ListClocksResponse { clocks }))
    }

    async fn explain_deadline(
        &self,
        request: Request<ExplainDeadlineRequest>,
    ) -> Result<Response<ExplainDeadlineResponse>, Status> {
        let caller = server::caller(&request)?;
        let (case, kind) = wire::clocks::explain(request.into_inner())?;
        let (mut clocks, now) = self.clocks(&caller, case).await?;
        let clock = clocks.latest(kind).ok_or(Refusal::ClockNotFound).map_err(Fault::from)?;
        Ok(Response::new(wire::clocks::explained(clock, now)))
    }

    async fn pause_clocks(
        &self,
        request: Request<PauseClocksRequest>,
    ) -> Result<Response<PauseClocksResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, kinds, reason, remark) = wire::clocks::pause(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let mut locked = LockedCase::open(&mut tx, target, &caller).await?;
                locked.act(&tx, &caller.subject, |clocks, case, at| {
                    clocks.pause(case, &kinds, reason, &remark, at)
                })?;
                let clocks = locked.close(&mut tx).await?;
                Ok((tx, PauseClocksResponse { clocks }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn resume_clocks(
        &self,
        request: Request<ResumeClocksRequest>,
    ) -> Result<Response<ResumeClocksResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, kinds, remark) = wire::clocks::resume(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let mut locked = LockedCase::open(&mut tx, target, &caller).await?;
                locked
                    .act(&tx, &caller.subject, |clocks, case, at| clocks.resume(case, &kinds, &remark, at))?;
                let clocks = locked.close(&mut tx).await?;
                Ok((tx, ResumeClocksResponse { clocks }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn request_extension(
        &self,
        request: Request<RequestExtensionRequest>,
    ) -> Result<Response<RequestExtensionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let wire::clocks::Wanted { target, kind, amount, reason } = wire::clocks::request(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let mut locked = LockedCase::open(&mut tx, target, &caller).await?;
                let all = store::extensions::of(&mut tx, target.case).await?;
                if all.iter().any(|one| one.kind == kind && one.state == ExtensionState::Pending) {
                    return Err(Refusal::ExtensionPending.into());
                }
                let mut wanted = pending(&tx, target.case, &caller.subject, kind, amount, reason);
                let number = next_number(&all);
                locked.act(&tx, &caller.subject, |clocks, case, at| {
                    clocks.request(case, &mut wanted, number, at)
                })?;
                store::extensions::save(&mut tx, &wanted).await?;
                locked.close(&mut tx).await?;
                let extension = Some(wire::clocks::extension(&wanted));
                Ok((tx, RequestExtensionResponse { extension }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn approve_extension(
        &self,
        request: Request<ApproveExtensionRequest>,
    ) -> Result<Response<ApproveExtensionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, version) = wire::clocks::approval(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let (mut locked, mut extension, number) = decide(&mut tx, id, version, &caller).await?;
                locked.act(&tx, &caller.subject, |clocks, case, at| {
                    clocks.grant(case, &mut extension, &caller.subject, number, at)
                })?;
                store::extensions::save(&mut tx, &extension).await?;
                let clocks = locked.close(&mut tx).await?;
                let answer = wire::clocks::extension(&extension);
                let of = |clock: &WireClock| clock.kind == answer.kind && clock.cycle == answer.cycle;
                let clock = clocks.into_iter().find(of);
                Ok((tx, ApproveExtensionResponse { extension: Some(answer), clock }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn refuse_extension(
        &self,
        request: Request<RefuseExtensionRequest>,
    ) -> Result<Response<RefuseExtensionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, reason) = wire::clocks::refused(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let (mut locked, mut extension, _) = decide(&mut tx, id, None, &caller).await?;
                locked.act(&tx, &caller.subject, |_, case, at| {
                    extension.refuse(case, &caller.subject, reason, at)
                })?;
                store::extensions::save(&mut tx, &extension).await?;
                locked.close(&mut tx).await?;
                let extension = Some(wire::clocks::extension(&extension));
                Ok((tx, RefuseExtensionResponse { extension }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn send_holding_reply(
        &self,
        request: Request<SendHoldingReplyRequest>,
    ) -> Result<Response<SendHoldingReplyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, reply) = wire::clocks::hold(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let mut locked = LockedCase::open(&mut tx, target, &caller).await?;
                let all = store::extensions::of(&mut tx, target.case).await?;
                let granting = Granting { id: tx.new_id(), number: next_number(&all) };
                let given = locked.act_by_policy(&tx, &caller.subject, |clocks, policies, case, at| {
                    clocks.hold(case, policies, reply, granting, at)
                })?;
                if let Some(extension) = &given {
                    store::extensions::save(&mut tx, extension).await?;
                }
                let clocks = locked.close(&mut tx).await?;
                let extension = given.as_ref().map(wire::clocks::extension);
                Ok((tx, SendHoldingReplyResponse { clocks, extension }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn list_extensions(
        &self,
        request: Request<ListExtensionsRequest>,
    ) -> Result<Response<ListExtensionsResponse>, Status> {
        let caller = server::caller(&request)?;
        let ListExtensionsRequest { case_id } = request.into_inner();
        let id = wire::case_id(&case_id)?;
        let extensions = self
            .db
            .transact("extension.list", &caller.tenant, async move |mut tx| {
                store::get(&mut tx, id).await?.ok_or(Refusal::CaseNotFound)?;
                let extensions = store::extensions::of(&mut tx, id).await?;
                Ok((tx, extensions))
            })
            .await?;
        let extensions = extensions.iter().map(wire::clocks::extension).collect();
        Ok(Response::new(ListExtensionsResponse { extensions }))
    }
}
