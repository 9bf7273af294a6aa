//! The rpcs of `ClockService`.

use fault::Fault;
use kernel::CaseId;
use pg::Db;
use proto::redress::cases::v1::clock_service_server::ClockService;
use proto::redress::cases::v1::{
    ExplainDeadlineRequest, ExplainDeadlineResponse, ListClocksRequest, ListClocksResponse,
};
use tonic::{Request, Response, Status};

use crate::clocks::Clocks;
use crate::refusal::Refusal;
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
                store::get(&mut tx, case).await?.ok_or(Refusal::CaseNotFound)?;
                let clocks = Clocks(store::clocks::of(&mut tx, &[case.0]).await?);
                let now = tx.now();
                Ok((tx, (clocks, now)))
            })
            .await
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
}
