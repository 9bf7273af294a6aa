-- Deliveries that are not believed are noted apart from posts that cannot be read: neither hides
-- the other.

ALTER TABLE webhook_source
    ADD COLUMN unsigned          integer NOT NULL DEFAULT 0,
    ADD COLUMN unsigned_since    timestamptz,
    ADD COLUMN unsigned_last_at  timestamptz,
    ADD CONSTRAINT webhook_source_unsigned CHECK (
        (unsigned = 0) = (unsigned_since IS NULL) AND (unsigned = 0) = (unsigned_last_at IS NULL)) NOT VALID;
COMMENT ON COLUMN webhook_source.unsigned IS 'Deliveries that were not believed since the last that was.';
COMMENT ON COLUMN webhook_source.unsigned_since IS 'When the first of them came; null where there is none.';
COMMENT ON COLUMN webhook_source.unsigned_last_at IS 'When the last of them came; null where there is none.';
