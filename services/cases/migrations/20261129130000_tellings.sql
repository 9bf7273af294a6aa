-- By what a promise to tell the complainant was kept, so that it is open again once that
-- turns out not to have reached them.

ALTER TABLE clock ADD COLUMN tellings jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN clock.tellings IS 'By what the complainant was told, of a promise that is kept by that: the mail, which may come back, or null of what does not; when; and whether it came back. Empty of promises kept before it was noted.';

ALTER TABLE early_notices
    ADD COLUMN notice_id uuid,
    ADD COLUMN sending   integer;
COMMENT ON COLUMN early_notices.notice_id IS 'The notice, where it went by mail, which may come back.';
COMMENT ON COLUMN early_notices.sending IS 'Which of its sendings, from 1.';
