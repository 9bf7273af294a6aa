-- What a service tells is read through a function: a schema whose rows are events
-- themselves adds them, and stores them once. Who reads the outbox alone would pass
-- such events over, and never come back: feed_horizon() goes, so that a feed of
-- before this migration stands still until its process is replaced.

CREATE FUNCTION feed(after bigint, up_to bigint, most bigint)
RETURNS TABLE ("position" bigint, tenant_id text, event_id uuid, subject uuid, type text, occurred_at timestamptz,
               traceparent text, payload bytea)
LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT o.position, o.tenant_id, o.event_id, o.subject, o.type, o.occurred_at, o.traceparent, o.payload
    FROM outbox o WHERE o.position > after AND o.position <= up_to ORDER BY o.position LIMIT most;
END;
COMMENT ON FUNCTION feed IS 'The events of the service after a position and up to another, in order, so many at most: what its event feed reads.';

DROP FUNCTION feed_horizon(bigint, bigint);
-- The lock ends with the transaction, and the feed asks outside of any: it lasts no
-- longer than the one statement, and must not.
CREATE FUNCTION feed_sight(known bigint, safe bigint,
    OUT last_position bigint, OUT quiet boolean, OUT bound bigint, OUT xmin bigint)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO last_position FROM outbox_position s;
    -- Tried after that: who took one of these positions holds the lock, or has ended.
    quiet := last_position > safe AND pg_try_advisory_xact_lock('outbox'::regclass::oid::bigint);
    IF quiet THEN
        xmin := 0;
        RETURN;
    END IF;
    IF last_position > known THEN
        bound := pg_current_xact_id()::text::bigint;
    END IF;
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint INTO xmin;
END $$;
COMMENT ON FUNCTION feed_sight IS 'Last position handed out; whether no writer of the feed runs that may have taken one up to it; else an id above those of the transactions that took positions beyond the known, and the oldest transaction that runs.';
