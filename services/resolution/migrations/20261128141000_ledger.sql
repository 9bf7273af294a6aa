-- The remedy ledger: what was promised, approved, executed and taken back, as entries
-- that move a sum from one account to another, and their sums beside each step.

ALTER TABLE plan_step
    ADD COLUMN promised_minor  bigint NOT NULL DEFAULT 0,
    ADD COLUMN approved_minor  bigint NOT NULL DEFAULT 0,
    ADD COLUMN executed_minor  bigint NOT NULL DEFAULT 0,
    ADD COLUMN reversed_minor  bigint NOT NULL DEFAULT 0,
    ADD COLUMN withdrawn_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN released_minor  bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN plan_step.promised_minor IS 'Sum of the ledger entries of the step of this movement, in minor units; written with them.';
COMMENT ON COLUMN plan_step.approved_minor IS 'As promised_minor.';
COMMENT ON COLUMN plan_step.executed_minor IS 'As promised_minor.';
COMMENT ON COLUMN plan_step.reversed_minor IS 'As promised_minor.';
COMMENT ON COLUMN plan_step.withdrawn_minor IS 'As promised_minor.';
COMMENT ON COLUMN plan_step.released_minor IS 'As promised_minor.';

CREATE TABLE ledger_entry (
    tenant_id     text        NOT NULL,
    entry_id      uuid        NOT NULL,
    journal_id    uuid        NOT NULL,
    movement      smallint    NOT NULL CHECK (movement BETWEEN 1 AND 6),
    debit         smallint    NOT NULL GENERATED ALWAYS AS (
        CASE movement WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 3 THEN 4 ELSE 1 END) STORED,
    credit        smallint    NOT NULL GENERATED ALWAYS AS (
        CASE movement WHEN 1 THEN 1 WHEN 2 THEN 2 WHEN 3 THEN 3 WHEN 4 THEN 4 WHEN 5 THEN 2 ELSE 3 END) STORED,
    plan_id       uuid        NOT NULL,
    step_id       text        NOT NULL,
    case_id       uuid        NOT NULL,
    cycle         integer     NOT NULL,
    department_id text        NOT NULL,
    kind          smallint    NOT NULL CHECK (kind BETWEEN 1 AND 12),
    amount_minor  bigint      NOT NULL CHECK (amount_minor > 0),
    currency      text        NOT NULL,
    task_id       uuid,
    reference     text        NOT NULL,
    booked_at     timestamptz NOT NULL,
    day           date        NOT NULL GENERATED ALWAYS AS ((booked_at AT TIME ZONE 'UTC')::date) STORED,
    CONSTRAINT ledger_entry_pkey PRIMARY KEY (tenant_id, entry_id),
    CONSTRAINT ledger_entry_of_a_task CHECK ((movement IN (3, 4)) = (task_id IS NOT NULL))
);
COMMENT ON TABLE ledger_entry IS 'Double entry: each row moves one sum from the account it credits to the one it debits. Written once, in the transaction that made it true.';
COMMENT ON COLUMN ledger_entry.tenant_id IS 'Whose ledger it is.';
COMMENT ON COLUMN ledger_entry.entry_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN ledger_entry.journal_id IS 'Shared by the entries that one change of one plan made.';
COMMENT ON COLUMN ledger_entry.movement IS 'Movement: 1 promised, 2 approved, 3 executed, 4 reversed, 5 withdrawn, 6 released.';
COMMENT ON COLUMN ledger_entry.debit IS 'Account that gains: 1 available, 2 promised, 3 approved, 4 executed. Follows from the movement.';
COMMENT ON COLUMN ledger_entry.credit IS 'Account that gives, numbered as debit. Follows from the movement.';
COMMENT ON COLUMN ledger_entry.plan_id IS 'The plan.';
COMMENT ON COLUMN ledger_entry.step_id IS 'The step of the plan.';
COMMENT ON COLUMN ledger_entry.case_id IS 'The case it is for.';
COMMENT ON COLUMN ledger_entry.cycle IS 'The cycle of the case.';
COMMENT ON COLUMN ledger_entry.department_id IS 'In whose books it is: of what was moved, who moved it; of the rest, who is to.';
COMMENT ON COLUMN ledger_entry.kind IS 'RemedyKind, as numbered in the contract.';
COMMENT ON COLUMN ledger_entry.amount_minor IS 'Sum moved, in minor units.';
COMMENT ON COLUMN ledger_entry.currency IS 'ISO 4217 code of the sum.';
COMMENT ON COLUMN ledger_entry.task_id IS 'The task whose report it is, of what was executed and reversed; null otherwise.';
COMMENT ON COLUMN ledger_entry.reference IS 'The department''s own number for it; empty of what was neither executed nor reversed.';
COMMENT ON COLUMN ledger_entry.booked_at IS 'When it was booked; of what was there before the ledger, when it happened.';
COMMENT ON COLUMN ledger_entry.day IS 'Its day in UTC.';
CREATE UNIQUE INDEX ledger_entry_task ON ledger_entry (tenant_id, task_id, movement) WHERE task_id IS NOT NULL;
COMMENT ON INDEX ledger_entry_task IS 'What a task reports is booked once.';
CREATE INDEX ledger_entry_case ON ledger_entry (tenant_id, case_id, entry_id);
CREATE INDEX ledger_entry_department ON ledger_entry (tenant_id, department_id, entry_id);
CREATE INDEX ledger_entry_reference ON ledger_entry (tenant_id, reference, department_id) WHERE movement IN (3, 4);
CREATE INDEX ledger_entry_day ON ledger_entry (tenant_id, day, department_id, currency, movement)
    INCLUDE (amount_minor, case_id);
SELECT tenant_table('ledger_entry');
DO $$
BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON ledger_entry FROM %I', 'redress_' || current_schema());
END $$;

CREATE TABLE case_complainant (
    tenant_id   text NOT NULL,
    case_id     uuid NOT NULL,
    customer_id text NOT NULL,
    CONSTRAINT case_complainant_pkey PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE case_complainant IS 'Whose case it is, as the cases service told when it was opened. Cases opened before this was heard have no row.';
COMMENT ON COLUMN case_complainant.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN case_complainant.case_id IS 'The case.';
COMMENT ON COLUMN case_complainant.customer_id IS 'The organisation''s number for the customer; never empty.';
CREATE INDEX case_complainant_customer ON case_complainant (tenant_id, customer_id, case_id);
SELECT tenant_table('case_complainant');

-- What there was before the ledger. The sums are exact; so are the times of proposals
-- (when the plan was made), approvals (when its first task was) and reports (when they
-- were told). What was given up is booked when its plan ended, or, while a plan is being
-- cancelled, when it was proposed: that moment was kept nowhere.
ALTER TABLE plan NO FORCE ROW LEVEL SECURITY;
ALTER TABLE plan_step NO FORCE ROW LEVEL SECURITY;
ALTER TABLE task NO FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_entry NO FORCE ROW LEVEL SECURITY;

CREATE TEMPORARY TABLE old_entry ON COMMIT DROP AS
WITH step AS (
    SELECT s.tenant_id, s.plan_id, s.step_id, s.department_id, s.kind, s.amount_minor, s.currency, s.state,
           p.case_id, p.cycle, p.state AS plan_state, p.created_at,
           p.approver <> '' AND p.state <> 4 AS was_approved,
           coalesce(p.ended_at, p.created_at) AS ended_at,
           (SELECT min(t.created_at) FROM task t
            WHERE t.tenant_id = p.tenant_id AND t.case_id = p.case_id AND t.plan_id = p.plan_id) AS approved_at
    FROM plan_step s
    JOIN plan p ON p.tenant_id = s.tenant_id AND p.plan_id = s.plan_id
    WHERE s.amount_minor IS NOT NULL),
report AS (
    SELECT s.*, t.task_id, t.department_id AS by_department, t.result_minor, t.result_reference,
           t.compensates_task_id IS NOT NULL AS is_undoing,
           coalesce((SELECT min(o.occurred_at) FROM outbox o
                     WHERE o.tenant_id = t.tenant_id AND o.subject = t.case_id
                       AND o.type = 'redress.resolution.v1.TaskCompleted'
                       AND position(convert_to(t.task_id::text, 'UTF8') IN o.payload) > 0), t.visible_at) AS told_at
    FROM step s
    JOIN task t ON t.tenant_id = s.tenant_id AND t.case_id = s.case_id AND t.plan_id = s.plan_id
               AND t.step_id = s.step_id
    WHERE t.state = 3 AND t.result_minor > 0),
-- What another department moved than the plan named goes through its books.
passed AS (SELECT * FROM report WHERE NOT is_undoing AND by_department <> department_id),
executed AS (
    SELECT tenant_id, plan_id, step_id, sum(result_minor) AS minor FROM report
    WHERE NOT is_undoing GROUP BY tenant_id, plan_id, step_id),
moved AS (
    SELECT tenant_id, plan_id, step_id, case_id, cycle, department_id, kind, currency, 1::smallint AS movement,
           amount_minor AS minor, NULL::uuid AS task_id, '' AS reference, created_at AS booked_at FROM step
    UNION ALL
    SELECT tenant_id, plan_id, step_id, case_id, cycle, department_id, kind, currency, 2::smallint,
           amount_minor, NULL, '', coalesce(approved_at, created_at) FROM step WHERE was_approved
    UNION ALL
    SELECT tenant_id, plan_id, step_id, case_id, cycle, department_id, kind, currency, 5::smallint,
           amount_minor, NULL, '', ended_at FROM step WHERE NOT was_approved AND plan_state IN (4, 6)
    UNION ALL
    SELECT tenant_id, plan_id, step_id, case_id, cycle, department_id, kind, currency, 6::smallint,
           result_minor, NULL, '', told_at FROM passed
    UNION ALL
    SELECT tenant_id, plan_id, step_id, case_id, cycle, by_department, kind, currency, m::smallint,
           result_minor, NULL, '', told_at FROM passed CROSS JOIN generate_series(1, 2) AS m
    UNION ALL
    SELECT tenant_id, plan_id, step_id, case_id, cycle, by_department, kind, currency,
           CASE WHEN is_undoing THEN 4 ELSE 3 END::smallint, result_minor, task_id,
           coalesce(result_reference, ''), told_at FROM report
    UNION ALL
    SELECT s.tenant_id, s.plan_id, s.step_id, s.case_id, s.cycle, s.department_id, s.kind, s.currency, 6::smallint,
           s.amount_minor - coalesce(e.minor, 0), NULL, '', s.ended_at
    FROM step s
    LEFT JOIN executed e ON e.tenant_id = s.tenant_id AND e.plan_id = s.plan_id AND e.step_id = s.step_id
    WHERE s.was_approved AND s.state NOT IN (1, 2) AND s.amount_minor > coalesce(e.minor, 0))
SELECT * FROM moved;

INSERT INTO ledger_entry (tenant_id, entry_id, journal_id, movement, plan_id, step_id, case_id, cycle,
                          department_id, kind, amount_minor, currency, task_id, reference, booked_at)
-- A UUID of version 7 of its moment: entries are listed by it.
SELECT tenant_id,
       (lpad(to_hex((extract(epoch FROM booked_at) * 1000)::bigint), 12, '0') || '7'
           || substr(md5(concat_ws('/', tenant_id, plan_id, step_id, movement, task_id, ordinal)), 1, 3) || '8'
           || substr(md5(concat_ws('/', tenant_id, plan_id, step_id, movement, task_id, ordinal)), 4, 15))::uuid,
       plan_id, movement, plan_id, step_id, case_id, cycle, department_id, kind, minor, currency, task_id,
       reference, booked_at
FROM (SELECT *, row_number() OVER (ORDER BY booked_at, movement) AS ordinal FROM old_entry) AS e;

UPDATE plan_step s
SET promised_minor = e.promised, approved_minor = e.approved, executed_minor = e.executed,
    reversed_minor = e.reversed, withdrawn_minor = e.withdrawn, released_minor = e.released
FROM (SELECT tenant_id, plan_id, step_id,
             coalesce(sum(minor) FILTER (WHERE movement = 1), 0)::bigint AS promised,
             coalesce(sum(minor) FILTER (WHERE movement = 2), 0)::bigint AS approved,
             coalesce(sum(minor) FILTER (WHERE movement = 3), 0)::bigint AS executed,
             coalesce(sum(minor) FILTER (WHERE movement = 4), 0)::bigint AS reversed,
             coalesce(sum(minor) FILTER (WHERE movement = 5), 0)::bigint AS withdrawn,
             coalesce(sum(minor) FILTER (WHERE movement = 6), 0)::bigint AS released
      FROM old_entry GROUP BY tenant_id, plan_id, step_id) AS e
WHERE s.tenant_id = e.tenant_id AND s.plan_id = e.plan_id AND s.step_id = e.step_id;

ALTER TABLE plan FORCE ROW LEVEL SECURITY;
ALTER TABLE plan_step FORCE ROW LEVEL SECURITY;
ALTER TABLE task FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_entry FORCE ROW LEVEL SECURITY;

ALTER TABLE plan_step
    ADD CONSTRAINT plan_step_ledger_counts CHECK (least(promised_minor, approved_minor, executed_minor,
        reversed_minor, withdrawn_minor, released_minor) >= 0),
    ADD CONSTRAINT plan_step_approved_of_promised CHECK (approved_minor + withdrawn_minor <= promised_minor),
    ADD CONSTRAINT plan_step_executed_of_approved CHECK (executed_minor + released_minor <= approved_minor),
    ADD CONSTRAINT plan_step_net_of_approved CHECK (executed_minor - reversed_minor <= approved_minor),
    ADD CONSTRAINT plan_step_reversed_of_executed CHECK (reversed_minor <= executed_minor);
