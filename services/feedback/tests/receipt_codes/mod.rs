//! Outcomes answered by receipt code, and word of a withdrawal.

use kernel::receipt::{ReceiptCode, ReceiptKey};
use proto::redress::cases::v1::{CaseWithdrawn, WithdrawalSource};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{
    FeedbackReceived, NoticeKind, NoticeState, RespondToOutcomeRequest, Response,
};
use proto::redress::intake::v1::ComplaintRegistered;
use testkit::{House, eventually, reason, request_id, violations};
use tonic::Code;
use uuid::Uuid;

use crate::records::mailing;
use crate::sink::Sink;
use crate::{accept, case, client, dispute, house, notices_of, registered, resolved};

fn code(case: Uuid) -> ReceiptCode {
    ReceiptCode::derive(&ReceiptKey::new(b"a key for these tests").unwrap(), case)
}

/// A case whose outcome was told, and which is known by its code.
async fn resolved_case(house: &House) -> Uuid {
    let case = case();
    house.tell("intake", case, &coded(case)).await;
    house.tell("cases", case, &resolved(case, 1)).await;
    house.settled().await;
    case
}

fn coded(case: Uuid) -> ComplaintRegistered {
    ComplaintRegistered { receipt_hash: code(case).hash().to_vec(), ..registered(case, "ada@example.org") }
}

fn by_code(case: Uuid, request: RespondToOutcomeRequest) -> RespondToOutcomeRequest {
    RespondToOutcomeRequest {
        request_id: request_id(),
        case_id: String::new(),
        receipt_code: code(case).to_string(),
        end_user: "session 7".to_owned(),
        ..request
    }
}

#[tokio::test]
async fn who_has_the_code_answers_and_is_not_shown_the_case() {
    let house = house().await;
    let (accepted, disputed) = (resolved_case(&house).await, resolved_case(&house).await);
    for (case, request, response) in
        [(accepted, accept(accepted), Response::Accepted), (disputed, dispute(disputed), Response::Disputed)]
    {
        let request = by_code(case, request);
        let answer = client(&house).respond_to_outcome(request.clone()).await.unwrap().into_inner();
        let feedback = answer.feedback.clone().unwrap();
        assert_eq!((feedback.case_id.as_str(), feedback.cycle, feedback.response()), ("", 1, response));
        let again = client(&house).respond_to_outcome(request).await.unwrap().into_inner();
        assert_eq!(again, answer, "sent again it is the same");
        let told: Vec<FeedbackReceived> = house.published("feedback").await;
        let told = told.iter().filter(|told| told.case_id == case.to_string());
        assert_eq!(told.map(FeedbackReceived::response).collect::<Vec<_>>(), [response]);
        let refusal = client(&house).respond_to_outcome(accept(case)).await.unwrap_err();
        assert_eq!(reason(&refusal), "ALREADY_ANSWERED", "it was the complainant's answer");
    }
    house.done().await;
}

#[tokio::test]
async fn a_wrong_code_is_unknown_whatever_is_said_with_it_and_too_many_are_refused() {
    let house = house().await;
    let case = resolved_case(&house).await;
    let portal = FeedbackServiceClient::new(house.channel_as("development", "portal", &["channel"]));
    let answer = async |request| portal.clone().respond_to_outcome(request).await.unwrap_err();
    let both = RespondToOutcomeRequest { case_id: case.to_string(), ..by_code(case, accept(case)) };
    assert_eq!(violations(&answer(both).await), ["receipt_code"]);
    let slip = RespondToOutcomeRequest { receipt_code: "nonsense".into(), ..by_code(case, accept(case)) };
    for _ in 0..11 {
        assert_eq!(reason(&answer(slip.clone()).await), "RECEIPT_CODE_UNKNOWN", "a slip is no guess");
    }
    for _ in 0..10 {
        let refusal = answer(by_code(Uuid::from_u128(7), accept(case))).await;
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "RECEIPT_CODE_UNKNOWN"));
    }
    let refusal = answer(by_code(Uuid::from_u128(7), accept(case))).await;
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::ResourceExhausted, "TOO_MANY_GUESSES"));
    portal
        .clone()
        .respond_to_outcome(by_code(case, accept(case)))
        .await
        .expect("a right code is always taken");
    house.done().await;
}

#[tokio::test]
async fn nothing_is_told_of_a_case_without_an_outcome_or_of_another_tenant() {
    let house = House::builder(&[feedback::SERVICE]).identified().open().await;
    let case = case();
    house.tell_as("tenant-a", "intake", case, &coded(case)).await;
    house.settled().await;
    let portal = |tenant| FeedbackServiceClient::new(house.channel_as(tenant, "portal", &["channel"]));
    let refusal = portal("tenant-a").respond_to_outcome(by_code(case, accept(case))).await.unwrap_err();
    assert_eq!(reason(&refusal), "FEEDBACK_NOT_FOUND");
    let refusal = portal("tenant-b").respond_to_outcome(by_code(case, accept(case))).await.unwrap_err();
    assert_eq!(reason(&refusal), "RECEIPT_CODE_UNKNOWN");
    house.done().await;
}

#[tokio::test]
async fn who_withdrew_without_staff_is_told_so_once() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let sources = [WithdrawalSource::ReceiptCode, WithdrawalSource::Channel, WithdrawalSource::Staff];
    let mut cases = Vec::new();
    for source in sources {
        let case = case();
        house.tell("intake", case, &coded(case)).await;
        let withdrawn = CaseWithdrawn {
            case_id: case.to_string(),
            cycle: 1,
            reason: "it turned up".to_owned(),
            source: source.into(),
        };
        for _ in 0..2 {
            house.tell("cases", case, &withdrawn).await;
        }
        cases.push(case);
    }
    house.settled().await;
    for (case, confirmed) in cases.into_iter().zip([true, true, false]) {
        if confirmed {
            eventually(async || confirmations(&house, case).await == [NoticeState::Delivered]).await;
        } else {
            assert_eq!(confirmations(&house, case).await, []);
        }
    }
    let mails = sink.mails();
    let told = mails.iter().filter(|mail| mail.header("Subject").starts_with("Your complaint is withdrawn"));
    assert_eq!(told.count(), 2);
    house.done().await;
}

async fn confirmations(house: &House, case: Uuid) -> Vec<NoticeState> {
    let mut notices = notices_of(house, case).await;
    notices.retain(|notice| notice.kind() == NoticeKind::Withdrawal);
    notices.iter().map(proto::redress::feedback::v1::Notice::state).collect()
}
