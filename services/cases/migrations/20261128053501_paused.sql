-- The cases whose time stands still, to be listed.

CREATE INDEX clock_paused ON clock (tenant_id, case_id) WHERE is_open AND clock -> 'state' ->> 'is' = 'paused';
COMMENT ON INDEX clock_paused IS 'The clocks that stand still: few, and looked up whole.';
