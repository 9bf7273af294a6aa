-- What every service's schema has: tenant isolation, idempotency, the outbox.
-- Roles are made before migrations run: <schema owner> runs this file;
-- redress_<schema> is what the service becomes, and sees one tenant at a time;
-- redress_<schema>_worker sees all tenants of the few tables it is granted.

CREATE FUNCTION tenant_table(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name);
    EXECUTE format(
        'CREATE POLICY one_tenant ON %s TO %I USING (tenant_id = current_setting(''redress.tenant'', true))',
        name, 'redress_' || current_schema());
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', name, 'redress_' || current_schema());
END $$;
COMMENT ON FUNCTION tenant_table IS 'Gives a table with tenant_id to the service role, one tenant at a time (row-level security, forced).';

CREATE FUNCTION shared_table(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', name, 'redress_' || current_schema());
END $$;
COMMENT ON FUNCTION shared_table IS 'Gives a table that holds no tenant''s data to the service role.';

CREATE FUNCTION worker_may(name regclass, privileges text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT %s ON %s TO %I', privileges, name, 'redress_' || current_schema() || '_worker');
    EXECUTE format('CREATE POLICY all_tenants ON %s TO %I USING (true)', name, 'redress_' || current_schema() || '_worker');
END $$;
COMMENT ON FUNCTION worker_may IS 'Lets the worker role, which serves all tenants, use a table.';

CREATE TABLE idempotency (
    tenant_id    text        NOT NULL,
    rpc          text        NOT NULL,
    request_id   text        NOT NULL,
    request_hash bytea       NOT NULL,
    answer       bytea       NOT NULL,
    position     bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (tenant_id, rpc, request_id)
);
COMMENT ON TABLE idempotency IS 'Answers given to mutations, kept 7 days, so that a repeated request gets the same one.';
COMMENT ON COLUMN idempotency.rpc IS 'Service and method, e.g. CaseService.DecideCase.';
COMMENT ON COLUMN idempotency.request_id IS 'The caller''s key.';
COMMENT ON COLUMN idempotency.request_hash IS 'SHA-256 of the request: another request under the same key is refused.';
COMMENT ON COLUMN idempotency.answer IS 'The answer, protobuf-encoded.';
COMMENT ON COLUMN idempotency.position IS 'Last outbox position the mutation wrote, 0 if none: its consistency token.';
COMMENT ON COLUMN idempotency.created_at IS 'When it was answered.';
CREATE INDEX idempotency_age ON idempotency USING brin (created_at);
SELECT tenant_table('idempotency');
SELECT worker_may('idempotency', 'SELECT, DELETE');

CREATE SEQUENCE outbox_position AS bigint;
CREATE TABLE outbox (
    -- First on purpose: defaults are computed in column order, so that a
    -- transaction has its id before it takes a position. The feed's horizon
    -- depends on it.
    xid         xid8        NOT NULL DEFAULT pg_current_xact_id(),
    position    bigint      NOT NULL DEFAULT nextval('outbox_position'),
    tenant_id   text        NOT NULL,
    event_id    uuid        NOT NULL,
    subject     uuid        NOT NULL,
    type        text        NOT NULL,
    occurred_at timestamptz NOT NULL,
    traceparent text        NOT NULL,
    payload     bytea       NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (position)
);
COMMENT ON TABLE outbox IS 'What happened, in the transaction that made it true; read by the event feed. One feed per service, hence keyed by position, not by tenant.';
COMMENT ON COLUMN outbox.xid IS 'Transaction that wrote the event.';
COMMENT ON COLUMN outbox.position IS 'Place in the feed: grows, is not dense, is in order per subject.';
COMMENT ON COLUMN outbox.event_id IS 'Identity of the event.';
COMMENT ON COLUMN outbox.subject IS 'Case the event is about: the key of ordering.';
COMMENT ON COLUMN outbox.type IS 'Full protobuf name of the payload.';
COMMENT ON COLUMN outbox.occurred_at IS 'When it happened, by the service''s clock.';
COMMENT ON COLUMN outbox.traceparent IS 'W3C trace context of the cause; empty when untraced.';
COMMENT ON COLUMN outbox.payload IS 'The payload, protobuf-encoded.';
SELECT tenant_table('outbox');
SELECT worker_may('outbox', 'SELECT');

-- Where the feed may be read up to, for a reader who knows of positions up to
-- `known`. If there are more, the reader takes a transaction id of its own: whoever
-- took a position up to last_position has a lower one. Once the oldest running
-- transaction (xmin) has reached it, all of them are decided. The snapshot's xmax
-- would not do: it is the id after the latest *ended* transaction, and running
-- ones may lie beyond it.
CREATE FUNCTION feed_horizon(known bigint, OUT last_position bigint, OUT bound bigint, OUT xmin bigint)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO last_position FROM outbox_position s;
    IF last_position > known THEN
        bound := pg_current_xact_id()::text::bigint;
    END IF;
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint INTO xmin;
END $$;
COMMENT ON FUNCTION feed_horizon IS 'Last position handed out, an id above those of the transactions that took them, and the oldest transaction that runs.';
DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SEQUENCE outbox_position TO %I', 'redress_' || current_schema());
    EXECUTE format('GRANT SELECT ON SEQUENCE outbox_position TO %I', 'redress_' || current_schema() || '_worker');
END $$;
