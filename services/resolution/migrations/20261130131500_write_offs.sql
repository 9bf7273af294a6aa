-- What a department cannot undo is written off by two people: a movement of its own in the
-- ledger, a state of its own of tasks and steps. What went wrong before is kept for them.

ALTER TABLE plan_step ADD COLUMN written_off_minor bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN plan_step.written_off_minor IS 'As promised_minor.';
ALTER TABLE plan_step DROP CONSTRAINT plan_step_state_check;
ALTER TABLE plan_step
    ADD CONSTRAINT plan_step_state_check CHECK (state BETWEEN 1 AND 7) NOT VALID,
    ADD CONSTRAINT plan_step_written_off_of_executed
        CHECK (written_off_minor >= 0 AND reversed_minor + written_off_minor <= executed_minor) NOT VALID;
ALTER TABLE plan_step VALIDATE CONSTRAINT plan_step_state_check;
ALTER TABLE plan_step VALIDATE CONSTRAINT plan_step_written_off_of_executed;

ALTER TABLE task DROP CONSTRAINT task_state_check;
ALTER TABLE task ADD CONSTRAINT task_state_check CHECK (state BETWEEN 1 AND 9) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_state_check;
ALTER TABLE task ADD CONSTRAINT task_only_undoing_is_written_off
    CHECK (state <> 9 OR compensates_task_id IS NOT NULL) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_only_undoing_is_written_off;

CREATE INDEX task_not_undone ON task (tenant_id, department_id, task_id)
    WHERE state = 4 AND compensates_task_id IS NOT NULL;
COMMENT ON INDEX task_not_undone IS 'Tasks that undo a step and need attention: people try once more or write them off.';

ALTER TABLE task_proposal
    DROP CONSTRAINT task_proposal_kind_check,
    DROP CONSTRAINT task_proposal_what;
ALTER TABLE task_proposal
    ADD CONSTRAINT task_proposal_kind_check CHECK (kind BETWEEN 1 AND 3) NOT VALID,
    ADD CONSTRAINT task_proposal_what CHECK (
        CASE kind WHEN 1 THEN due_time IS NOT NULL
                  WHEN 2 THEN result_reference IS NOT NULL AND result_remark IS NOT NULL
                  ELSE due_time IS NULL AND result_reference IS NULL END) NOT VALID;
ALTER TABLE task_proposal VALIDATE CONSTRAINT task_proposal_kind_check;
ALTER TABLE task_proposal VALIDATE CONSTRAINT task_proposal_what;
COMMENT ON TABLE task_proposal IS 'What one person proposes about a task and another decides: more time, that it was done although nobody holds it, or that what it should undo is given up.';
COMMENT ON COLUMN task_proposal.kind IS 'ProposalKind: 1 more time, 2 that it was done, 3 that what it should undo is given up.';
COMMENT ON COLUMN task_proposal.result_minor IS 'Sum moved or given up, in minor units; null without.';

-- Which accounts an entry moves a sum between followed from its movement by expression: a
-- further movement would have all entries written anew. They are written with the entry now,
-- and still follow from the movement. An older version of this service writes neither.
ALTER TABLE ledger_entry
    ALTER COLUMN debit DROP EXPRESSION,
    ALTER COLUMN credit DROP EXPRESSION;
ALTER TABLE ledger_entry
    DROP CONSTRAINT ledger_entry_movement_check,
    DROP CONSTRAINT ledger_entry_of_a_task;
ALTER TABLE ledger_entry
    ADD CONSTRAINT ledger_entry_movement_check CHECK (movement BETWEEN 1 AND 7) NOT VALID,
    ADD CONSTRAINT ledger_entry_accounts CHECK (
        (movement, debit, credit) IN ((1, 2, 1), (2, 3, 2), (3, 4, 3), (4, 1, 4), (5, 1, 2), (6, 1, 3), (7, 5, 4)))
        NOT VALID,
    ADD CONSTRAINT ledger_entry_of_a_task CHECK ((movement IN (3, 4, 7)) = (task_id IS NOT NULL)) NOT VALID;
ALTER TABLE ledger_entry VALIDATE CONSTRAINT ledger_entry_movement_check;
ALTER TABLE ledger_entry VALIDATE CONSTRAINT ledger_entry_accounts;
ALTER TABLE ledger_entry VALIDATE CONSTRAINT ledger_entry_of_a_task;
COMMENT ON COLUMN ledger_entry.movement IS 'Movement: 1 promised, 2 approved, 3 executed, 4 reversed, 5 withdrawn, 6 released, 7 written off.';
COMMENT ON COLUMN ledger_entry.debit IS 'Account that gains: 1 available, 2 promised, 3 approved, 4 executed, 5 written off. Follows from the movement.';
COMMENT ON COLUMN ledger_entry.task_id IS 'The task whose report it is, of what was executed and reversed, or which was to collect what is written off; null otherwise.';

CREATE FUNCTION ledger_entry_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.debit := CASE NEW.movement WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 3 THEN 4 ELSE 1 END;
    NEW.credit := CASE NEW.movement WHEN 1 THEN 1 WHEN 2 THEN 2 WHEN 3 THEN 3 WHEN 4 THEN 4 WHEN 5 THEN 2 ELSE 3 END;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_entry_accounts BEFORE INSERT ON ledger_entry
    FOR EACH ROW WHEN (NEW.debit IS NULL) EXECUTE FUNCTION ledger_entry_accounts();

CREATE TABLE undo_failure (
    tenant_id     text        NOT NULL,
    failure_id    uuid        NOT NULL,
    task_id       uuid        NOT NULL,
    department_id text        NOT NULL,
    worker        text        NOT NULL,
    attempt       integer     NOT NULL,
    failed_at     timestamptz NOT NULL,
    error         text        NOT NULL,
    CONSTRAINT undo_failure_pkey PRIMARY KEY (tenant_id, failure_id)
);
COMMENT ON TABLE undo_failure IS 'Tries to undo a step that did not do it: what people look at who decide whether to try once more or to write it off. Written once.';
COMMENT ON COLUMN undo_failure.tenant_id IS 'Whose task it was.';
COMMENT ON COLUMN undo_failure.failure_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN undo_failure.task_id IS 'The task.';
COMMENT ON COLUMN undo_failure.department_id IS 'Whose task it was.';
COMMENT ON COLUMN undo_failure.worker IS 'Who tried; empty where nobody did.';
COMMENT ON COLUMN undo_failure.attempt IS 'Which hand-out of the task it was.';
COMMENT ON COLUMN undo_failure.failed_at IS 'When it was told.';
COMMENT ON COLUMN undo_failure.error IS 'What went wrong.';
CREATE INDEX undo_failure_task ON undo_failure (tenant_id, task_id, failure_id);
SELECT tenant_table('undo_failure');
