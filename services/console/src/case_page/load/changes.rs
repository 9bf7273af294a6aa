//! What was changed of a case afterwards: extensions, corrections, revisions of its plans; and
//! the tenant's own types of remedy, for the plan editor.

use client::Client;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::decision_service_client::DecisionServiceClient;
use proto::redress::cases::v1::{
    ClockExtension, DecisionCorrection, ListCorrectionsRequest, ListExtensionsRequest,
};
use proto::redress::resolution::v1::remedy_type_service_client::RemedyTypeServiceClient;
use proto::redress::resolution::v1::revision_service_client::RevisionServiceClient;
use proto::redress::resolution::v1::{
    ListPlanRevisionsRequest, ListRemedyTypesRequest, Plan, PlanRevision, RemedyType,
};

use super::{Missing, ROWS};
use crate::words::Words;

/// Most plans whose revisions are shown: a case has one for each cycle, and few of them.
const PLANS: usize = 3;

/// See the module.
#[derive(Default)]
pub(crate) struct Changes {
    /// Oldest first.
    pub(crate) extensions: Vec<ClockExtension>,
    /// Oldest first.
    pub(crate) corrections: Vec<DecisionCorrection>,
    /// Of the latest plans, the newest first.
    pub(crate) revisions: Vec<PlanRevision>,
    /// Those that plans may use, without schemas.
    pub(crate) remedy_types: Vec<RemedyType>,
}

/// Asks for all of it at once.
pub(super) async fn load(client: &Client, case: &str, plans: &[Plan], t: Words) -> (Changes, Missing) {
    let mut clocks = ClockServiceClient::new(client.calls());
    let mut decisions = DecisionServiceClient::new(client.calls());
    let mut types = RemedyTypeServiceClient::new(client.calls());
    let case_id = || case.to_owned();
    let revised: Vec<&Plan> = plans
        .iter()
        .filter(|plan| !plan.revisers.is_empty() || plan.pending_revision != 0)
        .take(PLANS)
        .collect();
    let revisions = futures::future::join_all(revised.iter().map(|plan| async {
        let request = ListPlanRevisionsRequest {
            plan_id: plan.plan_id.clone(),
            page_size: ROWS,
            page_token: String::new(),
        };
        RevisionServiceClient::new(client.calls()).list_plan_revisions(request).await
    }));
    let (extensions, corrections, types, revisions) = tokio::join!(
        clocks.list_extensions(ListExtensionsRequest { case_id: case_id() }),
        decisions.list_corrections(ListCorrectionsRequest { case_id: case_id() }),
        types.list_remedy_types(ListRemedyTypesRequest { page_size: ROWS, page_token: String::new() }),
        revisions,
    );
    let mut missing = Missing(Vec::new());
    let mut changes = Changes {
        extensions: missing.take(t.extensions(), extensions).extensions,
        corrections: missing.take(t.corrections(), corrections).corrections,
        revisions: Vec::new(),
        remedy_types: missing.take(t.own_remedies(), types).remedy_types,
    };
    for answer in revisions {
        changes.revisions.extend(missing.take(t.revisions(), answer).revisions);
    }
    changes.remedy_types.retain(|kind| kind.disable_time.is_none());
    (changes, missing)
}
