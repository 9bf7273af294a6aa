-- Facts of each case, kept from the feeds; what they come to by day; and rebuilds. What a
-- row says does not depend on the order in which events arrive, nor on how often.

CREATE TABLE case_fact (
    tenant_id         text     NOT NULL,
    case_id           uuid     NOT NULL,
    received_at       timestamptz,
    received_work     bigint,
    channel           smallint,
    region            text,
    product           text,
    complainant       bytea,
    history           boolean,
    category          text,
    category_rank     bigint,
    priority          smallint,
    priority_rank     bigint,
    department        text,
    department_rank   bigint,
    acknowledged_at   timestamptz,
    acknowledged_work bigint,
    resolved_at       timestamptz,
    resolved_work     bigint,
    reopened_at       timestamptz,
    escalated_at      timestamptz,
    breached_at       timestamptz,
    limit_breached_at timestamptz,
    paused            boolean,
    ended_at          timestamptz,
    ending            smallint,
    ended_rank        bigint,
    CONSTRAINT case_fact_pkey PRIMARY KEY (tenant_id, case_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE case_fact IS 'What is counted of each case. Each column is null until an event tells it.';
COMMENT ON COLUMN case_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN case_fact.case_id IS 'The case.';
COMMENT ON COLUMN case_fact.received_at IS 'When its complaint counts as received.';
COMMENT ON COLUMN case_fact.received_work IS 'Working seconds in the tenant''s zone from 1970 until then.';
COMMENT ON COLUMN case_fact.channel IS 'redress.intake.v1.Channel it came by.';
COMMENT ON COLUMN case_fact.region IS 'Where its complainant is; empty when unknown.';
COMMENT ON COLUMN case_fact.product IS 'Product or service complained about; empty when unknown.';
COMMENT ON COLUMN case_fact.complainant IS 'Tells complainants apart: half a SHA-256 of customer number, address or telephone number; null of those who gave none.';
COMMENT ON COLUMN case_fact.history IS 'Whether it had ended before it was brought here.';
COMMENT ON COLUMN case_fact.category IS 'What it is about, as it is taken for now.';
COMMENT ON COLUMN case_fact.category_rank IS 'Position of the event that told it: the highest holds.';
COMMENT ON COLUMN case_fact.priority IS 'redress.cases.v1.Priority it has now.';
COMMENT ON COLUMN case_fact.priority_rank IS 'Position of the event that told it: the highest holds.';
COMMENT ON COLUMN case_fact.department IS 'The department it lies, or last lay, with.';
COMMENT ON COLUMN case_fact.department_rank IS 'Position of the event that told it: the highest holds.';
COMMENT ON COLUMN case_fact.acknowledged_at IS 'When its acknowledgement was delivered.';
COMMENT ON COLUMN case_fact.acknowledged_work IS 'Working seconds from 1970 until then.';
COMMENT ON COLUMN case_fact.resolved_at IS 'When its first outcome took effect.';
COMMENT ON COLUMN case_fact.resolved_work IS 'Working seconds from 1970 until then.';
COMMENT ON COLUMN case_fact.reopened_at IS 'When it was first reopened.';
COMMENT ON COLUMN case_fact.escalated_at IS 'When it first went one level up within a cycle.';
COMMENT ON COLUMN case_fact.breached_at IS 'When a promise to decide, to tell or of a final response was first broken, whoever made it.';
COMMENT ON COLUMN case_fact.limit_breached_at IS 'The same of those that a regime makes.';
COMMENT ON COLUMN case_fact.paused IS 'Whether its promise to decide ever stood still.';
COMMENT ON COLUMN case_fact.ended_at IS 'When it ended; null while it is open.';
COMMENT ON COLUMN case_fact.ending IS 'How: 1 closed, 2 withdrawn, 3 declined, 4 merged; 0 while it is open again.';
COMMENT ON COLUMN case_fact.ended_rank IS 'Position of the event that told the last of it: the highest holds.';
CREATE INDEX case_fact_by_received ON case_fact (tenant_id, received_at);
CREATE INDEX case_fact_by_acknowledged ON case_fact (tenant_id, acknowledged_at) WHERE acknowledged_at IS NOT NULL;
CREATE INDEX case_fact_by_resolved ON case_fact (tenant_id, resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX case_fact_by_ended ON case_fact (tenant_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX case_fact_open ON case_fact (tenant_id, received_at) WHERE ended_at IS NULL;
CREATE INDEX case_fact_by_complainant ON case_fact (tenant_id, complainant, received_at) WHERE complainant IS NOT NULL;
SELECT tenant_table('case_fact');

CREATE TABLE cycle_fact (
    tenant_id      text    NOT NULL,
    case_id        uuid    NOT NULL,
    cycle          integer NOT NULL,
    resolved_at    timestamptz,
    outcome        smallint,
    outcome_rank   bigint,
    reopened_at    timestamptz,
    told_at        timestamptz,
    handling       smallint,
    handling_at    timestamptz,
    handling_rank  bigint,
    satisfaction      smallint,
    satisfaction_at   timestamptz,
    satisfaction_rank bigint,
    CONSTRAINT cycle_fact_pkey PRIMARY KEY (tenant_id, case_id, cycle)
) WITH (fillfactor = 80);
COMMENT ON TABLE cycle_fact IS 'What is counted of each cycle of a case. Each column is null until an event tells it.';
COMMENT ON COLUMN cycle_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN cycle_fact.case_id IS 'The case.';
COMMENT ON COLUMN cycle_fact.cycle IS 'The cycle.';
COMMENT ON COLUMN cycle_fact.resolved_at IS 'When its outcome first took effect.';
COMMENT ON COLUMN cycle_fact.outcome IS 'redress.cases.v1.Outcome as it was last corrected.';
COMMENT ON COLUMN cycle_fact.outcome_rank IS 'Which correction that was; 0 for the decision as first made.';
COMMENT ON COLUMN cycle_fact.reopened_at IS 'When the next cycle began.';
COMMENT ON COLUMN cycle_fact.told_at IS 'When its outcome was first told: the first evidence.';
COMMENT ON COLUMN cycle_fact.handling IS 'Satisfaction with the handling, 1-5.';
COMMENT ON COLUMN cycle_fact.handling_at IS 'When that was answered.';
COMMENT ON COLUMN cycle_fact.handling_rank IS '2 from the survey, 1 with the answer to the outcome: the higher holds.';
COMMENT ON COLUMN cycle_fact.satisfaction IS 'Satisfaction with the outcome, 1-5.';
COMMENT ON COLUMN cycle_fact.satisfaction_at IS 'When that was answered.';
COMMENT ON COLUMN cycle_fact.satisfaction_rank IS '2 from the survey, 1 with the answer to the outcome: the higher holds.';
CREATE INDEX cycle_fact_by_resolved ON cycle_fact (tenant_id, resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX cycle_fact_by_told ON cycle_fact (tenant_id, told_at) WHERE told_at IS NOT NULL;
SELECT tenant_table('cycle_fact');

CREATE TABLE call_back_fact (
    tenant_id    text NOT NULL,
    call_back_id uuid NOT NULL,
    case_id      uuid NOT NULL,
    ended_at     timestamptz,
    outcome      smallint,
    outcome_rank bigint,
    CONSTRAINT call_back_fact_pkey PRIMARY KEY (tenant_id, call_back_id)
);
COMMENT ON TABLE call_back_fact IS 'What is counted of each call-back.';
COMMENT ON COLUMN call_back_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN call_back_fact.call_back_id IS 'The call-back.';
COMMENT ON COLUMN call_back_fact.case_id IS 'The case.';
COMMENT ON COLUMN call_back_fact.ended_at IS 'When its last attempt was made; null while it is due.';
COMMENT ON COLUMN call_back_fact.outcome IS 'redress.feedback.v1.CallBackOutcome of the last attempt.';
COMMENT ON COLUMN call_back_fact.outcome_rank IS 'Which attempt that was.';
CREATE INDEX call_back_fact_by_ended ON call_back_fact (tenant_id, ended_at) WHERE ended_at IS NOT NULL;
SELECT tenant_table('call_back_fact');

CREATE TABLE payment_fact (
    tenant_id text        NOT NULL,
    task_id   uuid        NOT NULL,
    case_id   uuid        NOT NULL,
    paid_at   timestamptz NOT NULL,
    currency  text        NOT NULL,
    minor     bigint      NOT NULL,
    CONSTRAINT payment_fact_pkey PRIMARY KEY (tenant_id, task_id)
);
COMMENT ON TABLE payment_fact IS 'What was paid as redress, and what of it was undone.';
COMMENT ON COLUMN payment_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN payment_fact.task_id IS 'The department''s task.';
COMMENT ON COLUMN payment_fact.case_id IS 'The case.';
COMMENT ON COLUMN payment_fact.paid_at IS 'When it was done.';
COMMENT ON COLUMN payment_fact.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN payment_fact.minor IS 'The sum in the currency''s smallest unit; negative where it undid another.';
CREATE INDEX payment_fact_by_time ON payment_fact (tenant_id, paid_at);
SELECT tenant_table('payment_fact');

CREATE TABLE pause_fact (
    tenant_id text        NOT NULL,
    case_id   uuid        NOT NULL,
    ordinal   integer     NOT NULL,
    at        timestamptz NOT NULL,
    pauses    boolean     NOT NULL,
    CONSTRAINT pause_fact_pkey PRIMARY KEY (tenant_id, case_id, ordinal)
);
COMMENT ON TABLE pause_fact IS 'When the promise to decide a case stood still and ran on.';
COMMENT ON COLUMN pause_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN pause_fact.case_id IS 'The case.';
COMMENT ON COLUMN pause_fact.ordinal IS 'Its place in the timeline of the case.';
COMMENT ON COLUMN pause_fact.at IS 'When it happened.';
COMMENT ON COLUMN pause_fact.pauses IS 'Whether it stands still from then on, or runs.';
SELECT tenant_table('pause_fact');

CREATE TABLE kpi_setting (
    tenant_id      text    NOT NULL,
    version        bigint  NOT NULL,
    time_zone      text    NOT NULL,
    min_group_size integer NOT NULL,
    customers      jsonb   NOT NULL,
    note           text    NOT NULL,
    CONSTRAINT kpi_setting_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE kpi_setting IS 'What a tenant''s figures are counted by; one without has what is shipped. Held while facts are applied, totals are made or figures are counted, each as it needs.';
COMMENT ON COLUMN kpi_setting.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN kpi_setting.version IS 'Counts the changes.';
COMMENT ON COLUMN kpi_setting.time_zone IS 'IANA name of the zone of days, months and working time.';
COMMENT ON COLUMN kpi_setting.min_group_size IS 'Figures counted from fewer are suppressed.';
COMMENT ON COLUMN kpi_setting.customers IS 'Number of customers by region.';
COMMENT ON COLUMN kpi_setting.note IS 'Why it is so.';
SELECT tenant_table('kpi_setting');

CREATE TABLE fact_rebuild (
    tenant_id      text        NOT NULL,
    source         text        NOT NULL,
    requested_at   timestamptz NOT NULL,
    position       bigint      NOT NULL,
    until_position bigint,
    finished_at    timestamptz,
    CONSTRAINT fact_rebuild_pkey PRIMARY KEY (tenant_id, source)
);
COMMENT ON TABLE fact_rebuild IS 'Rebuilds of the facts from the feeds: the last of each tenant, by source.';
COMMENT ON COLUMN fact_rebuild.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN fact_rebuild.source IS 'The service whose feed is read again.';
COMMENT ON COLUMN fact_rebuild.requested_at IS 'When it was asked for.';
COMMENT ON COLUMN fact_rebuild.position IS 'How far the feed has been read; -1 while facts of before are still thrown away.';
COMMENT ON COLUMN fact_rebuild.until_position IS 'How far it is read: where the feed stood when reading began; null before.';
COMMENT ON COLUMN fact_rebuild.finished_at IS 'When it had been read that far; null before.';
SELECT tenant_table('fact_rebuild');
SELECT worker_may('fact_rebuild', 'SELECT');

CREATE INDEX call_back_fact_by_case ON call_back_fact (tenant_id, case_id);
CREATE INDEX payment_fact_by_case ON payment_fact (tenant_id, case_id);
