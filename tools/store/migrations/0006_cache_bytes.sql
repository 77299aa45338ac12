DROP TABLE insights_cache;

-- only sqlite
CREATE TABLE insights_cache (
    workspace_id TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    value BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, cache_key),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

-- only postgresql
CREATE TABLE insights_cache (
    workspace_id TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    platform TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    value BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, cache_key),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX insights_cache_by_account ON insights_cache (workspace_id, connection_id, account_id);

CREATE INDEX insights_cache_by_expiry ON insights_cache (expires_at);
