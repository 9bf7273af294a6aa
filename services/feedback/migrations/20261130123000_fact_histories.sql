-- What was so before is kept beside what is so now: figures as of a time in the past are told as
-- they would have been told then. The rebuild of the facts fills in what happened before this.

CREATE TABLE ending_fact (
    tenant_id text        NOT NULL,
    case_id   uuid        NOT NULL,
    rank      bigint      NOT NULL,
    at        timestamptz NOT NULL,
    ending    smallint    NOT NULL,
    CONSTRAINT ending_fact_pkey PRIMARY KEY (tenant_id, case_id, rank)
);
COMMENT ON TABLE ending_fact IS 'Each time that a case ended or was opened again. case_fact.ending is the last of it.';
COMMENT ON COLUMN ending_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN ending_fact.case_id IS 'The case.';
COMMENT ON COLUMN ending_fact.rank IS 'Position of the event that told it; 0 of what had ended before it was brought here.';
COMMENT ON COLUMN ending_fact.at IS 'When.';
COMMENT ON COLUMN ending_fact.ending IS 'How: 1 closed, 2 withdrawn, 3 declined, 4 merged; 0 it was opened again.';
CREATE INDEX ending_fact_by_time ON ending_fact (tenant_id, at);
SELECT tenant_table('ending_fact');

CREATE TABLE outcome_fact (
    tenant_id  text        NOT NULL,
    case_id    uuid        NOT NULL,
    cycle      integer     NOT NULL,
    correction integer     NOT NULL,
    at         timestamptz NOT NULL,
    outcome    smallint    NOT NULL,
    CONSTRAINT outcome_fact_pkey PRIMARY KEY (tenant_id, case_id, cycle, correction)
);
COMMENT ON TABLE outcome_fact IS 'Each outcome that a cycle had. cycle_fact.outcome is the last of them.';
COMMENT ON COLUMN outcome_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN outcome_fact.case_id IS 'The case.';
COMMENT ON COLUMN outcome_fact.cycle IS 'The cycle.';
COMMENT ON COLUMN outcome_fact.correction IS 'Which correction made it; 0 for the decision as first made.';
COMMENT ON COLUMN outcome_fact.at IS 'When it was first told.';
COMMENT ON COLUMN outcome_fact.outcome IS 'redress.cases.v1.Outcome.';
SELECT tenant_table('outcome_fact');

CREATE TABLE score_fact (
    tenant_id    text        NOT NULL,
    case_id      uuid        NOT NULL,
    cycle        integer     NOT NULL,
    rank         bigint      NOT NULL,
    at           timestamptz NOT NULL,
    handling     smallint,
    satisfaction smallint,
    CONSTRAINT score_fact_pkey PRIMARY KEY (tenant_id, case_id, cycle, rank)
);
COMMENT ON TABLE score_fact IS 'The scores that a complainant gave of a cycle. Those of cycle_fact have the higher rank.';
COMMENT ON COLUMN score_fact.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN score_fact.case_id IS 'The case.';
COMMENT ON COLUMN score_fact.cycle IS 'The cycle.';
COMMENT ON COLUMN score_fact.rank IS '2 from the survey, 1 with the answer to the outcome.';
COMMENT ON COLUMN score_fact.at IS 'When they were given.';
COMMENT ON COLUMN score_fact.handling IS 'Satisfaction with the handling, 1-5; null where not answered.';
COMMENT ON COLUMN score_fact.satisfaction IS 'Satisfaction with the outcome, 1-5; null where not answered.';
SELECT tenant_table('score_fact');

ALTER TABLE telling_fact ADD COLUMN bounced_at timestamptz;
COMMENT ON COLUMN telling_fact.bounced_at IS 'When it came back; null of what came back before this was kept.';
-- Empty when it is built: only rows from now on have the column.
CREATE INDEX telling_fact_bounced ON telling_fact (tenant_id, bounced_at) WHERE bounced_at IS NOT NULL;

ALTER TABLE case_fact NO FORCE ROW LEVEL SECURITY;
INSERT INTO ending_fact (tenant_id, case_id, rank, at, ending)
SELECT tenant_id, case_id, coalesce(ended_rank, 0), ended_at, ending FROM case_fact
WHERE ended_at IS NOT NULL AND ending IS NOT NULL;
ALTER TABLE case_fact FORCE ROW LEVEL SECURITY;
