-- Who handles a case, and whom it is about: who may plan what is done about it.

ALTER TABLE case_view ADD COLUMN recused text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN case_view.recused IS 'Whom the complaint is about, in lower case: as the complainant named them, and the subjects of agents of that name.';

CREATE TABLE case_handler (
    tenant_id text NOT NULL,
    case_id   uuid NOT NULL,
    agent_id  text NOT NULL,
    CONSTRAINT case_handler_pkey PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE case_handler IS 'Who handles a case, as the assignment service told last.';
COMMENT ON COLUMN case_handler.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN case_handler.case_id IS 'The case.';
COMMENT ON COLUMN case_handler.agent_id IS 'The agent; empty while it waits for one.';
SELECT tenant_table('case_handler');
