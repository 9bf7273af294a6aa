-- Objects and attachments are removed a tenant's at a time in turn: the indexes in which they are
-- found begin with the tenant. They have only those that may be removed.
CREATE INDEX attachment_object_removal_next ON attachment_object (tenant_id, remove_at)
    WHERE remove_at IS NOT NULL;
CREATE INDEX attachment_orphan_next ON attachment (tenant_id, created_at) WHERE complaint_id IS NULL;
CREATE INDEX attachment_removal_next ON attachment (tenant_id, created_at) WHERE state IN (4, 5) AND has_content;
DROP INDEX attachment_orphan;
DROP INDEX attachment_removal;
