-- Notices wait in lanes: what a person has just caused is sent before what an import did.

ALTER TABLE notice
    ADD COLUMN lane smallint NOT NULL DEFAULT 1;
COMMENT ON COLUMN notice.lane IS 'redress.event.v1.Lane it waits in to be sent: that of the event that made it owed; live once a person has it sent again.';
-- Read by the delivery worker, queue by queue: a tenant has one in each lane. Holds pending notices only.
CREATE INDEX notice_pending ON notice (lane, tenant_id, due_at) WHERE state = 1;
COMMENT ON INDEX notice_due IS 'Read by the delivery workers of before 20261128113000.';
