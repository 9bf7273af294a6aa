-- Call-backs that complainants ask for.

ALTER TABLE call_back
    ADD COLUMN phone      text NOT NULL DEFAULT '',
    ADD COLUMN not_before timestamptz,
    ADD COLUMN requester  text NOT NULL DEFAULT '',
    ADD COLUMN note       text NOT NULL DEFAULT '';
COMMENT ON COLUMN call_back.phone IS 'The number they asked to be called at; empty for the one that is known.';
COMMENT ON COLUMN call_back.not_before IS 'From when on they want to be called; null where they named no time, or were tried since.';
COMMENT ON COLUMN call_back.requester IS 'Subject of who asked for it; empty where nobody did, or a call did.';
COMMENT ON COLUMN call_back.note IS 'What they want to talk about.';

ALTER TABLE case_profile
    ADD COLUMN masked_phone       text,
    ADD COLUMN masked_phone_until timestamptz,
    ADD COLUMN time_zone          text;
COMMENT ON COLUMN case_profile.masked_phone IS 'Number of an intermediary that leads to the complainant for a time; null where there is none.';
COMMENT ON COLUMN case_profile.masked_phone_until IS 'Until when.';
COMMENT ON COLUMN case_profile.time_zone IS 'IANA name of the zone of the case, as it was opened.';
