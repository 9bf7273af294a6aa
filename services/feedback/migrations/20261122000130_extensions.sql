-- Notices of more time: there may be several in a cycle, each told once.

ALTER TABLE notice ADD COLUMN number integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN notice.number IS 'Which of several of its kind in a cycle: the number of the extension; 0 for those there is one of.';
ALTER TABLE notice DROP CONSTRAINT notice_once;
ALTER TABLE notice ADD CONSTRAINT notice_once UNIQUE (tenant_id, case_id, cycle, kind, number);

ALTER TABLE untold ADD COLUMN number integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN untold.number IS 'Which of several of its kind in a cycle: the number of the extension; 0 for those there is one of.';
ALTER TABLE untold DROP CONSTRAINT untold_pkey;
ALTER TABLE untold ADD CONSTRAINT untold_pkey PRIMARY KEY (tenant_id, case_id, cycle, kind, number);
COMMENT ON COLUMN untold.kind IS 'redress.feedback.v1.NoticeKind: 2 outcome, 3 recourse, 4 extension.';
COMMENT ON COLUMN untold.reasons IS 'Why it was decided so; of an outcome or an extension only.';
COMMENT ON COLUMN untold.respond_until IS 'Until when an answer is taken, or by when one is promised; of an outcome or an extension only.';
