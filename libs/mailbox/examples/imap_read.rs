//! Reads a mailbox: prints the uid and the size of each message, then waits for more.
//!
//! ```text
//! imap_read HOST PORT USER PASSWORD FOLDER [tls|starttls|none] [AUTHORITY.pem] [LAST_UID]
//! ```
//!
//! Ends with the first error, and with `EXIT_WHEN_CAUGHT_UP` set once all was read.

use std::process::ExitCode;

use mailbox::imap::{Login, Observer, Options, Position, Security, read};
use mailbox::{Arrived, Keep, Kept, Origin};
use tokio_util::sync::CancellationToken;

struct Print;

impl Keep for Print {
    async fn keep(&self, message: Arrived) -> Kept {
        if let Origin::Imap { uid, internal_date, .. } = message.origin {
            let date = internal_date.map(|date| date.to_string()).unwrap_or_default();
            println!("message {uid} {} {date}", message.raw.len());
        }
        Kept::Kept
    }
}

struct Progress {
    stop: CancellationToken,
    ends: bool,
}

impl Observer for Progress {
    async fn connected(&self, position: Position) {
        println!("connected {} {}", position.uid_validity, position.last_uid);
    }

    async fn too_large(&self, position: Position, size: u64) {
        println!("too large {} {size}", position.last_uid);
    }

    async fn gone(&self, position: Position) {
        println!("gone {}", position.last_uid);
    }

    async fn caught_up(&self, position: Position) {
        println!("caught up {}", position.last_uid);
        if self.ends {
            self.stop.cancel();
        }
    }

    async fn quiet(&self) {
        println!("quiet");
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, user, password, folder, rest @ ..] = arguments.as_slice() else {
        eprintln!("imap_read HOST PORT USER PASSWORD FOLDER [tls|starttls|none] [AUTHORITY.pem] [LAST_UID]");
        return ExitCode::FAILURE;
    };
    let login = Login::Password { user: user.clone(), password: password.clone() };
    let mut options = Options::new(host, login);
    options.port = port.parse().unwrap_or(options.port);
    options.folder.clone_from(folder);
    options.security = match rest.first().map(String::as_str) {
        Some("none") => Security::None,
        Some("starttls") => Security::StartTls,
        _ => Security::Tls,
    };
    options.trusted = rest.get(1).and_then(|path| std::fs::read(path).ok());
    let last_uid = rest.get(2).and_then(|uid| uid.parse().ok());
    let uid_validity = rest.get(3).and_then(|life| life.parse().ok()).unwrap_or_default();
    let position = last_uid.map(|last_uid| Position { uid_validity, last_uid });
    if let Some(seconds) = std::env::var("IDLE_SECONDS").ok().and_then(|text| text.parse().ok()) {
        options.timeouts.idle = std::time::Duration::from_secs(seconds);
    }
    let stop = CancellationToken::new();
    let progress = Progress { stop: stop.clone(), ends: std::env::var_os("EXIT_WHEN_CAUGHT_UP").is_some() };
    match read(&options, position, &Print, &progress, &stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", error.reason());
            ExitCode::FAILURE
        }
    }
}
