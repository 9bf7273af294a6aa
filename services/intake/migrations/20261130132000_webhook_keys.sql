-- What posts are known by is forgotten once nothing has told of their matter for long.

ALTER TABLE webhook_matter ADD COLUMN is_known boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN webhook_matter.is_known IS 'Whether posts of it are still recognised: their keys and accounts are there.';
CREATE INDEX webhook_matter_last ON webhook_matter (last_at) WHERE is_known;
CREATE INDEX webhook_key_matter ON webhook_key (tenant_id, matter_id);
SELECT worker_may('webhook_key', 'SELECT, UPDATE, DELETE');
SELECT worker_may('webhook_account', 'SELECT, UPDATE, DELETE');
