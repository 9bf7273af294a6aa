-- A complaint is the event that tells of it: one row, read by the feed as it lies
-- there. Registrations of before have their event in the outbox, and stay there.

ALTER TABLE complaint ALTER COLUMN record DROP NOT NULL;
ALTER TABLE complaint ADD COLUMN event bytea;
ALTER TABLE complaint ADD COLUMN traceparent text;
COMMENT ON COLUMN complaint.record IS 'No longer read or written. The complaint without what the event has beside it.';
COMMENT ON COLUMN complaint.event IS 'The whole complaint and what is told with it, a protobuf-encoded redress.intake.v1.ComplaintRegistered; null where the outbox has it.';
COMMENT ON COLUMN complaint.traceparent IS 'W3C trace context of the submission; empty when untraced, null where the outbox has it.';
COMMENT ON COLUMN complaint.position IS 'Its place in the feed: its consistency token.';
CREATE UNIQUE INDEX complaint_position ON complaint (position) WHERE event IS NOT NULL;
SELECT worker_may('complaint', 'SELECT (tenant_id, complaint_id, received_at, position, event, traceparent)');

-- Each part by its index, as far as is asked for.
CREATE OR REPLACE FUNCTION feed(after bigint, up_to bigint, most bigint)
RETURNS TABLE ("position" bigint, tenant_id text, event_id uuid, subject uuid, type text, occurred_at timestamptz,
               traceparent text, payload bytea)
LANGUAGE sql STABLE BEGIN ATOMIC
    (SELECT o.position, o.tenant_id, o.event_id, o.subject, o.type, o.occurred_at, o.traceparent, o.payload
     FROM outbox o WHERE o.position > after AND o.position <= up_to ORDER BY o.position LIMIT most)
    UNION ALL
    (SELECT c.position, c.tenant_id, c.complaint_id, c.complaint_id, 'redress.intake.v1.ComplaintRegistered',
            c.received_at, c.traceparent, c.event
     FROM complaint c WHERE c.event IS NOT NULL AND c.position > after AND c.position <= up_to
     ORDER BY c.position LIMIT most)
    ORDER BY 1 LIMIT most;
END;
