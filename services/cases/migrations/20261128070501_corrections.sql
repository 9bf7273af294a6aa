-- Decisions that take the place of others.

ALTER TABLE cases ADD COLUMN correction integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN cases.correction IS 'Which correction of this cycle''s decision holds; 0 for the decision as first made.';

CREATE TABLE correction (
    tenant_id     text        NOT NULL,
    correction_id uuid        NOT NULL,
    case_id       uuid        NOT NULL,
    cycle         integer     NOT NULL,
    state         smallint    NOT NULL,
    outcome       smallint    NOT NULL,
    reasons       text        NOT NULL,
    remedy_due    boolean     NOT NULL,
    reason        text        NOT NULL,
    proposed_by   text        NOT NULL,
    proposed_at   timestamptz NOT NULL,
    decided_by    text        NOT NULL,
    decided_at    timestamptz,
    refusal       text        NOT NULL,
    CONSTRAINT correction_pkey PRIMARY KEY (tenant_id, correction_id),
    CONSTRAINT correction_state_known CHECK (state BETWEEN 1 AND 3),
    CONSTRAINT correction_decided CHECK ((state = 1) = (decided_at IS NULL)),
    CONSTRAINT correction_two_persons CHECK (state <> 2 OR decided_by <> proposed_by)
);
COMMENT ON TABLE correction IS 'Decisions that are to take the place of others: asked for by one person, put in force by another.';
COMMENT ON COLUMN correction.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN correction.correction_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN correction.case_id IS 'The case.';
COMMENT ON COLUMN correction.cycle IS 'The cycle whose decision it corrects.';
COMMENT ON COLUMN correction.state IS 'redress.cases.v1.CorrectionState.';
COMMENT ON COLUMN correction.outcome IS 'redress.cases.v1.Outcome that is to be decided.';
COMMENT ON COLUMN correction.reasons IS 'Why, in words for the complainant.';
COMMENT ON COLUMN correction.remedy_due IS 'Whether a remedy must follow.';
COMMENT ON COLUMN correction.reason IS 'Why the decision before was wrong, for staff.';
COMMENT ON COLUMN correction.proposed_by IS 'Subject who asked.';
COMMENT ON COLUMN correction.proposed_at IS 'When.';
COMMENT ON COLUMN correction.decided_by IS 'Subject who confirmed or refused; empty while pending.';
COMMENT ON COLUMN correction.decided_at IS 'When; null while pending.';
COMMENT ON COLUMN correction.refusal IS 'Why it was refused; else empty.';
CREATE INDEX correction_of_case ON correction (tenant_id, case_id, correction_id);
COMMENT ON INDEX correction_of_case IS 'The corrections of a case, oldest first.';
CREATE UNIQUE INDEX correction_pending ON correction (tenant_id, case_id) WHERE state = 1;
COMMENT ON INDEX correction_pending IS 'One request at a time.';
SELECT tenant_table('correction');
