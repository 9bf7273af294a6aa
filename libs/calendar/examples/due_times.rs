//! How many due times one core works out in a second:
//! `cargo run --release -p calendar --example due_times`.

use std::hint::black_box;
use std::time::Instant;

use calendar::{Budget, Clock, Kind, Pausing, Reason, Terms, builtin};
use jiff::{SignedDuration, Timestamp};

const ROUNDS: u32 = 200_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let calendar = builtin::get("cn").ok_or("no calendar")?;
    let first: Timestamp = "2026-01-05T02:00:00Z".parse()?;
    for budget in ["2 hours", "16 working hours", "15 days", "15 working days"] {
        let budget: Budget = budget.parse()?;
        let pausing = Pausing { reasons: vec![Reason::Appraisal], cap: None };
        let mut clock =
            Clock::start(Kind::Decide, Terms { pause: Some(pausing), ..Terms::of(budget) }, "x@1", first);
        let begin = Instant::now();
        for minute in 0..ROUNDS {
            clock.start = first + SignedDuration::from_mins(i64::from(minute));
            clock.state = calendar::State::Running { since: clock.start };
            black_box(clock.due(calendar));
        }
        println!("{budget}: {:.0} due times a second", f64::from(ROUNDS) / begin.elapsed().as_secs_f64());
    }
    Ok(())
}
