//! A million armed clocks (in a short run, fewer): how late those fire that are due meanwhile, while
//! submissions go on, and whether a start is the slower for them.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::report::Report;
use crate::submit;
use crate::suite::{Base, Suite, assigned};

const DATABASE: &str = "load_clocks";
/// Timers that become due each second, beside those of real cases.
const DUE_PER_SECOND: u64 = 100;
/// How long the last may take to fire: whether they are late, the lag tells.
const GRACE: Duration = Duration::from_mins(1);
/// How often it is asked whether some are left.
const LOOK: Duration = Duration::from_millis(200);

/// How much of it.
pub(crate) struct Load {
    /// Submissions a second.
    pub(crate) rate: u64,
    /// How long cases are opened first.
    pub(crate) warm: Duration,
    /// How long it lasts.
    pub(crate) length: Duration,
    /// Timers that are armed and not due.
    pub(crate) armed: u32,
}

/// Notes of every timer that is taken how late it is.
const WATCH: &str = "
    CREATE TABLE fired (late interval);
    CREATE FUNCTION note_fired() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO public.fired VALUES (clock_timestamp() - OLD.fire_at);
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_fired AFTER DELETE ON cases.timer FOR EACH ROW EXECUTE FUNCTION note_fired()";

/// Measures it on a database of its own.
pub(crate) async fn measure(base: &Base, load: &Load, report: &mut Report) -> Result<()> {
    let &Load { rate, warm, length, armed } = load;
    // Cases whose own clocks will be due.
    let suite = Suite::one_process(base, DATABASE).await?;
    let opened = submit::open(&suite, rate, warm).await?.done;
    assigned(&suite, opened).await?;
    suite.stop().await?;
    let url = base.create_database(DATABASE).await?;
    let arm = format!(
        "INSERT INTO cases.timer (tenant_id, kind, key, fire_at, try_at, traceparent)
         SELECT 'development', 'clock', gen_random_uuid(), at, at, ''
         FROM (SELECT now() + interval '1 day' + n * interval '1 second' AS at
               FROM generate_series(1, {armed}) AS n) AS armed"
    );
    for sql in [arm.as_str(), "VACUUM ANALYZE cases.timer", WATCH] {
        base.execute(&url, sql).await?;
    }
    let suite = Suite::one_process(base, DATABASE).await?;
    report.million_clocks_start_ms = Some(suite.started_in.as_secs_f64() * 1e3);
    let seconds = length.as_secs();
    // Of no case, which costs the alarm a look; and of real ones, which it arms anew.
    let due = format!(
        "INSERT INTO cases.timer (tenant_id, kind, key, fire_at, try_at, traceparent)
         SELECT 'development', 'clock', gen_random_uuid(), at, at, ''
         FROM (SELECT now() + interval '1 second' + n * interval '1 second' / {DUE_PER_SECOND} AS at
               FROM generate_series(1, {seconds} * {DUE_PER_SECOND}) AS n) AS due;
         UPDATE cases.timer t SET fire_at = d.at, try_at = d.at
         FROM (SELECT case_id, now() + interval '1 second' + random() * interval '{seconds} s' AS at
               FROM cases.cases) AS d
         WHERE t.kind = 'clock' AND t.key = d.case_id"
    );
    base.execute(&url, &due).await?;
    let run = submit::open(&suite, rate, length).await?;
    all_fired(base, &url).await?;
    report.submit("submit, a million clocks armed", &run);
    let late = "COPY (SELECT extract(epoch FROM percentile_disc(0.99) WITHIN GROUP (ORDER BY late)) * 1e3
                      FROM fired) TO STDOUT";
    report.clock_fire_lag_p99_ms = Some(base.execute(&url, late).await?.trim().parse()?);
    suite.stop().await
}

/// Waits until no timer is left that is due.
async fn all_fired(base: &Base, url: &str) -> Result<()> {
    let left =
        "COPY (SELECT count(*) FROM cases.timer WHERE fire_at < now() - interval '1 second') TO STDOUT";
    // The last of them is due a moment after the last submission was.
    sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    loop {
        sleep(LOOK).await;
        let left: u64 = base.execute(url, left).await?.trim().parse()?;
        if left == 0 {
            return Ok(());
        }
        anyhow::ensure!(begun.elapsed() < GRACE, "{left} timers were due and did not fire");
    }
}
