//! The lines of event subscriptions.

use super::table::{EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

const INVALID_SUBSCRIPTION: &str = "INVALID_EVENT_SUBSCRIPTION";
const NOT_FOUND: &str = "EVENT_SUBSCRIPTION_NOT_FOUND";

pub(super) const INVALID: &[Invalid] = &[
    invalid(
        "EventSubscriptionService.CreateEventSubscription",
        r#"{"url": "ftp://example.com", "types": ["x"], "filter": "1", "timeoutDuration": "0s"}"#,
        INVALID_SUBSCRIPTION,
        &["request_id", "secret", "title", "url", "types[0]", "filter", "timeout_duration"],
    ),
    invalid(
        "EventSubscriptionService.UpdateEventSubscription",
        EMPTY,
        INVALID_SUBSCRIPTION,
        &["request_id", "event_subscription_id", "expected_version", "title", "url"],
    ),
    invalid(
        "EventSubscriptionService.RotateEventSubscriptionSecret",
        r#"{"keepDuration": "-1s"}"#,
        INVALID_SUBSCRIPTION,
        &["request_id", "event_subscription_id", "expected_version", "secret", "keep_duration"],
    ),
    invalid(
        "EventSubscriptionService.PauseEventSubscription",
        EMPTY,
        INVALID_SUBSCRIPTION,
        &["request_id", "event_subscription_id", "reason"],
    ),
    invalid(
        "EventSubscriptionService.ResumeEventSubscription",
        EMPTY,
        INVALID_SUBSCRIPTION,
        &["request_id", "event_subscription_id"],
    ),
    invalid(
        "EventSubscriptionService.ReplayEventSubscription",
        r#"{"source": "billing", "position": -1}"#,
        INVALID_SUBSCRIPTION,
        &["request_id", "event_subscription_id", "source", "position"],
    ),
    invalid(
        "EventSubscriptionService.DeleteEventSubscription",
        EMPTY,
        INVALID_SUBSCRIPTION,
        &["request_id", "event_subscription_id", "expected_version"],
    ),
    invalid(
        "EventSubscriptionService.GetEventSubscription",
        EMPTY,
        "INVALID_REQUEST",
        &["event_subscription_id"],
    ),
];

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown(
        "EventSubscriptionService.UpdateEventSubscription",
        r#"{"request_id": "$KEY", "event_subscription_id": "$ID", "expected_version": 1, "title": "x",
            "url": "https://example.com"}"#,
        NOT_FOUND,
    ),
    unknown(
        "EventSubscriptionService.RotateEventSubscriptionSecret",
        r#"{"request_id": "$KEY", "event_subscription_id": "$ID", "expected_version": 1,
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#,
        NOT_FOUND,
    ),
    unknown(
        "EventSubscriptionService.PauseEventSubscription",
        r#"{"request_id": "$KEY", "event_subscription_id": "$ID", "reason": "x"}"#,
        NOT_FOUND,
    ),
    unknown(
        "EventSubscriptionService.ResumeEventSubscription",
        r#"{"request_id": "$KEY", "event_subscription_id": "$ID"}"#,
        NOT_FOUND,
    ),
    unknown(
        "EventSubscriptionService.ReplayEventSubscription",
        r#"{"request_id": "$KEY", "event_subscription_id": "$ID", "source": "cases"}"#,
        NOT_FOUND,
    ),
    unknown(
        "EventSubscriptionService.DeleteEventSubscription",
        r#"{"request_id": "$KEY", "event_subscription_id": "$ID", "expected_version": 1}"#,
        NOT_FOUND,
    ),
    unknown(
        "EventSubscriptionService.GetEventSubscription",
        r#"{"event_subscription_id": "$ID"}"#,
        NOT_FOUND,
    ),
];
