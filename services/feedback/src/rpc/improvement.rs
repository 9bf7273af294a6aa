//! The rpcs of `ImprovementService`.

use fault::Fault;
use kernel::Caller;
use pg::{Db, Tx};
use proto::redress::feedback::v1::improvement_service_server::ImprovementService;
use proto::redress::feedback::v1::{
    AssessImprovementActionRequest, AssessImprovementActionResponse, CompleteImprovementActionRequest,
    CompleteImprovementActionResponse, CreateImprovementActionRequest, CreateImprovementActionResponse,
    GetImprovementActionRequest, GetImprovementActionResponse, ImprovementAction,
    ListImprovementActionsRequest, ListImprovementActionsResponse, UpdateImprovementActionRequest,
    UpdateImprovementActionResponse,
};
use tonic::{Request, Response, Status};

use crate::flow::improvement;
use crate::improvement::{Action, MAX_ACTIONS, Word};
use crate::refusal::Refusal;
use crate::wire::{Assigned, CreatedAction, SeenAction};
use crate::{store, wire};

/// Serves actions about problems.
pub(crate) struct Improvement {
    db: Db,
}

impl Improvement {
    /// Serves the actions of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

/// An action with its effect, which takes computing.
async fn shown(tx: &mut Tx, action: Action, caller: &Caller) -> Result<ImprovementAction, Fault> {
    let effect = improvement::effect(tx, &action).await?;
    let told = move || wire::effect(effect);
    let effect = server::blocking(&caller.tenant, server::Length::Quick, "improvement", told).await?;
    Ok(ImprovementAction { effect: Some(effect), ..wire::action(action, tx.now()) })
}

/// The action that the caller has seen, for them alone.
async fn held(tx: &mut Tx, seen: SeenAction) -> Result<Action, Fault> {
    let action = store::lock_action(tx, seen.id).await?.ok_or(Refusal::ImprovementActionNotFound)?;
    if action.version != seen.version {
        return Err(Fault::version_mismatch(action.version));
    }
    Ok(action)
}

async fn saved(tx: &mut Tx, action: Action, caller: &Caller) -> Result<ImprovementAction, Fault> {
    store::save_action(tx, &action).await?;
    shown(tx, action, caller).await
}

/// Creates an action. Its problem is held: two at once are counted one after the other.
async fn create(tx: &mut Tx, wanted: CreatedAction, caller: &Caller) -> Result<ImprovementAction, Fault> {
    let CreatedAction { problem, kind, title, assigned: Assigned { owner, due } } = wanted;
    store::lock_problem(tx, problem).await?.ok_or(Refusal::ProblemNotFound)?;
    if store::action_count(tx, problem).await? >= MAX_ACTIONS {
        return Err(Refusal::TooManyImprovementActions.into());
    }
    let action = Action {
        id: tx.new_id(),
        version: 1,
        problem,
        kind,
        title,
        owner,
        due: improvement::due(tx, due).await?,
        overdue_told: false,
        created: tx.now(),
        creator: caller.subject.to_string(),
        done: None,
        assessed: None,
    };
    saved(tx, action, caller).await
}

fn word(tx: &Tx, caller: &Caller, text: String) -> Word {
    Word { at: tx.now(), by: caller.subject.to_string(), text }
}

#[tonic::async_trait]
impl ImprovementService for Improvement {
    async fn create_improvement_action(
        &self,
        request: Request<CreateImprovementActionRequest>,
    ) -> Result<Response<CreateImprovementActionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let wanted = wire::created_action(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let action = Some(create(&mut tx, wanted, &caller).await?);
            Ok((tx, CreateImprovementActionResponse { action }))
        });
        Ok(server::reply(done.await?))
    }

    async fn update_improvement_action(
        &self,
        request: Request<UpdateImprovementActionRequest>,
    ) -> Result<Response<UpdateImprovementActionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (seen, Assigned { owner, due }) = wire::updated_action(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let mut action = held(&mut tx, seen).await?;
            action.assign(owner, improvement::due(&mut tx, due).await?)?;
            let action = Some(saved(&mut tx, action, &caller).await?);
            Ok((tx, UpdateImprovementActionResponse { action }))
        });
        Ok(server::reply(done.await?))
    }

    async fn complete_improvement_action(
        &self,
        request: Request<CompleteImprovementActionRequest>,
    ) -> Result<Response<CompleteImprovementActionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (seen, note) = wire::completed_action(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let mut action = held(&mut tx, seen).await?;
            action.complete(word(&tx, &caller, note))?;
            let action = Some(saved(&mut tx, action, &caller).await?);
            Ok((tx, CompleteImprovementActionResponse { action }))
        });
        Ok(server::reply(done.await?))
    }

    async fn assess_improvement_action(
        &self,
        request: Request<AssessImprovementActionRequest>,
    ) -> Result<Response<AssessImprovementActionResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (seen, is_effective, finding) = wire::assessed_action(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let mut action = held(&mut tx, seen).await?;
            action.assess(word(&tx, &caller, finding), is_effective)?;
            let action = Some(saved(&mut tx, action, &caller).await?);
            Ok((tx, AssessImprovementActionResponse { action }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_improvement_action(
        &self,
        request: Request<GetImprovementActionRequest>,
    ) -> Result<Response<GetImprovementActionResponse>, Status> {
        let caller = server::caller(&request)?;
        let id = wire::action_of(request.into_inner())?;
        let reader = caller.clone();
        let read = self.db.transact("improvement.get", &caller.tenant, async move |mut tx| {
            let action = store::action(&mut tx, id).await?.ok_or(Refusal::ImprovementActionNotFound)?;
            let action = shown(&mut tx, action, &reader).await?;
            Ok((tx, action))
        });
        Ok(Response::new(GetImprovementActionResponse { action: Some(read.await?) }))
    }

    async fn list_improvement_actions(
        &self,
        request: Request<ListImprovementActionsRequest>,
    ) -> Result<Response<ListImprovementActionsResponse>, Status> {
        let caller = server::caller(&request)?;
        let now = self.db.clock().now();
        let wire::ActionListQuery { filter, page, after } = wire::actions_of(request.into_inner(), now)?;
        let wanted = page.clone();
        let listed = self.db.transact("improvement.list", &caller.tenant, async move |mut tx| {
            let actions = store::actions(&mut tx, filter, &wanted, after).await?;
            Ok((tx, actions))
        });
        let actions = listed.await?;
        let rows = actions.into_iter().map(|action| (wire::action_key(&action), wire::action(action, now)));
        let (actions, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListImprovementActionsResponse { actions, next_page_token }))
    }
}
