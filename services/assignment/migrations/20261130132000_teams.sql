-- A case that its agent passes on goes rather to somebody of their team. A column of its own:
-- a process of before reads six weights. Versions of before are worth what they were.

ALTER TABLE routing_policy ADD COLUMN team_weight integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN routing_policy.team_weight IS 'What it is worth to be of the team of who had the case before.';
