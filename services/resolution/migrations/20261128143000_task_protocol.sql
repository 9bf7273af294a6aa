-- Tasks that are handed back, given to another department, or decided on by two people.

ALTER TABLE task DROP CONSTRAINT task_state_check;
ALTER TABLE task ADD CONSTRAINT task_state_check CHECK (state BETWEEN 1 AND 7) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_state_check;
ALTER TABLE task ADD COLUMN rejections integer NOT NULL DEFAULT 0, ADD COLUMN given_to_task_id uuid;
ALTER TABLE task ADD CONSTRAINT task_given_to CHECK (state <> 7 OR given_to_task_id IS NOT NULL) NOT VALID;
ALTER TABLE task VALIDATE CONSTRAINT task_given_to;
COMMENT ON COLUMN task.state IS 'TaskState: 1 ready, 2 leased, 3 completed, 4 needs attention, 5 cancelled, 6 outcome unknown, 7 reassigned.';
COMMENT ON COLUMN task.rejections IS 'How often departments have handed its step back.';
COMMENT ON COLUMN task.given_to_task_id IS 'The task its step went on as, with another department; null where it did not.';
COMMENT ON COLUMN task.department_id IS 'The department that carries it out.';

CREATE TABLE task_refused_report (
    tenant_id     text        NOT NULL,
    task_id       uuid        NOT NULL,
    digest        bytea       NOT NULL,
    department_id text        NOT NULL,
    reporter      text        NOT NULL,
    reference     text        NOT NULL,
    amount_minor  bigint,
    currency      text,
    remark        text        NOT NULL,
    reported_at   timestamptz NOT NULL,
    CONSTRAINT task_refused_report_pkey PRIMARY KEY (tenant_id, task_id, digest)
);
COMMENT ON TABLE task_refused_report IS 'What was reported as done by who did not hold the task any more: it changed nothing, and may still be true.';
COMMENT ON COLUMN task_refused_report.tenant_id IS 'Whose task it is.';
COMMENT ON COLUMN task_refused_report.task_id IS 'The task.';
COMMENT ON COLUMN task_refused_report.digest IS 'SHA-256 of what was reported, by whom, under which token: told again, it is not kept again.';
COMMENT ON COLUMN task_refused_report.department_id IS 'The department whose task it was.';
COMMENT ON COLUMN task_refused_report.reporter IS 'Subject who reported it.';
COMMENT ON COLUMN task_refused_report.reference IS 'The department''s own number for what it says it did.';
COMMENT ON COLUMN task_refused_report.amount_minor IS 'Sum it says it moved, in minor units; null where it named none.';
COMMENT ON COLUMN task_refused_report.currency IS 'ISO 4217 code of that sum; null without.';
COMMENT ON COLUMN task_refused_report.remark IS 'Remark of who reported it.';
COMMENT ON COLUMN task_refused_report.reported_at IS 'When it was first reported.';
SELECT tenant_table('task_refused_report');

CREATE TABLE task_proposal (
    tenant_id        text        NOT NULL,
    proposal_id      uuid        NOT NULL,
    task_id          uuid        NOT NULL,
    kind             smallint    NOT NULL CHECK (kind BETWEEN 1 AND 2),
    due_time         timestamptz,
    result_reference text,
    result_minor     bigint,
    result_currency  text,
    result_remark    text,
    reason           text        NOT NULL,
    proposer         text        NOT NULL,
    proposed_at      timestamptz NOT NULL,
    state            smallint    NOT NULL CHECK (state BETWEEN 1 AND 3),
    decider          text        NOT NULL DEFAULT '',
    decision_reason  text        NOT NULL DEFAULT '',
    decided_at       timestamptz,
    CONSTRAINT task_proposal_pkey PRIMARY KEY (tenant_id, proposal_id),
    CONSTRAINT task_proposal_two_persons CHECK (state <> 2 OR lower(decider) <> lower(proposer)),
    CONSTRAINT task_proposal_what CHECK (
        CASE kind WHEN 1 THEN due_time IS NOT NULL
                  ELSE result_reference IS NOT NULL AND result_remark IS NOT NULL END),
    CONSTRAINT task_proposal_decided CHECK ((state = 1) = (decided_at IS NULL))
);
COMMENT ON TABLE task_proposal IS 'What one person proposes about a task and another decides: more time, or that it was done although nobody holds it.';
COMMENT ON COLUMN task_proposal.tenant_id IS 'Whose task it is.';
COMMENT ON COLUMN task_proposal.proposal_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN task_proposal.task_id IS 'The task.';
COMMENT ON COLUMN task_proposal.kind IS 'ProposalKind: 1 more time, 2 that it was done.';
COMMENT ON COLUMN task_proposal.due_time IS 'By when it shall be due; null unless more time is proposed.';
COMMENT ON COLUMN task_proposal.result_reference IS 'The department''s own number for what was done; null unless that is proposed.';
COMMENT ON COLUMN task_proposal.result_minor IS 'Sum moved, in minor units; null without.';
COMMENT ON COLUMN task_proposal.result_currency IS 'ISO 4217 code of that sum; null without.';
COMMENT ON COLUMN task_proposal.result_remark IS 'Remark on what was done; null unless that is proposed.';
COMMENT ON COLUMN task_proposal.reason IS 'Why.';
COMMENT ON COLUMN task_proposal.proposer IS 'Subject who proposes it.';
COMMENT ON COLUMN task_proposal.proposed_at IS 'When.';
COMMENT ON COLUMN task_proposal.state IS 'ProposalState as kept: 1 pending, 2 approved, 3 refused.';
COMMENT ON COLUMN task_proposal.decider IS 'Subject who decided; empty before.';
COMMENT ON COLUMN task_proposal.decision_reason IS 'Why it was refused; empty otherwise.';
COMMENT ON COLUMN task_proposal.decided_at IS 'When it was decided; null before.';
CREATE UNIQUE INDEX task_proposal_one_pending ON task_proposal (tenant_id, task_id, kind) WHERE state = 1;
COMMENT ON INDEX task_proposal_one_pending IS 'Of each kind, one proposal at a time.';
CREATE INDEX task_proposal_task ON task_proposal (tenant_id, task_id, proposal_id);
SELECT tenant_table('task_proposal');

ALTER TABLE case_view ADD COLUMN due_time timestamptz;
COMMENT ON COLUMN case_view.due_time IS 'When the next of the case''s clocks is due, as was told with its decision, or with an extension since; null where none runs or nothing was told.';
