-- What was put into the places of a notice's template is kept: a template is tried on it before it
-- is put in force.

ALTER TABLE notice ADD COLUMN places jsonb;
COMMENT ON COLUMN notice.places IS 'What was put into the places of its template, by their names; null on notices of before.';
-- Empty when it is built: only notices from now on have the column.
CREATE INDEX notice_tried ON notice (tenant_id, kind, notice_id) WHERE places IS NOT NULL;
