-- Cases that are being worked on, for news of those whose complainants have heard nothing for long.

CREATE TABLE open_case (
    tenant_id text        NOT NULL,
    case_id   uuid        NOT NULL,
    cycle     integer     NOT NULL,
    stage     smallint    NOT NULL,
    number    integer     NOT NULL DEFAULT 0,
    told_at   timestamptz,
    CONSTRAINT open_case_pkey PRIMARY KEY (tenant_id, case_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE open_case IS 'How far cases are that are being worked on, and when their complainants last heard of them.';
COMMENT ON COLUMN open_case.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN open_case.case_id IS 'The case.';
COMMENT ON COLUMN open_case.cycle IS 'The cycle it is, or was, worked on in.';
COMMENT ON COLUMN open_case.stage IS 'How far it is: 1 nobody has taken it up, 2 somebody looks into it, 3 it is decided and that is carried out.';
COMMENT ON COLUMN open_case.number IS 'How many news its complainant has had of this cycle.';
COMMENT ON COLUMN open_case.told_at IS 'When its complainant last heard of it, or it was opened; null while it is at rest.';
CREATE INDEX open_case_by_told ON open_case (tenant_id, told_at) WHERE told_at IS NOT NULL;

-- What was opened before and has not come to rest. Facts do not tell how far a case is: that
-- somebody looks into it is so of most. They count as having heard of it now.
ALTER TABLE case_fact NO FORCE ROW LEVEL SECURITY;
ALTER TABLE cycle_fact NO FORCE ROW LEVEL SECURITY;
INSERT INTO open_case (tenant_id, case_id, cycle, stage, told_at)
SELECT f.tenant_id, f.case_id, coalesce(max(c.cycle) FILTER (WHERE c.reopened_at IS NOT NULL), 0) + 1, 2, now()
FROM case_fact f LEFT JOIN cycle_fact c ON c.tenant_id = f.tenant_id AND c.case_id = f.case_id
WHERE f.received_at IS NOT NULL AND f.ended_at IS NULL AND f.history IS NOT TRUE
GROUP BY f.tenant_id, f.case_id
HAVING count(*) FILTER (WHERE c.resolved_at IS NOT NULL AND c.reopened_at IS NULL) = 0;
ALTER TABLE case_fact FORCE ROW LEVEL SECURITY;
ALTER TABLE cycle_fact FORCE ROW LEVEL SECURITY;

SELECT tenant_table('open_case');
SELECT worker_may('open_case', 'SELECT');
