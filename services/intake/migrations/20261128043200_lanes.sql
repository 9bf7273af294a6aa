-- A complaint that came by SubmitComplaints travels in the feed's bulk lane.

ALTER TABLE complaint ADD COLUMN lane smallint NOT NULL DEFAULT 1;
COMMENT ON COLUMN complaint.lane IS 'The lane of the feed in which its registration travels, a number of redress.event.v1.Lane: 1 live, 2 bulk.';
CREATE INDEX complaint_bulk ON complaint (position) WHERE lane = 2 AND event IS NOT NULL;
DO $$
BEGIN
    EXECUTE format('GRANT SELECT (lane) ON complaint TO %I', 'redress_' || current_schema() || '_worker');
END $$;

DROP FUNCTION IF EXISTS feed(bigint, bigint, bigint);

-- A registration follows nothing: it is its subject's first.
CREATE OR REPLACE FUNCTION feed_page(after bigint, up_to bigint, most bigint, wanted smallint, of_tenant text,
                                     but_tenants text[], types text[])
RETURNS TABLE ("position" bigint, tenant_id text, event_id uuid, subject uuid, type text, occurred_at timestamptz,
               traceparent text, payload bytea, lane smallint, follows bigint)
LANGUAGE sql STABLE BEGIN ATOMIC
    (SELECT o.position, o.tenant_id, o.event_id, o.subject, o.type, o.occurred_at, o.traceparent, o.payload, o.lane,
            CASE WHEN o.lane = 1 THEN greatest(
                (SELECT max(b.position) FROM outbox b
                 WHERE b.lane = 2 AND b.tenant_id = o.tenant_id AND b.subject = o.subject
                   AND b.position < o.position),
                (SELECT c.position FROM complaint c
                 WHERE c.lane = 2 AND c.tenant_id = o.tenant_id AND c.complaint_id = o.subject
                   AND c.position < o.position), 0) ELSE 0 END
     FROM outbox o
     WHERE wanted <> 2 AND o.position > after AND o.position <= up_to AND (wanted = 0 OR o.lane = 1)
       AND (of_tenant = '' OR o.tenant_id = of_tenant) AND o.tenant_id <> ALL (but_tenants)
       AND (types = '{}' OR o.type = ANY (types))
     ORDER BY o.position LIMIT most)
    UNION ALL
    (SELECT o.position, o.tenant_id, o.event_id, o.subject, o.type, o.occurred_at, o.traceparent, o.payload, o.lane, 0
     FROM outbox o
     WHERE wanted = 2 AND o.position > after AND o.position <= up_to AND o.lane = 2
       AND (of_tenant = '' OR o.tenant_id = of_tenant) AND o.tenant_id <> ALL (but_tenants)
       AND (types = '{}' OR o.type = ANY (types))
     ORDER BY o.position LIMIT most)
    UNION ALL
    (SELECT c.position, c.tenant_id, c.complaint_id, c.complaint_id, 'redress.intake.v1.ComplaintRegistered',
            c.received_at, c.traceparent, c.event, c.lane, 0
     FROM complaint c
     WHERE wanted <> 2 AND c.event IS NOT NULL AND c.position > after AND c.position <= up_to
       AND (wanted = 0 OR c.lane = 1)
       AND (of_tenant = '' OR c.tenant_id = of_tenant) AND c.tenant_id <> ALL (but_tenants)
       AND (types = '{}' OR 'redress.intake.v1.ComplaintRegistered' = ANY (types))
     ORDER BY c.position LIMIT most)
    UNION ALL
    (SELECT c.position, c.tenant_id, c.complaint_id, c.complaint_id, 'redress.intake.v1.ComplaintRegistered',
            c.received_at, c.traceparent, c.event, c.lane, 0
     FROM complaint c
     WHERE wanted = 2 AND c.event IS NOT NULL AND c.position > after AND c.position <= up_to AND c.lane = 2
       AND (of_tenant = '' OR c.tenant_id = of_tenant) AND c.tenant_id <> ALL (but_tenants)
       AND (types = '{}' OR 'redress.intake.v1.ComplaintRegistered' = ANY (types))
     ORDER BY c.position LIMIT most)
    ORDER BY 1 LIMIT most;
END;
