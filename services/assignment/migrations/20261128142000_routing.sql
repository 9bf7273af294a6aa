-- Who has a case is decided by scores, told by decisions that are kept, and queues age. A
-- process of before goes on working: what it writes ranks by when it was written.

ALTER TABLE assignment
    ADD COLUMN customer_id        text        NOT NULL DEFAULT '',
    ADD COLUMN language           text        NOT NULL DEFAULT '',
    ADD COLUMN region             text        NOT NULL DEFAULT '',
    ADD COLUMN bulk               boolean     NOT NULL DEFAULT false,
    ADD COLUMN familiar_agent_id  text,
    ADD COLUMN passed_agents      text        NOT NULL DEFAULT '',
    ADD COLUMN path               text        NOT NULL DEFAULT '',
    ADD COLUMN escalation         smallint    NOT NULL DEFAULT 0,
    ADD COLUMN accept_by          timestamptz,
    ADD COLUMN unassignable_since timestamptz,
    ADD COLUMN rank_at            timestamptz NOT NULL DEFAULT now(),
    ADD CONSTRAINT assignment_escalation_check CHECK (escalation BETWEEN 0 AND 2);
ALTER TABLE assignment NO FORCE ROW LEVEL SECURITY;
UPDATE assignment SET rank_at = enqueued_at
    + CASE priority WHEN 1 THEN interval '0 h' WHEN 2 THEN interval '8 h' WHEN 3 THEN interval '24 h' ELSE interval '72 h' END;
ALTER TABLE assignment FORCE ROW LEVEL SECURITY;
COMMENT ON COLUMN assignment.customer_id IS 'Customer number; empty when unknown.';
COMMENT ON COLUMN assignment.language IS 'Language to answer in; empty when unknown.';
COMMENT ON COLUMN assignment.region IS 'Where the complainant is; empty when unknown.';
COMMENT ON COLUMN assignment.bulk IS 'Its cycle began in the bulk lane.';
COMMENT ON COLUMN assignment.familiar_agent_id IS 'Who handled a case of this customer last, when the cycle began.';
COMMENT ON COLUMN assignment.passed_agents IS 'Agents who passed it on in this cycle, apart by spaces.';
COMMENT ON COLUMN assignment.path IS 'Departments that were in charge in this cycle, each once, apart by spaces.';
COMMENT ON COLUMN assignment.escalation IS 'redress.assignment.v1.Escalation of this cycle; 0 for none.';
COMMENT ON COLUMN assignment.accept_by IS 'Until when the agent has time to accept; null where no time is set.';
COMMENT ON COLUMN assignment.unassignable_since IS 'Since when nobody can take it as things stand; null while somebody could.';
COMMENT ON COLUMN assignment.rank_at IS 'Its place in a queue: when its cycle began to want a handler, and the allowance of its priority and lane.';
DROP INDEX assignment_queue;
CREATE INDEX assignment_queue ON assignment (tenant_id, department_id, rank_at, case_id) WHERE state = 1;
COMMENT ON INDEX assignment_queue IS 'Waiting cases in the order they are taken.';
CREATE INDEX assignment_held ON assignment (tenant_id, agent_id, case_id) WHERE state IN (2, 3);
COMMENT ON INDEX assignment_held IS 'What an agent holds.';
CREATE INDEX assignment_unassignable ON assignment (tenant_id, case_id) WHERE unassignable_since IS NOT NULL;
CREATE INDEX assignment_of_customer ON assignment (tenant_id, customer_id, enqueued_at DESC)
    WHERE customer_id <> '' AND agent_id IS NOT NULL;
COMMENT ON INDEX assignment_of_customer IS 'Who handled a customer''s cases.';

CREATE TABLE routing_policy (
    tenant_id       text        NOT NULL,
    version         integer     NOT NULL,
    weights         integer[]   NOT NULL,
    earlier_handler smallint    NOT NULL,
    accept_seconds  integer     NOT NULL,
    note            text        NOT NULL,
    created_at      timestamptz NOT NULL,
    active          boolean     NOT NULL,
    CONSTRAINT routing_policy_pkey PRIMARY KEY (tenant_id, version),
    CONSTRAINT routing_policy_weights_check CHECK (cardinality(weights) = 6)
);
COMMENT ON TABLE routing_policy IS 'How agents are chosen, as data. A version changes only in whether it is in force.';
COMMENT ON COLUMN routing_policy.version IS 'Counts from 1.';
COMMENT ON COLUMN routing_policy.weights IS 'What load, skill, language, region, affinity and waiting are worth, in this order.';
COMMENT ON COLUMN routing_policy.earlier_handler IS 'redress.assignment.v1.EarlierHandler.';
COMMENT ON COLUMN routing_policy.accept_seconds IS 'How long an agent has to accept; 0 for ever.';
COMMENT ON COLUMN routing_policy.note IS 'Why there is this version.';
COMMENT ON COLUMN routing_policy.created_at IS 'When it was made.';
COMMENT ON COLUMN routing_policy.active IS 'Whether it is in force: of a tenant one at most; with none the shipped one is.';
CREATE UNIQUE INDEX routing_policy_active ON routing_policy (tenant_id) WHERE active;
SELECT tenant_table('routing_policy');

CREATE TABLE decision (
    tenant_id         text        NOT NULL,
    case_id           uuid        NOT NULL,
    cycle             integer     NOT NULL,
    department_id     text        NOT NULL,
    agent_id          text,
    enqueued_at       timestamptz NOT NULL,
    decided_at        timestamptz NOT NULL,
    released_at       timestamptz,
    priority          smallint    NOT NULL,
    bulk              boolean     NOT NULL,
    category          text        NOT NULL,
    customer_id       text        NOT NULL,
    language          text        NOT NULL,
    region            text        NOT NULL,
    respondent_staff  text        NOT NULL,
    previous_agent_id text,
    familiar_agent_id text,
    taken_apart       bytea       NOT NULL,
    CONSTRAINT decision_pkey PRIMARY KEY (tenant_id, case_id, cycle)
);
COMMENT ON TABLE decision IS 'How it was decided last who has a case in a cycle, and what was known of it: to be told, and to be replayed by other weights.';
COMMENT ON COLUMN decision.case_id IS 'The case.';
COMMENT ON COLUMN decision.cycle IS 'Attempt at resolution, from 1.';
COMMENT ON COLUMN decision.department_id IS 'Department whose agents were looked at; empty when none takes the category.';
COMMENT ON COLUMN decision.agent_id IS 'Who was chosen; null when nobody could be.';
COMMENT ON COLUMN decision.enqueued_at IS 'When the cycle began to want a handler.';
COMMENT ON COLUMN decision.decided_at IS 'When it was decided.';
COMMENT ON COLUMN decision.released_at IS 'When the cycle was over; null before.';
COMMENT ON COLUMN decision.priority IS 'redress.cases.v1.Priority.';
COMMENT ON COLUMN decision.bulk IS 'The cycle began in the bulk lane.';
COMMENT ON COLUMN decision.category IS 'What the case was about.';
COMMENT ON COLUMN decision.customer_id IS 'Customer number; empty when unknown.';
COMMENT ON COLUMN decision.language IS 'Language to answer in; empty when unknown.';
COMMENT ON COLUMN decision.region IS 'Where the complainant is; empty when unknown.';
COMMENT ON COLUMN decision.respondent_staff IS 'Member of staff complained about; empty when none.';
COMMENT ON COLUMN decision.previous_agent_id IS 'Who handled the cycle before.';
COMMENT ON COLUMN decision.familiar_agent_id IS 'Who handled a case of this customer last.';
COMMENT ON COLUMN decision.taken_apart IS 'redress.assignment.v1.RoutingDecision, encoded.';
CREATE INDEX decision_in_time ON decision (tenant_id, department_id, enqueued_at, case_id, cycle);
SELECT tenant_table('decision');
