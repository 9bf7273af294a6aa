//! CPU time and memory of processes, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

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

/// How often a family is read anew because a child ended meanwhile.
const READINGS: usize = 1_000;

/// CPU time a process and its children have used, ended ones included: Postgres
/// has a process per connection.
///
/// A child that ends is counted with its parent from the moment the parent has waited for
/// it. Read before that of the one and after it of the other, it would be counted nowhere,
/// the other way round twice: so the parent must not have waited for any between the two.
pub(crate) fn cpu_of_family(pid: u32) -> Result<Duration> {
    let mut parent = stat(pid)?;
    for _ in 0..READINGS {
        let living = living_children(pid)?;
        let after = stat(pid)?;
        if after.children == parent.children {
            return Ok(ticks(after.own + after.children + living));
        }
        parent = after;
    }
    bail!("the children of {pid} end faster than they can be counted")
}

/// CPU time of the children nobody has waited for yet, ended or not.
fn living_children(pid: u32) -> Result<u64> {
    let mut total = 0;
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
    Ok(total)
}

/// Resident memory of a process, in megabytes.
pub(crate) fn rss_mb(pid: u32) -> Result<f64> {
    memory_mb(pid, "VmRSS:")
}

/// The most resident memory a process has had, in megabytes.
pub(crate) fn peak_rss_mb(pid: u32) -> Result<f64> {
    memory_mb(pid, "VmHWM:")
}

fn memory_mb(pid: u32, name: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("a process without memory")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::thread;

    use super::*;

    /// Burns CPU in children of a shell that end at their own time, read all the while:
    /// what they have used never becomes less.
    #[test]
    fn what_children_have_used_is_never_lost_while_they_end() {
        let burn = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
        let script = format!("for n in 1 2 3 4 5 6 7 8 9 10 11 12; do ({burn}) & done; wait; read line");
        let mut shell =
            Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().expect("there is a shell");
        let (mut last, mut same) = (Duration::ZERO, 0);
        // Until all have ended: a while without any more.
        while same < 200 {
            let used = cpu_of_family(shell.id()).expect("it runs");
            assert!(used >= last, "{last:?} became {used:?}");
            same = if used == last && used > Duration::ZERO { same + 1 } else { 0 };
            last = used;
            thread::sleep(Duration::from_millis(1));
        }
        drop(shell.stdin.take());
        shell.wait().expect("it ends");
        assert!(last >= TICK * 2, "twelve loops took {last:?}");
    }
}
