-- Plans are revised: who has changed what of one, why, and who approved that; which revision
-- put a step in or took it out.

ALTER TABLE plan
    ADD COLUMN revisions         smallint NOT NULL DEFAULT 0,
    ADD COLUMN pending_revision  smallint,
    ADD COLUMN revisers          text[]   NOT NULL DEFAULT '{}',
    ADD COLUMN reviser_roles     text[]   NOT NULL DEFAULT '{}',
    ADD COLUMN earlier_approvers text[]   NOT NULL DEFAULT '{}';
ALTER TABLE plan
    ADD CONSTRAINT plan_pending_is_its_last CHECK (pending_revision IS NULL OR (pending_revision = revisions AND state = 2))
        NOT VALID;
ALTER TABLE plan VALIDATE CONSTRAINT plan_pending_is_its_last;
COMMENT ON COLUMN plan.revisions IS 'How many revisions of it there are, those that were rejected too.';
COMMENT ON COLUMN plan.pending_revision IS 'The revision that waits for approval; null where none does.';
COMMENT ON COLUMN plan.revisers IS 'Subjects who have revised it, in the order in which that took effect.';
COMMENT ON COLUMN plan.reviser_roles IS 'Roles of the last of them when they did; empty where nobody has.';
COMMENT ON COLUMN plan.earlier_approvers IS 'Subjects who approved it as it was before a revision, or whose authority was used for that: they pay nothing of it.';

ALTER TABLE plan_step
    ADD COLUMN put_in_by    smallint NOT NULL DEFAULT 0,
    ADD COLUMN taken_out_by smallint,
    ADD COLUMN replaces     text     NOT NULL DEFAULT '';
ALTER TABLE plan_step
    ADD CONSTRAINT plan_step_in_before_out CHECK (taken_out_by >= put_in_by AND taken_out_by > 0) NOT VALID,
    ADD CONSTRAINT plan_step_out_begins_nothing CHECK (taken_out_by IS NULL OR state <> 1) NOT VALID;
ALTER TABLE plan_step VALIDATE CONSTRAINT plan_step_in_before_out;
ALTER TABLE plan_step VALIDATE CONSTRAINT plan_step_out_begins_nothing;
COMMENT ON TABLE plan_step IS 'One remedy of a plan. What it is never changes: a step that is to be another is taken out, and another put in.';
COMMENT ON COLUMN plan_step.put_in_by IS 'The revision that put it in; 0 is the plan as it was proposed.';
COMMENT ON COLUMN plan_step.taken_out_by IS 'The revision that took it out; null while it is part of the plan. One that a revision would have put in that was rejected or lapsed was taken out by that same.';
COMMENT ON COLUMN plan_step.replaces IS 'The step it was put in place of: it begins once that is settled. Empty otherwise.';
CREATE UNIQUE INDEX plan_step_name ON plan_step (tenant_id, plan_id, step_id);
COMMENT ON INDEX plan_step_name IS 'A name means one step of a plan, whatever was revised: tasks and the ledger go by it.';

CREATE TABLE plan_revision (
    tenant_id          text          NOT NULL,
    plan_id            uuid          NOT NULL,
    number             smallint      NOT NULL CHECK (number > 0),
    state              smallint      NOT NULL CHECK (state BETWEEN 1 AND 4),
    reviser            text          NOT NULL,
    reviser_roles      text[]        NOT NULL,
    reason             text          NOT NULL,
    places             jsonb         NOT NULL,
    added              text[]        NOT NULL,
    removed            text[]        NOT NULL,
    approvers          text[]        NOT NULL DEFAULT '{}',
    approvers_for      text[]        NOT NULL DEFAULT '{}',
    approve_times      timestamptz[] NOT NULL DEFAULT '{}',
    approvals_required smallint      NOT NULL,
    ruling             jsonb         NOT NULL,
    decider            text          NOT NULL DEFAULT '',
    decision_reason    text          NOT NULL DEFAULT '',
    created_at         timestamptz   NOT NULL,
    decided_at         timestamptz,
    CONSTRAINT plan_revision_pkey PRIMARY KEY (tenant_id, plan_id, number),
    CONSTRAINT plan_revision_approvals_whole
        CHECK (cardinality(approvers) = cardinality(approvers_for)
               AND cardinality(approvers) = cardinality(approve_times)),
    CONSTRAINT plan_revision_two_persons CHECK (reviser <> ALL (approvers || approvers_for)),
    CONSTRAINT plan_revision_approved_by_enough CHECK (state <> 2 OR approvals_required <= cardinality(approvers)),
    CONSTRAINT plan_revision_decided CHECK ((state = 1) = (decided_at IS NULL))
);
COMMENT ON TABLE plan_revision IS 'Changes of plans: who made each, why, what it changes, and who approved it.';
COMMENT ON COLUMN plan_revision.tenant_id IS 'Whose plan it is.';
COMMENT ON COLUMN plan_revision.plan_id IS 'The plan.';
COMMENT ON COLUMN plan_revision.number IS 'Which of the plan''s, from 1.';
COMMENT ON COLUMN plan_revision.state IS 'RevisionState: 1 pending, 2 applied, 3 rejected, 4 lapsed.';
COMMENT ON COLUMN plan_revision.reviser IS 'Subject who revised the plan.';
COMMENT ON COLUMN plan_revision.reviser_roles IS 'Their roles when they did.';
COMMENT ON COLUMN plan_revision.reason IS 'Why.';
COMMENT ON COLUMN plan_revision.places IS 'The whole new set of steps: of each its name, what it waits for and when it is due, as plan::revision::Place.';
COMMENT ON COLUMN plan_revision.added IS 'Names of the steps it puts in.';
COMMENT ON COLUMN plan_revision.removed IS 'Names of the steps it takes out.';
COMMENT ON COLUMN plan_revision.approvers IS 'Subjects who have approved it, in their order.';
COMMENT ON COLUMN plan_revision.approvers_for IS 'Of each of them, whose authority they used; empty for their own.';
COMMENT ON COLUMN plan_revision.approve_times IS 'Of each of them, when.';
COMMENT ON COLUMN plan_revision.approvals_required IS 'How many people must approve it; 0 where it took effect at once.';
COMMENT ON COLUMN plan_revision.ruling IS 'How the approval policy judged the plan as revised, as approval::Ruling.';
COMMENT ON COLUMN plan_revision.decider IS 'Subject who approved it last or rejected it; empty before, and where nobody had to.';
COMMENT ON COLUMN plan_revision.decision_reason IS 'Why it was rejected; empty otherwise.';
COMMENT ON COLUMN plan_revision.created_at IS 'When the plan was revised.';
COMMENT ON COLUMN plan_revision.decided_at IS 'When it took effect, was rejected or lapsed; null while it waits.';
CREATE UNIQUE INDEX plan_revision_one_pending ON plan_revision (tenant_id, plan_id) WHERE state = 1;
COMMENT ON INDEX plan_revision_one_pending IS 'One revision of a plan waits at a time.';
SELECT tenant_table('plan_revision');
