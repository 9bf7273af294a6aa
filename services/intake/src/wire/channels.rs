//! Proto ⇄ domain: what is settled about channels.

use fault::{Check, Fault};
use proto::redress::intake::v1::{
    Channel, ChannelSettings, GetChannelSettingsRequest, UpdateChannelSettingsRequest,
};
use proto::timestamp;

use crate::channel::Settings;

const INVALID_CHANNEL: &str = "INVALID_CHANNEL";

/// A change that is asked for.
pub(crate) struct Change {
    /// Number of the channel.
    pub(crate) channel: i16,
    /// Whether its numbers may repeat from now on.
    pub(crate) external_refs_repeat: bool,
    /// The version the caller has seen.
    pub(crate) expected_version: Option<i64>,
}

/// Reads which channel is wanted.
pub(crate) fn get(request: GetChannelSettingsRequest) -> Result<i16, Fault> {
    let mut check = Check::new();
    let channel = channel(&mut check, request.channel);
    check.done(INVALID_CHANNEL)?;
    Ok(channel)
}

/// Reads what is to be settled.
pub(crate) fn update(request: UpdateChannelSettingsRequest) -> Result<Change, Fault> {
    let UpdateChannelSettingsRequest { request_id, channel: number, external_refs_repeat, expected_version } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let channel = channel(&mut check, number);
    check.done(INVALID_CHANNEL)?;
    Ok(Change { channel, external_refs_repeat, expected_version })
}

fn channel(check: &mut Check, number: i32) -> i16 {
    let known = Channel::try_from(number).is_ok_and(|channel| channel != Channel::Unspecified);
    check.ensure(known, "channel", "must be one of the channels");
    i16::try_from(number).unwrap_or(0)
}

/// The settings of every channel there is: those settled, and the defaults of the rest.
pub(crate) fn every(settled: &[Settings]) -> Vec<Settings> {
    let channels = (1..).map_while(|number| Channel::try_from(number).ok());
    let of = |channel: Channel| {
        let number = i16::try_from(i32::from(channel)).unwrap_or(0);
        let found = settled.iter().find(|one| one.channel == number);
        found.cloned().unwrap_or_else(|| Settings::default_of(number))
    };
    channels.map(of).collect()
}

/// Settings as callers see them.
pub(crate) fn settings(settings: Settings) -> ChannelSettings {
    let Settings { channel, external_refs_repeat, version, updater, updated } = settings;
    ChannelSettings {
        channel: channel.into(),
        external_refs_repeat,
        version,
        update_time: updated.map(timestamp),
        updater,
    }
}
