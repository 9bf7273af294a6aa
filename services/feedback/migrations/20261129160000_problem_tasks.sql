-- What departments are asked about problems, by people and by hints.

ALTER TABLE signal_setting ADD COLUMN hints jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN signal_setting.hints IS 'What departments are asked by themselves when a signal is raised: a list of kind, department_id, category, product, region, instructions.';

CREATE TABLE problem_task (
    tenant_id            text        NOT NULL,
    task_id              uuid        NOT NULL,
    problem_id           uuid        NOT NULL,
    kind                 smallint    NOT NULL,
    department_id        text        NOT NULL,
    instructions         text        NOT NULL,
    requester            text        NOT NULL,
    created_at           timestamptz NOT NULL,
    requested_at         timestamptz,
    case_id              uuid,
    cycle                integer,
    state                smallint    NOT NULL,
    answer_department_id text        NOT NULL DEFAULT '',
    reference            text        NOT NULL DEFAULT '',
    answer               text        NOT NULL DEFAULT '',
    answered_at          timestamptz,
    CONSTRAINT problem_task_pkey PRIMARY KEY (tenant_id, task_id),
    CONSTRAINT problem_task_kind_check CHECK (kind IN (1, 2)),
    CONSTRAINT problem_task_state_check CHECK (state BETWEEN 1 AND 5),
    CONSTRAINT problem_task_case_check CHECK (num_nonnulls(requested_at, case_id, cycle) IN (0, 3)),
    CONSTRAINT problem_task_requested_check CHECK (state IN (1, 5) OR requested_at IS NOT NULL),
    CONSTRAINT problem_task_answered_check CHECK ((state > 2) = (answered_at IS NOT NULL))
);
COMMENT ON TABLE problem_task IS 'What departments are asked about problems. Rows stay.';
COMMENT ON COLUMN problem_task.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN problem_task.task_id IS 'Identity, a UUID version 7: that of the department''s task in resolution.';
COMMENT ON COLUMN problem_task.problem_id IS 'The problem.';
COMMENT ON COLUMN problem_task.kind IS 'redress.feedback.v1.ProblemTaskKind.';
COMMENT ON COLUMN problem_task.department_id IS 'The department that is asked.';
COMMENT ON COLUMN problem_task.instructions IS 'What it should know, beside the title of the problem.';
COMMENT ON COLUMN problem_task.requester IS 'Subject of who asked; empty where a hint did.';
COMMENT ON COLUMN problem_task.created_at IS 'When it was asked for.';
COMMENT ON COLUMN problem_task.requested_at IS 'When the department was asked; null while no case is linked, or if it never was.';
COMMENT ON COLUMN problem_task.case_id IS 'The case that the task is in; null likewise.';
COMMENT ON COLUMN problem_task.cycle IS 'The cycle of the case; null likewise.';
COMMENT ON COLUMN problem_task.state IS 'redress.feedback.v1.ProblemTaskState.';
COMMENT ON COLUMN problem_task.answer_department_id IS 'The department that answered or gave up; empty before.';
COMMENT ON COLUMN problem_task.reference IS 'Its own number for what it did; may be empty.';
COMMENT ON COLUMN problem_task.answer IS 'What it answered, why it gave up, or why it was refused; empty before.';
COMMENT ON COLUMN problem_task.answered_at IS 'When that was; null before.';
CREATE INDEX problem_task_by_problem ON problem_task (tenant_id, problem_id, task_id);
CREATE INDEX problem_task_by_state ON problem_task (tenant_id, state, task_id);
-- A hint asks once.
CREATE UNIQUE INDEX problem_task_of_hint ON problem_task (tenant_id, problem_id, kind, department_id) WHERE requester = '';
SELECT tenant_table('problem_task');
