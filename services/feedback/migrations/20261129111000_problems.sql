-- Problems: what many complaints have in common, and its root cause.

CREATE TABLE problem (
    tenant_id     text        NOT NULL,
    problem_id    uuid        NOT NULL,
    version       bigint      NOT NULL,
    title         text        NOT NULL,
    description   text        NOT NULL,
    has_series    boolean     NOT NULL,
    category      text,
    product       text,
    region        text,
    state         smallint    NOT NULL,
    cause         text        NOT NULL DEFAULT '',
    cause_version bigint      NOT NULL DEFAULT 0,
    opened_at     timestamptz NOT NULL,
    opener        text        NOT NULL,
    closed_at     timestamptz,
    closer        text        NOT NULL DEFAULT '',
    conclusion    text        NOT NULL DEFAULT '',
    CONSTRAINT problem_pkey PRIMARY KEY (tenant_id, problem_id),
    CONSTRAINT problem_state_check CHECK (state IN (1, 2)),
    CONSTRAINT problem_closed_check CHECK ((state = 2) = (closed_at IS NOT NULL))
);
COMMENT ON TABLE problem IS 'What many complaints have in common, and its root cause.';
COMMENT ON COLUMN problem.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN problem.problem_id IS 'Identity.';
COMMENT ON COLUMN problem.version IS 'Counts what people do to it.';
COMMENT ON COLUMN problem.title IS 'What it is, in one line.';
COMMENT ON COLUMN problem.description IS 'What is known of it.';
COMMENT ON COLUMN problem.has_series IS 'Whether signals join it: those of the series the next three columns say.';
COMMENT ON COLUMN problem.category IS 'Category of that series; null for all.';
COMMENT ON COLUMN problem.product IS 'Product of that series; null for all.';
COMMENT ON COLUMN problem.region IS 'Region of that series; null for all.';
COMMENT ON COLUMN problem.state IS 'redress.feedback.v1.ProblemState.';
COMMENT ON COLUMN problem.cause IS 'Path of its root cause; empty while none is named.';
COMMENT ON COLUMN problem.cause_version IS 'Version of the taxonomy that it is of.';
COMMENT ON COLUMN problem.opened_at IS 'When it was opened.';
COMMENT ON COLUMN problem.opener IS 'Subject of who opened it; empty where a signal did.';
COMMENT ON COLUMN problem.closed_at IS 'When it was closed; null while it is open.';
COMMENT ON COLUMN problem.closer IS 'Subject of who closed it; empty while it is open.';
COMMENT ON COLUMN problem.conclusion IS 'What came of it; empty while it is open.';
CREATE INDEX problem_by_time ON problem (tenant_id, opened_at, problem_id);
CREATE INDEX problem_by_state ON problem (tenant_id, state, opened_at, problem_id);
-- One open problem of a series at a time.
CREATE UNIQUE INDEX problem_of_series ON problem
    (tenant_id, coalesce(category, ''), coalesce(product, ''), coalesce(region, '')) WHERE state = 1 AND has_series;
SELECT tenant_table('problem');

CREATE TABLE problem_case (
    tenant_id  text        NOT NULL,
    problem_id uuid        NOT NULL,
    case_id    uuid        NOT NULL,
    linked     boolean     NOT NULL,
    linked_at  timestamptz NOT NULL,
    linker     text        NOT NULL,
    CONSTRAINT problem_case_pkey PRIMARY KEY (tenant_id, problem_id, case_id)
);
COMMENT ON TABLE problem_case IS 'Cases of problems. One that was taken out keeps its row: no signal links it again.';
COMMENT ON COLUMN problem_case.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN problem_case.problem_id IS 'The problem.';
COMMENT ON COLUMN problem_case.case_id IS 'The case.';
COMMENT ON COLUMN problem_case.linked IS 'Whether it is linked, or was taken out.';
COMMENT ON COLUMN problem_case.linked_at IS 'When it was last linked or taken out.';
COMMENT ON COLUMN problem_case.linker IS 'Subject of who did; empty where a signal linked it.';
SELECT tenant_table('problem_case');

COMMENT ON COLUMN revision.subject IS 'What it settles: 1 the questionnaire of surveys, 2 who is called back, 3 the words of a notice, 4 quiet hours, 9 root causes.';
