//! The rpcs of `SearchService`.

use pg::Db;
use proto::redress::cases::v1::search_service_server::SearchService;
use proto::redress::cases::v1::{FacetCasesRequest, FacetCasesResponse};
use tonic::{Request, Response, Status};

use crate::{store, wire};

/// The rpcs of `SearchService`.
#[derive(Clone)]
pub(crate) struct Search {
    db: Db,
}

impl Search {
    /// Searches the cases of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl SearchService for Search {
    async fn facet_cases(
        &self,
        request: Request<FacetCasesRequest>,
    ) -> Result<Response<FacetCasesResponse>, Status> {
        let caller = server::caller(&request)?;
        let (search, facets) = wire::search::facets(request.into_inner())?;
        let tenant = caller.tenant.clone();
        let counted = self
            .db
            .transact("case.facet", &caller.tenant, async move |mut tx| {
                let context = store::search::SearchContext { tenant, now: tx.now() };
                let counted = store::search::facets(&mut tx, &context, &search.condition, &facets).await?;
                Ok((tx, counted))
            })
            .await?;
        Ok(Response::new(wire::search::counted(counted)))
    }
}
