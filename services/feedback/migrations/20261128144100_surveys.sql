-- Surveys, one per cycle; what is settled per tenant as versions; and what is known of a case.

CREATE TABLE revision (
    tenant_id    text        NOT NULL,
    subject      smallint    NOT NULL,
    name         text        NOT NULL,
    version      bigint      NOT NULL,
    content      jsonb       NOT NULL,
    note         text        NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   text        NOT NULL,
    activated_at timestamptz,
    activated_by text        NOT NULL DEFAULT '',
    CONSTRAINT revision_pkey PRIMARY KEY (tenant_id, subject, name, version),
    CONSTRAINT revision_version_positive CHECK (version > 0)
);
COMMENT ON TABLE revision IS 'What a tenant has settled, version by version. A version never changes but for its activation; the one activated last is in force. A tenant without any has the shipped one.';
COMMENT ON COLUMN revision.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN revision.subject IS 'What it settles: 1 the questionnaire of surveys, 2 who is called back, 3 the words of a notice, 4 quiet hours.';
COMMENT ON COLUMN revision.name IS 'Which of several: of notices, their kind and language; empty where there is one.';
COMMENT ON COLUMN revision.version IS 'Counts from 1.';
COMMENT ON COLUMN revision.content IS 'What is settled, as data.';
COMMENT ON COLUMN revision.note IS 'Why there is this version.';
COMMENT ON COLUMN revision.created_at IS 'When it was made.';
COMMENT ON COLUMN revision.created_by IS 'Who made it.';
COMMENT ON COLUMN revision.activated_at IS 'When it was last activated; null before.';
COMMENT ON COLUMN revision.activated_by IS 'Who did; empty before.';
SELECT tenant_table('revision');

CREATE TABLE case_profile (
    tenant_id   text     NOT NULL,
    case_id     uuid     NOT NULL,
    channel     smallint,
    vulnerable  boolean,
    about_staff boolean,
    phone       text,
    priority    smallint,
    standing    smallint,
    recused     jsonb,
    CONSTRAINT case_profile_pkey PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE case_profile IS 'What decides who is surveyed and called back. Each column is null until its service tells.';
COMMENT ON COLUMN case_profile.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN case_profile.case_id IS 'The case.';
COMMENT ON COLUMN case_profile.channel IS 'redress.intake.v1.Channel it came by.';
COMMENT ON COLUMN case_profile.vulnerable IS 'Whether its complainant was told or seen to need extra care.';
COMMENT ON COLUMN case_profile.about_staff IS 'Whether it is about a member of staff.';
COMMENT ON COLUMN case_profile.phone IS 'Telephone number of its complainant; empty when unknown.';
COMMENT ON COLUMN case_profile.priority IS 'redress.cases.v1.Priority it has.';
COMMENT ON COLUMN case_profile.standing IS 'Whether anybody is to be asked: 1 yes, 2 merged, 3 withdrawn, 4 declined, 5 closed without an answer.';
COMMENT ON COLUMN case_profile.recused IS 'Whom it is about, in lower case: they have no part in it.';
SELECT tenant_table('case_profile');

ALTER TABLE feedback
    ADD COLUMN time_zone text NOT NULL DEFAULT '',
    ADD COLUMN told_at   timestamptz;
COMMENT ON COLUMN feedback.time_zone IS 'IANA name of the zone its times are told in; empty when unknown.';
COMMENT ON COLUMN feedback.told_at IS 'When there was first evidence that the outcome was told; null before.';

CREATE TABLE survey (
    tenant_id     text        NOT NULL,
    survey_id     uuid        NOT NULL,
    case_id       uuid        NOT NULL,
    cycle         integer     NOT NULL,
    questionnaire bigint      NOT NULL,
    language      text        NOT NULL,
    state         smallint    NOT NULL,
    cancel_reason text        NOT NULL DEFAULT '',
    handling      smallint    NOT NULL DEFAULT 0,
    outcome       smallint    NOT NULL DEFAULT 0,
    effort        smallint    NOT NULL DEFAULT 0,
    comment       text        NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    CONSTRAINT survey_pkey PRIMARY KEY (tenant_id, survey_id),
    CONSTRAINT survey_once UNIQUE (tenant_id, case_id, cycle),
    CONSTRAINT survey_open_has_not_ended CHECK ((state = 1) = (ended_at IS NULL)),
    CONSTRAINT survey_scores CHECK (handling BETWEEN 0 AND 5 AND outcome BETWEEN 0 AND 5 AND effort BETWEEN 0 AND 5)
);
COMMENT ON TABLE survey IS 'Surveys, one per cycle whose outcome was told.';
COMMENT ON COLUMN survey.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN survey.survey_id IS 'Identity; sorts by time.';
COMMENT ON COLUMN survey.case_id IS 'The case.';
COMMENT ON COLUMN survey.cycle IS 'The cycle.';
COMMENT ON COLUMN survey.questionnaire IS 'Version of the questionnaire; 0 is the shipped one.';
COMMENT ON COLUMN survey.language IS 'BCP 47 tag of the language it is asked in.';
COMMENT ON COLUMN survey.state IS 'redress.feedback.v1.SurveyState: 1 open, 2 answered, 3 cancelled. Whether it is expired is derived.';
COMMENT ON COLUMN survey.cancel_reason IS 'Why it was cancelled; empty otherwise.';
COMMENT ON COLUMN survey.handling IS 'Satisfaction with the handling, 1-5; 0 when not answered.';
COMMENT ON COLUMN survey.outcome IS 'Satisfaction with the outcome, 1-5; 0 when not answered.';
COMMENT ON COLUMN survey.effort IS 'Effort, 1-5; 0 when not answered.';
COMMENT ON COLUMN survey.comment IS 'The answer in words.';
COMMENT ON COLUMN survey.created_at IS 'When the outcome was told.';
COMMENT ON COLUMN survey.expires_at IS 'Until when an answer is taken.';
COMMENT ON COLUMN survey.ended_at IS 'When it was answered or cancelled; null before.';
CREATE INDEX survey_by_state ON survey (tenant_id, state, survey_id);
SELECT tenant_table('survey');

CREATE TABLE survey_code (
    tenant_id text  NOT NULL,
    code_hash bytea NOT NULL,
    survey_id uuid  NOT NULL,
    CONSTRAINT survey_code_pkey PRIMARY KEY (tenant_id, code_hash)
);
COMMENT ON TABLE survey_code IS 'What codes open which survey: one for each mail that was sent.';
COMMENT ON COLUMN survey_code.tenant_id IS 'Organisation whose data this is.';
COMMENT ON COLUMN survey_code.code_hash IS 'SHA-256 of the code; the code itself is in the mail alone.';
COMMENT ON COLUMN survey_code.survey_id IS 'The survey.';
SELECT tenant_table('survey_code');

COMMENT ON COLUMN notice.number IS 'Which of several of its kind in a cycle: the number of the extension, the place of the holding reply in the timeline, 0 and 1 for a survey''s invitation and reminder; 0 for those there is one of.';
