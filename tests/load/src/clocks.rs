//! A million armed clocks: how late those fire that are due meanwhile, while
//! submissions go on, and whether a start is the slower for them.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::report::Report;
use crate::submit;
use crate::suite::{Base, Suite, assigned};

const DATABASE: &str = "load_clocks";
/// Timers that are armed and not due.
const ARMED: u32 = 1_000_000;
/// Timers that become due each second, beside those of real cases.
const DUE_PER_SECOND: u64 = 100;
/// How long the last may take to fire.
const GRACE: Duration = Duration::from_secs(2);

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
pub(crate) async fn measure(base: &Base, rate: u64, length: Duration, report: &mut Report) -> Result<()> {
    // Cases whose own clocks will be due.
    let suite = Suite::one_process(base, DATABASE).await?;
    let opened = submit::open(&suite, rate, crate::WARM).await?.done;
    assigned(&suite, opened).await?;
    suite.stop().await?;
    let url = base.create_database(DATABASE).await?;
    let armed = format!(
        "INSERT INTO cases.timer (tenant_id, kind, key, fire_at, try_at, traceparent)
         SELECT 'development', 'clock', gen_random_uuid(), at, at, ''
         FROM (SELECT now() + interval '1 day' + n * interval '1 second' AS at
               FROM generate_series(1, {ARMED}) AS n) AS armed"
    );
    for sql in [armed.as_str(), "VACUUM ANALYZE cases.timer", WATCH] {
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
    sleep(GRACE).await;
    report.submit("submit, a million clocks armed", &run);
    let late = "COPY (SELECT extract(epoch FROM percentile_disc(0.99) WITHIN GROUP (ORDER BY late)) * 1e3
                      FROM fired) TO STDOUT";
    report.clock_fire_lag_p99_ms = Some(base.execute(&url, late).await?.trim().parse()?);
    let left =
        "COPY (SELECT count(*) FROM cases.timer WHERE fire_at < now() - interval '1 second') TO STDOUT";
    let left: u64 = base.execute(&url, left).await?.trim().parse()?;
    anyhow::ensure!(left == 0, "{left} timers were due and did not fire");
    suite.stop().await
}
