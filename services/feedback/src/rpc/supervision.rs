//! The rpcs of `CaseSupervisionService`.

use pg::Db;
use proto::redress::feedback::v1::case_supervision_service_server::CaseSupervisionService;
use proto::redress::feedback::v1::{
    GetSupervisionOverviewRequest, GetSupervisionOverviewResponse, ListSupervisedCasesRequest,
    ListSupervisedCasesResponse,
};
use tonic::{Request, Response, Status};

use super::fact_states::{FactStates, known};
use crate::{store, wire};

/// Serves the view of those who supervise.
pub(crate) struct Supervision {
    db: Db,
    states: FactStates,
}

impl Supervision {
    /// Serves the view of a schema, whose facts are as current as these tell.
    pub(crate) fn new(db: Db, states: FactStates) -> Self {
        Self { db, states }
    }
}

#[tonic::async_trait]
impl CaseSupervisionService for Supervision {
    async fn get_supervision_overview(
        &self,
        request: Request<GetSupervisionOverviewRequest>,
    ) -> Result<Response<GetSupervisionOverviewResponse>, Status> {
        let caller = server::caller(&request)?;
        let (scope, max_holders) = wire::overview_of(request.into_inner())?;
        let read = self.db.transact("supervision.overview", &caller.tenant, async move |mut tx| {
            store::see_one_moment(&mut tx).await?;
            let known = known(&mut tx).await?;
            let overview = store::supervision_overview(&mut tx, &scope, max_holders).await?;
            Ok((tx, (overview, known)))
        });
        let (overview, known) = read.await?;
        let state = self.states.state(&caller.tenant, known).await;
        Ok(Response::new(wire::supervision_overview(overview, state)))
    }

    async fn list_supervised_cases(
        &self,
        request: Request<ListSupervisedCasesRequest>,
    ) -> Result<Response<ListSupervisedCasesResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::SupervisedQuery { scope, page, after } = wire::supervised_of(request.into_inner())?;
        let wanted = page.clone();
        let listed = self.db.transact("supervised_cases.list", &caller.tenant, async move |mut tx| {
            store::see_one_moment(&mut tx).await?;
            let known = known(&mut tx).await?;
            let cases = store::supervised_cases(&mut tx, &scope, &wanted, after).await?;
            Ok((tx, (cases, known)))
        });
        let (cases, known) = listed.await?;
        let state = Some(self.states.state(&caller.tenant, known).await);
        let cases =
            cases.into_iter().map(|one| (wire::received_key(one.received, one.id), wire::supervised(one)));
        let (cases, next_page_token) = server::page(&page, cases);
        Ok(Response::new(ListSupervisedCasesResponse { cases, next_page_token, state }))
    }
}
