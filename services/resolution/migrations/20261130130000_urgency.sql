-- Tasks follow a case that becomes more urgent or less, or is due sooner or later; what is
-- heard late or once more turns nothing back.

ALTER TABLE case_view
    ADD COLUMN priority_ordinal integer NOT NULL DEFAULT 0,
    ADD COLUMN due_number       integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN case_view.priority_ordinal IS 'Place in the case''s timeline of what told its priority; 0 where that was not told.';
COMMENT ON COLUMN case_view.due_time IS 'When the next of the case''s clocks is due, as was told last; null where none runs or nothing was told.';
COMMENT ON COLUMN case_view.due_number IS 'Which change of when the case is due that is; 0 where that was not told.';

ALTER TABLE task ADD COLUMN due_with_case boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN task.due_with_case IS 'Whether it is due when its case is, whatever moves that: nobody gave it a time of its own.';

-- What is open and due when its case is was given no time of its own.
ALTER TABLE task NO FORCE ROW LEVEL SECURITY;
ALTER TABLE case_view NO FORCE ROW LEVEL SECURITY;
UPDATE task t SET due_with_case = true
FROM case_view v
WHERE v.tenant_id = t.tenant_id AND v.case_id = t.case_id AND t.state IN (1, 2, 4, 6, 8)
  AND t.due_time IS NOT DISTINCT FROM v.due_time;
ALTER TABLE task FORCE ROW LEVEL SECURITY;
ALTER TABLE case_view FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN plan.priority IS 'Priority of the case when it was proposed; its tasks are as urgent as the case is now.';
