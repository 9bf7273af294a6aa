-- Other services hear of departments: tells of those that were created before. The
-- payload is redress.assignment.v1.DepartmentCreated with its one field, whose length
-- fits one byte: an id has at most 60 characters.

ALTER TABLE department NO FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox NO FORCE ROW LEVEL SECURITY;
INSERT INTO outbox (tenant_id, event_id, subject, type, occurred_at, traceparent, payload)
SELECT tenant_id, gen_random_uuid(), gen_random_uuid(), 'redress.assignment.v1.DepartmentCreated', now(), '',
       '\x0a'::bytea || set_byte('\x00'::bytea, 0, octet_length(department_id)) || convert_to(department_id, 'UTF8')
FROM department
ORDER BY tenant_id, department_id;
ALTER TABLE department FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
