//! The rpcs of `PolicyService`.

use calendar::Pack;
use fault::Fault;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use kernel::TenantId;
use pg::{Db, Tx};
use proto::redress::cases::v1::policy_service_server::PolicyService;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, ActivatePolicyResponse, CreatePolicyRequest, CreatePolicyResponse,
    GetPolicyRequest, GetPolicyResponse, ListPoliciesRequest, ListPoliciesResponse, Policy,
};
use tonic::{Request, Response, Status};

use crate::clocks::policy::{KeptPolicy, default_ladders, packs, shipped_pack};
use crate::clocks::policy_activation::What;
use crate::clocks::recalculation::{Edit, Found};
use crate::flow::clocks::{jobs, recalculation};
use crate::refusal::Refusal;
use crate::reopening::ReopeningLimits;
use crate::store::calendars;
use crate::store::jobs::of_policies;
use crate::store::policies as store;
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

    /// The due times that a version moves, were it put in force now; before it is, as many
    /// as can be looked at in time.
    async fn moves(&self, tenant: &TenantId, version: i32, dry_run: bool) -> Result<Found, Fault> {
        let policy = self
            .db
            .transact("policy.get", tenant, async move |mut tx| {
                let policy = jobs::policy(&mut tx, version).await?;
                Ok((tx, policy))
            })
            .await?;
        let patience = (!dry_run).then_some(recalculation::LOOK_AHEAD);
        recalculation::moves(&self.db, tenant, Edit::Policy(Box::new(policy)), patience).await
    }
}

/// Makes the next version.
async fn create(tx: &mut Tx, draft: Draft, by: &str) -> Result<KeptPolicy, Fault> {
    let Draft { pack, shipped, ladders, reopening, note } = draft;
    let pack = if shipped { on(&pack, shipped, today(tx.now())) } else { pack };
    calendars::seize(tx).await?;
    let known = calendars::resolve(tx, &[&pack.calendar]).await?;
    known.get(&pack.calendar).ok_or_else(wires::no_such_calendar)?;
    let version = store::latest(tx).await? + 1;
    if version > MAX_POLICIES {
        return Err(Refusal::TooManyPolicies.into());
    }
    let (created, creator) = (Some(tx.now()), by.to_owned());
    let kept = KeptPolicy {
        version,
        pack,
        shipped,
        ladders,
        reopening,
        note,
        created,
        creator,
        activated: None,
        activator: String::new(),
    };
    store::insert(tx, &kept).await?;
    Ok(kept)
}

/// Puts a version in force: for what happens from now on at once, for the open clocks page
/// by page. Nobody writes a clock while that is noted.
async fn activate(tx: &mut Tx, version: i32, by: &str) -> Result<KeptPolicy, Fault> {
    calendars::seize(tx).await?;
    let version = if version == 0 { keep_shipped(tx, by).await? } else { version };
    let mut kept = store::get(tx, version).await?.ok_or(Refusal::PolicyNotFound)?;
    (kept.activated, kept.activator) = (Some(tx.now()), by.to_owned());
    store::activate(tx, &kept).await?;
    jobs::begin(tx, &What::Policy(version)).await?;
    Ok(kept)
}

/// Keeps the shipped policy as the next version, unless the latest is just that: what
/// clocks are under has a version. Answers which it is.
async fn keep_shipped(tx: &mut Tx, by: &str) -> Result<i32, Fault> {
    let KeptPolicy { pack, shipped, ladders, reopening, .. } = shipped()?;
    let latest = store::latest(tx).await?;
    let is_it = |kept: &KeptPolicy| {
        let same = (&kept.pack.name, &kept.ladders, kept.reopening) == (&pack.name, &ladders, reopening);
        kept.shipped && same
    };
    if store::get(tx, latest).await?.as_ref().is_some_and(is_it) {
        return Ok(latest);
    }
    let draft = Draft { pack, shipped, ladders, reopening, note: "the shipped policy".to_owned() };
    Ok(create(tx, draft, by).await?.version)
}

/// Policies as callers see them, with how far those in force have come.
async fn shown(tx: &mut Tx, kept: &[KeptPolicy]) -> Result<Vec<Policy>, Fault> {
    let versions: Vec<i32> = kept.iter().map(|kept| kept.version).collect();
    let progress = of_policies(tx, &versions).await?;
    let shown = |kept: &KeptPolicy| wires::policy(kept, progress.get(&kept.version));
    Ok(kept.iter().map(shown).collect())
}

/// A version; without one, the latest activated, or the shipped one.
async fn read(tx: &mut Tx, version: Option<i32>) -> Result<KeptPolicy, Fault> {
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

impl KeptPolicy {
    /// As it is for complaints received on a day.
    fn on(self, day: Date) -> Self {
        let pack = on(&self.pack, self.shipped, day);
        Self { pack, ..self }
    }
}

fn shipped() -> Result<KeptPolicy, Fault> {
    Ok(KeptPolicy {
        version: 0,
        pack: shipped_pack()?.clone(),
        shipped: true,
        ladders: default_ladders(),
        reopening: ReopeningLimits::SHIPPED,
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
        let (context, request) = server::mutation(request)?;
        let draft = wires::create(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let kept = create(&mut tx, draft, &caller.subject).await?;
                Ok((tx, CreatePolicyResponse { policy: Some(wires::policy(&kept, None)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn activate_policy(
        &self,
        request: Request<ActivatePolicyRequest>,
    ) -> Result<Response<ActivatePolicyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (version, dry_run) = wires::activate(request)?;
        if let Some(done) = self.db.answered(&context).await? {
            return Ok(server::reply(done));
        }
        let tenant = context.caller.tenant.clone();
        let found = self.moves(&tenant, version, dry_run).await?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let kept = if dry_run {
                    read(&mut tx, Some(version)).await?
                } else {
                    activate(&mut tx, version, &caller.subject).await?
                };
                let policy = shown(&mut tx, std::slice::from_ref(&kept)).await?.pop();
                let (moved, moved_count) = wire::calendars::moved(&found);
                let moved_is_partial = found.partial;
                Ok((tx, ActivatePolicyResponse { policy, moved, moved_count, moved_is_partial }))
            })
            .await?;
        if !dry_run {
            jobs::settle(&self.db, &tenant).await;
        }
        Ok(server::reply(done))
    }

    async fn get_policy(
        &self,
        request: Request<GetPolicyRequest>,
    ) -> Result<Response<GetPolicyResponse>, Status> {
        let caller = server::caller(&request)?;
        let (version, received) = wires::get(request.into_inner())?;
        let policy = self
            .db
            .transact("policy.get", &caller.tenant, async move |mut tx| {
                let kept = read(&mut tx, version).await?;
                let day = received.unwrap_or_else(|| today(tx.now()));
                let kept = kept.on(day);
                let policy = shown(&mut tx, std::slice::from_ref(&kept)).await?.pop();
                Ok((tx, policy))
            })
            .await?;
        Ok(Response::new(GetPolicyResponse { policy }))
    }

    async fn list_policies(
        &self,
        request: Request<ListPoliciesRequest>,
    ) -> Result<Response<ListPoliciesResponse>, Status> {
        let caller = server::caller(&request)?;
        let page = wires::list(request.into_inner())?;
        let (policies, page) = self
            .db
            .transact("policy.list", &caller.tenant, async move |mut tx| {
                let kept = store::list(&mut tx, &page).await?;
                let policies = shown(&mut tx, &kept).await?;
                Ok((tx, (policies, page)))
            })
            .await?;
        let policies = policies.into_iter().map(|policy| (policy.version.to_string(), policy));
        let (policies, next_page_token) = server::page(&page, policies);
        Ok(Response::new(ListPoliciesResponse { policies, next_page_token }))
    }
}
