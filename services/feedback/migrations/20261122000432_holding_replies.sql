-- Holding replies: owed like the other notices, each told once.

ALTER TABLE untold
    ADD COLUMN news        text NOT NULL DEFAULT '',
    ADD COLUMN next_update timestamptz;
COMMENT ON COLUMN untold.news IS 'What the handler has to say; of a holding reply only.';
COMMENT ON COLUMN untold.next_update IS 'When the complainant hears again; of a holding reply that promised it only.';
COMMENT ON COLUMN untold.kind IS 'redress.feedback.v1.NoticeKind: 2 outcome, 3 recourse, 4 extension, 5 holding reply.';
COMMENT ON COLUMN untold.number IS 'Which of several of its kind in a cycle: the number of the extension, the place of the holding reply in the timeline; 0 for those there is one of.';
COMMENT ON COLUMN untold.reasons IS 'Why it was decided so, or takes longer; of an outcome, an extension or a holding reply only.';
COMMENT ON COLUMN untold.respond_until IS 'Until when an answer is taken, or by when one is promised; of an outcome, an extension or a holding reply only.';
COMMENT ON COLUMN notice.number IS 'Which of several of its kind in a cycle: the number of the extension, the place of the holding reply in the timeline; 0 for those there is one of.';
