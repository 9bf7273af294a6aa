-- What a case's dozen changes cost. A change that touches no column of an index
-- writes no index (HOT), if there is room for the row's next version beside it.

ALTER TABLE cases SET (fillfactor = 50);

-- The state changes with nearly every step: only how a case ended is indexed. Open
-- ones are found among the open.
ALTER TABLE cases ADD COLUMN ended_as smallint
    GENERATED ALWAYS AS (CASE WHEN state >= 8 THEN state END) STORED;
COMMENT ON COLUMN cases.ended_as IS 'Its state if that is one in which a case is over; null while it is open.';
CREATE INDEX cases_ended ON cases (tenant_id, ended_as, case_id) WHERE ended_as IS NOT NULL;
DROP INDEX cases_by_state;

-- A text of the usual length is not worth packing.
ALTER TABLE case_text SET (toast_tuple_target = 8160);

-- Words are merged into their index many cases at a time, when none waits for it:
-- a word many cases have is then looked up once. The list of what is not yet merged
-- stays short enough to be searched from end to end.
ALTER INDEX case_text_by_terms SET (gin_pending_list_limit = 16384);
CREATE FUNCTION merge_words() RETURNS bigint LANGUAGE sql SECURITY DEFINER
BEGIN ATOMIC
    SELECT gin_clean_pending_list('case_text_by_terms'::regclass);
END;
COMMENT ON FUNCTION merge_words IS 'Merges the words of new cases into their index, with the rights of its owner; takes no transaction id.';
DO $$
BEGIN
    REVOKE ALL ON FUNCTION merge_words FROM PUBLIC;
    EXECUTE format('GRANT EXECUTE ON FUNCTION merge_words TO %I', 'redress_' || current_schema() || '_worker');
END $$;
