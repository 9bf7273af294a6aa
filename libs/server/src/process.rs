//! A process from its first line to its exit code.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use kernel::{RandomIds, SystemClock};

use crate::assembly::{Assembly, start};
use crate::service::Service;
use crate::settings::Settings;
use crate::site::RunningSite;
use crate::telemetry::{EXIT, Telemetry};

/// Serves what Redress consists of.
#[derive(Parser)]
#[command(version, about = "Serves one part of Redress, complaint handling over gRPC.", after_help = TELEMETRY_HELP)]
struct CommandLine {
    #[command(flatten)]
    settings: Settings,
}

const TELEMETRY_HELP: &str = "Traces, metrics and logs go to an OTLP collector when \
     OTEL_EXPORTER_OTLP_ENDPOINT names one; the standard OTEL_* variables hold.";

/// Runs services until the process is told to stop.
pub fn main(services: &[Service]) -> ExitCode {
    let name = process_name(services);
    let command = CommandLine::command().bin_name(&name).display_name(&name);
    match CommandLine::from_arg_matches(&command.get_matches()) {
        Ok(CommandLine { settings }) => run(settings, services),
        Err(error) => error.exit(),
    }
}

/// Runs a site until the process is told to stop.
pub fn main_of_site<F>(name: &str, open: impl FnOnce(Settings) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<RunningSite>>,
{
    let command = CommandLine::command().bin_name(name).display_name(name);
    let settings = match CommandLine::from_arg_matches(&command.get_matches()) {
        Ok(CommandLine { settings }) => settings,
        Err(error) => error.exit(),
    };
    match work(&settings.clone(), name, async { open(settings).await?.until_signal().await }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs services with these settings until the process is told to stop.
pub fn run(settings: Settings, services: &[Service]) -> ExitCode {
    let name = process_name(services);
    match serve(settings, services, &name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn process_name(services: &[Service]) -> String {
    match services {
        [only] => format!("redress-{}", only.name),
        _ => "redress".to_owned(),
    }
}

fn serve(settings: Settings, services: &[Service], name: &str) -> anyhow::Result<()> {
    work(&settings.clone(), name, async {
        let assembly = Assembly {
            settings,
            services: services.to_vec(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            listener: None,
            sources: std::collections::HashMap::new(),
        };
        start(assembly).await?.until_signal().await
    })
}

/// Does the work of a process called `name`: on its threads, with its telemetry.
///
/// # Errors
///
/// Fails if the runtime or telemetry cannot start, else with the failure of the work.
pub fn work<T>(
    settings: &Settings,
    name: &str,
    job: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.threads())
        .enable_all()
        .build()
        .context("the runtime cannot start")?;
    let telemetry = {
        let _inside = runtime.enter();
        Telemetry::start(settings, name)?
    };
    let outcome = runtime.block_on(job);
    match &outcome {
        Ok(_) => tracing::info!("stopped"),
        // For the collector; whoever started the process reads it as a plain sentence.
        Err(error) => tracing::error!(target: EXIT, error = format!("{error:#}"), "stopped by a failure"),
    }
    // Also when the start failed: why it failed is what one wants to know.
    telemetry.flush();
    // What is cut off is cut off: it must not keep the process.
    runtime.shutdown_background();
    outcome
}
