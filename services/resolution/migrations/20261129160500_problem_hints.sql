-- What departments are asked about problems that many complaints have in common.

ALTER TABLE task DROP CONSTRAINT task_kind_check;
ALTER TABLE task ADD CONSTRAINT task_kind_check CHECK (kind BETWEEN 1 AND 13 OR kind BETWEEN 20 AND 22) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_kind_check;
ALTER TABLE department_pause DROP CONSTRAINT department_pause_kind_check;
ALTER TABLE department_pause
    ADD CONSTRAINT department_pause_kind_check CHECK (kind BETWEEN 0 AND 13 OR kind BETWEEN 20 AND 22) NOT VALID;
ALTER TABLE department_pause VALIDATE CONSTRAINT department_pause_kind_check;

ALTER TABLE task
    ADD COLUMN problem_id uuid,
    ADD COLUMN first_task_id uuid,
    ADD COLUMN hint smallint;
ALTER TABLE task ADD CONSTRAINT task_of_problem
    CHECK (num_nonnulls(problem_id, first_task_id, hint) = CASE WHEN kind = 22 THEN 3 ELSE 0 END AND hint BETWEEN 1 AND 2) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_of_problem;
COMMENT ON COLUMN task.problem_id IS 'The problem that it asks about; null unless it is of kind 22.';
COMMENT ON COLUMN task.first_task_id IS 'The id that it was asked for by, and is answered under: that of the first task where departments gave it to one another; null likewise.';
COMMENT ON COLUMN task.hint IS 'redress.feedback.v1.ProblemTaskKind; null likewise.';
