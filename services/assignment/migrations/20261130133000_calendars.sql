-- Shifts go by the tenant's own calendars, as the cases service tells them.

CREATE TABLE calendar (
    tenant_id text   NOT NULL,
    name      text   NOT NULL,
    version   bigint NOT NULL CHECK (version > 0),
    content   jsonb  NOT NULL,
    CONSTRAINT calendar_pkey PRIMARY KEY (tenant_id, name)
);
COMMENT ON TABLE calendar IS 'Calendars a tenant has made or edited, in the latest version heard of; the shipped ones count where there is none of their name.';
COMMENT ON COLUMN calendar.tenant_id IS 'Whose calendar it is.';
COMMENT ON COLUMN calendar.name IS 'What shifts call it.';
COMMENT ON COLUMN calendar.version IS 'Which version it is.';
COMMENT ON COLUMN calendar.content IS 'All it says, as libs/calendar writes a draft.';
SELECT tenant_table('calendar');

CREATE INDEX agent_shift_calendar ON agent (tenant_id, shift_calendar) WHERE shift_calendar IS NOT NULL;
COMMENT ON INDEX agent_shift_calendar IS 'Whose shifts go by a calendar that was edited.';
