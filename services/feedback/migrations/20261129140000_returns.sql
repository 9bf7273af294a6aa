-- What returns to regulators ask of a case that facts did not have: whom it is about, what
-- kind of matter it is, who needs extra care, and how the regulator knows it.

ALTER TABLE case_fact
    ADD COLUMN organisation    text,
    ADD COLUMN branch          text,
    ADD COLUMN is_report       boolean,
    ADD COLUMN vulnerable      boolean,
    ADD COLUMN older           boolean,
    ADD COLUMN servicemember   boolean,
    ADD COLUMN outside_id      text,
    ADD COLUMN forwarded_at    timestamptz,
    ADD COLUMN merged_apart    boolean;
COMMENT ON COLUMN case_fact.organisation IS 'Legal entity or brand complained about; empty when none is named.';
COMMENT ON COLUMN case_fact.branch IS 'Branch complained about; empty when none is named.';
COMMENT ON COLUMN case_fact.is_report IS 'Whether it is a report of a violation, and no complaint.';
COMMENT ON COLUMN case_fact.vulnerable IS 'Whether anything that asks for extra care was told or seen.';
COMMENT ON COLUMN case_fact.older IS 'Whether that is that the complainant is elderly.';
COMMENT ON COLUMN case_fact.servicemember IS 'Whether that is that the complainant serves in the forces.';
COMMENT ON COLUMN case_fact.outside_id IS 'The regulator''s number for it, else the channel''s; empty where there is none of plain letters and digits.';
COMMENT ON COLUMN case_fact.forwarded_at IS 'When a regulator handed it over.';
COMMENT ON COLUMN case_fact.merged_apart IS 'Whether it was ever merged into a case of other people.';
CREATE INDEX case_fact_by_outside_id ON case_fact (tenant_id, outside_id) WHERE outside_id <> '';
COMMENT ON COLUMN revision.subject IS 'What it settles: 1 the questionnaire of surveys, 2 who is called back, 3 the words of a notice, 4 quiet hours, 5 by which means notices go, 9 root causes, 10 the policy of reviews, 20 the mapping of a return.';

-- Of cases that are known it is read from the feeds, beside all else. The owner is let through
-- while it writes: row-level security is forced, and a tenant is nobody's while migrations run.
ALTER TABLE case_fact NO FORCE ROW LEVEL SECURITY;
ALTER TABLE fact_rebuild NO FORCE ROW LEVEL SECURITY;
INSERT INTO fact_rebuild (tenant_id, source, requested_at, position)
SELECT tenant_id, source, now(), 0
FROM (SELECT DISTINCT tenant_id FROM case_fact) known
CROSS JOIN UNNEST(ARRAY['intake', 'cases']) AS source
ON CONFLICT ON CONSTRAINT fact_rebuild_pkey DO UPDATE
SET requested_at = excluded.requested_at, position = least(fact_rebuild.position, 0), until_position = NULL, finished_at = NULL;
ALTER TABLE case_fact FORCE ROW LEVEL SECURITY;
ALTER TABLE fact_rebuild FORCE ROW LEVEL SECURITY;
