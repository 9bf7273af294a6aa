-- Whether a complaint could be worked on as it was recorded, and by whom it was: incomplete
-- records are counted by channel and by who records them.

ALTER TABLE case_fact
    ADD COLUMN recorder text,
    ADD COLUMN complete boolean;
COMMENT ON COLUMN case_fact.recorder IS 'Subject of who submitted its complaint; null where that was not kept.';
COMMENT ON COLUMN case_fact.complete IS 'Whether it could be worked on as it was recorded; null where the complainant wants to stay unknown, and of history.';

-- Of cases that are known it is read from the feed, beside all else. The owner is let through
-- while it writes: row-level security is forced, and a tenant is nobody's while migrations run.
ALTER TABLE case_fact NO FORCE ROW LEVEL SECURITY;
ALTER TABLE fact_rebuild NO FORCE ROW LEVEL SECURITY;
INSERT INTO fact_rebuild (tenant_id, source, requested_at, position)
SELECT DISTINCT tenant_id, 'intake', now(), 0 FROM case_fact
ON CONFLICT ON CONSTRAINT fact_rebuild_pkey DO UPDATE
SET requested_at = excluded.requested_at, position = least(fact_rebuild.position, 0), until_position = NULL, finished_at = NULL;
ALTER TABLE case_fact FORCE ROW LEVEL SECURITY;
ALTER TABLE fact_rebuild FORCE ROW LEVEL SECURITY;
