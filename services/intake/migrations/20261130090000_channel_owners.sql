-- Who answers for a channel, and how long it may be silent.

ALTER TABLE channel_setting
    ADD COLUMN owner text NOT NULL DEFAULT '',
    ADD COLUMN silent_after_s bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN channel_setting.owner IS 'Who answers for it; empty where nobody was named.';
COMMENT ON COLUMN channel_setting.silent_after_s IS 'Seconds nothing may be registered by it before that is told; 0 for ever.';
-- How long the channels of all tenants have been silent is read by the worker.
SELECT worker_may('channel_setting', 'SELECT');
DO $$
BEGIN
    EXECUTE format('GRANT SELECT (channel) ON complaint TO %I', 'redress_' || current_schema() || '_worker');
END $$;
