-- A task whose outcome is unknown stands in a state of its own until its department
-- settles it; the rest of a part payment is a task of its own.

ALTER TABLE task DROP CONSTRAINT task_state_check;
ALTER TABLE task ADD CONSTRAINT task_state_check CHECK (state BETWEEN 1 AND 6) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_state_check;
COMMENT ON COLUMN task.state IS 'TaskState: 1 ready, 2 leased, 3 completed, 4 needs attention, 5 cancelled, 6 outcome unknown.';
COMMENT ON COLUMN plan_step.moved_minor IS 'Sum moved so far, in one part or several, in minor units of the currency: what undoing it collects again. Null before.';
COMMENT ON COLUMN plan_step.task_id IS 'The task it became, the last of them where it was paid in parts; null before.';
