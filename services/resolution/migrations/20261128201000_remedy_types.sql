-- Types of remedy of a tenant's own, and the steps, tasks and results of them.

CREATE TABLE remedy_type (
    tenant_id   text        NOT NULL,
    type_id     text        NOT NULL,
    newest      bigint      NOT NULL,
    disabled_at timestamptz,
    CONSTRAINT remedy_type_pkey PRIMARY KEY (tenant_id, type_id)
);
COMMENT ON TABLE remedy_type IS 'Types of remedy of a tenant''s own. A row is locked by whoever sets or disables its type, and shared by who proposes a plan with it.';
COMMENT ON COLUMN remedy_type.tenant_id IS 'Whose type it is.';
COMMENT ON COLUMN remedy_type.type_id IS 'Its name.';
COMMENT ON COLUMN remedy_type.newest IS 'The version that holds for plans that are proposed.';
COMMENT ON COLUMN remedy_type.disabled_at IS 'Since when no plan may be proposed with it; null while one may.';
SELECT tenant_table('remedy_type');

CREATE TABLE remedy_type_version (
    tenant_id         text        NOT NULL,
    type_id           text        NOT NULL,
    version           bigint      NOT NULL,
    title             text        NOT NULL,
    department_id     text,
    input_schema      text        NOT NULL,
    result_schema     text        NOT NULL,
    moves_value       boolean     NOT NULL,
    attempt_seconds   integer     NOT NULL CHECK (attempt_seconds > 0),
    undo_instructions text,
    creator           text        NOT NULL,
    created_at        timestamptz NOT NULL,
    CONSTRAINT remedy_type_version_pkey PRIMARY KEY (tenant_id, type_id, version)
);
COMMENT ON TABLE remedy_type_version IS 'Every version of every type of remedy; none ever changes.';
COMMENT ON COLUMN remedy_type_version.tenant_id IS 'Whose type it is.';
COMMENT ON COLUMN remedy_type_version.type_id IS 'The type.';
COMMENT ON COLUMN remedy_type_version.version IS 'In the order of creation, from 1.';
COMMENT ON COLUMN remedy_type_version.title IS 'Title for people.';
COMMENT ON COLUMN remedy_type_version.department_id IS 'Who does it where a step does not say; null where each must.';
COMMENT ON COLUMN remedy_type_version.input_schema IS 'JSON Schema of what a step of it brings, as it was written.';
COMMENT ON COLUMN remedy_type_version.result_schema IS 'JSON Schema of what comes of a task of it, as it was written.';
COMMENT ON COLUMN remedy_type_version.moves_value IS 'Whether doing it twice costs twice.';
COMMENT ON COLUMN remedy_type_version.attempt_seconds IS 'How long one attempt may go on.';
COMMENT ON COLUMN remedy_type_version.undo_instructions IS 'What the department is told when it is to be undone; null where it cannot be.';
COMMENT ON COLUMN remedy_type_version.creator IS 'Subject of who wrote it.';
COMMENT ON COLUMN remedy_type_version.created_at IS 'When.';
SELECT tenant_table('remedy_type_version');

ALTER TABLE plan_step
    ADD COLUMN remedy_type text,
    ADD COLUMN remedy_type_version bigint,
    ADD COLUMN input text,
    ADD COLUMN moves_value boolean,
    ADD COLUMN attempt_seconds integer,
    ADD COLUMN undo_instructions text;
COMMENT ON COLUMN plan_step.remedy_type IS 'The tenant''s own type that it is of; null for every other kind.';
COMMENT ON COLUMN plan_step.remedy_type_version IS 'The version it was proposed under; null for every other kind.';
COMMENT ON COLUMN plan_step.input IS 'What is needed for it, a JSON object as it was written; null for every other kind.';
COMMENT ON COLUMN plan_step.moves_value IS 'As the version of its type has it; null for every other kind.';
COMMENT ON COLUMN plan_step.attempt_seconds IS 'As the version of its type has it; null for every other kind.';
COMMENT ON COLUMN plan_step.undo_instructions IS 'As the version of its type has it; null where it cannot be undone, and for every other kind.';
ALTER TABLE plan_step DROP CONSTRAINT plan_step_kind_check;
ALTER TABLE plan_step ADD CONSTRAINT plan_step_kind_check CHECK (kind BETWEEN 1 AND 13) NOT VALID;
ALTER TABLE plan_step VALIDATE CONSTRAINT plan_step_kind_check;
ALTER TABLE plan_step ADD CONSTRAINT plan_step_custom CHECK (
    num_nonnulls(remedy_type, remedy_type_version, input, moves_value, attempt_seconds)
        = CASE WHEN kind = 13 THEN 5 ELSE 0 END) NOT VALID;
ALTER TABLE plan_step VALIDATE CONSTRAINT plan_step_custom;

ALTER TABLE task
    ADD COLUMN remedy_type text,
    ADD COLUMN remedy_type_version bigint,
    ADD COLUMN input text,
    ADD COLUMN moves_value boolean,
    ADD COLUMN attempt_seconds integer,
    ADD COLUMN undo_instructions text,
    ADD COLUMN result_output text;
COMMENT ON COLUMN task.remedy_type IS 'The tenant''s own type that it is of; null for every other kind.';
COMMENT ON COLUMN task.remedy_type_version IS 'The version its step was proposed under; null for every other kind.';
COMMENT ON COLUMN task.input IS 'What is needed for it, a JSON object as it was written; null for every other kind.';
COMMENT ON COLUMN task.moves_value IS 'As the version of its type has it; null for every other kind.';
COMMENT ON COLUMN task.attempt_seconds IS 'As the version of its type has it; null for every other kind.';
COMMENT ON COLUMN task.undo_instructions IS 'As the version of its type has it; null where it cannot be undone, and for every other kind.';
COMMENT ON COLUMN task.result_output IS 'What came of it, a JSON object as it was written; null or empty for every other kind.';
ALTER TABLE task DROP CONSTRAINT task_kind_check;
ALTER TABLE task ADD CONSTRAINT task_kind_check CHECK (kind BETWEEN 1 AND 13 OR kind IN (20, 21)) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_kind_check;
ALTER TABLE task ADD CONSTRAINT task_custom CHECK (
    num_nonnulls(remedy_type, remedy_type_version, input, moves_value, attempt_seconds)
        = CASE WHEN kind = 13 THEN 5 ELSE 0 END) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_custom;

ALTER TABLE task_proposal ADD COLUMN result_output text;
COMMENT ON COLUMN task_proposal.result_output IS 'What is proposed to have come of it, a JSON object; null or empty for kinds without.';
ALTER TABLE task_refused_report ADD COLUMN output text NOT NULL DEFAULT '';
COMMENT ON COLUMN task_refused_report.output IS 'What is said to have come of it, a JSON object; empty for kinds without.';

ALTER TABLE department_pause DROP CONSTRAINT department_pause_kind_check;
ALTER TABLE department_pause
    ADD CONSTRAINT department_pause_kind_check CHECK (kind BETWEEN 0 AND 13 OR kind IN (20, 21)) NOT VALID;
ALTER TABLE department_pause VALIDATE CONSTRAINT department_pause_kind_check;
