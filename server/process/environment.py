"""The one reader of the environment, by the standard library alone: a command finds its target without the settings.

A variable is looked up in the environment, then in DIR/settings.env, then in ./.env. What no person starts, the bridge
of an MCP client and an owner in the background, leaves ./.env alone: it is then the file of whatever project the client
has open, and must not say where credentials are sent or which database is ours.
"""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from server.process.files import write_private
from tools.errors import InvalidRequest

DATA = "ADWRIGHT_DATA"
URL = "ADWRIGHT_URL"
API_KEY = "ADWRIGHT_API_KEY"
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)")
_COMMENT = re.compile(r"(?:^|\s)#")


def data_directory(given: str | None = None, *, name: str = "adwright") -> Path:
    """--data, else ADWRIGHT_DATA, else `name` among the user's own data."""
    named = given or os.environ.get(DATA) or read_file(Path(".env")).get(DATA)
    if named:
        return Path(named).expanduser().resolve()
    share = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification: a relative path there is to be ignored.
    return (Path(share) if Path(share).is_absolute() else Path.home() / ".local" / "share") / name


def settings_file(directory: Path) -> Path:
    return directory / "settings.env"


def variables(directory: Path, *, beside: bool = True) -> dict[str, str]:
    """All that is set, the strongest source winning; an empty value counts as not set. `beside`: ./.env counts."""
    layers = (read_file(Path(".env")) if beside else {}, read_file(settings_file(directory)), os.environ)
    return {name: value for layer in layers for name, value in layer.items() if value}


def remote(directory: Path, *, beside: bool = True) -> tuple[str, str] | None:
    """The server to talk to and the key for it, where commands go to another machine."""
    known = variables(directory, beside=beside)
    url, key = known.get(URL), known.get(API_KEY)
    if not url:
        return None
    if not url.startswith(("https://", "http://")):
        raise InvalidRequest(f"{URL} is not a web address: {url}", fix=f"Set {URL} to https://HOST, without a path.")
    if not key:
        raise InvalidRequest(f"{URL} is set, {API_KEY} is not.", fix=f"Set {API_KEY} to a key of that server.")
    return url.rstrip("/"), key


def coloured() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def has_display() -> bool:
    """Whether a browser opened here would be seen by someone."""
    if os.environ.get("BROWSER") or os.name == "nt" or os.uname().sysname == "Darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def read_file(path: Path) -> dict[str, str]:
    """NAME=value lines; quotes, `export` and # comments as a shell reads them. No file sets nothing."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"Cannot read {path}: {error}", fix="Make it a readable UTF-8 text file.") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = _LINE.fullmatch(line)
        value = parts and _unquoted(parts[2])
        if parts is None or value is None:
            raise InvalidRequest(f"{path} line {number} is not NAME=value.", fix="Write NAME=value, one a line.")
        found[parts[1]] = value
    return found


def _unquoted(value: str) -> str | None:
    """None where a quote stays open. Unquoted, only a # after a space starts a comment: passwords hold them too."""
    if value[:1] not in ("'", '"'):
        return _COMMENT.split(value)[0].strip()
    try:
        return shlex.split(value, comments=True)[0]
    except ValueError:
        return None


def remember(directory: Path, changes: Mapping[str, str]) -> None:
    """Set variables in DIR/settings.env, leaving its other lines as they are."""
    path = settings_file(directory)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if line.removeprefix("export ").partition("=")[0].strip() not in changes]
    written = [f"{name}={shlex.quote(value)}" for name, value in changes.items()]
    write_private(path, "\n".join([*kept, *written]) + "\n")
