//! By which means notices go: what is asked, and how it is shown.

use std::collections::BTreeSet;

use fault::{Check, Fault};
use proto::redress::feedback::v1 as wire;
use proto::redress::intake::v1::Channel;
use proto::timestamp;

use super::surveys::within;
use crate::notice::routing::{
    CLOSING_SOON_DAYS, MAX_CLOSING_SOON_DAYS, MAX_PROGRESS_DAYS, MAX_RULES, MEANS, PROGRESS_DAYS, Routing,
    Rule,
};
use crate::notice::{Kind, Means};
use crate::revision::{MAX_NOTE, Revision};

/// A routing somebody wants, and why.
pub(crate) fn made_routing(request: wire::CreateNoticeRoutingRequest) -> Result<(Routing, String), Fault> {
    let wire::CreateNoticeRoutingRequest { request_id, notice_routing } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let is_given = notice_routing.is_some();
    check.ensure(is_given, "notice_routing", "is required");
    let wire::NoticeRouting {
        version: _,
        rules,
        note,
        create_time: _,
        creator: _,
        activate_time: _,
        activator: _,
        closing_soon_days,
        progress_days,
    } = notice_routing.unwrap_or_default();
    let rules = if is_given { check.some("notice_routing.rules", rules, MAX_RULES) } else { rules };
    let rules: Vec<Rule> =
        rules.into_iter().enumerate().map(|(place, rule)| read_rule(&mut check, place, rule)).collect();
    let days = closing_soon_days.unwrap_or_else(|| CLOSING_SOON_DAYS.into());
    let days = within(&mut check, "notice_routing.closing_soon_days", days, 0..=MAX_CLOSING_SOON_DAYS.into());
    let progress = progress_days.unwrap_or_else(|| PROGRESS_DAYS.into());
    let progress = within(&mut check, "notice_routing.progress_days", progress, 0..=MAX_PROGRESS_DAYS.into());
    let narrow = |days| i16::try_from(days).unwrap_or(0);
    let routing = Routing { rules, closing_soon_days: narrow(days), progress_days: narrow(progress) };
    for place in routing.shadowed() {
        let field = format!("notice_routing.rules[{place}]");
        check.fail(&field, "can never decide: a rule before it fits whatever it fits");
    }
    let note = check.text("notice_routing.note", note, MAX_NOTE);
    check.done("INVALID_NOTICE_ROUTING")?;
    Ok((routing, note))
}

fn read_rule(check: &mut Check, place: usize, rule: wire::NoticeRoutingRule) -> Rule {
    let wire::NoticeRoutingRule { kinds, channels, means } = rule;
    let at = |field: &str| format!("notice_routing.rules[{place}].{field}");
    let is_kind = |kind: i32| Kind::of(kind).is_some();
    let is_channel = |channel: i32| channel > 0 && Channel::try_from(channel).is_ok();
    let is_means = |means: i32| Means::of(means).is_some_and(|means| MEANS.contains(&means));
    check.ensure(!means.is_empty(), &at("means"), "is required");
    Rule {
        kinds: numbers(check, &at("kinds"), &kinds, (is_kind, "has what is no kind of notice")),
        channels: numbers(check, &at("channels"), &channels, (is_channel, "has what is no channel")),
        means: numbers(check, &at("means"), &means, (is_means, "must be EMAIL, SMS or WEBHOOK")),
    }
}

/// Numbers of known values, each once.
fn numbers(
    check: &mut Check,
    field: &str,
    listed: &[i32],
    (is_known, problem): (impl Fn(i32) -> bool, &'static str),
) -> Vec<i16> {
    let distinct: BTreeSet<i32> = listed.iter().copied().collect();
    if !distinct.iter().all(|number| is_known(*number)) {
        check.fail(field, problem);
    } else if distinct.len() < listed.len() {
        check.fail(field, "has one twice");
    }
    listed.iter().filter_map(|number| i16::try_from(*number).ok()).collect()
}

pub(crate) fn notice_routing(revision: Revision<Routing>) -> wire::NoticeRouting {
    let Revision { version, content, note, created, activated } = revision;
    let Routing { rules, closing_soon_days, progress_days } = content;
    let (create_time, creator) = created.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    let (activate_time, activator) =
        activated.map_or((None, String::new()), |(at, by)| (Some(timestamp(at)), by));
    let wide = |numbers: Vec<i16>| numbers.into_iter().map(i32::from).collect();
    let rule = |Rule { kinds, channels, means }: Rule| wire::NoticeRoutingRule {
        kinds: wide(kinds),
        channels: wide(channels),
        means: wide(means),
    };
    let rules = rules.into_iter().map(rule).collect();
    wire::NoticeRouting {
        version,
        rules,
        note,
        create_time,
        creator,
        activate_time,
        activator,
        closing_soon_days: Some(closing_soon_days.into()),
        progress_days: Some(progress_days.into()),
    }
}
