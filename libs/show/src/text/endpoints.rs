//! Where departments have their tasks brought to, and what was brought.

use proto::redress::resolution::v1::{
    Delivery, DeliveryKind, DeliveryState, Endpoint, EndpointKind, EndpointState, ListDeliveriesResponse,
    ListEndpointsResponse,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// One endpoint; its secrets are never told.
pub fn endpoint(endpoint: &Endpoint) -> String {
    let failing = match endpoint.failures {
        0 => String::new(),
        count => {
            format!("{count} tries in a row have failed since {}", time(endpoint.failing_since_time.as_ref()))
        }
    };
    facts(&[
        ("department", endpoint.department_id.clone()),
        ("version", endpoint.version.to_string()),
        ("kind", word::<EndpointKind>(endpoint.kind)),
        ("url", endpoint.url.clone()),
        ("secret", if endpoint.has_secret { "set".to_owned() } else { "none".to_owned() }),
        ("old secret signs until", time(endpoint.old_secret_expire_time.as_ref())),
        ("a try may take", length(endpoint.timeout_duration)),
        ("tasks are held", length(endpoint.hold_duration)),
        ("state", word::<EndpointState>(endpoint.state)),
        ("paused because", endpoint.pause_reason.clone()),
        ("paused by", endpoint.pauser.clone()),
        ("paused", time(endpoint.pause_time.as_ref())),
        ("failing", failing),
        ("changed", time(endpoint.update_time.as_ref())),
    ])
}

fn length(duration: Option<prost_types::Duration>) -> String {
    duration.map(|duration| format!("{} s", duration.seconds)).unwrap_or_default()
}

/// A page of endpoints.
pub fn endpoints(list: &ListEndpointsResponse) -> String {
    if list.endpoints.is_empty() {
        return none_of("endpoints", &list.next_page_token);
    }
    let mut table = Table::new(["department", "kind", "state", "failures", "url"]);
    for endpoint in &list.endpoints {
        table.row([
            endpoint.department_id.clone(),
            word::<EndpointKind>(endpoint.kind),
            word::<EndpointState>(endpoint.state),
            endpoint.failures.to_string(),
            endpoint.url.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One delivery, try by try.
pub fn delivery(delivery: &Delivery) -> String {
    let head = facts(&[
        ("delivery", delivery.delivery_id.clone()),
        ("task", delivery.task_id.clone()),
        ("department", delivery.department_id.clone()),
        ("tells of", word::<DeliveryKind>(delivery.kind)),
        ("state", word::<DeliveryState>(delivery.state)),
        ("first due", time(delivery.create_time.as_ref())),
        ("next try", time(delivery.next_try_time.as_ref())),
        ("ended", time(delivery.end_time.as_ref())),
        ("tries", delivery.try_count.to_string()),
    ]);
    if delivery.tries.is_empty() {
        return head;
    }
    let mut table = Table::new(["try", "when", "took", "status", "why it did not count", "answer"]);
    for one in &delivery.tries {
        let took = one.duration.map(|took| format!("{}.{:03} s", took.seconds, took.nanos / 1_000_000));
        table.row([
            one.number.to_string(),
            time(one.try_time.as_ref()),
            took.unwrap_or_else(|| "cut off".to_owned()),
            one.status.clone(),
            one.reason.clone(),
            one.excerpt.clone(),
        ]);
    }
    format!("{head}\n{}", table.render())
}

/// A page of deliveries, each with its tries.
pub fn deliveries(list: &ListDeliveriesResponse) -> String {
    if list.deliveries.is_empty() {
        return none_of("deliveries", &list.next_page_token);
    }
    let each: Vec<String> = list.deliveries.iter().map(delivery).collect();
    each.join("\n") + &more(&list.next_page_token)
}
