//! The rpcs of `ReturnService`.

use std::sync::Arc;

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use kernel::{Caller, TenantId};
use pg::{Db, Tx};
use proto::redress::feedback::v1::return_service_server::ReturnService;
use proto::redress::feedback::v1::{
    CheckReturnRequest, CheckReturnResponse, ExportReturnRequest, ExportReturnResponse,
    GetReturnMappingRequest, GetReturnMappingResponse, UpdateReturnMappingRequest,
    UpdateReturnMappingResponse,
};
use tonic::{Request, Response, Status};

use super::revisions::{self, Settled};
use crate::flow::returns::{Sending, examine};
use crate::flow::{figures, rebuild};
use crate::refusal::Refusal;
use crate::returns::{Mapping, Return};
use crate::revision::{Revision, Subject};
use crate::wire::{AskedReturn, MappingKey, WantedMapping};
use crate::{store, wire};

/// Serves returns to regulators.
pub(crate) struct Returns {
    db: Db,
}

fn settled(name: &str) -> Settled<'_> {
    Settled { subject: Subject::ReturnMapping, name, missing: Refusal::ReturnMappingNotFound }
}

/// Makes the next version, which is in force at once.
async fn update(tx: &mut Tx, wanted: WantedMapping, caller: &Caller) -> Result<Revision<Mapping>, Fault> {
    let WantedMapping { key, mapping, note, expected } = wanted;
    let name = key.name();
    let latest = store::hold_revisions(tx, Subject::ReturnMapping, &name).await?;
    if latest != expected {
        return Err(Fault::version_mismatch(latest));
    }
    let made = revisions::create(tx, settled(&name), mapping, note, &caller.subject).await?;
    revisions::activate(tx, settled(&name), made.version, Mapping::default(), &caller.subject).await
}

async fn mapping(tx: &mut Tx, key: &MappingKey, version: Option<i64>) -> Result<Revision<Mapping>, Fault> {
    revisions::read(tx, settled(&key.name()), version, Mapping::default()).await
}

impl Returns {
    /// Serves the returns of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// What a return is made by.
    async fn asked(&self, tenant: &TenantId, asked: AskedReturn) -> Result<Arc<Return>, Fault> {
        let now = self.db.clock().now();
        let read = self.db.transact("return.begin", tenant, async move |mut tx| {
            rebuild::refuse_while_rebuilding(&mut tx).await?;
            let zone = figures::zone(&store::kpi_settings(&mut tx).await?);
            let Revision { version, content, .. } = mapping(&mut tx, &asked.key, None).await?;
            let of = (asked.key.regime, asked.format, asked.term);
            Ok((tx, Return::new(of, zone, (content, version), now)))
        });
        Ok(Arc::new(read.await?))
    }
}

#[tonic::async_trait]
impl ReturnService for Returns {
    type ExportReturnStream = BoxStream<'static, Result<ExportReturnResponse, Status>>;

    async fn update_return_mapping(
        &self,
        request: Request<UpdateReturnMappingRequest>,
    ) -> Result<Response<UpdateReturnMappingResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let read = move || wire::wanted_return_mapping(request);
        // A thousand rules are held against each other.
        let wanted = server::blocking(&context.caller.tenant, server::Length::Quick, "return.mapping", read);
        let wanted = wanted.await??;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let key = wanted.key.clone();
            let made = update(&mut tx, wanted, &caller).await?;
            Ok((tx, UpdateReturnMappingResponse { mapping: Some(wire::return_mapping(&key, made)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_return_mapping(
        &self,
        request: Request<GetReturnMappingRequest>,
    ) -> Result<Response<GetReturnMappingResponse>, Status> {
        let caller = server::caller(&request)?;
        let (key, version) = wire::mapping_of(request.into_inner())?;
        let read = self.db.transact("return_mapping.get", &caller.tenant, async move |mut tx| {
            let read = mapping(&mut tx, &key, version).await?;
            Ok((tx, wire::return_mapping(&key, read)))
        });
        Ok(Response::new(GetReturnMappingResponse { mapping: Some(read.await?) }))
    }

    async fn check_return(
        &self,
        request: Request<CheckReturnRequest>,
    ) -> Result<Response<CheckReturnResponse>, Status> {
        let caller = server::caller(&request)?;
        let of = self.asked(&caller.tenant, wire::checked_return(request.into_inner())?).await?;
        let examined = examine(&self.db, &caller.tenant, &of).await?;
        let check = Some(wire::return_check(&of, examined.completeness));
        Ok(Response::new(CheckReturnResponse { check }))
    }

    async fn export_return(
        &self,
        request: Request<ExportReturnRequest>,
    ) -> Result<Response<Self::ExportReturnStream>, Status> {
        let caller = server::caller(&request)?;
        let asked = wire::exported_return(request.into_inner())?;
        let entity = asked.key.entity.clone();
        let of = self.asked(&caller.tenant, asked).await?;
        if !of.has_ended() {
            return Err(Fault::from(Refusal::ReturnPeriodOpen).into());
        }
        let examined = examine(&self.db, &caller.tenant, &of).await?;
        wire::refuse_incomplete(&examined.completeness)?;
        let file = Some(wire::return_file(&of, &entity, &examined));
        let first = ExportReturnResponse { file, data: Vec::new() };
        let sending = Sending::new(self.db.clone(), caller.tenant, of, examined);
        let rest = stream::try_unfold(sending, |mut sending| async move {
            let data = sending.chunk().await?;
            Ok::<_, Status>(data.map(|data| (ExportReturnResponse { file: None, data }, sending)))
        });
        Ok(Response::new(stream::once(async move { Ok(first) }).chain(rest).boxed()))
    }
}
