//! The rpcs of `SignalService`.

use fault::Fault;
use kernel::TenantId;
use pg::{Db, Tx};
use proto::redress::feedback::v1::signal_service_server::SignalService;
use proto::redress::feedback::v1::{
    DismissSignalRequest, DismissSignalResponse, GetSignalRequest, GetSignalResponse,
    GetSignalSettingsRequest, GetSignalSettingsResponse, ListSignalsRequest, ListSignalsResponse,
    Signal as SignalView, UpdateSignalSettingsRequest, UpdateSignalSettingsResponse,
};
use tonic::{Request, Response, Status};

use crate::refusal::Refusal;
use crate::signal::{Dismissal, Settings, Signal};
use crate::wire::Dismissed;
use crate::{store, wire};

/// Serves signals.
pub(crate) struct Signals {
    db: Db,
}

impl Signals {
    /// Serves the signals of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

/// A signal with its days, each of which takes computing.
async fn shown(tenant: &TenantId, signal: Signal) -> Result<SignalView, Fault> {
    let shown = move || wire::signal_with_days(&signal);
    server::blocking(tenant, server::Length::Quick, "signals", shown).await
}

async fn dismiss(tx: &mut Tx, wanted: Dismissed, by: String) -> Result<Signal, Fault> {
    let Dismissed { id, expected, reason } = wanted;
    store::hold_signals(tx).await?;
    let mut signal = store::signal(tx, id).await?.ok_or(Refusal::SignalNotFound)?;
    if signal.version != expected {
        return Err(Fault::version_mismatch(signal.version));
    }
    signal.dismiss(Dismissal { at: tx.now(), by, reason })?;
    store::save_signals(tx, std::slice::from_ref(&signal)).await?;
    Ok(signal)
}

async fn update(tx: &mut Tx, wanted: Settings, expected: i64) -> Result<Settings, Fault> {
    store::hold_signals(tx).await?;
    let current = store::signal_settings(tx).await?;
    if current.version != expected {
        return Err(Fault::version_mismatch(current.version));
    }
    store::save_signal_settings(tx, &wanted).await?;
    Ok(wanted)
}

#[tonic::async_trait]
impl SignalService for Signals {
    async fn list_signals(
        &self,
        request: Request<ListSignalsRequest>,
    ) -> Result<Response<ListSignalsResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::SignalListQuery { state, page, after } = wire::signals_of(request.into_inner())?;
        let wanted = page.clone();
        let listed = self.db.transact("signals.list", &caller.tenant, async move |mut tx| {
            let signals = store::signals(&mut tx, state, &wanted, after).await?;
            Ok((tx, signals))
        });
        let signals = listed.await?;
        let rows = signals.iter().map(|signal| (wire::signal_key(signal), wire::signal(signal)));
        let (signals, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListSignalsResponse { signals, next_page_token }))
    }

    async fn get_signal(
        &self,
        request: Request<GetSignalRequest>,
    ) -> Result<Response<GetSignalResponse>, Status> {
        let caller = server::caller(&request)?;
        let id = wire::signal_of(request.into_inner())?;
        let read = self.db.transact("signals.get", &caller.tenant, async move |mut tx| {
            let signal = store::signal(&mut tx, id).await?.ok_or(Refusal::SignalNotFound)?;
            Ok((tx, signal))
        });
        let signal = shown(&caller.tenant, read.await?).await?;
        Ok(Response::new(GetSignalResponse { signal: Some(signal) }))
    }

    async fn dismiss_signal(
        &self,
        request: Request<DismissSignalRequest>,
    ) -> Result<Response<DismissSignalResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let wanted = wire::dismissed(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let signal = dismiss(&mut tx, wanted, caller.subject.to_string()).await?;
            let signal = shown(&caller.tenant, signal).await?;
            Ok((tx, DismissSignalResponse { signal: Some(signal) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_signal_settings(
        &self,
        request: Request<GetSignalSettingsRequest>,
    ) -> Result<Response<GetSignalSettingsResponse>, Status> {
        let caller = server::caller(&request)?;
        let GetSignalSettingsRequest {} = request.into_inner();
        let read = self.db.transact("signal_settings.get", &caller.tenant, async move |mut tx| {
            let settings = store::signal_settings(&mut tx).await?;
            Ok((tx, settings))
        });
        let settings = wire::signal_settings(read.await?);
        Ok(Response::new(GetSignalSettingsResponse { settings: Some(settings) }))
    }

    async fn update_signal_settings(
        &self,
        request: Request<UpdateSignalSettingsRequest>,
    ) -> Result<Response<UpdateSignalSettingsResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (wanted, expected) = wire::wanted_signal_settings(request)?;
        let done = self.db.mutate(context, async move |mut tx, _| {
            let settings = update(&mut tx, wanted, expected).await?;
            Ok((tx, UpdateSignalSettingsResponse { settings: Some(wire::signal_settings(settings)) }))
        });
        Ok(server::reply(done.await?))
    }
}
