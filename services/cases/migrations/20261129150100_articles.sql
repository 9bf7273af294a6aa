-- What is known about matters that come again: articles, their revisions, and their uses.

CREATE TABLE article (
    tenant_id     text        NOT NULL,
    article_id    uuid        NOT NULL,
    version       bigint      NOT NULL,
    state         smallint    NOT NULL,
    latest        integer     NOT NULL,
    in_force      integer,
    retirer       text        NOT NULL,
    retire_reason text        NOT NULL,
    CONSTRAINT article_pkey PRIMARY KEY (tenant_id, article_id),
    CONSTRAINT article_state_known CHECK (state BETWEEN 1 AND 4),
    CONSTRAINT article_in_force CHECK (in_force <= latest),
    CONSTRAINT article_retired CHECK (state <> 4 OR in_force IS NULL)
);
COMMENT ON TABLE article IS 'What is known about a matter, as a whole.';
COMMENT ON COLUMN article.tenant_id IS 'Whose article it is.';
COMMENT ON COLUMN article.article_id IS 'Identity, a UUID version 7.';
COMMENT ON COLUMN article.version IS 'Counts what people do to it.';
COMMENT ON COLUMN article.state IS 'redress.cases.v1.ArticleState, of its latest revision.';
COMMENT ON COLUMN article.latest IS 'Number of its latest revision.';
COMMENT ON COLUMN article.in_force IS 'Number of the revision in force; null while there is none.';
COMMENT ON COLUMN article.retirer IS 'Subject who took it out of use; empty while nobody has.';
COMMENT ON COLUMN article.retire_reason IS 'Why; empty while nobody has.';
SELECT tenant_table('article');

CREATE TABLE article_revision (
    tenant_id    text        NOT NULL,
    article_id   uuid        NOT NULL,
    revision     integer     NOT NULL,
    title        text        NOT NULL,
    body         text        NOT NULL,
    language     text        NOT NULL,
    categories   text[]      NOT NULL,
    products     text[]      NOT NULL,
    sources      uuid[]      NOT NULL,
    review_date  date,
    words        integer     NOT NULL,
    author       text        NOT NULL,
    revised_at   timestamptz NOT NULL,
    reviewer     text        NOT NULL DEFAULT '',
    published_at timestamptz,
    CONSTRAINT article_revision_pkey PRIMARY KEY (tenant_id, article_id, revision),
    CONSTRAINT article_revision_of FOREIGN KEY (tenant_id, article_id) REFERENCES article,
    CONSTRAINT article_revision_two_persons CHECK (reviewer <> author),
    CONSTRAINT article_revision_published CHECK ((published_at IS NULL) = (reviewer = ''))
);
COMMENT ON TABLE article_revision IS 'The texts of articles; a revision never changes but for who published it.';
COMMENT ON COLUMN article_revision.tenant_id IS 'Whose article it is.';
COMMENT ON COLUMN article_revision.article_id IS 'The article.';
COMMENT ON COLUMN article_revision.revision IS 'Its number, from 1.';
COMMENT ON COLUMN article_revision.title IS 'What it is about, in one line.';
COMMENT ON COLUMN article_revision.body IS 'The text, plain or Markdown, without personal data.';
COMMENT ON COLUMN article_revision.language IS 'Its language, BCP 47.';
COMMENT ON COLUMN article_revision.categories IS 'Categories it applies to, as paths.';
COMMENT ON COLUMN article_revision.products IS 'Products it applies to.';
COMMENT ON COLUMN article_revision.sources IS 'Cases it grew from.';
COMMENT ON COLUMN article_revision.review_date IS 'Last day on which it need not be looked at again; null where there is none.';
COMMENT ON COLUMN article_revision.words IS 'How many words it is found by.';
COMMENT ON COLUMN article_revision.author IS 'Subject who wrote it.';
COMMENT ON COLUMN article_revision.revised_at IS 'When.';
COMMENT ON COLUMN article_revision.reviewer IS 'Subject who published it; empty while nobody has.';
COMMENT ON COLUMN article_revision.published_at IS 'When; null while nobody has.';
SELECT tenant_table('article_revision');

CREATE TABLE article_word (
    tenant_id  text    NOT NULL,
    word       text    NOT NULL,
    article_id uuid    NOT NULL,
    in_title   boolean NOT NULL,
    CONSTRAINT article_word_pkey PRIMARY KEY (tenant_id, word, article_id)
);
COMMENT ON TABLE article_word IS 'The words by which the revisions in force are found.';
COMMENT ON COLUMN article_word.tenant_id IS 'Whose article it is.';
COMMENT ON COLUMN article_word.word IS 'The word, as the search knows it.';
COMMENT ON COLUMN article_word.article_id IS 'The article.';
COMMENT ON COLUMN article_word.in_title IS 'Whether its title has it.';
CREATE INDEX article_word_of ON article_word (tenant_id, article_id);
COMMENT ON INDEX article_word_of IS 'The words of an article, which are taken away when another revision is in force.';
SELECT tenant_table('article_word');

CREATE TABLE article_use (
    tenant_id  text        NOT NULL,
    article_id uuid        NOT NULL,
    case_id    uuid        NOT NULL,
    revision   integer     NOT NULL,
    person     text        NOT NULL,
    useful     boolean     NOT NULL,
    cycle      integer     NOT NULL,
    used_at    timestamptz NOT NULL,
    CONSTRAINT article_use_pkey PRIMARY KEY (tenant_id, article_id, case_id, revision, person)
);
COMMENT ON TABLE article_use IS 'Who used which revision of an article in which case, and whether it helped.';
COMMENT ON COLUMN article_use.tenant_id IS 'Whose article it is.';
COMMENT ON COLUMN article_use.article_id IS 'The article.';
COMMENT ON COLUMN article_use.case_id IS 'The case it was used in.';
COMMENT ON COLUMN article_use.revision IS 'The revision that was used.';
COMMENT ON COLUMN article_use.person IS 'Subject who used it, folded: one person is one, however they are written.';
COMMENT ON COLUMN article_use.useful IS 'Whether it was useful, as said last.';
COMMENT ON COLUMN article_use.cycle IS 'Cycle of the case when this person first said so.';
COMMENT ON COLUMN article_use.used_at IS 'When they said so last.';
SELECT tenant_table('article_use');
