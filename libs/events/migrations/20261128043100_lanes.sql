-- A consumer has a cursor for each lane of a feed, and for each tenant that is read
-- apart from the others. Consumers of before do not find their table and stand still
-- until their process is replaced: they would read both lanes as one. Both lanes go on
-- where the feed stood; what is before there has been applied, in whichever lane it is.

CREATE TABLE feed_cursor (
    source     text     NOT NULL,
    lane       smallint NOT NULL,
    apart      text     NOT NULL DEFAULT '',
    position   bigint   NOT NULL DEFAULT 0,
    epoch      text     NOT NULL DEFAULT '',
    holder     uuid,
    held_until timestamptz,
    CONSTRAINT feed_cursor_pkey PRIMARY KEY (source, lane, apart),
    CONSTRAINT feed_cursor_lane CHECK (lane IN (1, 2))
) WITH (fillfactor = 50);
COMMENT ON TABLE feed_cursor IS 'How far each lane of each feed has been applied; moves in the transaction that applies. Holds no tenant''s data.';
COMMENT ON COLUMN feed_cursor.source IS 'The service whose feed it is.';
COMMENT ON COLUMN feed_cursor.lane IS 'Lane of the feed, a number of redress.event.v1.Lane: 1 live, 2 bulk.';
COMMENT ON COLUMN feed_cursor.apart IS 'The one tenant it is the cursor of, while that is read apart because it has a backlog or its events resist; empty for all the others.';
COMMENT ON COLUMN feed_cursor.position IS 'Last position applied or set aside.';
COMMENT ON COLUMN feed_cursor.epoch IS 'The feed''s epoch the position is of; empty when it is not known.';
COMMENT ON COLUMN feed_cursor.holder IS 'The replica that works this lane.';
COMMENT ON COLUMN feed_cursor.held_until IS 'When another replica may take it over. Saves double work; correctness rests on the row''s lock.';
SELECT shared_table('feed_cursor');

CREATE TABLE inbox_size (
    source text   NOT NULL,
    events bigint NOT NULL DEFAULT 0,
    CONSTRAINT inbox_size_pkey PRIMARY KEY (source),
    CONSTRAINT inbox_size_not_negative CHECK (events >= 0)
);
COMMENT ON TABLE inbox_size IS 'How many events of each feed are set aside: nearly always none, and then nobody has to look. Holds no tenant''s data.';
COMMENT ON COLUMN inbox_size.source IS 'The service whose feed it is.';
COMMENT ON COLUMN inbox_size.events IS 'Rows of parked_event of this source, over all tenants.';
SELECT shared_table('inbox_size');

INSERT INTO feed_cursor (source, lane, position) SELECT source, lane, position FROM inbox_cursor, (VALUES (1), (2)) AS l (lane);
INSERT INTO inbox_size (source, events) SELECT source, parked FROM inbox_cursor;
DROP TABLE inbox_cursor;

ALTER TABLE parked_event ADD COLUMN lane smallint NOT NULL DEFAULT 1;
ALTER TABLE parked_event ADD COLUMN follows bigint NOT NULL DEFAULT 0;
ALTER TABLE parked_event ADD COLUMN retry_at timestamptz;
ALTER TABLE parked_event ADD COLUMN failing_since timestamptz;
COMMENT ON TABLE parked_event IS 'Events that could not be applied, or not yet, and those that wait behind them in order.';
COMMENT ON COLUMN parked_event.lane IS 'Lane of the feed it came in, a number of redress.event.v1.Lane.';
COMMENT ON COLUMN parked_event.follows IS 'The bulk lane must be applied up to here first.';
COMMENT ON COLUMN parked_event.retry_at IS 'When it is tried again by itself, if it is its subject''s first; null where somebody must say so.';
COMMENT ON COLUMN parked_event.failing_since IS 'Since when the database has been too busy for it; null where it was not.';
COMMENT ON COLUMN parked_event.attempts IS 'How often it was tried.';
CREATE INDEX parked_event_retry ON parked_event (source, retry_at) WHERE retry_at IS NOT NULL;
SELECT worker_may('parked_event', 'SELECT');
DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON feed_cursor TO %I', 'redress_' || current_schema() || '_worker');
END $$;

CREATE FUNCTION resume_feed(of_source text, at_position bigint) RETURNS void LANGUAGE sql VOLATILE BEGIN ATOMIC
    UPDATE feed_cursor SET position = least(position, at_position), epoch = '' WHERE source = of_source;
END;
COMMENT ON FUNCTION resume_feed IS 'Has this service read a feed again from a position on, in whatever epoch it is. For the operator who has restored the source''s schema to an earlier moment.';
