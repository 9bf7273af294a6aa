-- News about what a case is, how urgent and who is to have it may come late or twice.

ALTER TABLE assignment ADD COLUMN heard integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN assignment.heard IS 'Place in the case''s timeline of the last news that was taken in about its category, its priority or a change of hands; 0 before any.';
