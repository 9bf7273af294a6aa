-- The complaint as received.

CREATE TABLE complaint (
    tenant_id    text        NOT NULL,
    complaint_id uuid        NOT NULL,
    request_id   text        NOT NULL,
    request_hash bytea       NOT NULL,
    channel      smallint    NOT NULL,
    external_ref text,
    customer_id  text,
    received_at  timestamptz NOT NULL,
    record       bytea       NOT NULL,
    position     bigint      NOT NULL,
    CONSTRAINT complaint_pkey PRIMARY KEY (tenant_id, complaint_id),
    CONSTRAINT complaint_request_key UNIQUE (tenant_id, request_id)
);
COMMENT ON TABLE complaint IS 'Every complaint, word for word as it came. Never updated.';
COMMENT ON COLUMN complaint.complaint_id IS 'Identity (UUID version 7: sorts by time of registration); also the case''s.';
COMMENT ON COLUMN complaint.request_id IS 'Idempotency key of the submission, kept without end.';
COMMENT ON COLUMN complaint.request_hash IS 'SHA-256 of the submission: another one under the same key is refused.';
COMMENT ON COLUMN complaint.channel IS 'The road it came by: number of redress.intake.v1.Channel.';
COMMENT ON COLUMN complaint.external_ref IS 'The channel''s own number for it.';
COMMENT ON COLUMN complaint.customer_id IS 'The organisation''s number for the customer.';
COMMENT ON COLUMN complaint.received_at IS 'When it was registered.';
COMMENT ON COLUMN complaint.record IS 'The whole complaint, a protobuf-encoded redress.intake.v1.Complaint.';
COMMENT ON COLUMN complaint.position IS 'Where the feed tells of it: its consistency token.';
CREATE UNIQUE INDEX complaint_external_ref_key ON complaint (tenant_id, channel, external_ref)
    WHERE external_ref IS NOT NULL;
CREATE INDEX complaint_channel ON complaint (tenant_id, channel, complaint_id);
CREATE INDEX complaint_customer ON complaint (tenant_id, customer_id, complaint_id) WHERE customer_id IS NOT NULL;
SELECT tenant_table('complaint');

CREATE TABLE receipt_key (
    only_row boolean NOT NULL DEFAULT true,
    key      bytea   NOT NULL,
    CONSTRAINT receipt_key_pkey PRIMARY KEY (only_row),
    CONSTRAINT receipt_key_one_row CHECK (only_row)
);
COMMENT ON TABLE receipt_key IS 'The secret receipt codes derive from, when no setting names another.';
COMMENT ON COLUMN receipt_key.key IS '244 random bits.';
INSERT INTO receipt_key (key)
VALUES (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON receipt_key TO %I', 'redress_' || current_schema());
END $$;
