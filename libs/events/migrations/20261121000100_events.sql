-- What a service has applied of the other services' feeds.

CREATE TABLE inbox_cursor (
    source     text        NOT NULL,
    position   bigint      NOT NULL DEFAULT 0,
    parked     bigint      NOT NULL DEFAULT 0,
    holder     uuid,
    held_until timestamptz,
    CONSTRAINT inbox_cursor_pkey PRIMARY KEY (source),
    CONSTRAINT inbox_cursor_parked_not_negative CHECK (parked >= 0)
) WITH (fillfactor = 50);
COMMENT ON TABLE inbox_cursor IS 'How far each feed has been applied; moves in the transaction that applies. Holds no tenant''s data.';
COMMENT ON COLUMN inbox_cursor.source IS 'The service whose feed it is.';
COMMENT ON COLUMN inbox_cursor.position IS 'Last position applied or parked.';
COMMENT ON COLUMN inbox_cursor.parked IS 'How many events of this source are parked, over all tenants.';
COMMENT ON COLUMN inbox_cursor.holder IS 'The replica that works this feed.';
COMMENT ON COLUMN inbox_cursor.held_until IS 'When another replica may take it over. Saves double work; correctness rests on the row''s lock.';
SELECT shared_table('inbox_cursor');

CREATE TABLE parked_event (
    tenant_id   text        NOT NULL,
    source      text        NOT NULL,
    position    bigint      NOT NULL,
    event_id    uuid        NOT NULL,
    subject     uuid        NOT NULL,
    type        text        NOT NULL,
    occurred_at timestamptz NOT NULL,
    traceparent text        NOT NULL,
    payload     bytea       NOT NULL,
    error       text        NOT NULL,
    attempts    integer     NOT NULL,
    parked_at   timestamptz NOT NULL,
    CONSTRAINT parked_event_pkey PRIMARY KEY (tenant_id, source, position)
);
COMMENT ON TABLE parked_event IS 'Events that could not be applied, and those that wait behind them in order.';
COMMENT ON COLUMN parked_event.source IS 'The service that told it.';
COMMENT ON COLUMN parked_event.position IS 'Its place in that service''s feed.';
COMMENT ON COLUMN parked_event.event_id IS 'Identity of the event.';
COMMENT ON COLUMN parked_event.subject IS 'Case the event is about.';
COMMENT ON COLUMN parked_event.type IS 'Full protobuf name of the payload.';
COMMENT ON COLUMN parked_event.occurred_at IS 'When it happened.';
COMMENT ON COLUMN parked_event.traceparent IS 'W3C trace context of its cause.';
COMMENT ON COLUMN parked_event.payload IS 'The payload, protobuf-encoded.';
COMMENT ON COLUMN parked_event.error IS 'Why it was parked; empty when it only waits behind an earlier one.';
COMMENT ON COLUMN parked_event.attempts IS 'How often it was tried.';
COMMENT ON COLUMN parked_event.parked_at IS 'When it was parked.';
CREATE INDEX parked_event_subject ON parked_event (tenant_id, subject, source, position);
SELECT tenant_table('parked_event');
