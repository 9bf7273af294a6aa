//! Whose turn it is, of posts and of deliveries.

use testkit::House;

use super::*;
use crate::store::webhook_deliveries;

/// What waits, in a time of its own, so that nobody but this test takes it.
const WAITING: &str = "
    INSERT INTO intake.webhook_post (tenant_id, post_id, source_id, mapping, item, content, external_id, account,
                                     received_at, state, next_at)
    SELECT tenant, gen_random_uuid(), 'weibo', 1, '{}', '{}', '', '', now(), 1,
           '2200-01-01T00:00:00Z'::timestamptz + n * interval '1 s'
    FROM (VALUES ('acme', 1, 5), ('beta', 6, 7), ('gamma', 8, 8)) AS t (tenant, first, last),
         generate_series(first, last) AS n;
    INSERT INTO intake.webhook_delivery (tenant_id, delivery_id, source_id, content_hash, body, received_at, next_at)
    SELECT tenant_id, post_id, source_id, uuid_send(post_id), 'x', received_at, next_at FROM intake.webhook_post;";

/// Whose is taken, one after the other.
async fn turns(house: &House, of_posts: bool) -> Vec<String> {
    let now: Timestamp = "2200-01-02T00:00:00Z".parse().expect("a moment");
    let until: Timestamp = "2200-01-03T00:00:00Z".parse().expect("a moment");
    let (mut last, mut turns) = (String::new(), Vec::new());
    loop {
        let after = last.clone();
        let taken = house.db("intake").transact_as_worker("test.take", async |mut tx| {
            let taken = if of_posts {
                take(&mut tx, &after, (now, until)).await?
            } else {
                webhook_deliveries::take(&mut tx, &after, (now, until)).await?
            };
            Ok((tx, taken))
        });
        let Some((tenant, _)) = taken.await.expect("one, or none") else { return turns };
        tenant.as_str().clone_into(&mut last);
        turns.push(last.clone());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_posts_of_one_tenant_keep_no_others_waiting() {
    let house = House::open(&[crate::SERVICE]).await;
    let mut owner = house.owner().await;
    sqlx::raw_sql(WAITING).execute(&mut owner).await.expect("they can be made");
    let fair = ["acme", "beta", "gamma", "acme", "beta", "acme", "acme", "acme"];
    assert_eq!(turns(&house, true).await, fair);
    assert_eq!(turns(&house, false).await, fair);
    drop(owner);
    house.done().await;
}
