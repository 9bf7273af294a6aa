-- Durable timers: a row is there as long as its timer is armed.

CREATE SEQUENCE timer_generation AS bigint;
CREATE TABLE timer (
    tenant_id   text        NOT NULL,
    kind        text        NOT NULL,
    key         uuid        NOT NULL,
    generation  bigint      NOT NULL DEFAULT nextval('timer_generation'),
    fire_at     timestamptz NOT NULL,
    try_at      timestamptz NOT NULL,
    attempts    integer     NOT NULL DEFAULT 0,
    traceparent text        NOT NULL,
    CONSTRAINT timer_pkey PRIMARY KEY (tenant_id, kind, key)
);
COMMENT ON TABLE timer IS 'Armed timers. Firing deletes the row in the transaction of its effects, so that it happens at most once.';
COMMENT ON COLUMN timer.tenant_id IS 'Whose timer it is.';
COMMENT ON COLUMN timer.kind IS 'What it is for: names the alarm that rings.';
COMMENT ON COLUMN timer.key IS 'What it is about, e.g. a case.';
COMMENT ON COLUMN timer.generation IS 'Grows with each arming and is never used again.';
COMMENT ON COLUMN timer.fire_at IS 'When it is due.';
COMMENT ON COLUMN timer.try_at IS 'When it is tried next: fire_at, or later after failures.';
COMMENT ON COLUMN timer.attempts IS 'How often its alarm has failed.';
COMMENT ON COLUMN timer.traceparent IS 'W3C trace context of what armed it; empty when untraced.';
-- Not led by the tenant: one worker looks for what is due next for all of them.
CREATE INDEX timer_due ON timer (try_at);
SELECT tenant_table('timer');
SELECT worker_may('timer', 'SELECT');
DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SEQUENCE timer_generation TO %I', 'redress_' || current_schema());
END $$;
