//! Whose turn it is.

use kernel::{Ids as _, RandomIds};
use testkit::eventually;

use crate::bench::{Bench, Doer, Fate, table};

#[tokio::test(flavor = "multi_thread")]
async fn much_work_of_one_tenant_keeps_no_others_waiting() {
    let mut bench = Bench::new().await;
    for (tenant, names) in [("acme", "abcde"), ("beta", "fg"), ("gamma", "h")] {
        for (place, name) in (0..).zip(names.chars()) {
            bench.add(tenant, &name.to_string(), 100 - place).await;
        }
    }
    let doer = Doer::new(&bench, false, Fate::Done);
    let runner = bench.run(doer.clone());
    eventually(|| async { doer.taken().len() == 8 }).await;
    runner.stop().await;
    assert_eq!(doer.taken().concat(), "afhbgcde");
    bench.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_never_do_the_same_at_once_and_do_each_once() {
    let mut bench = Bench::new().await;
    for place in 0..60 {
        let tenant = ["acme", "beta", "gamma"][place % 3];
        bench.add(tenant, &format!("{place:02}"), 1).await;
    }
    let doers = [Doer::new(&bench, true, Fate::Done), Doer::new(&bench, true, Fate::Done)];
    let runners = doers.each_ref().map(|doer| bench.run(doer.clone()));
    let taken = || doers.each_ref().map(|doer| doer.taken()).concat();
    eventually(|| async { taken().len() >= 60 }).await;
    for runner in runners {
        runner.stop().await;
    }
    let mut each = taken();
    each.sort();
    assert_eq!(each, (0..60).map(|place| format!("{place:02}")).collect::<Vec<_>>());
    bench.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_longest_of_a_tenant_goes_first_and_what_is_not_due_waits() {
    let mut bench = Bench::new().await;
    for (name, ago) in [("late", -1), ("new", 1), ("old", 9)] {
        bench.add("acme", name, ago).await;
    }
    let now = bench.db.clock().now();
    let mut claimed = 0;
    loop {
        let table = table(false);
        let claim = bench.db.transact_as_worker("test.claim", async move |mut tx| {
            let until = now + std::time::Duration::from_mins(1);
            let claimed = table.claim(&mut tx, "acme", RandomIds.token(), (now, until)).await?;
            Ok((tx, claimed))
        });
        let Some(one) = claim.await.unwrap() else { break };
        assert_eq!(one.tenant.as_str(), "acme", "its turn comes again where no other has work");
        claimed += 1;
        let first = bench.row(["old", "new"][claimed - 1]).await;
        assert!((first.1 - 60.0).abs() < 0.001, "{first:?}");
    }
    assert_eq!(claimed, 2);
    bench.done().await;
}
