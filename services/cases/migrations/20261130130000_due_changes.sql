-- Others follow when a case is due: of two changes they hear of, the later holds.

ALTER TABLE cases ADD COLUMN due_changes integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN cases.due_changes IS 'How often it has changed when the next of its clocks is due, since it was opened or since this was counted.';
