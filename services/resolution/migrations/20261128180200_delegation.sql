-- Who approves plans for whom, while they are away.

CREATE TABLE approval_delegation (
    tenant_id     text        NOT NULL,
    delegation_id uuid        NOT NULL,
    delegator     text        NOT NULL,
    delegate      text        NOT NULL,
    start_time    timestamptz NOT NULL,
    end_time      timestamptz NOT NULL,
    reason        text        NOT NULL,
    created_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    CONSTRAINT approval_delegation_pkey PRIMARY KEY (tenant_id, delegation_id),
    CONSTRAINT approval_delegation_times CHECK (start_time < end_time),
    CONSTRAINT approval_delegation_two_persons CHECK (lower(delegator) <> lower(delegate))
);
COMMENT ON TABLE approval_delegation IS 'That one person approves plans on another''s behalf for a time.';
COMMENT ON COLUMN approval_delegation.tenant_id IS 'Whose people they are.';
COMMENT ON COLUMN approval_delegation.delegation_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN approval_delegation.delegator IS 'Subject of who is away.';
COMMENT ON COLUMN approval_delegation.delegate IS 'Subject of who approves on their behalf.';
COMMENT ON COLUMN approval_delegation.start_time IS 'From when.';
COMMENT ON COLUMN approval_delegation.end_time IS 'Until when, not included.';
COMMENT ON COLUMN approval_delegation.reason IS 'Why.';
COMMENT ON COLUMN approval_delegation.created_at IS 'When it was made.';
COMMENT ON COLUMN approval_delegation.revoked_at IS 'When it was revoked; null while it was not.';
CREATE INDEX approval_delegation_delegate ON approval_delegation (tenant_id, lower(delegate), end_time);
CREATE INDEX approval_delegation_delegator ON approval_delegation (tenant_id, lower(delegator), end_time);
SELECT tenant_table('approval_delegation');
