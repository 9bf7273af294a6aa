//! `redress channel …`: what is settled about the channels complaints come by.

use clap::{Args, Subcommand};
use proto::redress::intake::v1::channel_service_client::ChannelServiceClient;
use proto::redress::intake::v1::{
    Channel, ChannelSettings, GetChannelSettingsRequest, ListChannelSettingsRequest,
    ListChannelSettingsResponse, UpdateChannelSettingsRequest,
};
use show::table::{Table, facts};
use show::{lines, words};

use super::connection::{Connection, Expect};

#[derive(Args)]
pub(crate) struct Channels {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists the settings of every channel
    List,
    /// Shows the settings of a channel
    Get {
        #[arg(value_parser = words::read::<Channel>, help = words::choices::<Channel>())]
        channel: Channel,
    },
    /// Changes the settings of a channel
    Set {
        #[arg(value_parser = words::read::<Channel>, help = words::choices::<Channel>())]
        channel: Channel,
        /// Whether the channel may give one number to several complaints: `false`
        /// refuses a second one under a number, `true` keeps it
        #[arg(long, action = clap::ArgAction::Set)]
        numbers_repeat: bool,
        #[command(flatten)]
        expect: Expect,
    },
}

impl Channels {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut channels = ChannelServiceClient::new(caller.client.calls());
        let settings = match self.verb {
            Verb::List => {
                let answer =
                    channels.list_channel_settings(ListChannelSettingsRequest {}).await?.into_inner();
                return show::answer(caller.json, &answer, table);
            }
            Verb::Get { channel } => {
                let request = GetChannelSettingsRequest { channel: channel.into() };
                channels.get_channel_settings(request).await?.into_inner().settings
            }
            Verb::Set { channel, numbers_repeat, expect } => {
                let request = UpdateChannelSettingsRequest {
                    request_id: caller.request_id(),
                    channel: channel.into(),
                    external_refs_repeat: numbers_repeat,
                    expected_version: expect.version,
                };
                channels.update_channel_settings(request).await?.into_inner().settings
            }
        };
        show::answer(caller.json, &settings.unwrap_or_default(), one)
    }
}

fn one(settings: &ChannelSettings) -> String {
    facts(&[
        ("channel", words::word::<Channel>(settings.channel)),
        ("numbers repeat", yes(settings.external_refs_repeat)),
        ("version", settings.version.to_string()),
        ("changed", lines::time(settings.update_time.as_ref())),
        ("by", settings.updater.clone()),
    ])
}

fn table(answer: &ListChannelSettingsResponse) -> String {
    let mut table = Table::new(["CHANNEL", "NUMBERS REPEAT", "VERSION", "CHANGED", "BY"]);
    for settings in &answer.settings {
        table.row([
            words::word::<Channel>(settings.channel),
            yes(settings.external_refs_repeat),
            settings.version.to_string(),
            lines::time(settings.update_time.as_ref()),
            settings.updater.clone(),
        ]);
    }
    table.render()
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}
