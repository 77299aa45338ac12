"""The sandbox as its tests see it: where it is, what opens it, and how to disturb and watch it."""

from dataclasses import dataclass

import httpx2

from tools.ports import Credential


@dataclass(frozen=True)
class Sandbox:
    url: str
    credential: Credential
    http: httpx2.Client  # at `url`

    def fault(self, kind: str, target: str = "meta", **more: object) -> None:
        answer = self.http.post("/faults", json={"target": target, "kind": kind, **more})
        assert answer.status_code == 201, answer.text

    def writes(self, path: str = "") -> list[dict[str, object]]:
        log: list[dict[str, object]] = self.http.get("/log").json()
        return [entry for entry in log if path in str(entry["path"])]
