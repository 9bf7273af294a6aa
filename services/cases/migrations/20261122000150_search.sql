-- What finding a case stands on: its words, when it is due, and the lists people
-- work through all day.

ALTER TABLE cases ADD COLUMN due_at timestamptz;
COMMENT ON COLUMN cases.due_at IS 'When the next of its running clocks is due; null while none runs.';

-- The inboxes: open cases only, so that those which are over cost nothing. Cases
-- that nothing makes due come last, hence infinity; nobody's are agent ''. Not
-- coalesce: Postgres does not take it for leakproof, and what may leak is no
-- condition of an index under row-level security.
CREATE INDEX cases_open_by_due ON cases
    (tenant_id, (CASE WHEN due_at IS NULL THEN 'infinity' ELSE due_at END), case_id)
    WHERE closed_at IS NULL;
CREATE INDEX cases_open_by_agent ON cases
    (tenant_id, agent_id, (CASE WHEN due_at IS NULL THEN 'infinity' ELSE due_at END), case_id)
    WHERE closed_at IS NULL;
CREATE INDEX cases_open_by_department ON cases
    (tenant_id, department_id, (CASE WHEN due_at IS NULL THEN 'infinity' ELSE due_at END), case_id)
    WHERE closed_at IS NULL;

CREATE TABLE case_text (
    tenant_id   text     NOT NULL,
    case_id     uuid     NOT NULL,
    description text     NOT NULL,
    terms       tsvector NOT NULL,
    CONSTRAINT case_text_pkey PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE case_text IS 'The long texts of a case, which never change: beside the case, whose row is written a dozen times.';
COMMENT ON COLUMN case_text.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN case_text.case_id IS 'The case.';
COMMENT ON COLUMN case_text.description IS 'What happened, in the complainant''s words.';
COMMENT ON COLUMN case_text.terms IS 'The words of subject and description as the search knows them; each begins with the tenant''s tag.';
-- The tag stands for the leading tenant: nobody's search reads others' words.
-- The list of entries not yet merged is searched from end to end: kept short.
CREATE INDEX case_text_by_terms ON case_text USING gin (terms) WITH (gin_pending_list_limit = 512);
SELECT tenant_table('case_text');

-- Under row-level security no index serves @@, which Postgres does not take for
-- leakproof. Hence a view, read with its owner's rights, with the tenant in it; as a
-- subquery, or the planner would see that it is the tenant of the policies of the
-- tables joined to it, and take their precautions here too.
CREATE POLICY view_owner ON case_text FOR SELECT TO CURRENT_USER USING (true);
CREATE VIEW case_words AS
    SELECT case_id, terms FROM case_text
    WHERE tenant_id = (SELECT current_setting('redress.tenant'));
COMMENT ON VIEW case_words IS 'The words of one tenant''s cases, to be searched.';
DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON case_words TO %I', 'redress_' || current_schema());
END $$;
