//! The rpcs of `PolicyService`.

use calendar::Pack;
use fault::Fault;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use pg::{Db, Key, Tx};
use proto::redress::cases::v1::policy_service_server::PolicyService;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, ActivatePolicyResponse, CreatePolicyRequest, CreatePolicyResponse,
    GetPolicyRequest, GetPolicyResponse, ListPoliciesRequest, ListPoliciesResponse,
};
use tonic::{Request, Response, Status};

use crate::clocks::policy::{Policy, default_ladders, packs, shipped_pack};
use crate::clocks::recount::Moved;
use crate::clocks::switch;
use crate::refusal::Refusal;
use crate::store::calendars;
use crate::store::policies::{self as store, Kept};
use crate::wire;
use crate::wire::policies::{self as wires, Draft};

/// How many policies a tenant may have.
const MAX_POLICIES: i32 = 500;

/// Serves policies.
#[derive(Clone)]
pub(crate) struct Policies {
    db: Db,
}

impl Policies {
    /// Serves the policies of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

/// Makes the next version.
async fn create(tx: &mut Tx, draft: Draft, by: &str) -> Result<Kept, Fault> {
    let Draft { pack, shipped, ladders, note } = draft;
    let pack = if shipped { on(&pack, shipped, today(tx.now())) } else { pack };
    calendars::seize(tx).await?;
    let known = calendars::resolve(tx, &[&pack.calendar]).await?;
    known.get(&pack.calendar).ok_or_else(wires::no_such_calendar)?;
    let version = store::latest(tx).await? + 1;
    if version > MAX_POLICIES {
        return Err(Refusal::TooManyPolicies.into());
    }
    let (created, creator) = (Some(tx.now()), by.to_owned());
    let kept = Kept {
        version,
        pack,
        shipped,
        ladders,
        note,
        created,
        creator,
        activated: None,
        activator: String::new(),
    };
    store::insert(tx, &kept).await?;
    Ok(kept)
}

/// Puts a version in force, or tries to, and answers what that moves. Nobody
/// writes a clock meanwhile.
async fn activate(tx: &mut Tx, version: i32, dry_run: bool, by: &str) -> Result<(Kept, Vec<Moved>), Fault> {
    calendars::seize(tx).await?;
    let mut kept = store::get(tx, version).await?.ok_or(Refusal::PolicyNotFound)?;
    let known = calendars::resolve(tx, &[&kept.pack.calendar]).await?;
    let packs = packs(&kept.pack, kept.shipped);
    let policy = Policy::of(kept.version, packs, kept.ladders.clone(), &known)?;
    let moved = switch::moves(tx, &policy).await?;
    if !dry_run {
        (kept.activated, kept.activator) = (Some(tx.now()), by.to_owned());
        store::activate(tx, &kept).await?;
        switch::switch(tx, &policy).await?;
    }
    Ok((kept, moved))
}

/// A version; without one, the latest activated, or the shipped one.
async fn read(tx: &mut Tx, version: Option<i32>) -> Result<Kept, Fault> {
    let kept = match version {
        Some(0) => None,
        Some(version) => Some(store::get(tx, version).await?.ok_or(Refusal::PolicyNotFound)?),
        None => store::latest_activated(tx).await?,
    };
    match kept {
        Some(kept) => Ok(kept),
        None => shipped(),
    }
}

/// The day it is in UTC.
fn today(now: Timestamp) -> Date {
    Offset::UTC.to_datetime(now).date()
}

/// The version of a pack in force for a day of receipt; where none is, the one kept.
fn on(kept: &Pack, shipped: bool, day: Date) -> Pack {
    let applies = packs(kept, shipped).into_iter().find(|pack| pack.applies_on(day));
    applies.unwrap_or_else(|| kept.clone())
}

impl Kept {
    /// As it is for complaints received on a day.
    fn on(self, day: Date) -> Self {
        let pack = on(&self.pack, self.shipped, day);
        Self { pack, ..self }
    }
}

fn shipped() -> Result<Kept, Fault> {
    Ok(Kept {
        version: 0,
        pack: shipped_pack()?.clone(),
        shipped: true,
        ladders: default_ladders(),
        note: String::new(),
        created: None,
        creator: String::new(),
        activated: None,
        activator: String::new(),
    })
}

#[tonic::async_trait]
impl PolicyService for Policies {
    async fn create_policy(
        &self,
        request: Request<CreatePolicyRequest>,
    ) -> Result<Response<CreatePolicyResponse>, Status> {
        let caller = server::caller(&request)?;
        let request = request.into_inner();
        let key = Key::of(&request);
        let draft = wires::create(request)?;
        let by = caller.subject.clone();
        let done = self
            .db
            .mutate(&caller, key, async move |mut tx| {
                let kept = create(&mut tx, draft, &by).await?;
                Ok((tx, CreatePolicyResponse { policy: Some(wires::policy(&kept)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn activate_policy(
        &self,
        request: Request<ActivatePolicyRequest>,
    ) -> Result<Response<ActivatePolicyResponse>, Status> {
        let caller = server::caller(&request)?;
        let request = request.into_inner();
        let key = Key::of(&request);
        let (version, dry_run) = wires::activate(request)?;
        let by = caller.subject.clone();
        let done = self
            .db
            .mutate(&caller, key, async move |mut tx| {
                let (kept, moved) = activate(&mut tx, version, dry_run, &by).await?;
                let (moved, moved_count) = wire::calendars::moved(&moved);
                let policy = Some(wires::policy(&kept));
                Ok((tx, ActivatePolicyResponse { policy, moved, moved_count }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_policy(
        &self,
        request: Request<GetPolicyRequest>,
    ) -> Result<Response<GetPolicyResponse>, Status> {
        let caller = server::caller(&request)?;
        let (version, received) = wires::get(request.into_inner())?;
        let kept = self
            .db
            .transact("policy.get", &caller.tenant, async move |mut tx| {
                let kept = read(&mut tx, version).await?;
                let day = received.unwrap_or_else(|| today(tx.now()));
                Ok((tx, kept.on(day)))
            })
            .await?;
        Ok(Response::new(GetPolicyResponse { policy: Some(wires::policy(&kept)) }))
    }

    async fn list_policies(
        &self,
        request: Request<ListPoliciesRequest>,
    ) -> Result<Response<ListPoliciesResponse>, Status> {
        let caller = server::caller(&request)?;
        let page = wires::list(request.into_inner())?;
        let (kept, page) = self
            .db
            .transact("policy.list", &caller.tenant, async move |mut tx| {
                let kept = store::list(&mut tx, &page).await?;
                Ok((tx, (kept, page)))
            })
            .await?;
        let policies = kept.iter().map(|kept| (kept.version.to_string(), wires::policy(kept)));
        let (policies, next_page_token) = server::page(&page, policies);
        Ok(Response::new(ListPoliciesResponse { policies, next_page_token }))
    }
}
