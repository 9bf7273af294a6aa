-- What the keys of a tenant's telephone system mean.

CREATE TABLE ivr_menu_state (
    tenant_id text   NOT NULL,
    newest    bigint NOT NULL,
    active    bigint NOT NULL,
    CONSTRAINT ivr_menu_state_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON TABLE ivr_menu_state IS 'Which menu explains a tenant''s calls; no row while it has none. Its row is locked by whoever creates or activates a version.';
COMMENT ON COLUMN ivr_menu_state.tenant_id IS 'Whose menu it is.';
COMMENT ON COLUMN ivr_menu_state.newest IS 'The last version created.';
COMMENT ON COLUMN ivr_menu_state.active IS 'The version in force; 0 while none is.';
SELECT tenant_table('ivr_menu_state');

CREATE TABLE ivr_menu (
    tenant_id    text        NOT NULL,
    version      bigint      NOT NULL,
    note         text        NOT NULL,
    data         jsonb       NOT NULL,
    creator      text        NOT NULL,
    created_at   timestamptz NOT NULL,
    activated_at timestamptz,
    CONSTRAINT ivr_menu_pkey PRIMARY KEY (tenant_id, version)
);
COMMENT ON TABLE ivr_menu IS 'The menus of a tenant''s telephone system. The choices of a version never change.';
COMMENT ON COLUMN ivr_menu.tenant_id IS 'Whose menu it is.';
COMMENT ON COLUMN ivr_menu.version IS 'In the order of creation, from 1.';
COMMENT ON COLUMN ivr_menu.note IS 'What is new in it, for people.';
COMMENT ON COLUMN ivr_menu.data IS 'Its choices, as ivr_menu::Menu writes them.';
COMMENT ON COLUMN ivr_menu.creator IS 'Subject of who created it.';
COMMENT ON COLUMN ivr_menu.created_at IS 'When it was created.';
COMMENT ON COLUMN ivr_menu.activated_at IS 'When it was last put in force; null if never.';
SELECT tenant_table('ivr_menu');
