-- Cases are found by their receipt codes: who has one may answer the outcome.

ALTER TABLE case_profile ADD COLUMN receipt_hash bytea;
COMMENT ON COLUMN case_profile.receipt_hash IS 'SHA-256 of the receipt code; null of complaints registered before codes were taken here.';
-- Empty when it is built: only rows from now on have the column.
CREATE INDEX case_profile_receipt ON case_profile (tenant_id, receipt_hash) WHERE receipt_hash IS NOT NULL;
