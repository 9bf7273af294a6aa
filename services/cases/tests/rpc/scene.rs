//! A house with this service alone, and a case in any state wanted: what the
//! other services tell is told by the test.

use std::time::Duration;

use jiff::Timestamp;
use kernel::receipt::{ReceiptCode, ReceiptKey};
use proto::redress::assignment::v1::{CaseAccepted, CaseAssigned};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{
    Case, DecideCaseRequest, GetCaseRequest, GetTimelineRequest, Outcome, TimelineEntry, TimelineKind,
};
use proto::redress::feedback::v1::{FeedbackReceived, Response};
use proto::redress::intake::v1::{Channel, Complainant, Complaint, ComplaintRegistered, Respondent};
use testkit::{CallerChannel, House, MockClock, request_id};
use tonic::Status;
use uuid::Uuid;

pub(crate) type Client = CaseServiceClient<CallerChannel>;

pub(crate) struct Scene {
    pub(crate) house: House,
    pub(crate) cases: Client,
}

/// A complaint about a broken kettle.
pub(crate) fn complaint() -> Complaint {
    Complaint {
        channel: Channel::Web.into(),
        subject: "Kettle arrived broken".to_owned(),
        description: "The box was crushed, the kettle is broken.".to_owned(),
        language: "en".to_owned(),
        complainant: Some(Complainant { customer_id: "c-1".to_owned(), ..Complainant::default() }),
        respondent: Some(Respondent { staff: "mallory".to_owned(), ..Respondent::default() }),
        ..Complaint::default()
    }
}

/// The receipt code a complaint of these tests has.
pub(crate) fn receipt(case: Uuid) -> ReceiptCode {
    let key = ReceiptKey::new(b"a key for these tests").expect("long enough");
    ReceiptCode::derive(&key, case)
}

/// How a complaint is told by intake.
pub(crate) fn registered(case: Uuid, complaint: Complaint, now: Timestamp) -> ComplaintRegistered {
    let receive_time = Some(proto::timestamp(now));
    let complaint = Complaint { complaint_id: case.to_string(), receive_time, ..complaint };
    ComplaintRegistered {
        complaint: Some(complaint),
        receipt_hash: receipt(case).hash().to_vec(),
        mail_token: String::new(),
    }
}

pub(crate) fn assigned(case: Uuid, cycle: i32, agent: &str) -> CaseAssigned {
    CaseAssigned {
        case_id: case.to_string(),
        cycle,
        department_id: "logistics".to_owned(),
        agent_id: agent.to_owned(),
        explanation: "least loaded".to_owned(),
    }
}

impl Scene {
    pub(crate) async fn open() -> Self {
        Self::of(House::open(&[cases::SERVICE]).await)
    }

    /// With a clock that stands still.
    pub(crate) async fn timed() -> Self {
        Self::of(House::builder(&[cases::SERVICE]).clock(MockClock::default()).open().await)
    }

    fn of(house: House) -> Self {
        let cases = CaseServiceClient::new(house.channel());
        Self { house, cases }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.house.db("cases").clock().now()
    }

    pub(crate) fn new_id(&self) -> Uuid {
        self.house.db("cases").ids().id(self.now())
    }

    /// A case that waits for a handler.
    pub(crate) async fn triaged(&self) -> Uuid {
        self.register(complaint()).await
    }

    pub(crate) async fn register(&self, complaint: Complaint) -> Uuid {
        self.register_received(complaint, self.now()).await
    }

    /// A complaint that was received at some other time than now.
    pub(crate) async fn register_received(&self, complaint: Complaint, received: Timestamp) -> Uuid {
        let case = self.new_id();
        self.house.tell("intake", case, &registered(case, complaint, received)).await;
        self.house.settled().await;
        case
    }

    /// A case handled by bob.
    pub(crate) async fn assigned(&self) -> Uuid {
        let case = self.triaged().await;
        self.assign(case, 1).await;
        case
    }

    pub(crate) async fn assign(&self, case: Uuid, cycle: i32) {
        self.house.tell("assignment", case, &assigned(case, cycle, "bob")).await;
        let accepted = CaseAccepted {
            case_id: case.to_string(),
            cycle,
            agent_id: "bob".to_owned(),
            accepter: "boss".to_owned(),
        };
        self.house.tell("assignment", case, &accepted).await;
        self.house.settled().await;
    }

    /// A case decided without a remedy.
    pub(crate) async fn resolved(&self) -> Uuid {
        let case = self.assigned().await;
        self.decide(case, false).await;
        case
    }

    pub(crate) async fn decide(&self, case: Uuid, remedy_due: bool) -> Case {
        let request = decision(case, remedy_due);
        let answer = self.cases.clone().decide_case(request).await.expect("it can be decided");
        answer.into_inner().case.expect("a case")
    }

    pub(crate) async fn respond(&self, case: Uuid, cycle: i32, response: Response, comment: &str) {
        let (case_id, comment) = (case.to_string(), comment.to_owned());
        let received =
            FeedbackReceived { case_id, cycle, response: response.into(), comment, satisfaction: None };
        self.house.tell("feedback", case, &received).await;
        self.house.settled().await;
    }

    pub(crate) async fn case(&self, case: Uuid) -> Case {
        get(&self.cases, case).await.expect("the case can be read")
    }

    pub(crate) async fn timeline(&self, case: Uuid) -> Vec<TimelineEntry> {
        let request = GetTimelineRequest { case_id: case.to_string(), ..GetTimelineRequest::default() };
        let answer = self.cases.clone().get_timeline(request).await.expect("the timeline can be read");
        answer.into_inner().entries
    }

    pub(crate) async fn kinds(&self, case: Uuid) -> Vec<TimelineKind> {
        self.timeline(case).await.iter().map(TimelineEntry::kind).collect()
    }

    pub(crate) fn advance(&self, time: jiff::SignedDuration) {
        self.house.advance(Duration::try_from(time).expect("forward"));
    }
}

pub(crate) fn decision(case: Uuid, remedy_due: bool) -> DecideCaseRequest {
    DecideCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        outcome: Outcome::Upheld.into(),
        reasons: "the carrier dropped it".to_owned(),
        remedy_due,
        ground: String::new(),
    }
}

pub(crate) async fn get(client: &Client, case: Uuid) -> Result<Case, Status> {
    let request = GetCaseRequest { case_id: case.to_string() };
    Ok(client.clone().get_case(request).await?.into_inner().case.expect("a case"))
}
