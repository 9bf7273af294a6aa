//! Duplicates and similar cases among a hundred thousand: which way the database
//! goes, and how long it takes. Run with `--ignored`: filling the tables takes a
//! minute.

use std::time::{Duration, Instant};

use proto::redress::cases::v1::FindSimilarCasesRequest;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::intake::v1::Complaint;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _};

use crate::scene::{Scene, complaint};

const CASES: i64 = 100_000;
const ASKED: usize = 300;

/// Copies a closed case with other ids: every hundredth has its marks, so that the
/// question has an answer; the marks of the others are their own, but for two in
/// which each is like some hundreds.
const FILL: &str = "
    -- Rows are copied whole; what is generated cannot be.
    ALTER TABLE cases.cases ALTER COLUMN ended_as DROP EXPRESSION;
    INSERT INTO cases.cases
    SELECT (jsonb_populate_record(c, jsonb_build_object('case_id', n.id, 'receipt_hash', NULL))).*
    FROM cases.cases c, (SELECT ('0190' || lpad(to_hex(g), 28, '0'))::uuid AS id FROM generate_series(1, $CASES) g) n
    WHERE c.case_id = '$MODEL';
    INSERT INTO cases.sketch
    SELECT s.tenant_id, ('0190' || lpad(to_hex(g), 28, '0'))::uuid, s.minima, s.order_key, s.phone_key
    FROM cases.sketch s, generate_series(1, $CASES) g WHERE s.case_id = '$MODEL';
    INSERT INTO cases.mark
    SELECT m.tenant_id,
           CASE WHEN g % 100 = 0 OR (m.mark >> 48 < 2 AND g % 300 = m.mark >> 48) THEN m.mark
                ELSE (m.mark >> 48 << 48) | ((g * 2654435761 + m.mark) & 281474976710655) END,
           ('0190' || lpad(to_hex(g), 28, '0'))::uuid
    FROM cases.mark m, generate_series(1, $CASES) g
    WHERE m.case_id = '$MODEL' AND m.mark >> 48 < 16;
    INSERT INTO cases.timeline
    SELECT (jsonb_populate_record(t, jsonb_build_object('case_id', ('0190' || lpad(to_hex(g), 28, '0'))::uuid))).*
    FROM cases.timeline t, generate_series(1, $CASES) g WHERE t.case_id = '$MODEL' AND t.kind = 17;";

/// The plan of the question, asked as the service asks it.
async fn plan(owner: &mut PgConnection, model: &str) -> String {
    let marks =
        format!("SELECT array_agg(mark) FROM cases.mark WHERE case_id = '{model}' AND mark >> 48 < 16");
    let marks: Vec<i64> =
        sqlx::query_scalar(AssertSqlSafe(marks)).fetch_one(&mut *owner).await.expect("marks");
    let become_service =
        "SET ROLE redress_cases; SET search_path = cases; SET redress.tenant = 'development'";
    owner.execute(become_service).await.expect("the role is there");
    let explain = format!(
        "EXPLAIN (ANALYZE) SELECT c.case_id FROM (
             SELECT found.case_id, count(*) AS shared
             FROM UNNEST(ARRAY{marks:?}::bigint[]) AS asked (mark)
             CROSS JOIN LATERAL (
                 SELECT m.case_id FROM mark m
                 WHERE m.tenant_id = current_setting('redress.tenant') AND m.mark = asked.mark
                 ORDER BY m.case_id DESC LIMIT 100) AS found
             GROUP BY found.case_id) AS f
         JOIN cases c ON c.tenant_id = current_setting('redress.tenant') AND c.case_id = f.case_id
         WHERE c.state = 8 ORDER BY f.shared DESC, c.case_id DESC LIMIT 60"
    );
    let rows = sqlx::query(AssertSqlSafe(explain)).fetch_all(&mut *owner).await.expect("it can be explained");
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

fn percentile(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

#[tokio::test]
#[ignore = "fills a hundred thousand cases"]
async fn the_like_are_found_among_a_hundred_thousand_within_50_ms() {
    let scene = Scene::open().await;
    let text = "The kettle arrived broken, the box was crushed and nobody answers the phone.";
    let described = || Complaint { description: text.to_owned(), ..complaint() };
    let model = scene.register(described()).await;
    scene.assign(model, 1).await;
    scene.decide(model, false).await;
    scene.respond(model, 1, proto::redress::feedback::v1::Response::Accepted, "").await;
    let mut owner = scene.house.owner().await;
    let fill = FILL.replace("$CASES", &CASES.to_string()).replace("$MODEL", &model.to_string());
    owner.execute(AssertSqlSafe(fill)).await.expect("the tables can be filled");
    for table in ["cases", "sketch", "mark", "timeline"] {
        // As autovacuum would by and by.
        owner.execute(AssertSqlSafe(format!("VACUUM ANALYZE cases.{table}"))).await.expect("it is vacuumed");
    }

    let plan = plan(&mut owner, &model.to_string()).await;
    assert!(plan.contains("Index Only Scan Backward using mark_pkey"), "{plan}");
    assert!(!plan.contains("Seq Scan"), "{plan}");

    let mut links = LinkServiceClient::new(scene.house.channel());
    let mut asked = Vec::new();
    for _ in 0..ASKED {
        let request = FindSimilarCasesRequest { text: text.to_owned(), ..FindSimilarCasesRequest::default() };
        let begun = Instant::now();
        let found = links.find_similar_cases(request).await.expect("it can be asked").into_inner().cases;
        asked.push(begun.elapsed());
        assert_eq!(found.len(), 10);
        assert!(found.iter().all(|case| case.accepted));
    }
    let mut opened = Vec::new();
    for _ in 0..ASKED {
        let begun = Instant::now();
        scene.register(described()).await;
        opened.push(begun.elapsed());
    }
    eprintln!(
        "among {CASES}: similar p50 {:?} p99 {:?}; opened and settled p50 {:?} p99 {:?}",
        percentile(asked.clone(), 50),
        percentile(asked.clone(), 99),
        percentile(opened.clone(), 50),
        percentile(opened, 99),
    );
    assert!(percentile(asked, 99) < Duration::from_millis(50));
    scene.house.done().await;
}
