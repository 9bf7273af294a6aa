//! What the stories come to as a return to a regulator.

use proto::redress::feedback::v1::return_service_client::ReturnServiceClient;
use proto::redress::feedback::v1::{
    CheckReturnRequest, GetReturnMappingRequest, ReturnCheck, ReturnRegime, ReturnRule, ReturnValue,
    UpdateReturnMappingRequest,
};
use testkit::request_id;

use super::scene::Scene;
use crate::twice::Twice;

fn returns(scene: &Scene) -> ReturnServiceClient<Twice> {
    ReturnServiceClient::new(scene.line("admin"))
}

async fn check(scene: &Scene) -> ReturnCheck {
    let request = CheckReturnRequest {
        regime: ReturnRegime::CnBank.into(),
        start_date: "2026-01-01".to_owned(),
        end_date: "2027-01-01".to_owned(),
        ..CheckReturnRequest::default()
    };
    returns(scene).check_return(request).await.unwrap().into_inner().check.unwrap()
}

/// Every case lacks its codes, until the tenant says what they are.
pub(crate) async fn checked(scene: &Scene) {
    let before = check(scene).await;
    assert!(before.record_count > 10 && before.incomplete_record_count == before.record_count, "{before:?}");

    let request =
        GetReturnMappingRequest { regime: ReturnRegime::CnBank.into(), ..GetReturnMappingRequest::default() };
    let read = returns(scene).get_return_mapping(request).await.unwrap().into_inner();
    let mut mapping = read.mapping.unwrap();
    let value = |field: &str, value: &str| ReturnValue { field: field.to_owned(), value: value.to_owned() };
    mapping.constants = vec![value("institution", "Acme")];
    let codes = vec![value("channel", "01"), value("business_type", "0203"), value("cause", "05")];
    mapping.rules = vec![ReturnRule { codes, ..ReturnRule::default() }];
    let request =
        UpdateReturnMappingRequest { request_id: request_id(), expected_version: 0, mapping: Some(mapping) };
    returns(scene).update_return_mapping(request).await.unwrap();

    let after = check(scene).await;
    assert_eq!((after.record_count, after.mapping_version), (before.record_count, 1));
    // What was paid otherwise than in yuan has no place in it.
    assert!(after.issues.iter().all(|issue| issue.field == "redress"), "{after:?}");
}
