-- What departments are asked on a case: tasks that belong to no plan.

ALTER TABLE task ALTER COLUMN plan_id DROP NOT NULL;
ALTER TABLE task
    ADD COLUMN inquiry smallint,
    ADD COLUMN requester text NOT NULL DEFAULT '',
    ADD COLUMN result_evidence text[] NOT NULL DEFAULT '{}';
ALTER TABLE task DROP CONSTRAINT task_kind_check;
ALTER TABLE task ADD CONSTRAINT task_kind_check CHECK (kind BETWEEN 1 AND 12 OR kind = 20) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_kind_check;
ALTER TABLE task ADD CONSTRAINT task_of_plan CHECK ((plan_id IS NOT NULL) = (kind < 20)) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_of_plan;
ALTER TABLE task ADD CONSTRAINT task_inquiry CHECK ((inquiry IS NOT NULL) = (kind = 20) AND inquiry BETWEEN 1 AND 2) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_inquiry;
COMMENT ON TABLE task IS 'A step of a plan, or the undoing of one, as its department carries it out; or what else it is asked to do for a case. The task id is the department''s idempotency key.';
COMMENT ON COLUMN task.plan_id IS 'The plan it belongs to; null for kinds from 20 on.';
COMMENT ON COLUMN task.step_id IS 'The step of the plan; empty without one.';
COMMENT ON COLUMN task.kind IS 'RemedyKind, as numbered in the contract; from 20 on, no remedy.';
COMMENT ON COLUMN task.instructions IS 'What the department should know; of an investigation, the question.';
COMMENT ON COLUMN task.inquiry IS 'Inquiry: 1 evidence, 2 statement; null unless it is an investigation.';
COMMENT ON COLUMN task.requester IS 'Subject who asked for it, where it belongs to no plan; empty otherwise.';
COMMENT ON COLUMN task.result_remark IS 'The department''s remark, of an investigation its findings; null before it is completed.';
COMMENT ON COLUMN task.result_evidence IS 'References to evidence, of an investigation that was answered; empty otherwise.';

ALTER TABLE department_pause DROP CONSTRAINT department_pause_kind_check;
ALTER TABLE department_pause
    ADD CONSTRAINT department_pause_kind_check CHECK (kind BETWEEN 0 AND 12 OR kind = 20) NOT VALID;
ALTER TABLE department_pause VALIDATE CONSTRAINT department_pause_kind_check;

ALTER TABLE task_refused_report ADD COLUMN evidence text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN task_refused_report.evidence IS 'References to evidence it names.';
ALTER TABLE task_proposal ADD COLUMN result_evidence text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN task_proposal.result_evidence IS 'References to evidence that was found; empty unless that is proposed.';

-- A case is known from when it was opened, no longer from its first decision. Of those that
-- were opened before, those that somebody handles.
COMMENT ON TABLE case_view IS 'What this service must know of a case, kept from the events of the cases service. A row exists from when it was opened on.';
ALTER TABLE case_view NO FORCE ROW LEVEL SECURITY;
ALTER TABLE case_handler NO FORCE ROW LEVEL SECURITY;
INSERT INTO case_view (tenant_id, case_id, cycle, priority, standing, traceparent)
SELECT tenant_id, case_id, 1, 3, 1, '' FROM case_handler WHERE agent_id <> ''
ON CONFLICT DO NOTHING;
ALTER TABLE case_view FORCE ROW LEVEL SECURITY;
ALTER TABLE case_handler FORCE ROW LEVEL SECURITY;
