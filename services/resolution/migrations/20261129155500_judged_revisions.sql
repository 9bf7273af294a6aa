-- What the approval policy looked at of a plan as it was revised is kept as well: a policy
-- that is tried on the past is tried on revisions too.

ALTER TABLE approval_judgement
    ADD COLUMN revision    smallint,
    ADD COLUMN revision_id uuid;
ALTER TABLE approval_judgement
    ADD COLUMN judgement_id uuid GENERATED ALWAYS AS (coalesce(revision_id, plan_id)) STORED;
ALTER TABLE approval_judgement
    DROP CONSTRAINT approval_judgement_pkey,
    ADD CONSTRAINT approval_judgement_pkey PRIMARY KEY (tenant_id, judgement_id),
    ADD CONSTRAINT approval_judgement_of_plan_or_revision CHECK ((revision IS NULL) = (revision_id IS NULL));
CREATE UNIQUE INDEX approval_judgement_once ON approval_judgement (tenant_id, plan_id, coalesce(revision, 0::smallint));
COMMENT ON INDEX approval_judgement_once IS 'A plan is judged once when it is proposed, and once for each revision.';
COMMENT ON TABLE approval_judgement IS 'What a policy looked at of a plan when it was proposed or revised, and what it made of it. Policies are replayed over this. Written once.';
COMMENT ON COLUMN approval_judgement.judged_at IS 'When it was proposed or revised.';
COMMENT ON COLUMN approval_judgement.revision IS 'Number of the revision; null of the plan as it was proposed.';
COMMENT ON COLUMN approval_judgement.revision_id IS 'Tells the judgement of a revision apart, in the order of time; null of the plan as it was proposed.';
COMMENT ON COLUMN approval_judgement.judgement_id IS 'Tells judgements apart, in the order of time.';
