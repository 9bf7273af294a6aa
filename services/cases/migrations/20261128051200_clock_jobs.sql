-- A policy that is put in force, and a calendar that is edited, reach the open clocks
-- page by page. The index is built in one go: clocks are not written meanwhile, about a
-- second per million of them.

CREATE INDEX clock_open_by_case ON clock (tenant_id, case_id) WHERE is_open;

CREATE TABLE clock_job (
    tenant_id   text        NOT NULL,
    number      bigint      NOT NULL,
    policy      integer,
    calendar    text,
    asked_at    timestamptz NOT NULL,
    passed      uuid        NOT NULL,
    last        uuid        NOT NULL,
    cases       bigint      NOT NULL,
    finished_at timestamptz,
    CONSTRAINT clock_job_pkey PRIMARY KEY (tenant_id, number),
    CONSTRAINT clock_job_of_one CHECK ((policy IS NULL) <> (calendar IS NULL))
);
COMMENT ON TABLE clock_job IS 'Policies put in force and calendars edited, and how far each has reached the open clocks: one page of cases in one transaction, with the row. The jobs of a tenant go one after the other.';
COMMENT ON COLUMN clock_job.tenant_id IS 'Whose clocks.';
COMMENT ON COLUMN clock_job.number IS 'Counts the jobs of the tenant, from 1.';
COMMENT ON COLUMN clock_job.policy IS 'Version that was put in force; null where a calendar was edited.';
COMMENT ON COLUMN clock_job.calendar IS 'Name of the calendar that was edited; null where a policy was put in force.';
COMMENT ON COLUMN clock_job.asked_at IS 'From when it holds: every clock is brought under it as of then, whenever it is reached.';
COMMENT ON COLUMN clock_job.passed IS 'The last case that was reached; cases are reached in the order of their ids.';
COMMENT ON COLUMN clock_job.last IS 'The last case that had an open clock when the job was begun.';
COMMENT ON COLUMN clock_job.cases IS 'How many cases it has reached.';
COMMENT ON COLUMN clock_job.finished_at IS 'When it had reached all; null while it has not.';
CREATE INDEX clock_job_unfinished ON clock_job (tenant_id, number) WHERE finished_at IS NULL;
CREATE INDEX clock_job_of_policy ON clock_job (tenant_id, policy, number) WHERE policy IS NOT NULL;
CREATE INDEX clock_job_of_calendar ON clock_job (tenant_id, calendar, number) WHERE calendar IS NOT NULL;
SELECT tenant_table('clock_job');
SELECT worker_may('clock_job', 'SELECT');

CREATE TABLE clock_job_done (
    tenant_id text   NOT NULL,
    number    bigint NOT NULL,
    case_id   uuid   NOT NULL,
    CONSTRAINT clock_job_done_pkey PRIMARY KEY (tenant_id, number, case_id)
);
COMMENT ON TABLE clock_job_done IS 'Cases that an unfinished job need not reach: opened since it was begun, or brought under it because something happened to them. Emptied when the job ends.';
COMMENT ON COLUMN clock_job_done.tenant_id IS 'Whose case.';
COMMENT ON COLUMN clock_job_done.number IS 'The job.';
COMMENT ON COLUMN clock_job_done.case_id IS 'The case.';
SELECT tenant_table('clock_job_done');
