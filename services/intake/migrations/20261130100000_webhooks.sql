-- Systems that post what they find on a network, what they posted, and what is answered.

CREATE TABLE webhook_source (
    tenant_id           text        NOT NULL,
    source_id           text        NOT NULL,
    channel             smallint    NOT NULL,
    owner               text        NOT NULL,
    language            text        NOT NULL,
    category_hint       text        NOT NULL,
    signature           smallint    NOT NULL,
    secret              text        NOT NULL,
    next_secret         text        NOT NULL,
    silent_after_s      bigint      NOT NULL,
    paused              boolean     NOT NULL,
    max_per_author_hour integer     NOT NULL,
    max_reply_length    integer     NOT NULL,
    version             bigint      NOT NULL,
    updater             text        NOT NULL,
    updated_at          timestamptz NOT NULL,
    active_mapping      bigint      NOT NULL DEFAULT 0,
    last_delivery_at    timestamptz,
    error_reason        text        NOT NULL DEFAULT '',
    error               text        NOT NULL DEFAULT '',
    refused_since       timestamptz,
    refusals            integer     NOT NULL DEFAULT 0,
    CONSTRAINT webhook_source_pkey PRIMARY KEY (tenant_id, source_id),
    CONSTRAINT webhook_source_refused CHECK ((refused_since IS NULL) = (error_reason = ''))
);
COMMENT ON TABLE webhook_source IS 'Systems that post to a webhook of this installation, and how far each is.';
COMMENT ON COLUMN webhook_source.source_id IS 'Its name.';
COMMENT ON COLUMN webhook_source.channel IS 'Number of redress.intake.v1.Channel that it delivers for.';
COMMENT ON COLUMN webhook_source.owner IS 'Who answers for it.';
COMMENT ON COLUMN webhook_source.language IS 'Language of posts that name none.';
COMMENT ON COLUMN webhook_source.category_hint IS 'The category its posts are believed to belong to.';
COMMENT ON COLUMN webhook_source.signature IS 'Number of redress.intake.v1.WebhookSignature.';
COMMENT ON COLUMN webhook_source.secret IS 'What deliveries are signed with.';
COMMENT ON COLUMN webhook_source.next_secret IS 'Another one that is good beside it; empty where there is none.';
COMMENT ON COLUMN webhook_source.silent_after_s IS 'Seconds it may be silent before that is told; 0 for ever.';
COMMENT ON COLUMN webhook_source.paused IS 'Whether it is left alone.';
COMMENT ON COLUMN webhook_source.max_per_author_hour IS 'Posts of one author within an hour that become complaints.';
COMMENT ON COLUMN webhook_source.max_reply_length IS 'Longest public reply; a Chinese character counts two.';
COMMENT ON COLUMN webhook_source.version IS 'Counts the changes, from 1.';
COMMENT ON COLUMN webhook_source.updater IS 'Subject of who changed it last.';
COMMENT ON COLUMN webhook_source.updated_at IS 'When.';
COMMENT ON COLUMN webhook_source.active_mapping IS 'Number of the mapping that posts are read by; 0 where there is none.';
COMMENT ON COLUMN webhook_source.last_delivery_at IS 'When a delivery was last taken in.';
COMMENT ON COLUMN webhook_source.error_reason IS 'Why what came last was refused, as a stable name; empty where it was not.';
COMMENT ON COLUMN webhook_source.error IS 'The same in words.';
COMMENT ON COLUMN webhook_source.refused_since IS 'Since when; null where nothing is refused.';
COMMENT ON COLUMN webhook_source.refusals IS 'How often since then.';
SELECT tenant_table('webhook_source');
SELECT worker_may('webhook_source', 'SELECT');

CREATE TABLE webhook_mapping (
    tenant_id  text        NOT NULL,
    source_id  text        NOT NULL,
    number     bigint      NOT NULL,
    spec       jsonb       NOT NULL,
    creator    text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT webhook_mapping_pkey PRIMARY KEY (tenant_id, source_id, number)
);
COMMENT ON TABLE webhook_mapping IS 'How the posts of a source are read; a version never changes.';
COMMENT ON COLUMN webhook_mapping.source_id IS 'The source.';
COMMENT ON COLUMN webhook_mapping.number IS 'Which version, from 1.';
COMMENT ON COLUMN webhook_mapping.spec IS 'Paths, rules, thresholds and templates (posts::Spec).';
COMMENT ON COLUMN webhook_mapping.creator IS 'Subject of who created it.';
COMMENT ON COLUMN webhook_mapping.created_at IS 'When.';
SELECT tenant_table('webhook_mapping');

CREATE TABLE webhook_delivery (
    tenant_id    text        NOT NULL,
    delivery_id  uuid        NOT NULL,
    source_id    text        NOT NULL,
    message_hash bytea,
    content_hash bytea       NOT NULL,
    body         bytea,
    received_at  timestamptz NOT NULL,
    next_at      timestamptz,
    attempts     integer     NOT NULL DEFAULT 0,
    CONSTRAINT webhook_delivery_pkey PRIMARY KEY (tenant_id, delivery_id),
    CONSTRAINT webhook_delivery_message_key UNIQUE (tenant_id, source_id, message_hash),
    CONSTRAINT webhook_delivery_content_key UNIQUE (tenant_id, source_id, content_hash),
    CONSTRAINT webhook_delivery_waiting CHECK ((next_at IS NULL) = (body IS NULL))
);
COMMENT ON TABLE webhook_delivery IS 'What was posted to webhooks, until it is split into posts; then, that it was.';
COMMENT ON COLUMN webhook_delivery.delivery_id IS 'Identity (UUID version 7: sorts by time of arrival).';
COMMENT ON COLUMN webhook_delivery.source_id IS 'The source.';
COMMENT ON COLUMN webhook_delivery.message_hash IS 'SHA-256 of the id that its sender gave it; null where they gave none.';
COMMENT ON COLUMN webhook_delivery.content_hash IS 'SHA-256 of its body.';
COMMENT ON COLUMN webhook_delivery.body IS 'Its body as it came; null once it is split.';
COMMENT ON COLUMN webhook_delivery.received_at IS 'When it was taken in.';
COMMENT ON COLUMN webhook_delivery.next_at IS 'When it is to be split; null where it was.';
COMMENT ON COLUMN webhook_delivery.attempts IS 'How often it could not be.';
CREATE INDEX webhook_delivery_next ON webhook_delivery (tenant_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_delivery_of_source ON webhook_delivery (tenant_id, source_id) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_delivery_old ON webhook_delivery (received_at) WHERE next_at IS NULL;
SELECT tenant_table('webhook_delivery');
SELECT worker_may('webhook_delivery', 'SELECT, UPDATE, DELETE');

CREATE TABLE webhook_post (
    tenant_id     text        NOT NULL,
    post_id       uuid        NOT NULL,
    source_id     text        NOT NULL,
    mapping       bigint      NOT NULL,
    item          text        NOT NULL,
    content       jsonb       NOT NULL,
    external_id   text        NOT NULL,
    account       text        NOT NULL,
    received_at   timestamptz NOT NULL,
    state         smallint    NOT NULL,
    set_aside     smallint,
    complaint_id  uuid,
    matter_id     uuid,
    rule          text        NOT NULL DEFAULT '',
    remarks       text[]      NOT NULL DEFAULT '{}',
    by_hand       boolean     NOT NULL DEFAULT false,
    registrar     text        NOT NULL DEFAULT '',
    next_at       timestamptz,
    attempts      integer     NOT NULL DEFAULT 0,
    CONSTRAINT webhook_post_pkey PRIMARY KEY (tenant_id, post_id),
    CONSTRAINT webhook_post_waiting CHECK ((state = 1) = (next_at IS NOT NULL)),
    CONSTRAINT webhook_post_set_aside CHECK ((state = 5) = (set_aside IS NOT NULL))
);
COMMENT ON TABLE webhook_post IS 'Posts that were delivered: what became of each.';
COMMENT ON COLUMN webhook_post.post_id IS 'Identity (UUID version 7: sorts by time of arrival).';
COMMENT ON COLUMN webhook_post.source_id IS 'The source.';
COMMENT ON COLUMN webhook_post.mapping IS 'Number of the mapping it was read by; 0 where none could.';
COMMENT ON COLUMN webhook_post.item IS 'The post as it came, as JSON; empty where its body cannot be read.';
COMMENT ON COLUMN webhook_post.content IS 'What is read of it (posts::Content).';
COMMENT ON COLUMN webhook_post.external_id IS 'The network''s number of it; empty where it has none.';
COMMENT ON COLUMN webhook_post.account IS 'The account that posted, in lower case; empty where it is not known.';
COMMENT ON COLUMN webhook_post.received_at IS 'When its delivery was taken in.';
COMMENT ON COLUMN webhook_post.state IS 'Number of redress.intake.v1.PostState.';
COMMENT ON COLUMN webhook_post.set_aside IS 'Why it was set aside: number of redress.intake.v1.PostSetAside.';
COMMENT ON COLUMN webhook_post.complaint_id IS 'The complaint it became or was added to; of one that waits, the one that somebody says it is to be added to.';
COMMENT ON COLUMN webhook_post.matter_id IS 'The matter it tells of; set when it is counted there.';
COMMENT ON COLUMN webhook_post.rule IS 'The rule that took it.';
COMMENT ON COLUMN webhook_post.remarks IS 'What had to be left out, or is wrong with it.';
COMMENT ON COLUMN webhook_post.by_hand IS 'Whether somebody says that it is to be registered, whatever it is.';
COMMENT ON COLUMN webhook_post.registrar IS 'Subject of who did.';
COMMENT ON COLUMN webhook_post.next_at IS 'When it is to be looked at; null where it was.';
COMMENT ON COLUMN webhook_post.attempts IS 'How often it could not be.';
CREATE INDEX webhook_post_next ON webhook_post (tenant_id, next_at) WHERE state = 1;
CREATE INDEX webhook_post_parent ON webhook_post (tenant_id, source_id, external_id) WHERE state = 1;
CREATE INDEX webhook_post_account ON webhook_post (tenant_id, source_id, account, received_at);
CREATE INDEX webhook_post_of_source ON webhook_post (tenant_id, source_id, post_id);
CREATE INDEX webhook_post_complaint ON webhook_post (tenant_id, complaint_id, post_id) WHERE complaint_id IS NOT NULL;
CREATE INDEX webhook_post_matter ON webhook_post (tenant_id, matter_id, post_id) WHERE matter_id IS NOT NULL;
CREATE INDEX webhook_post_old ON webhook_post (received_at) WHERE state IN (3, 5);
SELECT tenant_table('webhook_post');
SELECT worker_may('webhook_post', 'SELECT, UPDATE, DELETE');

CREATE TABLE webhook_matter (
    tenant_id      text        NOT NULL,
    matter_id      uuid        NOT NULL,
    head_post_id   uuid        NOT NULL,
    account        text        NOT NULL,
    complaint_id   uuid,
    abandoned      boolean     NOT NULL DEFAULT false,
    mentions       bigint      NOT NULL,
    accounts       bigint      NOT NULL,
    reports        bigint      NOT NULL,
    max_reach      bigint      NOT NULL,
    total_reach    bigint      NOT NULL,
    first_at       timestamptz NOT NULL,
    last_at        timestamptz NOT NULL,
    told_mentions  bigint      NOT NULL DEFAULT 0,
    told_reach     bigint      NOT NULL DEFAULT 0,
    sketch         bytea,
    bands          bigint[],
    CONSTRAINT webhook_matter_pkey PRIMARY KEY (tenant_id, matter_id),
    CONSTRAINT webhook_matter_sketch CHECK ((sketch IS NULL) = (bands IS NULL))
);
COMMENT ON TABLE webhook_matter IS 'What posts tell of: one post by many accounts is one matter, and one complaint.';
COMMENT ON COLUMN webhook_matter.matter_id IS 'Identity: the id of the post that first told of it.';
COMMENT ON COLUMN webhook_matter.head_post_id IS 'The post that becomes the complaint: the first, unless that was refused.';
COMMENT ON COLUMN webhook_matter.account IS 'The account of that post, in lower case.';
COMMENT ON COLUMN webhook_matter.complaint_id IS 'The complaint; null while there is none yet.';
COMMENT ON COLUMN webhook_matter.abandoned IS 'Whether its post was refused as a complaint: the next one becomes it.';
COMMENT ON COLUMN webhook_matter.mentions IS 'Posts that tell of it.';
COMMENT ON COLUMN webhook_matter.accounts IS 'Accounts that posted them.';
COMMENT ON COLUMN webhook_matter.reports IS 'How often one of them was delivered.';
COMMENT ON COLUMN webhook_matter.max_reach IS 'Most that one post may have been seen by.';
COMMENT ON COLUMN webhook_matter.total_reach IS 'The most of each account, together.';
COMMENT ON COLUMN webhook_matter.first_at IS 'When the first of them came.';
COMMENT ON COLUMN webhook_matter.last_at IS 'When the last of them came.';
COMMENT ON COLUMN webhook_matter.told_mentions IS 'The greatest threshold of mentions that the case was told of.';
COMMENT ON COLUMN webhook_matter.told_reach IS 'The greatest threshold of reach that it was.';
COMMENT ON COLUMN webhook_matter.sketch IS 'The text of its first post made small (sameness::Sketch); null where it says too little, or is too old to be compared.';
COMMENT ON COLUMN webhook_matter.bands IS 'What like texts are likely to share one of.';
CREATE INDEX webhook_matter_bands ON webhook_matter USING gin (bands) WHERE bands IS NOT NULL;
CREATE INDEX webhook_matter_complaint ON webhook_matter (tenant_id, complaint_id) WHERE complaint_id IS NOT NULL;
CREATE INDEX webhook_matter_sketched ON webhook_matter (first_at) WHERE bands IS NOT NULL;
SELECT tenant_table('webhook_matter');
SELECT worker_may('webhook_matter', 'SELECT, UPDATE');

CREATE TABLE webhook_key (
    tenant_id text     NOT NULL,
    kind      smallint NOT NULL,
    key       bytea    NOT NULL,
    matter_id uuid     NOT NULL,
    is_own    boolean  NOT NULL,
    CONSTRAINT webhook_key_pkey PRIMARY KEY (tenant_id, kind, key)
);
COMMENT ON TABLE webhook_key IS 'By what the posts of a matter are known.';
COMMENT ON COLUMN webhook_key.kind IS 'What it is: 1 the network''s number of a post, 2 its address.';
COMMENT ON COLUMN webhook_key.key IS 'SHA-256 of it.';
COMMENT ON COLUMN webhook_key.matter_id IS 'The matter.';
COMMENT ON COLUMN webhook_key.is_own IS 'Whether the post itself has come, and not only one that repeats it.';
SELECT tenant_table('webhook_key');

CREATE TABLE webhook_account (
    tenant_id text   NOT NULL,
    matter_id uuid   NOT NULL,
    account   bytea  NOT NULL,
    reach     bigint NOT NULL,
    CONSTRAINT webhook_account_pkey PRIMARY KEY (tenant_id, matter_id, account)
);
COMMENT ON TABLE webhook_account IS 'The accounts that told of a matter.';
COMMENT ON COLUMN webhook_account.matter_id IS 'The matter.';
COMMENT ON COLUMN webhook_account.account IS 'SHA-256 of the account.';
COMMENT ON COLUMN webhook_account.reach IS 'Most that one of its posts may have been seen by.';
SELECT tenant_table('webhook_account');

CREATE TABLE reply_draft (
    tenant_id    text        NOT NULL,
    post_id      uuid        NOT NULL,
    source_id    text        NOT NULL,
    language     text        NOT NULL,
    text         text        NOT NULL,
    state        smallint    NOT NULL,
    drafter      text        NOT NULL,
    approver     text        NOT NULL,
    approved_at  timestamptz,
    reply_uri    text        NOT NULL,
    sender       text        NOT NULL,
    sent_at      timestamptz,
    version      bigint      NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT reply_draft_pkey PRIMARY KEY (tenant_id, post_id)
);
COMMENT ON TABLE reply_draft IS 'Public replies to posts: written here, posted by the organisation''s own tool.';
COMMENT ON COLUMN reply_draft.post_id IS 'The post that it answers.';
COMMENT ON COLUMN reply_draft.source_id IS 'The source of the post.';
COMMENT ON COLUMN reply_draft.language IS 'The language that it is to be in.';
COMMENT ON COLUMN reply_draft.text IS 'What it says.';
COMMENT ON COLUMN reply_draft.state IS 'Number of redress.intake.v1.ReplyDraftState.';
COMMENT ON COLUMN reply_draft.drafter IS 'Subject of who wrote it last.';
COMMENT ON COLUMN reply_draft.approver IS 'Subject of who approved it; empty where nobody has.';
COMMENT ON COLUMN reply_draft.approved_at IS 'When.';
COMMENT ON COLUMN reply_draft.reply_uri IS 'Where it can be read; empty before it is sent.';
COMMENT ON COLUMN reply_draft.sender IS 'Subject of who said that it was sent.';
COMMENT ON COLUMN reply_draft.sent_at IS 'When.';
COMMENT ON COLUMN reply_draft.version IS 'Counts the changes, from 1.';
COMMENT ON COLUMN reply_draft.updated_at IS 'When it was last changed.';
CREATE INDEX reply_draft_state ON reply_draft (tenant_id, state, post_id);
SELECT tenant_table('reply_draft');
