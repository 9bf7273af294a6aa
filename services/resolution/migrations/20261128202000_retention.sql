-- Rows of statements are kept for 400 days, then forgotten. What the ledger has to know of
-- them for ever, which entries statements of other days had, is kept apart.

ALTER TABLE reconciliation ADD COLUMN rows_kept boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN reconciliation.rows_kept IS 'Whether its rows are still there, some of them at least.';
CREATE INDEX reconciliation_age ON reconciliation (created_at) WHERE rows_kept;
COMMENT ON INDEX reconciliation_age IS 'Whose rows are no longer kept, whosever it is.';
COMMENT ON TABLE statement_row IS 'Rows of statements, and what became of each; after them the entries that no row was for. Kept for 400 days after their statement was begun.';

CREATE TABLE stated_entry (
    tenant_id text NOT NULL,
    entry_id  uuid NOT NULL,
    start_day date NOT NULL,
    end_day   date NOT NULL,
    CONSTRAINT stated_entry_pkey PRIMARY KEY (tenant_id, entry_id, start_day, end_day)
);
COMMENT ON TABLE stated_entry IS 'Entries that statements had whose rows are no longer kept: for statements of other days they are taken.';
COMMENT ON COLUMN stated_entry.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN stated_entry.entry_id IS 'The entry.';
COMMENT ON COLUMN stated_entry.start_day IS 'First day of the statement''s period.';
COMMENT ON COLUMN stated_entry.end_day IS 'Last day of it.';
SELECT tenant_table('stated_entry');

SELECT worker_may('reconciliation', 'SELECT, UPDATE, DELETE');
SELECT worker_may('statement_row', 'SELECT, DELETE');
SELECT worker_may('stated_entry', 'SELECT, INSERT');
