-- Actions about problems: who sees to them, by when, and what was found of them.

CREATE TABLE improvement_action (
    tenant_id    text        NOT NULL,
    action_id    uuid        NOT NULL,
    version      bigint      NOT NULL,
    problem_id   uuid        NOT NULL,
    kind         smallint    NOT NULL,
    title        text        NOT NULL,
    owner        text        NOT NULL,
    due_day      date        NOT NULL,
    due_at       timestamptz NOT NULL,
    overdue_told boolean     NOT NULL,
    state        smallint    NOT NULL,
    created_at   timestamptz NOT NULL,
    creator      text        NOT NULL,
    done_at      timestamptz,
    done_by      text        NOT NULL DEFAULT '',
    done_note    text        NOT NULL DEFAULT '',
    assessed_at  timestamptz,
    assessor     text        NOT NULL DEFAULT '',
    finding      text        NOT NULL DEFAULT '',
    CONSTRAINT improvement_action_pkey PRIMARY KEY (tenant_id, action_id),
    CONSTRAINT improvement_action_kind_check CHECK (kind IN (1, 2)),
    CONSTRAINT improvement_action_state_check CHECK (state BETWEEN 1 AND 4),
    CONSTRAINT improvement_action_done_check CHECK ((state > 1) = (done_at IS NOT NULL)),
    CONSTRAINT improvement_action_assessed_check CHECK ((state > 2) = (assessed_at IS NOT NULL))
);
COMMENT ON TABLE improvement_action IS 'What is done about problems.';
COMMENT ON COLUMN improvement_action.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN improvement_action.action_id IS 'Identity.';
COMMENT ON COLUMN improvement_action.version IS 'Counts the changes.';
COMMENT ON COLUMN improvement_action.problem_id IS 'The problem.';
COMMENT ON COLUMN improvement_action.kind IS 'redress.feedback.v1.ImprovementKind.';
COMMENT ON COLUMN improvement_action.title IS 'What is done.';
COMMENT ON COLUMN improvement_action.owner IS 'Subject of who sees to it.';
COMMENT ON COLUMN improvement_action.due_day IS 'By which day.';
COMMENT ON COLUMN improvement_action.due_at IS 'When that day ends, in the tenant''s zone as it was when it was set.';
COMMENT ON COLUMN improvement_action.overdue_told IS 'Whether it was told that it is overdue.';
COMMENT ON COLUMN improvement_action.state IS 'redress.feedback.v1.ImprovementState.';
COMMENT ON COLUMN improvement_action.created_at IS 'When it was created.';
COMMENT ON COLUMN improvement_action.creator IS 'Subject of who created it.';
COMMENT ON COLUMN improvement_action.done_at IS 'When it was done; null while it is open.';
COMMENT ON COLUMN improvement_action.done_by IS 'Subject of who said so; empty while it is open.';
COMMENT ON COLUMN improvement_action.done_note IS 'What was done; empty while it is open.';
COMMENT ON COLUMN improvement_action.assessed_at IS 'When its effect was assessed; null before.';
COMMENT ON COLUMN improvement_action.assessor IS 'Subject of who assessed it; empty before.';
COMMENT ON COLUMN improvement_action.finding IS 'What they found; empty before.';
CREATE INDEX improvement_action_by_time ON improvement_action (tenant_id, created_at, action_id);
CREATE INDEX improvement_action_by_problem ON improvement_action (tenant_id, problem_id, created_at, action_id);
CREATE INDEX improvement_action_due ON improvement_action (due_at, tenant_id) WHERE state = 1 AND NOT overdue_told;
SELECT tenant_table('improvement_action');
SELECT worker_may('improvement_action', 'SELECT');
