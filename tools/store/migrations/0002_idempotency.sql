CREATE TABLE idempotency_keys (
    workspace_id TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    key_digest TEXT NOT NULL,
    capability TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    request_id TEXT NOT NULL,
    status TEXT NOT NULL,
    answer TEXT,
    created_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, principal_id, key_digest),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

CREATE INDEX platform_writes_by_request ON platform_writes (workspace_id, request_id);
