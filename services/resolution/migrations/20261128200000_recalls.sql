-- Recalls of articles with a defect: many cases, a task to each department for each.

CREATE TABLE recall (
    tenant_id  text        NOT NULL,
    recall_id  uuid        NOT NULL,
    version    bigint      NOT NULL,
    state      smallint    NOT NULL CHECK (state BETWEEN 1 AND 3),
    sku        text        NOT NULL,
    lot        text        NOT NULL,
    reason     text        NOT NULL,
    notice     text        NOT NULL,
    cases      integer     NOT NULL DEFAULT 0 CHECK (cases >= 0),
    opened_by  text        NOT NULL,
    opened_at  timestamptz NOT NULL,
    ended_by   text        NOT NULL DEFAULT '',
    ended_at   timestamptz,
    end_reason text        NOT NULL DEFAULT '',
    CONSTRAINT recall_pkey PRIMARY KEY (tenant_id, recall_id),
    CONSTRAINT recall_end CHECK ((state = 1) = (ended_at IS NULL))
);
COMMENT ON TABLE recall IS 'A recall of an article, or of a lot of it. Rows stay.';
COMMENT ON COLUMN recall.tenant_id IS 'Whose recall it is.';
COMMENT ON COLUMN recall.recall_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN recall.version IS 'Counts the changes.';
COMMENT ON COLUMN recall.state IS 'RecallState: 1 open, 2 closed, 3 cancelled.';
COMMENT ON COLUMN recall.sku IS 'The article.';
COMMENT ON COLUMN recall.lot IS 'The lot or batch of it; empty means the whole article.';
COMMENT ON COLUMN recall.reason IS 'What is wrong with it, for staff.';
COMMENT ON COLUMN recall.notice IS 'What complainants are to know.';
COMMENT ON COLUMN recall.cases IS 'How many cases are in it.';
COMMENT ON COLUMN recall.opened_by IS 'Subject who opened it.';
COMMENT ON COLUMN recall.opened_at IS 'When.';
COMMENT ON COLUMN recall.ended_by IS 'Subject who closed it or called it off; empty before.';
COMMENT ON COLUMN recall.ended_at IS 'When; null before.';
COMMENT ON COLUMN recall.end_reason IS 'Why; empty before.';
CREATE INDEX recall_state ON recall (tenant_id, state, recall_id);
CREATE INDEX recall_article ON recall (tenant_id, sku, recall_id);
SELECT tenant_table('recall');

CREATE TABLE recall_measure (
    tenant_id     text     NOT NULL,
    recall_id     uuid     NOT NULL,
    number        smallint NOT NULL CHECK (number > 0),
    department_id text     NOT NULL,
    kind          smallint NOT NULL CHECK (kind BETWEEN 1 AND 12 AND kind NOT IN (3, 4, 9)),
    sku           text,
    quantity      integer  CHECK (quantity > 0),
    instructions  text     NOT NULL,
    CONSTRAINT recall_measure_pkey PRIMARY KEY (tenant_id, recall_id, number)
);
COMMENT ON TABLE recall_measure IS 'What one department does for each case of a recall.';
COMMENT ON COLUMN recall_measure.tenant_id IS 'Whose recall it is.';
COMMENT ON COLUMN recall_measure.recall_id IS 'The recall.';
COMMENT ON COLUMN recall_measure.number IS 'Its place among the recall''s, from 1.';
COMMENT ON COLUMN recall_measure.department_id IS 'The department.';
COMMENT ON COLUMN recall_measure.kind IS 'RemedyKind, as numbered in the contract; none that moves money.';
COMMENT ON COLUMN recall_measure.sku IS 'Article that is handed over; null for kinds without.';
COMMENT ON COLUMN recall_measure.quantity IS 'How many of it; null for kinds without.';
COMMENT ON COLUMN recall_measure.instructions IS 'What the department should know.';
SELECT tenant_table('recall_measure');

CREATE TABLE recall_case (
    tenant_id text        NOT NULL,
    recall_id uuid        NOT NULL,
    case_id   uuid        NOT NULL,
    added_by  text        NOT NULL,
    added_at  timestamptz NOT NULL,
    CONSTRAINT recall_case_pkey PRIMARY KEY (tenant_id, recall_id, case_id)
);
COMMENT ON TABLE recall_case IS 'The cases of recalls; each is in one once.';
COMMENT ON COLUMN recall_case.tenant_id IS 'Whose recall it is.';
COMMENT ON COLUMN recall_case.recall_id IS 'The recall.';
COMMENT ON COLUMN recall_case.case_id IS 'The case.';
COMMENT ON COLUMN recall_case.added_by IS 'Subject who added it.';
COMMENT ON COLUMN recall_case.added_at IS 'When.';
SELECT tenant_table('recall_case');

ALTER TABLE task ADD COLUMN recall_id uuid;
COMMENT ON COLUMN task.recall_id IS 'The recall it belongs to; null without one.';
COMMENT ON COLUMN task.plan_id IS 'The plan it belongs to; null for kinds from 20 on, and for tasks of a recall.';
ALTER TABLE task DROP CONSTRAINT task_of_plan;
ALTER TABLE task ADD CONSTRAINT task_of_plan CHECK (num_nonnulls(plan_id, recall_id) = (kind < 20)::integer) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_of_plan;
CREATE INDEX task_recall ON task (tenant_id, recall_id, department_id, state) WHERE recall_id IS NOT NULL;
COMMENT ON INDEX task_recall IS 'How far recalls are, and what of one is open.';
CREATE INDEX task_recall_case ON task (tenant_id, case_id, recall_id) WHERE recall_id IS NOT NULL;

CREATE INDEX plan_step_article ON plan_step (tenant_id, sku, plan_id) WHERE sku IS NOT NULL;
COMMENT ON INDEX plan_step_article IS 'Which plans give an article.';
