-- Approval by policy: rules kept as data, who has approved a plan, what it was judged by,
-- and what must be known for that of a case and those linked to it.

CREATE TABLE approval_policy_state (
    tenant_id text   NOT NULL,
    newest    bigint NOT NULL,
    active    bigint NOT NULL,
    CONSTRAINT approval_policy_state_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE approval_policy_state IS 'By which policy a tenant''s plans are judged; no row while it has none of its own. Its row is locked by whoever creates or activates a version.';
COMMENT ON COLUMN approval_policy_state.tenant_id IS 'Whose policies these are.';
COMMENT ON COLUMN approval_policy_state.newest IS 'The last version created.';
COMMENT ON COLUMN approval_policy_state.active IS 'The version plans are judged by; 0 is the one that is shipped.';
SELECT tenant_table('approval_policy_state');

CREATE TABLE approval_policy (
    tenant_id    text        NOT NULL,
    version      bigint      NOT NULL,
    note         text        NOT NULL,
    data         jsonb       NOT NULL,
    creator      text        NOT NULL,
    created_at   timestamptz NOT NULL,
    activated_at timestamptz,
    CONSTRAINT approval_policy_pkey PRIMARY KEY (tenant_id, version)
);
COMMENT ON TABLE approval_policy IS 'The approval policies of a tenant. Rules and limits of a version never change.';
COMMENT ON COLUMN approval_policy.tenant_id IS 'Whose policies these are.';
COMMENT ON COLUMN approval_policy.version IS 'In the order of creation, from 1.';
COMMENT ON COLUMN approval_policy.note IS 'What is new in it, for people.';
COMMENT ON COLUMN approval_policy.data IS 'Rules, caps and limits, as approval::policy writes them.';
COMMENT ON COLUMN approval_policy.creator IS 'Subject of who created it.';
COMMENT ON COLUMN approval_policy.created_at IS 'When it was created.';
COMMENT ON COLUMN approval_policy.activated_at IS 'When it was last activated; null if never.';
SELECT tenant_table('approval_policy');

CREATE TABLE approval_judgement (
    tenant_id  text        NOT NULL,
    plan_id    uuid        NOT NULL,
    case_id    uuid        NOT NULL,
    judged_at  timestamptz NOT NULL,
    facts      jsonb       NOT NULL,
    ruling     jsonb       NOT NULL,
    CONSTRAINT approval_judgement_pkey PRIMARY KEY (tenant_id, plan_id)
);
COMMENT ON TABLE approval_judgement IS 'What a policy looked at of a plan when it was proposed, and what it made of it. Policies are replayed over this. Written once.';
COMMENT ON COLUMN approval_judgement.tenant_id IS 'Whose plan it is.';
COMMENT ON COLUMN approval_judgement.plan_id IS 'The plan.';
COMMENT ON COLUMN approval_judgement.case_id IS 'The case it is for.';
COMMENT ON COLUMN approval_judgement.judged_at IS 'When it was proposed.';
COMMENT ON COLUMN approval_judgement.facts IS 'What was known, as approval::Facts.';
COMMENT ON COLUMN approval_judgement.ruling IS 'What came of it, as approval::Ruling.';
SELECT tenant_table('approval_judgement');

ALTER TABLE plan
    ADD COLUMN proposer_roles     text[]        NOT NULL DEFAULT '{}',
    ADD COLUMN approvers          text[]        NOT NULL DEFAULT '{}',
    ADD COLUMN approvers_for      text[]        NOT NULL DEFAULT '{}',
    ADD COLUMN approve_times      timestamptz[] NOT NULL DEFAULT '{}',
    ADD COLUMN approved_at        timestamptz,
    ADD COLUMN approval_policy    bigint,
    ADD COLUMN approval_rule      text          NOT NULL DEFAULT '',
    ADD COLUMN approvals_required smallint      NOT NULL DEFAULT 0,
    ADD COLUMN approval_reasons   text[]        NOT NULL DEFAULT '{}';
ALTER TABLE plan
    ADD CONSTRAINT plan_approvals_whole
        CHECK (cardinality(approvers) = cardinality(approvers_for)
               AND cardinality(approvers) = cardinality(approve_times)) NOT VALID,
    ADD CONSTRAINT plan_approved_by_enough
        CHECK (state NOT IN (2, 3) OR approvals_required
               <= cardinality(approvers) + CASE WHEN first_approver = '' OR first_approver = ANY(approvers) THEN 0 ELSE 1 END)
        NOT VALID;
ALTER TABLE plan VALIDATE CONSTRAINT plan_approvals_whole;
ALTER TABLE plan VALIDATE CONSTRAINT plan_approved_by_enough;
COMMENT ON COLUMN plan.proposer_roles IS 'Roles of the proposer when they proposed it; empty of plans from before they were kept.';
COMMENT ON COLUMN plan.approvers IS 'Subjects who have approved it, in their order; empty of plans approved before they were kept.';
COMMENT ON COLUMN plan.approvers_for IS 'Of each of them, whose authority they used; empty for their own.';
COMMENT ON COLUMN plan.approve_times IS 'Of each of them, when.';
COMMENT ON COLUMN plan.approved_at IS 'When it was approved by as many as must, or by a rule; null before, and of plans approved before it was kept.';
COMMENT ON COLUMN plan.approval_policy IS 'Version of the policy that judged it last; 0 is the one that is shipped, null of plans from before there were policies.';
COMMENT ON COLUMN plan.approval_rule IS 'The rule that decided; empty where none matched.';
COMMENT ON COLUMN plan.approvals_required IS 'How many people must approve it; 0 where a rule does.';
COMMENT ON COLUMN plan.approval_reasons IS 'Why, a sentence each.';

ALTER TABLE case_view ADD COLUMN category text NOT NULL DEFAULT '';
COMMENT ON COLUMN case_view.category IS 'What the case is about, as it was found when it was last decided or reopened; empty of cases decided before it was told.';

CREATE TABLE same_order_link (
    tenant_id text NOT NULL,
    case_id   uuid NOT NULL,
    other_id  uuid NOT NULL,
    CONSTRAINT same_order_link_pkey PRIMARY KEY (tenant_id, case_id, other_id)
);
COMMENT ON TABLE same_order_link IS 'Cases that are linked, or suggested to be, and name the same order, as the cases service tells. A row each way.';
COMMENT ON COLUMN same_order_link.tenant_id IS 'Whose cases they are.';
COMMENT ON COLUMN same_order_link.case_id IS 'The one.';
COMMENT ON COLUMN same_order_link.other_id IS 'The other.';
SELECT tenant_table('same_order_link');
