//! `redress channel …`: what is settled about the channels complaints come by, and how they are.

use std::time::Duration;

use clap::{Args, Subcommand};
use proto::redress::intake::v1::channel_service_client::ChannelServiceClient;
use proto::redress::intake::v1::{
    Channel, GetChannelSettingsRequest, ListChannelSettingsRequest, UpdateChannelSettingsRequest,
};
use show::{text, words};

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
    /// Lists every channel and how it is
    List,
    /// Shows the settings of a channel, and how it is
    Get {
        #[arg(value_parser = words::read::<Channel>, help = words::choices::<Channel>())]
        channel: Channel,
    },
    /// Changes the settings of a channel; what is not named stays
    Set {
        #[arg(value_parser = words::read::<Channel>, help = words::choices::<Channel>())]
        channel: Channel,
        /// Whether the channel may give one number to several complaints: `false`
        /// refuses a second one under a number, `true` keeps it
        #[arg(long, action = clap::ArgAction::Set)]
        numbers_repeat: Option<bool>,
        /// Who answers for the channel
        #[arg(long)]
        owner: Option<String>,
        /// Hours it may be silent before that is told; 0 for ever
        #[arg(long, value_name = "HOURS")]
        silent_after: Option<u32>,
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
                return show::answer(caller.json, &answer, text::channels);
            }
            Verb::Get { channel } => {
                let request = GetChannelSettingsRequest { channel: channel.into() };
                channels.get_channel_settings(request).await?.into_inner().settings
            }
            Verb::Set { channel, numbers_repeat, owner, silent_after, expect } => {
                let get = GetChannelSettingsRequest { channel: channel.into() };
                let now = channels.get_channel_settings(get).await?.into_inner().settings.unwrap_or_default();
                let hours = |hours: u32| Duration::from_secs(u64::from(hours) * 3_600).try_into().ok();
                let request = UpdateChannelSettingsRequest {
                    request_id: caller.request_id(),
                    channel: channel.into(),
                    external_refs_repeat: numbers_repeat.unwrap_or(now.external_refs_repeat),
                    owner,
                    silent_after: silent_after.and_then(hours),
                    // What is not named was read a moment ago.
                    expected_version: expect.version.or(Some(now.version)),
                };
                channels.update_channel_settings(request).await?.into_inner().settings
            }
        };
        show::answer(caller.json, &settings.unwrap_or_default(), text::channel)
    }
}
