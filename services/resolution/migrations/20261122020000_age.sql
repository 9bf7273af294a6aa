-- How long the oldest task waits to be handed out is measured over all tenants.

SELECT worker_may('task', 'SELECT (state, visible_at)');
