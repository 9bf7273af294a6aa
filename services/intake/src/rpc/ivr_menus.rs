//! The rpcs of `IvrMenuService`.

use std::sync::Arc;

use fault::Fault;
use pg::Db;
use proto::redress::intake::v1::ivr_menu_service_server::IvrMenuService;
use proto::redress::intake::v1::{
    ActivateIvrMenuRequest, ActivateIvrMenuResponse, Channel, CreateIvrMenuRequest, CreateIvrMenuResponse,
    GetIvrMenuRequest, GetIvrMenuResponse, ListIvrMenusRequest, ListIvrMenusResponse, TryIvrMenuRequest,
    TryIvrMenuResponse,
};
use tonic::{Request, Response, Status};

use crate::complaint::Filter;
use crate::flow::ivr_menus::IvrMenus;
use crate::ivr_menu::KeptMenu;
use crate::refusal::Refusal;
use crate::store;
use crate::wire::ivr_menus as wire;

/// The rpcs of `IvrMenuService`.
pub(crate) struct IvrMenuRpc {
    db: Db,
    menus: Arc<IvrMenus>,
}

impl IvrMenuRpc {
    /// Serves the menus of a schema.
    pub(crate) fn new(db: Db, menus: Arc<IvrMenus>) -> Self {
        Self { db, menus }
    }
}

#[tonic::async_trait]
impl IvrMenuService for IvrMenuRpc {
    async fn create_ivr_menu(
        &self,
        request: Request<CreateIvrMenuRequest>,
    ) -> Result<Response<CreateIvrMenuResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (menu, note) = wire::create(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let now = tx.now();
                let creator = caller.subject.to_string();
                let created = store::ivr_menus::create(&mut tx, &menu, &note, &creator, now).await?;
                let kept = KeptMenu {
                    version: created.ok_or(Refusal::TooManyVersions)?,
                    note,
                    creator,
                    created: now,
                    activated: None,
                    is_active: false,
                    menu: Some(menu),
                };
                Ok((tx, CreateIvrMenuResponse { menu: Some(wire::menu(kept)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn activate_ivr_menu(
        &self,
        request: Request<ActivateIvrMenuRequest>,
    ) -> Result<Response<ActivateIvrMenuResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (version, expected) = wire::activate(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let now = tx.now();
                let before = store::ivr_menus::activate(&mut tx, version, now).await?;
                let previous_version = before.ok_or(Refusal::IvrMenuNotFound)?;
                if expected.is_some_and(|expected| expected != previous_version) {
                    return Err(Fault::version_mismatch(previous_version));
                }
                Ok((tx, ActivateIvrMenuResponse { version, previous_version }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn try_ivr_menu(
        &self,
        request: Request<TryIvrMenuRequest>,
    ) -> Result<Response<TryIvrMenuResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::Trial { version, keys, latest, language } = wire::trial(request.into_inner())?;
        let menu = self.menus.version(&caller.tenant, version).await?;
        let menu = menu.ok_or(Refusal::IvrMenuNotFound).map_err(Fault::from)?;
        let mut resolutions: Vec<_> =
            keys.into_iter().map(|keys| wire::tried(&menu, keys, &language)).collect();
        if latest > 0 {
            let calls = Filter::Channel(i16::try_from(i32::from(Channel::Phone)).unwrap_or(0));
            let rows = self
                .db
                .transact("ivr_menu.try", &caller.tenant, async move |mut tx| {
                    let rows = store::list(&mut tx, calls, None, latest).await?;
                    Ok((tx, rows))
                })
                .await?;
            for (_, event) in rows {
                let complaint = crate::wire::complaint(&event)?;
                resolutions.extend(wire::tried_again(&menu, &complaint, &language));
            }
        }
        Ok(Response::new(TryIvrMenuResponse { version: menu.version, resolutions }))
    }

    async fn get_ivr_menu(
        &self,
        request: Request<GetIvrMenuRequest>,
    ) -> Result<Response<GetIvrMenuResponse>, Status> {
        let caller = server::caller(&request)?;
        let wanted = wire::get(request.into_inner())?;
        let kept = self
            .db
            .transact("ivr_menu.get", &caller.tenant, async move |mut tx| {
                let version = if wanted == 0 { store::ivr_menus::active(&mut tx).await? } else { wanted };
                let kept = store::ivr_menus::get(&mut tx, version).await?;
                Ok((tx, kept))
            })
            .await?;
        let kept = kept.ok_or(Refusal::IvrMenuNotFound).map_err(Fault::from)?;
        Ok(Response::new(GetIvrMenuResponse { menu: Some(wire::menu(kept)) }))
    }

    async fn list_ivr_menus(
        &self,
        request: Request<ListIvrMenusRequest>,
    ) -> Result<Response<ListIvrMenusResponse>, Status> {
        let caller = server::caller(&request)?;
        let page = wire::list(request.get_ref())?;
        let (menus, page) = self
            .db
            .transact("ivr_menu.list", &caller.tenant, async move |mut tx| {
                let menus = store::ivr_menus::list(&mut tx, &page).await?;
                Ok((tx, (menus, page)))
            })
            .await?;
        let menus = menus.into_iter().map(|kept| (kept.version.to_string(), wire::menu(kept)));
        let (menus, next_page_token) = server::page(&page, menus);
        Ok(Response::new(ListIvrMenusResponse { menus, next_page_token }))
    }
}
