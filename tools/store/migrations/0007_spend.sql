CREATE TABLE spend_syncs (
    workspace_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    through TEXT,
    next_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, account_id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
