//! The remedy ledger: what is booked, what it comes to, and that nothing else can be.

use std::time::Duration;

use proto::redress::cases::v1::CaseOpened;
use proto::redress::resolution::v1::ledger_service_client::LedgerServiceClient;
use proto::redress::resolution::v1::{
    BalanceGrouping, LedgerAccount, LedgerBalance, LedgerEntry, LedgerMovement, ListBalancesRequest,
    ListLedgerEntriesRequest, Plan, RejectPlanRequest, RequeueTaskRequest,
};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _};
use testkit::{CallerChannel, request_id};
use tonic::Code;
use uuid::Uuid;

use crate::world::{
    World, apology, completion, exchange, failure, found_departments, invalid, proposal, refund, refused,
    task_id, yuan,
};

const MIGRATION: &str = include_str!("../../migrations/20261128141000_ledger.sql");

impl World {
    pub(crate) fn ledger_as(&self, subject: &str, roles: &[&str]) -> LedgerServiceClient<CallerChannel> {
        LedgerServiceClient::new(self.house.channel_as("development", subject, roles))
    }

    pub(crate) fn ledger(&self) -> LedgerServiceClient<CallerChannel> {
        self.ledger_as("auditor", &["reader"])
    }

    /// A case's entries, oldest first.
    pub(crate) async fn entries(&self, case_id: &str) -> Vec<LedgerEntry> {
        let request =
            ListLedgerEntriesRequest { case_id: case_id.to_owned(), ..ListLedgerEntriesRequest::default() };
        let mut entries = self.ledger().list_ledger_entries(request).await.unwrap().into_inner().entries;
        entries.reverse();
        entries
    }

    pub(crate) async fn balances(&self, request: ListBalancesRequest) -> Vec<LedgerBalance> {
        self.ledger().list_balances(request).await.unwrap().into_inner().balances
    }

    /// A connection that sees the schema whole.
    pub(crate) async fn schema(&self) -> PgConnection {
        let mut owner = self.house.owner().await;
        owner.execute("SET search_path = resolution").await.unwrap();
        owner
    }
}

pub(crate) fn moved(entries: &[LedgerEntry]) -> Vec<(LedgerMovement, i64)> {
    entries.iter().map(|entry| (entry.movement(), entry.amount.as_ref().unwrap().units)).collect()
}

/// How many steps have books that are not the sums of their entries.
pub(crate) async fn unbalanced(owner: &mut PgConnection) -> i64 {
    let wrong = sqlx::query_scalar(
        "SELECT count(*) FROM plan_step s
         LEFT JOIN LATERAL (
             SELECT coalesce(sum(amount_minor) FILTER (WHERE movement = 1), 0) AS promised,
                    coalesce(sum(amount_minor) FILTER (WHERE movement = 2), 0) AS approved,
                    coalesce(sum(amount_minor) FILTER (WHERE movement = 3), 0) AS executed,
                    coalesce(sum(amount_minor) FILTER (WHERE movement = 4), 0) AS reversed,
                    coalesce(sum(amount_minor) FILTER (WHERE movement = 5), 0) AS withdrawn,
                    coalesce(sum(amount_minor) FILTER (WHERE movement = 6), 0) AS released,
                    coalesce(sum(amount_minor) FILTER (WHERE movement = 7), 0) AS written_off
             FROM ledger_entry e
             WHERE e.tenant_id = s.tenant_id AND e.plan_id = s.plan_id AND e.step_id = s.step_id) AS e ON true
         WHERE (s.promised_minor, s.approved_minor, s.executed_minor, s.reversed_minor, s.withdrawn_minor,
                s.released_minor, s.written_off_minor)
            <> (e.promised, e.approved, e.executed, e.reversed, e.withdrawn, e.released, e.written_off)",
    );
    wrong.fetch_one(owner).await.unwrap()
}

#[tokio::test]
async fn each_change_of_a_plan_books_what_it_moves() {
    let world = World::open().await;
    let case = world.decided_case().await;
    let tick = || world.house.advance(Duration::from_secs(1));
    let plan = world.proposed(case, vec![refund("a"), apology("b"), exchange("c")]).await;
    tick();
    world.approve(&plan).await;
    tick();
    let lease = world.take("finance").await;
    let mut part = completion(&lease);
    part.result.as_mut().unwrap().amount = Some(yuan(40));
    let mut worker = world.client("worker");
    let first = worker.complete_task(part.clone()).await.unwrap();
    assert_eq!(worker.complete_task(part).await.unwrap().into_inner(), first.into_inner());
    tick();
    world.cancel(&plan).await;
    tick();
    let undo = world.take("finance").await;
    world.complete(&undo).await.unwrap();
    let entries = world.entries(&plan.case_id).await;
    assert_eq!(
        moved(&entries),
        [
            (LedgerMovement::Promised, 100),
            (LedgerMovement::Approved, 100),
            (LedgerMovement::Executed, 40),
            (LedgerMovement::Released, 60),
            (LedgerMovement::Reversed, 40)
        ]
    );
    let executed = &entries[2];
    assert_eq!((executed.debit(), executed.credit()), (LedgerAccount::Executed, LedgerAccount::Approved));
    assert_eq!((executed.task_id.as_str(), executed.reference.as_str()), (task_id(&lease), "REF-a"));
    assert_eq!((executed.step_id.as_str(), executed.department_id.as_str()), ("a", "finance"));
    assert_eq!(entries[4].task_id, task_id(&undo));
    assert!(entries.iter().all(|entry| entry.plan_id == plan.plan_id && entry.cycle == 1));
    assert_eq!(unbalanced(&mut world.schema().await).await, 0);
    world.house.done().await;
}

#[tokio::test]
async fn a_plan_that_is_rejected_or_cancelled_unapproved_is_withdrawn() {
    let world = World::open().await;
    let rejected = world.proposed(world.decided_case().await, vec![refund("a")]).await;
    let cancelled = world.proposed(world.decided_case().await, vec![refund("a")]).await;
    world.house.advance(Duration::from_secs(1));
    let reject = RejectPlanRequest {
        request_id: request_id(),
        plan_id: rejected.plan_id.clone(),
        expected_version: None,
        reason: "no".to_owned(),
    };
    world.approver().reject_plan(reject).await.unwrap();
    world.cancel(&cancelled).await;
    for plan in [rejected, cancelled] {
        let entries = moved(&world.entries(&plan.case_id).await);
        assert_eq!(entries, [(LedgerMovement::Promised, 100), (LedgerMovement::Withdrawn, 100)]);
    }
    // A proposal that is refused books nothing.
    let open = world.proposed(world.decided_case().await, vec![refund("a")]).await;
    let second = proposal(Uuid::try_parse(&open.case_id).unwrap(), vec![refund("b")]);
    refused(world.handler().propose_plan(second).await, Code::FailedPrecondition, "PLAN_ALREADY_OPEN");
    assert_eq!(world.entries(&open.case_id).await.len(), 1);
    world.house.done().await;
}

/// Plans in every state there is, one of them paid by another department than planned.
async fn much_happens(world: &World) -> Vec<Plan> {
    let mut plans = vec![world.approved(vec![refund("a"), apology("b")]).await];
    world.house.advance(Duration::from_hours(30));
    let other = world.take("finance").await;
    world.client("worker").fail_task(failure(&other, "REFUSED", false)).await.unwrap();
    let requeue = RequeueTaskRequest {
        request_id: request_id(),
        task_id: task_id(&other).to_owned(),
        department_id: "outlet".to_owned(),
        reason: "they have the cash".to_owned(),
    };
    world.approver().requeue_task(requeue).await.unwrap();
    let mut part = completion(&world.take("outlet").await);
    part.result.as_mut().unwrap().amount = Some(yuan(25));
    world.client("worker").complete_task(part).await.unwrap();

    let undone = world.approved(vec![refund("x"), refund("y")]).await;
    world.house.advance(Duration::from_mins(1));
    let leases = world.poll("finance").await;
    world.complete(&leases[0]).await.unwrap();
    world.house.advance(Duration::from_mins(1));
    world.client("worker").fail_task(failure(&leases[1], "REFUSED", false)).await.unwrap();
    world.cancel(&undone).await;
    let undo = world.take("finance").await;
    world.complete(&undo).await.unwrap();
    plans.push(undone);

    plans.push(world.approved(vec![refund("z")]).await);
    world.complete(&world.take("finance").await).await.unwrap();
    plans.push(world.proposed(world.decided_case().await, vec![refund("p"), refund("q")]).await);
    let withdrawn = world.proposed(world.decided_case().await, vec![refund("w")]).await;
    world.house.advance(Duration::from_mins(1));
    world.cancel(&withdrawn).await;
    plans.push(withdrawn);
    plans
}

/// Everything that is booked, but for the ids of entries.
async fn booked(owner: &mut PgConnection) -> Vec<String> {
    let rows = sqlx::query_scalar(
        "SELECT concat_ws(' ', tenant_id, plan_id, step_id, case_id, cycle, movement, department_id, kind,
                          amount_minor, currency, task_id, reference, booked_at, day)
         FROM ledger_entry ORDER BY 1",
    );
    rows.fetch_all(owner).await.unwrap()
}

#[tokio::test]
async fn the_migration_books_of_what_was_there_what_the_service_booked() {
    let world = World::open().await;
    much_happens(&world).await;
    let mut owner = world.schema().await;
    let before = booked(&mut owner).await;
    assert!(before.len() > 15, "{}", before.len());
    let books = "SELECT string_agg(s::text, ';' ORDER BY plan_id, ordinal) FROM plan_step s";
    let sums: String = sqlx::query_scalar(books).fetch_one(&mut owner).await.unwrap();
    let (_, backfill) = MIGRATION.split_once("-- What there was before the ledger").unwrap();
    let (backfill, _) = backfill.split_once("ALTER TABLE plan_step\n    ADD CONSTRAINT").unwrap();
    let again = format!(
        "BEGIN; DELETE FROM ledger_entry;
         UPDATE plan_step SET promised_minor = 0, approved_minor = 0, executed_minor = 0, reversed_minor = 0,
                              withdrawn_minor = 0, released_minor = 0;
         -- {backfill}; COMMIT;"
    );
    owner.execute(sqlx::raw_sql(AssertSqlSafe(again))).await.unwrap();
    assert_eq!(booked(&mut owner).await, before);
    let rebuilt: String = sqlx::query_scalar(books).fetch_one(&mut owner).await.unwrap();
    assert_eq!(rebuilt, sums);
    assert_eq!(unbalanced(&mut owner).await, 0);
    let ids: Vec<Uuid> =
        sqlx::query_scalar("SELECT entry_id FROM ledger_entry").fetch_all(&mut owner).await.unwrap();
    assert!(ids.iter().all(|id| id.get_version_num() == 7));
    world.house.done().await;
}

#[tokio::test]
async fn the_database_refuses_books_that_are_overdrawn_and_entries_that_change() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    world.complete(&world.take("finance").await).await.unwrap();
    let mut owner = world.schema().await;
    for (change, constraint) in [
        ("executed_minor = approved_minor + 1", "plan_step_executed_of_approved"),
        ("released_minor = 1", "plan_step_executed_of_approved"),
        ("approved_minor = promised_minor + 1", "plan_step_approved_of_promised"),
        ("reversed_minor = executed_minor + 1", "plan_step_reversed_of_executed"),
        ("withdrawn_minor = -1", "plan_step_ledger_counts"),
        ("written_off_minor = executed_minor + 1", "plan_step_written_off_of_executed"),
        ("written_off_minor = -1", "plan_step_written_off_of_executed"),
    ] {
        let refused = owner.execute(AssertSqlSafe(format!("UPDATE plan_step SET {change}"))).await;
        let error = refused.unwrap_err();
        let told = error.as_database_error().and_then(|error| error.constraint().map(str::to_owned));
        assert_eq!(told.as_deref(), Some(constraint), "{change}: {error}");
    }
    let copy = "INSERT INTO ledger_entry (tenant_id, entry_id, journal_id, movement, plan_id, step_id, case_id, cycle,
                                          department_id, kind, amount_minor, currency, task_id, reference, booked_at)
                SELECT tenant_id, gen_random_uuid(), journal_id, movement, plan_id, step_id, case_id, cycle,
                       department_id, kind, amount_minor, currency, task_id, reference, booked_at
                FROM ledger_entry WHERE movement = 3";
    let twice = owner.execute(copy).await.unwrap_err();
    assert!(twice.to_string().contains("ledger_entry_task"), "{twice}");
    owner.execute("SET ROLE redress_resolution; SET redress.tenant = 'development'").await.unwrap();
    for change in ["UPDATE ledger_entry SET amount_minor = 1", "DELETE FROM ledger_entry"] {
        let error = owner.execute(change).await.unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{change}: {error}");
    }
    assert_eq!(world.entries(&plan.case_id).await.len(), 3);
    world.house.done().await;
}

#[tokio::test]
async fn entries_are_listed_by_case_department_and_reference_page_by_page() {
    let world = World::open().await;
    let plans = much_happens(&world).await;
    let department = ListLedgerEntriesRequest {
        department_id: "finance".to_owned(),
        ..ListLedgerEntriesRequest::default()
    };
    let mut all: Vec<LedgerEntry> = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListLedgerEntriesRequest { page_size: 4, page_token, ..department.clone() };
        let answer = world.ledger().list_ledger_entries(request).await.unwrap().into_inner();
        assert!(answer.entries.len() <= 4);
        all.extend(answer.entries);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(all.is_sorted_by(|one, next| one.entry_id > next.entry_id), "newest first");
    assert!(all.iter().all(|entry| entry.department_id == "finance"));
    let count: i64 = sqlx::query("SELECT count(*) FROM ledger_entry WHERE department_id = 'finance'")
        .fetch_one(&mut world.schema().await)
        .await
        .unwrap()
        .get(0);
    assert_eq!(i64::try_from(all.len()).unwrap(), count);
    let by_reference = ListLedgerEntriesRequest { reference: "REF-z".to_owned(), ..department.clone() };
    let found = world.ledger().list_ledger_entries(by_reference).await.unwrap().into_inner().entries;
    assert_eq!(moved(&found), [(LedgerMovement::Executed, 100)]);
    assert_eq!(found[0].plan_id, plans[2].plan_id);
    world.house.done().await;
}

/// A list of balances, one a page.
async fn paged(world: &World, of: ListBalancesRequest) -> Vec<LedgerBalance> {
    let (mut paged, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListBalancesRequest { page_size: 1, page_token, ..of.clone() };
        let answer = world.ledger().list_balances(request).await.unwrap().into_inner();
        assert!(answer.balances.len() <= 1);
        paged.extend(answer.balances);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return paged;
        }
    }
}

#[tokio::test]
async fn balances_are_by_case_customer_department_day_and_currency() {
    let world = World::open().await;
    let plans = much_happens(&world).await;
    let dollars = {
        let mut step = refund("usd");
        step.amount.as_mut().unwrap().currency_code = "USD".to_owned();
        step
    };
    let foreign = world.proposed(world.decided_case().await, vec![dollars]).await;
    for plan in [&plans[0], &plans[1], &foreign] {
        let opened = CaseOpened {
            case_id: plan.case_id.clone(),
            customer_id: "C-7".to_owned(),
            ..CaseOpened::default()
        };
        world.house.tell("cases", Uuid::try_parse(&plan.case_id).unwrap(), &opened).await;
    }
    world.house.settled().await;
    let (start_day, end_day) = world.this_year().await;
    let whole = ListBalancesRequest { start_day, end_day, ..ListBalancesRequest::default() };
    let by = |grouping: BalanceGrouping| ListBalancesRequest { grouping: grouping.into(), ..whole.clone() };

    let all = world.balances(by(BalanceGrouping::Unspecified)).await;
    assert_eq!(all.len(), 2, "by currency");
    assert_eq!(
        all[1].promised,
        Some(proto::google::r#type::Money { currency_code: "USD".into(), ..yuan(100) })
    );
    let departments = world.balances(by(BalanceGrouping::Department)).await;
    let outlet = departments.iter().find(|one| one.group == "outlet").unwrap();
    assert_eq!((&outlet.executed, &outlet.approved), (&Some(yuan(25)), &Some(yuan(25))));
    let days = world.balances(by(BalanceGrouping::Day)).await;
    assert!(days.len() >= 3, "two days and another currency: {days:?}");
    for groups in [&departments, &days] {
        let executed: i64 = groups.iter().map(|one| one.executed.as_ref().unwrap().units).sum();
        assert_eq!(executed, all.iter().map(|one| one.executed.as_ref().unwrap().units).sum::<i64>());
    }
    let customer = ListBalancesRequest { customer_id: "C-7".to_owned(), ..ListBalancesRequest::default() };
    let customers = world.balances(customer).await;
    let yuans = &customers[0];
    assert_eq!(
        (&yuans.executed, &yuans.reversed, &yuans.executed_net),
        (&Some(yuan(125)), &Some(yuan(100)), &Some(yuan(25)))
    );
    assert_eq!(yuans.approved_open, Some(yuan(75)), "the rest of the part payment");
    let grouped = world.balances(by(BalanceGrouping::Customer)).await;
    assert_eq!(grouped.iter().map(|one| one.group.as_str()).collect::<Vec<_>>(), ["", "C-7", "C-7"]);
    let case = ListBalancesRequest {
        case_id: plans[1].case_id.clone(),
        grouping: BalanceGrouping::Case.into(),
        ..ListBalancesRequest::default()
    };
    let case = world.balances(case).await;
    assert_eq!((case[0].group.as_str(), &case[0].executed_net), (plans[1].case_id.as_str(), &Some(yuan(0))));

    let all = world.balances(by(BalanceGrouping::Case)).await;
    assert_eq!(paged(&world, by(BalanceGrouping::Case)).await, all);
    assert_eq!(all.len(), plans.len() + 1);
    world.house.done().await;
}

#[tokio::test]
async fn bad_and_foreign_questions_to_the_ledger_are_refused() {
    let world = World::identified().await;
    let mut ledger = world.ledger();
    let entries = ListLedgerEntriesRequest::default;
    invalid(ledger.list_ledger_entries(entries()).await, "INVALID_REQUEST", &["case_id"]);
    let case_id = Uuid::nil().to_string();
    let both = ListLedgerEntriesRequest { case_id: case_id.clone(), reference: "x".to_owned(), ..entries() };
    invalid(ledger.list_ledger_entries(both).await, "INVALID_REQUEST", &["reference"]);
    let balances = ListBalancesRequest::default;
    let bad = ListBalancesRequest { page_size: -1, grouping: 9, ..balances() };
    invalid(ledger.list_balances(bad).await, "INVALID_REQUEST", &["page_size", "grouping", "start_day"]);
    let days = |start: &str, end: &str| ListBalancesRequest {
        start_day: start.to_owned(),
        end_day: end.to_owned(),
        ..balances()
    };
    for (start, end, fields) in [
        ("2026-02-30", "2026-03-01", vec!["start_day"]),
        ("2026-03-01", "tomorrow", vec!["end_day"]),
        ("2026-03-02", "2026-03-01", vec!["end_day"]),
        ("2026-01-01", "2027-01-02", vec!["end_day"]),
        ("2026-01-01", "", vec!["end_day"]),
    ] {
        invalid(ledger.list_balances(days(start, end)).await, "INVALID_REQUEST", &fields);
    }
    assert!(ledger.list_balances(days("2026-01-01", "2026-12-31")).await.is_ok());
    let two = ListBalancesRequest { case_id, customer_id: "C".to_owned(), ..balances() };
    invalid(ledger.list_balances(two).await, "INVALID_REQUEST", &["customer_id"]);

    let of =
        |department: &str| ListLedgerEntriesRequest { department_id: department.to_owned(), ..entries() };
    let mut bound = world.ledger_as("worker", &["department-worker:finance"]);
    assert!(bound.list_ledger_entries(of("finance")).await.is_ok());
    refused(bound.list_ledger_entries(of("outlet")).await, Code::PermissionDenied, "ROLE_REQUIRED");
    refused(
        bound.list_balances(days("2026-01-01", "2026-01-01")).await,
        Code::PermissionDenied,
        "ROLE_REQUIRED",
    );
    refused(ledger.list_ledger_entries(of("nowhere")).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test]
async fn a_ledger_is_its_tenants() {
    let world = World::identified().await;
    let plan = world.approved(vec![refund("a")]).await;
    found_departments(&world.house, "acme").await;
    let mut theirs = LedgerServiceClient::new(world.house.channel_as("acme", "auditor", &["reader"]));
    let case =
        ListLedgerEntriesRequest { case_id: plan.case_id.clone(), ..ListLedgerEntriesRequest::default() };
    assert!(theirs.list_ledger_entries(case).await.unwrap().into_inner().entries.is_empty());
    let case = ListBalancesRequest { case_id: plan.case_id.clone(), ..ListBalancesRequest::default() };
    assert!(theirs.list_balances(case).await.unwrap().into_inner().balances.is_empty());
    assert_eq!(world.entries(&plan.case_id).await.len(), 2);
    world.house.done().await;
}
