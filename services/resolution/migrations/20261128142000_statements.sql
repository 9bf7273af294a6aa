-- Departments' statements held against the ledger, row by row.

CREATE TABLE reconciliation (
    tenant_id              text        NOT NULL,
    reconciliation_id      uuid        NOT NULL,
    request_id             text        NOT NULL,
    department_id          text        NOT NULL,
    start_day              date        NOT NULL,
    end_day                date        NOT NULL,
    author                 text        NOT NULL,
    created_at             timestamptz NOT NULL,
    content_hash           bytea,
    row_count              bigint      NOT NULL DEFAULT 0,
    matched_count          bigint      NOT NULL DEFAULT 0,
    missing_count          bigint      NOT NULL DEFAULT 0,
    doubled_count          bigint      NOT NULL DEFAULT 0,
    different_amount_count bigint      NOT NULL DEFAULT 0,
    unknown_count          bigint      NOT NULL DEFAULT 0,
    unreadable_count       bigint      NOT NULL DEFAULT 0,
    CONSTRAINT reconciliation_pkey PRIMARY KEY (tenant_id, reconciliation_id),
    CONSTRAINT reconciliation_period CHECK (start_day <= end_day)
);
COMMENT ON TABLE reconciliation IS 'A statement held against the ledger. Without a content hash it is under way, or broke off: nobody is shown it, and the next one removes it.';
COMMENT ON COLUMN reconciliation.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN reconciliation.reconciliation_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN reconciliation.request_id IS 'The caller''s key.';
COMMENT ON COLUMN reconciliation.department_id IS 'Whose statement it is.';
COMMENT ON COLUMN reconciliation.start_day IS 'First day of its period.';
COMMENT ON COLUMN reconciliation.end_day IS 'Last day of its period.';
COMMENT ON COLUMN reconciliation.author IS 'Subject who brought it.';
COMMENT ON COLUMN reconciliation.created_at IS 'When it was begun.';
COMMENT ON COLUMN reconciliation.content_hash IS 'SHA-256 over what it says, row by row: another one under the same key is refused. Null until it is done.';
COMMENT ON COLUMN reconciliation.row_count IS 'How many rows it has.';
COMMENT ON COLUMN reconciliation.matched_count IS 'How many of them are matched.';
COMMENT ON COLUMN reconciliation.missing_count IS 'How many entries are missing.';
COMMENT ON COLUMN reconciliation.doubled_count IS 'How many rows are doubled.';
COMMENT ON COLUMN reconciliation.different_amount_count IS 'How many rows are of a different amount.';
COMMENT ON COLUMN reconciliation.unknown_count IS 'How many rows are unknown.';
COMMENT ON COLUMN reconciliation.unreadable_count IS 'How many rows are unreadable.';
CREATE UNIQUE INDEX reconciliation_request ON reconciliation (tenant_id, request_id) WHERE content_hash IS NOT NULL;
COMMENT ON INDEX reconciliation_request IS 'A key has one statement that is done.';
CREATE INDEX reconciliation_unfinished ON reconciliation (tenant_id, created_at) WHERE content_hash IS NULL;
SELECT tenant_table('reconciliation');

CREATE TABLE statement_row (
    tenant_id         text     NOT NULL,
    reconciliation_id uuid     NOT NULL,
    number            bigint   NOT NULL,
    verdict           smallint NOT NULL CHECK (verdict BETWEEN 0 AND 6),
    reference         text     NOT NULL,
    amount_minor      bigint,
    currency          text     NOT NULL,
    movement          smallint NOT NULL,
    day               text     NOT NULL,
    fault             text     NOT NULL,
    entry_id          uuid,
    CONSTRAINT statement_row_pkey PRIMARY KEY (tenant_id, reconciliation_id, number),
    CONSTRAINT statement_row_entry CHECK ((verdict IN (1, 2, 4)) = (entry_id IS NOT NULL))
) WITH (fillfactor = 80);
COMMENT ON TABLE statement_row IS 'Rows of statements, and what became of each; after them the entries that no row was for.';
COMMENT ON COLUMN statement_row.tenant_id IS 'Whose it is.';
COMMENT ON COLUMN statement_row.reconciliation_id IS 'The statement.';
COMMENT ON COLUMN statement_row.number IS 'Its number in the statement; of what is missing, numbers after the last.';
COMMENT ON COLUMN statement_row.verdict IS 'StatementVerdict: 1 matched, 2 missing, 3 doubled, 4 different amount, 5 unknown, 6 unreadable; 0 while it waits for the rows that fit whole.';
COMMENT ON COLUMN statement_row.reference IS 'The department''s number.';
COMMENT ON COLUMN statement_row.amount_minor IS 'The sum in minor units; null where it cannot be read, and of what is missing.';
COMMENT ON COLUMN statement_row.currency IS 'ISO 4217 code of the sum; empty without one.';
COMMENT ON COLUMN statement_row.movement IS '3 for what was paid, 4 for what was collected, as entries have it; 0 where it cannot be read.';
COMMENT ON COLUMN statement_row.day IS 'The day the statement says; empty where it says none.';
COMMENT ON COLUMN statement_row.fault IS 'Why it cannot be read; empty otherwise.';
COMMENT ON COLUMN statement_row.entry_id IS 'The entry it is for; null where there is none.';
CREATE UNIQUE INDEX statement_row_mark ON statement_row (tenant_id, entry_id, reconciliation_id) WHERE entry_id IS NOT NULL;
COMMENT ON INDEX statement_row_mark IS 'An entry goes to one row of a statement.';
CREATE INDEX statement_row_verdict ON statement_row (tenant_id, reconciliation_id, verdict, number);
SELECT tenant_table('statement_row');
