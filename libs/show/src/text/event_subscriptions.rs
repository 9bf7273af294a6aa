//! Where events are posted to, and how far that is.

use proto::redress::feedback::v1::{
    EventSubscription, EventSubscriptionProgress, EventSubscriptionState, ListEventSubscriptionsResponse,
};

use super::none_of;
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// One subscription; its secrets are never told.
pub fn event_subscription(one: &EventSubscription) -> String {
    let types = if one.types.is_empty() { "all".to_owned() } else { one.types.join("\n") };
    let timeout = one.timeout_duration.map(|length| format!("{} s", length.seconds));
    let head = facts(&[
        ("subscription", one.event_subscription_id.clone()),
        ("version", one.version.to_string()),
        ("title", one.title.clone()),
        ("url", one.url.clone()),
        ("types", types),
        ("filter", one.filter.clone()),
        ("a try may take", timeout.unwrap_or_default()),
        ("old secret signs until", time(one.old_secret_expire_time.as_ref())),
        ("state", word::<EventSubscriptionState>(one.state)),
        ("paused because", one.pause_reason.clone()),
        ("paused by", one.pauser.clone()),
        ("paused", time(one.pause_time.as_ref())),
        ("created by", one.creator.clone()),
        ("created", time(one.create_time.as_ref())),
        ("changed", time(one.update_time.as_ref())),
    ]);
    let mut table = Table::new(["source", "position", "posted", "latest", "failures", "next try", "why"]);
    for progress in &one.progress {
        table.row([
            progress.source.clone(),
            progress.position.to_string(),
            progress.posted_count.to_string(),
            time(progress.last_post_time.as_ref()),
            progress.failures.to_string(),
            time(progress.next_try_time.as_ref()),
            progress.last_error.clone(),
        ]);
    }
    if one.progress.is_empty() { head } else { format!("{head}\n{}", table.render()) }
}

/// All subscriptions.
pub fn event_subscriptions(list: &ListEventSubscriptionsResponse) -> String {
    if list.event_subscriptions.is_empty() {
        return none_of("event subscriptions", "");
    }
    let mut table = Table::new(["subscription", "title", "state", "posted", "failures", "url"]);
    for one in &list.event_subscriptions {
        let sum = |of: fn(&EventSubscriptionProgress) -> i64| one.progress.iter().map(of).sum::<i64>();
        table.row([
            one.event_subscription_id.clone(),
            one.title.clone(),
            word::<EventSubscriptionState>(one.state),
            sum(|progress| progress.posted_count).to_string(),
            sum(|progress| progress.failures.into()).to_string(),
            one.url.clone(),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_says_how_far_it_is_and_why_it_does_not_go_on() {
        let progress = EventSubscriptionProgress {
            source: "cases".to_owned(),
            position: 70,
            posted_count: 6,
            failures: 2,
            last_error: "503".to_owned(),
            ..EventSubscriptionProgress::default()
        };
        let one = EventSubscription {
            title: "CRM".to_owned(),
            url: "https://crm.example.com/hooks".to_owned(),
            state: EventSubscriptionState::Enabled.into(),
            progress: vec![progress],
            ..EventSubscription::default()
        };
        let text = event_subscription(&one);
        let types = text.lines().find(|line| line.starts_with("types")).unwrap_or_default();
        assert!(types.ends_with("  all"), "{text}");
        let row = text.lines().last().unwrap_or_default();
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["cases", "70", "6", "2", "503"]);
        let list = ListEventSubscriptionsResponse { event_subscriptions: vec![one] };
        let row = event_subscriptions(&list).lines().last().unwrap_or_default().to_owned();
        assert!(row.contains("enabled") && row.contains("https://crm.example.com/hooks"), "{row}");
        assert!(
            event_subscriptions(&ListEventSubscriptionsResponse::default())
                .contains("no event subscriptions")
        );
    }
}
