-- Files that complaints refer to as evidence.

CREATE TABLE attachment (
    tenant_id       text        NOT NULL,
    attachment_id   uuid        NOT NULL,
    file_name       text        NOT NULL,
    media_type      text        NOT NULL,
    size_bytes      bigint      NOT NULL,
    received_bytes  bigint      NOT NULL DEFAULT 0,
    held_bytes      bigint      NOT NULL,
    declared_sha256 bytea,
    sha256          bytea,
    state           smallint    NOT NULL,
    refusal         smallint,
    signature       text        NOT NULL DEFAULT '',
    store           smallint    NOT NULL,
    has_content     boolean     NOT NULL DEFAULT false,
    complaint_id    uuid,
    creator         text        NOT NULL,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    scan_at         timestamptz,
    scan_attempts   integer     NOT NULL DEFAULT 0,
    CONSTRAINT attachment_pkey PRIMARY KEY (tenant_id, attachment_id),
    CONSTRAINT attachment_received CHECK (received_bytes BETWEEN 0 AND size_bytes),
    CONSTRAINT attachment_refused CHECK ((state = 4) = (refusal IS NOT NULL))
);
COMMENT ON TABLE attachment IS 'Files that complaints refer to, or will: what they are and how far. Their contents lie in attachment_chunk.';
COMMENT ON COLUMN attachment.attachment_id IS 'Identity (UUID version 7: sorts by time of creation).';
COMMENT ON COLUMN attachment.file_name IS 'Name where it comes from, for people.';
COMMENT ON COLUMN attachment.media_type IS 'As found in the content once its first chunk is here; as declared before.';
COMMENT ON COLUMN attachment.size_bytes IS 'How long it is, as declared.';
COMMENT ON COLUMN attachment.received_bytes IS 'How much of it is kept, from the first byte on.';
COMMENT ON COLUMN attachment.held_bytes IS 'What of the tenant''s quota it takes: its size until it is refused or deleted, then nothing.';
COMMENT ON COLUMN attachment.declared_sha256 IS 'SHA-256 the content is to have; null where none was declared.';
COMMENT ON COLUMN attachment.sha256 IS 'SHA-256 of the content as it is kept; null until it is whole.';
COMMENT ON COLUMN attachment.state IS 'How far it is: 1 receiving, 2 scanning, 3 ready, 4 refused (redress.intake.v1.AttachmentState), 5 deleted.';
COMMENT ON COLUMN attachment.refusal IS 'Why it was refused: number of redress.intake.v1.AttachmentRefusal; null where it was not.';
COMMENT ON COLUMN attachment.signature IS 'The scanner''s name for what it found; empty where it found nothing.';
COMMENT ON COLUMN attachment.store IS 'Where its content lies: 1 in attachment_chunk.';
COMMENT ON COLUMN attachment.has_content IS 'Whether there may be content of it.';
COMMENT ON COLUMN attachment.complaint_id IS 'The complaint that first referred to it; null until one does.';
COMMENT ON COLUMN attachment.creator IS 'Subject of who created it.';
COMMENT ON COLUMN attachment.created_at IS 'When.';
COMMENT ON COLUMN attachment.finished_at IS 'When its content was whole; null before.';
COMMENT ON COLUMN attachment.scan_at IS 'When it is to be scanned next; null when it is not.';
COMMENT ON COLUMN attachment.scan_attempts IS 'How often it could not be scanned.';
CREATE INDEX attachment_complaint ON attachment (tenant_id, complaint_id, attachment_id) WHERE complaint_id IS NOT NULL;
CREATE INDEX attachment_scan ON attachment (scan_at) WHERE state = 2;
CREATE INDEX attachment_orphan ON attachment (created_at) WHERE complaint_id IS NULL;
CREATE INDEX attachment_removal ON attachment (created_at) WHERE state IN (4, 5) AND has_content;
SELECT tenant_table('attachment');
SELECT worker_may('attachment', 'SELECT, UPDATE');

CREATE TABLE attachment_chunk (
    tenant_id     text    NOT NULL,
    attachment_id uuid    NOT NULL,
    ordinal       integer NOT NULL,
    data          bytea   NOT NULL,
    CONSTRAINT attachment_chunk_pkey PRIMARY KEY (tenant_id, attachment_id, ordinal)
);
-- Pictures and archives are compressed already.
ALTER TABLE attachment_chunk ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE attachment_chunk IS 'The contents of attachments, in pieces: nobody ever has a whole one in memory.';
COMMENT ON COLUMN attachment_chunk.attachment_id IS 'The attachment.';
COMMENT ON COLUMN attachment_chunk.ordinal IS 'Place in it, from 0 without gaps.';
COMMENT ON COLUMN attachment_chunk.data IS 'The bytes: 262 144, but fewer in the last.';
SELECT tenant_table('attachment_chunk');

CREATE TABLE attachment_setting (
    tenant_id      text        NOT NULL,
    max_size_bytes bigint      NOT NULL,
    quota_bytes    bigint      NOT NULL,
    media_types    text[]      NOT NULL,
    version        bigint      NOT NULL,
    updater        text        NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT attachment_setting_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE attachment_setting IS 'What a tenant accepts as attachments; no row where nothing was settled.';
COMMENT ON COLUMN attachment_setting.max_size_bytes IS 'Most bytes of one.';
COMMENT ON COLUMN attachment_setting.quota_bytes IS 'Most bytes of all.';
COMMENT ON COLUMN attachment_setting.media_types IS 'The types that are accepted.';
COMMENT ON COLUMN attachment_setting.version IS 'Counts the changes, from 1.';
COMMENT ON COLUMN attachment_setting.updater IS 'Subject of who changed it last.';
COMMENT ON COLUMN attachment_setting.updated_at IS 'When.';
SELECT tenant_table('attachment_setting');

CREATE TABLE attachment_usage (
    tenant_id  text   NOT NULL,
    used_bytes bigint NOT NULL,
    CONSTRAINT attachment_usage_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE attachment_usage IS 'How much of its quota a tenant uses: the sum of attachment.held_bytes, changed in the transactions that change those.';
COMMENT ON COLUMN attachment_usage.used_bytes IS 'So many bytes.';
SELECT tenant_table('attachment_usage');

ALTER TABLE addition ADD COLUMN evidence bytea NOT NULL DEFAULT '';
COMMENT ON COLUMN addition.evidence IS 'Further proof: redress.intake.v1.Evidence, protobuf-encoded, each after its length.';
