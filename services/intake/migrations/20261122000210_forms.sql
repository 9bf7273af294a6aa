-- What is asked of complaints, and what is added to them later.

CREATE TABLE form (
    tenant_id text   NOT NULL,
    category  text   NOT NULL,
    newest    bigint NOT NULL,
    CONSTRAINT form_pkey PRIMARY KEY (tenant_id, category)
);
COMMENT ON TABLE form IS 'Which categories have a form, and its version that holds. Its row is locked by whoever creates a version.';
COMMENT ON COLUMN form.tenant_id IS 'Whose form it is.';
COMMENT ON COLUMN form.category IS 'The category, as a path; empty for all.';
COMMENT ON COLUMN form.newest IS 'The version that holds.';
SELECT tenant_table('form');

CREATE TABLE form_version (
    tenant_id  text        NOT NULL,
    category   text        NOT NULL,
    version    bigint      NOT NULL,
    title      text        NOT NULL,
    schema     text        NOT NULL,
    creator    text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT form_version_pkey PRIMARY KEY (tenant_id, category, version)
);
COMMENT ON TABLE form_version IS 'Every version of every form; none ever changes.';
COMMENT ON COLUMN form_version.tenant_id IS 'Whose form it is.';
COMMENT ON COLUMN form_version.category IS 'The category it is for.';
COMMENT ON COLUMN form_version.version IS 'In the order of creation, from 1.';
COMMENT ON COLUMN form_version.title IS 'Title for people.';
COMMENT ON COLUMN form_version.schema IS 'JSON Schema as it was written, its properties in the order they are asked in.';
COMMENT ON COLUMN form_version.creator IS 'Subject of who created it.';
COMMENT ON COLUMN form_version.created_at IS 'When.';
SELECT tenant_table('form_version');

CREATE TABLE addition (
    tenant_id    text        NOT NULL,
    complaint_id uuid        NOT NULL,
    ordinal      integer     NOT NULL,
    source       smallint    NOT NULL,
    author       text        NOT NULL,
    added_at     timestamptz NOT NULL,
    text         text        NOT NULL,
    form_data    text,
    CONSTRAINT addition_pkey PRIMARY KEY (tenant_id, complaint_id, ordinal),
    CONSTRAINT addition_source_known CHECK (source BETWEEN 1 AND 2)
);
COMMENT ON TABLE addition IS 'What was added to a complaint after its registration, immutable. Written under the lock of its complaint.';
COMMENT ON COLUMN addition.tenant_id IS 'Whose complaint it is.';
COMMENT ON COLUMN addition.complaint_id IS 'The complaint.';
COMMENT ON COLUMN addition.ordinal IS 'Place among its additions, from 1 without gaps.';
COMMENT ON COLUMN addition.source IS 'redress.intake.v1.InformationSource.';
COMMENT ON COLUMN addition.author IS 'Subject of who wrote it down.';
COMMENT ON COLUMN addition.added_at IS 'When.';
COMMENT ON COLUMN addition.text IS 'In their words; empty when only the form was filled in further.';
COMMENT ON COLUMN addition.form_data IS 'What was filled into the form, a JSON merge patch; null when nothing was.';
SELECT tenant_table('addition');
