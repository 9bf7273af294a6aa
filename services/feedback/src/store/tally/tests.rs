//! What it costs to count a day of many.

use kernel::TenantId;
use sqlx::Executor as _;
use testkit::{House, most_rows};

use super::*;

/// Days with cases, and cases of each.
const DAYS: i32 = 400;
const OF_A_DAY: i32 = 10;

async fn seed(house: &House) {
    let mut owner = house.owner().await;
    owner.execute("SET search_path = feedback").await.expect("there is the schema");
    for made in [
        "INSERT INTO case_fact (tenant_id, case_id, received_at, acknowledged_at, resolved_at, ended_at, ending,
                                complainant, category, channel)
         SELECT 'development', md5(n::text)::uuid, at, at + interval '1 hour', at + interval '2 hours',
                at + interval '3 hours', 1, decode(md5((n % 100)::text), 'hex'), 'delivery', 5
         FROM generate_series(0, $1 * $2 - 1) AS n,
              LATERAL (SELECT '2025-01-01T00:00:00Z'::timestamptz + n / $2 * interval '1 day') AS t (at)",
        "INSERT INTO cycle_fact (tenant_id, case_id, cycle, resolved_at, outcome, told_at)
         SELECT tenant_id, case_id, 1, resolved_at, 1, resolved_at FROM case_fact WHERE $1 * $2 > 0",
    ] {
        sqlx::query(made).bind(DAYS).bind(OF_A_DAY).execute(&mut owner).await.expect("facts can be made");
    }
    owner.execute("ANALYZE case_fact; ANALYZE cycle_fact").await.expect("they are looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_counted_by_reading_that_day() {
    let house = House::open(&[crate::SERVICE]).await;
    seed(&house).await;
    let begin: jiff::Timestamp = "2025-06-01T00:00:00Z".parse().expect("a moment");
    let day = [(0, begin, begin + jiff::SignedDuration::from_hours(24))];
    let counting = || Counting::new(&day, vec![None, Some(Dimension::Channel)], &[], None);
    let all = [
        counting().numbers(&Measure::ALL.iter().copied().collect()),
        counting().samples(&Span::ALL.iter().copied().collect()),
    ];
    for text in all {
        let arguments = counting().binds.arguments().expect("they are bound");
        let tenant = Some(TenantId::development());
        let rows = most_rows(house.db("feedback"), (&AssertSqlSafe(text.clone()), arguments), tenant).await;
        // Those of the day, for each dimension, and the earlier ones of the same complainants.
        assert!((10..=1_000).contains(&rows), "{rows} of {} rows are read by {text}", DAYS * OF_A_DAY);
    }
    house.done().await;
}
