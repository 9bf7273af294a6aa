//! The rpcs of `CalendarService`.

use calendar::zones;
use fault::Fault;
use kernel::TenantId;
use pg::{Db, MutationContext, Tx};
use prost::Message;
use proto::redress::cases::v1::calendar_service_server::CalendarService;
use proto::redress::cases::v1::{
    CreateCalendarRequest, CreateCalendarResponse, GetCalendarRequest, GetCalendarResponse,
    ImportHolidaysRequest, ImportHolidaysResponse, ListCalendarsRequest, ListCalendarsResponse,
    UpdateCalendarRequest, UpdateCalendarResponse, UpdateTimeZonesRequest, UpdateTimeZonesResponse,
};
use server::Length;
use tonic::{Request, Response, Status};

use crate::calendars::{self, Edition, Listed};
use crate::clocks::policy_activation::{Progress, What};
use crate::clocks::recalculation::{self as due_times, Found};
use crate::flow::clocks::{jobs, recalculation, zoned};
use crate::refusal::Refusal;
use crate::store::calendars as store;
use crate::store::jobs::of_calendars;
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
        context: MutationContext,
        edit: Edit,
        render: fn(Edited) -> A,
    ) -> Result<Response<A>, Status> {
        if let Some(done) = self.db.answered(&context).await? {
            return Ok(server::reply(done));
        }
        let (tenant, dry_run) = (context.caller.tenant.clone(), edit.dry_run);
        let planned = self.plan(&tenant, edit).await?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let edited =
                    if dry_run { planned.tried() } else { apply(&mut tx, planned, &caller.subject).await? };
                Ok((tx, render(edited)))
            })
            .await?;
        if !dry_run {
            jobs::settle(&self.db, &tenant).await;
        }
        Ok(server::reply(done))
    }

    /// The next edition of a calendar, and what it would move.
    async fn plan(&self, tenant: &TenantId, edit: Edit) -> Result<Planned, Fault> {
        let Edit { name, version, dry_run, change } = edit;
        let (before, name) = self
            .db
            .transact("calendar.get", tenant, async move |mut tx| {
                let before = store::current(&mut tx, &name).await?.ok_or(Refusal::CalendarNotFound)?;
                Ok((tx, (before, name)))
            })
            .await?;
        if version.is_some_and(|seen| seen != before.version) {
            return Err(Fault::version_mismatch(before.version));
        }
        let draft = match change {
            Change::All(draft) => *draft,
            Change::Days(days, known_until) => before.with_days(days, known_until),
        };
        let check = move || draft.check().map(|calendar| (draft, calendar));
        let checked = server::blocking(tenant, Length::Quick, "calendar.check", check).await?;
        let (draft, calendar) = checked.map_err(wire::unsound)?;
        let edition = Edition::after(Some(&before), &name, draft, self.db.clock().now());
        let patience = (!dry_run).then_some(recalculation::LOOK_AHEAD);
        let edit = due_times::Edit::Calendar(name, Box::new(calendar));
        let found = recalculation::moves(&self.db, tenant, edit, patience).await?;
        Ok(Planned { before: before.version, edition, found })
    }
}

/// An edit as it was looked at.
struct Planned {
    /// The version it follows.
    before: i64,
    edition: Edition,
    found: Found,
}

impl Planned {
    fn tried(self) -> Edited {
        Edited { calendar: Listed::from(&self.edition), progress: None, found: self.found }
    }
}

/// What an edit made of a calendar, and the due times it moves.
struct Edited {
    calendar: Listed,
    progress: Option<Progress>,
    found: Found,
}

/// Makes the next edition of a calendar: for what happens from now on at once, for the
/// open clocks page by page. Nobody writes a clock while that is noted.
async fn apply(tx: &mut Tx, planned: Planned, editor: &str) -> Result<Edited, Fault> {
    let Planned { before, mut edition, found } = planned;
    store::seize(tx).await?;
    let current = store::current(tx, &edition.name).await?.map_or(0, |current| current.version);
    if current != before {
        return Err(Fault::version_mismatch(current));
    }
    edition.effective = Some(tx.now());
    let id = tx.new_id();
    store::insert(tx, &edition, id, editor).await?;
    tx.emit(id, &wire::changed(&edition)?);
    jobs::begin(tx, &What::Calendar(edition.name.clone())).await?;
    let progress = of_calendars(tx, std::slice::from_ref(&edition.name)).await?.remove(&edition.name);
    Ok(Edited { calendar: Listed::from(&edition), progress, found })
}

#[tonic::async_trait]
impl CalendarService for Calendars {
    async fn create_calendar(
        &self,
        request: Request<CreateCalendarRequest>,
    ) -> Result<Response<CreateCalendarResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let read = move || wire::create(request);
        let (name, draft) =
            server::blocking(&context.caller.tenant, Length::Quick, "calendar.check", read).await??;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                store::seize(&mut tx).await?;
                if store::current(&mut tx, &name).await?.is_some() {
                    return Err(Refusal::CalendarExists.into());
                }
                if store::count(&mut tx).await? >= calendars::MAX_CALENDARS {
                    return Err(Refusal::TooManyCalendars.into());
                }
                let (edition, id) = (Edition::after(None, &name, draft, tx.now()), tx.new_id());
                store::insert(&mut tx, &edition, id, &caller.subject).await?;
                tx.emit(id, &wire::changed(&edition)?);
                let calendar = Some(wire::summary(Listed::from(&edition), None));
                Ok((tx, CreateCalendarResponse { calendar }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn update_calendar(
        &self,
        request: Request<UpdateCalendarRequest>,
    ) -> Result<Response<UpdateCalendarResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let read = move || wire::update(request);
        let edit = server::blocking(&context.caller.tenant, Length::Quick, "calendar.check", read).await??;
        let render = |Edited { calendar, progress, found }| {
            let (moved, moved_count) = wire::moved(&found);
            let calendar = Some(wire::summary(calendar, progress.as_ref()));
            UpdateCalendarResponse { calendar, moved, moved_count, moved_is_partial: found.partial }
        };
        self.edit(context, edit, render).await
    }

    async fn import_holidays(
        &self,
        request: Request<ImportHolidaysRequest>,
    ) -> Result<Response<ImportHolidaysResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let read = move || wire::import(request);
        let edit = server::blocking(&context.caller.tenant, Length::Quick, "calendar.check", read).await??;
        let render = |Edited { calendar, progress, found }| {
            let (moved, moved_count) = wire::moved(&found);
            let calendar = Some(wire::summary(calendar, progress.as_ref()));
            ImportHolidaysResponse { calendar, moved, moved_count, moved_is_partial: found.partial }
        };
        self.edit(context, edit, render).await
    }

    async fn update_time_zones(
        &self,
        request: Request<UpdateTimeZonesRequest>,
    ) -> Result<Response<UpdateTimeZonesResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (expected, dry_run) = wire::zones(request)?;
        let release = zones::version();
        if let Some(done) = self.db.answered(&context).await? {
            return Ok(server::reply(done));
        }
        let tenant = context.caller.tenant.clone();
        let found = if dry_run {
            Some(recalculation::moves(&self.db, &tenant, due_times::Edit::Zones, None).await?)
        } else {
            None
        };
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                if !expected.is_empty() && expected != release {
                    return Err(Refusal::TimeZonesDiffer.into());
                }
                let (found, has_more) = match found {
                    Some(found) => (found, false),
                    None => zoned::adopt_zones(&mut tx, &tenant).await?,
                };
                let (moved, moved_count) = wire::moved(&found);
                let release = release.to_owned();
                Ok((tx, UpdateTimeZonesResponse { release, moved, moved_count, has_more }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_calendar(
        &self,
        request: Request<GetCalendarRequest>,
    ) -> Result<Response<GetCalendarResponse>, Status> {
        let caller = server::caller(&request)?;
        let (name, version) = wire::get(request.into_inner())?;
        let (edition, progress) = self
            .db
            .transact("calendar.get", &caller.tenant, async move |mut tx| {
                let edition = match version {
                    Some(version) => store::get(&mut tx, &name, version).await?,
                    None => store::current(&mut tx, &name).await?,
                };
                let edition = edition.ok_or(Refusal::CalendarNotFound)?;
                let progress = of_calendars(&mut tx, std::slice::from_ref(&name)).await?.remove(&name);
                Ok((tx, (edition, progress)))
            })
            .await?;
        Ok(Response::new(GetCalendarResponse { calendar: Some(wire::calendar(edition, progress.as_ref())) }))
    }

    async fn list_calendars(
        &self,
        request: Request<ListCalendarsRequest>,
    ) -> Result<Response<ListCalendarsResponse>, Status> {
        let caller = server::caller(&request)?;
        let page = wire::list(request.into_inner())?;
        let (own, progress) = self
            .db
            .transact("calendar.list", &caller.tenant, async move |mut tx| {
                let own = store::list(&mut tx).await?;
                let names: Vec<String> = own.iter().map(|own| own.name.clone()).collect();
                let progress = of_calendars(&mut tx, &names).await?;
                Ok((tx, (own, progress)))
            })
            .await?;
        let after = page.after.clone().unwrap_or_default();
        let mut listed = calendars::with_builtin(own);
        listed.retain(|listed| listed.name > after);
        let next_page_token = page.cut(&mut listed, |listed| listed.name.clone());
        let summary = |listed: Listed| {
            let progress = progress.get(&listed.name);
            wire::summary(listed, progress)
        };
        let calendars = listed.into_iter().map(summary).collect();
        Ok(Response::new(ListCalendarsResponse { calendars, next_page_token }))
    }
}
