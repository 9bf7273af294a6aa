-- Others hear of calendars: shifts of agents follow them.

ALTER TABLE calendars ADD COLUMN told boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN calendars.told IS 'Whether others were told of this version; those from before this was told are told once.';
CREATE INDEX calendars_untold ON calendars (tenant_id) WHERE NOT told;
SELECT worker_may('calendars', 'SELECT (tenant_id, told)');
