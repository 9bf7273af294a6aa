-- How a department knows what came of a task is not why it last failed.

ALTER TABLE task ADD COLUMN settle_reason text NOT NULL DEFAULT '';
COMMENT ON COLUMN task.settle_reason IS 'How its department knows what came of it, where that was unknown and was settled; empty otherwise.';
