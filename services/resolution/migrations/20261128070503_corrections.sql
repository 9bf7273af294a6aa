-- A decision may take the place of another within its cycle.

ALTER TABLE case_view ADD COLUMN correction integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN case_view.correction IS 'Which correction of the decision of its cycle was heard of last; 0 for the decision as first made.';
