//! Whose turn it is, of all that waits here.

use jiff::Timestamp;
use testkit::House;
use work_queue::Table;

use super::*;

/// What waits, in a time of its own, so that nobody but this test takes it.
const WAITING: &str = "
    CREATE TEMPORARY TABLE waiting AS
    SELECT tenant, gen_random_uuid() AS id, '2200-01-01T00:00:00Z'::timestamptz + n * interval '1 s' AS next
    FROM (VALUES ('acme', 1, 5), ('beta', 6, 7), ('gamma', 8, 8)) AS t (tenant, first, last),
         generate_series(first, last) AS n;
    INSERT INTO intake.mail (tenant_id, mail_id, mailbox_id, identity, message_id, sender, subject, excerpt,
                             recipients, received_at, size_bytes, state, next_at, taken_at)
    SELECT tenant, id, 'shop', uuid_send(id), '', '', '', '', '{}', now(), 1, 1, next, now() FROM waiting;
    INSERT INTO intake.webhook_post (tenant_id, post_id, source_id, mapping, item, content, external_id, account,
                                     received_at, state, next_at)
    SELECT tenant, id, 'weibo', 1, '{}', '{}', '', '', now(), 1, next FROM waiting;
    INSERT INTO intake.webhook_delivery (tenant_id, delivery_id, source_id, content_hash, body, received_at, next_at)
    SELECT tenant, id, 'weibo', uuid_send(id), 'x', now(), next FROM waiting;
    INSERT INTO intake.attachment (tenant_id, attachment_id, file_name, media_type, size_bytes, received_bytes,
                                   held_bytes, state, store, creator, created_at, finished_at, scan_at)
    SELECT tenant, id, 'a', 'text/plain', 1, 1, 1, 2, 1, 'ada', now(), now(), next FROM waiting;
    INSERT INTO intake.file_drop (tenant_id, file_drop_id, place, path, channel, authority, mapping, sheet, encoding,
                                  separator, owner, language, silent_after_s, paused, version, updater, updated_at,
                                  look_at)
    SELECT tenant, id::text, 1, id::text, 6, '', '', '', '', '', 'ada', 'en', 0, false, 1, 'ada', now(), 'infinity'
    FROM waiting;
    INSERT INTO intake.dropped_file (tenant_id, dropped_file_id, file_drop_id, name, size_bytes, mark, state, reason,
                                     error, noted_at, next_at)
    SELECT tenant, id, id::text, 'a', 1, '1', 1, '', '', now(), next FROM waiting;";

/// Whose is taken, one after the other.
async fn turns(house: &House, table: &Table) -> Vec<String> {
    let now: Timestamp = "2200-01-02T00:00:00Z".parse().expect("a moment");
    let until: Timestamp = "2200-01-03T00:00:00Z".parse().expect("a moment");
    let (mut last, mut turns) = (String::new(), Vec::new());
    loop {
        let after = last.clone();
        let taken = house.db("intake").transact_as_worker("test.take", async |mut tx| {
            let taken = table.claim(&mut tx, &after, Uuid::nil(), (now, until)).await?;
            Ok((tx, taken))
        });
        let Some(claimed) = taken.await.expect("one, or none") else { return turns };
        claimed.tenant.as_str().clone_into(&mut last);
        turns.push(last.clone());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_of_one_tenant_keeps_no_others_waiting_whatever_it_is() {
    let house = House::open(&[crate::SERVICE]).await;
    let mut owner = house.owner().await;
    sqlx::raw_sql(WAITING).execute(&mut owner).await.expect("they can be made");
    for table in [
        mails::waiting(),
        posts::waiting(),
        webhook_deliveries::waiting(),
        attachments::keeping::unscanned(),
        dropped_files::waiting(),
    ] {
        let fair = ["acme", "beta", "gamma", "acme", "beta", "acme", "acme", "acme"];
        assert_eq!(turns(&house, &table).await, fair, "{}", table.table);
    }
    drop(owner);
    house.done().await;
}
