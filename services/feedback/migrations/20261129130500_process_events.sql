-- What happened to each case, event by event, for process mining. Kept as facts are: what is
-- told again is kept once. Feeds are read again from their beginning for what happened before
-- this table was there; facts stay, for a fact told twice is kept once.

CREATE TABLE process_event (
    tenant_id     text        NOT NULL,
    case_id       uuid        NOT NULL,
    event_id      uuid        NOT NULL,
    occurred_at   timestamptz NOT NULL,
    source        smallint    NOT NULL,
    position      bigint      NOT NULL,
    activity      smallint    NOT NULL,
    cycle         integer     NOT NULL,
    plan_id       uuid,
    task_id       uuid,
    department    text,
    agent         text,
    other_case_id uuid,
    category      text,
    priority      smallint,
    outcome       smallint,
    detail        text,
    currency      text,
    minor         bigint,
    CONSTRAINT process_event_pkey PRIMARY KEY (tenant_id, case_id, event_id)
);
COMMENT ON TABLE process_event IS 'What happened to a case. It has no words that anybody wrote.';
COMMENT ON COLUMN process_event.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN process_event.case_id IS 'The case.';
COMMENT ON COLUMN process_event.event_id IS 'The event in the feed of its service.';
COMMENT ON COLUMN process_event.occurred_at IS 'When it happened.';
COMMENT ON COLUMN process_event.source IS 'Whose feed it is of: 1 intake, 2 cases, 3 assignment, 4 resolution, 5 feedback.';
COMMENT ON COLUMN process_event.position IS 'Its place in that feed: orders what happened at one time.';
COMMENT ON COLUMN process_event.activity IS 'redress.feedback.v1.ProcessActivity.';
COMMENT ON COLUMN process_event.cycle IS 'The cycle it belongs to; 0 where it belongs to none.';
COMMENT ON COLUMN process_event.plan_id IS 'The remedy plan, where it is of one.';
COMMENT ON COLUMN process_event.task_id IS 'The department''s task, where it is of one.';
COMMENT ON COLUMN process_event.department IS 'The department, where one has a part in it.';
COMMENT ON COLUMN process_event.agent IS 'Subject of who did it, or has the case now, where that is told. Leaves this table as a pseudonym alone.';
COMMENT ON COLUMN process_event.other_case_id IS 'The case that this one was merged into, or taken out of again.';
COMMENT ON COLUMN process_event.category IS 'The category it was given, where it was.';
COMMENT ON COLUMN process_event.priority IS 'redress.cases.v1.Priority it was given, where it was.';
COMMENT ON COLUMN process_event.outcome IS 'redress.cases.v1.Outcome, where it has one.';
COMMENT ON COLUMN process_event.detail IS 'A word of a contract''s enum, in lower case.';
COMMENT ON COLUMN process_event.currency IS 'ISO 4217 code of the sum that was paid; null where none was.';
COMMENT ON COLUMN process_event.minor IS 'That sum in the currency''s smallest unit; negative where it was taken back.';
SELECT tenant_table('process_event');
CREATE INDEX problem_case_by_case ON problem_case (tenant_id, case_id) WHERE linked;

-- The owner is let through while it writes: row-level security is forced, and a tenant is
-- nobody's while migrations run.
ALTER TABLE case_fact NO FORCE ROW LEVEL SECURITY;
ALTER TABLE fact_rebuild NO FORCE ROW LEVEL SECURITY;
INSERT INTO fact_rebuild (tenant_id, source, requested_at, position)
SELECT tenant_id, source, now(), 0
FROM (SELECT DISTINCT tenant_id FROM case_fact) known
CROSS JOIN UNNEST(ARRAY['intake', 'cases', 'assignment', 'resolution', 'feedback']) AS source
ON CONFLICT ON CONSTRAINT fact_rebuild_pkey DO UPDATE
SET requested_at = excluded.requested_at, position = least(fact_rebuild.position, 0), until_position = NULL, finished_at = NULL;
ALTER TABLE case_fact FORCE ROW LEVEL SECURITY;
ALTER TABLE fact_rebuild FORCE ROW LEVEL SECURITY;
