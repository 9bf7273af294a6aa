//! What everything stands on goes away and comes back: the database, cut off or
//! silent, and a peer's feed. Who calls meanwhile is told so at once, and nothing
//! that was acknowledged is lost or done twice.

use std::collections::{BTreeSet, HashMap};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use client::{Client, ClientOptions, Endpoints, Token};
use futures::future::{BoxFuture, join_all};
use kernel::{Ids as _, RandomIds, SystemClock};
use proto::redress::assignment::v1::GetAssignmentRequest;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::cases::v1::GetCaseRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::feedback::v1::GetFeedbackRequest;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::intake::v1::SubmitComplaintRequest;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::resolution::v1::PollTasksRequest;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use server::{Assembly, Running, Secret, Service, Settings};
use sqlx::PgConnection;
use testkit::{CallerChannel, House, Proxy};
use tests::complaint::{made_up, yuan};
use tests::department::{Department, Ledger};
use tests::life::{Lived, People, Script, exchange, refund};
use tests::{SERVICES, books, client_of, database, roster};
use tokio::task::JoinSet;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

/// How long those wait who do not want to wait.
const SOON: Duration = Duration::from_secs(1);
/// How much later than that their answer may come, on a busy machine. Who waits for the
/// database to come back waits for as long as a call may take: half a minute.
const SLACK: Duration = Duration::from_secs(5);
/// Calls each service gets while its database is silent.
const CALLS: usize = 20;
/// Names the submission nobody waits for any more.
const ABANDONED: &str = "abandoned";
const LIVES: usize = 12;
/// How often intake's line is cut.
const CUTS: usize = 5;
/// Patience of clients that repeat what gets no answer: longer than any outage here.
const DEADLINE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_cut_off_fails_calls_at_once_and_loses_nothing() {
    let house = House::builder(&SERVICES).breakable().open().await;
    let scene = Scene::set(&house).await.unwrap();
    scene.some_time().await;

    house.proxy().cut();
    for (rpc, status, took) in call_everyone(&house, None).await {
        assert_eq!(status.code(), Code::Unavailable, "{rpc}: {status}");
        let retry = status.get_details_retry_info().and_then(|info| info.retry_delay);
        assert!(retry.is_some(), "{rpc} does not say when to come back: {status:?}");
        assert!(took < SOON + SLACK, "{rpc} takes {took:?} to fail");
    }
    becomes(&house, ServingStatus::NotServing).await;

    house.proxy().restore();
    becomes(&house, ServingStatus::Serving).await;
    scene.end().await.unwrap();
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_falls_silent_is_given_up_and_loses_nothing() {
    let house = House::builder(&SERVICES).breakable().open().await;
    let scene = Scene::set(&house).await.unwrap();
    scene.some_time().await;

    house.proxy().swallow();
    // More than there are connections: those given up must not keep them.
    join_all((0..CALLS).map(|_| call_everyone(&house, Some(SOON)))).await;
    becomes(&house, ServingStatus::NotServing).await;

    house.proxy().restore();
    becomes(&house, ServingStatus::Serving).await;
    scene.end().await.unwrap();
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_was_cut_is_not_noticed_by_who_submits_next() {
    let house = House::open(&SERVICES).await;
    let mut owner = house.owner().await;
    // Without a client of ours, which would try again by itself.
    let mut intake = IntakeServiceClient::new(house.channel());
    let mut registered = BTreeSet::new();
    for number in 0..CUTS {
        let complaint = Some(made_up(number));
        let request = SubmitComplaintRequest { request_id: format!("worn-{number}"), complaint };
        let first = intake.submit_complaint(request.clone()).await.unwrap().into_inner();
        hang_up_on_intake(&mut owner).await;
        let again = intake.submit_complaint(request).await.unwrap().into_inner();
        assert_eq!((&again.complaint_id, again.already_registered), (&first.complaint_id, false));
        registered.insert(first.complaint_id);
        hang_up_on_intake(&mut owner).await;
    }
    books::one_case_each(&client_of(&house).unwrap(), &registered).await.unwrap();
    house.done().await;
}

/// Ends every connection intake has to its database, as an administrator may.
async fn hang_up_on_intake(owner: &mut PgConnection) {
    let ended: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'redress-intake'",
    )
    .fetch_all(owner)
    .await
    .unwrap();
    assert!(!ended.is_empty() && ended.iter().all(|ended| *ended), "{ended:?}");
}

/// Lives that are under way while something goes away.
struct Scene {
    client: Client,
    people: People,
    ledger: Ledger,
    workers: [Department; 2],
    lives: JoinSet<Result<Lived>>,
}

impl Scene {
    async fn set(house: &House) -> Result<Self> {
        let client = client_of(house)?.within(DEADLINE);
        roster::staff(&client, 3).await?;
        let ledger = Ledger::new()?;
        let workers = ["finance", "warehouse"]
            .map(|name| Department::open(&client, name, &format!("{name}-1"), &ledger));
        let people = People::new(&client);
        let mut lives = JoinSet::new();
        for number in 0..LIVES {
            let people = people.clone();
            lives.spawn(async move { people.live(&script(number)).await });
        }
        Ok(Self { client, people, ledger, workers, lives })
    }

    /// Until lives are at different points.
    async fn some_time(&self) {
        testkit::eventually(|| async {
            books::all_cases(&self.client).await.is_ok_and(|cases| cases.len() > LIVES / 2)
        })
        .await;
    }

    /// All come to their end, and everything has happened once.
    async fn end(self) -> Result<()> {
        let lives = self.lives.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
        for worker in self.workers {
            worker.close().await?;
        }
        let mut complaints: BTreeSet<String> = lives.iter().map(|life| life.case_id.clone()).collect();
        // Whether it was registered is for whoever repeats it to learn.
        complaints.insert(self.people.submit(ABANDONED, made_up(LIVES)).await?.0);
        books::one_case_each(&self.client, &complaints).await?;
        let plans: Vec<_> = lives.into_iter().flat_map(|life| life.plans).collect();
        let approved = books::approved_refunds(&self.client, &plans).await?;
        assert_eq!(approved.len(), LIVES);
        assert_eq!(books::executed_refunds(&self.ledger)?, approved);
        Ok(())
    }
}

fn script(number: usize) -> Script {
    let remedies = vec![refund(yuan(25, 0)), exchange("CUP-6", &[])];
    Script { name: format!("life-{number}"), complaint: made_up(number), cycles: vec![remedies] }
}

/// Calls each service once, all at the same time; answers how each refused, and how
/// long that took.
async fn call_everyone(house: &House, deadline: Option<Duration>) -> Vec<(&'static str, Status, Duration)> {
    let line = house.channel();
    let calls = [
        ("submit", submit(line.clone(), deadline)),
        ("get_case", get_case(line.clone(), deadline)),
        ("get_assignment", get_assignment(line.clone(), deadline)),
        ("poll_tasks", poll_tasks(line.clone(), deadline)),
        ("get_feedback", get_feedback(line, deadline)),
    ];
    join_all(calls.map(|(rpc, call)| async move {
        let begun = Instant::now();
        let Err(status) = call.await else { panic!("{rpc} is answered without a database") };
        (rpc, status, begun.elapsed())
    }))
    .await
}

type Call = BoxFuture<'static, Result<(), Status>>;

fn within<T>(deadline: Option<Duration>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(deadline) = deadline {
        request.set_timeout(deadline);
    }
    request
}

fn submit(line: CallerChannel, deadline: Option<Duration>) -> Call {
    Box::pin(async move {
        let complaint = Some(made_up(LIVES));
        // As `People::submit` names it: it is repeated there.
        let request = SubmitComplaintRequest { request_id: format!("{ABANDONED}-submit"), complaint };
        IntakeServiceClient::new(line).submit_complaint(within(deadline, request)).await.map(drop)
    })
}

fn get_case(line: CallerChannel, deadline: Option<Duration>) -> Call {
    Box::pin(async move {
        let request = GetCaseRequest { case_id: unknown() };
        CaseServiceClient::new(line).get_case(within(deadline, request)).await.map(drop)
    })
}

fn get_assignment(line: CallerChannel, deadline: Option<Duration>) -> Call {
    Box::pin(async move {
        let request = GetAssignmentRequest { case_id: unknown() };
        AssignmentServiceClient::new(line).get_assignment(within(deadline, request)).await.map(drop)
    })
}

fn poll_tasks(line: CallerChannel, deadline: Option<Duration>) -> Call {
    Box::pin(async move {
        let request = PollTasksRequest {
            request_id: testkit::request_id(),
            department_id: "nobody".to_owned(),
            worker: "nobody".to_owned(),
            ..PollTasksRequest::default()
        };
        ResolutionServiceClient::new(line).poll_tasks(within(deadline, request)).await.map(drop)
    })
}

fn get_feedback(line: CallerChannel, deadline: Option<Duration>) -> Call {
    Box::pin(async move {
        let request = GetFeedbackRequest { case_id: unknown() };
        FeedbackServiceClient::new(line).get_feedback(within(deadline, request)).await.map(drop)
    })
}

fn unknown() -> String {
    RandomIds.token().to_string()
}

/// Waits until every service, and the process as a whole, says so of itself.
async fn becomes(house: &House, expected: ServingStatus) {
    for service in ["", "redress.intake.v1.IntakeService", "redress.feedback.v1.FeedbackService"] {
        let health = HealthClient::new(house.channel());
        testkit::eventually(|| async {
            let request = HealthCheckRequest { service: service.to_owned() };
            let answer = health.clone().check(request).await.unwrap().into_inner();
            answer.status() == expected
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_goes_away_is_caught_up_with() {
    let database = database().await.unwrap();
    let intake = start(database.url(), &SERVICES[..1], None).await.unwrap();
    let road = Proxy::before(intake.address()).await.unwrap();
    let others = start(database.url(), &SERVICES[1..], Some(road.address())).await.unwrap();
    let client = client_of_both(&intake, &others).unwrap();
    roster::staff(&client, 3).await.unwrap();
    let people = People::new(&client);
    // Assigned before the road breaks; its life goes on while it is broken.
    let script = Script { cycles: vec![Vec::new()], ..script(0) };
    let first = people.submit(&script.name, script.complaint.clone()).await.unwrap().0;
    let mut registered = BTreeSet::from([first.clone()]);
    books::one_case_each(&client, &registered).await.unwrap();

    road.cut();
    registered.extend(submit_some(&people, 100..130).await.unwrap());
    let (last, token) = submit_one(&client).await.unwrap();
    registered.insert(last.clone());
    let status = read_at_once(&others, &last, &token).await.unwrap_err();
    assert_eq!((status.code(), testkit::reason(&status).as_str()), (Code::Unavailable, "NOT_YET_APPLIED"));
    assert!(status.get_details_retry_info().is_some(), "{status:?}");
    assert_eq!(people.live(&script).await.unwrap().case_id, first, "what needs no intake goes on");
    assert_eq!(books::all_cases(&client).await.unwrap().len(), 1, "the road is broken");

    road.restore();
    let request = token.present(GetCaseRequest { case_id: last });
    CaseServiceClient::new(client.calls()).get_case(request).await.unwrap();
    books::one_case_each(&client, &registered).await.unwrap();

    road.swallow();
    registered.extend(submit_some(&people, 200..230).await.unwrap());
    road.restore();
    books::one_case_each(&client, &registered).await.unwrap();
    assert_eq!(books::parked(&client).await.unwrap(), []);
    others.stop().await.unwrap();
    intake.stop().await.unwrap();
    database.drop().await.unwrap();
}

/// Some services in this process, who find intake where they are told.
async fn start(url: &str, services: &[Service], intake: Option<SocketAddr>) -> Result<Running> {
    let mut settings = Settings {
        database_url: Some(Secret::from(url.to_owned())),
        db_connections: 6,
        ..Settings::default()
    };
    if let Some(address) = intake {
        settings.peers.intake = format!("http://{address}").parse()?;
    }
    server::start(Assembly {
        settings,
        services: services.to_vec(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        listener: Some(TcpListener::bind("127.0.0.1:0")?),
        sources: HashMap::new(),
    })
    .await
}

fn client_of_both(intake: &Running, others: &Running) -> Result<Client> {
    let uri = |running: &Running| format!("http://{}", running.address()).parse();
    let endpoints = Endpoints::one(uri(others)?).with("intake", uri(intake)?);
    Ok(Client::lazy(ClientOptions { endpoints, ..ClientOptions::at(uri(others)?) })?)
}

async fn submit_some(people: &People, numbers: std::ops::Range<usize>) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for number in numbers {
        ids.push(people.submit(&format!("cut-off-{number}"), made_up(number)).await?.0);
    }
    Ok(ids)
}

/// A complaint, and what stands for its registration.
async fn submit_one(client: &Client) -> Result<(String, Token)> {
    let request = SubmitComplaintRequest { request_id: "cut-off".to_owned(), complaint: Some(made_up(150)) };
    let answer = IntakeServiceClient::new(client.calls()).submit_complaint(request).await?;
    let token = Token::of(&answer).context("a mutation answers with a token")?;
    Ok((answer.into_inner().complaint_id, token))
}

/// Reads a case as far as a token stands for, and waits for it no longer than need be.
async fn read_at_once(others: &Running, case_id: &str, token: &Token) -> Result<(), Status> {
    let channel = Endpoint::from_shared(format!("http://{}", others.address())).unwrap().connect_lazy();
    let mut request = token.present(GetCaseRequest { case_id: case_id.to_owned() });
    request.set_timeout(SOON);
    CaseServiceClient::new(channel).get_case(request).await.map(drop)
}
