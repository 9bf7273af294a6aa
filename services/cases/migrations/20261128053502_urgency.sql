-- How urgent people say a case is.

ALTER TABLE cases
    ADD COLUMN priority_floor smallint,
    ADD COLUMN lowering_to    smallint,
    ADD COLUMN lowering_by    text NOT NULL DEFAULT '';
COMMENT ON COLUMN cases.priority_floor IS 'redress.cases.v1.Priority that a person, or what was added later, raised it to: triage finds it no less urgent; null where nothing did.';
COMMENT ON COLUMN cases.lowering_to IS 'redress.cases.v1.Priority that one person asked to lower it to; null while nobody waits for a second.';
COMMENT ON COLUMN cases.lowering_by IS 'Who asked; empty while nobody does.';
