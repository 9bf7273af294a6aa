//! `redress signal …`: more complaints than usual.

mod hint;

use clap::{Args, Subcommand};
use proto::redress::feedback::v1::signal_service_client::SignalServiceClient;
use proto::redress::feedback::v1::{
    DismissSignalRequest, GetSignalRequest, GetSignalSettingsRequest, ListSignalsRequest, SignalHint,
    SignalState, UpdateSignalSettingsRequest,
};

use super::connection::{Caller, Connection, Page};
use show::{self, text, words};

#[derive(Args)]
pub(crate) struct Signals {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists signals, newest first
    List {
        /// Only those in this state: active, ended, dismissed
        #[arg(long, value_parser = words::read::<SignalState>)]
        state: Option<SignalState>,
        #[command(flatten)]
        page: Page,
    },
    /// Shows a signal: its days, what was expected of each, and what chance explains
    Show {
        /// Id of the signal
        signal: String,
    },
    /// Says that a signal means nothing; nothing else is raised of its surge
    Dismiss {
        /// Id of the signal
        signal: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Shows how readily signals are raised, and what departments are asked then
    Settings,
    /// Changes how readily signals are raised, and what departments are asked then
    Set(Set),
}

#[derive(Args)]
struct Set {
    /// How many days a year of each series may be above by chance, 0.01–2
    #[arg(long)]
    false_alarms: Option<f64>,
    /// A day with fewer complaints raises nothing
    #[arg(long)]
    min_count: Option<i32>,
    /// A surge is over after so many days in a row that are not above
    #[arg(long)]
    quiet_days: Option<i32>,
    /// Asks a department by itself about what signals are raised of, as
    /// `stock@warehouse,category=goods,product=kettle,text=Count it`; repeat for several: they
    /// replace those there are
    #[arg(long, value_name = "KIND@DEPARTMENT[,…]", value_parser = hint::read)]
    hint: Vec<SignalHint>,
    /// Asks nobody by itself any more
    #[arg(long, conflicts_with = "hint")]
    no_hints: bool,
    /// Why it is so
    #[arg(long, default_value = "")]
    note: String,
}

impl Set {
    /// Changes the settings there are; whoever changes them meanwhile is noticed.
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let mut signals = SignalServiceClient::new(caller.client.calls());
        let read = signals.get_signal_settings(GetSignalSettingsRequest {}).await?.into_inner();
        let mut settings = read.settings.unwrap_or_default();
        let expected_version = settings.version;
        settings.false_alarms_per_year = self.false_alarms.unwrap_or(settings.false_alarms_per_year);
        settings.min_count = self.min_count.unwrap_or(settings.min_count);
        settings.quiet_days = self.quiet_days.unwrap_or(settings.quiet_days);
        settings.note = self.note;
        if self.no_hints || !self.hint.is_empty() {
            settings.hints = self.hint;
        }
        let request = UpdateSignalSettingsRequest {
            request_id: caller.request_id(),
            expected_version,
            settings: Some(settings),
        };
        let answer = signals.update_signal_settings(request).await?.into_inner();
        show::answer(caller.json, &answer.settings.unwrap_or_default(), text::signal_settings)
    }
}

impl Signals {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut signals = SignalServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::List { state, page } => {
                let state = state.unwrap_or_default().into();
                let request = ListSignalsRequest { page_size: page.limit, page_token: page.page, state };
                let answer = signals.list_signals(request).await?.into_inner();
                show::answer(caller.json, &answer, text::signals)
            }
            Verb::Show { signal: signal_id } => {
                let answer = signals.get_signal(GetSignalRequest { signal_id }).await?.into_inner();
                show::answer(caller.json, &answer.signal.unwrap_or_default(), text::signal)
            }
            Verb::Dismiss { signal: signal_id, reason } => {
                let known = signals.get_signal(GetSignalRequest { signal_id: signal_id.clone() }).await?;
                let expected_version = known.into_inner().signal.unwrap_or_default().version;
                let request_id = caller.request_id();
                let request = DismissSignalRequest { request_id, signal_id, expected_version, reason };
                let answer = signals.dismiss_signal(request).await?.into_inner();
                show::answer(caller.json, &answer.signal.unwrap_or_default(), text::signal)
            }
            Verb::Settings => {
                let answer = signals.get_signal_settings(GetSignalSettingsRequest {}).await?.into_inner();
                show::answer(caller.json, &answer.settings.unwrap_or_default(), text::signal_settings)
            }
            Verb::Set(set) => set.run(&caller).await,
        }
    }
}
