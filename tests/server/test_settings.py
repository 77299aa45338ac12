"""Settings: where each comes from, what the first start writes, and what a wrong one says."""

from pathlib import Path

import pytest

from server.settings import Settings
from tools.errors import InvalidRequest
from tools.store.sealing import KeyRing, generate_key


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [*(field.upper() for field in Settings.model_fields), "ADWRIGHT_DATA", "ENCRYPTION_KEY"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_start_writes_a_key_that_later_starts_keep(tmp_path: Path) -> None:
    first = Settings.load(tmp_path / "data")
    second = Settings.load(tmp_path / "data")
    assert first.encryption_keys == second.encryption_keys
    assert KeyRing.parse(first.encryption_keys.reveal()).kids == ("k1",)
    assert (tmp_path / "data" / "settings.env").stat().st_mode & 0o777 == 0o600


def test_the_environment_wins_over_the_directory_and_that_over_dot_env(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("META_API_VERSION=v1.0\nMETA_APP_ID=env-file\nSESSION_MAX_AGE_DAYS=3\n")
    (tmp_path / "settings.env").write_text("META_API_VERSION=v2.0\nMETA_APP_ID=directory\n")
    monkeypatch.setenv("META_API_VERSION", "v3.0")
    settings = Settings.load(tmp_path)
    assert (settings.meta_api_version, settings.meta_app_id, settings.session_max_age_days) == ("v3.0", "directory", 3)


def test_a_single_key_is_accepted_and_opens_what_the_ring_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", generate_key("x").partition(":")[2])
    assert KeyRing.parse(Settings.load(tmp_path).encryption_keys.reveal()).kids == ("k0",)
    (tmp_path / "settings.env").write_text(f"ENCRYPTION_KEYS={generate_key('k1')}\n")
    assert KeyRing.parse(Settings.load(tmp_path).encryption_keys.reveal()).kids == ("k1", "k0")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "ads.example.com"),
        ("PUBLIC_URL", "https://ads.example.com/path"),
        ("SESSION_MAX_AGE_DAYS", "forever"),
        ("SESSION_MAX_AGE_DAYS", "0"),
        ("ADWRIGHT_PORT", "70000"),
        ("META_GRAPH_URL", "graph"),
        ("META_API_VERSION", "26"),
        ("GOOGLE_ADS_URL", "ads"),
        ("GOOGLE_TOKEN_URL", "hunter2"),
        ("GOOGLE_ADS_API_VERSION", "v26.1"),
        ("DATABASE_URL", "mysql://ads:hunter2@db/ads"),
        ("ENCRYPTION_KEYS", "k1:hunter2"),
        ("SENTRY_DSN", "hunter2"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable_and_not_the_value(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidRequest) as caught:
        Settings.load(tmp_path)
    assert caught.value.message.startswith(f"{name}: ")
    assert "\n" not in caught.value.message
    assert "hunter2" not in caught.value.message + caught.value.fix
    assert name in caught.value.fix


def test_an_empty_value_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRY_DSN", "")
    assert Settings.load(tmp_path).sentry_dsn is None


def test_nothing_is_written_where_a_start_is_not_meant(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="ENCRYPTION_KEYS"):
        Settings.load(tmp_path / "none", first_start=False)
    assert not (tmp_path / "none").exists()


def test_people_reach_where_it_listens_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load(tmp_path).listening("http://127.0.0.1:8080").public_url == "http://127.0.0.1:8080"
    monkeypatch.setenv("PUBLIC_URL", "https://ads.example.com/")
    assert Settings.load(tmp_path).listening("http://127.0.0.1:8080").public_url == "https://ads.example.com"


def test_no_secret_shows_in_a_repr_or_a_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("META_APP_SECRET", "hunter2")
    settings = Settings.load(tmp_path)
    key = settings.encryption_keys.reveal().partition(":")[2]
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hunter2" not in shown
        assert key not in shown
