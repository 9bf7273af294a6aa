-- Whether a complaint is one that is here already is told by what it says: a channel's
-- number alone may have been given twice. What is added and what is submitted keeps
-- its key for as long as the row is kept, not for seven days.

ALTER TABLE complaint ADD COLUMN content_hash bytea;
ALTER TABLE complaint ALTER COLUMN content_hash SET STATISTICS 0;
COMMENT ON COLUMN complaint.content_hash IS 'SHA-256 of the channel''s number and of what was said (intake: wire/content.rs); null without a number, and on rows of before, which are compared by their event.';
COMMENT ON COLUMN complaint.external_ref IS 'The channel''s own number for it, where that is one complaint''s only; null where the channel''s numbers repeat: the event has it.';
-- Empty when it is built: only rows from now on have the column.
CREATE UNIQUE INDEX complaint_content_key ON complaint (tenant_id, channel, content_hash)
    WHERE content_hash IS NOT NULL;

CREATE TABLE channel_setting (
    tenant_id            text        NOT NULL,
    channel              smallint    NOT NULL,
    external_refs_repeat boolean     NOT NULL,
    version              bigint      NOT NULL,
    updater              text        NOT NULL,
    updated_at           timestamptz NOT NULL,
    CONSTRAINT channel_setting_pkey PRIMARY KEY (tenant_id, channel)
);
COMMENT ON TABLE channel_setting IS 'What a tenant has settled about its channels; no row where nothing was.';
COMMENT ON COLUMN channel_setting.tenant_id IS 'Whose channel it is.';
COMMENT ON COLUMN channel_setting.channel IS 'Number of redress.intake.v1.Channel.';
COMMENT ON COLUMN channel_setting.external_refs_repeat IS 'Whether one number of the channel may be several complaints''.';
COMMENT ON COLUMN channel_setting.version IS 'Counts the changes, from 1.';
COMMENT ON COLUMN channel_setting.updater IS 'Subject of who changed it last.';
COMMENT ON COLUMN channel_setting.updated_at IS 'When.';
SELECT tenant_table('channel_setting');

CREATE TABLE submission_key (
    tenant_id    text        NOT NULL,
    request_id   text        NOT NULL,
    request_hash bytea       NOT NULL,
    complaint_id uuid        NOT NULL,
    answered_at  timestamptz NOT NULL,
    CONSTRAINT submission_key_pkey PRIMARY KEY (tenant_id, request_id)
);
COMMENT ON TABLE submission_key IS 'Keys of submissions that were answered with a complaint registered under another key; kept as long as the complaint.';
COMMENT ON COLUMN submission_key.tenant_id IS 'Whose submission it was.';
COMMENT ON COLUMN submission_key.request_id IS 'Its idempotency key.';
COMMENT ON COLUMN submission_key.request_hash IS 'SHA-256 of the submission: another one under the same key is refused.';
COMMENT ON COLUMN submission_key.complaint_id IS 'The complaint it was answered with.';
COMMENT ON COLUMN submission_key.answered_at IS 'When.';
SELECT tenant_table('submission_key');

ALTER TABLE addition ADD COLUMN request_id text, ADD COLUMN request_hash bytea;
COMMENT ON COLUMN addition.request_id IS 'Idempotency key of the addition, kept without end; null on rows of before.';
COMMENT ON COLUMN addition.request_hash IS 'SHA-256 of the request: another one under the same key is refused.';
CREATE UNIQUE INDEX addition_request_key ON addition (tenant_id, request_id) WHERE request_id IS NOT NULL;
