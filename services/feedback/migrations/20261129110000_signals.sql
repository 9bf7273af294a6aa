-- Signals: days of a series on which more complaints came than its own past explains.

CREATE TABLE signal_setting (
    tenant_id    text             NOT NULL,
    version      bigint           NOT NULL,
    false_alarms double precision NOT NULL,
    min_count    integer          NOT NULL,
    quiet_days   integer          NOT NULL,
    note         text             NOT NULL,
    CONSTRAINT signal_setting_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE signal_setting IS 'How readily a tenant''s signals are raised; one without has what is shipped.';
COMMENT ON COLUMN signal_setting.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN signal_setting.version IS 'Counts the changes.';
COMMENT ON COLUMN signal_setting.false_alarms IS 'How many days a year of a series may be above by chance.';
COMMENT ON COLUMN signal_setting.min_count IS 'A day with fewer complaints raises none.';
COMMENT ON COLUMN signal_setting.quiet_days IS 'A surge is over after so many days in a row that are not above.';
COMMENT ON COLUMN signal_setting.note IS 'Why it is so.';
SELECT tenant_table('signal_setting');

CREATE TABLE signal (
    tenant_id    text             NOT NULL,
    signal_id    uuid             NOT NULL,
    version      bigint           NOT NULL,
    category     text,
    product      text,
    region       text,
    first_day    date             NOT NULL,
    last_day     date             NOT NULL,
    baseline     jsonb            NOT NULL,
    past         bigint[]         NOT NULL,
    counts       bigint[]         NOT NULL,
    false_alarms double precision NOT NULL,
    min_count    integer          NOT NULL,
    quiet_days   integer          NOT NULL,
    state        smallint         NOT NULL,
    raised_at    timestamptz      NOT NULL,
    ended_at     timestamptz,
    ending       smallint,
    dismissed_at timestamptz,
    dismissed_by text             NOT NULL DEFAULT '',
    reason       text             NOT NULL DEFAULT '',
    problem_id   uuid             NOT NULL,
    CONSTRAINT signal_pkey PRIMARY KEY (tenant_id, signal_id),
    CONSTRAINT signal_state_check CHECK (state BETWEEN 1 AND 3),
    CONSTRAINT signal_ending_check CHECK ((ending IS NULL) = (ended_at IS NULL))
);
COMMENT ON TABLE signal IS 'Surges of complaints, each once, and what people made of them.';
COMMENT ON COLUMN signal.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN signal.signal_id IS 'Identity.';
COMMENT ON COLUMN signal.version IS 'Counts what is done to it.';
COMMENT ON COLUMN signal.category IS 'Category of its series; null for all.';
COMMENT ON COLUMN signal.product IS 'Product of its series; null for all.';
COMMENT ON COLUMN signal.region IS 'Region of its series; null for all.';
COMMENT ON COLUMN signal.first_day IS 'First day that was above, in the tenant''s zone.';
COMMENT ON COLUMN signal.last_day IS 'Last day that was above.';
COMMENT ON COLUMN signal.baseline IS 'What the past of the series came to: feedback::signal::Baseline.';
COMMENT ON COLUMN signal.past IS 'Complaints of each day of that past, oldest first.';
COMMENT ON COLUMN signal.counts IS 'Complaints of each day from the first on, as far as it was followed.';
COMMENT ON COLUMN signal.false_alarms IS 'What it was raised and is followed by: see signal_setting.';
COMMENT ON COLUMN signal.min_count IS 'Likewise.';
COMMENT ON COLUMN signal.quiet_days IS 'Likewise.';
COMMENT ON COLUMN signal.state IS 'redress.feedback.v1.SignalState.';
COMMENT ON COLUMN signal.raised_at IS 'When it was raised.';
COMMENT ON COLUMN signal.ended_at IS 'When its surge was found to be over; null while it is followed.';
COMMENT ON COLUMN signal.ending IS 'redress.feedback.v1.SignalEnding; null while it is followed.';
COMMENT ON COLUMN signal.dismissed_at IS 'When it was dismissed; null if it was not.';
COMMENT ON COLUMN signal.dismissed_by IS 'Subject of who dismissed it; empty if nobody did.';
COMMENT ON COLUMN signal.problem_id IS 'The problem that it has opened or joined.';
COMMENT ON COLUMN signal.reason IS 'Why it was dismissed; empty if it was not.';
CREATE INDEX signal_by_time ON signal (tenant_id, raised_at, signal_id);
CREATE INDEX signal_by_state ON signal (tenant_id, state, raised_at, signal_id);
-- One surge of a series at a time.
CREATE UNIQUE INDEX signal_followed ON signal
    (tenant_id, coalesce(category, ''), coalesce(product, ''), coalesce(region, '')) WHERE ended_at IS NULL;
CREATE INDEX signal_by_series ON signal (tenant_id, category, product, region, first_day);
CREATE INDEX signal_by_problem ON signal (tenant_id, problem_id, signal_id);
SELECT tenant_table('signal');

CREATE TABLE signal_change (
    tenant_id text   NOT NULL,
    change_id bigint GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT signal_change_pkey PRIMARY KEY (tenant_id, change_id)
);
COMMENT ON TABLE signal_change IS 'Facts of complaints received of late have changed since signals were looked for.';
COMMENT ON COLUMN signal_change.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN signal_change.change_id IS 'Tells changes apart: each is taken by who saw it.';
SELECT tenant_table('signal_change');
SELECT worker_may('signal_change', 'SELECT');

CREATE TABLE signal_look (
    tenant_id text        NOT NULL,
    next_at   timestamptz NOT NULL,
    CONSTRAINT signal_look_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE signal_look IS 'When a tenant''s surges are to be followed although no fact has changed: they end by days that pass, too. One whose surges are all over has none.';
COMMENT ON COLUMN signal_look.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN signal_look.next_at IS 'When the next day begins in the tenant''s zone.';
SELECT tenant_table('signal_look');
SELECT worker_may('signal_look', 'SELECT');
