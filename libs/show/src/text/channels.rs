//! What is settled about channels, and how they are.

use proto::redress::intake::v1::{
    Channel, ChannelHealth, ChannelSettings, ChannelState, FailingSource, ListChannelSettingsResponse,
};

use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// One channel.
pub fn channel(one: &ChannelSettings) -> String {
    let health = one.health.clone().unwrap_or_default();
    let mut rows = vec![
        ("channel", word::<Channel>(one.channel)),
        ("owner", one.owner.clone()),
        ("state", word::<ChannelState>(health.state)),
        ("latest complaint", time(health.last_register_time.as_ref())),
        ("may be silent for", one.silent_after.map(|after| hours(after.seconds)).unwrap_or_default()),
        ("numbers repeat", yes(one.external_refs_repeat)),
        ("version", one.version.to_string()),
        ("changed", time(one.update_time.as_ref())),
        ("by", one.updater.clone()),
    ];
    rows.extend(health.failing.iter().map(|source| ("cannot be read", failing(source))));
    facts(&rows)
}

/// All channels.
pub fn channels(list: &ListChannelSettingsResponse) -> String {
    let mut table = Table::new(["channel", "state", "latest complaint", "owner", "numbers repeat", "why"]);
    for one in &list.settings {
        let ChannelHealth { state, last_register_time, failing } = one.health.clone().unwrap_or_default();
        let names: Vec<String> =
            failing.iter().map(|source| format!("{} {}", source.name, source.reason)).collect();
        table.row([
            word::<Channel>(one.channel),
            word::<ChannelState>(state),
            time(last_register_time.as_ref()),
            one.owner.clone(),
            yes(one.external_refs_repeat),
            names.join(", "),
        ]);
    }
    table.render()
}

fn failing(source: &FailingSource) -> String {
    let FailingSource { name, owner, reason, since } = source;
    format!("{name}: {reason} since {}, owned by {owner}", time(since.as_ref()))
}

fn hours(seconds: i64) -> String {
    format!("{} h", seconds / 3_600)
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}
