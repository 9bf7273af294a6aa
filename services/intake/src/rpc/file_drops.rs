//! The rpcs of `FileDropService`.

use std::sync::Arc;

use fault::Fault;
use pg::{Db, Tx};
use proto::redress::intake::v1::file_drop_service_server::FileDropService;
use proto::redress::intake::v1::{
    DeleteFileDropRequest, DeleteFileDropResponse, GetDroppedFileRequest, GetDroppedFileResponse,
    GetFileDropRequest, GetFileDropResponse, ListDroppedFilesRequest, ListDroppedFilesResponse,
    ListFileDropsRequest, ListFileDropsResponse, SetFileDropRequest, SetFileDropResponse,
    TryDropMappingRequest, TryDropMappingResponse,
};
use server::Length;
use tonic::{Request, Response, Status};

use crate::dropped_file::WhyRefused;
use crate::file_drop::{FileDrop, MAX_FILE_DROPS};
use crate::flow::file_drops::FILE_DROPS;
use crate::flow::file_drops::place::Places;
use crate::flow::file_drops::trying::Trials;
use crate::refusal::Refusal;
use crate::store::{dropped_files, file_drops as store};
use crate::wire::file_drops as wire;

/// The rpcs of `FileDropService`.
pub(crate) struct FileDropRpc {
    db: Db,
    places: Arc<Places>,
    trials: Trials,
}

impl FileDropRpc {
    /// Serves the drops of a schema.
    pub(crate) fn new(db: Db, places: Arc<Places>) -> Self {
        Self { db, places, trials: Trials::default() }
    }
}

/// Sets a drop up, or changes it.
async fn set(
    tx: &mut Tx,
    places: &Places,
    wire::Setting { settings, expected }: wire::Setting,
    updater: String,
) -> Result<FileDrop, Fault> {
    store::hold(tx).await?;
    let now = tx.now();
    let all = store::list(tx).await?;
    let before = store::lock(tx, &settings.id).await?;
    let version = before.as_ref().map_or(0, |before| before.version);
    if expected.is_some_and(|seen| seen != version) {
        return Err(Fault::version_mismatch(version));
    }
    if before.is_none() && i64::try_from(all.len()).unwrap_or(i64::MAX) >= MAX_FILE_DROPS {
        return Err(Refusal::TooManyFileDrops.into());
    }
    if !places.has(settings.place) {
        return Err(Refusal::FileDropPlaceUnset.into());
    }
    let mut others = all.iter().filter(|other| other.settings.id != settings.id);
    if others.any(|other| other.settings.overlaps(&settings)) {
        return Err(Refusal::FileDropOverlaps.into());
    }
    let file_drop = match before {
        None => FileDrop::new(settings, updater, now),
        Some(mut before) => {
            if !before.settings.lies_where(&settings) {
                dropped_files::give_up(tx, &settings.id, (WhyRefused::DropMoved, now)).await?;
                before.last_file = None;
            }
            before.change(settings, updater, now);
            before
        }
    };
    store::save(tx, &file_drop).await?;
    tx.notify(FILE_DROPS);
    Ok(file_drop)
}

#[tonic::async_trait]
impl FileDropService for FileDropRpc {
    async fn set_file_drop(
        &self,
        request: Request<SetFileDropRequest>,
    ) -> Result<Response<SetFileDropResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let tenant = context.caller.tenant.clone();
        let read = move || wire::setting(request);
        let setting = server::blocking(&tenant, Length::Quick, "file_drop.mapping", read).await??;
        let places = self.places.clone();
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let file_drop = set(&mut tx, &places, setting, caller.subject.to_string()).await?;
            let file_drop = Some(wire::file_drop(file_drop, tx.now()));
            Ok((tx, SetFileDropResponse { file_drop }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_file_drop(
        &self,
        request: Request<GetFileDropRequest>,
    ) -> Result<Response<GetFileDropResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let id = wire::file_drop_id(request.into_inner())?;
        let read = self.db.transact("file_drop.get", &tenant, async move |mut tx| {
            let file_drop = store::get(&mut tx, &id).await?.ok_or(Refusal::FileDropNotFound)?;
            let file_drop = Some(wire::file_drop(file_drop, tx.now()));
            Ok((tx, GetFileDropResponse { file_drop }))
        });
        Ok(Response::new(read.await?))
    }

    async fn list_file_drops(
        &self,
        request: Request<ListFileDropsRequest>,
    ) -> Result<Response<ListFileDropsResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let ListFileDropsRequest {} = request.into_inner();
        let read = self.db.transact("file_drop.list", &tenant, async move |mut tx| {
            let all = store::list(&mut tx).await?;
            let now = tx.now();
            let file_drops = all.into_iter().map(|one| wire::file_drop(one, now)).collect();
            Ok((tx, ListFileDropsResponse { file_drops }))
        });
        Ok(Response::new(read.await?))
    }

    async fn delete_file_drop(
        &self,
        request: Request<DeleteFileDropRequest>,
    ) -> Result<Response<DeleteFileDropResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, expected) = wire::deleted(request)?;
        let done = self.db.mutate(context, async move |mut tx, _| {
            let file_drop = store::lock(&mut tx, &id).await?.ok_or(Refusal::FileDropNotFound)?;
            if expected.is_some_and(|seen| seen != file_drop.version) {
                return Err(Fault::version_mismatch(file_drop.version));
            }
            let now = tx.now();
            dropped_files::give_up(&mut tx, &id, (WhyRefused::DropDeleted, now)).await?;
            store::delete(&mut tx, &id).await?;
            Ok((tx, DeleteFileDropResponse {}))
        });
        Ok(server::reply(done.await?))
    }

    async fn list_dropped_files(
        &self,
        request: Request<ListDroppedFilesRequest>,
    ) -> Result<Response<ListDroppedFilesResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let wire::List { page, filter, before } = wire::list(request.into_inner())?;
        let limit = page.limit();
        let found = self.db.transact("dropped_file.list", &tenant, async move |mut tx| {
            let found = dropped_files::list(&mut tx, &filter, before, limit).await?;
            Ok((tx, found))
        });
        let rows = found.await?.into_iter().map(|one| (one.id.to_string(), wire::dropped_file(one)));
        let (dropped_files, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListDroppedFilesResponse { dropped_files, next_page_token }))
    }

    async fn get_dropped_file(
        &self,
        request: Request<GetDroppedFileRequest>,
    ) -> Result<Response<GetDroppedFileResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let id = wire::dropped_file_id(request.get_ref())?;
        let read = self.db.transact("dropped_file.get", &tenant, async move |mut tx| {
            let file = dropped_files::get(&mut tx, id).await?.ok_or(Refusal::DroppedFileNotFound)?;
            Ok((tx, GetDroppedFileResponse { dropped_file: Some(wire::dropped_file(file)) }))
        });
        Ok(Response::new(read.await?))
    }
    async fn try_drop_mapping(
        &self,
        request: Request<TryDropMappingRequest>,
    ) -> Result<Response<TryDropMappingResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let read = move || wire::trial(request.into_inner());
        let trial = server::blocking(&tenant, Length::Quick, "file_drop.mapping", read).await??;
        let tried = Box::pin(self.trials.run((&self.db, &self.places), &tenant, trial)).await?;
        Ok(Response::new(wire::tried(tried)))
    }
}
