//! `redress demo`: everything at work on a sample of complaints.

use std::process::ExitCode;

use clap::Args;
use clap::builder::BoolishValueParser;
use server::Secret;

use crate::demo::Play;

#[derive(Args)]
pub(crate) struct Demo {
    /// Stays up afterwards, to be looked at
    #[arg(long, env = "KEEP", value_parser = BoolishValueParser::new())]
    keep: bool,
    /// Postgres to play in; one of its own, gone afterwards, by default
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<Secret>,
    /// Mail server notices leave through, e.g. `smtp://127.0.0.1:1025`
    #[arg(long, env = "REDRESS_SMTP_URL", hide_env_values = true)]
    smtp_url: Option<Secret>,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { keep, database_url, smtp_url } = self;
        Play { database_url, smtp_url, keep }.run()?;
        Ok(ExitCode::SUCCESS)
    }
}
