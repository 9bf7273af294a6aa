-- What the facts of a day come to, so that a board need not count them all again.

CREATE TABLE fact_total (
    tenant_id text     NOT NULL,
    dimension smallint NOT NULL,
    day       date     NOT NULL,
    value     text     NOT NULL,
    measures   smallint[] NOT NULL,
    currencies text[]     NOT NULL,
    amounts    bigint[]   NOT NULL,
    CONSTRAINT fact_total_pkey PRIMARY KEY (tenant_id, dimension, day, value)
);
COMMENT ON TABLE fact_total IS 'What is counted of a day, for each value of each dimension. A day near one of fact_change is out of date.';
COMMENT ON COLUMN fact_total.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN fact_total.dimension IS 'redress.feedback.v1.KpiDimension; 0 for all together.';
COMMENT ON COLUMN fact_total.day IS 'The day, in the tenant''s zone.';
COMMENT ON COLUMN fact_total.value IS 'The value of the dimension.';
COMMENT ON COLUMN fact_total.measures IS 'What is counted: feedback::kpi::Measure, each of which there is something.';
COMMENT ON COLUMN fact_total.currencies IS 'Of each, where it is money its ISO 4217 code; empty otherwise.';
COMMENT ON COLUMN fact_total.amounts IS 'Of each, how many, or how much in the currency''s smallest unit.';
SELECT tenant_table('fact_total');

CREATE TABLE fact_sample (
    tenant_id text      NOT NULL,
    dimension smallint  NOT NULL,
    day       date      NOT NULL,
    value     text      NOT NULL,
    span      smallint  NOT NULL,
    seconds   integer[] NOT NULL,
    CONSTRAINT fact_sample_pkey PRIMARY KEY (tenant_id, dimension, day, value, span)
);
COMMENT ON TABLE fact_sample IS 'The durations of a day, for each value of each dimension: percentiles need them all.';
COMMENT ON COLUMN fact_sample.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN fact_sample.dimension IS 'redress.feedback.v1.KpiDimension; 0 for all together.';
COMMENT ON COLUMN fact_sample.day IS 'The day, in the tenant''s zone.';
COMMENT ON COLUMN fact_sample.value IS 'The value of the dimension.';
COMMENT ON COLUMN fact_sample.span IS 'Which duration: feedback::kpi::Span.';
COMMENT ON COLUMN fact_sample.seconds IS 'Each of them, in seconds.';
SELECT tenant_table('fact_sample');

CREATE TABLE fact_change (
    tenant_id  text        NOT NULL,
    change_id  bigint      GENERATED ALWAYS AS IDENTITY,
    day        date        NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT fact_change_pkey PRIMARY KEY (tenant_id, change_id)
);
COMMENT ON TABLE fact_change IS 'Days of which facts have changed since their totals were made.';
COMMENT ON COLUMN fact_change.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN fact_change.change_id IS 'Tells changes apart: each is taken by who saw it.';
COMMENT ON COLUMN fact_change.day IS 'The day, of UTC: the tenant''s own days around it are out of date.';
COMMENT ON COLUMN fact_change.changed_at IS 'When it was noted.';
CREATE INDEX fact_change_by_day ON fact_change (tenant_id, day);
SELECT tenant_table('fact_change');
SELECT worker_may('fact_change', 'SELECT');
