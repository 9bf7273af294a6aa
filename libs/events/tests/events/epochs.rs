//! A database restored to an earlier moment is noticed by whoever has read on.

use anyhow::{Result, bail};
use events::{Batch, LocalSource, Source, Subscription};
use fault::Fault;
use futures::StreamExt as _;
use kernel::{Ids as _, RandomIds};
use sqlx::Executor as _;

use crate::fixture::Fixture;

const TYPES: &[&str] = &["redress.cases.v1.CaseClosed"];

async fn first(source: &impl Source, wanted: Subscription) -> Result<Batch, Fault> {
    source.subscribe(wanted).next().await.unwrap_or_else(|| Ok(Batch::default()))
}

/// The first batch that is not empty.
async fn told(source: &impl Source) -> Result<Batch, Fault> {
    let mut batches = source.subscribe(Subscription::after(0, TYPES));
    loop {
        match batches.next().await {
            Some(Ok(batch)) if batch.events.is_empty() => {}
            other => return other.unwrap_or_else(|| Ok(Batch::default())),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_beyond_what_was_ever_told_is_refused() -> Result<()> {
    let fixture = Fixture::open().await?;
    fixture.tell("one", RandomIds.token(), 1).await?;
    let source = LocalSource(fixture.feed.clone());
    let Batch { cursor, epoch, events, .. } = told(&source).await?;
    assert_eq!((events.len(), epoch.len()), (1, 36));
    let refused = first(&source, Subscription::after(cursor + 1, TYPES)).await.err();
    let refused = refused.map(|fault| (fault.reason(), fault.fact("head").map(str::to_owned)));
    assert_eq!(refused, Some(("CURSOR_BEYOND_HEAD", Some(cursor.to_string()))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_epoch_is_refused_by_name() -> Result<()> {
    let fixture = Fixture::open().await?;
    fixture.tell("one", RandomIds.token(), 1).await?;
    let source = LocalSource(fixture.feed.clone());
    let Batch { cursor, epoch, .. } = told(&source).await?;
    let mut owner = fixture.database.connect().await?;
    owner.execute("SELECT alpha.renew_feed_epoch()").await?;
    let presenting =
        |epoch: &str| Subscription { epoch: epoch.to_owned(), ..Subscription::after(cursor, TYPES) };
    // The process that runs looks at it now and then.
    for _ in 0..1_000 {
        match first(&source, presenting(&epoch)).await {
            Err(fault) if fault.reason() == "FEED_EPOCH_CHANGED" => {
                assert_eq!(fault.fact("resume_position"), Some(cursor.to_string().as_str()));
                let current = fault.fact("epoch").unwrap_or_default().to_owned();
                assert_ne!(current, *epoch);
                first(&source, presenting(&current)).await?;
                first(&source, presenting("")).await?;
                let stranger = first(&source, presenting("not one of this feed's")).await.err();
                let resume = stranger.and_then(|fault| fault.fact("resume_position").map(str::to_owned));
                assert_eq!(resume.as_deref(), Some("0"), "nothing is known of it");
                return Ok(());
            }
            _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
    bail!("it was not noticed")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_goes_on_in_a_new_epoch_unless_it_has_applied_what_is_lost() -> Result<()> {
    let fixture = Fixture::open().await?;
    let subject = RandomIds.token();
    fixture.tell("one", subject, 1).await?;
    let stop = tokio_util::sync::CancellationToken::new();
    let beta = fixture.consumer_until(LocalSource(fixture.feed.clone()), &stop);
    fixture.wait_for(1).await?;
    let mut owner = fixture.database.connect().await?;
    let epochs = "SELECT count(*) FROM beta.feed_cursor WHERE epoch <> ''";
    let kept = async |owner: &mut sqlx::PgConnection| -> Result<i64> {
        Ok(sqlx::query_scalar(epochs).fetch_one(owner).await?)
    };
    fixture.until(async || Ok(kept(&mut fixture.database.connect().await?).await? == 2)).await?;
    stop.cancel();
    drop(beta);

    // Nothing was lost: it goes on.
    owner.execute("SELECT alpha.renew_feed_epoch()").await?;
    let fixture = fixture.reopened();
    let stop = tokio_util::sync::CancellationToken::new();
    let _beta = fixture.consumer_until(LocalSource(fixture.feed.clone()), &stop);
    fixture.tell("one", subject, 2).await?;
    fixture.wait_for(2).await?;
    fixture.until(async || Ok(kept(&mut fixture.database.connect().await?).await? == 2)).await?;
    stop.cancel();

    // It has applied an event that is gone: it stands still until somebody says where to go on.
    owner
        .execute("DELETE FROM alpha.outbox WHERE position = 2; SELECT setval('alpha.outbox_position', 1)")
        .await?;
    owner.execute("SELECT alpha.renew_feed_epoch()").await?;
    let fixture = fixture.reopened();
    let _beta = fixture.consumer(LocalSource(fixture.feed.clone()));
    fixture.tell("one", subject, 3).await?;
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(fixture.numbers_of(subject).await?, [1, 2], "nothing is passed over in silence");
    owner.execute("SELECT beta.resume_feed('alpha', 1)").await?;
    fixture.wait_for(3).await?;
    assert_eq!(fixture.numbers_of(subject).await?, [1, 2, 3]);
    Ok(())
}
