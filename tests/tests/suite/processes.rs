//! Five processes: a whole journey goes through them, and being told to stop while
//! busy costs nobody anything.

use std::time::Duration;

use anyhow::{Result, ensure};
use proto::redress::cases::v1::CaseState;
use proto::redress::intake::v1::SubmitComplaintRequest;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use tests::complaint::{made_up, yuan};
use tests::department::{Department, Ledger};
use tests::life::{Lived, People, Script, exchange, refund};
use tests::processes::{Processes, binary};
use tests::{books, database, roster};
use tokio::process::Command;
use tokio::task::JoinSet;
use tonic::transport::Endpoint;

/// What REDRESS_DRAIN_SECONDS leaves by default, and the workers' time after it.
const LONGEST_STOP: Duration = Duration::from_secs(25);

fn script(number: usize) -> Script {
    let remedies = vec![refund(yuan(199, 50)), exchange("CUP-6", &["refund"])];
    Script { name: format!("life-{number}"), complaint: made_up(number), cycles: vec![remedies] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journey_goes_through_five_processes() {
    let empty = testkit::Database::copy_of("nothing", async |_| Ok(())).await.unwrap();
    migrate(empty.url()).await.unwrap();
    // Harmless when it was done before.
    migrate(empty.url()).await.unwrap();
    let mut processes = Processes::start(empty.url()).await.unwrap();
    let client = processes.client().unwrap();
    roster::staff(&client, 2).await.unwrap();
    let (money, goods) = (Ledger::new().unwrap(), Ledger::new().unwrap());
    let finance = Department::open(&client, "finance", "finance-1", &money);
    let warehouse = Department::open(&client, "warehouse", "warehouse-1", &goods);

    // Disputed once: the second attempt pays more.
    let cycles = vec![vec![refund(yuan(100, 0))], script(0).cycles.remove(0)];
    let lived = People::new(&client).live(&Script { cycles, ..script(0) }).await.unwrap();

    let cases = books::all_cases(&client).await.unwrap();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].case_id, lived.case_id);
    assert_eq!((cases[0].state(), cases[0].cycle), (CaseState::Closed, 2));
    let approved = books::approved_refunds(&client, &lived.plans).await.unwrap();
    assert_eq!(approved.len(), 2);
    assert_eq!(books::executed_refunds(&money).unwrap(), approved);
    assert_eq!(goods.entries().unwrap().len(), 1);
    assert_eq!(books::parked(&client).await.unwrap(), []);

    finance.close().await.unwrap();
    warehouse.close().await.unwrap();
    all_end_well(&mut processes).await.unwrap();
    drop(processes);
    empty.drop().await.unwrap();
}

async fn migrate(database_url: &str) -> Result<()> {
    let migrate =
        Command::new(binary("redress")?).arg("migrate").env("DATABASE_URL", database_url).output().await?;
    ensure!(migrate.status.success(), "redress migrate: {}", String::from_utf8_lossy(&migrate.stderr));
    Ok(())
}

async fn all_end_well(processes: &mut Processes) -> Result<()> {
    for (service, exit) in processes.terminate().await? {
        ensure!(exit.status.success(), "{service} ends with {}", exit.status);
        ensure!(exit.took < LONGEST_STOP, "{service} takes {:?} to end", exit.took);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_drains_and_loses_nothing() {
    const SUBMITTERS: usize = 16;
    const LIVES: usize = 12;
    let database = database().await.unwrap();
    let mut processes = Processes::start(database.url()).await.unwrap();
    let client = processes.client().unwrap();
    roster::staff(&client, 3).await.unwrap();
    let ledger = Ledger::new().unwrap();
    let workers =
        ["finance", "warehouse"].map(|name| Department::open(&client, name, &format!("{name}-1"), &ledger));

    let people = People::new(&client);
    let mut lives = JoinSet::new();
    for number in 0..LIVES {
        let people = people.clone();
        lives.spawn(async move { people.live(&script(number)).await });
    }
    let mut submitters = JoinSet::new();
    for place in 1..=SUBMITTERS {
        submitters.spawn(submit_until_refused(processes.uri("intake").unwrap(), place * 1_000_000));
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    all_end_well(&mut processes).await.unwrap();

    let acknowledged: Vec<String> = submitters.join_all().await.into_iter().flatten().collect();
    println!("{} submissions were acknowledged before the stop", acknowledged.len());
    assert!(acknowledged.len() > SUBMITTERS, "there was load");
    for service in tests::SERVICES {
        processes.restart(service.name).unwrap();
    }
    let ended: Vec<Lived> = lives.join_all().await.into_iter().collect::<Result<_>>().unwrap();
    for worker in workers {
        worker.close().await.unwrap();
    }
    // Nor was anything registered whose answer was cut off: that is what draining is.
    let expected = acknowledged.into_iter().chain(ended.into_iter().map(|life| life.case_id)).collect();
    books::one_case_each(&client, &expected).await.unwrap();
    assert_eq!(books::parked(&client).await.unwrap(), []);
    all_end_well(&mut processes).await.unwrap();
    drop(processes);
    database.drop().await.unwrap();
}

/// Submits one complaint after the other, and repeats none: what was acknowledged
/// is what counts. Answers their ids.
async fn submit_until_refused(uri: String, first: usize) -> Vec<String> {
    let channel = Endpoint::from_shared(uri).unwrap().connect_lazy();
    let mut intake = IntakeServiceClient::new(channel);
    let mut acknowledged = Vec::new();
    for number in first.. {
        let request =
            SubmitComplaintRequest { request_id: format!("load-{number}"), complaint: Some(made_up(number)) };
        match intake.submit_complaint(request).await {
            Ok(answer) => acknowledged.push(answer.into_inner().complaint_id),
            Err(_) => break,
        }
    }
    acknowledged
}
