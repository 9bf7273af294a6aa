-- Where events are posted to, for those who cannot read the feed; and how far each is with the
-- feed of each service.

CREATE TABLE event_subscription (
    tenant_id        text        NOT NULL,
    subscription_id  uuid        NOT NULL,
    version          bigint      NOT NULL,
    title            text        NOT NULL,
    url              text        NOT NULL,
    types            text[]      NOT NULL,
    filter           text        NOT NULL,
    timeout_ms       bigint      NOT NULL,
    secret           text        NOT NULL,
    old_secret       text,
    old_secret_until timestamptz,
    pause_reason     text,
    paused_by        text,
    paused_at        timestamptz,
    creator          text        NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT event_subscription_pkey PRIMARY KEY (tenant_id, subscription_id),
    CONSTRAINT event_subscription_old_secret CHECK ((old_secret IS NULL) = (old_secret_until IS NULL)),
    CONSTRAINT event_subscription_pause CHECK (
        (paused_at IS NULL) = (pause_reason IS NULL) AND (paused_at IS NULL) = (paused_by IS NULL))
);
COMMENT ON TABLE event_subscription IS 'Where events are posted to.';
COMMENT ON COLUMN event_subscription.tenant_id IS 'Whose events are posted.';
COMMENT ON COLUMN event_subscription.subscription_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN event_subscription.version IS 'Counts the changes that people made, and pauses.';
COMMENT ON COLUMN event_subscription.title IS 'What it is for.';
COMMENT ON COLUMN event_subscription.url IS 'Where events are posted to.';
COMMENT ON COLUMN event_subscription.types IS 'Full names of the messages that are posted; empty for all.';
COMMENT ON COLUMN event_subscription.filter IS 'Condition that an event must meet, in CEL; empty for none.';
COMMENT ON COLUMN event_subscription.timeout_ms IS 'Longest that one try may take, in milliseconds.';
COMMENT ON COLUMN event_subscription.secret IS 'What events are signed with, whsec_…. Never answered.';
COMMENT ON COLUMN event_subscription.old_secret IS 'The secret before, while events are signed with both; null otherwise.';
COMMENT ON COLUMN event_subscription.old_secret_until IS 'Until when that one signs; null without.';
COMMENT ON COLUMN event_subscription.pause_reason IS 'Why it is paused; null while it is not.';
COMMENT ON COLUMN event_subscription.paused_by IS 'Who paused it, empty where it was for its failures; null while it is not.';
COMMENT ON COLUMN event_subscription.paused_at IS 'When it was paused; null while it is not.';
COMMENT ON COLUMN event_subscription.creator IS 'Subject who made it.';
COMMENT ON COLUMN event_subscription.created_at IS 'When it was made.';
COMMENT ON COLUMN event_subscription.updated_at IS 'When somebody changed it last.';
SELECT tenant_table('event_subscription');
-- Not the secrets: those are read as the tenant's.
SELECT worker_may('event_subscription', 'SELECT (tenant_id, subscription_id, paused_at)');

CREATE TABLE event_subscription_feed (
    tenant_id       text        NOT NULL,
    subscription_id uuid        NOT NULL,
    source          text        NOT NULL,
    position        bigint      NOT NULL,
    posted          bigint      NOT NULL DEFAULT 0,
    posted_at       timestamptz,
    failures        integer     NOT NULL DEFAULT 0,
    failing_since   timestamptz,
    last_error      text        NOT NULL DEFAULT '',
    due_at          timestamptz,
    holder          uuid,
    held_until      timestamptz,
    CONSTRAINT event_subscription_feed_pkey PRIMARY KEY (tenant_id, subscription_id, source),
    CONSTRAINT event_subscription_feed_of FOREIGN KEY (tenant_id, subscription_id)
        REFERENCES event_subscription ON DELETE CASCADE,
    CONSTRAINT event_subscription_feed_failing CHECK ((failures = 0) = (failing_since IS NULL))
) WITH (fillfactor = 50);
COMMENT ON TABLE event_subscription_feed IS 'How far a subscription is with the feed of a service.';
COMMENT ON COLUMN event_subscription_feed.tenant_id IS 'Whose events are posted.';
COMMENT ON COLUMN event_subscription_feed.subscription_id IS 'The subscription.';
COMMENT ON COLUMN event_subscription_feed.source IS 'The service whose feed it is.';
COMMENT ON COLUMN event_subscription_feed.position IS 'Up to where its events were taken, or left out by types and filter.';
COMMENT ON COLUMN event_subscription_feed.posted IS 'How many the server took.';
COMMENT ON COLUMN event_subscription_feed.posted_at IS 'When it took the latest; null before the first.';
COMMENT ON COLUMN event_subscription_feed.failures IS 'How many tries of the next event have failed.';
COMMENT ON COLUMN event_subscription_feed.failing_since IS 'Since when they fail; null while they do not.';
COMMENT ON COLUMN event_subscription_feed.last_error IS 'Why the latest failed; empty while they do not.';
COMMENT ON COLUMN event_subscription_feed.due_at IS 'When it is tried again; null while it may be at once, and while the subscription is paused.';
COMMENT ON COLUMN event_subscription_feed.holder IS 'Who posts it: what others still write of it is refused; null for nobody.';
COMMENT ON COLUMN event_subscription_feed.held_until IS 'Until when it is held, unless that is prolonged, or was; null where nobody has held it yet.';
SELECT tenant_table('event_subscription_feed');
SELECT worker_may('event_subscription_feed', 'SELECT, UPDATE');
