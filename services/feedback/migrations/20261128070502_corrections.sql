-- A corrected outcome is answered anew.

ALTER TABLE feedback ADD COLUMN correction integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN feedback.correction IS 'Which correction of the decision the row is about; 0 for the decision as first made.';
