-- Many complainants, one matter.

CREATE TABLE complaint_group (
    tenant_id       text        NOT NULL,
    group_id        uuid        NOT NULL,
    version         bigint      NOT NULL,
    title           text        NOT NULL,
    matter          smallint    NOT NULL,
    members         integer     NOT NULL,
    representatives integer     NOT NULL,
    alarm_at        timestamptz,
    created_at      timestamptz NOT NULL,
    CONSTRAINT complaint_group_pkey PRIMARY KEY (tenant_id, group_id),
    CONSTRAINT complaint_group_matter_known CHECK (matter BETWEEN 1 AND 2),
    CONSTRAINT complaint_group_counts_sane CHECK (representatives BETWEEN 0 AND members)
);
COMMENT ON TABLE complaint_group IS 'Groups of cases about one matter. The lock on a row guards its members and its alarm: who changes either holds it.';
COMMENT ON COLUMN complaint_group.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN complaint_group.group_id IS 'Identity (UUID version 7: sorts by time).';
COMMENT ON COLUMN complaint_group.version IS 'Counts the changes.';
COMMENT ON COLUMN complaint_group.title IS 'What it is about.';
COMMENT ON COLUMN complaint_group.matter IS 'redress.intake.v1.Matter of all its cases.';
COMMENT ON COLUMN complaint_group.members IS 'How many cases are in it.';
COMMENT ON COLUMN complaint_group.representatives IS 'How many of them are representatives''.';
COMMENT ON COLUMN complaint_group.alarm_at IS 'When it reached its size of alarm; null before. Never set again.';
COMMENT ON COLUMN complaint_group.created_at IS 'When it was registered.';
SELECT tenant_table('complaint_group');

CREATE TABLE group_member (
    tenant_id      text        NOT NULL,
    case_id        uuid        NOT NULL,
    group_id       uuid        NOT NULL,
    representative boolean     NOT NULL,
    actor          text        NOT NULL,
    joined_at      timestamptz NOT NULL,
    CONSTRAINT group_member_pkey PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE group_member IS 'Which case is in which group: at most one.';
COMMENT ON COLUMN group_member.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN group_member.case_id IS 'The case.';
COMMENT ON COLUMN group_member.group_id IS 'Its group.';
COMMENT ON COLUMN group_member.representative IS 'Whether its complainant speaks for all.';
COMMENT ON COLUMN group_member.actor IS 'Who added it.';
COMMENT ON COLUMN group_member.joined_at IS 'When.';
CREATE INDEX group_member_of_group ON group_member (tenant_id, group_id, case_id);
COMMENT ON INDEX group_member_of_group IS 'The members of a group, in the order of their registration.';
SELECT tenant_table('group_member');

CREATE TABLE group_policy (
    tenant_id           text    NOT NULL,
    max_representatives integer NOT NULL,
    alarm_from          integer NOT NULL,
    reason              text    NOT NULL,
    CONSTRAINT group_policy_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE group_policy IS 'What a tenant has decided about groups; without a row, what regulation advises.';
COMMENT ON COLUMN group_policy.tenant_id IS 'Who has decided.';
COMMENT ON COLUMN group_policy.max_representatives IS 'Most representatives of a group.';
COMMENT ON COLUMN group_policy.alarm_from IS 'Cases from which a group raises the alarm.';
COMMENT ON COLUMN group_policy.reason IS 'Why it was decided so.';
SELECT tenant_table('group_policy');
