-- How long the oldest case waits is measured over all tenants.

SELECT worker_may('assignment', 'SELECT (state, enqueued_at)');
