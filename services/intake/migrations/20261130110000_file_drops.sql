-- File drops: places that files of complaints are put into, the files, and verdicts of their rows.

CREATE TABLE file_drop (
    tenant_id      text        NOT NULL,
    file_drop_id   text        NOT NULL,
    place          smallint    NOT NULL,
    path           text        NOT NULL,
    channel        smallint    NOT NULL,
    authority      text        NOT NULL,
    mapping        text        NOT NULL,
    sheet          text        NOT NULL,
    encoding       text        NOT NULL,
    separator      text        NOT NULL,
    owner          text        NOT NULL,
    language       text        NOT NULL,
    silent_after_s bigint      NOT NULL,
    paused         boolean     NOT NULL,
    version        bigint      NOT NULL,
    updater        text        NOT NULL,
    updated_at     timestamptz NOT NULL,
    holder         uuid,
    held_until     timestamptz NOT NULL DEFAULT '-infinity',
    look_at        timestamptz NOT NULL DEFAULT '-infinity',
    looked_at      timestamptz,
    last_file_at   timestamptz,
    error_reason   text        NOT NULL DEFAULT '',
    error          text        NOT NULL DEFAULT '',
    failing_since  timestamptz,
    attempts       integer     NOT NULL DEFAULT 0,
    CONSTRAINT file_drop_pkey PRIMARY KEY (tenant_id, file_drop_id),
    CONSTRAINT file_drop_failing CHECK ((failing_since IS NULL) = (error_reason = ''))
);
COMMENT ON TABLE file_drop IS 'Places that files of complaints are put into, and how far each is watched.';
COMMENT ON COLUMN file_drop.file_drop_id IS 'Its name.';
COMMENT ON COLUMN file_drop.place IS 'Number of redress.intake.v1.FileDropPlace.';
COMMENT ON COLUMN file_drop.path IS 'Where it is, below what is the tenant''s.';
COMMENT ON COLUMN file_drop.channel IS 'Number of redress.intake.v1.Channel: the channel of its complaints.';
COMMENT ON COLUMN file_drop.authority IS 'The authority, where that is a regulator''s; may be empty.';
COMMENT ON COLUMN file_drop.mapping IS 'Which column becomes which field, in TOML; empty where headings are fields.';
COMMENT ON COLUMN file_drop.sheet IS 'The sheet of workbooks; empty for the first.';
COMMENT ON COLUMN file_drop.encoding IS 'The encoding of texts; empty where each file tells.';
COMMENT ON COLUMN file_drop.separator IS 'What separates cells; empty where each file tells.';
COMMENT ON COLUMN file_drop.owner IS 'Who answers for it.';
COMMENT ON COLUMN file_drop.language IS 'Language of complaints that name none.';
COMMENT ON COLUMN file_drop.silent_after_s IS 'Seconds it may be silent before that is told; 0 for ever.';
COMMENT ON COLUMN file_drop.paused IS 'Whether it is left alone.';
COMMENT ON COLUMN file_drop.version IS 'Counts the changes, from 1.';
COMMENT ON COLUMN file_drop.updater IS 'Subject of who changed it last.';
COMMENT ON COLUMN file_drop.updated_at IS 'When.';
COMMENT ON COLUMN file_drop.holder IS 'Which process watches it.';
COMMENT ON COLUMN file_drop.held_until IS 'Until when nobody else does.';
COMMENT ON COLUMN file_drop.look_at IS 'When it is to be looked into.';
COMMENT ON COLUMN file_drop.looked_at IS 'When it last was.';
COMMENT ON COLUMN file_drop.last_file_at IS 'When a file was last found in it.';
COMMENT ON COLUMN file_drop.error_reason IS 'Why it cannot be looked into, as a stable name; empty while it can.';
COMMENT ON COLUMN file_drop.error IS 'The same in words.';
COMMENT ON COLUMN file_drop.failing_since IS 'Since when; null while it can be.';
COMMENT ON COLUMN file_drop.attempts IS 'How often in a row it could not be.';
SELECT tenant_table('file_drop');
SELECT worker_may('file_drop', 'SELECT, UPDATE');

CREATE TABLE dropped_file (
    tenant_id       text        NOT NULL,
    dropped_file_id uuid        NOT NULL,
    file_drop_id    text        NOT NULL,
    name            text        NOT NULL,
    size_bytes      bigint      NOT NULL,
    mark            text        NOT NULL,
    sha256          bytea,
    state           smallint    NOT NULL,
    outcome         smallint,
    row_count       bigint,
    read_count      bigint      NOT NULL DEFAULT 0,
    registered      bigint      NOT NULL DEFAULT 0,
    known           bigint      NOT NULL DEFAULT 0,
    refused         bigint      NOT NULL DEFAULT 0,
    reason          text        NOT NULL DEFAULT '',
    error           text        NOT NULL DEFAULT '',
    problems        text        NOT NULL DEFAULT '[]',
    drop_version    bigint      NOT NULL DEFAULT 0,
    noted_at        timestamptz NOT NULL,
    verdict_at      timestamptz,
    ended_at        timestamptz,
    next_at         timestamptz,
    holder          uuid,
    held_until      timestamptz NOT NULL DEFAULT '-infinity',
    attempts        integer     NOT NULL DEFAULT 0,
    CONSTRAINT dropped_file_pkey PRIMARY KEY (tenant_id, dropped_file_id),
    CONSTRAINT dropped_file_open CHECK ((ended_at IS NULL) = (next_at IS NOT NULL))
);
-- What lies under one name is one file until it was moved away.
CREATE UNIQUE INDEX dropped_file_name_key ON dropped_file (tenant_id, file_drop_id, name) WHERE ended_at IS NULL;
CREATE INDEX dropped_file_next ON dropped_file (tenant_id, next_at) WHERE ended_at IS NULL;
CREATE INDEX dropped_file_old ON dropped_file (ended_at) WHERE ended_at IS NOT NULL;
COMMENT ON TABLE dropped_file IS 'Files that were put into drops: how far each is, and what became of it.';
COMMENT ON COLUMN dropped_file.dropped_file_id IS 'Identity (UUID version 7: sorts by time of arrival).';
COMMENT ON COLUMN dropped_file.file_drop_id IS 'The drop.';
COMMENT ON COLUMN dropped_file.name IS 'Its name.';
COMMENT ON COLUMN dropped_file.size_bytes IS 'How long it is.';
COMMENT ON COLUMN dropped_file.mark IS 'What tells that it is still the one that was noted: its time and place on disk, or its tag in the bucket.';
COMMENT ON COLUMN dropped_file.sha256 IS 'SHA-256 of its content; null until it was first read.';
COMMENT ON COLUMN dropped_file.state IS 'Number of redress.intake.v1.DroppedFileState.';
COMMENT ON COLUMN dropped_file.outcome IS 'What it will be once its verdict file is written and it is moved, same numbers; null while rows are to be read.';
COMMENT ON COLUMN dropped_file.row_count IS 'How many rows it has; null until they were counted.';
COMMENT ON COLUMN dropped_file.read_count IS 'How many of them have a verdict.';
COMMENT ON COLUMN dropped_file.registered IS 'How many became complaints.';
COMMENT ON COLUMN dropped_file.known IS 'How many were registered before.';
COMMENT ON COLUMN dropped_file.refused IS 'How many were refused.';
COMMENT ON COLUMN dropped_file.reason IS 'Why it was refused whole, or cannot go on just now; may be empty.';
COMMENT ON COLUMN dropped_file.error IS 'The same in words.';
COMMENT ON COLUMN dropped_file.problems IS 'What is wrong with the first rows that were refused, as JSON.';
COMMENT ON COLUMN dropped_file.drop_version IS 'The version of the drop by which it was read last; 0 before.';
COMMENT ON COLUMN dropped_file.noted_at IS 'When it was noted.';
COMMENT ON COLUMN dropped_file.verdict_at IS 'When its verdict file was written.';
COMMENT ON COLUMN dropped_file.ended_at IS 'When it was moved and is done with.';
COMMENT ON COLUMN dropped_file.next_at IS 'When it is to be gone on with; null where it is done with.';
COMMENT ON COLUMN dropped_file.holder IS 'Which process reads it.';
COMMENT ON COLUMN dropped_file.held_until IS 'Until when nobody else does.';
COMMENT ON COLUMN dropped_file.attempts IS 'How often in a row it could not be gone on with.';
SELECT tenant_table('dropped_file');
SELECT worker_may('dropped_file', 'SELECT, UPDATE, DELETE');

CREATE TABLE dropped_rows (
    tenant_id       text   NOT NULL,
    dropped_file_id uuid   NOT NULL,
    first           bigint NOT NULL,
    verdicts        text   NOT NULL,
    CONSTRAINT dropped_rows_pkey PRIMARY KEY (tenant_id, dropped_file_id, first)
);
COMMENT ON TABLE dropped_rows IS 'Verdicts of rows, some hundreds at a time, until they stand in the verdict file.';
COMMENT ON COLUMN dropped_rows.dropped_file_id IS 'The file.';
COMMENT ON COLUMN dropped_rows.first IS 'How many rows of the file are before these.';
COMMENT ON COLUMN dropped_rows.verdicts IS 'The verdicts, as JSON; without receipt codes, which are derived when they are written.';
SELECT tenant_table('dropped_rows');
