-- What is empty until it is known is so by itself: whoever makes a row names what they know, and a
-- further column of this kind concerns nobody else. Only the catalogue changes.

ALTER TABLE assignment
    ALTER COLUMN respondent_staff SET DEFAULT '',
    ALTER COLUMN traceparent SET DEFAULT '';
ALTER TABLE decision
    ALTER COLUMN customer_id SET DEFAULT '',
    ALTER COLUMN language SET DEFAULT '',
    ALTER COLUMN region SET DEFAULT '',
    ALTER COLUMN respondent_staff SET DEFAULT '';
