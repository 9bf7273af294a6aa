-- Who handles a case: departments, their agents, and one row per case for the
-- cycle it is in.

CREATE TABLE department (
    tenant_id     text   NOT NULL,
    department_id text   NOT NULL,
    version       bigint NOT NULL,
    display_name  text   NOT NULL,
    categories    text[] NOT NULL,
    CONSTRAINT department_pkey PRIMARY KEY (tenant_id, department_id)
);
COMMENT ON TABLE department IS 'Departments. The lock on a row guards the loads of its agents and its queue: who changes either holds it.';
COMMENT ON COLUMN department.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN department.department_id IS 'Name chosen by people, e.g. finance.';
COMMENT ON COLUMN department.version IS 'Counts the changes.';
COMMENT ON COLUMN department.display_name IS 'Name for people.';
COMMENT ON COLUMN department.categories IS 'Path prefixes of the categories it takes; * takes what nobody else does.';
SELECT tenant_table('department');

CREATE TABLE agent (
    tenant_id     text    NOT NULL,
    agent_id      text    NOT NULL,
    version       bigint  NOT NULL,
    department_id text    NOT NULL,
    display_name  text    NOT NULL,
    capacity      integer NOT NULL,
    available     boolean NOT NULL,
    load          integer NOT NULL,
    turn          bigint  NOT NULL,
    CONSTRAINT agent_pkey PRIMARY KEY (tenant_id, agent_id),
    CONSTRAINT agent_department_fkey FOREIGN KEY (tenant_id, department_id) REFERENCES department,
    CONSTRAINT agent_capacity_check CHECK (capacity >= 0),
    CONSTRAINT agent_load_check CHECK (load >= 0)
) WITH (fillfactor = 50);
COMMENT ON TABLE agent IS 'People who handle cases. Half-filled pages: the load changes with every case and stays on its page.';
COMMENT ON COLUMN agent.tenant_id IS 'Whose they are.';
COMMENT ON COLUMN agent.agent_id IS 'The subject they sign in as.';
COMMENT ON COLUMN agent.version IS 'Counts the changes of what people set; load and turn are not.';
COMMENT ON COLUMN agent.department_id IS 'Where they work.';
COMMENT ON COLUMN agent.display_name IS 'Name for people.';
COMMENT ON COLUMN agent.capacity IS 'Most cases they hold at once. May be lowered below the load: then they keep what they hold and get nothing new.';
COMMENT ON COLUMN agent.available IS 'Whether routing gives them cases.';
COMMENT ON COLUMN agent.load IS 'Cases they hold: assignments in state 2 or 3.';
COMMENT ON COLUMN agent.turn IS 'When they were last given a case, as a count within their department; 0 is never. Breaks ties of load.';
CREATE INDEX agent_of_department ON agent (tenant_id, department_id, agent_id);
SELECT tenant_table('agent');

-- No foreign keys to agent and department: neither is ever deleted, and the
-- checks would cost two look-ups for each case of a batch.
CREATE TABLE assignment (
    tenant_id         text        NOT NULL,
    case_id           uuid        NOT NULL,
    version           bigint      NOT NULL,
    cycle             integer     NOT NULL,
    state             smallint    NOT NULL,
    department_id     text        NOT NULL,
    agent_id          text,
    previous_agent_id text,
    respondent_staff  text        NOT NULL,
    priority          smallint    NOT NULL,
    category          text        NOT NULL,
    enqueued_at       timestamptz NOT NULL,
    explanation       text        NOT NULL,
    transfers         integer     NOT NULL,
    traceparent       text        NOT NULL,
    CONSTRAINT assignment_pkey PRIMARY KEY (tenant_id, case_id),
    CONSTRAINT assignment_state_check CHECK (state BETWEEN 1 AND 4),
    CONSTRAINT assignment_agent_check CHECK (state = 4 OR (agent_id IS NULL) = (state = 1))
);
COMMENT ON TABLE assignment IS 'Who handles a case in its current cycle.';
COMMENT ON COLUMN assignment.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN assignment.case_id IS 'The case, which is the complaint.';
COMMENT ON COLUMN assignment.version IS 'Counts the changes.';
COMMENT ON COLUMN assignment.cycle IS 'Attempt at resolution it is for, from 1.';
COMMENT ON COLUMN assignment.state IS 'redress.assignment.v1.AssignmentState: 1 waiting, 2 assigned, 3 accepted, 4 released.';
COMMENT ON COLUMN assignment.department_id IS 'Department in charge; empty while none takes the category.';
COMMENT ON COLUMN assignment.agent_id IS 'Agent in charge; null while waiting. Kept when released.';
COMMENT ON COLUMN assignment.previous_agent_id IS 'Who handled the cycle before: avoided while another has room.';
COMMENT ON COLUMN assignment.respondent_staff IS 'Member of staff complained about, who must not handle it; empty when none.';
COMMENT ON COLUMN assignment.priority IS 'redress.cases.v1.Priority: 1 is most urgent.';
COMMENT ON COLUMN assignment.category IS 'What the case is about.';
COMMENT ON COLUMN assignment.enqueued_at IS 'When the cycle began to want a handler.';
COMMENT ON COLUMN assignment.explanation IS 'Why it was decided so.';
COMMENT ON COLUMN assignment.transfers IS 'How often it was handed on in this cycle.';
COMMENT ON COLUMN assignment.traceparent IS 'W3C trace context of the case; empty when untraced.';
CREATE INDEX assignment_queue ON assignment (tenant_id, department_id, priority, enqueued_at, case_id)
    WHERE state = 1;
COMMENT ON INDEX assignment_queue IS 'Waiting cases in the order they are taken.';
SELECT tenant_table('assignment');
