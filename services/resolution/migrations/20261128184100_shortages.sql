-- Tasks that wait for goods or parts their departments lack.

ALTER TABLE task DROP CONSTRAINT task_state_check;
ALTER TABLE task ADD CONSTRAINT task_state_check CHECK (state BETWEEN 1 AND 8) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_state_check;
COMMENT ON COLUMN task.state IS 'TaskState: 1 ready, 2 leased, 3 completed, 4 needs attention, 5 cancelled, 6 outcome unknown, 7 reassigned, 8 awaiting stock.';
COMMENT ON COLUMN task.visible_at IS 'From when it may be handed out: end of the back-off while ready, end of the lease while leased, when the goods are expected while it awaits them.';

CREATE TABLE shortage (
    tenant_id     text        NOT NULL,
    task_id       uuid        NOT NULL,
    number        integer     NOT NULL CHECK (number > 0),
    department_id text        NOT NULL,
    sku           text        NOT NULL,
    expected_at   timestamptz NOT NULL,
    reporter      text        NOT NULL,
    reported_at   timestamptz NOT NULL,
    CONSTRAINT shortage_pkey PRIMARY KEY (tenant_id, task_id, number)
);
COMMENT ON TABLE shortage IS 'What departments said they lacked for their tasks, and when it was expected. Rows stay; of a task, the last counts.';
COMMENT ON COLUMN shortage.tenant_id IS 'Whose task it is.';
COMMENT ON COLUMN shortage.task_id IS 'The task.';
COMMENT ON COLUMN shortage.number IS 'Which of the task''s, from 1.';
COMMENT ON COLUMN shortage.department_id IS 'The department that said so.';
COMMENT ON COLUMN shortage.sku IS 'The article that it lacks.';
COMMENT ON COLUMN shortage.expected_at IS 'When it is expected.';
COMMENT ON COLUMN shortage.reporter IS 'Subject who reported it.';
COMMENT ON COLUMN shortage.reported_at IS 'When.';
CREATE INDEX shortage_article ON shortage (tenant_id, sku, reported_at);
COMMENT ON INDEX shortage_article IS 'How often an article was short of late.';
SELECT tenant_table('shortage');
