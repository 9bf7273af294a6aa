//! The rpcs of `ChannelService`.

use fault::Fault;
use jiff::Timestamp;
use kernel::TenantId;
use pg::Db;
use proto::redress::intake::v1::channel_service_server::ChannelService;
use proto::redress::intake::v1::{
    ChannelSettings, GetChannelSettingsRequest, GetChannelSettingsResponse, ListChannelSettingsRequest,
    ListChannelSettingsResponse, UpdateChannelSettingsRequest, UpdateChannelSettingsResponse,
};
use sqlx::PgConnection;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::store::{channels as store, webhook_sources};
use crate::wire::channels as wire;

/// Complaints of before that are hashed in one transaction.
const HASHED_AT_ONCE: i64 = 500;

/// The rpcs of `ChannelService`.
pub(crate) struct ChannelRpc {
    db: Db,
}

impl ChannelRpc {
    /// Serves the settings of a schema's channels.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// What is settled about every channel, and how each is.
    async fn every(&self, tenant: &TenantId) -> Result<Vec<ChannelSettings>, Fault> {
        let (settled, observed, now) = self
            .db
            .transact("channel.list", tenant, async |mut tx| {
                let settled = store::list(&mut tx).await?;
                let now = tx.now();
                let observed = observed(&mut tx, &wire::numbers(), now).await?;
                Ok((tx, (settled, observed, now)))
            })
            .await?;
        let every = wire::every(&settled).into_iter();
        Ok(every.map(|settings| wire::settings(settings, &observed, now)).collect())
    }

    /// Hashes what the channel's complaints of before say: once numbers repeat, it is
    /// by that alone that one told again is found. Page by page; what is done stays done.
    async fn hash_all(&self, tenant: &TenantId, channel: i16) -> Result<(), Fault> {
        let mut after = Uuid::nil();
        loop {
            let page = self
                .db
                .transact("channel.unhashed", tenant, async move |mut tx| {
                    let page = store::unhashed(&mut tx, channel, after, HASHED_AT_ONCE).await?;
                    Ok((tx, page))
                })
                .await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            let hashes =
                tokio::task::spawn_blocking(move || hashes(&page)).await.map_err(Fault::internal)??;
            self.db
                .transact("channel.hash", tenant, async |mut tx| {
                    store::hash(&mut tx, &hashes).await?;
                    Ok((tx, ()))
                })
                .await?;
        }
    }
}

/// How channels are at a moment.
async fn observed(
    conn: &mut PgConnection,
    channels: &[i16],
    now: Timestamp,
) -> Result<wire::ByChannel, Fault> {
    let mut observed = wire::ByChannel::new();
    for (channel, complaint) in store::newest(conn, channels).await? {
        let registered = kernel::id::given(complaint);
        observed.entry(channel).or_default().last_registered = registered;
    }
    for source in store::failing(conn, wire::email()).await? {
        observed.entry(source.channel).or_default().failing.push(source);
    }
    for source in webhook_sources::list(conn).await?.iter().filter_map(|source| source.failing(now)) {
        observed.entry(source.channel).or_default().failing.push(source);
    }
    for channel in observed.values_mut() {
        channel.failing.sort_by(|one, other| one.name.cmp(&other.name));
    }
    Ok(observed)
}

/// The hashes of what registrations say, by the ids of their complaints.
fn hashes(page: &[(Uuid, Vec<u8>)]) -> Result<Vec<(Uuid, [u8; 32])>, Fault> {
    let mut hashes = Vec::with_capacity(page.len());
    for (id, event) in page {
        let complaint = crate::wire::complaint(event)?;
        hashes.extend(crate::wire::content::hash(&complaint).map(|hash| (*id, hash)));
    }
    Ok(hashes)
}

#[tonic::async_trait]
impl ChannelService for ChannelRpc {
    async fn get_channel_settings(
        &self,
        request: Request<GetChannelSettingsRequest>,
    ) -> Result<Response<GetChannelSettingsResponse>, Status> {
        let caller = server::caller(&request)?;
        let channel = wire::get(request.into_inner())?;
        let all = self.every(&caller.tenant).await?;
        let settings = all.into_iter().find(|one| one.channel == i32::from(channel));
        Ok(Response::new(GetChannelSettingsResponse { settings }))
    }

    async fn list_channel_settings(
        &self,
        request: Request<ListChannelSettingsRequest>,
    ) -> Result<Response<ListChannelSettingsResponse>, Status> {
        let caller = server::caller(&request)?;
        let settings = self.every(&caller.tenant).await?;
        Ok(Response::new(ListChannelSettingsResponse { settings }))
    }

    async fn update_channel_settings(
        &self,
        request: Request<UpdateChannelSettingsRequest>,
    ) -> Result<Response<UpdateChannelSettingsResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (change, expected_version) = wire::update(request)?;
        if change.external_refs_repeat {
            self.hash_all(&context.caller.tenant, change.channel).await?;
        }
        let done = self
            .db
            .mutate(context, async |mut tx, caller| {
                let now = tx.now();
                let settled = store::settle(&mut tx, &change, &caller.subject, now).await?;
                let before = settled.version - 1;
                if expected_version.is_some_and(|seen| seen != before) {
                    return Err(Fault::version_mismatch(before));
                }
                let now = tx.now();
                let observed = observed(&mut tx, &[change.channel], now).await?;
                let settings = Some(wire::settings(settled, &observed, now));
                Ok((tx, UpdateChannelSettingsResponse { settings }))
            })
            .await?;
        Ok(server::reply(done))
    }
}
