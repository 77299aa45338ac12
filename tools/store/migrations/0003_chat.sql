CREATE TABLE chat_events (
    workspace_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    run_id TEXT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, conversation_id, seq),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE TABLE chat_messages (
    workspace_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    turn BIGINT NOT NULL,
    run_id TEXT NOT NULL,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    tool_calls TEXT NOT NULL,
    model TEXT,
    stop_reason TEXT,
    model_request_id TEXT,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_tokens BIGINT,
    cost TEXT,
    estimated BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, conversation_id, seq),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE TABLE chat_results (
    workspace_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    tool_use_id TEXT NOT NULL,
    turn BIGINT NOT NULL,
    state TEXT NOT NULL,
    approval_id TEXT,
    content TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, conversation_id, tool_use_id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX chat_results_by_state ON chat_results (state);

CREATE TABLE chat_sessions (
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    surface TEXT NOT NULL,
    title TEXT NOT NULL,
    model TEXT NOT NULL,
    effort TEXT,
    snapshot TEXT NOT NULL,
    status TEXT NOT NULL,
    acting TEXT NOT NULL,
    turn BIGINT NOT NULL,
    spent_ms BIGINT NOT NULL,
    run_id TEXT,
    lease_until BIGINT,
    stop_asked_at BIGINT,
    last_message BIGINT NOT NULL,
    last_event BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX chat_sessions_by_status ON chat_sessions (status, lease_until);

CREATE INDEX chat_sessions_by_user ON chat_sessions (workspace_id, user_id, updated_at);

CREATE TABLE chat_snapshots (
    workspace_id TEXT NOT NULL,
    sha TEXT NOT NULL,
    system TEXT NOT NULL,
    tools TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, sha),
    FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
