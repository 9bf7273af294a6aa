-- Time zones are data with a version: by which release a due time was worked out, and
-- which releases count here.

ALTER TABLE clock ADD COLUMN zones text NOT NULL DEFAULT '';
COMMENT ON COLUMN clock.zones IS 'Release of the time zones its due time was worked out by, as 2026f; empty where that was not kept. One of another release than the process''s keeps its due time until the new one is put in force.';

CREATE TABLE zone_release (
    release         text        NOT NULL,
    first_start_at  timestamptz NOT NULL,
    last_start_at   timestamptz NOT NULL,
    CONSTRAINT zone_release_pkey PRIMARY KEY (release)
);
COMMENT ON TABLE zone_release IS 'Releases of the time zones that processes of this service have counted by.';
COMMENT ON COLUMN zone_release.release IS 'As 2026f.';
COMMENT ON COLUMN zone_release.first_start_at IS 'When the first process that counts by it started.';
COMMENT ON COLUMN zone_release.last_start_at IS 'When the latest process that counts by it started, or last said that it still does.';
SELECT shared_table('zone_release');
