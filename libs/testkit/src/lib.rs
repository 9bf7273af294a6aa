//! What tests stand on: a house of services over a database of its own, a clock
//! that stands still, events told by services that are not there, callers with
//! identities, a road to the database that breaks. Knows no service.
//!
//! ```text
//! let house = testkit::House::open(&[cases::SERVICE]).await;
//! house.tell("intake", case, &ComplaintRegistered { .. }).await;
//! house.settled().await;
//! let mut cases = CaseServiceClient::new(house.channel());
//! cases.get_case(..).await.unwrap();
//! house.done().await;
//! ```
//!
//! What goes wrong here fails the test: it panics, with a sentence.
#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::missing_panics_doc, reason = "everything here panics when the test has failed")]
#![warn(clippy::missing_errors_doc)]

pub mod answer;
pub mod badge;
pub mod clock;
pub mod database;
pub mod house;
pub mod letters;
pub mod numbers;
pub mod plan;
pub mod proxy;
pub mod source;

use std::process::Command;
use std::time::{Duration, Instant};

use kernel::{Ids as _, RandomIds};

pub use answer::{consistency_token, reason, violations};
pub use badge::CallerChannel;
pub use clock::MockClock;
pub use database::Database;
pub use house::{Builder, House, Parked, Published, Replica};
pub use letters::{free_address, hand_over};
pub use plan::most_rows;
pub use proxy::Proxy;
pub use source::FakeSource;

/// How long a test waits for what must come: much longer than it takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(10);

/// A `request_id` that was never used.
pub fn request_id() -> String {
    RandomIds.token().to_string()
}

/// Waits until something holds; fails the test when it does not come to hold.
pub async fn eventually<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "what the test waits for does not happen");
        tokio::time::sleep(LOOK).await;
    }
}

/// Tells a process to end (SIGTERM). Through the shell: `kill` is a program of its own
/// only where somebody installed it.
///
/// # Errors
///
/// Fails if there is no such process, or if it may not be told.
pub fn terminate(process: u32) -> std::io::Result<()> {
    let sent = Command::new("sh").args(["-c", "kill \"$1\"", "sh", &process.to_string()]).status()?;
    if sent.success() { Ok(()) } else { Err(std::io::Error::other("the process cannot be told to end")) }
}
