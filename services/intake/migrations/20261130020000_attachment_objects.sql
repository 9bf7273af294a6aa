-- Contents of attachments that lie in a store beside the database.

CREATE TABLE attachment_object (
    tenant_id     text        NOT NULL,
    object_id     uuid        NOT NULL,
    attachment_id uuid        NOT NULL,
    ordinal       integer     NOT NULL,
    announced_at  timestamptz NOT NULL,
    remove_at     timestamptz,
    CONSTRAINT attachment_object_pkey PRIMARY KEY (tenant_id, object_id)
);
COMMENT ON TABLE attachment_object IS 'The objects in the store beside the database: written before one is put there, deleted after it is gone from there. Their attachment may be gone before.';
COMMENT ON COLUMN attachment_object.object_id IS 'Last part of its key, after the prefix, the tenant and the attachment. Never used twice.';
COMMENT ON COLUMN attachment_object.attachment_id IS 'The attachment it was made for.';
COMMENT ON COLUMN attachment_object.ordinal IS 'Which chunk of it, from 0.';
COMMENT ON COLUMN attachment_object.announced_at IS 'When it was about to be put.';
COMMENT ON COLUMN attachment_object.remove_at IS 'When it is to be removed; null while it is the chunk.';
CREATE UNIQUE INDEX attachment_object_chunk ON attachment_object (tenant_id, attachment_id, ordinal) WHERE remove_at IS NULL;
CREATE INDEX attachment_object_removal ON attachment_object (remove_at) WHERE remove_at IS NOT NULL;
SELECT tenant_table('attachment_object');
SELECT worker_may('attachment_object', 'SELECT, UPDATE');

COMMENT ON COLUMN attachment.store IS 'Where its content lies: 1 in attachment_chunk, 2 in the objects of attachment_object.';
