-- Decisions are kept for 400 days after their cycle was over, then forgotten.

CREATE INDEX decision_age ON decision (decided_at);
COMMENT ON INDEX decision_age IS 'What is no longer kept, whosever it is. By when it was decided: that its cycle is over is noted without touching an index.';
COMMENT ON TABLE decision IS 'How it was decided last who has a case in a cycle, and what was known of it: to be told, and to be replayed by other weights. Kept for 400 days after its cycle was over.';
SELECT worker_may('decision', 'SELECT, DELETE');

-- Whether a cycle goes on.
DO $$
BEGIN
    EXECUTE format('GRANT SELECT (tenant_id, case_id, cycle) ON assignment TO %I', 'redress_' || current_schema() || '_worker');
END $$;
