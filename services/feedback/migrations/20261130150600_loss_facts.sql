-- What was paid, could not be taken back and was written off. What was written off before
-- is counted by a rebuild of the facts.

CREATE TABLE loss_fact (
    tenant_id      text        NOT NULL,
    task_id        uuid        NOT NULL,
    case_id        uuid        NOT NULL,
    department     text        NOT NULL,
    written_off_at timestamptz NOT NULL,
    currency       text        NOT NULL,
    minor          bigint      NOT NULL,
    CONSTRAINT loss_fact_pkey PRIMARY KEY (tenant_id, task_id)
);
COMMENT ON TABLE loss_fact IS 'What departments could not take back and two people wrote off.';
COMMENT ON COLUMN loss_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN loss_fact.task_id IS 'The department''s task that was to take it back.';
COMMENT ON COLUMN loss_fact.case_id IS 'The case.';
COMMENT ON COLUMN loss_fact.department IS 'The department that was to take it back.';
COMMENT ON COLUMN loss_fact.written_off_at IS 'When it was written off.';
COMMENT ON COLUMN loss_fact.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN loss_fact.minor IS 'The sum in the currency''s smallest unit.';
CREATE INDEX loss_fact_by_time ON loss_fact (tenant_id, written_off_at);
CREATE INDEX loss_fact_by_case ON loss_fact (tenant_id, case_id);
SELECT tenant_table('loss_fact');
