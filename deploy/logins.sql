-- The user the services log in as. It owns nothing: `redress migrate --grant-to
-- redress_app` lets it become the role of each service, and each connection does.
CREATE ROLE redress_app LOGIN NOINHERIT PASSWORD 'redress';
