//! How much is read to look around a complaint, and what ids tell.

use std::sync::Arc;

use kernel::{CaseId, Ids as _, RandomIds, SystemClock, TenantId};
use pg::Db;
use sameness::Person;
use testkit::Database;

use super::*;
use crate::case::Case;
use crate::case::properties::{occasion, opened};
use crate::store::{self, Opening};

#[test]
fn ids_sort_by_the_moment_they_were_given_out() {
    let moment: Timestamp = "2026-11-23T09:59:59.999Z".parse().expect("a moment");
    let next = moment + SignedDuration::from_millis(1);
    let id = RandomIds.id(moment);
    assert!(first_id(moment) <= id && id < first_id(next));
    assert_eq!(hour(moment).to_string(), "2026-11-23T09:00:00Z");
    assert_eq!(hour(next), next);
}

/// Marks all cases as this person's.
const MARKED: &str = "INSERT INTO cases.mark (tenant_id, mark, case_id)
    SELECT c.tenant_id, known.mark, c.case_id FROM cases.cases c, UNNEST($1::bigint[]) AS known (mark)";

#[tokio::test]
async fn a_person_with_any_number_of_cases_costs_no_more_than_one_with_a_few() -> anyhow::Result<()> {
    const CASES: usize = 3_000;
    let lists = [&pg::MIGRATIONS, &events::MIGRATIONS, &timers::MIGRATIONS, &crate::MIGRATIONS];
    let migrate = async |url: String| pg::migrate(&url, "cases", &lists).await;
    let database = Database::copy_of("look around", migrate).await?;
    let db = Db::open(database.url(), 2, "cases", Arc::new(SystemClock), Arc::new(RandomIds))?;
    let tenant = TenantId::development();
    db.transact("test.open", &tenant, async |mut tx| {
        let opening = |_| {
            let case = Case { id: CaseId(tx.new_id()), ..opened(&occasion(tx.now())) };
            Opening {
                case,
                description: String::new(),
                product: String::new(),
                receipt_hash: None,
                forwarded: None,
            }
        };
        let openings: Vec<Opening> = (0..CASES).map(opening).collect();
        store::insert(&mut tx, &openings).await?;
        Ok((tx, ()))
    })
    .await?;
    let person = Person { customer: Some(1), email: Some(2), phone: Some(3) };
    let mut owner = database.connect().await?;
    let marks: Vec<i64> = person.marks().into_iter().flatten().collect();
    sqlx::query(MARKED).bind(marks).execute(&mut owner).await?;
    let (repeats, read) = db
        .transact("test.look", &tenant, async |mut tx| {
            let now = tx.now();
            let incoming =
                Incoming { case: tx.new_id(), person, received: now, channel: Channel::Web, hint: "" };
            let (_, around) = look_around(&mut tx, std::slice::from_ref(&incoming), now).await?;
            let read: i64 = sqlx::query_scalar(
                "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'cases'",
            )
            .fetch_one(&mut *tx)
            .await?;
            Ok((tx, (around.get(&incoming.case).map(|around| around.repeats), read)))
        })
        .await?;
    assert_eq!(repeats, Some(MOST_REPEATS));
    assert!(read <= 3 * LOOKED_AT, "{read} cases were read");
    db.pool().close().await;
    database.drop().await
}
