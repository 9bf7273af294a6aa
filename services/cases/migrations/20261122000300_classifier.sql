-- What was read off the text of each case, and the classifiers a tenant has trained
-- from its own cases.

CREATE TABLE classifier_state (
    tenant_id      text        NOT NULL,
    newest         bigint      NOT NULL,
    active         bigint      NOT NULL,
    training_token uuid,
    training_until timestamptz,
    CONSTRAINT classifier_state_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT classifier_state_training_whole CHECK ((training_token IS NULL) = (training_until IS NULL))
);
COMMENT ON TABLE classifier_state IS 'By which classifier a tenant''s complaints are classified, and whether one is being trained; no row while it never trained any.';
COMMENT ON COLUMN classifier_state.tenant_id IS 'Whose classifiers these are.';
COMMENT ON COLUMN classifier_state.newest IS 'The last version trained; 0 before the first.';
COMMENT ON COLUMN classifier_state.active IS 'The version complaints are classified by; 0 when none is active.';
COMMENT ON COLUMN classifier_state.training_token IS 'Names the training under way; null when there is none.';
COMMENT ON COLUMN classifier_state.training_until IS 'Until when it is taken to be under way; a training whose process died holds up the next no longer.';
SELECT tenant_table('classifier_state');

CREATE TABLE classifier (
    tenant_id         text             NOT NULL,
    version           bigint           NOT NULL,
    trainer           text             NOT NULL,
    trained_at        timestamptz      NOT NULL,
    activated_at      timestamptz,
    threshold         double precision NOT NULL,
    learnt            integer          NOT NULL,
    terms             integer          NOT NULL,
    macro_f1          double precision NOT NULL,
    accuracy          double precision NOT NULL,
    calibration_error double precision NOT NULL,
    sure_share        double precision NOT NULL,
    sure_accuracy     double precision NOT NULL,
    held_out          integer          NOT NULL,
    categories        text[]           NOT NULL,
    confusion         integer[]        NOT NULL,
    model             bytea            NOT NULL,
    CONSTRAINT classifier_pkey PRIMARY KEY (tenant_id, version),
    CONSTRAINT classifier_threshold_known CHECK (threshold > 0 AND threshold <= 1),
    CONSTRAINT classifier_confusion_square CHECK (cardinality(confusion) = cardinality(categories) * cardinality(categories))
);
COMMENT ON TABLE classifier IS 'Classifiers and how well each did on texts it had not seen. A version never changes.';
COMMENT ON COLUMN classifier.tenant_id IS 'Whose classifier it is.';
COMMENT ON COLUMN classifier.version IS 'In the order of training, from 1.';
COMMENT ON COLUMN classifier.trainer IS 'Subject of who had it trained.';
COMMENT ON COLUMN classifier.trained_at IS 'When it was trained.';
COMMENT ON COLUMN classifier.activated_at IS 'When it was last activated; null if never.';
COMMENT ON COLUMN classifier.threshold IS 'Confidence from which a category needs no confirmation.';
COMMENT ON COLUMN classifier.learnt IS 'How many texts it has learnt from.';
COMMENT ON COLUMN classifier.terms IS 'How many words, pairs and pieces it knows.';
COMMENT ON COLUMN classifier.macro_f1 IS 'Mean F1 of its categories on the texts held out.';
COMMENT ON COLUMN classifier.accuracy IS 'Share of the texts held out that it had right.';
COMMENT ON COLUMN classifier.calibration_error IS 'How far its confidence was from the share it had right.';
COMMENT ON COLUMN classifier.sure_share IS 'Share of the texts held out at or above the threshold.';
COMMENT ON COLUMN classifier.sure_accuracy IS 'Share of those that it had right.';
COMMENT ON COLUMN classifier.held_out IS 'How many texts were held out.';
COMMENT ON COLUMN classifier.categories IS 'Its categories, in order.';
COMMENT ON COLUMN classifier.confusion IS 'Row after row, how many texts of each category were said to be of each.';
COMMENT ON COLUMN classifier.model IS 'The model, as language::Model writes it.';
-- Weights are as good as random: compressing them costs and saves nothing.
ALTER TABLE classifier ALTER COLUMN model SET STORAGE EXTERNAL;
SELECT tenant_table('classifier');

CREATE TABLE case_reading (
    tenant_id    text     NOT NULL,
    case_id      uuid     NOT NULL,
    emotion      smallint,
    threats      smallint NOT NULL,
    classifier   bigint,
    guess        text,
    confidence   double precision,
    unconfirmed  boolean  NOT NULL,
    confirmer    text,
    confirmed_at timestamptz,
    CONSTRAINT case_reading_pkey PRIMARY KEY (tenant_id, case_id),
    CONSTRAINT case_reading_emotion_known CHECK (emotion BETWEEN 0 AND 4),
    CONSTRAINT case_reading_threats_known CHECK (threats BETWEEN 0 AND 15),
    CONSTRAINT case_reading_guess_whole CHECK (
        (classifier IS NULL) = (guess IS NULL) AND (guess IS NULL) = (confidence IS NULL)),
    CONSTRAINT case_reading_confirmed_whole CHECK ((confirmer IS NULL) = (confirmed_at IS NULL)),
    CONSTRAINT case_reading_confirmed_once CHECK (NOT (unconfirmed AND confirmer IS NOT NULL))
);
COMMENT ON TABLE case_reading IS 'What was read off the text of a case when it was opened, and who confirmed its category. Written once and once more when confirmed: beside the case, which changes often.';
COMMENT ON COLUMN case_reading.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN case_reading.case_id IS 'The case.';
COMMENT ON COLUMN case_reading.emotion IS 'How angry the text is, from 0 (calm) to 4 (furious); null for a case that was opened before texts were read.';
COMMENT ON COLUMN case_reading.threats IS 'What it threatens: the sum of 1 regulator, 2 media, 4 court, 8 leaving.';
COMMENT ON COLUMN case_reading.classifier IS 'Version of the classifier that was asked; null when none was.';
COMMENT ON COLUMN case_reading.guess IS 'What it took the case for.';
COMMENT ON COLUMN case_reading.confidence IS 'How likely that is right, from 0 to 1.';
COMMENT ON COLUMN case_reading.unconfirmed IS 'Whether a person is to confirm the category.';
COMMENT ON COLUMN case_reading.confirmer IS 'Subject of who confirmed or corrected it last; null when nobody did.';
COMMENT ON COLUMN case_reading.confirmed_at IS 'When they did.';
CREATE INDEX case_reading_waiting ON case_reading (tenant_id, case_id) WHERE unconfirmed;
CREATE INDEX case_reading_confirmed ON case_reading (tenant_id, case_id) WHERE confirmer IS NOT NULL;
SELECT tenant_table('case_reading');
