-- Which departments there are, as the assignment service tells: nothing is planned for
-- others, and nobody polls for them.

CREATE TABLE department (
    tenant_id     text NOT NULL,
    department_id text NOT NULL,
    CONSTRAINT department_pkey PRIMARY KEY (tenant_id, department_id)
);
COMMENT ON TABLE department IS 'The departments the assignment service has told of. They are never removed.';
COMMENT ON COLUMN department.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN department.department_id IS 'Its id.';
SELECT tenant_table('department');
