-- Mails that stay on their server: each is a row that somebody deals with.

ALTER TABLE mail
    ADD COLUMN uid_validity   bigint NOT NULL DEFAULT 0,
    ADD COLUMN uid            bigint NOT NULL DEFAULT 0,
    ADD COLUMN told_text      text   NOT NULL DEFAULT '',
    ADD COLUMN dismisser      text   NOT NULL DEFAULT '',
    ADD COLUMN dismiss_reason text   NOT NULL DEFAULT '';
COMMENT ON COLUMN mail.uid_validity IS 'UIDVALIDITY of the folder that it stays in (RFC 9051); 0 where it is here.';
COMMENT ON COLUMN mail.uid IS 'Its UID there; 0 where it is here.';
COMMENT ON COLUMN mail.told_text IS 'What it says, as somebody told who registers it by hand; empty once that is done.';
COMMENT ON COLUMN mail.dismisser IS 'Subject of who said that nothing is to be done about it; empty where nobody did.';
COMMENT ON COLUMN mail.dismiss_reason IS 'Why they did.';
CREATE INDEX mail_unfetched ON mail (tenant_id, mailbox_id, taken_at)
    WHERE state = 4 AND set_aside IN (8, 9) AND dismisser = '';

ALTER TABLE mailbox
    ADD COLUMN not_given_uid      bigint  NOT NULL DEFAULT 0,
    ADD COLUMN not_given_attempts integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN mailbox.not_given_uid IS 'UID of the mail that its server was last asked for and did not give; 0 where there is none.';
COMMENT ON COLUMN mailbox.not_given_attempts IS 'How often in a row it did not.';
