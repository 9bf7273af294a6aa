-- One row per case, changed a dozen times in its life; and its timeline, only ever
-- appended to.

CREATE TABLE cases (
    tenant_id              text        NOT NULL,
    case_id                uuid        NOT NULL,
    version                bigint      NOT NULL,
    state                  smallint    NOT NULL,
    cycle                  integer     NOT NULL,
    tier                   integer     NOT NULL,
    priority               smallint    NOT NULL,
    outcome                smallint,
    channel                smallint    NOT NULL,
    entries                integer     NOT NULL,
    received_at            timestamptz NOT NULL,
    opened_at              timestamptz NOT NULL,
    resolved_at            timestamptz,
    closed_at              timestamptz,
    first_assigned_at      timestamptz,
    first_resolved_at      timestamptz,
    category               text        NOT NULL,
    triage_reasons         text        NOT NULL,
    subject                text        NOT NULL,
    language               text        NOT NULL,
    customer_id            text        NOT NULL,
    respondent_staff       text        NOT NULL,
    amount_sought_minor    bigint,
    amount_sought_currency text,
    department_id          text        NOT NULL,
    agent_id               text        NOT NULL,
    findings               text        NOT NULL,
    root_cause             text        NOT NULL,
    decision_reasons       text        NOT NULL,
    traceparent            text        NOT NULL,
    receipt_hash           bytea,
    CONSTRAINT cases_pkey PRIMARY KEY (tenant_id, case_id),
    CONSTRAINT cases_state_known CHECK (state BETWEEN 1 AND 10),
    CONSTRAINT cases_priority_known CHECK (priority BETWEEN 1 AND 4),
    CONSTRAINT cases_outcome_known CHECK (outcome BETWEEN 1 AND 3),
    CONSTRAINT cases_amount_whole CHECK ((amount_sought_minor IS NULL) = (amount_sought_currency IS NULL))
) WITH (fillfactor = 70); -- room for the next version of a row beside it (HOT)
COMMENT ON TABLE cases IS 'Every case as it stands. Bears the id of its complaint, a UUID version 7: ordered by id is ordered by registration.';
COMMENT ON COLUMN cases.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN cases.case_id IS 'The complaint''s id.';
COMMENT ON COLUMN cases.version IS 'Counts the changes a caller can see; entries of the timeline alone do not count.';
COMMENT ON COLUMN cases.state IS 'redress.cases.v1.CaseState.';
COMMENT ON COLUMN cases.cycle IS 'Which attempt at resolution this is, from 1.';
COMMENT ON COLUMN cases.tier IS 'How many levels up it has been raised.';
COMMENT ON COLUMN cases.priority IS 'redress.cases.v1.Priority.';
COMMENT ON COLUMN cases.outcome IS 'redress.cases.v1.Outcome of this cycle; null before it is decided.';
COMMENT ON COLUMN cases.channel IS 'redress.intake.v1.Channel.';
COMMENT ON COLUMN cases.entries IS 'How many entries its timeline has, which is the ordinal of the last.';
COMMENT ON COLUMN cases.received_at IS 'When the complaint was registered at intake.';
COMMENT ON COLUMN cases.opened_at IS 'When the case was opened here.';
COMMENT ON COLUMN cases.resolved_at IS 'When this cycle''s outcome took effect; null before.';
COMMENT ON COLUMN cases.closed_at IS 'When it was closed, withdrawn or declined; null while open.';
COMMENT ON COLUMN cases.first_assigned_at IS 'When a handler was first found, whatever came after.';
COMMENT ON COLUMN cases.first_resolved_at IS 'When an outcome first took effect, whatever came after.';
COMMENT ON COLUMN cases.category IS 'What it is about, as a path.';
COMMENT ON COLUMN cases.triage_reasons IS 'Why triage decided so, a line for each rule that matched.';
COMMENT ON COLUMN cases.subject IS 'One line, in the complainant''s words.';
COMMENT ON COLUMN cases.language IS 'Language to answer in, BCP 47.';
COMMENT ON COLUMN cases.customer_id IS 'The organisation''s number for the customer; empty when unknown.';
COMMENT ON COLUMN cases.respondent_staff IS 'Member of staff complained about; empty when none.';
COMMENT ON COLUMN cases.amount_sought_minor IS 'Sum asked for, in the currency''s smallest unit; null when none was named.';
COMMENT ON COLUMN cases.amount_sought_currency IS 'Its ISO 4217 code.';
COMMENT ON COLUMN cases.department_id IS 'Department the case lies with; empty before assignment.';
COMMENT ON COLUMN cases.agent_id IS 'Agent who handles it; empty while nobody does.';
COMMENT ON COLUMN cases.findings IS 'What this cycle''s investigation found; empty before.';
COMMENT ON COLUMN cases.root_cause IS 'Root cause as far as known; empty before.';
COMMENT ON COLUMN cases.decision_reasons IS 'Why this cycle''s outcome was decided so; empty before.';
COMMENT ON COLUMN cases.traceparent IS 'W3C trace context of the submission; empty when untraced.';
COMMENT ON COLUMN cases.receipt_hash IS 'SHA-256 of the receipt code; null for a complaint without one.';
-- A move changes the state and so renews its entry in every index: there are only
-- those a list or a look-up stands on.
CREATE INDEX cases_by_state ON cases (tenant_id, state, case_id);
CREATE INDEX cases_by_agent ON cases (tenant_id, agent_id, case_id) WHERE agent_id <> '';
CREATE INDEX cases_by_customer ON cases (tenant_id, customer_id, case_id) WHERE customer_id <> '';
CREATE UNIQUE INDEX cases_by_receipt ON cases (tenant_id, receipt_hash) WHERE receipt_hash IS NOT NULL;
SELECT tenant_table('cases');

CREATE TABLE timeline (
    tenant_id   text        NOT NULL,
    case_id     uuid        NOT NULL,
    ordinal     integer     NOT NULL,
    cycle       integer     NOT NULL,
    kind        smallint    NOT NULL,
    visibility  smallint    NOT NULL,
    happened_at timestamptz NOT NULL,
    actor       text        NOT NULL,
    text        text        NOT NULL,
    trace_id    text        NOT NULL,
    CONSTRAINT timeline_pkey PRIMARY KEY (tenant_id, case_id, ordinal),
    CONSTRAINT timeline_kind_known CHECK (kind BETWEEN 1 AND 20),
    CONSTRAINT timeline_visibility_known CHECK (visibility BETWEEN 1 AND 3)
);
COMMENT ON TABLE timeline IS 'What happened to a case, immutable. Written under the lock of its case, hence no foreign key to check.';
COMMENT ON COLUMN timeline.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN timeline.case_id IS 'The case.';
COMMENT ON COLUMN timeline.ordinal IS 'Place in the case''s timeline, from 1, without gaps.';
COMMENT ON COLUMN timeline.cycle IS 'The cycle it belongs to.';
COMMENT ON COLUMN timeline.kind IS 'redress.cases.v1.TimelineKind.';
COMMENT ON COLUMN timeline.visibility IS 'redress.cases.v1.Visibility.';
COMMENT ON COLUMN timeline.happened_at IS 'When it happened.';
COMMENT ON COLUMN timeline.actor IS 'A person''s subject, or a service in angle brackets.';
COMMENT ON COLUMN timeline.text IS 'What happened, in a sentence.';
COMMENT ON COLUMN timeline.trace_id IS 'Trace it happened in, 32 hexadecimal digits; empty when untraced.';
SELECT tenant_table('timeline');

CREATE TABLE early_notices (
    tenant_id   text     NOT NULL,
    case_id     uuid     NOT NULL,
    kind        smallint NOT NULL,
    cycle       integer  NOT NULL,
    failure     text,
    traceparent text     NOT NULL,
    CONSTRAINT early_notices_pkey PRIMARY KEY (tenant_id, case_id, kind, cycle)
);
COMMENT ON TABLE early_notices IS 'Notices settled before their case was opened here: feedback acknowledges a complaint without waiting for us. Kept until the case is opened, then they are entries of its timeline.';
COMMENT ON COLUMN early_notices.tenant_id IS 'Whose case it will be.';
COMMENT ON COLUMN early_notices.case_id IS 'The complaint''s id.';
COMMENT ON COLUMN early_notices.kind IS 'redress.feedback.v1.NoticeKind.';
COMMENT ON COLUMN early_notices.cycle IS 'The cycle it belongs to.';
COMMENT ON COLUMN early_notices.failure IS 'Why it was not delivered; null when it was.';
COMMENT ON COLUMN early_notices.traceparent IS 'W3C trace context of its delivery; empty when untraced.';
SELECT tenant_table('early_notices');
