//! The rpcs of `CalendarService`.

use fault::Fault;
use kernel::{Caller, TenantId};
use pg::{Db, Key, Tx};
use prost::Message;
use proto::redress::cases::v1::calendar_service_server::CalendarService;
use proto::redress::cases::v1::{
    CreateCalendarRequest, CreateCalendarResponse, GetCalendarRequest, GetCalendarResponse,
    ImportHolidaysRequest, ImportHolidaysResponse, ListCalendarsRequest, ListCalendarsResponse,
    UpdateCalendarRequest, UpdateCalendarResponse,
};
use server::Length;
use tonic::{Request, Response, Status};

use crate::calendars::{self, Edition, Listed};
use crate::clocks::recount::{self, Moved};
use crate::refusal::Refusal;
use crate::store::calendars as store;
use crate::wire::calendars::{self as wire, Change, Edit};

/// Serves the calendars of a schema.
#[derive(Clone)]
pub(crate) struct Calendars {
    db: Db,
}

impl Calendars {
    /// Serves the calendars of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Edits a calendar, or tries to, and answers what that does.
    async fn edit<A: Message + Default>(
        &self,
        caller: Caller,
        key: Key,
        edit: Edit,
        render: fn(Edited) -> A,
    ) -> Result<Response<A>, Status> {
        let (editor, tenant) = (caller.subject.clone(), caller.tenant.clone());
        let done = self
            .db
            .mutate(&caller, key, async move |mut tx| {
                let edited = apply(&mut tx, edit, &editor, &tenant).await?;
                Ok((tx, render(edited)))
            })
            .await?;
        Ok(server::reply(done))
    }
}

/// What an edit made of a calendar, and the due times it moves.
struct Edited {
    calendar: Listed,
    moved: Vec<Moved>,
}

/// Makes the next edition of a calendar and counts clocks anew by it; a dry run
/// leaves no trace.
async fn apply(tx: &mut Tx, edit: Edit, editor: &str, tenant: &TenantId) -> Result<Edited, Fault> {
    let Edit { name, version, dry_run, change } = edit;
    store::seize(tx).await?;
    let before = store::current(tx, &name).await?.ok_or(Refusal::CalendarNotFound)?;
    if version.is_some_and(|seen| seen != before.version) {
        return Err(Fault::version_mismatch(before.version));
    }
    let draft = match change {
        Change::All(draft) => *draft,
        Change::Days(days, known_until) => before.with_days(days, known_until),
    };
    let (draft, calendar) = server::blocking(tenant, Length::Quick, "calendar.check", move || {
        let calendar = draft.check();
        (draft, calendar)
    })
    .await?;
    let calendar = calendar.map_err(wire::unsound)?;
    let edition = Edition::after(Some(&before), &name, draft, tx.now());
    let moved = recount::moves(tx, &name, &calendar).await?;
    if !dry_run {
        let old = store::resolve(tx, &[&name]).await?.known(&name)?;
        let id = tx.new_id();
        store::insert(tx, &edition, id, editor).await?;
        recount::recount(tx, &name, &old).await?;
    }
    Ok(Edited { calendar: Listed::from(&edition), moved })
}

#[tonic::async_trait]
impl CalendarService for Calendars {
    async fn create_calendar(
        &self,
        request: Request<CreateCalendarRequest>,
    ) -> Result<Response<CreateCalendarResponse>, Status> {
        let caller = server::caller(&request)?;
        let request = request.into_inner();
        let key = Key::of(&request);
        let read = move || wire::create(request);
        let (name, draft) = server::blocking(&caller.tenant, Length::Quick, "calendar.check", read).await??;
        let editor = caller.subject.clone();
        let done = self
            .db
            .mutate(&caller, key, async move |mut tx| {
                store::seize(&mut tx).await?;
                if store::current(&mut tx, &name).await?.is_some() {
                    return Err(Refusal::CalendarExists.into());
                }
                if store::count(&mut tx).await? >= calendars::MAX_CALENDARS {
                    return Err(Refusal::TooManyCalendars.into());
                }
                let (edition, id) = (Edition::after(None, &name, draft, tx.now()), tx.new_id());
                store::insert(&mut tx, &edition, id, &editor).await?;
                let calendar = Some(wire::summary(Listed::from(&edition)));
                Ok((tx, CreateCalendarResponse { calendar }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn update_calendar(
        &self,
        request: Request<UpdateCalendarRequest>,
    ) -> Result<Response<UpdateCalendarResponse>, Status> {
        let caller = server::caller(&request)?;
        let request = request.into_inner();
        let key = Key::of(&request);
        let read = move || wire::update(request);
        let edit = server::blocking(&caller.tenant, Length::Quick, "calendar.check", read).await??;
        let render = |Edited { calendar, moved }| {
            let (moved, moved_count) = wire::moved(&moved);
            UpdateCalendarResponse { calendar: Some(wire::summary(calendar)), moved, moved_count }
        };
        self.edit(caller, key, edit, render).await
    }

    async fn import_holidays(
        &self,
        request: Request<ImportHolidaysRequest>,
    ) -> Result<Response<ImportHolidaysResponse>, Status> {
        let caller = server::caller(&request)?;
        let request = request.into_inner();
        let key = Key::of(&request);
        let read = move || wire::import(request);
        let edit = server::blocking(&caller.tenant, Length::Quick, "calendar.check", read).await??;
        let render = |Edited { calendar, moved }| {
            let (moved, moved_count) = wire::moved(&moved);
            ImportHolidaysResponse { calendar: Some(wire::summary(calendar)), moved, moved_count }
        };
        self.edit(caller, key, edit, render).await
    }

    async fn get_calendar(
        &self,
        request: Request<GetCalendarRequest>,
    ) -> Result<Response<GetCalendarResponse>, Status> {
        let caller = server::caller(&request)?;
        let (name, version) = wire::get(request.into_inner())?;
        let edition = self
            .db
            .transact("calendar.get", &caller.tenant, async move |mut tx| {
                let edition = match version {
                    Some(version) => store::get(&mut tx, &name, version).await?,
                    None => store::current(&mut tx, &name).await?,
                };
                Ok((tx, edition))
            })
            .await?
            .ok_or(Refusal::CalendarNotFound)
            .map_err(Fault::from)?;
        Ok(Response::new(GetCalendarResponse { calendar: Some(wire::calendar(edition)) }))
    }

    async fn list_calendars(
        &self,
        request: Request<ListCalendarsRequest>,
    ) -> Result<Response<ListCalendarsResponse>, Status> {
        let caller = server::caller(&request)?;
        let page = wire::list(request.into_inner())?;
        let own = self
            .db
            .transact("calendar.list", &caller.tenant, async move |mut tx| {
                let own = store::list(&mut tx).await?;
                Ok((tx, own))
            })
            .await?;
        let after = page.after.clone().unwrap_or_default();
        let mut listed = calendars::with_builtin(own);
        listed.retain(|listed| listed.name > after);
        let next_page_token = page.cut(&mut listed, |listed| listed.name.clone());
        let calendars = listed.into_iter().map(wire::summary).collect();
        Ok(Response::new(ListCalendarsResponse { calendars, next_page_token }))
    }
}
