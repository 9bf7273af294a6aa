-- Departments whose work nobody takes, departments that are paused, and how long one
-- attempt at a task may go on.

ALTER TABLE department
    ADD COLUMN watch_id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN polled_at timestamptz,
    ADD COLUMN unattended_since timestamptz;
COMMENT ON COLUMN department.watch_id IS 'The key of its timer, and the subject of events about it.';
COMMENT ON COLUMN department.polled_at IS 'When a worker last asked for tasks, give or take ten seconds; null when none has.';
COMMENT ON COLUMN department.unattended_since IS 'Since when tasks wait and no worker asks, once that was noticed; null while one does.';
CREATE UNIQUE INDEX department_watch ON department (tenant_id, watch_id);
-- They look by themselves from now on: see `department.rs`.
INSERT INTO timer (tenant_id, kind, key, fire_at, try_at, traceparent)
SELECT tenant_id, 'department-watch', watch_id, now(), now(), '' FROM department;

CREATE TABLE department_pause (
    tenant_id     text        NOT NULL,
    pause_id      uuid        NOT NULL,
    department_id text        NOT NULL,
    kind          smallint    NOT NULL CHECK (kind BETWEEN 0 AND 12),
    reason        text        NOT NULL,
    paused_by     text        NOT NULL,
    paused_at     timestamptz NOT NULL,
    resumed_by    text        NOT NULL DEFAULT '',
    resume_reason text        NOT NULL DEFAULT '',
    resumed_at    timestamptz,
    CONSTRAINT department_pause_pkey PRIMARY KEY (tenant_id, pause_id)
);
COMMENT ON TABLE department_pause IS 'When a department was handed no tasks, or none of a kind, by whose word. Rows stay.';
COMMENT ON COLUMN department_pause.tenant_id IS 'Whose department it is.';
COMMENT ON COLUMN department_pause.pause_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN department_pause.department_id IS 'The department.';
COMMENT ON COLUMN department_pause.kind IS 'RemedyKind of the tasks it is not handed, as numbered in the contract; 0 for all.';
COMMENT ON COLUMN department_pause.reason IS 'Why it was paused.';
COMMENT ON COLUMN department_pause.paused_by IS 'Subject who paused it.';
COMMENT ON COLUMN department_pause.paused_at IS 'When.';
COMMENT ON COLUMN department_pause.resumed_by IS 'Subject who resumed it; empty while it is paused.';
COMMENT ON COLUMN department_pause.resume_reason IS 'Why it was resumed; empty while it is paused.';
COMMENT ON COLUMN department_pause.resumed_at IS 'When it was resumed; null while it is paused.';
CREATE UNIQUE INDEX department_pause_in_force ON department_pause (tenant_id, department_id, kind)
    WHERE resumed_at IS NULL;
COMMENT ON INDEX department_pause_in_force IS 'What a poll leaves out; a department is paused once for all kinds, and once for each.';
SELECT tenant_table('department_pause');

ALTER TABLE task ADD COLUMN attempt_until timestamptz;
COMMENT ON COLUMN task.attempt_until IS 'Until when the present attempt may go on, heartbeats or not; null before the first.';
