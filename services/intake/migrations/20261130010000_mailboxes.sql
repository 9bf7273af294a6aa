-- Mailboxes that complaints arrive in, and the mails that arrived.

CREATE TABLE mailbox (
    tenant_id           text        NOT NULL,
    mailbox_id          text        NOT NULL,
    address             text        NOT NULL,
    host                text        NOT NULL,
    port                integer     NOT NULL,
    security            smallint    NOT NULL,
    username            text        NOT NULL,
    folder              text        NOT NULL,
    secret              text        NOT NULL,
    token_url           text        NOT NULL,
    client_id           text        NOT NULL,
    client_secret       text        NOT NULL,
    token_scope         text        NOT NULL,
    by_refresh_token    boolean     NOT NULL,
    owner               text        NOT NULL,
    language            text        NOT NULL,
    category_hint       text        NOT NULL,
    max_per_sender_hour integer     NOT NULL,
    silent_after_s      bigint      NOT NULL,
    paused              boolean     NOT NULL,
    version             bigint      NOT NULL,
    updater             text        NOT NULL,
    updated_at          timestamptz NOT NULL,
    uid_validity        bigint      NOT NULL DEFAULT 0,
    last_uid            bigint      NOT NULL DEFAULT 0,
    holder              uuid,
    held_until          timestamptz NOT NULL DEFAULT '-infinity',
    caught_up_at        timestamptz,
    last_mail_at        timestamptz,
    error_reason        text        NOT NULL DEFAULT '',
    error               text        NOT NULL DEFAULT '',
    failing_since       timestamptz,
    attempts            integer     NOT NULL DEFAULT 0,
    CONSTRAINT mailbox_pkey PRIMARY KEY (tenant_id, mailbox_id),
    CONSTRAINT mailbox_failing CHECK ((failing_since IS NULL) = (error_reason = ''))
);
-- Of all tenants: what is handed over names an address only.
CREATE UNIQUE INDEX mailbox_address_key ON mailbox (address);
COMMENT ON TABLE mailbox IS 'Mailboxes that complaints arrive in, and how far each is read.';
COMMENT ON COLUMN mailbox.mailbox_id IS 'Its name.';
COMMENT ON COLUMN mailbox.address IS 'The address that people write to, in lower case.';
COMMENT ON COLUMN mailbox.host IS 'The IMAP server; empty where mails are handed over.';
COMMENT ON COLUMN mailbox.port IS 'Its port.';
COMMENT ON COLUMN mailbox.security IS 'Number of redress.intake.v1.MailSecurity.';
COMMENT ON COLUMN mailbox.username IS 'Whom to log in as.';
COMMENT ON COLUMN mailbox.folder IS 'The folder.';
COMMENT ON COLUMN mailbox.secret IS 'The password, refresh token or client''s secret.';
COMMENT ON COLUMN mailbox.token_url IS 'Where tokens are had from (OAuth 2.0); empty where there is a password.';
COMMENT ON COLUMN mailbox.client_id IS 'As which client.';
COMMENT ON COLUMN mailbox.client_secret IS 'Its secret, where the mailbox''s is a refresh token; empty where it has none.';
COMMENT ON COLUMN mailbox.token_scope IS 'For what.';
COMMENT ON COLUMN mailbox.by_refresh_token IS 'Whether the secret is a refresh token, and not the client''s.';
COMMENT ON COLUMN mailbox.owner IS 'Who answers for it.';
COMMENT ON COLUMN mailbox.language IS 'Language of mails that name none.';
COMMENT ON COLUMN mailbox.category_hint IS 'The category its mails are believed to belong to.';
COMMENT ON COLUMN mailbox.max_per_sender_hour IS 'Mails of one sender within an hour that are taken.';
COMMENT ON COLUMN mailbox.silent_after_s IS 'Seconds it may be silent before that is told; 0 for ever.';
COMMENT ON COLUMN mailbox.paused IS 'Whether it is left alone.';
COMMENT ON COLUMN mailbox.version IS 'Counts the changes, from 1.';
COMMENT ON COLUMN mailbox.updater IS 'Subject of who changed it last.';
COMMENT ON COLUMN mailbox.updated_at IS 'When.';
COMMENT ON COLUMN mailbox.uid_validity IS 'UIDVALIDITY of the folder (RFC 9051) that last_uid is of; 0 before it was read.';
COMMENT ON COLUMN mailbox.last_uid IS 'UID of the last mail that was taken in.';
COMMENT ON COLUMN mailbox.holder IS 'Which process reads it.';
COMMENT ON COLUMN mailbox.held_until IS 'Until when nobody else does; after a failure, when it is tried again.';
COMMENT ON COLUMN mailbox.caught_up_at IS 'When the server last said that there is nothing more.';
COMMENT ON COLUMN mailbox.last_mail_at IS 'When a mail was last taken in.';
COMMENT ON COLUMN mailbox.error_reason IS 'Why it cannot be read, as a stable name; empty while it can.';
COMMENT ON COLUMN mailbox.error IS 'The same in words.';
COMMENT ON COLUMN mailbox.failing_since IS 'Since when; null while it can be read.';
COMMENT ON COLUMN mailbox.attempts IS 'How often in a row it could not be read.';
SELECT tenant_table('mailbox');
SELECT worker_may('mailbox', 'SELECT, UPDATE');

CREATE TABLE mail (
    tenant_id     text        NOT NULL,
    mail_id       uuid        NOT NULL,
    mailbox_id    text        NOT NULL,
    identity      bytea       NOT NULL,
    message_id    text        NOT NULL,
    sender        text        NOT NULL,
    subject       text        NOT NULL,
    excerpt       text        NOT NULL,
    recipients    text[]      NOT NULL,
    received_at   timestamptz NOT NULL,
    taken_at      timestamptz NOT NULL,
    size_bytes    bigint      NOT NULL,
    attachment_id uuid,
    state         smallint    NOT NULL,
    set_aside     smallint,
    complaint_id  uuid,
    remarks       text[]      NOT NULL DEFAULT '{}',
    by_hand       boolean     NOT NULL DEFAULT false,
    registrar     text        NOT NULL DEFAULT '',
    next_at       timestamptz,
    attempts      integer     NOT NULL DEFAULT 0,
    CONSTRAINT mail_pkey PRIMARY KEY (tenant_id, mail_id),
    CONSTRAINT mail_identity_key UNIQUE (tenant_id, identity),
    CONSTRAINT mail_waiting CHECK ((state = 1) = (next_at IS NOT NULL)),
    CONSTRAINT mail_set_aside CHECK ((state = 4) = (set_aside IS NOT NULL))
);
COMMENT ON TABLE mail IS 'Mails that arrived: what became of each. Their contents are attachments.';
COMMENT ON COLUMN mail.mail_id IS 'Identity (UUID version 7: sorts by time of arrival).';
COMMENT ON COLUMN mail.mailbox_id IS 'The mailbox it arrived in.';
COMMENT ON COLUMN mail.identity IS 'SHA-256 of what tells it from any other: its Message-ID and what it says, or its bytes.';
COMMENT ON COLUMN mail.message_id IS 'Message-ID without brackets; empty where it has none.';
COMMENT ON COLUMN mail.sender IS 'Address of its sender, in lower case; empty where it has none.';
COMMENT ON COLUMN mail.subject IS 'Its subject, cut.';
COMMENT ON COLUMN mail.excerpt IS 'How its text begins.';
COMMENT ON COLUMN mail.recipients IS 'The addresses of its envelope, as far as they are known.';
COMMENT ON COLUMN mail.received_at IS 'When it arrived.';
COMMENT ON COLUMN mail.taken_at IS 'When it was taken in.';
COMMENT ON COLUMN mail.size_bytes IS 'How long it is.';
COMMENT ON COLUMN mail.attachment_id IS 'The attachment that has its bytes; null where feedback was handed it.';
COMMENT ON COLUMN mail.state IS 'Number of redress.intake.v1.MailState.';
COMMENT ON COLUMN mail.set_aside IS 'Why it was set aside: number of redress.intake.v1.MailSetAside.';
COMMENT ON COLUMN mail.complaint_id IS 'The complaint it became or was added to; of one that waits, the one that somebody says it is to be added to.';
COMMENT ON COLUMN mail.remarks IS 'What had to be guessed or left out while it was read.';
COMMENT ON COLUMN mail.by_hand IS 'Whether somebody says that it is to be registered, whatever it is.';
COMMENT ON COLUMN mail.registrar IS 'Subject of who did.';
COMMENT ON COLUMN mail.next_at IS 'When it is to be read; null where it was.';
COMMENT ON COLUMN mail.attempts IS 'How often it could not be.';
CREATE INDEX mail_waiting_next ON mail (tenant_id, next_at) WHERE state = 1;
CREATE INDEX mail_message ON mail (tenant_id, message_id) WHERE complaint_id IS NOT NULL AND message_id <> '';
CREATE INDEX mail_sender ON mail (tenant_id, mailbox_id, sender, received_at);
CREATE INDEX mail_complaint ON mail (tenant_id, complaint_id, mail_id) WHERE complaint_id IS NOT NULL;
CREATE INDEX mail_of_attachment ON mail (tenant_id, attachment_id) WHERE attachment_id IS NOT NULL;
CREATE INDEX mail_old ON mail (taken_at) WHERE state IN (4, 5);
SELECT tenant_table('mail');
SELECT worker_may('mail', 'SELECT, UPDATE, DELETE');
