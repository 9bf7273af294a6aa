-- Articles that are short again and again.

ALTER TABLE task DROP CONSTRAINT task_kind_check;
ALTER TABLE task ADD CONSTRAINT task_kind_check CHECK (kind BETWEEN 1 AND 12 OR kind IN (20, 21)) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_kind_check;
ALTER TABLE department_pause DROP CONSTRAINT department_pause_kind_check;
ALTER TABLE department_pause
    ADD CONSTRAINT department_pause_kind_check CHECK (kind BETWEEN 0 AND 12 OR kind IN (20, 21)) NOT VALID;
ALTER TABLE department_pause VALIDATE CONSTRAINT department_pause_kind_check;

CREATE TABLE stock_alert (
    tenant_id     text        NOT NULL,
    alert_id      uuid        NOT NULL,
    sku           text        NOT NULL,
    department_id text        NOT NULL,
    case_id       uuid        NOT NULL,
    tasks         integer     NOT NULL,
    quantity      integer     NOT NULL,
    raised_at     timestamptz NOT NULL,
    closed_at     timestamptz,
    CONSTRAINT stock_alert_pkey PRIMARY KEY (tenant_id, alert_id)
);
COMMENT ON TABLE stock_alert IS 'That an article was short for three tasks within seven days: a task of the department that said so last. Rows stay.';
COMMENT ON COLUMN stock_alert.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN stock_alert.alert_id IS 'Identity, a UUID version 7: that of the task it was raised as.';
COMMENT ON COLUMN stock_alert.sku IS 'The article.';
COMMENT ON COLUMN stock_alert.department_id IS 'The department that is to see to it.';
COMMENT ON COLUMN stock_alert.case_id IS 'The case whose task made it due.';
COMMENT ON COLUMN stock_alert.tasks IS 'How many tasks lacked the article within seven days.';
COMMENT ON COLUMN stock_alert.quantity IS 'How many pieces they were for.';
COMMENT ON COLUMN stock_alert.raised_at IS 'When it was raised.';
COMMENT ON COLUMN stock_alert.closed_at IS 'When its task was completed; null before.';
CREATE UNIQUE INDEX stock_alert_one_open ON stock_alert (tenant_id, sku) WHERE closed_at IS NULL;
COMMENT ON INDEX stock_alert_one_open IS 'An article has one open alert at most.';
SELECT tenant_table('stock_alert');
