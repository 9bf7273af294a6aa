//! How cases are triaged: a supervisor writes rules and a tree of categories, and has
//! a case triaged by them. What complaints are asked: a form, filled in later; and proof of
//! it.

use proto::redress::cases::v1::category_service_client::CategoryServiceClient;
use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    ActivateRuleSetRequest, CaseState, Category, CreateRuleSetRequest, GetRuleSetRequest,
    ImportCategoriesRequest, ListCasesRequest, LowerPriorityRequest, Priority, RaisePriorityRequest,
    RetriageCaseRequest, RuleSet,
};
use proto::redress::directory::v1::Order;
use proto::redress::intake::v1::channel_service_client::ChannelServiceClient;
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::{
    AddInformationRequest, Channel, CreateFormRequest, Form, InformationSource, PrefillFormRequest,
    UpdateChannelSettingsRequest,
};
use testkit::request_id;

use super::attachments;
use super::scene::Scene;

/// Broken cups become urgent.
pub(crate) async fn written(scene: &Scene) {
    let mut triage = TriageServiceClient::new(scene.line("supervisor"));
    let shipped = triage.get_rule_set(GetRuleSetRequest::default()).await.unwrap().into_inner();
    let mut rules = shipped.rule_set.unwrap();
    for rule in rules.rules.iter_mut().filter(|rule| rule.name == "media") {
        "text.contains(' cups ')".clone_into(&mut rule.when);
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
    filled_in(scene, &case_id).await;
    attachments::sent(scene, &case_id).await;
    attachments::limited(scene).await;
    let request = RetriageCaseRequest { request_id: request_id(), case_id, expected_version: None };
    let case = triage.retriage_case(request).await.unwrap().into_inner().case.unwrap();
    assert_eq!((case.priority(), case.category.as_str()), (Priority::P1, "delivery/damaged"));
    lowered_and_raised(scene, &case.case_id).await;
    scene.settled().await;
}

/// Two people find a case less urgent than the rules do, and one changes their mind.
async fn lowered_and_raised(scene: &Scene, case_id: &str) {
    for (person, in_force) in [("supervisor", false), ("boss", true)] {
        let request = LowerPriorityRequest {
            request_id: request_id(),
            case_id: case_id.to_owned(),
            expected_version: None,
            priority: Priority::P2.into(),
            reason: "nobody was hurt".to_owned(),
        };
        let answer =
            TriageServiceClient::new(scene.line(person)).lower_priority(request).await.unwrap().into_inner();
        assert_eq!(answer.in_force, in_force);
    }
    let request = RaisePriorityRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        expected_version: None,
        priority: Priority::P1.into(),
        reason: "somebody was".to_owned(),
    };
    let case = TriageServiceClient::new(scene.line("boss"))
        .raise_priority(request)
        .await
        .unwrap()
        .into_inner()
        .case
        .unwrap();
    assert_eq!(case.priority(), Priority::P1);
}

/// A form is made for what is delivered, and one complainant fills it in.
async fn filled_in(scene: &Scene, complaint_id: &str) {
    let mut forms = FormServiceClient::new(scene.line("supervisor"));
    let schema = r#"{"type": "object", "properties": {"carrier": {"type": "string"},
        "order": {"type": "string", "x-weight": 0, "x-prefill": "order.order_ref"}}}"#;
    let form = Form {
        category: "delivery".to_owned(),
        title: "About the parcel".to_owned(),
        schema: schema.to_owned(),
        ..Form::default()
    };
    let request = CreateFormRequest { request_id: request_id(), form: Some(form) };
    forms.create_form(request).await.unwrap();
    let order = Order { order_ref: "2026-1".to_owned(), ..Order::default() };
    let request = PrefillFormRequest {
        category: "delivery".to_owned(),
        form_data: r#"{"carrier": "the red one"}"#.to_owned(),
        order: Some(order),
        ..PrefillFormRequest::default()
    };
    let filled = forms.prefill_form(request).await.unwrap().into_inner();
    assert_eq!((filled.filled_fields.as_slice(), filled.completeness), (&["order".to_owned()][..], 100));
    let settings = UpdateChannelSettingsRequest {
        request_id: request_id(),
        channel: Channel::Partner.into(),
        external_refs_repeat: true,
        expected_version: Some(0),
        ..UpdateChannelSettingsRequest::default()
    };
    ChannelServiceClient::new(scene.line("supervisor")).update_channel_settings(settings).await.unwrap();
    let request = AddInformationRequest {
        request_id: request_id(),
        complaint_id: complaint_id.to_owned(),
        source: InformationSource::Complainant.into(),
        text: "it was the cheap one".to_owned(),
        form_data: r#"{"carrier": "cheap"}"#.to_owned(),
        evidence: Vec::new(),
        ..AddInformationRequest::default()
    };
    let added = forms.add_information(request).await.unwrap().into_inner();
    assert_eq!(added.completeness, Some(100));
    scene.settled().await;
    let noted = scene.timeline(complaint_id).await;
    assert!(noted.last().unwrap().text.contains("it was the cheap one"));
}
