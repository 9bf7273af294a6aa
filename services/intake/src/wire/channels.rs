//! Proto ⇄ domain: what is settled about channels, and how they are.

use std::collections::HashMap;
use std::time::Duration;

use fault::{Check, Fault};
use jiff::Timestamp;
use proto::redress::intake::v1::{
    self as contract, Channel, ChannelHealth, ChannelSettings, ChannelState, GetChannelSettingsRequest,
    UpdateChannelSettingsRequest,
};
use proto::timestamp;

use crate::channel::{Change, FailingSource, MAX_SILENT, Observed, Settings, State};

const INVALID_CHANNEL: &str = "INVALID_CHANNEL";
/// Longest name of an owner, in characters.
const MAX_OWNER: usize = 200;

/// Reads which channel is wanted.
pub(crate) fn get(request: GetChannelSettingsRequest) -> Result<i16, Fault> {
    let mut check = Check::new();
    let channel = channel(&mut check, request.channel);
    check.done(INVALID_CHANNEL)?;
    Ok(channel)
}

/// Reads what is to be settled, and the version the caller has seen.
pub(crate) fn update(request: UpdateChannelSettingsRequest) -> Result<(Change, Option<i64>), Fault> {
    let UpdateChannelSettingsRequest {
        request_id,
        channel: number,
        external_refs_repeat,
        expected_version,
        owner,
        silent_after,
    } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let channel = channel(&mut check, number);
    let owner = owner.map(|owner| check.text("owner", owner, MAX_OWNER));
    let silent_after =
        check.duration("silent_after", silent_after, Duration::ZERO..=MAX_SILENT, "0 s to 90 d");
    check.done(INVALID_CHANNEL)?;
    Ok((Change { channel, external_refs_repeat, owner, silent_after }, expected_version))
}

fn channel(check: &mut Check, number: i32) -> i16 {
    let known = Channel::try_from(number).is_ok_and(|channel| channel != Channel::Unspecified);
    check.ensure(known, "channel", "must be one of the channels");
    i16::try_from(number).unwrap_or(0)
}

/// The numbers of the channels there are.
pub(crate) fn numbers() -> Vec<i16> {
    (1..).map_while(|number| Channel::try_from(i32::from(number)).ok().map(|_| number)).collect()
}

/// The number of the channel that mails come by.
pub(crate) fn email() -> i16 {
    i16::try_from(i32::from(Channel::Email)).unwrap_or(0)
}

/// The settings of every channel there is: those settled, and the defaults of the rest.
pub(crate) fn every(settled: &[Settings]) -> Vec<Settings> {
    let of = |number: i16| {
        let found = settled.iter().find(|one| one.channel == number);
        found.cloned().unwrap_or_else(|| Settings::default_of(number))
    };
    numbers().into_iter().map(of).collect()
}

/// What is known of channels, by their numbers.
pub(crate) type ByChannel = HashMap<i16, Observed>;

/// Settings as callers see them, with how the channel is at a moment.
pub(crate) fn settings(settings: Settings, observed: &ByChannel, now: Timestamp) -> ChannelSettings {
    let health = observed.get(&settings.channel).cloned().unwrap_or_default();
    let health = health_of(&settings, health, now);
    let Settings { channel, external_refs_repeat, owner, silent_after, version, updater, updated } = settings;
    ChannelSettings {
        channel: channel.into(),
        external_refs_repeat,
        version,
        update_time: updated.map(timestamp),
        updater,
        owner,
        silent_after: silent_after.and_then(|after| after.try_into().ok()),
        health: Some(health),
    }
}

fn health_of(settings: &Settings, observed: Observed, now: Timestamp) -> ChannelHealth {
    let state = match observed.state(settings, now) {
        State::Unwatched => ChannelState::Unwatched,
        State::Working => ChannelState::Working,
        State::Silent => ChannelState::Silent,
        State::Failing => ChannelState::Failing,
    };
    ChannelHealth {
        state: state.into(),
        last_register_time: observed.last_registered.map(timestamp),
        failing: observed.failing.into_iter().map(failing).collect(),
    }
}

fn failing(source: FailingSource) -> contract::FailingSource {
    let FailingSource { channel: _, name, owner, reason, since } = source;
    contract::FailingSource { name, owner, reason, since: Some(timestamp(since)) }
}
