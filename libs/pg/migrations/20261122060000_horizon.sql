-- The reader's lock ends with its transaction. As a session's lock, given back by a
-- second call, a cancel or timeout between the two would have left it with the
-- session: every writer of the outbox would have waited for as long as that lived.
-- The feed asks outside of any transaction, so that the lock lasts no longer than the
-- one statement; it must stay so.

CREATE OR REPLACE FUNCTION feed_horizon(known bigint, safe bigint,
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
COMMENT ON FUNCTION feed_horizon IS 'Last position handed out; whether no writer of the outbox runs that may have taken one up to it; else an id above those of the transactions that took positions beyond the known, and the oldest transaction that runs.';
