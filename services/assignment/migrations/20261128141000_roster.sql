-- What routing goes by beyond room: what agents can do, when they work, who is above
-- them, and whom they must not handle.

ALTER TABLE agent
    ADD COLUMN timer_key          uuid        NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN team               text        NOT NULL DEFAULT '',
    ADD COLUMN skill_names        text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN skill_levels       integer[]   NOT NULL DEFAULT '{}',
    ADD COLUMN languages          text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN regions            text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN shift_calendar     text,
    ADD COLUMN shift_hours        integer[]   NOT NULL DEFAULT '{}',
    ADD COLUMN supervisor_id      text,
    ADD COLUMN conflict_customers text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN conflict_subjects  text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN stint_from         timestamptz,
    ADD COLUMN stint_until        timestamptz,
    ADD COLUMN absent_until       timestamptz,
    ADD COLUMN absence_reason     text        NOT NULL DEFAULT '',
    ADD COLUMN leaving            boolean     NOT NULL DEFAULT false,
    ADD COLUMN hands_over         boolean     NOT NULL DEFAULT false,
    ADD COLUMN removed            boolean     NOT NULL DEFAULT false,
    ADD CONSTRAINT agent_skills_check CHECK (cardinality(skill_names) = cardinality(skill_levels)),
    ADD CONSTRAINT agent_stint_check CHECK ((stint_from IS NULL) = (stint_until IS NULL)),
    ADD CONSTRAINT agent_removed_check CHECK (NOT removed OR load = 0);
COMMENT ON COLUMN agent.timer_key IS 'Key of their timers: of their shift, and of what they hand over.';
COMMENT ON COLUMN agent.team IS 'Their team within the department; empty for none.';
COMMENT ON COLUMN agent.skill_names IS 'What they can do: categories, or beginnings of some.';
COMMENT ON COLUMN agent.skill_levels IS 'How well, 1 to 5, in the order of the names.';
COMMENT ON COLUMN agent.languages IS 'Languages they answer in.';
COMMENT ON COLUMN agent.regions IS 'Regions they know.';
COMMENT ON COLUMN agent.shift_calendar IS 'Shipped calendar of their shift; null when they work always.';
COMMENT ON COLUMN agent.shift_hours IS 'Hours of their shift, three numbers each: weekday from 1 for Monday, first minute, minute it ends before.';
COMMENT ON COLUMN agent.supervisor_id IS 'The agent above them; null for none. Never themselves, over whatever many levels.';
COMMENT ON COLUMN agent.conflict_customers IS 'Customers whose cases they must not handle.';
COMMENT ON COLUMN agent.conflict_subjects IS 'People whose matter they must not handle, by subject or name.';
COMMENT ON COLUMN agent.stint_from IS 'When their shift that is on, or the next, begins; null when they work always.';
COMMENT ON COLUMN agent.stint_until IS 'When it is over.';
COMMENT ON COLUMN agent.absent_until IS 'Until when they are absent; null or past when they are not.';
COMMENT ON COLUMN agent.absence_reason IS 'Why they are absent, or leave; empty when they do neither.';
COMMENT ON COLUMN agent.leaving IS 'They leave and are given nothing any more.';
COMMENT ON COLUMN agent.hands_over IS 'What they hold is being handed to others.';
COMMENT ON COLUMN agent.removed IS 'Nobody sees them any more; whoever is registered under the same id goes on from their version.';
CREATE INDEX agent_timer ON agent (tenant_id, timer_key);
CREATE INDEX agent_supervisor ON agent (tenant_id, supervisor_id) WHERE supervisor_id IS NOT NULL;
