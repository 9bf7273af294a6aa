-- What is empty until it is known is so by itself: whoever makes a row names what they know, and a
-- further column of this kind concerns nobody else. Only the catalogue changes.

ALTER TABLE cases
    ALTER COLUMN triage_reasons SET DEFAULT '[]',
    ALTER COLUMN subject SET DEFAULT '',
    ALTER COLUMN customer_id SET DEFAULT '',
    ALTER COLUMN respondent_staff SET DEFAULT '',
    ALTER COLUMN department_id SET DEFAULT '',
    ALTER COLUMN agent_id SET DEFAULT '',
    ALTER COLUMN findings SET DEFAULT '',
    ALTER COLUMN root_cause SET DEFAULT '',
    ALTER COLUMN decision_reasons SET DEFAULT '',
    ALTER COLUMN traceparent SET DEFAULT '';
