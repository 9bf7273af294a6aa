//! What it costs to find somebody's cases among those of many.

use kernel::TenantId;
use sameness::phone;
use sqlx::{AssertSqlSafe, Executor as _};
use testkit::{House, most_rows};

use super::*;
use crate::store::search::plans::seed::seed;

/// Cases of all, and how many of them each complainant has.
const CASES: i32 = 20_000;
const OF_EACH: u64 = 4;

/// Somebody who has [`OF_EACH`] cases, and is known by all three.
fn asked() -> ComplainantQuery {
    let person = Person { customer: sameness::number("c-7"), phone: phone("555 000 007"), email: None };
    ComplainantQuery { person, case: None }
}

async fn marked(house: &House) {
    seed(house, &["development"], CASES).await;
    let mut owner = house.owner().await;
    owner.execute("SET search_path = cases").await.expect("there is the schema");
    let marks: Vec<i64> = asked().person.marks().into_iter().flatten().collect();
    for made in [
        "INSERT INTO sketch (tenant_id, case_id) SELECT tenant_id, case_id FROM cases WHERE $1::bigint[] IS NOT NULL",
        // Each complainant has marks of their own, as far from each other as hashes are.
        "INSERT INTO mark (tenant_id, mark, case_id)
         SELECT c.tenant_id,
                CASE WHEN c.customer_id = 'c-7' THEN m.mark ELSE m.mark # (hashtext(c.customer_id)::bigint << 8) END,
                c.case_id
         FROM cases c, UNNEST($1::bigint[]) AS m (mark)",
    ] {
        sqlx::query(made).bind(&marks).execute(&mut owner).await.expect("marks can be made");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_read_off_an_index_and_reads_nobody_elses_cases() {
    let house = House::open(&[crate::SERVICE]).await;
    marked(&house).await;
    let later = Place { received: "2027-01-01T00:00:00Z".parse().expect("a time"), id: Uuid::max() };
    let statements = [
        (counting!(), arguments(&asked())),
        (listing!(), arguments_of_page(&asked(), None, 51)),
        (listing!(), arguments_of_page(&asked(), Some(later), 51)),
    ]
    .map(|(statement, binds)| (statement, binds.arguments().expect("they are bound")));
    for statistics in ["", "VACUUM ANALYZE cases.cases, cases.mark, cases.sketch"] {
        house.owner().await.execute(statistics).await.expect("a statement");
        for (statement, arguments) in &statements {
            let statement = AssertSqlSafe((*statement).to_owned());
            let tenant = Some(TenantId::development());
            let rows = most_rows(house.db("cases"), (&statement, arguments.clone()), tenant).await;
            // By each of the two marks every case of theirs is found once.
            assert!((OF_EACH..=2 * OF_EACH).contains(&rows), "{rows} of {CASES} cases: {}", statement.0);
        }
    }
    house.done().await;
}
