//! Departments' statements held against the ledger.

use std::time::Duration;

use proto::redress::resolution::v1::{
    ListReconciledRowsRequest, ReconcileStatementRequest, ReconciledRow, Reconciliation, StatementDirection,
    StatementRow, StatementVerdict,
};
use sqlx::Executor as _;
use testkit::{eventually, request_id};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::world::{World, completion, found_departments, invalid, refund, refused, yuan};

use StatementVerdict::{DifferentAmount, Doubled, Matched, Missing, Unknown, Unreadable};

fn paid(number: i64, reference: &str, units: i64) -> StatementRow {
    StatementRow {
        number,
        reference: reference.to_owned(),
        amount: Some(yuan(units)),
        direction: StatementDirection::Paid.into(),
        day: "2026-11-28".to_owned(),
        fault: String::new(),
    }
}

/// How long the contract says that rows are kept.
const KEPT: Duration = Duration::from_hours(400 * 24);

/// A statement that broke off two hours before the clock stands still.
const BROKEN_OFF: &str = "
    INSERT INTO reconciliation (tenant_id, reconciliation_id, request_id, department_id, start_day, end_day,
                                author, created_at)
    VALUES ('acme', '00000000-0000-7000-8000-000000000001', 'old', 'finance', '1970-01-01', '1970-01-01', 'x',
            '2026-11-23T07:00:00Z');
    INSERT INTO statement_row (tenant_id, reconciliation_id, number, verdict, reference, currency, movement,
                               day, fault)
    SELECT 'acme', '00000000-0000-7000-8000-000000000001', n, 0, 'A', 'CNY', 3, '', ''
    FROM generate_series(1, 1500) AS n";

/// A statement of whatever days the tests run in, in messages of so many rows.
fn statement(request_id: &str, rows: &[StatementRow], at_once: usize) -> Vec<ReconcileStatementRequest> {
    of_days(request_id, ("1970-01-01", "1970-12-31"), rows, at_once)
}

fn of_days(
    request_id: &str,
    (start, end): (&str, &str),
    rows: &[StatementRow],
    at_once: usize,
) -> Vec<ReconcileStatementRequest> {
    let mut messages = vec![ReconcileStatementRequest {
        request_id: request_id.to_owned(),
        department_id: "finance".to_owned(),
        start_day: start.to_owned(),
        end_day: end.to_owned(),
        rows: Vec::new(),
    }];
    let chunks = rows.chunks(at_once).map(|rows| ReconcileStatementRequest {
        rows: rows.to_vec(),
        ..ReconcileStatementRequest::default()
    });
    messages.extend(chunks);
    messages
}

impl World {
    /// Days around those the clock stands at.
    pub(crate) async fn this_year(&self) -> (String, String) {
        let days = "SELECT (min(day) - 9)::text, (max(day) + 9)::text FROM ledger_entry";
        sqlx::query_as(days).fetch_one(&mut self.schema().await).await.unwrap()
    }

    async fn reconcile(&self, messages: Vec<ReconcileStatementRequest>) -> Result<Reconciliation, Status> {
        let mut ledger = self.ledger_as("cashier", &["department-worker:finance"]);
        let answer = ledger.reconcile_statement(futures::stream::iter(messages)).await?;
        Ok(answer.into_inner().reconciliation.unwrap())
    }

    async fn rows(&self, of: &Reconciliation, verdict: StatementVerdict, size: i32) -> Vec<ReconciledRow> {
        let (mut rows, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListReconciledRowsRequest {
                reconciliation_id: of.reconciliation_id.clone(),
                verdict: verdict.into(),
                page_size: size,
                page_token,
            };
            let answer = self.ledger().list_reconciled_rows(request).await.unwrap().into_inner();
            rows.extend(answer.rows);
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                return rows;
            }
        }
    }

    /// How many rows are stored of a statement, whether they are shown or not.
    async fn stored_rows(&self, reconciliation_id: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM statement_row WHERE reconciliation_id = $1::uuid")
            .bind(reconciliation_id)
            .fetch_one(&mut self.schema().await)
            .await
            .unwrap()
    }

    /// A refund of 100 yuan, paid under a number.
    async fn paid_out(&self, reference: &str) {
        // Entries are listed by their moment.
        self.house.advance(Duration::from_secs(1));
        self.approved(vec![refund("a")]).await;
        let mut report = completion(&self.take("finance").await);
        reference.clone_into(&mut report.result.as_mut().unwrap().reference);
        self.client("worker").complete_task(report).await.unwrap();
    }
}

fn verdicts(rows: &[ReconciledRow]) -> Vec<(i64, StatementVerdict)> {
    rows.iter().map(|one| (one.row.as_ref().map_or(0, |row| row.number), one.verdict())).collect()
}

#[tokio::test]
async fn every_row_gets_its_verdict_and_its_reason_and_what_is_missing_comes_last() {
    let world = World::identified().await;
    for reference in ["A", "B", "C", "C", "D", "E"] {
        world.paid_out(reference).await;
    }
    let collected = StatementRow { direction: StatementDirection::Collected.into(), ..paid(8, "D", 100) };
    let unread = StatementRow { amount: None, direction: 0, ..paid(9, " ", 1) };
    let spoilt = StatementRow { fault: "line 12 cannot be read\0".to_owned(), ..StatementRow::default() };
    let rows = [
        paid(1, "B", 40),
        paid(2, "A", 100),
        paid(3, "A", 100),
        paid(4, "B", 100),
        paid(5, "C", 100),
        paid(6, "C", 99),
        paid(7, "X", 1),
        collected,
        unread,
        StatementRow { number: 10, ..spoilt },
    ];
    let (start, end) = world.this_year().await;
    let expected = [
        (1, Doubled),
        (2, Matched),
        (3, Doubled),
        (4, Matched),
        (5, Matched),
        (6, DifferentAmount),
        (7, Unknown),
        (8, Unknown),
        (9, Unreadable),
        (10, Unreadable),
        (0, Missing),
        (0, Missing),
    ];
    // However the rows are spread over messages.
    for at_once in [1, 3, 1_000] {
        let messages = of_days(&request_id(), (&start, &end), &rows, at_once);
        let done = world.reconcile(messages).await.unwrap();
        assert_eq!(
            (done.row_count, done.matched_count, done.missing_count, done.doubled_count),
            (10, 3, 2, 2)
        );
        assert_eq!((done.different_amount_count, done.unknown_count, done.unreadable_count), (1, 2, 2));
        assert_eq!((done.author.as_str(), done.department_id.as_str()), ("cashier", "finance"));
        let listed = world.rows(&done, StatementVerdict::Unspecified, 5).await;
        assert_eq!(verdicts(&listed), expected, "{at_once} at once");
        let reasons: Vec<&str> = listed.iter().map(|one| one.reason.as_str()).collect();
        assert_eq!(reasons[0], "row 4 has its entry already");
        assert_eq!(reasons[5], "the ledger has CNY 100.00");
        assert_eq!(reasons[6], "nobody reported this reference");
        assert_eq!(reasons[7], "the ledger has it the other way round");
        assert_eq!(
            reasons[8],
            "reference is required; amount is required; direction must be paid or collected"
        );
        assert_eq!(reasons[9], "line 12 cannot be read");
        assert_eq!(reasons[10], "CNY 100.00 was executed, and the statement has no row for it");
        assert_eq!(listed[10].entry.as_ref().unwrap().reference, "D");
        assert_eq!(listed[5].entry.as_ref().unwrap().amount, Some(yuan(100)));
        assert_eq!(verdicts(&world.rows(&done, Unknown, 1).await), [(7, Unknown), (8, Unknown)]);
    }
    world.house.done().await;
}

#[tokio::test]
async fn a_statement_sent_again_is_answered_again_and_another_under_its_key_refused() {
    let world = World::identified().await;
    world.paid_out("A").await;
    let (key, rows) = (request_id(), [paid(1, "A", 100), paid(2, "B", 1)]);
    let first = world.reconcile(statement(&key, &rows, 1)).await.unwrap();
    let second = world.reconcile(statement(&key, &rows, 2)).await.unwrap();
    assert_eq!(first, second);
    let other = world.reconcile(statement(&key, &rows[..1], 1)).await;
    refused(other, Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED");
    let days = of_days(&key, ("1970-01-01", "1970-12-30"), &rows, 1);
    refused(world.reconcile(days).await, Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED");
    // Two at once: one answer, and nothing is left of the other.
    let key = request_id();
    let (one, two) =
        tokio::join!(world.reconcile(statement(&key, &rows, 1)), world.reconcile(statement(&key, &rows, 1)));
    assert_eq!(one.unwrap(), two.unwrap());
    let mut owner = world.schema().await;
    let kept: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM reconciliation), (SELECT count(DISTINCT reconciliation_id) FROM statement_row)",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert_eq!(kept, (2, 2));
    world.house.done().await;
}

#[tokio::test]
async fn what_another_months_statement_had_is_doubled_in_this_one() {
    let world = World::identified().await;
    world.paid_out("A").await;
    let (start, end) = world.this_year().await;
    let row = [paid(1, "A", 100)];
    let first = world.reconcile(of_days(&request_id(), (&start, &end), &row, 1)).await.unwrap();
    assert_eq!(first.matched_count, 1);
    let corrected = world.reconcile(of_days(&request_id(), (&start, &end), &row, 1)).await.unwrap();
    assert_eq!(corrected.matched_count, 1, "the same days again are no other statement");
    let later = ("2199-01-01", "2199-01-31");
    let later = world.reconcile(of_days(&request_id(), later, &row, 1)).await.unwrap();
    assert_eq!((later.doubled_count, later.missing_count), (1, 0));
    let rows = world.rows(&later, Doubled, 5).await;
    assert_eq!(rows[0].reason, "a statement of other days has its entry already");
    world.house.done().await;
}

#[tokio::test]
async fn a_bad_statement_is_refused_whole_and_leaves_nothing() {
    let world = World::identified().await;
    let empty = world.reconcile(Vec::new()).await;
    invalid(empty, "INVALID_STATEMENT", &["request_id", "department_id", "start_day", "end_day"]);
    let long = of_days(&request_id(), ("2026-01-01", "2027-01-02"), &[], 1);
    invalid(world.reconcile(long).await, "INVALID_STATEMENT", &["end_day"]);
    let many: Vec<StatementRow> = (1..=1_001).map(|number| paid(number, "A", 1)).collect();
    invalid(world.reconcile(statement(&request_id(), &many, 1_001)).await, "INVALID_STATEMENT", &["rows"]);
    let shrinking = [paid(5, "A", 1), paid(6, "A", 1), paid(6, "A", 1)];
    let shrinking = world.reconcile(statement(&request_id(), &shrinking, 2)).await;
    invalid(shrinking, "INVALID_STATEMENT", &["rows[0].number"]);
    let mut twice = statement(&request_id(), &[], 1);
    twice.push(twice[0].clone());
    let fields = ["request_id", "department_id", "start_day", "end_day"];
    invalid(world.reconcile(twice).await, "INVALID_STATEMENT", &fields);
    let mut owner = world.schema().await;
    let kept: i64 =
        sqlx::query_scalar("SELECT (SELECT count(*) FROM reconciliation) + count(*) FROM statement_row")
            .fetch_one(&mut owner)
            .await
            .unwrap();
    assert_eq!(kept, 0, "what broke off is removed");
    // One whose process stopped is removed by the next, once it cannot be under way.
    let old =
        "INSERT INTO reconciliation (tenant_id, reconciliation_id, request_id, department_id, start_day,
                                           end_day, author, created_at)
               VALUES ('development', '00000000-0000-7000-8000-000000000001', 'old', 'finance', '1970-01-01',
                       '1970-01-01', 'x', '1960-01-01');
               INSERT INTO statement_row (tenant_id, reconciliation_id, number, verdict, reference, currency,
                                          movement, day, fault)
               SELECT 'development', '00000000-0000-7000-8000-000000000001', n, 0, 'A', 'CNY', 3, '', ''
               FROM generate_series(1, 1500) AS n";
    owner.execute(old).await.unwrap();
    world.reconcile(statement(&request_id(), &[paid(1, "A", 1)], 1)).await.unwrap();
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM statement_row").fetch_one(&mut owner).await.unwrap();
    assert_eq!(kept, 1);
    world.house.done().await;
}

#[tokio::test]
async fn a_statement_is_its_departments_and_its_tenants() {
    let world = World::identified().await;
    let done = world.reconcile(statement(&request_id(), &[paid(1, "A", 1)], 1)).await.unwrap();
    let request = ListReconciledRowsRequest {
        reconciliation_id: done.reconciliation_id.clone(),
        ..ListReconciledRowsRequest::default()
    };
    let mut outlet = world.ledger_as("other", &["department-worker:outlet"]);
    let sent = futures::stream::iter(statement(&request_id(), &[], 1));
    refused(outlet.reconcile_statement(sent).await, Code::PermissionDenied, "ROLE_REQUIRED");
    refused(outlet.list_reconciled_rows(request.clone()).await, Code::PermissionDenied, "ROLE_REQUIRED");
    found_departments(&world.house, "acme").await;
    let channel = world.house.channel_as("acme", "boss", &["supervisor"]);
    let mut theirs = proto::redress::resolution::v1::ledger_service_client::LedgerServiceClient::new(channel);
    refused(theirs.list_reconciled_rows(request.clone()).await, Code::NotFound, "RECONCILIATION_NOT_FOUND");
    let unknown = ListReconciledRowsRequest { reconciliation_id: Uuid::nil().to_string(), ..request.clone() };
    refused(world.ledger().list_reconciled_rows(unknown).await, Code::NotFound, "RECONCILIATION_NOT_FOUND");
    let bad = ListReconciledRowsRequest { page_size: -1, verdict: 9, ..ListReconciledRowsRequest::default() };
    let fields = ["page_size", "reconciliation_id", "verdict"];
    invalid(world.ledger().list_reconciled_rows(bad).await, "INVALID_REQUEST", &fields);
    let nowhere = ReconcileStatementRequest {
        department_id: "nowhere".to_owned(),
        ..statement(&request_id(), &[], 1)[0].clone()
    };
    let mut boss = world.ledger_as("boss", &["supervisor"]);
    let sent = futures::stream::iter([nowhere]);
    refused(boss.reconcile_statement(sent).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test]
async fn rows_are_forgotten_400_days_after_their_statement_but_not_which_entries_it_had() {
    let world = World::identified().await;
    world.paid_out("A").await;
    let (start, end) = world.this_year().await;
    let mut rows = vec![paid(1, "A", 100)];
    rows.extend((2..=2_300).map(|number| paid(number, "X", 1)));
    let (key, days) = (request_id(), ("2199-01-01", "2199-01-31"));
    let old = world.reconcile(of_days(&key, days, &rows, 1_000)).await.unwrap();
    assert_eq!((old.matched_count, old.unknown_count), (1, 2_299));
    world.schema().await.execute(BROKEN_OFF).await.unwrap();
    world.house.advance(KEPT.saturating_sub(Duration::from_hours(1)));
    let late = world.reconcile(of_days(&request_id(), days, &[paid(1, "Y", 1)], 1)).await.unwrap();
    let broken_off = "00000000-0000-7000-8000-000000000001";
    eventually(|| async { world.stored_rows(broken_off).await == 0 }).await;
    assert_eq!(world.rows(&old, Matched, 5).await.len(), 1, "it is kept up to then");
    assert_eq!(world.stored_rows(&old.reconciliation_id).await, 2_300);

    world.house.advance(Duration::from_hours(2));
    let request = ListReconciledRowsRequest {
        reconciliation_id: old.reconciliation_id.clone(),
        ..ListReconciledRowsRequest::default()
    };
    refused(world.ledger().list_reconciled_rows(request).await, Code::NotFound, "RECONCILIATION_NOT_FOUND");
    eventually(|| async { world.stored_rows(&old.reconciliation_id).await == 0 }).await;
    assert_eq!(world.rows(&late, Unknown, 5).await.len(), 1, "it came later");
    let again = world.reconcile(of_days(&key, days, &rows, 500)).await.unwrap();
    assert_eq!(again, old, "what came of it stays");
    let heads = "SELECT count(*) FROM reconciliation WHERE tenant_id = 'acme'";
    let heads: i64 = sqlx::query_scalar(heads).fetch_one(&mut world.schema().await).await.unwrap();
    assert_eq!(heads, 0, "what broke off is gone whole");
    // For statements of other days its entry is taken, for those of the same it is not.
    let rows = [paid(1, "A", 100), paid(2, "A", 99)];
    let other = world.reconcile(of_days(&request_id(), (&start, &end), &rows, 1)).await.unwrap();
    assert_eq!((other.doubled_count, other.missing_count), (2, 0));
    let silent = world.reconcile(of_days(&request_id(), (&start, &end), &[], 1)).await.unwrap();
    assert_eq!(silent.missing_count, 0);
    let same = world.reconcile(of_days(&request_id(), days, &rows[..1], 1)).await.unwrap();
    assert_eq!((same.matched_count, same.doubled_count), (1, 0));
    world.house.done().await;
}
