-- Whom to tell, what they were told, what they answered.

CREATE TABLE contact (
    tenant_id   text NOT NULL,
    case_id     uuid NOT NULL,
    recipient   text NOT NULL,
    name        text NOT NULL,
    language    text NOT NULL,
    subject     text NOT NULL,
    traceparent text NOT NULL,
    CONSTRAINT contact_pkey PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE contact IS 'Whom the notices of a case go to, as the complaint said.';
COMMENT ON COLUMN contact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN contact.case_id IS 'The case, which is the complaint.';
COMMENT ON COLUMN contact.recipient IS 'E-mail address: the representative''s if given, else the complainant''s; empty when none is known.';
COMMENT ON COLUMN contact.name IS 'Name that belongs to the address; empty when unknown.';
COMMENT ON COLUMN contact.language IS 'BCP 47 tag of the language to write in.';
COMMENT ON COLUMN contact.subject IS 'The complaint in one line, as its sender put it.';
COMMENT ON COLUMN contact.traceparent IS 'W3C trace context of the complaint; empty when untraced.';
SELECT tenant_table('contact');

CREATE TABLE notice (
    tenant_id      text        NOT NULL,
    notice_id      uuid        NOT NULL,
    case_id        uuid        NOT NULL,
    cycle          integer     NOT NULL,
    kind           smallint    NOT NULL,
    state          smallint    NOT NULL,
    language       text        NOT NULL,
    recipient      text        NOT NULL,
    subject        text        NOT NULL,
    body           text        NOT NULL,
    evidence       text        NOT NULL,
    failure_reason text        NOT NULL,
    attempts       integer     NOT NULL,
    traceparent    text        NOT NULL,
    created_at     timestamptz NOT NULL,
    ended_at       timestamptz,
    due_at         timestamptz,
    CONSTRAINT notice_pkey PRIMARY KEY (tenant_id, notice_id),
    CONSTRAINT notice_once UNIQUE (tenant_id, case_id, cycle, kind),
    CONSTRAINT notice_pending_is_due CHECK ((state = 1) = (due_at IS NOT NULL)),
    CONSTRAINT notice_final_has_ended CHECK ((state = 1) = (ended_at IS NULL))
);
COMMENT ON TABLE notice IS 'What a complainant is owed in writing, and what became of it.';
COMMENT ON COLUMN notice.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN notice.notice_id IS 'Identity; sorts by time.';
COMMENT ON COLUMN notice.case_id IS 'The case it is about.';
COMMENT ON COLUMN notice.cycle IS 'The cycle it belongs to.';
COMMENT ON COLUMN notice.kind IS 'redress.feedback.v1.NoticeKind.';
COMMENT ON COLUMN notice.state IS 'redress.feedback.v1.NoticeState: 1 pending, 2 delivered, 3 undelivered.';
COMMENT ON COLUMN notice.language IS 'BCP 47 tag of the language it is written in.';
COMMENT ON COLUMN notice.recipient IS 'Address it goes to; empty when none is known.';
COMMENT ON COLUMN notice.subject IS 'Its subject line.';
COMMENT ON COLUMN notice.body IS 'Its text.';
COMMENT ON COLUMN notice.evidence IS 'What the receiving server answered; empty unless delivered.';
COMMENT ON COLUMN notice.failure_reason IS 'Why it was not delivered; empty unless undelivered.';
COMMENT ON COLUMN notice.attempts IS 'How often a worker has taken it up to deliver it; tells one worker''s claim from the next one''s.';
COMMENT ON COLUMN notice.traceparent IS 'W3C trace context of what made it owed; empty when untraced.';
COMMENT ON COLUMN notice.created_at IS 'When it became owed.';
COMMENT ON COLUMN notice.ended_at IS 'When it was delivered or given up.';
COMMENT ON COLUMN notice.due_at IS 'When to try next; while a worker holds it, when its claim runs out. Null once final.';
CREATE INDEX notice_by_state ON notice (tenant_id, state, notice_id);
-- Read by the delivery worker across all tenants, hence led by time; holds pending notices only.
CREATE INDEX notice_due ON notice (due_at) WHERE state = 1;
SELECT tenant_table('notice');
SELECT worker_may('notice', 'SELECT, UPDATE');

CREATE TABLE untold (
    tenant_id     text     NOT NULL,
    case_id       uuid     NOT NULL,
    cycle         integer  NOT NULL,
    kind          smallint NOT NULL,
    outcome       smallint,
    reasons       text     NOT NULL,
    respond_until timestamptz,
    traceparent   text     NOT NULL,
    CONSTRAINT untold_pkey PRIMARY KEY (tenant_id, case_id, cycle, kind),
    CONSTRAINT untold_outcome CHECK ((kind = 2) = (outcome IS NOT NULL AND respond_until IS NOT NULL))
);
COMMENT ON TABLE untold IS 'Notices owed before it is known whom to write to: the feeds of intake and cases are not in step. Usually empty.';
COMMENT ON COLUMN untold.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN untold.case_id IS 'The case.';
COMMENT ON COLUMN untold.cycle IS 'The cycle the notice belongs to.';
COMMENT ON COLUMN untold.kind IS 'redress.feedback.v1.NoticeKind: 2 outcome, 3 recourse.';
COMMENT ON COLUMN untold.outcome IS 'redress.cases.v1.Outcome; of an outcome only.';
COMMENT ON COLUMN untold.reasons IS 'Why it was decided so; of an outcome only.';
COMMENT ON COLUMN untold.respond_until IS 'Until when an answer is taken; of an outcome only.';
COMMENT ON COLUMN untold.traceparent IS 'W3C trace context of what made it owed; empty when untraced.';
SELECT tenant_table('untold');

CREATE TABLE feedback (
    tenant_id     text        NOT NULL,
    case_id       uuid        NOT NULL,
    cycle         integer     NOT NULL,
    outcome       smallint    NOT NULL,
    respond_until timestamptz NOT NULL,
    awaited       boolean     NOT NULL,
    response      smallint,
    comment       text        NOT NULL DEFAULT '',
    handling      smallint    NOT NULL DEFAULT 0,
    satisfaction  smallint    NOT NULL DEFAULT 0,
    responded_at  timestamptz,
    CONSTRAINT feedback_pkey PRIMARY KEY (tenant_id, case_id, cycle),
    CONSTRAINT feedback_answer_has_time CHECK ((response IS NULL) = (responded_at IS NULL)),
    CONSTRAINT feedback_answered_once CHECK (NOT (awaited AND response IS NOT NULL)),
    CONSTRAINT feedback_scores CHECK (handling BETWEEN 0 AND 5 AND satisfaction BETWEEN 0 AND 5)
);
COMMENT ON TABLE feedback IS 'What came back from the complainant, a row per cycle whose outcome was told.';
COMMENT ON COLUMN feedback.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN feedback.case_id IS 'The case.';
COMMENT ON COLUMN feedback.cycle IS 'The cycle.';
COMMENT ON COLUMN feedback.outcome IS 'redress.cases.v1.Outcome: what was decided in the cycle.';
COMMENT ON COLUMN feedback.respond_until IS 'Until when an answer is taken.';
COMMENT ON COLUMN feedback.awaited IS 'False once it was answered, or the case moved on without an answer.';
COMMENT ON COLUMN feedback.response IS 'redress.feedback.v1.Response; null before.';
COMMENT ON COLUMN feedback.comment IS 'The answer in words.';
COMMENT ON COLUMN feedback.handling IS 'Satisfaction with the handling, 1-5; 0 when not answered.';
COMMENT ON COLUMN feedback.satisfaction IS 'Satisfaction with the outcome, 1-5; 0 when not answered.';
COMMENT ON COLUMN feedback.responded_at IS 'When the answer came; null before.';
SELECT tenant_table('feedback');
