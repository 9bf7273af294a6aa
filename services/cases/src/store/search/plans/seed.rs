//! Many cases at once, made by Postgres: one in twelve is open, of these one in
//! ten is nobody's.

use filter::terms::Terms;
use sqlx::Executor as _;
use testkit::House;

use kernel::TenantId;

/// When the tests look.
pub(super) const NOW: &str = "2026-11-22T09:00:00Z";

/// Makes cases, so many for each tenant, and tells the planner.
pub(in crate::store) async fn seed(house: &House, tenants: &[&str], cases: i32) {
    let mut owner = house.owner().await;
    owner.execute("SET search_path = cases").await.expect("there is the schema");
    for tenant in tenants {
        sqlx::query(
            "INSERT INTO cases
                 (tenant_id, case_id, version, state, cycle, tier, priority, outcome, channel, entries,
                  received_at, opened_at, closed_at, category, triage_reasons, subject, language,
                  customer_id, department_id, agent_id, findings, root_cause, decision_reasons, traceparent, due_at)
             SELECT $1, (lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n % 977), 12, '0'))::uuid, 5,
                    CASE WHEN is_open THEN 2 + n % 5 ELSE CASE n % 300 WHEN 0 THEN 9 ELSE 8 END END, 1, n % 3, 1 + n % 4,
                    CASE WHEN is_open THEN NULL ELSE 1 + n % 3 END, 1 + n % 10, 8,
                    at - interval '1 hour', at, CASE WHEN is_open THEN NULL ELSE at + interval '9 days' END,
                    'delivery/' || n % 30, 'because', 'the kettle ' || n || ' arrived broken', 'en',
                    'c-' || n % 5000, 'd-' || n % 40,
                    CASE WHEN is_open AND r < 8 THEN '' ELSE 'a-' || n % 200 END,
                    repeat('found ', 40), 'cause', repeat('reason ', 20), repeat('0', 55),
                    CASE WHEN is_open AND r % 10 <> 9 THEN $3::timestamptz + (n % 400 - 100) * interval '1 hour' END
             FROM (SELECT n, abs(hashint4(n) % 1000) AS r, abs(hashint4(n) % 1000) < 80 AS is_open,
                          $3::timestamptz - ($2 - n) * interval '1 minute' AS at
                   FROM generate_series(1, $2) AS n) AS numbered",
        )
        .bind(*tenant)
        .bind(cases)
        .bind(jiff_sqlx::ToSqlx::to_sqlx(NOW.parse::<jiff::Timestamp>().expect("a time")))
        .execute(&mut owner)
        .await
        .expect("cases can be made");
        let terms = Terms::of(&TenantId::parse(tenant).expect("a name"));
        let tag = terms.vector(&["x"]).replace("x:1 ", "");
        // Words as people use them: few of them often, most of them seldom.
        sqlx::query(
            "INSERT INTO case_text (tenant_id, case_id, description, terms)
             SELECT tenant_id, case_id, repeat('what happened ', 20),
                    (SELECT string_agg($2 || 'w' || floor(power(random(), 4) * 5000)::text || ':' || i, ' ')
                     FROM generate_series(1, 25) AS i WHERE case_id IS NOT NULL)::tsvector
             FROM cases WHERE tenant_id = $1",
        )
        .bind(*tenant)
        .bind(tag)
        .execute(&mut owner)
        .await
        .expect("texts can be made");
    }
    for table in ["VACUUM ANALYZE cases", "VACUUM ANALYZE case_text"] {
        owner.execute(table).await.expect("vacuumed");
    }
}
