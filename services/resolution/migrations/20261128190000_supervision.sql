-- What is overdue climbs a ladder; how departments stand; since when tasks are worked on.

ALTER TABLE task
    ADD COLUMN overdue_step smallint NOT NULL DEFAULT 0,
    ADD COLUMN first_leased_at timestamptz;
COMMENT ON COLUMN task.overdue_step IS 'How far it was told that the task is overdue: 0 not, 1 that it is, n + 1 to the nth rung of the ladder. Back to 0 with a later due time.';
COMMENT ON COLUMN task.first_leased_at IS 'When it was first handed to a worker; null before, and for tasks handed out before this was kept.';
CREATE INDEX task_slack ON task (tenant_id, department_id, state, overdue_step, due_time, task_id)
    WHERE state IN (1, 2, 4, 6) AND due_time IS NOT NULL;
COMMENT ON INDEX task_slack IS 'Open tasks of a department by the time left, those that were told of equally far together: what climbs next, and lists by slack.';
CREATE INDEX task_looping ON task (tenant_id, department_id, task_id)
    WHERE state IN (1, 2, 4, 6) AND rejections >= 2;
COMMENT ON INDEX task_looping IS 'Open tasks whose step was handed back twice or more.';

CREATE TABLE supervision (
    tenant_id      text       NOT NULL,
    version        bigint     NOT NULL,
    levels         smallint[] NOT NULL,
    after_seconds  bigint[]   NOT NULL,
    departments    text[]     NOT NULL,
    supervisors    text[]     NOT NULL,
    heads          text[]     NOT NULL,
    CONSTRAINT supervision_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT supervision_rungs CHECK (cardinality(levels) = cardinality(after_seconds)),
    CONSTRAINT supervision_departments CHECK (
        cardinality(departments) = cardinality(supervisors) AND cardinality(departments) = cardinality(heads))
);
COMMENT ON TABLE supervision IS 'By which ladder overdue tasks are supervised, and by whom. A tenant without a row has the shipped ladder.';
COMMENT ON COLUMN supervision.tenant_id IS 'Whose ladder it is.';
COMMENT ON COLUMN supervision.version IS 'Counts the changes.';
COMMENT ON COLUMN supervision.levels IS 'SupervisionLevel of each rung, from the lowest: 1 the department, 2 its supervisor, 3 its head.';
COMMENT ON COLUMN supervision.after_seconds IS 'How long after the due time each rung is climbed, in seconds.';
COMMENT ON COLUMN supervision.departments IS 'Departments somebody is named for.';
COMMENT ON COLUMN supervision.supervisors IS 'Subject of the supervisor of each; empty where nobody is named.';
COMMENT ON COLUMN supervision.heads IS 'Subject of the head of each; empty where nobody is named.';
SELECT tenant_table('supervision');

CREATE TABLE task_supervision_step (
    tenant_id text        NOT NULL,
    task_id   uuid        NOT NULL,
    due_time  timestamptz NOT NULL,
    rung      smallint    NOT NULL,
    level     smallint    NOT NULL CHECK (level BETWEEN 1 AND 3),
    recipient text        NOT NULL,
    skipped   boolean     NOT NULL,
    told_at   timestamptz NOT NULL,
    CONSTRAINT task_supervision_step_pkey PRIMARY KEY (tenant_id, task_id, due_time, rung)
);
COMMENT ON TABLE task_supervision_step IS 'The rungs that overdue tasks have climbed: each once for each due time.';
COMMENT ON COLUMN task_supervision_step.tenant_id IS 'Whose task it is.';
COMMENT ON COLUMN task_supervision_step.task_id IS 'The task.';
COMMENT ON COLUMN task_supervision_step.due_time IS 'By when it was due.';
COMMENT ON COLUMN task_supervision_step.rung IS 'Which rung of the ladder as it was then, from 1.';
COMMENT ON COLUMN task_supervision_step.level IS 'SupervisionLevel: to whom it was told.';
COMMENT ON COLUMN task_supervision_step.recipient IS 'Their subject, where one was named; empty otherwise.';
COMMENT ON COLUMN task_supervision_step.skipped IS 'Whether it was passed over because a higher rung was due as well.';
COMMENT ON COLUMN task_supervision_step.told_at IS 'When.';
SELECT tenant_table('task_supervision_step');
