//! The rpcs of `TriageService`.

use std::sync::Arc;

use fault::{Check, Fault};
use kernel::{Caller, TenantId};
use pg::{Db, MutationContext, Tx};
use prost::Message;
use proto::redress::cases::v1::triage_service_server::TriageService;
use proto::redress::cases::v1::{
    ActivateRuleSetRequest, ActivateRuleSetResponse, CreateRuleSetRequest, CreateRuleSetResponse,
    ExplainTriageRequest, ExplainTriageResponse, GetRuleSetRequest, GetRuleSetResponse, ListRuleSetsRequest,
    ListRuleSetsResponse, LowerPriorityRequest, LowerPriorityResponse, RaisePriorityRequest,
    RaisePriorityResponse, ReplayRulesRequest, ReplayRulesResponse, RetriageCaseRequest,
    RetriageCaseResponse,
};
use server::Length;
use tonic::{Request, Response, Status};
use triage::RuleSet;
use triage::definition::Definition;
use triage::rules::shipped;
use vocabulary::Priority;

use super::acting;
use super::knowledge::suggest;
use crate::acting::Act;
use crate::case::{Case, Occasion};
use crate::flow::persist;
use crate::flow::rule_sets::{self, RuleSets};
use crate::reading::HEAVY_BYTES;
use crate::refusal::Refusal;
use crate::triage_record::{ActiveVersions, KeptSet};
use crate::wire::triage as wire;
use crate::{groups, store};

/// Articles told with how a case was triaged.
const SUGGESTIONS: usize = 3;

/// The rpcs of `TriageService`.
#[derive(Clone)]
pub(crate) struct TriageRpc {
    db: Db,
    rule_sets: Arc<RuleSets>,
}

impl TriageRpc {
    /// Serves the rules of a schema.
    pub(crate) fn new(db: Db, rule_sets: Arc<RuleSets>) -> Self {
        Self { db, rule_sets }
    }

    /// Triages a case again, under its lock.
    async fn retriage(
        &self,
        mut tx: Tx,
        caller: &Caller,
        target: crate::wire::CaseTarget,
    ) -> Result<(Tx, RetriageCaseResponse), Fault> {
        let mut case =
            store::lock_all(&mut tx, &[target.case.0]).await?.pop().ok_or(Refusal::CaseNotFound)?;
        case.authorize(Act::Sort, &acting::actor(&mut tx, caller, std::iter::once(&case)).await?)?;
        if target.version.is_some_and(|seen| seen != case.version) {
            return Err(Fault::version_mismatch(case.version));
        }
        let past = store::triage::get(&mut tx, case.id).await?.ok_or(Refusal::NoTriageRecord)?;
        let versions = ActiveVersions {
            rule_set: store::rules::active(&mut tx).await?,
            tree: store::categories::version(&mut tx).await?,
        };
        let set = self.rule_sets.get(&mut tx, &caller.tenant, versions).await?;
        let verdict = server::aside(past.bytes() > HEAVY_BYTES, || set.triage(&past.facts()));
        tx.join_trace(&case.origin.traceparent);
        let (now, traceparent) = (tx.now(), tx.traceparent().to_owned());
        let at = Occasion { now, actor: &caller.subject, traceparent: &traceparent };
        let anyway = store::groups::is_in_major(&mut tx, case.id).await?.then_some(groups::MAJOR);
        if case.retriage(verdict.triage.clone(), anyway, &at)? {
            persist::changed(&mut tx, std::slice::from_mut(&mut case)).await?;
        }
        store::triage::revise(&mut tx, case.id, &verdict, now).await?;
        let triage = wire::triage(&past, &verdict, now);
        Ok((tx, RetriageCaseResponse { case: Some(crate::wire::case(&case)), triage: Some(triage) }))
    }

    /// Changes a priority by hand; `render` makes the answer.
    async fn by_hand<T: 'static, A: Message + Default + Send + 'static>(
        &self,
        context: MutationContext,
        urgency: wire::Urgency,
        change: ByHand<T>,
        render: fn(&Case, T) -> A,
    ) -> Result<Response<A>, Status> {
        let wire::Urgency { target, priority, reason } = urgency;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let mut case = lock(&mut tx, &caller, target).await?;
                let traceparent = tx.traceparent().to_owned();
                let at = Occasion { now: tx.now(), actor: &caller.subject, traceparent: &traceparent };
                let outcome = change(&mut case, priority, reason, &at)?;
                persist::changed(&mut tx, std::slice::from_mut(&mut case)).await?;
                let answer = render(&case, outcome);
                Ok((tx, answer))
            })
            .await?;
        Ok(server::reply(done))
    }
}

/// A change of a case's priority by a person, for a reason they give.
type ByHand<T> = fn(&mut Case, Priority, String, &Occasion<'_>) -> Result<T, Refusal>;

/// The case whose urgency a caller changes, locked, as they have seen it.
async fn lock(tx: &mut Tx, caller: &Caller, target: crate::wire::CaseTarget) -> Result<Case, Fault> {
    let case = store::lock_all(tx, &[target.case.0]).await?.pop().ok_or(Refusal::CaseNotFound)?;
    case.authorize(Act::Sort, &acting::actor(tx, caller, std::iter::once(&case)).await?)?;
    if target.version.is_some_and(|seen| seen != case.version) {
        return Err(Fault::version_mismatch(case.version));
    }
    tx.join_trace(&case.origin.traceparent);
    Ok(case)
}

/// Checks a set for dead rules, beside the calls: that may take seconds.
async fn check_rules(tenant: &TenantId, definition: Definition) -> Result<(), Fault> {
    let check = || match RuleSet::read(0, definition) {
        Ok(set) => set.dead_rules(),
        Err(flaws) => flaws,
    };
    wire::refused(server::blocking(tenant, Length::Long, "rules.check", check).await?)
}

/// The set that is shipped, as if it were kept.
fn shipped_set(active: i64) -> KeptSet {
    KeptSet {
        version: 0,
        note: "the rules that are shipped".to_owned(),
        creator: String::new(),
        create_time: None,
        activate_time: None,
        active: active == 0,
        definition: Some(shipped()),
    }
}

#[tonic::async_trait]
impl TriageService for TriageRpc {
    async fn create_rule_set(
        &self,
        request: Request<CreateRuleSetRequest>,
    ) -> Result<Response<CreateRuleSetResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (definition, note) = wire::definition(request)?;
        check_rules(&context.caller.tenant, definition.clone()).await?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let now = tx.now();
                let version = store::rules::create(&mut tx, &definition, &note, &caller.subject, now).await?;
                let kept = KeptSet {
                    version,
                    note,
                    creator: caller.subject.to_string(),
                    create_time: Some(now),
                    activate_time: None,
                    active: false,
                    definition: Some(definition),
                };
                Ok((tx, CreateRuleSetResponse { rule_set: Some(wire::rule_set(kept)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_rule_set(
        &self,
        request: Request<GetRuleSetRequest>,
    ) -> Result<Response<GetRuleSetResponse>, Status> {
        let caller = server::caller(&request)?;
        let mut check = Check::new();
        let wanted = request.into_inner().version.map(|wanted| wire::version(&mut check, wanted));
        check.done("INVALID_RULE_SET_VERSION")?;
        let kept = self
            .db
            .transact("rule_set.get", &caller.tenant, async move |mut tx| {
                let active = store::rules::active(&mut tx).await?;
                let kept = match wanted.unwrap_or(active) {
                    0 => Some(shipped_set(active)),
                    version => store::rules::get(&mut tx, version).await?,
                };
                Ok((tx, kept))
            })
            .await?;
        let kept = kept.ok_or(Refusal::RuleSetNotFound).map_err(Fault::from)?;
        Ok(Response::new(GetRuleSetResponse { rule_set: Some(wire::rule_set(kept)) }))
    }

    async fn list_rule_sets(
        &self,
        request: Request<ListRuleSetsRequest>,
    ) -> Result<Response<ListRuleSetsResponse>, Status> {
        let caller = server::caller(&request)?;
        let page = wire::list(request.get_ref())?;
        let (sets, page) = self
            .db
            .transact("rule_set.list", &caller.tenant, async move |mut tx| {
                let sets = store::rules::list(&mut tx, &page).await?;
                Ok((tx, (sets, page)))
            })
            .await?;
        let rule_sets = sets.into_iter().map(|set| (set.version.to_string(), wire::rule_set(set)));
        let (rule_sets, next_page_token) = server::page(&page, rule_sets);
        Ok(Response::new(ListRuleSetsResponse { rule_sets, next_page_token }))
    }

    async fn activate_rule_set(
        &self,
        request: Request<ActivateRuleSetRequest>,
    ) -> Result<Response<ActivateRuleSetResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let ActivateRuleSetRequest { request_id, version } = request;
        let mut check = Check::new();
        check.request_id(request_id);
        let version = wire::version(&mut check, version);
        check.done("INVALID_RULE_SET_VERSION")?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let now = tx.now();
                let before = store::rules::activate(&mut tx, version, now).await?;
                let previous_version = before.ok_or(Refusal::RuleSetNotFound)?;
                Ok((tx, ActivateRuleSetResponse { version, previous_version }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn replay_rules(
        &self,
        request: Request<ReplayRulesRequest>,
    ) -> Result<Response<ReplayRulesResponse>, Status> {
        let caller = server::caller(&request)?;
        let (rule_set, window, page) = wire::replay(request.into_inner())?;
        let tenant = caller.tenant.clone();
        let (set, mut past, page) = self
            .db
            .transact("triage.replay", &caller.tenant, async move |mut tx| {
                let tree = store::categories::version(&mut tx).await?;
                let set = rule_sets::read(&mut tx, &tenant, ActiveVersions { rule_set, tree }).await?;
                let past = store::triage::list(&mut tx, &window, &page).await?;
                Ok((tx, (set, past, page)))
            })
            .await?;
        let next_page_token = page.cut(&mut past, |past| past.case.to_string());
        let examined = i32::try_from(past.len()).unwrap_or(i32::MAX);
        let replay = move || {
            let cases = past.into_iter().filter_map(|past| {
                let verdict = set.triage(&past.facts());
                wire::replayed(past, verdict)
            });
            cases.collect()
        };
        let cases = server::blocking(&caller.tenant, Length::Quick, "rules.replay", replay).await?;
        Ok(Response::new(ReplayRulesResponse { cases, examined, next_page_token }))
    }

    async fn retriage_case(
        &self,
        request: Request<RetriageCaseRequest>,
    ) -> Result<Response<RetriageCaseResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let target = wire::retriage(request)?;
        let done =
            self.db.mutate(context, async |tx, caller| self.retriage(tx, &caller, target).await).await?;
        Ok(server::reply(done))
    }

    async fn raise_priority(
        &self,
        request: Request<RaisePriorityRequest>,
    ) -> Result<Response<RaisePriorityResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let urgency = wire::raise(request)?;
        let render = |case: &Case, ()| RaisePriorityResponse { case: Some(crate::wire::case(case)) };
        self.by_hand(context, urgency, Case::raise_by_hand, render).await
    }

    async fn lower_priority(
        &self,
        request: Request<LowerPriorityRequest>,
    ) -> Result<Response<LowerPriorityResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let urgency = wire::lower(request)?;
        let render =
            |case: &Case, in_force| LowerPriorityResponse { case: Some(crate::wire::case(case)), in_force };
        self.by_hand(context, urgency, Case::lower_by_hand, render).await
    }

    async fn explain_triage(
        &self,
        request: Request<ExplainTriageRequest>,
    ) -> Result<Response<ExplainTriageResponse>, Status> {
        let caller = server::caller(&request)?;
        let id = crate::wire::case_id(&request.get_ref().case_id)?;
        let (past, suggestions) = self
            .db
            .transact("triage.explain", &caller.tenant, async move |mut tx| {
                let suggestions = suggest(&mut tx, id, SUGGESTIONS).await?;
                let past = store::triage::get(&mut tx, id).await?.ok_or(Refusal::NoTriageRecord)?;
                Ok((tx, (past, suggestions)))
            })
            .await?;
        let triage = wire::triage(&past, &past.verdict, past.triage_time);
        Ok(Response::new(ExplainTriageResponse { triage: Some(triage), suggestions }))
    }
}
