"""Everything that can be set, read once into one frozen object."""

import ipaddress
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from server.process.environment import remember, variables
from server.process.files import make_directory
from tools.errors import InvalidRequest
from tools.secret import Secret
from tools.store.opening import Database
from tools.store.sealing import KeyRing, generate_key


def _origin(value: str) -> str:
    scheme, separator, host = value.rstrip("/").partition("://")
    if scheme not in ("http", "https") or not separator or not host or set(host) & set("/?#@ "):
        raise ValueError("must look like https://ads.example.com, without a path")
    return f"{scheme}://{host}"


def _base_url(value: str) -> str:
    scheme, _, host = value.partition("://")
    if scheme not in ("http", "https") or not host:
        raise ValueError("must be a web address")
    return value.rstrip("/")


def _postgresql(value: Secret) -> Secret:
    scheme, separator, rest = value.reveal().partition("://")
    if scheme.partition("+")[0] not in ("postgresql", "postgres") or not separator or not rest:
        raise ValueError("must look like postgresql://user:password@host/database")
    return Secret(f"postgresql://{rest}")


def _networks(value: str) -> str:
    try:
        return ",".join(
            str(ipaddress.ip_network(each.strip(), strict=False)) for each in value.split(",") if each.strip()
        )
    except ValueError:
        raise ValueError("must be addresses or networks, such as 10.0.0.0/8,fd00::/8") from None


def _ring(value: Secret) -> Secret:
    KeyRing.parse(value.reveal())
    return value


Url = Annotated[str, AfterValidator(_base_url)]


class Settings(BaseModel):
    """Each field but data_dir is a variable of the same name in upper case; its description is its documentation."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)

    data_dir: Path = Field(description="Where the database, the keys and the logs are. ADWRIGHT_DATA, or --data.")
    adwright_host: str = Field("127.0.0.1", description="The address to listen on.")
    adwright_port: int = Field(
        0, ge=0, le=65535, description="The port to listen on; 0 keeps the one the directory had, or takes a free one."
    )
    adwright_workers: int = Field(
        1, ge=1, le=64, description="Processes that serve; more than one need DATABASE_URL. Or --workers."
    )
    adwright_lease_seconds: float = Field(
        20,
        ge=1,
        le=600,
        description="How long a process may be silent until another settles what it began (PostgreSQL).",
    )
    adwright_idle_seconds: float = Field(
        60, gt=0, description="How long an owner that a command started in the background stays once nobody uses it."
    )
    adwright_sandbox: str | None = Field(
        None,
        description="`on`, or where they answer: whoever owns the directory also runs the simulated ad platforms. "
        "The demo sets it.",
    )
    public_url: Annotated[str, AfterValidator(_origin)] = Field(
        "http://127.0.0.1",
        description="Where people reach this server; https turns on secure cookies. Left out, it is where we listen.",
    )
    database_url: Annotated[Secret, AfterValidator(_postgresql)] | None = Field(
        None,
        description="Where PostgreSQL is: postgresql://user:password@host/database, with sslmode and the like after a "
        "`?`. Left out, the data is in SQLite, in the data directory. The keys are there either way.",
    )
    database_pool: int = Field(10, ge=2, le=500, description="PostgreSQL connections a process, at most.")
    database_statement_cache: int = Field(
        500, ge=0, description="Prepared statements a connection keeps; 0 behind a pooler that shares connections."
    )
    encryption_keys: Annotated[Secret, AfterValidator(_ring)] = Field(
        description="Keys that seal credentials, `k2:<base64 of 32 bytes>,k1:…`; the first seals, all unseal. "
        "The first start writes one to settings.env. ENCRYPTION_KEY, a single key, is accepted too."
    )
    session_max_age_days: int = Field(30, ge=1, le=400, description="How long a sign-in lasts, in days.")
    meta_graph_url: Url = Field("https://graph.facebook.com", description="Meta's Graph API, or a stand-in for it.")
    meta_api_version: str = Field("v26.0", pattern=r"^v\d+\.\d+$", description="The Graph API version to speak.")
    meta_app_id: str | None = Field(None, description="The Meta app that access tokens belong to.")
    meta_app_secret: Secret | None = Field(None, description="Its secret; with it every call carries a proof.")
    google_ads_url: Url = Field("https://googleads.googleapis.com", description="The Google Ads API, or a stand-in.")
    google_ads_api_version: str = Field("v26", pattern=r"^v\d+$", description="The Google Ads API version to speak.")
    google_token_url: Url = Field("https://oauth2.googleapis.com/token", description="Where access tokens come from.")
    google_client_id: str | None = Field(
        None, description="The OAuth client that refresh tokens were made with, unless a connection brings its own."
    )
    google_client_secret: Secret | None = Field(None, description="Its secret.")
    google_developer_token: Secret | None = Field(
        None, description="Sent where it is set. Google does not ask for one any more (since September 2026)."
    )
    anthropic_api_key: Secret | None = Field(
        None, description="Opens the Messages API for the in-app agent. Without it the chat says that it has no model."
    )
    anthropic_base_url: Url = Field("https://api.anthropic.com", description="The Messages API, or a stand-in for it.")
    anthropic_model: str = Field(
        "claude-sonnet-5-5", pattern=r"^[\w.:-]+$", description="The model of new conversations; each keeps its own."
    )
    anthropic_effort: Literal["low", "medium", "high", "max"] = Field(
        "medium", description="How much the model thinks: low, medium, high or max."
    )
    anthropic_title_model: str = Field(
        "claude-haiku-5-5",
        pattern=r"^[\w.:-]+$",
        description="The small model that gives conversations their titles; `off`: they keep their first words.",
    )
    anthropic_prices: Path | None = Field(
        None, description="A price table (TOML) in place of agent/prices.toml: USD per million tokens, by model."
    )
    chat_turn_usd: Decimal = Field(
        Decimal("1.00"), gt=0, le=10_000, description="What one turn of the chat may cost, in USD; then it sums up."
    )
    chat_month_usd: Decimal = Field(
        Decimal("100.00"),
        gt=0,
        le=1_000_000,
        description="What the chat may cost a workspace in a calendar month (UTC), in USD, if its admin set no other. A"
        " call is made only where the most that it can cost still fits: for a new conversation about 0.25.",
    )
    adwright_analytics: Literal["on", "off"] | None = Field(
        None,
        description="`off`: no embedded analytics store; `on`: one in any case. Left out, whoever owns the directory "
        "runs one where adwright[analytics] is installed and TINYBIRD_HOST is not set.",
    )
    tinybird_host: Url | None = Field(
        None, description="Analytics live in this Tinybird region, or where another `adwright analytics` answers."
    )
    tinybird_admin_token: Secret | None = Field(
        None, description="The workspace's admin token there: it queries, appends, and signs the tokens that pages get."
    )
    tinybird_workspace_id: str | None = Field(None, description="The workspace's id there (a UUID); tokens name it.")
    clickhouse_url: Secret | None = Field(
        None,
        description="The embedded store keeps its data in this ClickHouse, http://user:password@host:8123/database, "
        "rather than in the data directory.",
    )
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        description="Addresses or networks of the reverse proxies in front, separated by commas: their X-Forwarded-For "
        "tells where a visitor is. From anybody else it is ignored.",
    )
    ingest_per_address: int = Field(
        1200,
        ge=1,
        le=10_000_000,
        description="Requests a minute from one address to POST /e; beyond, they are dropped.",
    )
    ingest_per_website: int = Field(
        60_000,
        ge=1,
        le=10_000_000,
        description="Requests a minute for one website to POST /e; beyond, they are dropped.",
    )
    country_database: Path | None = Field(
        None, description="A country database in MaxMind's format (.mmdb) in place of the one that comes along."
    )
    sentry_dsn: Url | None = Field(None, description="Where errors are reported; nowhere when left out.")

    def with_workers(self, workers: int) -> Self:
        return self.model_copy(update={"adwright_workers": workers})

    @property
    def trusted_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        return tuple(ipaddress.ip_network(each) for each in self.trusted_proxies.split(",") if each)

    @property
    def title_model(self) -> str:
        """Empty: none."""
        return "" if self.anthropic_title_model == "off" else self.anthropic_title_model

    @property
    def database(self) -> Database:
        return self.database_url or self.data_dir / "adwright.db"

    @classmethod
    def load(cls, data_dir: Path, *, first_start: bool = True) -> Self:
        """`first_start`: whether the directory may be made and given its encryption key."""
        if first_start:
            make_directory(data_dir)
        known = variables(data_dir)
        ring = [known[name] for name in ("ENCRYPTION_KEYS",) if name in known]
        if seed := known.get("ENCRYPTION_KEY"):
            ring.append(seed if ":" in seed else f"k0:{seed}")
        if not ring and first_start:
            ring = [generate_key("k1")]
            remember(data_dir, {"ENCRYPTION_KEYS": ring[0]})
        return cls.read(data_dir, known | ({"ENCRYPTION_KEYS": ",".join(ring)} if ring else {}))

    @classmethod
    def read(cls, data_dir: Path, known: Mapping[str, str]) -> Self:
        """From variables; raises one line that names the variable and never repeats its value."""
        given: dict[str, Any] = {
            name: known[name.upper()] for name in cls.model_fields if name != "data_dir" and name.upper() in known
        }
        try:
            return cls(data_dir=data_dir, **given)
        except ValidationError as error:
            problem = error.errors(include_input=False, include_context=False)[0]
            name = str(problem["loc"][0]).upper()
            said = problem["msg"].removeprefix("Value error, ")
            raise InvalidRequest(
                f"{name}: {said[0].lower()}{said[1:]}.",
                fix=f"Correct {name} in the environment, in {data_dir / 'settings.env'} or in .env.",
            ) from None

    def listening(self, url: str) -> Self:
        """With the address clients reach, where nobody configured a public one."""
        return self if "public_url" in self.model_fields_set else self.model_copy(update={"public_url": url})
