-- Notices told by other means or sent again, corrected contacts, the zone of times, and
-- how many acknowledgements an address gets.

ALTER TABLE contact
    ADD COLUMN version   bigint  NOT NULL DEFAULT 1,
    ADD COLUMN anonymous boolean NOT NULL DEFAULT false,
    ADD COLUMN automatic boolean NOT NULL DEFAULT false;
COMMENT ON TABLE contact IS 'Whom the notices of a case go to: as the complaint said, or as corrected since.';
COMMENT ON COLUMN contact.version IS 'Counts the corrections, from 1.';
COMMENT ON COLUMN contact.anonymous IS 'Nobody is known who could be told: the complaint names no complainant and no representative.';
COMMENT ON COLUMN contact.automatic IS 'The channel says that a program wrote the complaint.';

CREATE TABLE contact_correction (
    tenant_id    text        NOT NULL,
    case_id      uuid        NOT NULL,
    version      bigint      NOT NULL,
    recipient    text        NOT NULL,
    name         text        NOT NULL,
    language     text        NOT NULL,
    actor        text        NOT NULL,
    reason       text        NOT NULL,
    corrected_at timestamptz NOT NULL,
    CONSTRAINT contact_correction_pkey PRIMARY KEY (tenant_id, case_id, version)
);
COMMENT ON TABLE contact_correction IS 'What contacts were before each correction. Never changed.';
COMMENT ON COLUMN contact_correction.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN contact_correction.case_id IS 'The case.';
COMMENT ON COLUMN contact_correction.version IS 'The version of the contact that the correction made.';
COMMENT ON COLUMN contact_correction.recipient IS 'The address before.';
COMMENT ON COLUMN contact_correction.name IS 'The name before.';
COMMENT ON COLUMN contact_correction.language IS 'The language before.';
COMMENT ON COLUMN contact_correction.actor IS 'Who corrected it.';
COMMENT ON COLUMN contact_correction.reason IS 'Why.';
COMMENT ON COLUMN contact_correction.corrected_at IS 'When.';
SELECT tenant_table('contact_correction');

ALTER TABLE notice
    ADD COLUMN sending      integer  NOT NULL DEFAULT 1,
    ADD COLUMN means        smallint NOT NULL DEFAULT 0,
    ADD COLUMN recorder     text     NOT NULL DEFAULT '',
    ADD COLUMN told_at      timestamptz,
    ADD COLUMN dismissed_at timestamptz;
COMMENT ON COLUMN notice.sending IS 'Which time it is sent, from 1; those before are in notice_sending.';
COMMENT ON COLUMN notice.means IS 'redress.feedback.v1.NoticeMeans by which somebody recorded that the complainant was told; 0 where nobody did.';
COMMENT ON COLUMN notice.recorder IS 'Who recorded that; empty where nobody did.';
COMMENT ON COLUMN notice.told_at IS 'When the complainant was told, as recorded.';
COMMENT ON COLUMN notice.dismissed_at IS 'Since when no person need see to it, though it is undelivered: the case was withdrawn or declined.';
COMMENT ON COLUMN notice.state IS 'redress.feedback.v1.NoticeState: 1 pending, 2 delivered or told by other means, 3 undelivered.';

CREATE TABLE notice_sending (
    tenant_id      text        NOT NULL,
    notice_id      uuid        NOT NULL,
    number         integer     NOT NULL,
    recipient      text        NOT NULL,
    state          smallint    NOT NULL,
    evidence       text        NOT NULL,
    failure_reason text        NOT NULL,
    attempts       integer     NOT NULL,
    ended_at       timestamptz,
    requester      text        NOT NULL,
    reason         text        NOT NULL,
    resent_at      timestamptz NOT NULL,
    CONSTRAINT notice_sending_pkey PRIMARY KEY (tenant_id, notice_id, number)
);
COMMENT ON TABLE notice_sending IS 'What became of notices each time before they were sent again. Never changed.';
COMMENT ON COLUMN notice_sending.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN notice_sending.notice_id IS 'The notice.';
COMMENT ON COLUMN notice_sending.number IS 'Which time, from 1.';
COMMENT ON COLUMN notice_sending.recipient IS 'Address it went to.';
COMMENT ON COLUMN notice_sending.state IS 'redress.feedback.v1.NoticeState it was in; 1 where that was not known yet.';
COMMENT ON COLUMN notice_sending.evidence IS 'What the receiving server answered; empty unless delivered.';
COMMENT ON COLUMN notice_sending.failure_reason IS 'Why it was not delivered; empty unless undelivered.';
COMMENT ON COLUMN notice_sending.attempts IS 'How often delivery was tried.';
COMMENT ON COLUMN notice_sending.ended_at IS 'When it was delivered or given up; null where that was not known yet.';
COMMENT ON COLUMN notice_sending.requester IS 'Who had it sent again.';
COMMENT ON COLUMN notice_sending.reason IS 'Why.';
COMMENT ON COLUMN notice_sending.resent_at IS 'When.';
SELECT tenant_table('notice_sending');

ALTER TABLE untold ADD COLUMN time_zone text NOT NULL DEFAULT '';
COMMENT ON COLUMN untold.time_zone IS 'IANA name of the zone its times are told in; empty when unknown.';

CREATE TABLE address_limit (
    tenant_id text        NOT NULL,
    address   text        NOT NULL,
    free_at   timestamptz NOT NULL,
    CONSTRAINT address_limit_pkey PRIMARY KEY (tenant_id, address)
);
COMMENT ON TABLE address_limit IS 'How many acknowledgements addresses were sent of late, as one moment each (GCRA). Rows of the past are swept.';
COMMENT ON COLUMN address_limit.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN address_limit.address IS 'The address, in lower case and without a tag.';
COMMENT ON COLUMN address_limit.free_at IS 'When everything sent so far will be forgotten.';
CREATE INDEX address_limit_by_time ON address_limit (free_at);
SELECT tenant_table('address_limit');
SELECT worker_may('address_limit', 'SELECT, UPDATE, DELETE');
