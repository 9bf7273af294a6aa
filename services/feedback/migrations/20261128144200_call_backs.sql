-- Call-backs, the attempts at each, and how far the samples of each month are.

CREATE TABLE call_back (
    tenant_id    text        NOT NULL,
    call_back_id uuid        NOT NULL,
    case_id      uuid        NOT NULL,
    cycle        integer     NOT NULL,
    state        smallint    NOT NULL,
    causes       smallint[]  NOT NULL,
    policy       bigint      NOT NULL,
    draw         jsonb,
    time_zone    text        NOT NULL,
    outcome      smallint,
    satisfied    boolean,
    created_at   timestamptz NOT NULL,
    due_at       timestamptz,
    ended_at     timestamptz,
    CONSTRAINT call_back_pkey PRIMARY KEY (tenant_id, call_back_id),
    CONSTRAINT call_back_due CHECK ((state = 1) = (due_at IS NOT NULL)),
    CONSTRAINT call_back_ended CHECK ((state = 1) = (ended_at IS NULL)),
    CONSTRAINT call_back_outcome CHECK ((state = 2) = (outcome IS NOT NULL))
);
COMMENT ON TABLE call_back IS 'Complainants to be called back about a cycle.';
COMMENT ON COLUMN call_back.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN call_back.call_back_id IS 'Identity; sorts by time.';
COMMENT ON COLUMN call_back.case_id IS 'The case.';
COMMENT ON COLUMN call_back.cycle IS 'The cycle.';
COMMENT ON COLUMN call_back.state IS 'redress.feedback.v1.CallBackState: 1 due, 2 done, 3 cancelled.';
COMMENT ON COLUMN call_back.causes IS 'redress.feedback.v1.CallBackCause, in the order they came up.';
COMMENT ON COLUMN call_back.policy IS 'Version of the policy; 0 is the shipped one.';
COMMENT ON COLUMN call_back.draw IS 'How they came into the sample; null where they did not.';
COMMENT ON COLUMN call_back.time_zone IS 'IANA name of the zone in which they are called.';
COMMENT ON COLUMN call_back.outcome IS 'redress.feedback.v1.CallBackOutcome of the last attempt; null unless done.';
COMMENT ON COLUMN call_back.satisfied IS 'Whether they are satisfied; null unless reached.';
COMMENT ON COLUMN call_back.created_at IS 'When it became owed.';
COMMENT ON COLUMN call_back.due_at IS 'By when they are to be called; null unless due.';
COMMENT ON COLUMN call_back.ended_at IS 'When it was done or cancelled; null before.';
CREATE UNIQUE INDEX call_back_due_once ON call_back (tenant_id, case_id, cycle) WHERE state = 1;
CREATE INDEX call_back_by_case ON call_back (tenant_id, case_id, call_back_id);
CREATE INDEX call_back_by_state ON call_back (tenant_id, state, call_back_id);
CREATE INDEX call_back_due_first ON call_back (tenant_id, due_at, call_back_id) WHERE state = 1;
CREATE INDEX call_back_by_time ON call_back (tenant_id, created_at);
SELECT tenant_table('call_back');

CREATE TABLE call_back_attempt (
    tenant_id    text        NOT NULL,
    call_back_id uuid        NOT NULL,
    number       integer     NOT NULL,
    attempted_at timestamptz NOT NULL,
    caller       text        NOT NULL,
    outcome      smallint    NOT NULL,
    satisfied    boolean,
    note         text        NOT NULL,
    disputed     boolean     NOT NULL,
    CONSTRAINT call_back_attempt_pkey PRIMARY KEY (tenant_id, call_back_id, number)
);
COMMENT ON TABLE call_back_attempt IS 'Attempts to call complainants back. Never changed.';
COMMENT ON COLUMN call_back_attempt.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN call_back_attempt.call_back_id IS 'The call-back.';
COMMENT ON COLUMN call_back_attempt.number IS 'Which, from 1.';
COMMENT ON COLUMN call_back_attempt.attempted_at IS 'When it was recorded.';
COMMENT ON COLUMN call_back_attempt.caller IS 'Who called.';
COMMENT ON COLUMN call_back_attempt.outcome IS 'redress.feedback.v1.CallBackOutcome.';
COMMENT ON COLUMN call_back_attempt.satisfied IS 'Whether they are satisfied; null unless reached.';
COMMENT ON COLUMN call_back_attempt.note IS 'What was said.';
COMMENT ON COLUMN call_back_attempt.disputed IS 'Whether the outcome of the cycle was disputed with it.';
SELECT tenant_table('call_back_attempt');

CREATE TABLE call_back_stratum (
    tenant_id text   NOT NULL,
    month     text   NOT NULL,
    stratum   text   NOT NULL,
    owed      bigint NOT NULL DEFAULT 0,
    drawn     bigint NOT NULL DEFAULT 0,
    CONSTRAINT call_back_stratum_pkey PRIMARY KEY (tenant_id, month, stratum)
);
COMMENT ON TABLE call_back_stratum IS 'How far the sample of a month and stratum is.';
COMMENT ON COLUMN call_back_stratum.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN call_back_stratum.month IS 'As 2026-11.';
COMMENT ON COLUMN call_back_stratum.stratum IS 'Channel and outcome, as numbers: 5/1.';
COMMENT ON COLUMN call_back_stratum.owed IS 'The percents of those told so far, added up: a hundred are one.';
COMMENT ON COLUMN call_back_stratum.drawn IS 'How many of them were drawn.';
SELECT tenant_table('call_back_stratum');
