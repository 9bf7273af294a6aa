-- Attachments are scanned a tenant at a time in turn: the index in which they wait begins with
-- the tenant. It has only those that wait.
CREATE INDEX attachment_scan_next ON attachment (tenant_id, scan_at) WHERE state = 2;
DROP INDEX attachment_scan;
