-- Calendars of tenants, every version of each. Those that are built in have no
-- rows until somebody edits them.

CREATE TABLE calendars (
    tenant_id    text        NOT NULL,
    name         text        NOT NULL,
    version      bigint      NOT NULL,
    edition_id   uuid        NOT NULL,
    effective_at timestamptz NOT NULL,
    edited_by    text        NOT NULL,
    title        text        NOT NULL,
    time_zone    text        NOT NULL,
    known_until  text        NOT NULL,
    content      jsonb       NOT NULL,
    CONSTRAINT calendars_pkey PRIMARY KEY (tenant_id, name, version),
    CONSTRAINT calendars_version_counts CHECK (version > 0)
);
COMMENT ON TABLE calendars IS 'What due times are counted by: the version with the highest number counts, earlier ones are history.';
COMMENT ON COLUMN calendars.tenant_id IS 'Whose calendar it is.';
COMMENT ON COLUMN calendars.name IS 'What policies call it.';
COMMENT ON COLUMN calendars.version IS 'Counts its versions from 1.';
COMMENT ON COLUMN calendars.edition_id IS 'Names this version alone: what was made of its content is remembered by it.';
COMMENT ON COLUMN calendars.effective_at IS 'When it took effect.';
COMMENT ON COLUMN calendars.edited_by IS 'Whose edit it was.';
COMMENT ON COLUMN calendars.title IS 'What it is, in one line.';
COMMENT ON COLUMN calendars.time_zone IS 'IANA name of its zone.';
COMMENT ON COLUMN calendars.known_until IS 'Last day whose holidays are known; empty when rules settle every year.';
COMMENT ON COLUMN calendars.content IS 'All it says, as libs/calendar writes a draft.';
SELECT tenant_table('calendars');
