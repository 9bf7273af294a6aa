-- Complaints are found by their receipt codes: who has one may add to the complaint.

ALTER TABLE complaint ADD COLUMN receipt_hash bytea;
ALTER TABLE complaint ALTER COLUMN receipt_hash SET STATISTICS 0;
COMMENT ON COLUMN complaint.receipt_hash IS 'SHA-256 of its receipt code; null on rows of before, which are not found by it.';
-- Empty when it is built: only rows from now on have the column.
CREATE INDEX complaint_receipt ON complaint (tenant_id, receipt_hash) WHERE receipt_hash IS NOT NULL;
