//! Whose turn it is.

use testkit::House;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn many_mails_of_one_tenant_keep_no_others_waiting() {
    let house = House::open(&[crate::SERVICE]).await;
    let mut owner = house.owner().await;
    // In a time of their own, so that nobody but this test takes them.
    sqlx::raw_sql(
        "INSERT INTO intake.mail (tenant_id, mail_id, mailbox_id, identity, message_id, sender, subject, excerpt,
                                  recipients, received_at, size_bytes, state, next_at, taken_at)
         SELECT tenant, gen_random_uuid(), 'shop', decode(md5(n::text), 'hex'), '', '', '', '', '{}', now(), 1, 1,
                '2200-01-01T00:00:00Z'::timestamptz + n * interval '1 s', now()
         FROM (VALUES ('acme', 1, 5), ('beta', 6, 7), ('gamma', 8, 8)) AS t (tenant, first, last),
              generate_series(first, last) AS n",
    )
    .execute(&mut owner)
    .await
    .expect("mails can be made");
    let now: Timestamp = "2200-01-02T00:00:00Z".parse().expect("a moment");
    let until: Timestamp = "2200-01-03T00:00:00Z".parse().expect("a moment");
    let (mut last, mut turns) = (String::new(), Vec::new());
    loop {
        let after = last.clone();
        let taken = house.db("intake").transact_as_worker("test.take", async |mut tx| {
            let taken = take(&mut tx, &after, (now, until)).await?;
            Ok((tx, taken))
        });
        let Some((tenant, _)) = taken.await.expect("one, or none") else { break };
        tenant.as_str().clone_into(&mut last);
        turns.push(last.clone());
    }
    assert_eq!(turns, ["acme", "beta", "gamma", "acme", "beta", "acme", "acme", "acme"]);
    drop(owner);
    house.done().await;
}
