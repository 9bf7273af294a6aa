-- What is promised about a case and by when: its clocks, and the policies that
-- say so.

ALTER TABLE timeline DROP CONSTRAINT timeline_kind_known;
ALTER TABLE timeline ADD CONSTRAINT timeline_kind_known CHECK (kind BETWEEN 1 AND 25);

CREATE TABLE policy (
    tenant_id    text        NOT NULL,
    version      integer     NOT NULL,
    pack         jsonb       NOT NULL,
    shipped      boolean     NOT NULL,
    ladders      jsonb       NOT NULL,
    note         text        NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   text        NOT NULL,
    activated_at timestamptz,
    activated_by text        NOT NULL,
    CONSTRAINT policy_pkey PRIMARY KEY (tenant_id, version),
    CONSTRAINT policy_version_positive CHECK (version > 0)
);
COMMENT ON TABLE policy IS 'What a tenant promises, and what is done as time runs out. A version never changes but for its activation; of those activated, the latest whose pack applies to the day of receipt is in force. A tenant without any has the shipped one.';
COMMENT ON COLUMN policy.tenant_id IS 'Whose policy it is.';
COMMENT ON COLUMN policy.version IS 'Counts the tenant''s policies, from 1.';
COMMENT ON COLUMN policy.pack IS 'The promises, as data; a shipped pack is kept as it was when the policy was made.';
COMMENT ON COLUMN policy.shipped IS 'Whether the pack is one that is shipped.';
COMMENT ON COLUMN policy.ladders IS 'What is done on the way to a due time and after it.';
COMMENT ON COLUMN policy.note IS 'Why there is this version.';
COMMENT ON COLUMN policy.created_at IS 'When it was made.';
COMMENT ON COLUMN policy.created_by IS 'Who made it.';
COMMENT ON COLUMN policy.activated_at IS 'When it was last activated; null before.';
COMMENT ON COLUMN policy.activated_by IS 'Who did; empty before.';
SELECT tenant_table('policy');

CREATE TABLE clock (
    tenant_id  text        NOT NULL,
    case_id    uuid        NOT NULL,
    kind       smallint    NOT NULL,
    cycle      integer     NOT NULL,
    policy     integer     NOT NULL,
    calendar   text        NOT NULL,
    own_target boolean     NOT NULL,
    unverified boolean     NOT NULL,
    is_open    boolean     NOT NULL,
    due_at     timestamptz,
    rungs      text[]      NOT NULL,
    clock      jsonb       NOT NULL,
    CONSTRAINT clock_pkey PRIMARY KEY (tenant_id, case_id, kind, cycle),
    CONSTRAINT clock_kind_known CHECK (kind BETWEEN 1 AND 12)
) WITH (fillfactor = 80); -- room for the next version of a row beside it
COMMENT ON TABLE clock IS 'The promises about cases. Written under the lock of their case. What is due next is armed as one timer of the case, kind clock.';
COMMENT ON COLUMN clock.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN clock.case_id IS 'The case.';
COMMENT ON COLUMN clock.kind IS 'redress.cases.v1.ClockKind.';
COMMENT ON COLUMN clock.cycle IS 'The cycle it was started in; a regulatory clock runs on through later ones.';
COMMENT ON COLUMN clock.policy IS 'Version of the tenant''s policy; 0 is the shipped one.';
COMMENT ON COLUMN clock.calendar IS 'Name of the calendar it is counted by.';
COMMENT ON COLUMN clock.own_target IS 'Set by the organisation itself, not by a regime.';
COMMENT ON COLUMN clock.unverified IS 'The promise was not read in a source.';
COMMENT ON COLUMN clock.is_open IS 'Neither met nor stopped.';
COMMENT ON COLUMN clock.due_at IS 'Its due time as last worked out from the clock, for lists; null while it is paused without a cap.';
COMMENT ON COLUMN clock.rungs IS 'The steps of its ladder that were taken, each once, and breach once that was told.';
COMMENT ON COLUMN clock.clock IS 'The clock: terms, start, runs, pauses, state. The due time follows from it and the calendar.';
-- What an edit of a calendar or a policy would move.
CREATE INDEX clock_open ON clock (tenant_id, calendar, case_id) WHERE is_open;
SELECT tenant_table('clock');

CREATE TABLE extension (
    tenant_id    text        NOT NULL,
    extension_id uuid        NOT NULL,
    case_id      uuid        NOT NULL,
    kind         smallint    NOT NULL,
    cycle        integer     NOT NULL,
    state        smallint    NOT NULL,
    amount       integer     NOT NULL,
    reason       text        NOT NULL,
    requested_by text        NOT NULL,
    requested_at timestamptz NOT NULL,
    decided_by   text        NOT NULL,
    decided_at   timestamptz,
    refusal      text        NOT NULL,
    CONSTRAINT extension_pkey PRIMARY KEY (tenant_id, extension_id),
    CONSTRAINT extension_state_known CHECK (state BETWEEN 1 AND 3),
    CONSTRAINT extension_decided CHECK ((state = 1) = (decided_at IS NULL))
);
COMMENT ON TABLE extension IS 'More time for a clock, asked for and decided. Written under the lock of the case.';
COMMENT ON COLUMN extension.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN extension.extension_id IS 'Identity.';
COMMENT ON COLUMN extension.case_id IS 'The case.';
COMMENT ON COLUMN extension.kind IS 'redress.cases.v1.ClockKind.';
COMMENT ON COLUMN extension.cycle IS 'The cycle the clock was started in.';
COMMENT ON COLUMN extension.state IS 'redress.cases.v1.ExtensionState.';
COMMENT ON COLUMN extension.amount IS 'How much more, in the unit of the clock''s budget.';
COMMENT ON COLUMN extension.reason IS 'Why, in words the complainant may read.';
COMMENT ON COLUMN extension.requested_by IS 'Who asked.';
COMMENT ON COLUMN extension.requested_at IS 'When.';
COMMENT ON COLUMN extension.decided_by IS 'Who decided; empty while pending, and where nobody had to.';
COMMENT ON COLUMN extension.decided_at IS 'When; null while pending.';
COMMENT ON COLUMN extension.refusal IS 'Why it was refused; else empty.';
CREATE INDEX extension_by_case ON extension (tenant_id, case_id, extension_id);
CREATE UNIQUE INDEX extension_pending ON extension (tenant_id, case_id, kind) WHERE state = 1;
SELECT tenant_table('extension');
