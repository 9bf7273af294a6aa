-- What mail servers report about mails they took over, and who was told of what so that it
-- can be taken back.

CREATE TABLE delivery_report (
    tenant_id        text        NOT NULL,
    notice_id        uuid        NOT NULL,
    sending          integer     NOT NULL,
    action           smallint    NOT NULL CHECK (action BETWEEN 1 AND 5),
    status           text        NOT NULL,
    diagnostic       text        NOT NULL,
    reporting_server text        NOT NULL,
    reported_at      timestamptz NOT NULL,
    CONSTRAINT delivery_report_pkey PRIMARY KEY (tenant_id, notice_id, sending, action)
);
COMMENT ON TABLE delivery_report IS 'What mail servers reported about the mails of notices after they took them over; once for each action.';
COMMENT ON COLUMN delivery_report.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN delivery_report.notice_id IS 'The notice.';
COMMENT ON COLUMN delivery_report.sending IS 'Which sending of the notice it is about, from 1.';
COMMENT ON COLUMN delivery_report.action IS 'redress.feedback.v1.DeliveryAction: 1 failed, 2 delayed, 3 delivered, 4 relayed, 5 expanded.';
COMMENT ON COLUMN delivery_report.status IS 'Status code after RFC 3463, as 5.1.1.';
COMMENT ON COLUMN delivery_report.diagnostic IS 'What the server says of it; may be empty.';
COMMENT ON COLUMN delivery_report.reporting_server IS 'The server that reports it; may be empty.';
COMMENT ON COLUMN delivery_report.reported_at IS 'When it was taken in.';
SELECT tenant_table('delivery_report');

CREATE TABLE telling_fact (
    tenant_id text     NOT NULL,
    case_id   uuid     NOT NULL,
    kind      smallint NOT NULL,
    cycle     integer  NOT NULL,
    notice_id uuid     NOT NULL,
    sending   integer  NOT NULL,
    told_at   timestamptz,
    told_work bigint,
    bounced   boolean,
    CONSTRAINT telling_fact_pkey PRIMARY KEY (tenant_id, case_id, kind, cycle, notice_id, sending)
);
COMMENT ON TABLE telling_fact IS 'Each time that the complainant was told of what is counted: of all that were not taken back, the earliest is case_fact.acknowledged_at and cycle_fact.told_at.';
COMMENT ON COLUMN telling_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN telling_fact.case_id IS 'The case.';
COMMENT ON COLUMN telling_fact.kind IS 'redress.feedback.v1.NoticeKind: 1 the acknowledgement, 2 an outcome.';
COMMENT ON COLUMN telling_fact.cycle IS 'The cycle it belongs to.';
COMMENT ON COLUMN telling_fact.notice_id IS 'The notice; nil of what was counted before each time was kept.';
COMMENT ON COLUMN telling_fact.sending IS 'Which of its sendings, from 1; 0 of what a person recorded, and of what was told before sendings were counted.';
COMMENT ON COLUMN telling_fact.told_at IS 'When; null until that is heard.';
COMMENT ON COLUMN telling_fact.told_work IS 'Working seconds in the tenant''s zone from 1970 until then.';
COMMENT ON COLUMN telling_fact.bounced IS 'Whether it came back; null until that is heard.';

ALTER TABLE case_fact NO FORCE ROW LEVEL SECURITY;
ALTER TABLE cycle_fact NO FORCE ROW LEVEL SECURITY;
INSERT INTO telling_fact (tenant_id, case_id, kind, cycle, notice_id, sending, told_at, told_work)
SELECT tenant_id, case_id, 1, 1, '00000000-0000-0000-0000-000000000000', 0, acknowledged_at, acknowledged_work
FROM case_fact WHERE acknowledged_at IS NOT NULL;
INSERT INTO telling_fact (tenant_id, case_id, kind, cycle, notice_id, sending, told_at)
SELECT tenant_id, case_id, 2, cycle, '00000000-0000-0000-0000-000000000000', 0, told_at
FROM cycle_fact WHERE told_at IS NOT NULL;
ALTER TABLE case_fact FORCE ROW LEVEL SECURITY;
ALTER TABLE cycle_fact FORCE ROW LEVEL SECURITY;
SELECT tenant_table('telling_fact');
