-- Reports: what was asked for, the figures of each, and its files.

CREATE TABLE report (
    tenant_id   text        NOT NULL,
    report_id   uuid        NOT NULL,
    length      smallint    NOT NULL,
    start_date  text        NOT NULL,
    languages   smallint[]  NOT NULL,
    formats     smallint[]  NOT NULL,
    state       smallint    NOT NULL CONSTRAINT report_state CHECK (state IN (1, 2, 3, 4)),
    creator     text        NOT NULL,
    scheduled   boolean     NOT NULL,
    created_at  timestamptz NOT NULL,
    attempts    integer     NOT NULL,
    lease       uuid,
    due_at      timestamptz NOT NULL,
    as_of       timestamptz,
    content     jsonb,
    finished_at timestamptz,
    failure     text        NOT NULL,
    CONSTRAINT report_pkey PRIMARY KEY (tenant_id, report_id)
);
COMMENT ON TABLE report IS 'Reports, and how far each is.';
COMMENT ON COLUMN report.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN report.report_id IS 'The report; later ones have greater ids.';
COMMENT ON COLUMN report.length IS 'redress.feedback.v1.ReportLength of its time.';
COMMENT ON COLUMN report.start_date IS 'First day of its time, as 2026-11-01.';
COMMENT ON COLUMN report.languages IS 'What it is written in: 1 English, 2 Chinese.';
COMMENT ON COLUMN report.formats IS 'redress.feedback.v1.ReportFormat it is written as.';
COMMENT ON COLUMN report.state IS 'redress.feedback.v1.ReportState.';
COMMENT ON COLUMN report.creator IS 'Who asked for it; empty where a schedule did.';
COMMENT ON COLUMN report.scheduled IS 'Whether a schedule asked for it: of each time, once.';
COMMENT ON COLUMN report.created_at IS 'When it was asked for.';
COMMENT ON COLUMN report.attempts IS 'How often somebody began with it.';
COMMENT ON COLUMN report.lease IS 'Who makes it: what others still write for it is refused.';
COMMENT ON COLUMN report.due_at IS 'From when on anybody may begin with it, or go on, unless it is done or given up.';
COMMENT ON COLUMN report.as_of IS 'The moment its figures are of; null until they are counted.';
COMMENT ON COLUMN report.content IS 'Its figures; null until they are counted, and once it is done or given up.';
COMMENT ON COLUMN report.finished_at IS 'When it was done or given up; null before.';
COMMENT ON COLUMN report.failure IS 'Reason it was given up, or put off; empty otherwise.';
CREATE UNIQUE INDEX report_scheduled_once ON report (tenant_id, length, start_date) WHERE scheduled;
CREATE INDEX report_due ON report (tenant_id, due_at) WHERE state IN (1, 2);
CREATE INDEX report_old ON report (created_at);
SELECT tenant_table('report');
SELECT worker_may('report', 'SELECT, DELETE');

CREATE TABLE report_file (
    tenant_id  text     NOT NULL,
    report_id  uuid     NOT NULL,
    language   smallint NOT NULL,
    format     smallint NOT NULL,
    size_bytes bigint   NOT NULL,
    sha256     bytea    NOT NULL,
    CONSTRAINT report_file_pkey PRIMARY KEY (tenant_id, report_id, language, format),
    CONSTRAINT report_file_report FOREIGN KEY (tenant_id, report_id) REFERENCES report ON DELETE CASCADE
);
COMMENT ON TABLE report_file IS 'Files of reports.';
COMMENT ON COLUMN report_file.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN report_file.report_id IS 'The report.';
COMMENT ON COLUMN report_file.language IS 'What it is written in: 1 English, 2 Chinese.';
COMMENT ON COLUMN report_file.format IS 'redress.feedback.v1.ReportFormat it is.';
COMMENT ON COLUMN report_file.size_bytes IS 'How long it is.';
COMMENT ON COLUMN report_file.sha256 IS 'SHA-256 of it.';
SELECT tenant_table('report_file');

CREATE TABLE report_chunk (
    tenant_id text     NOT NULL,
    report_id uuid     NOT NULL,
    language  smallint NOT NULL,
    format    smallint NOT NULL,
    ordinal   integer  NOT NULL,
    data      bytea    NOT NULL CONSTRAINT report_chunk_size CHECK (octet_length(data) BETWEEN 1 AND 262144),
    CONSTRAINT report_chunk_pkey PRIMARY KEY (tenant_id, report_id, language, format, ordinal),
    CONSTRAINT report_chunk_file FOREIGN KEY (tenant_id, report_id, language, format) REFERENCES report_file
        ON DELETE CASCADE
);
COMMENT ON TABLE report_chunk IS 'What files of reports consist of.';
COMMENT ON COLUMN report_chunk.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN report_chunk.report_id IS 'The report.';
COMMENT ON COLUMN report_chunk.language IS 'Language of the file.';
COMMENT ON COLUMN report_chunk.format IS 'Format of the file.';
COMMENT ON COLUMN report_chunk.ordinal IS 'Its place in the file, from 0.';
COMMENT ON COLUMN report_chunk.data IS 'Its bytes.';
SELECT tenant_table('report_chunk');

CREATE TABLE report_schedule (
    tenant_id text   NOT NULL,
    version   bigint NOT NULL,
    schedules jsonb  NOT NULL,
    note      text   NOT NULL,
    CONSTRAINT report_schedule_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE report_schedule IS 'Which reports are made by themselves; a tenant without a row has none.';
COMMENT ON COLUMN report_schedule.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN report_schedule.version IS 'Counts the changes.';
COMMENT ON COLUMN report_schedule.schedules IS 'The schedules: length, languages, formats, and how many days after the end.';
COMMENT ON COLUMN report_schedule.note IS 'Why it is so.';
SELECT tenant_table('report_schedule');
SELECT worker_may('report_schedule', 'SELECT');
