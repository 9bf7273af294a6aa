//! `GroupService`: read, transact, render.

use fault::Fault;
use kernel::{Caller, CaseId};
use pg::{Db, MutationContext, Tx};
use prost::Message;
use proto::redress::cases::v1::group_service_server::GroupService;
use proto::redress::cases::v1::{
    AddToGroupRequest, AddToGroupResponse, CreateGroupRequest, CreateGroupResponse, GetGroupPolicyRequest,
    GetGroupPolicyResponse, GetGroupRequest, GetGroupResponse, ListGroupsRequest, ListGroupsResponse,
    RemoveFromGroupRequest, RemoveFromGroupResponse, SetGroupPolicyRequest, SetGroupPolicyResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::acting;
use crate::acting::Act;
use crate::case::{Case, Occasion};
use crate::flow::persist;
use crate::groups::{Group, Member};
use crate::refusal::Refusal;
use crate::store;
use crate::wire::groups::{self as wire, GroupTarget, Joining};

/// The rpcs of `GroupService`.
#[derive(Clone)]
pub(crate) struct GroupRpc {
    db: Db,
}

impl GroupRpc {
    /// Serves the groups of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Has cases join a group, a new one or the one meant, and answers with it.
    async fn join<A: Message + Default>(
        &self,
        context: MutationContext,
        which: Which,
        joining: Joining,
        render: fn(&Group) -> A,
    ) -> Result<Response<A>, Status> {
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let group = match which {
                    Which::New(title) => New::Title(title),
                    Which::Known(target) => New::No(lock(&mut tx, target).await?),
                };
                let group = admit(&mut tx, &caller, group, joining).await?;
                Ok((tx, render(&group)))
            })
            .await?;
        Ok(server::reply(done))
    }
}

/// The group that cases join, as asked for.
enum Which {
    /// One to be registered, with this title.
    New(String),
    /// One there is.
    Known(GroupTarget),
}

/// The group that cases join, as far as it is there.
enum New {
    /// It gets this title.
    Title(String),
    /// It is there, locked.
    No(Group),
}

async fn lock(tx: &mut Tx, target: GroupTarget) -> Result<Group, Fault> {
    let group = store::groups::lock(tx, target.group).await?.ok_or(Refusal::GroupNotFound)?;
    match target.version {
        Some(seen) if seen != group.version => Err(Fault::version_mismatch(group.version)),
        _ => Ok(group),
    }
}

/// Locks cases, those that are in no group yet; refused when one is in another.
async fn lock_ungrouped(
    tx: &mut Tx,
    caller: &Caller,
    ids: &[Uuid],
    group: Option<Uuid>,
) -> Result<Vec<Case>, Fault> {
    let mut cases = store::lock_all(tx, ids).await?;
    if cases.len() != ids.len() {
        return Err(Refusal::CaseNotFound.into());
    }
    may_group(tx, caller, &cases).await?;
    for (case, in_group) in store::groups::groups_of(tx, ids).await? {
        if Some(in_group) != group {
            return Err(Refusal::AlreadyInAGroup.into());
        }
        cases.retain(|fresh| fresh.id.0 != case);
    }
    Ok(cases)
}

/// Many handle the cases of a group; whom one of them is about does not sort it.
async fn may_group(tx: &mut Tx, caller: &Caller, cases: &[Case]) -> Result<(), Fault> {
    let actor = acting::actor(tx, caller, cases.iter()).await?;
    cases.iter().try_for_each(|case| case.authorize(Act::Assist, &actor))?;
    Ok(())
}

/// Admits cases, and raises the alarm if they are too many now.
async fn admit(tx: &mut Tx, caller: &Caller, group: New, joining: Joining) -> Result<Group, Fault> {
    let Joining { cases: ids, representatives, reason } = joining;
    let policy = store::groups::policy(tx).await?;
    let known = match &group {
        New::Title(_) => None,
        New::No(group) => {
            if group.would_alarm(ids.len(), &policy) {
                // All at once and in their order, or others might wait in a circle.
                let all = [store::groups::cases_of(tx, group.id).await?, ids.clone()].concat();
                store::lock_all(tx, &all).await?;
            }
            Some(group.id)
        }
    };
    let mut cases = lock_ungrouped(tx, caller, &ids, known).await?;
    let actor = &*caller.subject;
    let now = tx.now();
    let mut group = match (group, cases.first()) {
        (New::No(group), None) => return Ok(group),
        (New::No(group), Some(_)) => group,
        (New::Title(_), None) => return Err(Refusal::CaseNotFound.into()),
        (New::Title(title), Some(first)) => Group::new(tx.new_id(), title, first.origin.matter, now),
    };
    let traceparent = tx.traceparent().to_owned();
    let at = Occasion { now, actor, traceparent: &traceparent };
    let member = |case: &Case| Member {
        case: case.id.0,
        representative: representatives.contains(&case.id.0),
        actor: actor.to_owned(),
        join_time: now,
    };
    let members: Vec<Member> = cases.iter().map(member).collect();
    let speaking = members.iter().filter(|member| member.representative).count();
    group.admit(&mut cases, speaking, &reason, &policy, &at)?;
    store::groups::join(tx, group.id, &members).await?;
    persist::changed(tx, &mut cases).await?;
    if group.would_alarm(0, &policy) {
        raise_alarm(tx, &mut group, &at).await?;
    }
    store::groups::save(tx, &group).await?;
    Ok(group)
}

/// The lock on the group is what makes it once, whichever replica comes first.
async fn raise_alarm(tx: &mut Tx, group: &mut Group, at: &Occasion<'_>) -> Result<(), Fault> {
    let ids = store::groups::cases_of(tx, group.id).await?;
    let mut cases = store::lock_all(tx, &ids).await?;
    group.alarm(&mut cases, at);
    cases.retain(|case| !case.journal.is_empty());
    persist::changed(tx, &mut cases).await?;
    let raised = cases.iter().map(|case| case.id.to_string()).collect();
    tx.emit(group.id, &wire::alarm(group, raised));
    Ok(())
}

#[tonic::async_trait]
impl GroupService for GroupRpc {
    async fn create_group(
        &self,
        request: Request<CreateGroupRequest>,
    ) -> Result<Response<CreateGroupResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (title, joining) = wire::create(request)?;
        let render = |group: &Group| CreateGroupResponse { group: Some(wire::group(group)) };
        self.join(context, Which::New(title), joining, render).await
    }

    async fn add_to_group(
        &self,
        request: Request<AddToGroupRequest>,
    ) -> Result<Response<AddToGroupResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, joining) = wire::add(request)?;
        let render = |group: &Group| AddToGroupResponse { group: Some(wire::group(group)) };
        self.join(context, Which::Known(target), joining, render).await
    }

    async fn remove_from_group(
        &self,
        request: Request<RemoveFromGroupRequest>,
    ) -> Result<Response<RemoveFromGroupResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (target, case, reason) = wire::remove(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let mut group = lock(&mut tx, target).await?;
                let left = store::groups::leave(&mut tx, group.id, case).await?;
                let representative = left.ok_or(Refusal::NotInTheGroup)?;
                let locked = store::lock_all(&mut tx, &[case.0]).await?.pop();
                let mut case = locked.ok_or(Refusal::CaseNotFound)?;
                may_group(&mut tx, &caller, std::slice::from_ref(&case)).await?;
                tx.join_trace(&case.origin.traceparent);
                let traceparent = tx.traceparent().to_owned();
                let at = Occasion { now: tx.now(), actor: &caller.subject, traceparent: &traceparent };
                group.dismiss(&mut case, representative, reason, &at);
                persist::changed(&mut tx, std::slice::from_mut(&mut case)).await?;
                store::groups::save(&mut tx, &group).await?;
                Ok((tx, RemoveFromGroupResponse { group: Some(wire::group(&group)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_group(
        &self,
        request: Request<GetGroupRequest>,
    ) -> Result<Response<GetGroupResponse>, Status> {
        let caller = server::caller(&request)?;
        let (id, page) = wire::get(request.into_inner())?;
        let (group, mut members, page) = self
            .db
            .transact("group.get", &caller.tenant, async move |mut tx| {
                let group = store::groups::get(&mut tx, id).await?.ok_or(Refusal::GroupNotFound)?;
                let members = store::groups::members(&mut tx, id, &page).await?;
                Ok((tx, (group, members, page)))
            })
            .await?;
        let next_page_token = page.cut(&mut members, |member| member.case.to_string());
        Ok(Response::new(GetGroupResponse {
            group: Some(wire::group(&group)),
            members: members.into_iter().map(wire::member).collect(),
            next_page_token,
        }))
    }

    async fn list_groups(
        &self,
        request: Request<ListGroupsRequest>,
    ) -> Result<Response<ListGroupsResponse>, Status> {
        let caller = server::caller(&request)?;
        let (case, page): (Option<CaseId>, _) = wire::list(request.into_inner())?;
        let (mut groups, page) = self
            .db
            .transact("group.list", &caller.tenant, async move |mut tx| {
                let groups = store::groups::list(&mut tx, case, &page).await?;
                Ok((tx, (groups, page)))
            })
            .await?;
        let next_page_token = page.cut(&mut groups, |group| group.id.to_string());
        Ok(Response::new(ListGroupsResponse {
            groups: groups.iter().map(wire::group).collect(),
            next_page_token,
        }))
    }

    async fn get_group_policy(
        &self,
        request: Request<GetGroupPolicyRequest>,
    ) -> Result<Response<GetGroupPolicyResponse>, Status> {
        let caller = server::caller(&request)?;
        let GetGroupPolicyRequest {} = request.into_inner();
        let policy = self
            .db
            .transact("group.policy", &caller.tenant, async move |mut tx| {
                let policy = store::groups::policy(&mut tx).await?;
                Ok((tx, policy))
            })
            .await?;
        Ok(Response::new(GetGroupPolicyResponse { policy: Some(wire::decided(policy)) }))
    }

    async fn set_group_policy(
        &self,
        request: Request<SetGroupPolicyRequest>,
    ) -> Result<Response<SetGroupPolicyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let policy = wire::policy(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                store::groups::decide(&mut tx, &policy).await?;
                Ok((tx, SetGroupPolicyResponse { policy: Some(wire::decided(policy)) }))
            })
            .await?;
        Ok(server::reply(done))
    }
}
