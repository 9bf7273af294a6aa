//! Read your own writes, across services.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use proto::CONSISTENCY_TOKEN;
use proto::redress::cases::v1::GetCaseRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::intake::v1::SubmitComplaintRequest;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::resolution::v1::ListPlansRequest;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use testkit::{House, consistency_token, reason, request_id};
use tests::SERVICES;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use super::scene::{broken_cups, refused};

const WRITES: usize = 200;
/// At once: some read in the shadow of others' commits.
const AT_ONCE: usize = 8;

async fn submit(house: &House) -> (String, String) {
    let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(broken_cups()) };
    let answer = IntakeServiceClient::new(house.channel()).submit_complaint(request).await.unwrap();
    let token = consistency_token(&answer);
    (answer.into_inner().complaint_id, token)
}

fn presenting<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(CONSISTENCY_TOKEN, token.parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn who_presents_the_token_finds_the_case() {
    let house = House::open(&SERVICES).await;
    let read = stream::iter(0..WRITES).map(|_| async {
        let (case_id, token) = submit(&house).await;
        // Who is told that it is not applied yet comes again, as clients do: a busy machine may
        // take longer than one call waits. A case that is not found is a miss.
        loop {
            let request = presenting(&token, GetCaseRequest { case_id: case_id.clone() });
            match CaseServiceClient::new(house.channel()).get_case(request).await {
                Err(status) if reason(&status) == "NOT_YET_APPLIED" => {}
                answer => break answer.map(|answer| answer.into_inner().case.unwrap().case_id == case_id),
            }
        }
    });
    let found: Vec<_> = read.buffer_unordered(AT_ONCE).collect().await;
    let misses: Vec<_> = found.iter().filter(|found| !matches!(found, Ok(true))).collect();
    assert_eq!(found.len(), WRITES);
    assert!(misses.is_empty(), "{} of {WRITES} misses: {misses:?}", misses.len());
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_honoured_is_refused_not_ignored() {
    let house = House::open(&SERVICES).await;
    let (case_id, token) = submit(&house).await;

    // Resolution hears of cases, never of intake.
    let request = presenting(&token, ListPlansRequest { case_id: case_id.clone(), ..Default::default() });
    let answer = ResolutionServiceClient::new(house.channel()).list_plans(request).await;
    refused(answer, Code::InvalidArgument, "INVALID_CONSISTENCY_TOKEN");

    let mut request = presenting("intake:999999999", GetCaseRequest { case_id });
    request.set_timeout(Duration::from_secs(3));
    let answer = CaseServiceClient::new(house.channel()).get_case(request).await;
    let status = refused(answer, Code::Unavailable, "NOT_YET_APPLIED");
    assert!(status.get_details_retry_info().is_some(), "says when to come back");
    house.done().await;
}
