-- What the view of those who supervise needs of a case: who has it, how much it is about,
-- and of each cycle whether a promise was broken in it and its outcome disputed.

ALTER TABLE case_fact
    ADD COLUMN holder          text,
    ADD COLUMN holder_rank     bigint,
    ADD COLUMN sought_currency text,
    ADD COLUMN sought_minor    bigint;
COMMENT ON COLUMN case_fact.holder IS 'Who has it, or had it when it was resolved; empty while it waits for somebody; null before it was given to anybody.';
COMMENT ON COLUMN case_fact.holder_rank IS 'Position of the event that told it.';
COMMENT ON COLUMN case_fact.sought_currency IS 'ISO 4217 code of the sum asked for; null when none was named.';
COMMENT ON COLUMN case_fact.sought_minor IS 'The sum asked for, in the currency''s smallest unit.';
ALTER TABLE cycle_fact
    ADD COLUMN breached_at timestamptz,
    ADD COLUMN disputed    boolean;
COMMENT ON COLUMN cycle_fact.breached_at IS 'When a promise to answer was first broken in it.';
COMMENT ON COLUMN cycle_fact.disputed IS 'Whether the complainant disputed its outcome; null where they did not.';

-- Of cases that are known it is read from the feeds, beside all else. The owner is let through
-- while it writes: row-level security is forced, and a tenant is nobody's while migrations run.
ALTER TABLE case_fact NO FORCE ROW LEVEL SECURITY;
ALTER TABLE fact_rebuild NO FORCE ROW LEVEL SECURITY;
INSERT INTO fact_rebuild (tenant_id, source, requested_at, position)
SELECT tenant_id, source, now(), 0
FROM (SELECT DISTINCT tenant_id FROM case_fact) known
CROSS JOIN UNNEST(ARRAY['intake', 'cases', 'assignment', 'feedback']) AS source
ON CONFLICT ON CONSTRAINT fact_rebuild_pkey DO UPDATE
SET requested_at = excluded.requested_at, position = least(fact_rebuild.position, 0), until_position = NULL, finished_at = NULL;
ALTER TABLE case_fact FORCE ROW LEVEL SECURITY;
ALTER TABLE fact_rebuild FORCE ROW LEVEL SECURITY;
