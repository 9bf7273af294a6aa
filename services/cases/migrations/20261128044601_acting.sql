-- Who is meant by a name, whose complaints two cases are, and notes that are written
-- once.

CREATE TABLE staff (
    tenant_id    text   NOT NULL,
    agent_id     text   NOT NULL,
    version      bigint NOT NULL,
    name_key     text   NOT NULL,
    CONSTRAINT staff_pkey PRIMARY KEY (tenant_id, agent_id)
);
COMMENT ON TABLE staff IS 'The agents by the names they are registered under, as the assignment service tells of them: who is complained about by name is known by it.';
COMMENT ON COLUMN staff.tenant_id IS 'Whose agent it is.';
COMMENT ON COLUMN staff.agent_id IS 'The subject the agent signs in as, in lower case.';
COMMENT ON COLUMN staff.version IS 'The version of the description; an earlier one that comes late changes nothing.';
COMMENT ON COLUMN staff.name_key IS 'Name for people, in lower case with single spaces.';
CREATE INDEX staff_by_name ON staff (tenant_id, name_key);
COMMENT ON INDEX staff_by_name IS 'Which agents a complainant may mean who wrote a name.';
SELECT tenant_table('staff');

ALTER TABLE sketch ADD COLUMN email_key bigint;
COMMENT ON COLUMN sketch.email_key IS 'Hash of the complainant''s e-mail address in lower case; null when unknown.';
COMMENT ON COLUMN mark.mark IS 'What it is of (0 to 15 a band, 16 order, 17 customer, 18 telephone, 19 e-mail) in front of 48 bits.';

ALTER TABLE cases ADD COLUMN merged_across boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN cases.merged_across IS 'Whether it is merged into the case of other people, who are told as well.';

CREATE TABLE note_key (
    tenant_id  text    NOT NULL,
    case_id    uuid    NOT NULL,
    request_id text    NOT NULL,
    ordinal    integer NOT NULL,
    CONSTRAINT note_key_pkey PRIMARY KEY (tenant_id, case_id, request_id)
);
COMMENT ON TABLE note_key IS 'The idempotency keys that notes were written under, kept for as long as the notes: however late one is repeated, it is not written again.';
COMMENT ON COLUMN note_key.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN note_key.case_id IS 'The case.';
COMMENT ON COLUMN note_key.request_id IS 'The key.';
COMMENT ON COLUMN note_key.ordinal IS 'The entry of the timeline that was written under it.';
SELECT tenant_table('note_key');
