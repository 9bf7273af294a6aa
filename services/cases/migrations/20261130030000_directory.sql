-- A company's own directory of customers, orders and products, and what it said of cases.

CREATE TABLE directory (
    tenant_id       text        NOT NULL,
    version         bigint      NOT NULL,
    kind            smallint    NOT NULL,
    url             text        NOT NULL,
    token           text,
    timeout_ms      bigint      NOT NULL,
    max_age_seconds bigint      NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT directory_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT directory_kind_known CHECK (kind BETWEEN 1 AND 2)
);
COMMENT ON TABLE directory IS 'Where a tenant''s directory is.';
COMMENT ON COLUMN directory.tenant_id IS 'Whose directory it is.';
COMMENT ON COLUMN directory.version IS 'Counts the changes.';
COMMENT ON COLUMN directory.kind IS 'redress.cases.v1.DirectoryKind.';
COMMENT ON COLUMN directory.url IS 'Where it is.';
COMMENT ON COLUMN directory.token IS 'What it is shown; null for nothing. Never answered.';
COMMENT ON COLUMN directory.timeout_ms IS 'Longest that one question may take, in milliseconds.';
COMMENT ON COLUMN directory.max_age_seconds IS 'How old an answer may be before it is asked anew.';
COMMENT ON COLUMN directory.updated_at IS 'When somebody changed it last.';
SELECT tenant_table('directory');

CREATE TABLE directory_lookup (
    tenant_id     text        NOT NULL,
    case_id       uuid        NOT NULL,
    customer_id   text        NOT NULL,
    email         text        NOT NULL,
    phone         text        NOT NULL,
    order_ref     text        NOT NULL,
    product_ref   text        NOT NULL,
    begun_at      timestamptz NOT NULL,
    tries         integer     NOT NULL DEFAULT 0,
    next_try_at   timestamptz,
    failure       text        NOT NULL DEFAULT '',
    opening       bytea,
    opening_at    timestamptz,
    latest        bytea,
    latest_at     timestamptz,
    latest_parts  smallint    NOT NULL DEFAULT 0,
    asked_at      timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT directory_lookup_pkey PRIMARY KEY (tenant_id, case_id),
    CONSTRAINT directory_lookup_opening CHECK ((opening IS NULL) = (opening_at IS NULL)),
    CONSTRAINT directory_lookup_latest CHECK ((latest IS NULL) = (latest_at IS NULL))
);
COMMENT ON TABLE directory_lookup IS 'What a directory is asked of a case, and what it said. Personal data: the one place in this schema that has names, addresses and numbers.';
COMMENT ON COLUMN directory_lookup.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN directory_lookup.case_id IS 'The case.';
COMMENT ON COLUMN directory_lookup.customer_id IS 'The customer''s number, as the complaint has it; empty when unknown.';
COMMENT ON COLUMN directory_lookup.email IS 'The complainant''s e-mail address; empty when unknown.';
COMMENT ON COLUMN directory_lookup.phone IS 'The complainant''s telephone number; empty when unknown.';
COMMENT ON COLUMN directory_lookup.order_ref IS 'The order the complaint names; empty where none.';
COMMENT ON COLUMN directory_lookup.product_ref IS 'The product the complaint names; empty where none.';
COMMENT ON COLUMN directory_lookup.begun_at IS 'When the case was opened.';
COMMENT ON COLUMN directory_lookup.tries IS 'How often it was asked for the opening.';
COMMENT ON COLUMN directory_lookup.next_try_at IS 'When it is asked again for the opening; null once that is over.';
COMMENT ON COLUMN directory_lookup.failure IS 'Why the latest question was not answered; empty where it was.';
COMMENT ON COLUMN directory_lookup.opening IS 'redress.cases.v1.DirectorySnapshot of the opening; null before.';
COMMENT ON COLUMN directory_lookup.opening_at IS 'When that was said; null before.';
COMMENT ON COLUMN directory_lookup.latest IS 'redress.cases.v1.DirectorySnapshot said last; null before.';
COMMENT ON COLUMN directory_lookup.latest_at IS 'When that was said; null before.';
COMMENT ON COLUMN directory_lookup.latest_parts IS 'How many questions it answered.';
COMMENT ON COLUMN directory_lookup.asked_at IS 'When it was last asked for somebody who looked.';
CREATE INDEX directory_lookup_due ON directory_lookup (next_try_at) WHERE next_try_at IS NOT NULL;
COMMENT ON INDEX directory_lookup_due IS 'What is to be asked next, of all tenants.';
SELECT tenant_table('directory_lookup');
-- Not what it says of people: that is read as the tenant's.
SELECT worker_may('directory_lookup', 'SELECT (tenant_id, case_id, next_try_at, tries), UPDATE (next_try_at, tries)');
