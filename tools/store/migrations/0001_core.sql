CREATE TABLE ad_sync_logs (
    workspace_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT NOT NULL,
    status TEXT NOT NULL,
    error_message TEXT,
    principal_id TEXT NOT NULL,
    via TEXT NOT NULL,
    approval_id TEXT,
    cache_key TEXT,
    payload_digest TEXT,
    payload TEXT,
    id TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);

CREATE TABLE audit_heads (
    workspace_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (workspace_id)
);

CREATE TABLE users (
    id TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (email)
);

CREATE TABLE workspaces (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    "plan" TEXT DEFAULT 'free' NOT NULL,
    settings TEXT DEFAULT '{}' NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE api_keys (
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    lookup TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    policy TEXT DEFAULT 'gated' NOT NULL,
    rate BIGINT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    UNIQUE (lookup)
);

CREATE INDEX api_keys_by_workspace ON api_keys (workspace_id, created_at);

CREATE TABLE approvals (
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    capability TEXT NOT NULL,
    arguments TEXT NOT NULL,
    arguments_digest TEXT NOT NULL,
    "plan" TEXT NOT NULL,
    digest TEXT NOT NULL,
    status TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_by_name TEXT,
    via TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    superseded_by TEXT,
    result TEXT,
    error TEXT,
    conversation_id TEXT,
    tool_use_id TEXT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX approvals_by_status ON approvals (workspace_id, status, created_at);

CREATE UNIQUE INDEX approvals_one_pending ON approvals (workspace_id, requested_by, capability, arguments_digest) WHERE status = 'pending';

CREATE TABLE budget_baselines (
    workspace_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    campaign_id TEXT DEFAULT '' NOT NULL,
    daily_budget TEXT NOT NULL,
    currency TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, account_id, campaign_id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE TABLE campaign_index (
    workspace_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    platform TEXT NOT NULL,
    name TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, account_id, campaign_id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX campaign_index_by_campaign ON campaign_index (workspace_id, campaign_id);

CREATE TABLE connections (
    workspace_id TEXT NOT NULL,
    id TEXT NOT NULL,
    platform TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    sealed TEXT NOT NULL,
    key_id TEXT NOT NULL,
    expires_at BIGINT,
    last_sync_at BIGINT,
    accounts TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    UNIQUE (id)
);

CREATE INDEX connections_by_key ON connections (key_id);

CREATE TABLE insights_cache (
    workspace_id TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, cache_key),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX insights_cache_by_account ON insights_cache (workspace_id, connection_id, account_id);

CREATE INDEX insights_cache_by_expiry ON insights_cache (expires_at);

CREATE TABLE login_links (
    token_hash TEXT NOT NULL,
    user_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    next_path TEXT,
    PRIMARY KEY (token_hash),
    FOREIGN KEY(user_id) REFERENCES users (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE TABLE memberships (
    workspace_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, user_id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE platform_writes (
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    approval_id TEXT,
    request_id TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    via TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    platform TEXT NOT NULL,
    account_id TEXT NOT NULL,
    campaign_id TEXT,
    kind TEXT NOT NULL,
    fields TEXT NOT NULL,
    "before" TEXT,
    inverse TEXT,
    status TEXT NOT NULL,
    outcome TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    undoes TEXT,
    undone_by TEXT,
    PRIMARY KEY (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX platform_writes_by_campaign ON platform_writes (workspace_id, campaign_id, created_at);

CREATE INDEX platform_writes_by_status ON platform_writes (status);

CREATE INDEX platform_writes_by_time ON platform_writes (workspace_id, created_at);

CREATE TABLE sessions (
    id_hash TEXT NOT NULL,
    user_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (id_hash),
    FOREIGN KEY(user_id) REFERENCES users (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE usage_counters (
    workspace_id TEXT NOT NULL,
    meter TEXT NOT NULL,
    period TEXT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, meter, period),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE TRIGGER ad_sync_logs_keeps_rows BEFORE DELETE ON ad_sync_logs
BEGIN
    SELECT RAISE(ABORT, 'ad_sync_logs is append-only');
END;

CREATE TRIGGER ad_sync_logs_only_purges BEFORE UPDATE ON ad_sync_logs
WHEN NEW.payload IS NOT NULL
    OR NEW.workspace_id IS NOT OLD.workspace_id OR NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id
    OR NEW.at IS NOT OLD.at OR NEW.request_id IS NOT OLD.request_id OR NEW.action IS NOT OLD.action
    OR NEW.status IS NOT OLD.status OR NEW.error_message IS NOT OLD.error_message
    OR NEW.principal_id IS NOT OLD.principal_id OR NEW.via IS NOT OLD.via
    OR NEW.approval_id IS NOT OLD.approval_id OR NEW.cache_key IS NOT OLD.cache_key
    OR NEW.payload_digest IS NOT OLD.payload_digest OR NEW.previous_hash IS NOT OLD.previous_hash
    OR NEW.hash IS NOT OLD.hash
BEGIN
    SELECT RAISE(ABORT, 'ad_sync_logs is append-only: only a payload may be purged');
END;
