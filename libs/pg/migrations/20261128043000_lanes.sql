-- The feed has two lanes, so that what a person has just done does not wait behind an
-- import, and an epoch, so that a database restored to an earlier moment is noticed.
-- The columns have constant defaults and the indexes hold no row yet: the table is not
-- rewritten, and read once.

ALTER TABLE outbox ADD COLUMN lane smallint NOT NULL DEFAULT 1;
COMMENT ON COLUMN outbox.lane IS 'The lane of the feed it travels in, a number of redress.event.v1.Lane: 1 live, 2 bulk.';
CREATE INDEX outbox_bulk ON outbox (position) WHERE lane = 2;
CREATE INDEX outbox_bulk_subject ON outbox (tenant_id, subject, position) WHERE lane = 2;

-- Processes of before would tell of bulk events as if they were live. feed() goes, so that
-- their feeds stand still until they are replaced.
DROP FUNCTION feed(bigint, bigint, bigint);

-- A part whose lane is not wanted is not run;
-- the bulk lane has an index of its own. `wanted` 0 is both lanes, `of_tenant` '' all
-- tenants, `types` {} all types. Readers ask for a stretch of positions at a time, which
-- bounds what they read however little of it they want.
CREATE FUNCTION feed_page(after bigint, up_to bigint, most bigint, wanted smallint, of_tenant text,
                          but_tenants text[], types text[])
RETURNS TABLE ("position" bigint, tenant_id text, event_id uuid, subject uuid, type text, occurred_at timestamptz,
               traceparent text, payload bytea, lane smallint, follows bigint)
LANGUAGE sql STABLE BEGIN ATOMIC
    (SELECT o.position, o.tenant_id, o.event_id, o.subject, o.type, o.occurred_at, o.traceparent, o.payload, o.lane,
            CASE WHEN o.lane = 1 THEN coalesce(
                (SELECT max(b.position) FROM outbox b
                 WHERE b.lane = 2 AND b.tenant_id = o.tenant_id AND b.subject = o.subject
                   AND b.position < o.position), 0) ELSE 0 END
     FROM outbox o
     WHERE wanted <> 2 AND o.position > after AND o.position <= up_to AND (wanted = 0 OR o.lane = 1)
       AND (of_tenant = '' OR o.tenant_id = of_tenant) AND o.tenant_id <> ALL (but_tenants)
       AND (types = '{}' OR o.type = ANY (types))
     ORDER BY o.position LIMIT most)
    UNION ALL
    (SELECT o.position, o.tenant_id, o.event_id, o.subject, o.type, o.occurred_at, o.traceparent, o.payload, o.lane, 0
     FROM outbox o
     WHERE wanted = 2 AND o.position > after AND o.position <= up_to AND o.lane = 2
       AND (of_tenant = '' OR o.tenant_id = of_tenant) AND o.tenant_id <> ALL (but_tenants)
       AND (types = '{}' OR o.type = ANY (types))
     ORDER BY o.position LIMIT most)
    ORDER BY 1 LIMIT most;
END;
COMMENT ON FUNCTION feed_page IS 'The events of the service after a position and up to another, of a lane, tenants and types, in order, so many at most, each with the position of its subject''s last bulk event before it where it is live: what its event feed reads.';

CREATE TABLE feed_epoch (
    ordinal  bigint      GENERATED ALWAYS AS IDENTITY,
    epoch    uuid        NOT NULL DEFAULT gen_random_uuid(),
    base     bigint      NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT feed_epoch_pkey PRIMARY KEY (ordinal)
);
COMMENT ON TABLE feed_epoch IS 'The epochs of the feed, the last one current. A new one begins when the database has been restored to an earlier moment: see renew_feed_epoch().';
COMMENT ON COLUMN feed_epoch.ordinal IS 'Their order.';
COMMENT ON COLUMN feed_epoch.epoch IS 'What readers keep with their cursor, and present.';
COMMENT ON COLUMN feed_epoch.base IS 'Last position handed out when it began: up to there it tells the same as the one before.';
COMMENT ON COLUMN feed_epoch.begun_at IS 'When it began.';
INSERT INTO feed_epoch (base) VALUES (0);
DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON feed_epoch TO %I', 'redress_' || current_schema() || '_worker');
END $$;

CREATE FUNCTION renew_feed_epoch() RETURNS uuid LANGUAGE sql VOLATILE BEGIN ATOMIC
    INSERT INTO feed_epoch (base)
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END FROM outbox_position s
    RETURNING epoch;
END;
COMMENT ON FUNCTION renew_feed_epoch IS 'Begins a new epoch of the feed; answers it. For the operator who has restored this schema to an earlier moment, before anything is served from it again.';
