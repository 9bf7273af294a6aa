-- The product that a complaint names: articles apply to products.

ALTER TABLE case_text ADD COLUMN product text NOT NULL DEFAULT '';
COMMENT ON COLUMN case_text.product IS 'The product the complaint names; empty where none, and of cases opened before it was kept.';
