-- Departments that cannot poll: where their tasks are brought to, each delivery, and
-- each try of one.

CREATE TABLE endpoint (
    tenant_id        text        NOT NULL,
    department_id    text        NOT NULL,
    version          bigint      NOT NULL,
    kind             smallint    NOT NULL CHECK (kind BETWEEN 1 AND 2),
    url              text        NOT NULL,
    secret           text,
    old_secret       text,
    old_secret_until timestamptz,
    timeout_ms       bigint      NOT NULL,
    hold_seconds     bigint      NOT NULL,
    pause_reason     text,
    paused_by        text,
    paused_at        timestamptz,
    failures         integer     NOT NULL DEFAULT 0,
    failing_since    timestamptz,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT endpoint_pkey PRIMARY KEY (tenant_id, department_id),
    CONSTRAINT endpoint_old_secret CHECK ((old_secret IS NULL) = (old_secret_until IS NULL)),
    CONSTRAINT endpoint_pause CHECK (
        (paused_at IS NULL) = (pause_reason IS NULL) AND (paused_at IS NULL) = (paused_by IS NULL)),
    CONSTRAINT endpoint_failing CHECK ((failures = 0) = (failing_since IS NULL))
);
COMMENT ON TABLE endpoint IS 'Where a department has its tasks brought to.';
COMMENT ON COLUMN endpoint.tenant_id IS 'Whose department it is.';
COMMENT ON COLUMN endpoint.department_id IS 'The department.';
COMMENT ON COLUMN endpoint.version IS 'Counts the changes that people made, and pauses.';
COMMENT ON COLUMN endpoint.kind IS 'EndpointKind: 1 gRPC, 2 webhook.';
COMMENT ON COLUMN endpoint.url IS 'Where it is.';
COMMENT ON COLUMN endpoint.secret IS 'What webhooks are signed with, whsec_…; of gRPC the token that is shown. Null where there is none. Never answered.';
COMMENT ON COLUMN endpoint.old_secret IS 'The secret before, while webhooks are signed with both; null otherwise.';
COMMENT ON COLUMN endpoint.old_secret_until IS 'Until when that one signs; null without.';
COMMENT ON COLUMN endpoint.timeout_ms IS 'Longest that one try may take, in milliseconds.';
COMMENT ON COLUMN endpoint.hold_seconds IS 'How long a task is held once the department took it.';
COMMENT ON COLUMN endpoint.pause_reason IS 'Why it is paused; null while it is not.';
COMMENT ON COLUMN endpoint.paused_by IS 'Who paused it, empty where it was for its failures; null while it is not.';
COMMENT ON COLUMN endpoint.paused_at IS 'When it was paused; null while it is not.';
COMMENT ON COLUMN endpoint.failures IS 'How many tries in a row have failed.';
COMMENT ON COLUMN endpoint.failing_since IS 'Since when they fail; null while they do not.';
COMMENT ON COLUMN endpoint.updated_at IS 'When somebody changed it last.';
SELECT tenant_table('endpoint');
-- Not the secrets: those are read as the tenant's.
SELECT worker_may('endpoint', 'SELECT (tenant_id, department_id, paused_at, failures)');

CREATE TABLE delivery (
    tenant_id        text        NOT NULL,
    delivery_id      uuid        NOT NULL,
    task_id          uuid        NOT NULL,
    department_id    text        NOT NULL,
    kind             smallint    NOT NULL CHECK (kind BETWEEN 1 AND 2),
    state            smallint    NOT NULL CHECK (state BETWEEN 1 AND 7),
    lease_token      uuid        NOT NULL,
    created_at       timestamptz NOT NULL,
    due_at           timestamptz NOT NULL,
    give_up_at       timestamptz NOT NULL,
    tries            integer     NOT NULL DEFAULT 0,
    is_under_way     boolean     NOT NULL DEFAULT false,
    may_have_arrived boolean     NOT NULL DEFAULT false,
    ended_at         timestamptz,
    traceparent      text        NOT NULL,
    CONSTRAINT delivery_pkey PRIMARY KEY (tenant_id, delivery_id),
    CONSTRAINT delivery_end CHECK ((state = 1) = (ended_at IS NULL))
) WITH (fillfactor = 80);
COMMENT ON TABLE delivery IS 'A message to a department, made until it is answered. Kept for 90 days after its end.';
COMMENT ON COLUMN delivery.tenant_id IS 'Whose task it is.';
COMMENT ON COLUMN delivery.delivery_id IS 'Identity, a UUID version 7; the webhook-id of a webhook.';
COMMENT ON COLUMN delivery.task_id IS 'The task.';
COMMENT ON COLUMN delivery.department_id IS 'The department.';
COMMENT ON COLUMN delivery.kind IS 'DeliveryKind: 1 here is a task, 2 it is no longer wanted.';
COMMENT ON COLUMN delivery.state IS 'DeliveryState: 1 pending, 2 taken, 3 done, 4 rejected, 5 failed, 6 undeliverable, 7 superseded.';
COMMENT ON COLUMN delivery.lease_token IS 'The lease it tells of: once the task is held under another, there is nothing to deliver.';
COMMENT ON COLUMN delivery.created_at IS 'When it was first due.';
COMMENT ON COLUMN delivery.due_at IS 'When it is tried next; while a try is under way, when it may be tried by another process.';
COMMENT ON COLUMN delivery.give_up_at IS 'When it is no longer tried.';
COMMENT ON COLUMN delivery.tries IS 'How often it was tried.';
COMMENT ON COLUMN delivery.is_under_way IS 'Whether a try began and has not been settled: found so when it is due, it was cut off.';
COMMENT ON COLUMN delivery.may_have_arrived IS 'Whether a try may have reached the department.';
COMMENT ON COLUMN delivery.ended_at IS 'When it ended; null before.';
COMMENT ON COLUMN delivery.traceparent IS 'W3C trace context of the case; empty when untraced.';
CREATE UNIQUE INDEX delivery_of_task ON delivery (tenant_id, task_id, kind) WHERE state = 1;
COMMENT ON INDEX delivery_of_task IS 'Of a task, one delivery at a time, and one of its cancellation.';
CREATE INDEX delivery_due ON delivery (tenant_id, department_id, due_at) WHERE state = 1;
CREATE INDEX delivery_task ON delivery (tenant_id, task_id, delivery_id);
CREATE INDEX delivery_department ON delivery (tenant_id, department_id, delivery_id);
CREATE INDEX delivery_ended ON delivery (ended_at) WHERE state <> 1;
COMMENT ON INDEX delivery_ended IS 'What is no longer kept, whosever it is.';
SELECT tenant_table('delivery');
SELECT worker_may('delivery', 'SELECT, UPDATE, DELETE');

CREATE TABLE delivery_try (
    tenant_id   text        NOT NULL,
    delivery_id uuid        NOT NULL,
    number      integer     NOT NULL,
    tried_at    timestamptz NOT NULL,
    duration_ms bigint,
    status      text        NOT NULL DEFAULT '',
    reason      text        NOT NULL DEFAULT '',
    excerpt     text        NOT NULL DEFAULT '',
    CONSTRAINT delivery_try_pkey PRIMARY KEY (tenant_id, delivery_id, number)
);
COMMENT ON TABLE delivery_try IS 'Each try of a delivery, written before it is made; goes with its delivery.';
COMMENT ON COLUMN delivery_try.tenant_id IS 'Whose delivery it is.';
COMMENT ON COLUMN delivery_try.delivery_id IS 'The delivery.';
COMMENT ON COLUMN delivery_try.number IS 'Counts within the delivery, from 1.';
COMMENT ON COLUMN delivery_try.tried_at IS 'When it began.';
COMMENT ON COLUMN delivery_try.duration_ms IS 'How long it took, in milliseconds; null where it was cut off.';
COMMENT ON COLUMN delivery_try.status IS 'Status of the answer: 200, or the name of a gRPC code; empty where there was none.';
COMMENT ON COLUMN delivery_try.reason IS 'Why it did not count, or what was wrong with the answer; empty when nothing was.';
COMMENT ON COLUMN delivery_try.excerpt IS 'The beginning of the answer.';
SELECT tenant_table('delivery_try');
SELECT worker_may('delivery_try', 'SELECT, DELETE');

-- Whose departments have something to be brought.
DO $$
BEGIN
    EXECUTE format('GRANT SELECT (tenant_id, department_id) ON task TO %I', 'redress_' || current_schema() || '_worker');
END $$;
