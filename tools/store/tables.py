"""The schema, once for both databases: ids are text, times UTC milliseconds, documents JSON text."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, MetaData, Table, Text, text

from tools.store.statements import Json

metadata = MetaData()


def _text(name: str, *, key: bool = False, default: str | None = None) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False, server_default=default)


def _note(name: str) -> Column[str]:
    return Column(name, Text)


def _time(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _moment(name: str) -> Column[int]:
    return Column(name, BigInteger)


def _count(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=False)


def _counted(name: str) -> Column[int]:
    return Column(name, BigInteger)


def _json(name: str, *, required: bool = True) -> Column[object]:
    return Column(name, Json, nullable=not required)


def _workspace(*, key: bool = False) -> Column[str]:
    return Column("workspace_id", Text, ForeignKey("workspaces.id"), primary_key=key, nullable=False)


workspaces = Table(
    "workspaces", metadata,
    _text("id", key=True), _text("name"), _text("plan", default="free"),
    Column("settings", Json, nullable=False, server_default="{}"), _time("created_at"),
)  # fmt: skip

users = Table(
    "users", metadata,
    _text("id", key=True), Column("email", Text, nullable=False, unique=True), _text("name"), _time("created_at"),
)  # fmt: skip

memberships = Table(
    "memberships", metadata,
    _workspace(key=True), Column("user_id", Text, ForeignKey("users.id"), primary_key=True), _text("role"),
    _time("created_at"),
    Index("memberships_by_user", "user_id"),
)  # fmt: skip

sessions = Table(
    "sessions", metadata,
    _text("id_hash", key=True), Column("user_id", Text, ForeignKey("users.id"), nullable=False), _workspace(),
    _time("created_at"), _time("expires_at"), _time("last_seen_at"), _moment("revoked_at"),
    Index("sessions_by_user", "user_id"),
)  # fmt: skip

login_links = Table(
    "login_links", metadata,
    _text("token_hash", key=True), Column("user_id", Text, ForeignKey("users.id"), nullable=False), _workspace(),
    _time("created_at"), _time("expires_at"), _moment("used_at"), _note("next_path"),
)  # fmt: skip

api_keys = Table(
    "api_keys", metadata,
    _text("id", key=True), _workspace(), Column("lookup", Text, nullable=False, unique=True), _text("key_hash"),
    _text("prefix"), _text("name"), _json("scopes"), _text("policy", default="gated"), Column("rate", BigInteger),
    _text("created_by"), _time("created_at"), _moment("expires_at"), _moment("last_used_at"), _moment("revoked_at"),
    Index("api_keys_by_workspace", "workspace_id", "created_at"),
)  # fmt: skip

connections = Table(
    "connections", metadata,
    _workspace(key=True), Column("id", Text, primary_key=True, nullable=False, unique=True), _text("platform"),
    _text("name"), _text("status"), _text("sealed"), _text("key_id"), _moment("expires_at"), _moment("last_sync_at"),
    _json("accounts"), _text("created_by"), _time("created_at"), _moment("deleted_at"),
    Index("connections_by_key", "key_id"),
)  # fmt: skip

campaign_index = Table(
    "campaign_index", metadata,
    _workspace(key=True), _text("connection_id", key=True), _text("account_id", key=True),
    _text("campaign_id", key=True), _text("platform"), _text("name"), _time("seen_at"),
    Index("campaign_index_by_campaign", "workspace_id", "campaign_id"),
)  # fmt: skip

approvals = Table(
    "approvals", metadata,
    _text("id", key=True), _workspace(), _text("capability"), _json("arguments"), _text("arguments_digest"),
    _json("plan"), _text("digest"), _text("status"), _text("requested_by"), _note("requested_by_name"), _text("via"),
    _time("created_at"), _time("expires_at"), _note("decided_by"), _moment("decided_at"), _note("superseded_by"),
    _json("result", required=False), _json("error", required=False), _note("conversation_id"), _note("tool_use_id"),
    _time("updated_at"), _note("lease_holder"), _moment("lease_until"),
    Index("approvals_by_status", "workspace_id", "status", "created_at"),
)  # fmt: skip

# A retry never proposes twice: the database holds it, not the code that asks first.
Index(
    "approvals_one_pending", approvals.c.workspace_id, approvals.c.requested_by, approvals.c.capability,
    approvals.c.arguments_digest, unique=True,
    sqlite_where=text("status = 'pending'"), postgresql_where=text("status = 'pending'"),
)  # fmt: skip

ad_sync_logs = Table(
    "ad_sync_logs", metadata,
    # No foreign key: the log outlives what it speaks of, and operators act outside any workspace.
    _text("workspace_id", key=True), Column("seq", BigInteger, primary_key=True, nullable=False), _time("at"),
    _text("request_id"), _text("action"), _text("status"), _note("error_message"), _text("principal_id"), _text("via"),
    _note("approval_id"), _note("cache_key"), _note("payload_digest"),
    # Kept as the text that was digested, not as a document: another spelling of it would not verify.
    _note("payload"),
    _text("id"), _text("previous_hash"), _text("hash"),
)  # fmt: skip

audit_heads = Table(
    "audit_heads", metadata,
    _text("workspace_id", key=True), Column("seq", BigInteger, nullable=False), _text("hash"),
)  # fmt: skip

platform_writes = Table(
    "platform_writes", metadata,
    _text("id", key=True), _workspace(), _note("approval_id"), _text("request_id"), _text("principal_id"),
    _text("via"), _text("connection_id"), _text("platform"), _text("account_id"), _note("campaign_id"), _text("kind"),
    _json("fields"), _json("before", required=False), _json("inverse", required=False), _text("status"),
    _json("outcome", required=False), _time("created_at"), _moment("finished_at"), _note("undoes"),
    _note("undone_by"), _note("lease_holder"), _moment("lease_until"),
    Index("platform_writes_by_time", "workspace_id", "created_at"),
    Index("platform_writes_by_status", "status"),
    Index("platform_writes_by_campaign", "workspace_id", "campaign_id", "created_at"),
    Index("platform_writes_by_request", "workspace_id", "request_id"),
)  # fmt: skip

insights_cache = Table(
    "insights_cache", metadata,
    _workspace(key=True), _text("cache_key", key=True), _text("platform"), _text("connection_id"),
    _text("account_id"),
    Column("value", LargeBinary, nullable=False),  # JSON, most of it sent on as it lies there
    _time("created_at"), _time("expires_at"),
    Index("insights_cache_by_account", "workspace_id", "connection_id", "account_id"),
    Index("insights_cache_by_expiry", "expires_at"),
)  # fmt: skip

budget_baselines = Table(
    "budget_baselines", metadata,
    _workspace(key=True), _text("connection_id", key=True), _text("account_id", key=True),
    # The empty campaign is the account itself: a key column cannot be null.
    Column("campaign_id", Text, primary_key=True, nullable=False, server_default=""),
    _text("daily_budget"), _text("currency"), _time("set_at"),
)  # fmt: skip

usage_counters = Table(
    "usage_counters", metadata,
    _workspace(key=True), _text("meter", key=True), _text("period", key=True),
    Column("used", BigInteger, nullable=False),
)  # fmt: skip

# The bytes of system and tools that a conversation began with. Thinking is bound to them: they never change under it.
chat_snapshots = Table(
    "chat_snapshots", metadata,
    _workspace(key=True), _text("sha", key=True), _text("system"), _text("tools"), _time("created_at"),
)  # fmt: skip

chat_sessions = Table(
    "chat_sessions", metadata,
    _text("id", key=True), _workspace(), _text("user_id"), _text("surface"), _text("title"), _text("model"),
    _note("effort"), _text("snapshot"), _text("status"), _json("acting"), _count("turn"), _count("spent_ms"),
    # The run that may write here, and until when: whoever takes over an expired lease writes another run's id.
    _note("run_id"), _moment("lease_until"), _moment("stop_asked_at"), _count("last_message"), _count("last_event"),
    _time("created_at"), _time("updated_at"),
    _moment("deleted_at"),  # what was said is gone by then; what it cost is kept
    _text("titled_by", default="message"),  # message: its first words; model; person, over whom nobody writes
    _note("branched_from"), _counted("branched_turn"),
    Index("chat_sessions_by_user", "workspace_id", "user_id", "updated_at"),
    Index("chat_sessions_by_status", "status", "lease_until"),
)  # fmt: skip

chat_messages = Table(
    "chat_messages", metadata,
    _workspace(key=True), _text("conversation_id", key=True), _count("seq", key=True),
    _count("turn"), _text("run_id"), _text("role"),
    # sent: part of every further request; shown: what was said before it broke off, never sent again; aside: what it
    # cost to speak of the conversation, as its title does; held: what a call can cost whose answer is not there (yet)
    _text("kind"),
    _text("content"),  # the text as received, not a document: it is sent again byte for byte
    _json("tool_calls"), _note("model"), _note("stop_reason"), _note("model_request_id"), _counted("input_tokens"),
    _counted("output_tokens"), _counted("cache_read_tokens"), _counted("cache_write_tokens"), _note("cost"),
    _counted("estimated"), _time("created_at"),
    _note("said"),  # by the person who began the turn, as they are shown and searched for
)  # fmt: skip

# Holds all that the sum of a month needs, so that none of the long rows is read for it.
Index(
    "chat_messages_by_month", chat_messages.c.workspace_id, chat_messages.c.created_at, chat_messages.c.input_tokens,
    chat_messages.c.output_tokens, chat_messages.c.cache_read_tokens, chat_messages.c.cache_write_tokens,
    chat_messages.c.cost,
    sqlite_where=text("input_tokens IS NOT NULL"), postgresql_where=text("input_tokens IS NOT NULL"),
)  # fmt: skip
Index(
    "chat_messages_said", chat_messages.c.workspace_id, chat_messages.c.conversation_id,
    sqlite_where=text("said IS NOT NULL"), postgresql_where=text("said IS NOT NULL"),
)  # fmt: skip

chat_results = Table(
    "chat_results", metadata,
    _workspace(key=True), _text("conversation_id", key=True), _text("tool_use_id", key=True), _count("turn"),
    _text("state"), _note("approval_id"), _note("content"), _time("created_at"), _time("updated_at"),
    Index("chat_results_by_state", "state"),
)  # fmt: skip

chat_events = Table(
    "chat_events", metadata,
    _workspace(key=True), _text("conversation_id", key=True), _count("seq", key=True),
    _text("run_id"), _text("name"), _text("data"), _time("at"),
)  # fmt: skip

idempotency_keys = Table(
    "idempotency_keys", metadata,
    _workspace(key=True), _text("principal_id", key=True),
    # Keys and secret arguments only as digests: what a caller puts into them is not ours to keep.
    _text("key_digest", key=True), _text("capability"), _text("fingerprint"), _text("request_id"), _text("status"),
    _json("answer", required=False), _time("created_at"), _time("lease_until"), _time("expires_at"),
    Index("idempotency_keys_by_expiry", "expires_at"),
)  # fmt: skip

schema_migrations = Table(
    "schema_migrations", metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False), _text("name"), _text("checksum"),
    _time("applied_at"),
)  # fmt: skip

websites = Table(
    "websites", metadata,
    _text("id", key=True), _workspace(), _text("domain"), _text("name"), _text("time_zone"), _text("currency"),
    _json("settings"), _time("created_at"), _moment("deleted_at"),
    Index("websites_by_workspace", "workspace_id", "created_at"),
)  # fmt: skip

goals = Table(
    "goals", metadata,
    _text("id", key=True), _workspace(), _text("website_id"), _text("name"), _text("selector"), _time("created_at"),
    _moment("deleted_at"),
    Index("goals_by_workspace", "workspace_id", "created_at"),
)  # fmt: skip

funnels = Table(
    "funnels", metadata,
    _text("id", key=True), _workspace(), _text("website_id"), _text("name"), _json("steps"), _count("window_seconds"),
    _time("created_at"), _moment("deleted_at"),
    Index("funnels_by_workspace", "workspace_id", "created_at"),
)  # fmt: skip

share_links = Table(
    "share_links", metadata,
    _text("id", key=True), _workspace(), _text("website_id"), _text("name"), _text("token_prefix"),
    Column("token_hash", Text, nullable=False, unique=True), _note("password_hash"), _moment("expires_at"),
    _text("created_by"), _time("created_at"), _moment("deleted_at"),
    Index("share_links_by_workspace", "workspace_id", "created_at"),
)  # fmt: skip

alerts = Table(
    "alerts", metadata,
    _text("id", key=True), _workspace(), _text("website_id"), _text("metric"), _text("threshold"), _text("channel"),
    _time("created_at"), _moment("deleted_at"),
    Index("alerts_by_workspace", "workspace_id", "created_at"),
)  # fmt: skip

reports = Table(
    "reports", metadata,
    _text("id", key=True), _workspace(), _text("website_id"), _text("cadence"), _json("recipients"),
    _moment("last_sent_at"), _time("created_at"), _moment("deleted_at"),
    Index("reports_by_workspace", "workspace_id", "created_at"),
)  # fmt: skip

visitor_traits = Table(
    "visitor_traits", metadata,
    _workspace(key=True), _text("website_id", key=True), _text("visitor_id", key=True), _text("external_id_sha256"),
    _text("sealed_traits"), _time("updated_at"),
)  # fmt: skip

spend_syncs = Table(
    "spend_syncs", metadata,
    _workspace(key=True), _text("connection_id", key=True), _text("account_id", key=True),
    _note("through"),  # the last day that was brought over, YYYY-MM-DD; none before the first time
    _time("next_at"),
)  # fmt: skip
