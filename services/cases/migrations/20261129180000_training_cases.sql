-- Cases to learn from, made of closed ones, without personal data.

CREATE TABLE training_case (
    tenant_id        text       NOT NULL,
    training_case_id uuid       NOT NULL,
    version          bigint     NOT NULL,
    state            smallint   NOT NULL,
    latest           integer    NOT NULL,
    in_force         integer,
    retirer          text       NOT NULL,
    retire_reason    text       NOT NULL,
    language         text       NOT NULL,
    category         text       NOT NULL,
    priority         smallint   NOT NULL,
    outcome          smallint,
    challenges       integer[]  NOT NULL,
    CONSTRAINT training_case_pkey PRIMARY KEY (tenant_id, training_case_id),
    CONSTRAINT training_case_state_known CHECK (state BETWEEN 1 AND 4),
    CONSTRAINT training_case_in_force CHECK (in_force <= latest),
    CONSTRAINT training_case_retired CHECK (state <> 4 OR in_force IS NULL)
);
COMMENT ON TABLE training_case IS 'A case to learn from, as a whole. It does not say which case it was made of.';
COMMENT ON COLUMN training_case.tenant_id IS 'Whose training case it is.';
COMMENT ON COLUMN training_case.training_case_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN training_case.version IS 'Counts what people do to it.';
COMMENT ON COLUMN training_case.state IS 'redress.cases.v1.TrainingCaseState, of its latest revision.';
COMMENT ON COLUMN training_case.latest IS 'Number of its latest revision.';
COMMENT ON COLUMN training_case.in_force IS 'Number of the revision in force; null while there is none.';
COMMENT ON COLUMN training_case.retirer IS 'Subject who took it out of use; empty while nobody has.';
COMMENT ON COLUMN training_case.retire_reason IS 'Why; empty while nobody has.';
COMMENT ON COLUMN training_case.language IS 'Language of the complaint, BCP 47.';
COMMENT ON COLUMN training_case.category IS 'What it was about, as a path.';
COMMENT ON COLUMN training_case.priority IS 'redress.cases.v1.Priority.';
COMMENT ON COLUMN training_case.outcome IS 'redress.cases.v1.Outcome; null where nothing was decided.';
COMMENT ON COLUMN training_case.challenges IS 'redress.cases.v1.CaseChallenge: what made it hard.';
SELECT tenant_table('training_case');

CREATE TABLE training_revision (
    tenant_id        text        NOT NULL,
    training_case_id uuid        NOT NULL,
    revision         integer     NOT NULL,
    title            text        NOT NULL,
    description      text        NOT NULL,
    findings         text        NOT NULL,
    root_cause       text        NOT NULL,
    decision_reasons text        NOT NULL,
    lesson           text        NOT NULL,
    author           text        NOT NULL,
    revised_at       timestamptz NOT NULL,
    reviewer         text        NOT NULL DEFAULT '',
    published_at     timestamptz,
    CONSTRAINT training_revision_pkey PRIMARY KEY (tenant_id, training_case_id, revision),
    CONSTRAINT training_revision_of FOREIGN KEY (tenant_id, training_case_id) REFERENCES training_case,
    CONSTRAINT training_revision_two_persons CHECK (reviewer <> author),
    CONSTRAINT training_revision_published CHECK ((published_at IS NULL) = (reviewer = ''))
);
COMMENT ON TABLE training_revision IS 'The texts of training cases, with placeholders for personal data; a revision never changes but for who published it.';
COMMENT ON COLUMN training_revision.tenant_id IS 'Whose training case it is.';
COMMENT ON COLUMN training_revision.training_case_id IS 'The training case.';
COMMENT ON COLUMN training_revision.revision IS 'Its number, from 1.';
COMMENT ON COLUMN training_revision.title IS 'What it is about, in one line.';
COMMENT ON COLUMN training_revision.description IS 'What happened, in the complainant''s words.';
COMMENT ON COLUMN training_revision.findings IS 'What was found out.';
COMMENT ON COLUMN training_revision.root_cause IS 'Why it happened.';
COMMENT ON COLUMN training_revision.decision_reasons IS 'Why it was decided so.';
COMMENT ON COLUMN training_revision.lesson IS 'What is to be learnt from it.';
COMMENT ON COLUMN training_revision.author IS 'Subject who wrote it.';
COMMENT ON COLUMN training_revision.revised_at IS 'When.';
COMMENT ON COLUMN training_revision.reviewer IS 'Subject who published it; empty while nobody has.';
COMMENT ON COLUMN training_revision.published_at IS 'When; null while nobody has.';
SELECT tenant_table('training_revision');

CREATE TABLE training_step (
    tenant_id        text     NOT NULL,
    training_case_id uuid     NOT NULL,
    revision         integer  NOT NULL,
    place            integer  NOT NULL,
    after_s          bigint   NOT NULL,
    cycle            integer  NOT NULL,
    kind             smallint NOT NULL,
    text             text     NOT NULL,
    CONSTRAINT training_step_pkey PRIMARY KEY (tenant_id, training_case_id, revision, place),
    CONSTRAINT training_step_of FOREIGN KEY (tenant_id, training_case_id, revision) REFERENCES training_revision
);
COMMENT ON TABLE training_step IS 'What was done, as a revision of a training case tells it.';
COMMENT ON COLUMN training_step.tenant_id IS 'Whose training case it is.';
COMMENT ON COLUMN training_step.training_case_id IS 'The training case.';
COMMENT ON COLUMN training_step.revision IS 'Its revision.';
COMMENT ON COLUMN training_step.place IS 'Place among the steps, from 0.';
COMMENT ON COLUMN training_step.after_s IS 'Seconds since the complaint was received.';
COMMENT ON COLUMN training_step.cycle IS 'The attempt at resolution it belongs to.';
COMMENT ON COLUMN training_step.kind IS 'redress.cases.v1.TimelineKind.';
COMMENT ON COLUMN training_step.text IS 'What was done.';
SELECT tenant_table('training_step');

CREATE TABLE training_source (
    tenant_id        text NOT NULL,
    case_id          uuid NOT NULL,
    training_case_id uuid,
    CONSTRAINT training_source_pkey PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE training_source IS 'Which cases training cases were made of. A row goes with its case.';
COMMENT ON COLUMN training_source.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN training_source.case_id IS 'The case.';
COMMENT ON COLUMN training_source.training_case_id IS 'What was made of it; null once that was published or retired: nobody can tell any more.';
CREATE INDEX training_source_of ON training_source (tenant_id, training_case_id) WHERE training_case_id IS NOT NULL;
COMMENT ON INDEX training_source_of IS 'The case that a training case was made of.';
SELECT tenant_table('training_source');

CREATE INDEX cases_closed ON cases (tenant_id, closed_at) WHERE state = 8;
COMMENT ON INDEX cases_closed IS 'Closed cases by when they were closed: what training cases are picked from.';
