-- Notices of goods that are lacking: owed like the other notices, each told once.

COMMENT ON COLUMN untold.kind IS 'redress.feedback.v1.NoticeKind: 2 outcome, 3 recourse, 4 extension, 5 holding reply, 7 shortage.';
COMMENT ON COLUMN untold.news IS 'What the handler has to say, of a holding reply; the article, of a shortage; empty otherwise.';
COMMENT ON COLUMN untold.number IS 'Which of several of its kind in a cycle: the number of the extension, the place in the timeline of the holding reply or the shortage; 0 for those there is one of.';
COMMENT ON COLUMN untold.respond_until IS 'Until when an answer is taken, by when one is promised, or when goods are expected; of an outcome, an extension, a holding reply or a shortage only.';
COMMENT ON COLUMN notice.number IS 'Which of several of its kind in a cycle: the number of the extension, the place in the timeline of the holding reply or the shortage; 0 for those there is one of.';
