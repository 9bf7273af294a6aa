-- Who writes into the outbox holds a shared lock, from before it takes a position
-- until it has ended. When nobody holds it, every position handed out before is
-- decided: the feed need not wait for the oldest transaction of the whole cluster,
-- which may be anybody's and run for hours. Only when somebody always holds it does
-- the feed go by the oldest transaction.

ALTER TABLE outbox ALTER COLUMN xid SET DEFAULT
    CASE WHEN pg_advisory_xact_lock_shared('outbox'::regclass::oid::bigint) IS NOT NULL THEN pg_current_xact_id() END;

DROP FUNCTION feed_horizon(bigint);
CREATE FUNCTION feed_horizon(known bigint, safe bigint,
    OUT last_position bigint, OUT quiet boolean, OUT bound bigint, OUT xmin bigint)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO last_position FROM outbox_position s;
    -- Tried after that: who took one of these positions holds the lock, or has ended.
    quiet := last_position > safe AND pg_try_advisory_lock('outbox'::regclass::oid::bigint);
    IF quiet THEN
        PERFORM pg_advisory_unlock('outbox'::regclass::oid::bigint);
        xmin := 0;
        RETURN;
    END IF;
    IF last_position > known THEN
        bound := pg_current_xact_id()::text::bigint;
    END IF;
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint INTO xmin;
END $$;
COMMENT ON FUNCTION feed_horizon IS 'Last position handed out; whether no writer of the outbox runs that may have taken one up to it; else an id above those of the transactions that took positions beyond the known, and the oldest transaction that runs.';
