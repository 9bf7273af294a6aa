-- Answers to notices find their case by a token.

ALTER TABLE contact ADD COLUMN mail_token text NOT NULL DEFAULT '';
COMMENT ON COLUMN contact.mail_token IS 'Token of mails about the case, which notices bear; empty of complaints registered before there were tokens.';
