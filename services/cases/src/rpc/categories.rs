//! The rpcs of `CategoryService`.

use fault::Fault;
use pg::Db;
use proto::redress::cases::v1::category_service_server::CategoryService;
use proto::redress::cases::v1::{
    GetCategoryRequest, GetCategoryResponse, ImportCategoriesRequest, ImportCategoriesResponse,
    ListCategoriesRequest, ListCategoriesResponse,
};
use server::Length;
use tonic::{Request, Response, Status};

use crate::refusal::Refusal;
use crate::store;
use crate::wire::categories as wire;

/// The rpcs of `CategoryService`.
#[derive(Clone)]
pub(crate) struct CategoryRpc {
    db: Db,
}

impl CategoryRpc {
    /// Serves the trees of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl CategoryService for CategoryRpc {
    async fn import_categories(
        &self,
        request: Request<ImportCategoriesRequest>,
    ) -> Result<Response<ImportCategoriesResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let read = move || wire::import(request);
        let read = server::blocking(&context.caller.tenant, Length::Quick, "categories.check", read).await?;
        let wire::Import { seen, categories } = read?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let current = store::categories::lock(&mut tx).await?.unwrap_or(0);
                if seen.is_some_and(|seen| seen != current) {
                    return Err(Fault::version_mismatch(current));
                }
                let now = tx.now();
                let version = store::categories::next_version(&mut tx, &caller.subject, now).await?;
                store::categories::insert(&mut tx, version, &categories).await?;
                let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
                let leaf_count = count(categories.iter().filter(|category| category.leaf).count());
                let category_count = count(categories.len());
                Ok((tx, ImportCategoriesResponse { version, category_count, leaf_count }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn list_categories(
        &self,
        request: Request<ListCategoriesRequest>,
    ) -> Result<Response<ListCategoriesResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::CategoryListQuery { below, page, after } = wire::list(request.into_inner())?;
        let limit = page.limit();
        let (version, mut rows) = self
            .db
            .transact("category.list", &caller.tenant, async move |mut tx| {
                let version = store::categories::version(&mut tx).await?.unwrap_or(0);
                let (page_of, after) = after.unwrap_or((version, 0));
                if page_of != version {
                    return Err(wire::outdated());
                }
                let rows = store::categories::list(&mut tx, version, &below, after, limit).await?;
                Ok((tx, (version, rows)))
            })
            .await?;
        let next_page_token = page.cut(&mut rows, |(ordinal, _)| format!("{version} {ordinal}"));
        let categories = rows.into_iter().map(|(_, category)| wire::category(category)).collect();
        Ok(Response::new(ListCategoriesResponse { categories, version, next_page_token }))
    }

    async fn get_category(
        &self,
        request: Request<GetCategoryRequest>,
    ) -> Result<Response<GetCategoryResponse>, Status> {
        let caller = server::caller(&request)?;
        let path = wire::path(request.into_inner())?;
        let found = self
            .db
            .transact("category.get", &caller.tenant, async move |mut tx| {
                let found = store::categories::get(&mut tx, &path).await?;
                Ok((tx, found))
            })
            .await?;
        let (version, category) = found.ok_or(Refusal::CategoryNotFound).map_err(Fault::from)?;
        Ok(Response::new(GetCategoryResponse { category: Some(wire::category(category)), version }))
    }
}
