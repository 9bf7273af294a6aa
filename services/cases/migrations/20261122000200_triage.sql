-- Triage by rules kept as data, the tree of categories, and what triage looked at:
-- so that rules can be replayed.

CREATE TABLE triage_state (
    tenant_id text   NOT NULL,
    newest    bigint NOT NULL,
    active    bigint NOT NULL,
    CONSTRAINT triage_state_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE triage_state IS 'By which rules a tenant''s cases are triaged; no row while it has none of its own. Its row is locked by whoever creates or activates a version.';
COMMENT ON COLUMN triage_state.tenant_id IS 'Whose rules these are.';
COMMENT ON COLUMN triage_state.newest IS 'The last version created.';
COMMENT ON COLUMN triage_state.active IS 'The version cases are triaged by; 0 is the set that is shipped.';
SELECT tenant_table('triage_state');

CREATE TABLE triage_rule_set (
    tenant_id    text        NOT NULL,
    version      bigint      NOT NULL,
    note         text        NOT NULL,
    data         jsonb       NOT NULL,
    creator      text        NOT NULL,
    created_at   timestamptz NOT NULL,
    activated_at timestamptz,
    CONSTRAINT triage_rule_set_pkey PRIMARY KEY (tenant_id, version)
);
COMMENT ON TABLE triage_rule_set IS 'The rule sets of a tenant. Rules and words of a version never change.';
COMMENT ON COLUMN triage_rule_set.tenant_id IS 'Whose rules these are.';
COMMENT ON COLUMN triage_rule_set.version IS 'In the order of creation, from 1.';
COMMENT ON COLUMN triage_rule_set.note IS 'What is new in it, for people.';
COMMENT ON COLUMN triage_rule_set.data IS 'Words, sums and rules, as triage::definition writes them.';
COMMENT ON COLUMN triage_rule_set.creator IS 'Subject of who created it.';
COMMENT ON COLUMN triage_rule_set.created_at IS 'When it was created.';
COMMENT ON COLUMN triage_rule_set.activated_at IS 'When it was last activated; null if never.';
SELECT tenant_table('triage_rule_set');

CREATE TABLE case_triage (
    tenant_id     text        NOT NULL,
    case_id       uuid        NOT NULL,
    rule_set      bigint      NOT NULL,
    priority      smallint    NOT NULL,
    triaged_at    timestamptz NOT NULL,
    category      text        NOT NULL,
    category_hint text        NOT NULL,
    facts         jsonb       NOT NULL,
    verdict       jsonb       NOT NULL,
    CONSTRAINT case_triage_pkey PRIMARY KEY (tenant_id, case_id),
    CONSTRAINT case_triage_priority_known CHECK (priority BETWEEN 1 AND 4)
);
COMMENT ON TABLE case_triage IS 'What triage looked at when a case came, beside the case and its texts, and what it last made of it. Rules are replayed over this.';
COMMENT ON COLUMN case_triage.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN case_triage.case_id IS 'The case.';
COMMENT ON COLUMN case_triage.rule_set IS 'Version of the rules; 0 is the set that is shipped.';
COMMENT ON COLUMN case_triage.priority IS 'redress.cases.v1.Priority it was found to have; the case''s own is raised by what happens later.';
COMMENT ON COLUMN case_triage.triaged_at IS 'When it was triaged last.';
COMMENT ON COLUMN case_triage.category IS 'The category found.';
COMMENT ON COLUMN case_triage.category_hint IS 'What the channel believed it is about; empty when it did not know.';
COMMENT ON COLUMN case_triage.facts IS 'Vulnerabilities, reach, earlier cases of the customer, whether the channel surged.';
COMMENT ON COLUMN case_triage.verdict IS 'Reasons, attributes and the rules that matched.';
SELECT tenant_table('case_triage');

CREATE TABLE channel_hour (
    tenant_id text        NOT NULL,
    hour      timestamptz NOT NULL,
    channel   smallint    NOT NULL,
    cases     bigint      NOT NULL,
    CONSTRAINT channel_hour_pkey PRIMARY KEY (tenant_id, hour, channel)
) WITH (fillfactor = 50); -- the row of this hour changes with every batch
COMMENT ON TABLE channel_hour IS 'How many cases each channel brought in each hour of the last week: a surge is one against this.';
COMMENT ON COLUMN channel_hour.tenant_id IS 'Whose cases they are.';
COMMENT ON COLUMN channel_hour.hour IS 'Beginning of the hour.';
COMMENT ON COLUMN channel_hour.channel IS 'redress.intake.v1.Channel.';
COMMENT ON COLUMN channel_hour.cases IS 'How many were opened.';
SELECT tenant_table('channel_hour');

CREATE TABLE category_tree (
    tenant_id  text        NOT NULL,
    version    bigint      NOT NULL,
    importer   text        NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT category_tree_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE category_tree IS 'The tree of categories a tenant has; no row while it has none and any category goes.';
COMMENT ON COLUMN category_tree.tenant_id IS 'Whose tree it is.';
COMMENT ON COLUMN category_tree.version IS 'Counts the imports: the version of category that holds.';
COMMENT ON COLUMN category_tree.importer IS 'Subject of who imported it.';
COMMENT ON COLUMN category_tree.changed_at IS 'When it was imported.';
SELECT tenant_table('category_tree');

CREATE TABLE category (
    tenant_id text    NOT NULL,
    version   bigint  NOT NULL,
    path      text    NOT NULL,
    ordinal   integer NOT NULL,
    title     text    NOT NULL,
    leaf      boolean NOT NULL,
    CONSTRAINT category_pkey PRIMARY KEY (tenant_id, version, path),
    CONSTRAINT category_in_order UNIQUE (tenant_id, version, ordinal)
);
COMMENT ON TABLE category IS 'The categories of each version of a tenant''s tree; a version never changes.';
COMMENT ON COLUMN category.tenant_id IS 'Whose category it is.';
COMMENT ON COLUMN category.version IS 'Version of the tree.';
COMMENT ON COLUMN category.path IS 'Its names from the root down, with slashes between.';
COMMENT ON COLUMN category.ordinal IS 'Its place in the import, from 1.';
COMMENT ON COLUMN category.title IS 'Title for people; empty when the last name says it all.';
COMMENT ON COLUMN category.leaf IS 'Whether no category is below it.';
SELECT tenant_table('category');
