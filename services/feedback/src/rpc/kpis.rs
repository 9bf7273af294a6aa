//! The rpcs of `KpiService`.

use fault::Fault;
use pg::{Db, Tx};
use proto::redress::feedback::v1::kpi_service_server::KpiService;
use proto::redress::feedback::v1::{
    GetFactStateRequest, GetFactStateResponse, GetKpiSettingsRequest, GetKpiSettingsResponse,
    ListKpisRequest, ListKpisResponse, QueryKpisRequest, QueryKpisResponse, RebuildFactsRequest,
    RebuildFactsResponse, UpdateKpiSettingsRequest, UpdateKpiSettingsResponse,
};
use tonic::{Request, Response, Status};

use super::fact_states::{FactStates, known};
use crate::flow::{figures, rebuild};
use crate::kpi::Settings;
use crate::wire::SourceState;
use crate::{store, wire, working_hours};

/// Serves figures.
pub(crate) struct Kpis {
    db: Db,
    states: FactStates,
}

impl Kpis {
    /// Serves the figures of a schema, whose facts are as current as these tell.
    pub(crate) fn new(db: Db, states: FactStates) -> Self {
        Self { db, states }
    }
}

/// Replaces the settings; another zone has the facts rebuilt.
async fn update(tx: &mut Tx, wanted: Settings, expected: i64) -> Result<Settings, Fault> {
    let current = store::hold_kpi_settings(tx).await?;
    if current.version != expected {
        return Err(Fault::version_mismatch(current.version));
    }
    store::save_kpi_settings(tx, &wanted).await?;
    if wanted.time_zone != current.time_zone {
        store::request_rebuild(tx, &rebuild::sources()).await?;
    }
    Ok(wanted)
}

#[tonic::async_trait]
impl KpiService for Kpis {
    async fn list_kpis(
        &self,
        request: Request<ListKpisRequest>,
    ) -> Result<Response<ListKpisResponse>, Status> {
        server::caller(&request)?;
        let ListKpisRequest {} = request.into_inner();
        Ok(Response::new(ListKpisResponse { kpis: wire::described() }))
    }

    async fn query_kpis(
        &self,
        request: Request<QueryKpisRequest>,
    ) -> Result<Response<QueryKpisResponse>, Status> {
        let caller = server::caller(&request)?;
        let queries = wire::queries(request.into_inner(), self.db.clock().now())?;
        let asked = queries.clone();
        let counted = self.db.transact("kpis.query", &caller.tenant, async move |mut tx| {
            store::see_one_moment(&mut tx).await?;
            let known = known(&mut tx).await?;
            let counted = figures::count(&mut tx, &asked).await?;
            Ok((tx, (counted, known)))
        });
        let (mut counted, known) = counted.await?;
        let answers = move || {
            let rows = figures::answers(&queries, &mut counted)?;
            Ok::<_, Fault>(queries.iter().zip(rows).map(|(query, rows)| wire::answer(query, rows)).collect())
        };
        let length = server::Length::Quick;
        let answers = server::blocking(&caller.tenant, length, "kpi.figures", answers).await??;
        let state = Some(self.states.state(&caller.tenant, known).await);
        Ok(Response::new(QueryKpisResponse { answers, state }))
    }

    async fn get_kpi_settings(
        &self,
        request: Request<GetKpiSettingsRequest>,
    ) -> Result<Response<GetKpiSettingsResponse>, Status> {
        let caller = server::caller(&request)?;
        let GetKpiSettingsRequest {} = request.into_inner();
        let read = self.db.transact("kpi_settings.get", &caller.tenant, async move |mut tx| {
            let settings = store::kpi_settings(&mut tx).await?;
            Ok((tx, settings))
        });
        Ok(Response::new(GetKpiSettingsResponse { settings: Some(wire::kpi_settings(read.await?)) }))
    }

    async fn update_kpi_settings(
        &self,
        request: Request<UpdateKpiSettingsRequest>,
    ) -> Result<Response<UpdateKpiSettingsResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (wanted, expected) = wire::wanted_settings(request)?;
        let (zone, now) = (wanted.time_zone.clone(), self.db.clock().now());
        let counts = move || working_hours::until(&zone, now);
        // The years of a zone are counted once, beside the calls.
        server::blocking(&context.caller.tenant, server::Length::Quick, "working_hours", counts).await?;
        let done = self.db.mutate(context, async move |mut tx, _| {
            let settings = update(&mut tx, wanted, expected).await?;
            Ok((tx, UpdateKpiSettingsResponse { settings: Some(wire::kpi_settings(settings)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn rebuild_facts(
        &self,
        request: Request<RebuildFactsRequest>,
    ) -> Result<Response<RebuildFactsResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        wire::rebuild(request)?;
        let done = self.db.mutate(context, async move |mut tx, _| {
            store::hold_kpi_settings(&mut tx).await?;
            store::request_rebuild(&mut tx, &rebuild::sources()).await?;
            let rebuilds = store::rebuilds(&mut tx).await?;
            let parked = store::parked_counts(&mut tx).await?;
            let state =
                |source| SourceState { source, lag: None, parked: parked.get(source).copied().unwrap_or(0) };
            let states = rebuild::sources().into_iter().map(state).collect();
            Ok((tx, RebuildFactsResponse { state: Some(wire::fact_state(states, &rebuilds)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_fact_state(
        &self,
        request: Request<GetFactStateRequest>,
    ) -> Result<Response<GetFactStateResponse>, Status> {
        let caller = server::caller(&request)?;
        let GetFactStateRequest {} = request.into_inner();
        let read = self.db.transact("facts.state", &caller.tenant, async move |mut tx| {
            let known = known(&mut tx).await?;
            Ok((tx, known))
        });
        let state = Some(self.states.state(&caller.tenant, read.await?).await);
        Ok(Response::new(GetFactStateResponse { state }))
    }
}
