//! CPU time and memory of processes, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Linux counts CPU time in hundredths of a second for user space, whatever the
/// kernel's own tick.
const TICK: Duration = Duration::from_millis(10);

struct Stat {
    parent: u32,
    own: u64,
    children: u64,
}

fn stat(pid: u32) -> Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The command may hold spaces and brackets: fields begin after the last bracket.
    let (_, fields) = text.rsplit_once(") ").context("a process without a name")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let field =
        |number: usize| fields.get(number - 3).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Ok(Stat { parent: u32::try_from(field(4))?, own: field(14) + field(15), children: field(16) + field(17) })
}

fn ticks(count: u64) -> Duration {
    TICK.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

/// CPU time a process has used.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    Ok(ticks(stat(pid)?.own))
}

/// CPU time a process and its children have used, ended ones included: Postgres
/// has a process per connection.
pub(crate) fn cpu_of_family(pid: u32) -> Result<Duration> {
    let parent = stat(pid)?;
    let mut total = parent.own + parent.children;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(child) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may end between the listing and the reading.
        if let Ok(child) = stat(child)
            && child.parent == pid
        {
            total += child.own + child.children;
        }
    }
    Ok(ticks(total))
}

/// Resident memory of a process, in megabytes.
pub(crate) fn rss_mb(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line =
        text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a process without memory")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}
