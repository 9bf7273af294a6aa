-- Complaints are read by index whatever the values are: a tenth of the usual sample
-- says enough. The usual one reads thirty thousand of these rows, a page or nearly so
-- each, whenever the table has grown by as much as autovacuum lets it; and what is
-- never looked for is not sorted out at all.
ALTER TABLE complaint
    ALTER COLUMN tenant_id SET STATISTICS 10,
    ALTER COLUMN complaint_id SET STATISTICS 10,
    ALTER COLUMN request_id SET STATISTICS 10,
    ALTER COLUMN request_hash SET STATISTICS 0,
    ALTER COLUMN channel SET STATISTICS 10,
    ALTER COLUMN external_ref SET STATISTICS 10,
    ALTER COLUMN customer_id SET STATISTICS 10,
    ALTER COLUMN received_at SET STATISTICS 10,
    ALTER COLUMN record SET STATISTICS 0,
    ALTER COLUMN position SET STATISTICS 10,
    ALTER COLUMN event SET STATISTICS 0,
    ALTER COLUMN traceparent SET STATISTICS 0;
