-- How often end users were wrong about secret codes of late: counted here, so that all
-- replicas count together. The table is new and empty.

CREATE TABLE wrong_code (
    tenant_id   text        NOT NULL,
    key         bytea       NOT NULL,
    forgiven_at timestamptz NOT NULL,
    CONSTRAINT wrong_code_pkey PRIMARY KEY (tenant_id, key)
);
COMMENT ON TABLE wrong_code IS 'Who was wrong about receipt codes and survey codes of late; a row is gone soon after all of it is forgiven.';
COMMENT ON COLUMN wrong_code.tenant_id IS 'Whose codes were guessed at.';
COMMENT ON COLUMN wrong_code.key IS 'SHA-256 of who guessed: the caller, and the end user whom they named.';
COMMENT ON COLUMN wrong_code.forgiven_at IS 'When the wrong codes of so far will all be forgiven.';
CREATE INDEX wrong_code_forgiven ON wrong_code (tenant_id, forgiven_at);
SELECT tenant_table('wrong_code');
