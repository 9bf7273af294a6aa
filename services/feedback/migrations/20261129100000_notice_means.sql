-- By which means notices leave: e-mail, text message, the operator's own system.

ALTER TABLE contact
    ADD COLUMN phone   text     NOT NULL DEFAULT '',
    ADD COLUMN channel smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN contact.phone IS 'Telephone number for text messages, as it was given: the complainant''s, unless notices go to a representative; empty when none is known, and of complaints from before there were text messages.';
COMMENT ON COLUMN contact.channel IS 'redress.intake.v1.Channel the complaint came by; 0 of complaints from before it was kept here.';

ALTER TABLE contact_correction ADD COLUMN phone text NOT NULL DEFAULT '';
COMMENT ON COLUMN contact_correction.phone IS 'The telephone number before.';

ALTER TABLE notice
    ADD COLUMN sending_means smallint NOT NULL DEFAULT 1,
    ADD COLUMN short_text    text     NOT NULL DEFAULT '';
COMMENT ON COLUMN notice.sending_means IS 'redress.feedback.v1.NoticeMeans it is sent by, was sent last, or would be: 1 e-mail, 6 text message, 7 webhook.';
COMMENT ON COLUMN notice.short_text IS 'Its text as a text message; empty of notices from before there were any.';
COMMENT ON COLUMN notice.recipient IS 'Address it goes to: e-mail address, or telephone number in E.164; empty when none is known.';

ALTER TABLE notice_sending ADD COLUMN means smallint NOT NULL DEFAULT 1;
COMMENT ON COLUMN notice_sending.means IS 'redress.feedback.v1.NoticeMeans it was sent by.';
COMMENT ON COLUMN notice_sending.requester IS 'Who had it sent again; empty where it went on to the next means by itself.';

COMMENT ON COLUMN revision.subject IS 'What it settles: 1 the questionnaire of surveys, 2 who is called back, 3 the words of a notice, 4 quiet hours, 5 by which means notices go.';
