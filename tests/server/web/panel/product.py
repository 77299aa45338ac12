"""The product as people run it, killed and started again on its directory, and windows of a browser on it."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Locator, Page, expect

from server.process.files import read_json, tail
from server.process.ownership import is_held, wait_until_free
from tests.agent.talk import calls, text
from tests.server.web.browser import DESK, JUDGED, LOOK, LOOKS, Watched, told

ROOT = Path(__file__).parents[4]
DEMO = [sys.executable, "-m", "server.cli.main", "demo"]
START_SECONDS = 90.0
PATIENCE_MS = 60_000
EARLIER = ("ADWRIGHT_", "META_", "GOOGLE_", "ANTHROPIC_", "PUBLIC_URL", "DATABASE_URL", "ENCRYPTION_KEY", "SESSION_")
CUT_OFF = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_INTERNET_DISC",
           "ERR_NETWORK_CHANGED", "ERR_EMPTY_RESPONSE", "ERR_SOCKET_NOT_CONNECTED")  # fmt: skip
"""What a browser notes where the server was killed or the network went; nothing of the page's own."""


@dataclass
class Demo:
    """`adwright demo` in a process of its own."""

    directory: Path
    url: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    cookie: str = ""

    def start(self) -> None:
        """On the directory's port; what was stored before is there again."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(EARLIER)}
        with (self.directory / "demo.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*DEMO, "--data", str(self.directory), "--port", "0", "--no-open"],
                cwd=ROOT, env=environment | {"ADWRIGHT_ANALYTICS": "off"}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        give_up = time.monotonic() + START_SECONDS
        while not self._up():
            assert self.process.poll() is None, tail(self.directory / "demo.log")
            assert time.monotonic() < give_up, f"not up: {tail(self.directory / 'demo.log')}"
            time.sleep(0.05)

    def kill(self) -> None:
        """As kill -9 does; the sandbox is a process of its own and stays."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        assert wait_until_free(self.directory / "owner.lock", 5)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if is_held(self.directory / "sandbox.lock"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(read_json(self.directory / "sandbox.json")["pid"]), signal.SIGKILL)

    def sign_in(self) -> None:
        """As somebody new: what was asked before in this minute is on nobody else's limit."""
        who = {"email": f"{uuid.uuid4().hex}@panel.test"}
        operator = {"authorization": f"Bearer {read_json(self.directory / 'serve.json')['token']}"}
        with httpx2.Client(base_url=self.url) as http:
            http.post("/local/users", json=who | {"role": "owner"}, headers=operator).raise_for_status()
            link = http.post("/local/login-links", json=who, headers=operator).raise_for_status().json()["data"]
            self.cookie = http.get(link["url"]).cookies["adwright_session"]

    def warm(self) -> None:
        """The first answer waits for the SDK to be loaded; no test need."""
        self.says(text("Good morning."))
        sent = {"message": "Good morning!"}
        own = {"origin": self.url, "cookie": f"adwright_session={self.cookie}"}
        httpx2.post(f"{self.url}/api/v1/ads/chat", json=sent, headers=own, timeout=START_SECONDS).raise_for_status()

    @property
    def sandbox(self) -> str:
        return str(read_json(self.directory / "demo.json")["sandbox_url"])

    def says(self, *turns: dict[str, Any]) -> None:
        """What the model says next, and nothing that was left over before."""
        httpx2.delete(f"{self.sandbox}/anthropic/script").raise_for_status()
        httpx2.post(f"{self.sandbox}/anthropic/script", json={"turns": list(turns)}).raise_for_status()

    def written(self) -> list[dict[str, Any]]:
        """What the platform accepted."""
        found: list[dict[str, Any]] = httpx2.get(f"{self.sandbox}/log").json()
        return found

    def api(self, path: str) -> Any:
        answer = httpx2.get(f"{self.url}/api/v1{path}", cookies={"adwright_session": self.cookie})
        return answer.raise_for_status().json()["data"]

    def campaigns(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("/ads/campaigns?status=ACTIVE&platform=meta&limit=20")
        return found

    def campaign(self) -> dict[str, Any]:
        return self.campaigns()[0]

    def newest(self) -> str:
        """The conversation that was talked in last."""
        return str(self.api("/chat?limit=1")[0]["id"])

    def requests(self, question: str) -> list[str]:
        """What the model was asked while this was the last thing a person had said; titles apart."""
        seen = httpx2.get(f"{self.sandbox}/anthropic/requests").json()
        return [each["text"] for each in seen if question in each["text"] and '"tools":[' in each["text"]]

    def lapse(self) -> None:
        """Time passes for what the newest conversation waits for."""
        change = "UPDATE approvals SET expires_at = ? WHERE status = 'pending' AND conversation_id = ?"
        with contextlib.closing(sqlite3.connect(self.directory / "adwright.db", timeout=10)) as database:
            database.execute(change, (int(time.time() * 1000), self.newest()))
            database.commit()

    def _up(self) -> bool:
        assert self.process is not None
        if read_json(self.directory / "serve.json").get("pid") != self.process.pid:
            return False
        known = read_json(self.directory / "demo.json")
        with contextlib.suppress(httpx2.TransportError, KeyError):
            self.url = str(known["url"])
            return httpx2.get(f"{self.url}/livez", timeout=5).status_code == 200
        return False


class Window(Watched[Page]):
    """A browser window on the product; that the server was killed under it is no complaint."""

    expected = CUT_OFF

    def go(self, path: str = "/campaigns") -> "Window":
        self.page.goto(self.url + path)
        return self

    def opened(self, path: str = "/campaigns") -> "Window":
        """With the panel open."""
        self.go(path)
        self.page.keyboard.press("Control+j")
        expect(self.field).to_be_focused()
        return self

    @property
    def panel(self) -> Locator:
        return self.page.locator("chat-panel")

    @property
    def field(self) -> Locator:
        return self.panel.get_by_label("Message to the assistant")

    @property
    def card(self) -> Locator:
        return self.panel.locator("approval-card article").last

    @property
    def turn(self) -> Locator:
        return self.panel.locator("section.turn").last

    def ask(self, message: str) -> None:
        self.field.fill(message)
        self.field.press("Enter")

    def is_(self, state: str) -> None:
        """idle, running, waiting or stopping."""
        expect(self.panel).to_have_attribute("data-state", state)

    def says(self, words: str) -> None:
        expect(self.turn.locator(".prose").last).to_contain_text(words)

    def approve(self) -> None:
        self.card.get_by_role("button", name="Approve").click()

    def until_focused(self, key: str, wanted: Locator, most: int = 60) -> None:
        for _ in range(most):
            self.page.keyboard.press(key)
            if wanted.evaluate("(element) => element === document.activeElement"):
                return
        raise AssertionError(f"not reached by {most} times {key}")

    def violations(self) -> list[str]:
        """What axe finds and what sticks out, in every look; the last remains."""
        if not self.page.evaluate(JUDGED):
            self.page.evaluate(AXE_SCRIPT)
        seen = {}
        for size, scheme, whole in LOOKS:
            self.page.emulate_media(color_scheme=scheme)
            self.page.set_viewport_size(size)
            given = [scheme, size["width"], whole]
            seen[f"{scheme}, {size['width']} px"] = self.page.evaluate(LOOK, given)
        return told(seen)

    def forgive(self, said: str) -> None:
        """A refusal that the page was to expect: a browser notes each."""
        self.complaints = [complaint for complaint in self.complaints if said not in complaint]


@dataclass
class Windows:
    browser: Browser
    demo: Demo
    opened: list[Window] = field(default_factory=list)

    def __call__(self, **options: Any) -> Window:
        """Another person's browser: nothing is shared with the windows before but the session."""
        context = self.browser.new_context(**({"viewport": DESK, "reduced_motion": "reduce"} | options))
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "adwright_session", "value": self.demo.cookie, "url": self.demo.url}])
        self.opened.append(Window(context.new_page(), self.demo.url))
        return self.opened[-1]

    def beside(self, window: Window) -> Window:
        """A second tab of the same browser."""
        self.opened.append(Window(window.page.context.new_page(), self.demo.url))
        return self.opened[-1]


def proposing(demo: Demo, **change: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A look at the campaigns and a change of one; the change is what a person is asked about."""
    change = change or {"name": f"Renamed {time.monotonic_ns()}"}
    wanted = {"campaign_id": demo.campaign()["campaign_id"], **change}
    return calls(("list_campaigns", {"limit": 3})), calls(("update_campaign", wanted), thinking="This one, then.")
