-- Remedy plans, their steps, the tasks departments carry out, and what this
-- service must know of the cases they are for.

CREATE TABLE case_view (
    tenant_id   text     NOT NULL,
    case_id     uuid     NOT NULL,
    cycle       integer  NOT NULL,
    priority    smallint NOT NULL,
    standing    smallint NOT NULL CHECK (standing BETWEEN 1 AND 4),
    traceparent text     NOT NULL,
    CONSTRAINT case_view_pkey PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE case_view IS 'What this service must know of a case, kept from the events of the cases service. A row exists from the first decision on.';
COMMENT ON COLUMN case_view.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN case_view.case_id IS 'The case, which is the complaint.';
COMMENT ON COLUMN case_view.cycle IS 'The latest cycle heard of.';
COMMENT ON COLUMN case_view.priority IS 'How urgent the case is: 1 (most) to 4.';
COMMENT ON COLUMN case_view.standing IS '1 not decided in this cycle, 2 decided and a remedy is due, 3 decided and none is due, 4 closed, withdrawn or declined.';
COMMENT ON COLUMN case_view.traceparent IS 'W3C trace context of the case; empty when untraced.';
SELECT tenant_table('case_view');

CREATE TABLE plan (
    tenant_id   text        NOT NULL,
    plan_id     uuid        NOT NULL,
    version     bigint      NOT NULL,
    case_id     uuid        NOT NULL,
    cycle       integer     NOT NULL,
    state       smallint    NOT NULL CHECK (state BETWEEN 1 AND 6),
    proposer    text        NOT NULL,
    approver    text        NOT NULL,
    reason      text        NOT NULL,
    priority    smallint    NOT NULL,
    traceparent text        NOT NULL,
    created_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CONSTRAINT plan_pkey PRIMARY KEY (tenant_id, plan_id),
    CONSTRAINT plan_two_persons CHECK (state NOT IN (2, 3) OR approver <> proposer)
);
COMMENT ON TABLE plan IS 'How a case is to be put right: remedies and the order they depend on.';
COMMENT ON COLUMN plan.tenant_id IS 'Whose plan it is.';
COMMENT ON COLUMN plan.plan_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN plan.version IS 'Counts the changes of the plan and its steps.';
COMMENT ON COLUMN plan.case_id IS 'The case it is for.';
COMMENT ON COLUMN plan.cycle IS 'The cycle of the case it is for.';
COMMENT ON COLUMN plan.state IS 'PlanState: 1 proposed, 2 executing, 3 completed, 4 rejected, 5 cancelling, 6 cancelled.';
COMMENT ON COLUMN plan.proposer IS 'Subject who proposed it.';
COMMENT ON COLUMN plan.approver IS 'Subject who approved or rejected it; empty before.';
COMMENT ON COLUMN plan.reason IS 'Why it was rejected or cancelled; empty otherwise.';
COMMENT ON COLUMN plan.priority IS 'Priority of the case when it was proposed: the order of its tasks.';
COMMENT ON COLUMN plan.traceparent IS 'W3C trace context of the case; empty when untraced.';
COMMENT ON COLUMN plan.created_at IS 'When it was proposed.';
COMMENT ON COLUMN plan.ended_at IS 'When it reached a final state; null before.';
CREATE UNIQUE INDEX plan_one_open ON plan (tenant_id, case_id) WHERE state IN (1, 2, 5);
COMMENT ON INDEX plan_one_open IS 'A case has at most one plan that is proposed, executing or cancelling.';
CREATE INDEX plan_case ON plan (tenant_id, case_id, plan_id);
SELECT tenant_table('plan');

CREATE TABLE plan_step (
    tenant_id     text     NOT NULL,
    plan_id       uuid     NOT NULL,
    ordinal       smallint NOT NULL,
    step_id       text     NOT NULL,
    kind          smallint NOT NULL CHECK (kind BETWEEN 1 AND 12),
    department_id text     NOT NULL,
    amount_minor  bigint   CHECK (amount_minor > 0),
    currency      text,
    sku           text,
    quantity      integer  CHECK (quantity > 0),
    depends_on    text[]   NOT NULL,
    instructions  text     NOT NULL,
    due_time      timestamptz,
    state         smallint NOT NULL CHECK (state BETWEEN 1 AND 6),
    done_order    smallint,
    moved_minor   bigint,
    task_id       uuid,
    CONSTRAINT plan_step_pkey PRIMARY KEY (tenant_id, plan_id, ordinal),
    CONSTRAINT plan_step_never_above_approved CHECK (moved_minor <= amount_minor)
);
COMMENT ON TABLE plan_step IS 'One remedy of a plan. Steps are written once, with their plan; only how far they are changes.';
COMMENT ON COLUMN plan_step.tenant_id IS 'Whose plan it is.';
COMMENT ON COLUMN plan_step.plan_id IS 'The plan.';
COMMENT ON COLUMN plan_step.ordinal IS 'Place within the plan as proposed, from 0.';
COMMENT ON COLUMN plan_step.step_id IS 'Name within the plan.';
COMMENT ON COLUMN plan_step.kind IS 'RemedyKind, as numbered in the contract.';
COMMENT ON COLUMN plan_step.department_id IS 'Who does it.';
COMMENT ON COLUMN plan_step.amount_minor IS 'Approved sum in minor units; null for kinds without.';
COMMENT ON COLUMN plan_step.currency IS 'ISO 4217 code of the sum; null for kinds without.';
COMMENT ON COLUMN plan_step.sku IS 'Article to exchange or deliver; null for kinds without.';
COMMENT ON COLUMN plan_step.quantity IS 'How many of it; null for kinds without.';
COMMENT ON COLUMN plan_step.depends_on IS 'Names of the steps that must be done before.';
COMMENT ON COLUMN plan_step.instructions IS 'What the department should know.';
COMMENT ON COLUMN plan_step.due_time IS 'By when it should be done; null means with the case.';
COMMENT ON COLUMN plan_step.state IS '1 waiting for others, 2 handed to the department, 3 done, 4 dropped, 5 being undone, 6 undone.';
COMMENT ON COLUMN plan_step.done_order IS 'Place in the order in which the plan''s steps were done, from 1; undoing goes backwards. Null before.';
COMMENT ON COLUMN plan_step.moved_minor IS 'Sum moved when it was done, in minor units of the currency: what undoing it collects again. Null before.';
COMMENT ON COLUMN plan_step.task_id IS 'The task it became; null before.';
SELECT tenant_table('plan_step');

CREATE TABLE task (
    tenant_id           text        NOT NULL,
    task_id             uuid        NOT NULL,
    version             bigint      NOT NULL,
    plan_id             uuid        NOT NULL,
    step_id             text        NOT NULL,
    case_id             uuid        NOT NULL,
    cycle               integer     NOT NULL,
    department_id       text        NOT NULL,
    kind                smallint    NOT NULL CHECK (kind BETWEEN 1 AND 12),
    compensates_task_id uuid,
    amount_minor        bigint      CHECK (amount_minor > 0),
    currency            text,
    sku                 text,
    quantity            integer,
    instructions        text        NOT NULL,
    priority            smallint    NOT NULL,
    due_time            timestamptz,
    state               smallint    NOT NULL CHECK (state BETWEEN 1 AND 5),
    attempt             integer     NOT NULL,
    max_attempts        integer     NOT NULL,
    worker              text        NOT NULL DEFAULT '',
    visible_at          timestamptz NOT NULL,
    cancel_requested    boolean     NOT NULL DEFAULT false,
    checkpoint          bytea       NOT NULL DEFAULT '',
    last_error          text        NOT NULL DEFAULT '',
    result_reference    text,
    result_minor        bigint,
    result_remark       text,
    lease_token         uuid,
    poll_id             text,
    poll_hash           bytea,
    requeued_by         text,
    requeue_reason      text,
    traceparent         text        NOT NULL,
    created_at          timestamptz NOT NULL,
    CONSTRAINT task_pkey PRIMARY KEY (tenant_id, task_id),
    CONSTRAINT task_attempts CHECK (attempt BETWEEN 0 AND max_attempts),
    CONSTRAINT task_lease CHECK (state <> 2 OR (lease_token IS NOT NULL AND poll_id IS NOT NULL)),
    CONSTRAINT task_never_above_approved CHECK (result_minor <= amount_minor)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE task IS 'A step of a plan, or the undoing of one, as its department carries it out. The task id is the department''s idempotency key.';
COMMENT ON COLUMN task.tenant_id IS 'Whose task it is.';
COMMENT ON COLUMN task.task_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN task.version IS 'Counts the changes.';
COMMENT ON COLUMN task.plan_id IS 'The plan it belongs to.';
COMMENT ON COLUMN task.step_id IS 'The step of the plan.';
COMMENT ON COLUMN task.case_id IS 'The case it helps.';
COMMENT ON COLUMN task.cycle IS 'The cycle of the case.';
COMMENT ON COLUMN task.department_id IS 'The department that carries it out; a requeue may change it.';
COMMENT ON COLUMN task.kind IS 'RemedyKind, as numbered in the contract.';
COMMENT ON COLUMN task.compensates_task_id IS 'The task that this one undoes; null for a task that does a step.';
COMMENT ON COLUMN task.amount_minor IS 'Sum it may move at most, in minor units; null for kinds without.';
COMMENT ON COLUMN task.currency IS 'ISO 4217 code of the sum; null for kinds without.';
COMMENT ON COLUMN task.sku IS 'Article; null for kinds without.';
COMMENT ON COLUMN task.quantity IS 'How many of it; null for kinds without.';
COMMENT ON COLUMN task.instructions IS 'What the department should know.';
COMMENT ON COLUMN task.priority IS 'How urgent the case is: 1 (most) to 4.';
COMMENT ON COLUMN task.due_time IS 'By when it should be done; null when nothing was said.';
COMMENT ON COLUMN task.state IS 'TaskState: 1 ready, 2 leased, 3 completed, 4 needs attention, 5 cancelled.';
COMMENT ON COLUMN task.attempt IS 'How often it was handed out since it was created or requeued.';
COMMENT ON COLUMN task.max_attempts IS 'How often it may be handed out before people look into it.';
COMMENT ON COLUMN task.worker IS 'Who holds or held it last; empty before the first lease.';
COMMENT ON COLUMN task.visible_at IS 'From when it may be handed out: end of the back-off while ready, end of the lease while leased.';
COMMENT ON COLUMN task.cancel_requested IS 'Whether its plan was cancelled while a worker held it.';
COMMENT ON COLUMN task.checkpoint IS 'What the last holder noted for the next.';
COMMENT ON COLUMN task.last_error IS 'Why it last failed or was rejected; empty when it never did.';
COMMENT ON COLUMN task.result_reference IS 'The department''s own number for what it did; null before it is completed.';
COMMENT ON COLUMN task.result_minor IS 'Sum moved, in minor units of the currency; null for kinds without.';
COMMENT ON COLUMN task.result_remark IS 'The department''s remark; null before it is completed.';
COMMENT ON COLUMN task.lease_token IS 'Proof of holding it. Kept until somebody else holds it or the holder gives it up: the last holder may report late.';
COMMENT ON COLUMN task.poll_id IS 'request_id of the poll that handed it out last.';
COMMENT ON COLUMN task.poll_hash IS 'SHA-256 of that poll: another request under the same request_id is refused.';
COMMENT ON COLUMN task.requeued_by IS 'Who requeued it last; null when nobody did.';
COMMENT ON COLUMN task.requeue_reason IS 'Why it was requeued last; null when it was not.';
COMMENT ON COLUMN task.traceparent IS 'W3C trace context of the case; empty when untraced.';
COMMENT ON COLUMN task.created_at IS 'When the step became a task.';
CREATE INDEX task_due ON task (tenant_id, department_id, priority, due_time, created_at, visible_at)
    WHERE state IN (1, 2);
COMMENT ON INDEX task_due IS 'A department''s queue in the order it is handed out; visible_at comes last so that tasks held or backing off are passed over within the index.';
CREATE INDEX task_poll ON task (tenant_id, poll_id) WHERE state = 2;
COMMENT ON INDEX task_poll IS 'Finds what a poll was handed and still holds.';
CREATE INDEX task_case ON task (tenant_id, case_id, task_id);
CREATE INDEX task_department ON task (tenant_id, department_id, state, task_id);
SELECT tenant_table('task');
