-- What is the same and what is alike: merges, links, and what cases are found by.

ALTER TABLE cases
    ADD COLUMN matter      smallint NOT NULL DEFAULT 1,
    ADD COLUMN merged_into uuid,
    ADD COLUMN merged_from smallint,
    ADD CONSTRAINT cases_matter_known CHECK (matter BETWEEN 1 AND 2),
    DROP CONSTRAINT cases_state_known,
    ADD CONSTRAINT cases_state_known CHECK (state BETWEEN 1 AND 11),
    ADD CONSTRAINT cases_merge_whole
        CHECK ((state = 11) = (merged_into IS NOT NULL) AND (state = 11) = (merged_from IS NOT NULL));
COMMENT ON COLUMN cases.matter IS 'redress.intake.v1.Matter: complaint, or report of a violation.';
COMMENT ON COLUMN cases.merged_into IS 'The case that stands for it; null unless merged.';
COMMENT ON COLUMN cases.merged_from IS 'redress.cases.v1.CaseState in which it was merged, or to which news has brought it since; null unless merged.';
CREATE INDEX cases_merged ON cases (tenant_id, merged_into, case_id) WHERE merged_into IS NOT NULL;
COMMENT ON INDEX cases_merged IS 'The cases merged into one.';

ALTER TABLE timeline
    DROP CONSTRAINT timeline_kind_known,
    ADD CONSTRAINT timeline_kind_known CHECK (kind BETWEEN 1 AND 99);

CREATE TABLE sketch (
    tenant_id text   NOT NULL,
    case_id   uuid   NOT NULL,
    minima    bytea,
    order_key bigint,
    phone_key bigint,
    CONSTRAINT sketch_pkey PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE sketch IS 'Text and numbers of a case, made small enough to be compared. Written once; nothing can be read out of it.';
COMMENT ON COLUMN sketch.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN sketch.case_id IS 'The case.';
COMMENT ON COLUMN sketch.minima IS 'MinHash of the text: 128 numbers of two bytes, big-endian; null when the text is too short.';
COMMENT ON COLUMN sketch.order_key IS 'Hash of the order''s number; null when unknown.';
COMMENT ON COLUMN sketch.phone_key IS 'Hash of the complainant''s telephone number; null when unknown.';
SELECT tenant_table('sketch');

CREATE TABLE mark (
    tenant_id text   NOT NULL,
    mark      bigint NOT NULL,
    case_id   uuid   NOT NULL,
    CONSTRAINT mark_pkey PRIMARY KEY (tenant_id, mark, case_id)
);
COMMENT ON TABLE mark IS 'What like cases share: sixteen bands of a text''s sketch, and hashes of order, customer and telephone. Looked up newest first.';
COMMENT ON COLUMN mark.tenant_id IS 'Whose case it is.';
COMMENT ON COLUMN mark.mark IS 'What it is of (0 to 15 a band, 16 order, 17 customer, 18 telephone) in front of 48 bits.';
COMMENT ON COLUMN mark.case_id IS 'A case that has it.';
SELECT tenant_table('mark');

CREATE TABLE case_link (
    tenant_id  text             NOT NULL,
    later_id   uuid             NOT NULL,
    earlier_id uuid             NOT NULL,
    kind       smallint         NOT NULL,
    standing   smallint         NOT NULL,
    score      double precision NOT NULL,
    reasons    text             NOT NULL,
    actor      text             NOT NULL,
    changed_at timestamptz      NOT NULL,
    CONSTRAINT case_link_pkey PRIMARY KEY (tenant_id, later_id, earlier_id),
    CONSTRAINT case_link_order CHECK (later_id > earlier_id),
    CONSTRAINT case_link_kind_known CHECK (kind BETWEEN 1 AND 2),
    CONSTRAINT case_link_standing_known CHECK (standing BETWEEN 1 AND 3),
    CONSTRAINT case_link_score_sane CHECK (score BETWEEN 0 AND 1)
);
COMMENT ON TABLE case_link IS 'Cases found or said to be the same or alike: one row for two cases.';
COMMENT ON COLUMN case_link.tenant_id IS 'Whose cases they are.';
COMMENT ON COLUMN case_link.later_id IS 'The case registered later.';
COMMENT ON COLUMN case_link.earlier_id IS 'The case registered first.';
COMMENT ON COLUMN case_link.kind IS 'redress.cases.v1.LinkKind.';
COMMENT ON COLUMN case_link.standing IS 'redress.cases.v1.LinkStanding.';
COMMENT ON COLUMN case_link.score IS 'How alike they were found; 0 when only a person linked them.';
COMMENT ON COLUMN case_link.reasons IS 'Why, a line for each reason.';
COMMENT ON COLUMN case_link.actor IS 'Who linked or dismissed last: a person''s subject, or a service in angle brackets.';
COMMENT ON COLUMN case_link.changed_at IS 'When that was.';
CREATE INDEX case_link_of_earlier ON case_link (tenant_id, earlier_id, later_id);
COMMENT ON INDEX case_link_of_earlier IS 'The links of a case to later ones; the primary key has those to earlier ones.';
SELECT tenant_table('case_link');
COMMENT ON COLUMN cases.closed_at IS 'When it was closed, withdrawn, declined or merged; null while open.';
