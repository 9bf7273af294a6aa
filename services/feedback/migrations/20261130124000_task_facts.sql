-- What departments take for what they are asked to do.

CREATE TABLE task_fact (
    tenant_id    text NOT NULL,
    task_id      uuid NOT NULL,
    case_id      uuid NOT NULL,
    department   text,
    department_rank bigint,
    created_at   timestamptz,
    created_work bigint,
    done_at      timestamptz,
    done_work    bigint,
    due_at       timestamptz,
    overdue_at   timestamptz,
    CONSTRAINT task_fact_pkey PRIMARY KEY (tenant_id, task_id)
);
COMMENT ON TABLE task_fact IS 'What is counted of each task of a department. Each column is null until an event tells it.';
COMMENT ON COLUMN task_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN task_fact.task_id IS 'The task.';
COMMENT ON COLUMN task_fact.case_id IS 'The case.';
COMMENT ON COLUMN task_fact.department IS 'The department that did it, or is in charge.';
COMMENT ON COLUMN task_fact.department_rank IS '2 of who did it, 1 of who was in charge when it was overdue: the higher holds.';
COMMENT ON COLUMN task_fact.created_at IS 'When it became a task of the department.';
COMMENT ON COLUMN task_fact.created_work IS 'Working seconds in the tenant''s zone from 1970 until then.';
COMMENT ON COLUMN task_fact.done_at IS 'When it was reported done.';
COMMENT ON COLUMN task_fact.done_work IS 'Working seconds from 1970 until then.';
COMMENT ON COLUMN task_fact.due_at IS 'By when it was due, where that was said.';
COMMENT ON COLUMN task_fact.overdue_at IS 'When its first due time passed before it was done.';
CREATE INDEX task_fact_by_done ON task_fact (tenant_id, done_at) WHERE done_at IS NOT NULL;
CREATE INDEX task_fact_by_overdue ON task_fact (tenant_id, overdue_at) WHERE overdue_at IS NOT NULL;
CREATE INDEX task_fact_by_case ON task_fact (tenant_id, case_id);
SELECT tenant_table('task_fact');
