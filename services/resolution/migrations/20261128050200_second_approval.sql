-- Who approves large sums: two people, where a plan grants more than the tenant's cap
-- for a case or more than was sought.

ALTER TABLE case_view ADD COLUMN sought_minor bigint, ADD COLUMN sought_currency text;
COMMENT ON COLUMN case_view.sought_minor IS 'Sum the complainant asked for, in minor units; null where none was named, or the case was decided before it was told.';
COMMENT ON COLUMN case_view.sought_currency IS 'ISO 4217 code of that sum; null without.';

ALTER TABLE plan ADD COLUMN first_approver text NOT NULL DEFAULT '', ADD COLUMN second_reason text NOT NULL DEFAULT '';
ALTER TABLE plan ADD CONSTRAINT plan_three_persons
    CHECK (state NOT IN (2, 3) OR first_approver = ''
           OR lower(first_approver) NOT IN (lower(proposer), lower(approver))) NOT VALID;
ALTER TABLE plan VALIDATE CONSTRAINT plan_three_persons;
COMMENT ON COLUMN plan.first_approver IS 'Subject who approved it first where two must; empty otherwise.';
COMMENT ON COLUMN plan.second_reason IS 'Why two people must approve it; empty when one is enough, or nobody has approved it.';

CREATE TABLE approval_limits (
    tenant_id       text     NOT NULL,
    version         bigint   NOT NULL,
    currencies      text[]   NOT NULL,
    case_caps_minor bigint[] NOT NULL,
    CONSTRAINT approval_limits_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT approval_limits_pairs CHECK (cardinality(currencies) = cardinality(case_caps_minor))
);
COMMENT ON TABLE approval_limits IS 'The most that one approver grants in a case; a tenant without a row has no caps.';
COMMENT ON COLUMN approval_limits.tenant_id IS 'Whose limits they are.';
COMMENT ON COLUMN approval_limits.version IS 'Counts the changes.';
COMMENT ON COLUMN approval_limits.currencies IS 'ISO 4217 codes, each once.';
COMMENT ON COLUMN approval_limits.case_caps_minor IS 'The cap of each of the currencies, in minor units.';
SELECT tenant_table('approval_limits');
