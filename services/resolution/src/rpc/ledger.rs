//! The rpcs of `LedgerService`.

use std::sync::Arc;

use fault::Fault;
use kernel::Caller;
use pg::Db;
use proto::redress::resolution::v1::ledger_service_server::LedgerService;
use proto::redress::resolution::v1::{
    ListBalancesRequest, ListBalancesResponse, ListLedgerEntriesRequest, ListLedgerEntriesResponse,
    ListReconciledRowsRequest, ListReconciledRowsResponse, ReconcileStatementRequest,
    ReconcileStatementResponse,
};
use tonic::{Request, Response, Status, Streaming};

use super::statements::{self, Incoming};
use crate::flow::departments::Departments;
use crate::ledger::Scope;
use crate::ledger::statement::ROWS_KEPT;
use crate::refusal::Refusal;
use crate::store;
use crate::wire;

/// The rpcs over one schema.
pub(crate) struct Ledger {
    db: Db,
    departments: Arc<Departments>,
}

impl Ledger {
    pub(crate) fn new(db: Db, departments: Arc<Departments>) -> Self {
        Self { db, departments }
    }

    /// Refuses who may not see the books of a department, or of all.
    async fn seeing(&self, caller: &Caller, department_id: Option<&str>) -> Result<(), Fault> {
        let Some(department_id) = department_id else { return server::seeing_all(caller) };
        server::seeing(caller, department_id)?;
        self.departments.ensure(&self.db, &caller.tenant, department_id).await
    }

    async fn entries(
        &self,
        request: Request<ListLedgerEntriesRequest>,
    ) -> Result<Response<ListLedgerEntriesResponse>, Fault> {
        let caller = server::caller(&request)?;
        let wire::ledger::EntryQuery { scope, page, after } =
            wire::ledger::entry_listing(request.into_inner())?;
        let department = match &scope {
            Scope::Case(_) => None,
            Scope::Department(department_id, _) => Some(department_id.as_str()),
        };
        self.seeing(&caller, department).await?;
        let limit = page.limit();
        let entries = self
            .db
            .transact("resolution.list_entries", &caller.tenant, async move |mut tx| {
                let entries = store::ledger::list(&mut tx, &scope, after, limit).await?;
                Ok((tx, entries))
            })
            .await?;
        let entries = entries.iter().map(|entry| (entry.entry_id.to_string(), wire::ledger::entry(entry)));
        let (entries, next_page_token) = server::page(&page, entries);
        Ok(Response::new(ListLedgerEntriesResponse { entries, next_page_token }))
    }

    async fn balances(
        &self,
        request: Request<ListBalancesRequest>,
    ) -> Result<Response<ListBalancesResponse>, Fault> {
        let caller = server::caller(&request)?;
        let wire::ledger::BalanceQuery { grouping, filter, page } =
            wire::ledger::balance_listing(request.into_inner())?;
        self.seeing(&caller, filter.department_id.as_deref()).await?;
        let (limit, after) = (page.limit(), page.after.clone().unwrap_or_default());
        let balances = self
            .db
            .transact("resolution.list_balances", &caller.tenant, async move |mut tx| {
                let balances = store::ledger::balances(&mut tx, grouping, &filter, &after, limit).await?;
                Ok((tx, balances))
            })
            .await?;
        let balances =
            balances.iter().map(|one| (wire::ledger::balance_key(one), wire::ledger::balance(one)));
        let (balances, next_page_token) = server::page(&page, balances);
        Ok(Response::new(ListBalancesResponse { balances, next_page_token }))
    }

    async fn reconciled(
        &self,
        request: Request<ListReconciledRowsRequest>,
    ) -> Result<Response<ListReconciledRowsResponse>, Fault> {
        let caller = server::caller(&request)?;
        let wire::statements::RowQuery { reconciliation_id, verdict, page, after } =
            wire::statements::row_listing(request.into_inner())?;
        let (limit, asking) = (page.limit(), caller.clone());
        let rows = self
            .db
            .transact("resolution.list_reconciled", &caller.tenant, async move |mut tx| {
                // What is being forgotten is shown to nobody any more.
                let earliest = tx.now() - ROWS_KEPT;
                let found = store::statements::get(&mut tx, reconciliation_id, earliest).await?;
                let found = found.ok_or(Refusal::ReconciliationNotFound)?;
                server::seeing(&asking, &found.header.department_id)?;
                let rows = store::statements::rows(&mut tx, &found, verdict, after, limit).await?;
                Ok((tx, rows))
            })
            .await?;
        let rows = rows.iter().map(|one| (one.row.number.to_string(), wire::statements::row(one)));
        let (rows, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListReconciledRowsResponse { rows, next_page_token }))
    }
}

#[tonic::async_trait]
impl LedgerService for Ledger {
    async fn list_ledger_entries(
        &self,
        request: Request<ListLedgerEntriesRequest>,
    ) -> Result<Response<ListLedgerEntriesResponse>, Status> {
        Ok(self.entries(request).await?)
    }

    async fn list_balances(
        &self,
        request: Request<ListBalancesRequest>,
    ) -> Result<Response<ListBalancesResponse>, Status> {
        Ok(self.balances(request).await?)
    }

    async fn reconcile_statement(
        &self,
        request: Request<Streaming<ReconcileStatementRequest>>,
    ) -> Result<Response<ReconcileStatementResponse>, Status> {
        let caller = server::caller(&request)?;
        let (header, rows, incoming) = Incoming::open(request.into_inner()).await?;
        self.seeing(&caller, Some(&header.department_id)).await?;
        let done = statements::reconcile(&self.db, &caller, header, rows, incoming).await?;
        let reconciliation = Some(wire::statements::reconciliation(&done));
        Ok(Response::new(ReconcileStatementResponse { reconciliation }))
    }

    async fn list_reconciled_rows(
        &self,
        request: Request<ListReconciledRowsRequest>,
    ) -> Result<Response<ListReconciledRowsResponse>, Status> {
        Ok(self.reconciled(request).await?)
    }
}
