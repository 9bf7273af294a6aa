//! How cases are triaged: a supervisor writes rules and a tree of categories, and has
//! a case triaged by them.

use proto::redress::cases::v1::category_service_client::CategoryServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    ActivateRuleSetRequest, CaseState, Category, CreateRuleSetRequest, GetRuleSetRequest,
    ImportCategoriesRequest, ListCasesRequest, Priority, RetriageCaseRequest, RuleSet,
};
use testkit::request_id;

use super::scene::Scene;

/// Broken cups become urgent.
pub(crate) async fn written(scene: &Scene) {
    let mut triage = TriageServiceClient::new(scene.line("supervisor"));
    let shipped = triage.get_rule_set(GetRuleSetRequest::default()).await.unwrap().into_inner();
    let mut rules = shipped.rule_set.unwrap();
    for rule in rules.rules.iter_mut().filter(|rule| rule.name == "media") {
        rule.when = "text.contains(' cups ')".to_owned();
        rule.priority = Priority::P1.into();
    }
    let rule_set = Some(RuleSet { note: "cups".to_owned(), ..rules });
    let request = CreateRuleSetRequest { request_id: request_id(), rule_set };
    let created = triage.create_rule_set(request).await.unwrap().into_inner().rule_set.unwrap();
    let request = ActivateRuleSetRequest { request_id: request_id(), version: created.version };
    triage.activate_rule_set(request).await.unwrap();

    let paths = ["delivery", "delivery/damaged"];
    let categories = paths.map(|path| Category { path: path.to_owned(), ..Category::default() });
    let request = ImportCategoriesRequest {
        request_id: request_id(),
        expected_version: Some(0),
        categories: categories.to_vec(),
    };
    CategoryServiceClient::new(scene.line("supervisor")).import_categories(request).await.unwrap();

    let open = ListCasesRequest { state: CaseState::Assigned.into(), ..ListCasesRequest::default() };
    let open = scene.cases("supervisor").list_cases(open).await.unwrap().into_inner().cases;
    let case_id = open[0].case_id.clone();
    let request = RetriageCaseRequest { request_id: request_id(), case_id, expected_version: None };
    let case = triage.retriage_case(request).await.unwrap().into_inner().case.unwrap();
    assert_eq!((case.priority(), case.category.as_str()), (Priority::P1, "delivery/damaged"));
    scene.settled().await;
}
