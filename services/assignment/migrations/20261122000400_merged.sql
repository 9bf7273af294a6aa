-- Cases merged into others go on where they stood once that is undone.

ALTER TABLE assignment
    ADD COLUMN suspended smallint,
    ADD CONSTRAINT assignment_suspended_check 
        CHECK (suspended IS NULL OR (suspended BETWEEN 1 AND 3 AND state = 4));
COMMENT ON COLUMN assignment.suspended IS 'State in which its case was merged into another: 1 waiting, 2 assigned, 3 accepted; null unless it is merged.';
