CREATE TABLE alerts (
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    website_id TEXT NOT NULL,
    metric TEXT NOT NULL,
    threshold TEXT NOT NULL,
    channel TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX alerts_by_workspace ON alerts (workspace_id, created_at);

CREATE TABLE funnels (
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    website_id TEXT NOT NULL,
    name TEXT NOT NULL,
    steps TEXT NOT NULL,
    window_seconds BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX funnels_by_workspace ON funnels (workspace_id, created_at);

CREATE TABLE goals (
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    website_id TEXT NOT NULL,
    name TEXT NOT NULL,
    selector TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX goals_by_workspace ON goals (workspace_id, created_at);

CREATE TABLE reports (
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    website_id TEXT NOT NULL,
    cadence TEXT NOT NULL,
    recipients TEXT NOT NULL,
    last_sent_at BIGINT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX reports_by_workspace ON reports (workspace_id, created_at);

CREATE TABLE share_links (
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    website_id TEXT NOT NULL,
    name TEXT NOT NULL,
    token_prefix TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    password_hash TEXT,
    expires_at BIGINT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    UNIQUE (token_hash)
);

CREATE INDEX share_links_by_workspace ON share_links (workspace_id, created_at);

CREATE TABLE visitor_traits (
    workspace_id TEXT NOT NULL,
    website_id TEXT NOT NULL,
    visitor_id TEXT NOT NULL,
    external_id_sha256 TEXT NOT NULL,
    sealed_traits TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, website_id, visitor_id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE TABLE websites (
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    domain TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    currency TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX websites_by_workspace ON websites (workspace_id, created_at);
