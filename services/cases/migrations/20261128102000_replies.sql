-- What complainants say of a case that was answered, to be put before somebody.

CREATE TABLE reply (
    tenant_id  text        NOT NULL,
    case_id    uuid        NOT NULL,
    replied_at timestamptz NOT NULL,
    CONSTRAINT reply_pkey PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE reply IS 'Cases of which the complainant has said more after they were answered, and nobody has seen to it yet.';
COMMENT ON COLUMN reply.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN reply.case_id IS 'The case.';
COMMENT ON COLUMN reply.replied_at IS 'When they first did.';
SELECT tenant_table('reply');
