-- Reviews of closed cases by sample, what raters say of each, and who handled which cycle.

CREATE TABLE quality_review (
    tenant_id    text        NOT NULL,
    review_id    uuid        NOT NULL,
    case_id      uuid        NOT NULL,
    cycle        integer     NOT NULL,
    agent        text        NOT NULL,
    policy       bigint      NOT NULL,
    draw         jsonb       NOT NULL,
    created_at   timestamptz NOT NULL,
    completed_at timestamptz,
    score        double precision,
    CONSTRAINT quality_review_pkey PRIMARY KEY (tenant_id, review_id),
    CONSTRAINT quality_review_once UNIQUE (tenant_id, case_id, cycle),
    CONSTRAINT quality_review_score CHECK ((completed_at IS NULL) = (score IS NULL))
);
COMMENT ON TABLE quality_review IS 'Closed cases that were drawn to be reviewed.';
COMMENT ON COLUMN quality_review.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN quality_review.review_id IS 'Identity; sorts by time.';
COMMENT ON COLUMN quality_review.case_id IS 'The case.';
COMMENT ON COLUMN quality_review.cycle IS 'The cycle that was closed.';
COMMENT ON COLUMN quality_review.agent IS 'Who handled that cycle, as known when it was drawn; empty when unknown.';
COMMENT ON COLUMN quality_review.policy IS 'Version of the policy it was drawn by.';
COMMENT ON COLUMN quality_review.draw IS 'How it came into the sample.';
COMMENT ON COLUMN quality_review.created_at IS 'When it was drawn.';
COMMENT ON COLUMN quality_review.completed_at IS 'When the second rating came; null before.';
COMMENT ON COLUMN quality_review.score IS 'Mean of both scores, 0-100; null before.';
CREATE INDEX quality_review_open ON quality_review (tenant_id, review_id) WHERE completed_at IS NULL;
CREATE INDEX quality_review_by_completion ON quality_review (tenant_id, completed_at) WHERE completed_at IS NOT NULL;
SELECT tenant_table('quality_review');

CREATE TABLE quality_rating (
    tenant_id text        NOT NULL,
    review_id uuid        NOT NULL,
    number    integer     NOT NULL,
    rater     text        NOT NULL,
    classes   smallint[]  NOT NULL,
    note      text        NOT NULL,
    rated_at  timestamptz NOT NULL,
    CONSTRAINT quality_rating_pkey PRIMARY KEY (tenant_id, review_id, number),
    CONSTRAINT quality_rating_number CHECK (number IN (1, 2))
);
COMMENT ON TABLE quality_rating IS 'What raters say of a case.';
COMMENT ON COLUMN quality_rating.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN quality_rating.review_id IS 'The review.';
COMMENT ON COLUMN quality_rating.number IS 'Which of the two, in the order in which they came.';
COMMENT ON COLUMN quality_rating.rater IS 'Subject of the rater.';
COMMENT ON COLUMN quality_rating.classes IS 'Place of the class, from 0 for the worst, of each criterion of the policy, in its order.';
COMMENT ON COLUMN quality_rating.note IS 'What else they say.';
COMMENT ON COLUMN quality_rating.rated_at IS 'When.';
SELECT tenant_table('quality_rating');

ALTER TABLE cycle_fact ADD COLUMN agent text, ADD COLUMN agent_rank bigint;
COMMENT ON COLUMN cycle_fact.agent IS 'Who handles, or last handled it; null of cycles assigned before this was kept, unless rebuilt.';
COMMENT ON COLUMN cycle_fact.agent_rank IS 'Position of the event that told it: the highest holds.';

COMMENT ON TABLE call_back_stratum IS 'How far a sample of a month and stratum is: of call-backs, and of reviews.';
COMMENT ON COLUMN call_back_stratum.stratum IS 'Of call-backs channel and outcome, as numbers: 5/1; of reviews the handler: quality/ann.';
