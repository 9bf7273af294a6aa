//! `redress demo`: everything at work on a sample of complaints.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use clap::builder::BoolishValueParser;
use cluster::Options;
use demo::{MailSink, Server, USUAL};
use kernel::{Ids as _, RandomIds};
use server::{LogFormat, Secret, Settings};

use crate::SERVICES;
use crate::suite::Suite;

/// What is logged: the terminal belongs to the play.
const LOG: &str = "warn,sqlx=error";

#[derive(Args)]
pub(crate) struct Demo {
    /// Stays up afterwards, to be looked at
    #[arg(long, env = "KEEP", value_parser = BoolishValueParser::new())]
    keep: bool,
    /// Postgres to play in; one of its own, gone afterwards, by default
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<Secret>,
    /// Mail server notices leave through, e.g. `smtp://127.0.0.1:1025`; one in this process by
    /// default, which takes all of them over
    #[arg(long, env = "REDRESS_SMTP_URL", hide_env_values = true)]
    smtp_url: Option<Secret>,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = Settings {
            database_url: self.database_url,
            smtp_url: self.smtp_url,
            log: LOG.to_owned(),
            log_format: Some(LogFormat::Pretty),
            ..Settings::default()
        };
        server::work(&settings.clone(), "redress", play(settings, self.keep))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Starts the five services, plays, and stays up or stops.
async fn play(mut settings: Settings, keep: bool) -> anyhow::Result<()> {
    let mail = match settings.smtp_url {
        None => Some(MailSink::open().await.context("no loopback port is free for mail")?),
        Some(_) => None,
    };
    if let Some(mail) = &mail {
        settings.smtp_url = Some(mail.url().into());
    }
    let complaints = demo::complaints(settings.database_url.is_some())?;
    let channels: BTreeSet<i32> = complaints.iter().map(|complaint| complaint.channel).collect();
    let begun = Instant::now();
    let mut suite =
        Suite::start(settings.clone(), &data_folder(), &Options::disposable(), listener(keep)?).await?;
    let address = suite.address();
    show::say(&format!(
        "\n  Five services over Postgres, at {address}, {:.1} s after the start.\n\
         \x20 {} complaints are waiting, in Chinese and English, on {} channels.\n",
        begun.elapsed().as_secs_f64(),
        complaints.len(),
        channels.len()
    ))?;
    let sources = SERVICES.map(|service| service.name).into();
    let played = demo::run(Server { address, sources, stays: keep, mail }, complaints).await;
    if keep && played.is_ok() {
        let console = suite.open_console(&settings).await?;
        let console =
            console.map(|address| format!(" The console is at http://{address}.")).unwrap_or_default();
        show::say(&format!("\n  Still up.{console} Ctrl-C stops it."))?;
        return suite.until_signal().await;
    }
    let stopped = suite.stop().await;
    played.and(stopped)
}

/// The usual address where it stays and is free; else any.
fn listener(keep: bool) -> anyhow::Result<Option<TcpListener>> {
    let usual = if keep { TcpListener::bind(USUAL).ok() } else { None };
    let listener = usual.map_or_else(|| TcpListener::bind("127.0.0.1:0"), Ok);
    Ok(Some(listener.context("no loopback port is free")?))
}

/// A folder that nobody else has; Postgres' own user must be able to walk to it.
fn data_folder() -> PathBuf {
    std::env::temp_dir().join(format!("redress-demo-{}", RandomIds.token().simple()))
}
