-- What promises depend on beside priority and category. Of cases opened before,
-- neither was kept: nobody had said anything of them.

ALTER TABLE cases
    ADD COLUMN region     text     NOT NULL DEFAULT '',
    ADD COLUMN complexity smallint NOT NULL DEFAULT 2,
    ADD CONSTRAINT cases_complexity_known CHECK (complexity BETWEEN 1 AND 4);
COMMENT ON COLUMN cases.region IS 'Where the complainant is, as intake was told; empty when unknown.';
COMMENT ON COLUMN cases.complexity IS 'redress.cases.v1.Level: how hard triage found it to be to find out and to settle.';
