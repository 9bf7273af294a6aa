-- What these columns say of themselves. Rows written before hold a line for each reason, and
-- are read so; a reason of two lines is one in those written since.
COMMENT ON COLUMN cases.triage_reasons IS 'Why triage decided so: a JSON array with a sentence for each rule that matched.';
COMMENT ON COLUMN case_link.reasons IS 'Why: a JSON array of sentences.';
