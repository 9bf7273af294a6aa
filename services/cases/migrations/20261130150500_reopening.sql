-- How long after its resolution, and how often, a case may be taken up again is the
-- tenant's policy. What is in force when an outcome takes effect stays with the case.

ALTER TABLE policy ADD COLUMN reopen_days integer NOT NULL DEFAULT 60;
ALTER TABLE policy ADD COLUMN reopen_times integer NOT NULL DEFAULT 3;
COMMENT ON COLUMN policy.reopen_days IS 'For how many days of 24 hours after its resolution a case may be reopened.';
COMMENT ON COLUMN policy.reopen_times IS 'How often a case may be reopened in all.';

ALTER TABLE cases ADD COLUMN reopen_policy integer;
ALTER TABLE cases ADD COLUMN reopen_days integer;
ALTER TABLE cases ADD COLUMN reopen_times integer;
COMMENT ON COLUMN cases.reopen_policy IS 'Version of the policy in force when its outcome took effect; 0 is the shipped one, null before an outcome, and of outcomes from before policies said so.';
COMMENT ON COLUMN cases.reopen_days IS 'What that policy said then: for how many days after its resolution it may be reopened.';
COMMENT ON COLUMN cases.reopen_times IS 'What that policy said then: how often it may be reopened in all.';
